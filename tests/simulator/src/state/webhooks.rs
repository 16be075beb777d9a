//! Webhooks of single Chat channels and conversations, and the calls they make.

use crate::state::State;
use crate::state::chat::{Channel, Message, Webhooks};
use crate::state::conversations::conversation::Source;
use crate::state::events::cloud_event::millis;
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The most webhooks that a channel may have: <https://www.twilio.com/docs/chat/rest/channel-webhook-resource>.
const MAX_WEBHOOKS: usize = 5;

/// Is a webhook of one channel, WH….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChannelWebhook {
    /// The webhook's SID.
    pub sid: Sid,
    /// `webhook`, `trigger` or `studio`.
    pub kind: String,
    /// Its target and settings.
    pub target: WebhookTarget,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Says what a webhook does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookTarget {
    /// The URL it calls.
    pub url: Option<String>,
    /// The method: `GET` or `POST`.
    pub method: Option<String>,
    /// The events it reports.
    pub filters: Vec<String>,
    /// The words that trigger it.
    pub triggers: Vec<String>,
    /// The Studio flow it starts.
    pub flow_sid: Option<String>,
    /// The number of times that a failed call is repeated.
    pub retry_count: Option<i64>,
}

/// Is a call that Chat or Conversations makes to a webhook, to be signed by [`crate::sign::form`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookCall {
    /// The URL.
    pub url: String,
    /// `GET` or `POST`.
    pub method: String,
    /// The form.
    pub parameters: Vec<(String, String)>,
}

impl ChannelWebhook {
    pub(crate) fn listens_to(&self, event: &str) -> bool {
        self.target.filters.iter().any(|filter| filter == event)
    }

    /// Makes a call to the webhook, if it has a URL.
    pub(crate) fn call(&self, parameters: &[(&str, String)]) -> Option<WebhookCall> {
        let named = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        let method = self.target.method.clone();
        Some(WebhookCall {
            url: self.target.url.clone()?,
            method: method.unwrap_or_else(|| "POST".to_owned()),
            parameters: parameters.iter().map(named).collect(),
        })
    }
}

impl State {
    /// Adds a webhook to a Chat channel or conversation.
    ///
    /// # Errors
    ///
    /// Refuses a channel that is absent, closed or has five webhooks, and a webhook without a URL that needs one.
    pub fn add_channel_webhook(
        &mut self,
        channel: Sid,
        kind: &str,
        target: WebhookTarget,
    ) -> Result<Sid, Refusal> {
        let stored = self
            .webhooks_of(channel)
            .ok_or_else(|| Refusal::ChannelNotFound(channel.to_string()))?;
        if stored.len() >= MAX_WEBHOOKS {
            return Err(Refusal::TooManyWebhooks);
        }
        if kind != "studio" && target.url.is_none() {
            return Err(Refusal::invalid(
                "Configuration.Url is required for this type of webhook",
            ));
        }
        let (sid, now) = (self.sid(b"WH"), self.now);
        let webhook = ChannelWebhook {
            sid,
            kind: kind.to_owned(),
            target,
            created: now,
            updated: now,
        };
        if let Some(stored) = self.webhooks_mut(channel) {
            stored.push(webhook);
        }
        Ok(sid)
    }

    /// Removes a webhook from a Chat channel or conversation.
    ///
    /// # Errors
    ///
    /// Refuses a webhook that is absent.
    pub fn remove_channel_webhook(&mut self, channel: Sid, webhook: Sid) -> Result<(), Refusal> {
        let absent = || Refusal::absent(webhook);
        let stored = self.webhooks_mut(channel).ok_or_else(absent)?;
        let found = stored.iter().position(|one| one.sid == webhook);
        stored.remove(found.ok_or_else(absent)?);
        self.programs.remove(&webhook);
        Ok(())
    }

    /// Returns the webhooks of a Chat channel or conversation, oldest first.
    pub fn webhooks_of(&self, channel: Sid) -> Option<&[ChannelWebhook]> {
        let of_conversation = || Some(self.conversation(channel)?.webhooks.as_slice());
        self.channel(channel)
            .map(|stored| stored.webhooks.as_slice())
            .or_else(of_conversation)
    }

    fn webhooks_mut(&mut self, channel: Sid) -> Option<&mut Vec<ChannelWebhook>> {
        match self.chat.channels.get_mut(channel) {
            Some(stored) => Some(&mut stored.webhooks),
            None => Some(&mut self.conversations.shelf.get_mut(channel)?.webhooks),
        }
    }

    /// Takes the calls that Twilio would make to channel-scoped webhooks, oldest first; those to a program that
    /// [joined](State::program_joins) stay in this world.
    pub fn take_webhook_calls(&mut self) -> Vec<WebhookCall> {
        std::mem::take(&mut self.webhook_calls)
    }

    /// Adds a message to a channel and reports it to the channel's webhooks.
    ///
    /// # Errors
    ///
    /// Fails if the channel does not exist, or if the attributes are not JSON.
    pub fn write_message(
        &mut self,
        channel: Sid,
        author: &str,
        body: &str,
        attributes: &str,
        source: Source,
        webhooks: Webhooks,
    ) -> Result<Sid, Refusal> {
        if !crate::state::attributes::is_json(attributes) {
            return Err(Refusal::AttributesNotJson);
        }
        let (sid, now) = (self.sid(b"IM"), self.now);
        let account = self.account.sid;
        let stored = self
            .chat
            .channels
            .get_mut(channel)
            .ok_or_else(|| Refusal::ChannelNotFound(channel.to_string()))?;
        let message = Message {
            sid,
            author: author.to_owned(),
            body: body.to_owned(),
            attributes: attributes.to_owned(),
            created: now,
        };
        stored.messages.push(message.clone());
        if webhooks == Webhooks::Enabled {
            let calls = message_sent(stored, account, &message, source, &self.programs);
            self.webhook_calls.extend(calls);
        }
        Ok(sid)
    }
}

fn message_sent(
    channel: &Channel,
    account: Sid,
    message: &Message,
    source: Source,
    programs: &HashSet<Sid>,
) -> Vec<WebhookCall> {
    const EVENT: &str = "onMessageSent";
    let listens =
        |webhook: &&ChannelWebhook| webhook.listens_to(EVENT) && !programs.contains(&webhook.sid);
    let call = |webhook: &ChannelWebhook| {
        let parameters = [
            ("AccountSid", account.to_string()),
            ("Attributes", message.attributes.clone()),
            ("Body", message.body.clone()),
            ("ChannelAttributes", channel.attributes.clone()),
            ("ChannelSid", channel.sid.to_string()),
            ("ClientIdentity", message.author.clone()),
            ("DateCreated", millis(message.created)),
            ("EventType", EVENT.to_owned()),
            ("From", message.author.clone()),
            ("Index", (channel.messages.len() - 1).to_string()),
            ("InstanceSid", channel.service.to_string()),
            ("MessageSid", message.sid.to_string()),
            ("RetryCount", "0".to_owned()),
            (
                "Source",
                if source == Source::Api { "API" } else { "SDK" }.to_owned(),
            ),
            ("To", channel.sid.to_string()),
            ("WebhookSid", webhook.sid.to_string()),
            ("WebhookType", "webhook".to_owned()),
        ];
        webhook.call(&parameters)
    };
    channel
        .webhooks
        .iter()
        .filter(listens)
        .filter_map(call)
        .collect()
}
