//! The states in which Twilio shows a channel, a Conversation and an interaction channel.

/// The state of a Chat channel that matters here: two of its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatState {
    /// Twilio does not know the channel, though it knows the service.
    Gone,
    /// The channel is there.
    Present {
        /// The attribute `long_lived`.
        long_lived: bool,
        /// The attribute `status` is `INACTIVE`.
        inactive: bool,
    },
}

/// The state of a Conversation
/// (<https://www.twilio.com/docs/conversations/states-timers>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationState {
    /// It is in use.
    Active,
    /// A timer made it inactive; the next message makes it active.
    Inactive,
    /// It is closed, for good.
    Closed,
    /// Twilio is still setting it up and refuses every change.
    Initializing,
    /// Twilio does not know it, though it knows the service.
    Gone,
    /// A state that Twilio does not document.
    Undocumented,
}

impl ConversationState {
    /// Returns true if the next message of its customer lands in it: it is held open.
    pub const fn is_held_open(self) -> bool {
        match self {
            Self::Active | Self::Inactive => true,
            Self::Closed | Self::Initializing | Self::Gone | Self::Undocumented => false,
        }
    }
}

/// The status of an interaction channel
/// (<https://www.twilio.com/docs/flex/developer/conversations/interactions-api>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InteractionStatus {
    /// It is being set up.
    Setup,
    /// An agent works on it, one is looked for, or it was left without one.
    Active,
    /// It is being transferred.
    Transfer,
    /// The agent clicked Leave; a reply makes a new task with the history.
    Inactive,
    /// The agent clicked Pause; Twilio routes it again after 14 days at most.
    Pause,
    /// It has ended.
    Closed,
    /// It has ended before it began.
    Failed,
    /// Twilio does not know it any more, 180 days after its last change.
    Gone,
    /// A status that Twilio does not document.
    Undocumented,
}
