//! Programmable Chat v2: services and channels.

pub mod story;
mod tricky_attributes;

use crate::state::State;
use crate::state::attributes;
use crate::state::refusal::Refusal;
use crate::state::shelf::Shelf;
use crate::state::sid::Sid;
use crate::state::webhooks::ChannelWebhook;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Holds what Programmable Chat knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Chat {
    pub(crate) services: Shelf<ChatService>,
    pub(crate) channels: Shelf<Channel>,
}

/// Is a Chat service, IS….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChatService {
    /// The service's SID.
    pub sid: Sid,
    /// The service's name.
    pub friendly_name: String,
    /// Where the service reports what happened; legacy Flex owns it.
    pub post_webhook_url: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Says who can see a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChannelType {
    /// Everybody; the default of the REST API, for creating and for listing.
    Public,
    /// Members only; what Flex makes.
    Private,
}

/// Says whether a write is reported to the service's webhooks, on which Flex's server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Webhooks {
    /// Reported: `X-Twilio-Webhook-Enabled: true`, or done by an SDK.
    Enabled,
    /// Not reported, the default of the REST API.
    Disabled,
}

/// Is a Chat channel, CH….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Channel {
    /// The channel's SID.
    pub sid: Sid,
    /// The service it belongs to.
    pub service: Sid,
    /// Its name for people.
    pub friendly_name: Option<String>,
    /// Its attributes, byte for byte as they were given.
    pub attributes: String,
    /// Its visibility.
    pub channel_type: ChannelType,
    /// Its creator.
    pub created_by: String,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// The identities that are in the channel.
    pub members: Vec<String>,
    /// The webhooks of this channel alone.
    pub webhooks: Vec<ChannelWebhook>,
}

/// Is one line in a channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// The message's SID, IM….
    pub sid: Sid,
    /// The author.
    pub author: String,
    /// The text.
    pub body: String,
    /// The message's own attributes.
    pub attributes: String,
    /// When it was written.
    pub created: Timestamp,
}

/// Lists what a new channel may be given.
#[derive(Debug, Clone, Default)]
pub struct ChannelChange {
    /// Its name for people.
    pub friendly_name: Option<String>,
    /// The whole new attributes.
    pub attributes: Option<String>,
    /// Its creator.
    pub created_by: Option<String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was changed.
    pub updated: Option<Timestamp>,
}

impl Channel {
    /// Returns the Flex state, which lives in the attributes.
    pub fn status(&self) -> Option<String> {
        attributes::text(&self.attributes, "status")
    }

    /// Says whether the attributes mark it as long-lived.
    pub fn is_long_lived(&self) -> bool {
        attributes::is_true(&self.attributes, "long_lived")
    }

    /// Says whether Flex takes it for closed.
    pub fn is_inactive(&self) -> bool {
        self.status().as_deref() == Some(INACTIVE)
    }
}

/// The status of a channel that an agent works on.
pub(crate) const ACTIVE: &str = "ACTIVE";
/// The status of a channel that is done.
pub(crate) const INACTIVE: &str = "INACTIVE";

impl State {
    /// Creates a Chat service.
    pub fn create_chat_service(&mut self, friendly_name: &str) -> Sid {
        let (sid, now) = (self.sid(b"IS"), self.now);
        let friendly_name = friendly_name.to_owned();
        self.chat.services.insert(
            sid,
            ChatService {
                sid,
                friendly_name,
                post_webhook_url: None,
                created: now,
                updated: now,
            },
        );
        sid
    }

    /// Deletes a Chat service with its channels.
    ///
    /// # Errors
    ///
    /// Fails if the service does not exist.
    pub fn delete_chat_service(&mut self, service: Sid) -> Result<(), Refusal> {
        self.chat
            .services
            .remove(service)
            .ok_or_else(|| Refusal::absent(service))?;
        let channels: Vec<Sid> = self
            .chat
            .channels
            .values()
            .filter(|channel| channel.service == service)
            .map(|channel| channel.sid)
            .collect();
        for channel in channels {
            self.chat.channels.remove(channel);
        }
        Ok(())
    }

    /// Creates a Chat channel.
    ///
    /// # Errors
    ///
    /// Fails if the service does not exist, the attributes are not JSON, or the unique name is
    /// taken.
    pub fn create_channel(
        &mut self,
        service: Sid,
        channel_type: ChannelType,
        given: ChannelChange,
    ) -> Result<Sid, Refusal> {
        self.chat
            .services
            .get(service)
            .ok_or_else(|| Refusal::absent(service))?;
        let attributes = given.attributes.unwrap_or_else(|| "{}".to_owned());
        if !attributes::is_json(&attributes) {
            return Err(Refusal::AttributesNotJson);
        }
        let (sid, now) = (self.sid(b"CH"), self.now);
        let channel = Channel {
            sid,
            service,
            friendly_name: given.friendly_name,
            attributes,
            channel_type,
            created_by: given.created_by.unwrap_or_else(|| "system".to_owned()),
            created: given.created.unwrap_or(now),
            updated: given.updated.unwrap_or(now),
            messages: Vec::new(),
            members: Vec::new(),
            webhooks: Vec::new(),
        };
        self.chat.channels.insert(sid, channel);
        Ok(sid)
    }

    /// Changes a Chat channel; the attributes are replaced as a whole.
    ///
    /// # Errors
    ///
    /// Fails if the channel does not exist or the attributes are not JSON.
    pub fn update_channel(
        &mut self,
        channel: Sid,
        webhooks: Webhooks,
        change: ChannelChange,
    ) -> Result<(), Refusal> {
        if change
            .attributes
            .as_deref()
            .is_some_and(|text| !attributes::is_json(text))
        {
            return Err(Refusal::AttributesNotJson);
        }
        let now = self.now;
        let stored = self
            .chat
            .channels
            .get_mut(channel)
            .ok_or_else(|| Refusal::ChannelNotFound(channel.to_string()))?;
        let was_inactive = stored.is_inactive();
        stored.friendly_name = change.friendly_name.or(stored.friendly_name.take());
        stored.created_by = change
            .created_by
            .unwrap_or(std::mem::take(&mut stored.created_by));
        stored.attributes = change
            .attributes
            .unwrap_or(std::mem::take(&mut stored.attributes));
        stored.created = change.created.unwrap_or(stored.created);
        stored.updated = change.updated.unwrap_or(now);
        if webhooks == Webhooks::Enabled {
            self.channel_update_is_reported(channel, was_inactive);
        }
        Ok(())
    }

    /// Deletes a Chat channel and its history.
    ///
    /// # Errors
    ///
    /// Fails if the channel does not exist.
    pub fn delete_channel(&mut self, channel: Sid, webhooks: Webhooks) -> Result<(), Refusal> {
        let gone = self
            .chat
            .channels
            .remove(channel)
            .ok_or_else(|| Refusal::ChannelNotFound(channel.to_string()))?;
        if webhooks == Webhooks::Enabled && !self.knobs.flex_deaf {
            self.end_session_of(&gone);
        }
        Ok(())
    }

    /// Returns a Chat channel.
    pub fn channel(&self, sid: Sid) -> Option<&Channel> {
        self.chat.channels.get(sid)
    }

    /// Iterates over all Chat channels, oldest first.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.chat.channels.values()
    }

    pub(crate) fn channel_or_refuse(&self, sid: Sid) -> Result<&Channel, Refusal> {
        self.channel(sid)
            .ok_or_else(|| Refusal::ChannelNotFound(sid.to_string()))
    }
}
