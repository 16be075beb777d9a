//! The classes of open channels, and the reasons why an unattended one stayed open.

use serde::{Deserialize, Serialize};

/// The class of a channel. Every channel that was looked at has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It is open, and the customer's next message reaches no agent and no program.
    Unattended,
    /// A task is open on it.
    OpenTask,
    /// Its last task was completed, and an agent is still in it.
    AgentPresent,
    /// An agent left it; Twilio keeps it for the customer's reply.
    Left,
    /// An agent paused it; Twilio routes it again.
    Paused,
    /// A program parked it and waits for the customer.
    Parked,
    /// A bot, a survey or a flow may have it.
    WithProgram,
    /// Its task ended a moment ago: the cutoff is not over.
    Waiting,
    /// It is younger than `ORPHAN_GRACE`, and no task of it is known: a bot may have it.
    Young,
    /// It is being set up or transferred.
    InTransition,
    /// Twilio does not show enough to decide about it.
    Unclear,
    /// It is closed or released as it should be.
    Clean,
    /// It could not be read.
    Unreadable,
}

impl Class {
    /// Every class, in the order in which a report shows them.
    pub const ALL: &'static [Self] = &[
        Self::Unattended,
        Self::OpenTask,
        Self::AgentPresent,
        Self::Left,
        Self::Paused,
        Self::Parked,
        Self::WithProgram,
        Self::Waiting,
        Self::Young,
        Self::InTransition,
        Self::Unclear,
        Self::Clean,
        Self::Unreadable,
    ];

    /// Returns the name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unattended => "unattended",
            Self::OpenTask => "open-task",
            Self::AgentPresent => "agent-present",
            Self::Left => "left",
            Self::Paused => "paused",
            Self::Parked => "parked",
            Self::WithProgram => "with-program",
            Self::Waiting => "waiting",
            Self::Young => "young",
            Self::InTransition => "in-transition",
            Self::Unclear => "unclear",
            Self::Clean => "clean",
            Self::Unreadable => "unreadable",
        }
    }

    /// Returns what is said of the channels behind their number: "3 with an agent".
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Unattended => "unattended",
            Self::OpenTask => "with an open task",
            Self::AgentPresent => "with an agent",
            Self::Left => "left by an agent",
            Self::Paused => "paused by an agent",
            Self::Parked => "parked by a program",
            Self::WithProgram => "with a program",
            Self::Waiting => "whose cutoff is not over",
            Self::Young => "too young to tell",
            Self::InTransition => "in transition",
            Self::Unclear => "unclear",
            Self::Clean => "clean",
            Self::Unreadable => "unreadable",
        }
    }

    /// Returns what the class means, as a sentence about its channels.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Unattended => "The next message of the customer reaches no agent and no program.",
            Self::OpenTask => "A task is open: an agent has the chat, or will get it.",
            Self::AgentPresent => "The task was completed, and an agent is still in the chat.",
            Self::Left => "An agent left the chat. A reply brings it back with its history.",
            Self::Paused => "An agent paused the chat. Twilio routes it again.",
            Self::Parked => "A program parked the chat and waits for the customer.",
            Self::WithProgram => "A bot, a survey or a flow may have the chat.",
            Self::Waiting => "The task ended a moment ago. Flex may still close the chat.",
            Self::Young => "The chat is new and no task of it is known: a bot may have it.",
            Self::InTransition => "The chat is being set up or transferred.",
            Self::Unclear => "Twilio does not show enough to decide about the chat.",
            Self::Clean => "The chat is closed or released, as it should be.",
            Self::Unreadable => "Twilio did not show the chat.",
        }
    }

    /// Returns what Channel Janitor does about the class.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Unattended => "It would be closed, so that the next message makes a new task.",
            Self::OpenTask | Self::Paused | Self::InTransition => "It would be left alone.",
            Self::AgentPresent | Self::WithProgram => {
                "It would be closed once nobody has written for QUIET_CUTOFF."
            }
            Self::Left | Self::Parked => {
                "It would be left alone, unless PUT_ASIDE_CUTOFF is set and over."
            }
            Self::Waiting => "It would be looked at again when its cutoff is over.",
            Self::Young => "It would be looked at again when ORPHAN_GRACE is over.",
            Self::Unclear => "It would be left alone and reported.",
            Self::Clean => "Nothing is to be done.",
            Self::Unreadable => "It would be tried again, and reported if that fails.",
        }
    }
}

/// Why an unattended channel stayed open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its task was completed and the channel was not closed.
    TabClosed,
    /// Its task was canceled: by its time to live, at the end of its workflow or by a program.
    TimedOut,
    /// Its task was deleted, by a program or by TaskRouter.
    Deleted,
    /// A Conversation whose task was completed, with neither an agent nor a program in it.
    AgentLess,
    /// No task of it is known.
    Orphan,
    /// A long-lived Chat channel that was not released after its task.
    LongLived,
    /// Its task is over, and nothing says how it ended.
    EndUnknown,
    /// A closed Chat channel to which a Proxy session still brings messages.
    SessionOpen,
}

impl Cause {
    /// Every cause, in the order in which a report shows them.
    pub const ALL: &'static [Self] = &[
        Self::TabClosed,
        Self::TimedOut,
        Self::Deleted,
        Self::AgentLess,
        Self::Orphan,
        Self::LongLived,
        Self::EndUnknown,
        Self::SessionOpen,
    ];

    /// Returns the name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TabClosed => "tab-closed",
            Self::TimedOut => "timed-out",
            Self::Deleted => "deleted",
            Self::AgentLess => "agent-less",
            Self::Orphan => "orphan",
            Self::LongLived => "long-lived",
            Self::EndUnknown => "end-unknown",
            Self::SessionOpen => "session-open",
        }
    }

    /// Returns what the cause means, as a sentence about one channel.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::TabClosed => "The task was completed, and nothing closed the chat.",
            Self::TimedOut => "The task was canceled, for example because no agent took it.",
            Self::Deleted => "The task was deleted, for example after a day with one agent.",
            Self::AgentLess => "The task was completed and the agent left, but the chat is open.",
            Self::Orphan => "The chat is open, and TaskRouter knows no task of it.",
            Self::LongLived => "The chat is long-lived and was not released after its task.",
            Self::EndUnknown => "The task is gone from TaskRouter, and nothing says how it ended.",
            Self::SessionOpen => "The chat is closed, but its Proxy session still takes messages.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_in_json() {
        for class in Class::ALL {
            assert_eq!(serde_json::json!(class), class.name());
        }
        for cause in Cause::ALL {
            assert_eq!(serde_json::json!(cause), cause.name());
        }
    }
}
