//! Why Twilio says no, in Twilio's terms and without a word of HTTP.

use crate::state::sid::Sid;

/// Names the reason for which the state refuses a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The resource or one above it is absent.
    #[error("The requested resource {0} was not found")]
    NotFound(String),
    /// The Chat channel is absent although its service exists.
    #[error("Channel not found: {0}")]
    ChannelNotFound(String),
    /// The attributes are not a JSON text.
    #[error("Attributes not valid: not a JSON text")]
    AttributesNotJson,
    /// The attributes exceed what the platform stores.
    #[error("Attributes too long")]
    AttributesTooLong,
    /// Another resource of the same kind carries the name already.
    #[error("{kind} with provided unique name already exists: {name}")]
    NameTaken {
        /// The kind of resource.
        kind: &'static str,
        /// The name in question.
        name: String,
    },
    /// A parameter or a transition is against the rules.
    #[error("{0}")]
    Invalid(String),
    /// The request came sooner after others than its resource allows.
    #[error("Too Many Requests")]
    TooManyRequests,
    /// Another writer was faster than the version in If-Match.
    #[error("The version of {0} is not the one given in If-Match")]
    VersionMismatch(Sid),
    /// A closed conversation is final.
    #[error("Conversation {0} is closed and cannot be updated")]
    ConversationClosed(Sid),
    /// A conversation cannot begin with its end.
    #[error("The initial state of a conversation cannot be closed")]
    ConversationStartsClosed,
    /// A new conversation was given timers and no state.
    #[error("Timers cannot be set without State")]
    TimerWithoutState,
    /// A closed Proxy session is final.
    #[error("Session {0} is closed and cannot be updated")]
    SessionClosed(Sid),
    /// The address pair is in a conversation that is not closed.
    #[error("A binding for this participant and proxy address already exists in Conversation {0}")]
    AddressPairTaken(Sid),
    /// The channel or conversation has as many webhooks as it may have.
    #[error("Webhooks per channel limit exceeded")]
    TooManyWebhooks,
    /// The sink feeds another subscription.
    #[error("Sink {0} is in use by another subscription")]
    SinkInUse(Sid),
}

impl Refusal {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    pub(crate) fn absent(what: impl ToString) -> Self {
        Self::NotFound(what.to_string())
    }
}
