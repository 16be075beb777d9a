//! What an event tells us, free of Twilio's JSON.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::activity::{Author, AuthorDigest};
use crate::{
    ChannelSid, InteractionChannelSid, InteractionSid, TaskChannelSid, TaskSid, Timestamp,
    WorkerSid,
};

/// One thing that happened to one task of one channel.
///
/// Facts form a set: how often, in which order and in which company they arrive makes no
/// difference to what they add up to (see [`crate::Channel::absorb`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The channel that the task works on.
    pub channel: ChannelSid,
    /// Which of Twilio's two messaging products the channel belongs to.
    pub platform: Platform,
    /// When it happened, by Twilio's clock.
    pub at: Timestamp,
    /// The task that it happened to.
    pub task: TaskSid,
    /// When the task was created, where the event says so; otherwise it is taken to be as
    /// old as the oldest fact about it.
    pub opened_at: Option<Timestamp>,
    /// The interaction that the task belongs to, for Conversations.
    pub interaction: Option<Interaction>,
    /// What happened.
    pub news: News,
}

impl Fact {
    /// The same without how far the task has got, on which only parking decides: where it is
    /// not wanted, an agent's accepting and wrapping up are not worth a write each.
    #[must_use]
    pub fn without_stage(mut self) -> Self {
        if let News::Open(_) = self.news {
            self.news = News::Open(Stage::Waiting);
        }
        self
    }
}

/// What happened to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// It was open, and had got as far as this.
    Open(Stage),
    /// It ended, in this way.
    Ended(End),
    /// We asked TaskRouter ourselves, and it was open.
    SeenOpen,
}

/// How far an open task has got. It only ever gets further: a reservation that is rejected
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

/// How a task ended. Where two terminal events carry the same time, the smaller counts: the
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

/// Something told of a channel's messages, or of where one of its tasks is. Like facts, they
/// form a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The channel.
    pub channel: ChannelSid,
    /// Which messaging product the channel belongs to.
    pub platform: Platform,
    /// When it happened, by Twilio's clock.
    pub at: Timestamp,
    /// What was told.
    pub heard: Heard,
}

/// What can be told of a channel's messages and of where its tasks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A person wrote (`com.twilio.conversations.message.added`, `onMessageSent`).
    Message {
        /// Who.
        author: Author,
        /// Its place among the channel's messages, which settles the order where times do
        /// not; 0 where Twilio does not say.
        index: u32,
    },
    /// An agent accepted a task (`reservation.accepted`).
    Accepted {
        /// The task.
        task: TaskSid,
        /// The agent's worker.
        worker: Option<WorkerSid>,
        /// The identity under which the agent writes.
        identity: Option<AuthorDigest>,
    },
    /// A version of a task was in this TaskChannel (every event of a task says it).
    Placed {
        /// The task.
        task: TaskSid,
        /// The task's version, which Twilio counts up at each change.
        version: u32,
        /// Its TaskChannel.
        task_channel: TaskChannelSid,
    },
}
