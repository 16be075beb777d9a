//! A conversation.

use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use crate::state::webhooks::ChannelWebhook;
use jiff::fmt::temporal::SpanParser;
use jiff::{SignedDuration, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The shortest time to inactivity: <https://www.twilio.com/docs/conversations/states-timers>.
const MIN_INACTIVE: Duration = Duration::from_secs(60);
/// The shortest time to the end.
const MIN_CLOSED: Duration = Duration::from_secs(600);

/// Says whether a conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConversationState {
    /// In use.
    Active,
    /// Not in use; the next message makes it active again.
    Inactive,
    /// Ended for ever.
    Closed,
}

impl ConversationState {
    /// Returns Twilio's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Closed => "closed",
        }
    }

    /// Understands Twilio's word for it.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Inactive, Self::Closed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// Is a time after which a silent conversation changes its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// The time as it was given, an ISO 8601 duration.
    pub text: String,
    /// The time itself.
    pub after: Duration,
}

impl Timer {
    /// Understands a time to inactivity, at least a minute; an empty text is none.
    ///
    /// # Errors
    ///
    /// Fails if the text is not an ISO 8601 duration, or is shorter than a minute.
    pub fn to_inactive(text: &str) -> Result<Option<Self>, Refusal> {
        Self::parse("Timers.Inactive", text, MIN_INACTIVE)
    }

    /// Understands a time to the end, at least ten minutes; an empty text is none.
    ///
    /// # Errors
    ///
    /// Fails if the text is not an ISO 8601 duration, or is shorter than ten minutes.
    pub fn to_closed(text: &str) -> Result<Option<Self>, Refusal> {
        Self::parse("Timers.Closed", text, MIN_CLOSED)
    }

    fn parse(name: &str, text: &str, least: Duration) -> Result<Option<Self>, Refusal> {
        if text.is_empty() {
            return Ok(None);
        }
        let days = SpanRelativeTo::days_are_24_hours();
        let after = SpanParser::new()
            .parse_span(text)
            .ok()
            .and_then(|span| span.to_duration(days).ok());
        let after = after.and_then(|after: SignedDuration| Duration::try_from(after).ok());
        match after.filter(|after| *after >= least) {
            Some(after) => Ok(Some(Self {
                text: text.to_owned(),
                after,
            })),
            None => Err(Refusal::invalid(format!(
                "{name} must be an ISO 8601 duration of at least {} s, not {text:?}",
                least.as_secs()
            ))),
        }
    }
}

/// Is a conversation, CH….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Conversation {
    /// The conversation's SID.
    pub sid: Sid,
    /// The service it belongs to.
    pub service: Sid,
    /// Its name for people.
    pub friendly_name: Option<String>,
    /// The messaging service it uses.
    pub messaging_service: Option<String>,
    /// Its attributes, byte for byte as they were given.
    pub attributes: String,
    /// Its state.
    pub state: ConversationState,
    /// After which silence it becomes inactive.
    pub to_inactive: Option<Timer>,
    /// After which silence it closes.
    pub to_closed: Option<Timer>,
    /// When something last happened in it; the timers count from here.
    pub active: Timestamp,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// The webhooks of this conversation alone.
    pub webhooks: Vec<ChannelWebhook>,
    /// The participants.
    pub participants: Vec<Participant>,
    /// The messages, in order.
    pub messages: Vec<Line>,
}

impl Conversation {
    /// Returns the participant who writes under this name.
    pub(crate) fn participant(&self, author: &str) -> Option<&Participant> {
        let mut participants = self.participants.iter();
        participants.find(|participant| party(participant) == Some(author))
    }
}

/// Returns under which name a participant writes.
pub(crate) fn party(participant: &Participant) -> Option<&str> {
    participant
        .identity
        .as_deref()
        .or(participant.address.as_deref())
}

/// Takes part in a conversation, MB….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Participant {
    /// The participant's SID.
    pub sid: Sid,
    /// The identity of an agent or of a web user.
    pub identity: Option<String>,
    /// The customer's address.
    pub address: Option<String>,
    /// Our address, to which the customer writes.
    pub proxy_address: Option<String>,
    /// The participant's attributes.
    pub attributes: String,
    /// When the participant came.
    pub created: Timestamp,
}

/// Is one line in a conversation, IM….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// The message's SID.
    pub sid: Sid,
    /// Its place in the conversation, from 0.
    pub index: usize,
    /// The author: an identity or an address.
    pub author: String,
    /// Which participant wrote it.
    pub participant: Option<Sid>,
    /// The text.
    pub body: String,
    /// The message's own attributes.
    pub attributes: String,
    /// When it was written.
    pub created: Timestamp,
}

/// Says how a message got in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From a customer's phone or window.
    Customer,
    /// From an agent's window.
    Sdk,
    /// From the REST API.
    Api,
}

/// Lists what one request may say about a conversation.
#[derive(Debug, Clone, Default)]
pub struct ConversationChange {
    /// Its name for people.
    pub friendly_name: Option<String>,
    /// The messaging service it uses.
    pub messaging_service: Option<String>,
    /// The whole new attributes.
    pub attributes: Option<String>,
    /// Its new state.
    pub state: Option<ConversationState>,
    /// A new time to inactivity; `Some(None)` takes it away.
    pub to_inactive: Option<Option<Timer>>,
    /// A new time to the end; `Some(None)` takes it away.
    pub to_closed: Option<Option<Timer>>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was changed.
    pub updated: Option<Timestamp>,
}

/// Lists what a new participant is given.
#[derive(Debug, Clone, Default)]
pub struct NewParticipant {
    /// The identity of an agent or of a web user.
    pub identity: Option<String>,
    /// The customer's address.
    pub address: Option<String>,
    /// Our address, to which the customer writes.
    pub proxy_address: Option<String>,
    /// The participant's attributes.
    pub attributes: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_have_a_least_length() {
        let after = |timer: Result<Option<Timer>, Refusal>| {
            timer.ok().flatten().map(|timer| timer.after.as_secs())
        };
        assert_eq!(after(Timer::to_inactive("PT1M")), Some(60));
        assert_eq!(after(Timer::to_closed("P1DT1H")), Some(90_000));
        assert_eq!(Timer::to_closed(""), Ok(None));
        for bad in ["PT59S", "1 minute", "-PT5M", "60"] {
            assert!(Timer::to_inactive(bad).is_err(), "{bad}");
        }
        assert!(Timer::to_closed("PT9M59S").is_err());
    }
}
