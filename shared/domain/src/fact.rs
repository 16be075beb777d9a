//! Facts that events and looks tell us, free of Twilio's JSON.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::activity::{Author, AuthorDigest};
use crate::parking::TaskPlacement;
use crate::{ChannelSid, InteractionChannelSid, InteractionSid, TaskSid, Timestamp, WorkerSid};

/// Something that an event or a look tells about one task or message of one channel.
///
/// Facts form a set: how often, in which order and in which company they arrive makes no
/// difference to what they add up to (see [`crate::Channel::absorb`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The channel.
    pub channel: ChannelSid,
    /// Which of Twilio's two messaging products the channel belongs to.
    pub platform: Platform,
    /// When it happened, by Twilio's clock.
    pub at: Timestamp,
    /// The content: about a task or about a message.
    pub kind: FactKind,
}

/// The kinds of facts, with their contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// The state of a task.
    Task(TaskFact),
    /// An agent accepted a task (`reservation.accepted`).
    Accepted {
        /// The task.
        task: TaskSid,
        /// The agent's worker.
        worker: Option<WorkerSid>,
        /// The identity under which the agent writes.
        identity: Option<AuthorDigest>,
    },
    /// A version of a task was in this TaskChannel. Every event of a task says it, and a look where
    /// the task is parked.
    Placed {
        /// The task.
        task: TaskSid,
        /// The task's version, which Twilio counts up at each change; 0 for a look, which does not
        /// tell it.
        version: u32,
        /// Its TaskChannel.
        placement: TaskPlacement,
    },
    /// A person wrote (`com.twilio.conversations.message.added`, `onMessageSent`).
    Message {
        /// The person.
        author: Author,
        /// Its place among the channel's messages, which settles the order where times do
        /// not; 0 where Twilio does not say.
        index: u32,
    },
}

/// The state in which a task was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskFact {
    /// The task.
    pub task: TaskSid,
    /// Its state.
    pub state: TaskState,
    /// When the task was created, where the event says so; otherwise it is taken to be as
    /// old as the oldest fact about it.
    pub opened_at: Option<Timestamp>,
    /// The interaction that the task belongs to, for Conversations.
    pub interaction: Option<Interaction>,
}

impl Fact {
    /// Returns the task that the fact is about, unless it is about a message.
    pub const fn task(&self) -> Option<TaskSid> {
        match self.kind {
            FactKind::Task(TaskFact { task, .. })
            | FactKind::Accepted { task, .. }
            | FactKind::Placed { task, .. } => Some(task),
            FactKind::Message { .. } => None,
        }
    }

    /// Returns the state of its task, if the fact tells one.
    pub const fn state(&self) -> Option<TaskState> {
        match self.kind {
            FactKind::Task(TaskFact { state, .. }) => Some(state),
            FactKind::Accepted { .. } | FactKind::Placed { .. } | FactKind::Message { .. } => None,
        }
    }
}

/// A state of a task, as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    /// It was open, and had got as far as this.
    Open(Stage),
    /// It ended, in this way.
    Ended(End),
    /// We asked TaskRouter ourselves, and it was open.
    SeenOpen,
}

/// The stage that an open task has reached. It only ever gets further: a reservation that is rejected
/// sends a task back in the queue, but whether it waits or is offered makes no difference
/// here, so the two are one stage and the greatest stage heard of is the true one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// No agent has it (`pending` or `reserved`), as far as it was told.
    Waiting,
    /// An agent has it (`assigned`).
    Assigned,
    /// The agent is writing up (`wrapping`). It is still open.
    Wrapping,
}

/// The way in which a task ended. Where two terminal events carry the same time, the smaller counts: the
/// one with the longer patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// An agent completed it (`task.completed`).
    Completed,
    /// No event ever said so, but TaskRouter does not know it any more.
    Vanished,
    /// It was canceled: by the API, by its time to live or at the end of its workflow.
    Canceled,
    /// It was deleted through the API.
    Deleted,
    /// TaskRouter removed it, assigned for longer than a task may live.
    SystemDeleted,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "was completed",
            Self::Vanished => "is gone from TaskRouter",
            Self::Canceled => "was canceled",
            Self::Deleted => "was deleted",
            Self::SystemDeleted => "was removed by TaskRouter",
        })
    }
}

/// Which of Twilio's messaging products a channel belongs to. Both give it a `CH…` SID.
/// Where events disagree, Conversations wins: every Flex Conversations task names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// Programmable Chat: attributes `long_lived` and `status`.
    Chat,
    /// Conversations: the state `closed`, which is final.
    Conversations,
}

/// The interaction channel through which Flex Conversations work is routed. There is no way
/// to look one up later: Twilio lists no interactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interaction {
    /// The interaction.
    pub sid: InteractionSid,
    /// Its channel.
    pub channel: InteractionChannelSid,
}
