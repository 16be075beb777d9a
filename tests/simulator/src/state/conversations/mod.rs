//! Conversations: who talks to whom, and when silence ends it.

pub mod conversation;
mod events;
mod lifecycle;
mod lookup;

use crate::state::State;
use crate::state::attributes;
use crate::state::refusal::Refusal;
use crate::state::shelf::Shelf;
use crate::state::sid::Sid;
use crate::state::webhooks::WebhookTarget;
use conversation::{
    Conversation, ConversationChange, ConversationState, Line, NewParticipant, Participant, Source,
    Timer, party,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The most bytes of attributes that a conversation may have: <https://www.twilio.com/docs/conversations/conversations-limits>.
const MAX_ATTRIBUTES: usize = 16 * 1024;

/// Holds what Conversations knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Conversations {
    pub(crate) shelf: Shelf<Conversation>,
    pub(crate) defaults: Defaults,
    /// Which conversation that is not closed an address and one of ours share.
    #[serde(with = "crate::state::snapshot::entries")]
    by_pair: HashMap<(String, String), Sid>,
    /// The conversations of each identity and address, oldest first.
    pub(crate) by_party: HashMap<String, Vec<Sid>>,
}

/// Holds what new conversations get by default.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Defaults {
    pub(crate) service: Option<Sid>,
    pub(crate) messaging_service: Option<String>,
    pub(crate) to_inactive: Option<Timer>,
    pub(crate) to_closed: Option<Timer>,
}

/// Says why a conversation changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Api,
    Timer,
    Event,
}

impl State {
    /// Creates a conversation.
    ///
    /// # Errors
    ///
    /// Fails if the service does not exist, the conversation would start closed or with a timer and
    /// no state, the attributes are not JSON, or the unique name is taken.
    pub fn create_conversation(
        &mut self,
        service: Sid,
        given: ConversationChange,
    ) -> Result<Sid, Refusal> {
        self.chat
            .services
            .get(service)
            .ok_or_else(|| Refusal::absent(service))?;
        let timers = given.to_inactive.is_some() || given.to_closed.is_some();
        match given.state {
            Some(ConversationState::Closed) => return Err(Refusal::ConversationStartsClosed),
            None if timers => return Err(Refusal::TimerWithoutState),
            Some(_) | None => {}
        }
        check_attributes(given.attributes.as_deref())?;
        let (sid, now) = (self.sid(b"CH"), self.now);
        let defaults = &self.conversations.defaults;
        let conversation = Conversation {
            sid,
            service,
            friendly_name: given.friendly_name,
            messaging_service: given
                .messaging_service
                .or(defaults.messaging_service.clone()),
            attributes: given.attributes.unwrap_or_else(|| "{}".to_owned()),
            state: given.state.unwrap_or(ConversationState::Active),
            to_inactive: given.to_inactive.unwrap_or(defaults.to_inactive.clone()),
            to_closed: given.to_closed.unwrap_or(defaults.to_closed.clone()),
            active: now,
            created: given.created.unwrap_or(now),
            updated: given.updated.unwrap_or(now),
            webhooks: Vec::new(),
            participants: Vec::new(),
            messages: Vec::new(),
        };
        self.conversations.shelf.insert(sid, conversation);
        self.watch_conversation(sid);
        Ok(sid)
    }

    /// Changes a conversation; one that is closed cannot be changed any more.
    ///
    /// # Errors
    ///
    /// Fails if the conversation does not exist or is closed, the attributes are not JSON, or the
    /// unique name is taken.
    pub fn update_conversation(
        &mut self,
        conversation: Sid,
        change: ConversationChange,
    ) -> Result<(), Refusal> {
        check_attributes(change.attributes.as_deref())?;
        self.talking(conversation)?;
        let now = self.now;
        let Some(stored) = self.conversations.shelf.get_mut(conversation) else {
            return Err(Refusal::absent(conversation));
        };
        stored.friendly_name = change.friendly_name.or(stored.friendly_name.take());
        stored.messaging_service = change.messaging_service.or(stored.messaging_service.take());
        stored.attributes = change
            .attributes
            .unwrap_or(std::mem::take(&mut stored.attributes));
        stored.to_inactive = change.to_inactive.unwrap_or(stored.to_inactive.take());
        stored.to_closed = change.to_closed.unwrap_or(stored.to_closed.take());
        stored.created = change.created.unwrap_or(stored.created);
        stored.updated = change.updated.unwrap_or(now);
        stored.active = now;
        if let Some(state) = change.state {
            self.set_conversation_state(conversation, state, Cause::Api);
        }
        self.watch_conversation(conversation);
        Ok(())
    }

    /// Deletes a conversation and its history.
    ///
    /// # Errors
    ///
    /// Fails if the conversation does not exist.
    pub fn delete_conversation(&mut self, conversation: Sid) -> Result<(), Refusal> {
        let gone = self
            .conversations
            .shelf
            .remove(conversation)
            .ok_or_else(|| Refusal::absent(conversation))?;
        self.free_pairs(&gone);
        for party in gone.participants.iter().filter_map(party) {
            if let Some(theirs) = self.conversations.by_party.get_mut(party) {
                theirs.retain(|sid| *sid != conversation);
            }
        }
        Ok(())
    }

    /// Adds a participant to a conversation.
    ///
    /// # Errors
    ///
    /// Fails if the conversation does not exist or is closed, if neither an identity nor a complete
    /// address is given, if the attributes are not JSON, or if another conversation has the same
    /// pair of addresses.
    pub fn add_participant(
        &mut self,
        conversation: Sid,
        given: NewParticipant,
    ) -> Result<Sid, Refusal> {
        self.talking(conversation)?;
        if given.identity.is_none() && given.address.is_none() {
            return Err(Refusal::invalid(
                "A participant needs Identity or MessagingBinding.Address",
            ));
        }
        if given.address.is_some() && given.proxy_address.is_none() {
            return Err(Refusal::invalid(
                "MessagingBinding.Address needs MessagingBinding.ProxyAddress",
            ));
        }
        check_attributes(given.attributes.as_deref())?;
        if let (Some(address), Some(proxy)) = (&given.address, &given.proxy_address) {
            let pair = (address.clone(), proxy.clone());
            if let Some(other) = self.conversations.by_pair.get(&pair) {
                return Err(Refusal::AddressPairTaken(*other));
            }
            self.conversations.by_pair.insert(pair, conversation);
        }
        let (sid, now) = (self.sid(b"MB"), self.now);
        let participant = Participant {
            sid,
            identity: given.identity,
            address: given.address,
            proxy_address: given.proxy_address,
            attributes: given.attributes.unwrap_or_else(|| "{}".to_owned()),
            created: now,
        };
        if let Some(party) = party(&participant) {
            self.conversations
                .by_party
                .entry(party.to_owned())
                .or_default()
                .push(conversation);
        }
        if let Some(stored) = self.conversations.shelf.get_mut(conversation) {
            stored.participants.push(participant);
        }
        Ok(sid)
    }

    /// Adds a message to a conversation, which becomes active if it was not.
    ///
    /// # Errors
    ///
    /// Fails if the conversation does not exist or is closed, or if the attributes are not JSON.
    pub fn say(
        &mut self,
        conversation: Sid,
        author: &str,
        body: &str,
        attributes: &str,
        source: Source,
    ) -> Result<Sid, Refusal> {
        self.talking(conversation)?;
        check_attributes(Some(attributes))?;
        let (sid, now) = (self.sid(b"IM"), self.now);
        let Some(stored) = self.conversations.shelf.get_mut(conversation) else {
            return Err(Refusal::absent(conversation));
        };
        let line = Line {
            sid,
            index: stored.messages.len(),
            author: author.to_owned(),
            participant: stored.participant(author).map(|writer| writer.sid),
            body: body.to_owned(),
            attributes: attributes.to_owned(),
            created: now,
        };
        stored.messages.push(line.clone());
        stored.active = now;
        if self.knobs.messages_move_date_updated {
            stored.updated = now;
        }
        self.tell_of_message(conversation, &line);
        if source != Source::Api {
            self.call_webhooks(conversation, sid, source);
        }
        self.set_conversation_state(conversation, ConversationState::Active, Cause::Event);
        self.watch_conversation(conversation);
        Ok(sid)
    }

    /// Puts a Studio flow, such as a bot, into a conversation, or takes it out.
    ///
    /// # Errors
    ///
    /// Fails if the conversation does not exist or is closed, or if it has as many webhooks as it
    /// may have.
    pub fn set_conversation_flow(
        &mut self,
        conversation: Sid,
        flow: Option<Sid>,
    ) -> Result<(), Refusal> {
        self.talking(conversation)?;
        if let Some(stored) = self.conversations.shelf.get_mut(conversation) {
            stored.webhooks.retain(|webhook| webhook.kind != "studio");
        }
        if let Some(flow) = flow {
            let target = WebhookTarget {
                flow_sid: Some(flow.to_string()),
                ..Default::default()
            };
            self.add_channel_webhook(conversation, "studio", target)?;
        }
        Ok(())
    }

    /// Takes a participant out of a conversation.
    pub(crate) fn remove_participant(&mut self, conversation: Sid, identity: &str) {
        if let Some(stored) = self.conversations.shelf.get_mut(conversation) {
            let stays = |one: &Participant| one.identity.as_deref() != Some(identity);
            stored.participants.retain(stays);
        }
        if let Some(theirs) = self.conversations.by_party.get_mut(identity) {
            theirs.retain(|sid| *sid != conversation);
        }
    }

    fn talking(&self, conversation: Sid) -> Result<&Conversation, Refusal> {
        let stored = self
            .conversation(conversation)
            .ok_or_else(|| Refusal::absent(conversation))?;
        if stored.state == ConversationState::Closed {
            Err(Refusal::ConversationClosed(conversation))
        } else {
            Ok(stored)
        }
    }
}

fn check_attributes(text: Option<&str>) -> Result<(), Refusal> {
    match text {
        Some(text) if text.len() > MAX_ATTRIBUTES => Err(Refusal::AttributesTooLong),
        Some(text) if !attributes::is_json(text) => Err(Refusal::AttributesNotJson),
        Some(_) | None => Ok(()),
    }
}
