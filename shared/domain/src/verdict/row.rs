//! The rows of the rule, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::listed::listed;

listed! {
    /// The row of the rule that applied to a channel.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Row {
        /// A task is open on the channel.
        OpenTask = "open-task",
        /// The channel is gone at Twilio.
        Gone = "gone",
        /// A Chat channel whose last task was canceled, timed out or deleted.
        ChatAbandoned = "chat-abandoned",
        /// A Chat channel whose last task was completed.
        ChatCompleted = "chat-completed",
        /// A Chat channel that a bot or a survey may have after its last task.
        ChatWithProgram = "chat-with-program",
        /// A long-lived Chat channel that is only reset, not released first.
        ChatLongLived = "chat-long-lived",
        /// A Chat channel of which no task is known.
        ChatOrphan = "chat-orphan",
        /// A Chat channel of which no task is known and that a bot or a flow may have.
        ChatOrphanWithProgram = "chat-orphan-with-program",
        /// A Conversation whose interaction channel has ended.
        InteractionEnded = "interaction-ended",
        /// A Conversation whose last task was canceled, timed out or deleted.
        ConversationAbandoned = "conversation-abandoned",
        /// A Conversation without an agent whose last task was completed.
        AgentLess = "agent-less",
        /// A Conversation in which an agent still is, though the last task was completed.
        AgentPresent = "agent-present",
        /// A Conversation that a program parked.
        ParkedByProgram = "parked-by-program",
        /// A Conversation that an agent left: Twilio keeps it for 90 days.
        LeftByAgent = "left-by-agent",
        /// A Conversation that an agent paused: Twilio routes it again.
        PausedByAgent = "paused-by-agent",
        /// A Conversation that is being set up or transferred.
        InTransition = "in-transition",
        /// A state that Twilio does not document.
        Undocumented = "undocumented",
        /// A Conversation of which neither a task nor an interaction is known.
        ConversationOrphan = "conversation-orphan",
        /// The same with a program or a flow.
        ConversationOrphanWithProgram = "conversation-orphan-with-program",
    }
}

impl Row {
    /// Returns whether Twilio, a program or an agent answers the customer's next message, so
    /// that a customer whose message is the newest one is not unheard.
    pub const fn is_answered(self) -> bool {
        match self {
            Self::OpenTask
            | Self::ChatWithProgram
            | Self::ChatOrphanWithProgram
            | Self::ParkedByProgram
            | Self::LeftByAgent
            | Self::PausedByAgent
            | Self::InTransition
            | Self::ConversationOrphanWithProgram => true,
            Self::Gone
            | Self::ChatAbandoned
            | Self::ChatCompleted
            | Self::ChatLongLived
            | Self::ChatOrphan
            | Self::InteractionEnded
            | Self::ConversationAbandoned
            | Self::AgentLess
            | Self::AgentPresent
            | Self::Undocumented
            | Self::ConversationOrphan => false,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenTask => "a task is open on it",
            Self::Gone => "Twilio does not know it any more",
            Self::ChatAbandoned => "its last task was canceled, timed out or deleted",
            Self::ChatCompleted => "its last task was completed",
            Self::ChatWithProgram => {
                "its last task was completed, and a bot or a survey may have it"
            }
            Self::ChatLongLived => "it is long-lived and only reset",
            Self::ChatOrphan => "a Proxy session holds it open and no task of it is known",
            Self::ChatOrphanWithProgram => {
                "a Proxy session holds it open, no task of it is known, and a bot or a flow may have it"
            }
            Self::InteractionEnded => "its interaction channel has ended",
            Self::ConversationAbandoned => {
                "its last task was canceled, timed out or deleted, so nobody owns it"
            }
            Self::AgentLess => {
                "its last task was completed and no agent is in it, so it swallows messages"
            }
            Self::AgentPresent => "its last task was completed, but an agent is still in it",
            Self::ParkedByProgram => "a program parked it and waits for the customer",
            Self::LeftByAgent => "its agent left it and Twilio keeps it for the customer's reply",
            Self::PausedByAgent => "its agent paused it and Twilio routes it again",
            Self::InTransition => "it is being set up or transferred",
            Self::Undocumented => "Twilio shows a state that it does not document",
            Self::ConversationOrphan => "it is open, and neither a task nor an interaction is known",
            Self::ConversationOrphanWithProgram => {
                "it is open, neither a task nor an interaction is known, and a program may have it"
            }
        })
    }
}
