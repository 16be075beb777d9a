//! Rescuing a customer who was not heard: making a task that brings the waiting message to an
//! agent, instead of closing the channel.
//!
//! # At most one task for one message
//!
//! Twilio makes a task on no condition, and an answer may be lost. So a rescue is announced in
//! the record first, on the condition that the record did not change: of two sweeps, one may
//! go on. The open tasks are looked at again after that, and the task is made at once or not at
//! all ([`MAKE_WITHIN`]).
//!
//! A sweep that dies after its announcement leaves open if the task was made. The channel is
//! then left alone until no request of that sweep can be under way ([`ANNOUNCEMENT_LIFE`]), and
//! TaskRouter's log is asked for tasks that were created meanwhile. Only if it shows none may
//! the rescue be tried again.
//!
//! # What is remembered
//!
//! The newest announcement, by the place of the message among the channel's messages. Joining
//! two records keeps the greater one, so that the record stays a join.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::evidence::{Evidence, LastMessage};
use crate::fact::Interaction;
use crate::listed::listed;
use crate::platform::{ChatState, InteractionStatus};
use crate::verdict::Row;
use crate::{TaskSid, Timestamp};

/// The time after its announcement within which a task may be made. A run that got stuck in
/// between makes none.
pub const MAKE_WITHIN: Duration = Duration::from_secs(60);

/// The time for which an announcement of which nothing more is known keeps every other rescue
/// away from the channel. It is longer than [`MAKE_WITHIN`] and the longest request together, with room
/// for clocks that differ.
pub const ANNOUNCEMENT_LIFE: Duration = Duration::from_secs(10 * 60);

/// The most that our clock and Twilio's may be apart.
pub const CLOCK_DIFFERENCE: Duration = Duration::from_secs(2 * 60);

/// The rescue of a channel's customer, as it is remembered. Later news is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rescue {
    /// The place of the unheard message among the channel's messages.
    pub index: u32,
    /// The time of the announcement, by our clock.
    pub announced_at: Timestamp,
    /// The time at which the message was written, by Twilio's clock.
    pub unheard_since: Timestamp,
    /// The result, as far as it is known.
    pub state: RescueState,
}

/// The state of a rescue. Later states are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RescueState {
    /// A task is about to be made. It is not known if it was.
    Announced,
    /// No task was made, and the rescue may be tried again.
    Withdrawn,
    /// No task was made, and none will be for this message.
    NotMade,
    /// This task was made.
    Made(TaskSid),
}

/// The way in which a customer is given an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RescueWay {
    /// An invite on the interaction channel of a Conversation, which makes a task.
    Invite(Interaction),
    /// A task in TaskRouter that names the Chat channel.
    Task,
}

/// The next act for a customer who was not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RescueDecision {
    /// Make a task in this way.
    Make(RescueWay),
    /// An earlier rescue was announced at this time, and it is not known what came of it: ask
    /// TaskRouter's log before a task is made in this way.
    AskLog {
        /// The time of the earlier announcement.
        announced_at: Timestamp,
        /// The way to make a task if the log shows none.
        way: RescueWay,
    },
    /// An earlier rescue may still be under way: look again later.
    Wait,
    /// No task is made: the customer is told of, and the channel is treated as ever.
    Tell(NotRescued),
}

listed! {
    /// The reason for which an unheard customer was not given a task.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum NotRescued {
        /// The message is older than `RESCUE_WITHIN`.
        TooOld = "too-old",
        /// The channel is closed or inactive at Twilio, or its interaction is not known.
        NotOpen = "not-open",
        /// An agent still takes part in the Conversation.
        AgentPresent = "agent-present",
        /// A task was made for this message before, or could not be made.
        TriedBefore = "tried-before",
        /// It cannot be found out what came of an earlier rescue.
        Unclear = "unclear",
        /// Neither TaskRouter nor its log knows the attributes of the last task.
        NoAttributes = "no-attributes",
        /// The attributes of the last task are not a JSON object.
        AttributesNotAnObject = "attributes-not-an-object",
        /// Twilio refused to make the task.
        Refused = "refused",
        /// Twilio made the task, and the task ended at once.
        EndedAtOnce = "ended-at-once",
    }
}

impl fmt::Display for NotRescued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooOld => "the message is older than RESCUE_WITHIN",
            Self::NotOpen => "the channel is not active any more",
            Self::AgentPresent => "an agent may still be in the Conversation",
            Self::TriedBefore => "a rescue for this message was tried before",
            Self::Unclear => "nothing shows what came of an earlier rescue",
            Self::NoAttributes => "the attributes of the last task cannot be found",
            Self::AttributesNotAnObject => "the attributes of the last task are not a JSON object",
            Self::Refused => "Twilio refused the task",
            Self::EndedAtOnce => "the task that was made ended at once",
        })
    }
}

/// Decides for a customer whose newest message no agent and no program will answer.
///
/// `row` is the row of the rule that applied to the channel by this evidence. `within` is how
/// old the message may be, absent where a person asks for this rescue.
pub fn decide_rescue(
    channel: &Channel,
    evidence: &Evidence,
    row: Row,
    message: LastMessage,
    within: Option<Duration>,
    now: Timestamp,
) -> RescueDecision {
    let way = match way(channel, evidence, row) {
        Ok(way) => way,
        Err(why) => return RescueDecision::Tell(why),
    };
    if within.is_some_and(|within| now.since(message.at) > within) {
        return RescueDecision::Tell(NotRescued::TooOld);
    }
    let Some(rescue) = channel.rescue() else {
        return RescueDecision::Make(way);
    };
    match rescue.state {
        RescueState::Announced => {
            let announced_at = rescue.announced_at;
            match now.since(announced_at) < ANNOUNCEMENT_LIFE {
                true => RescueDecision::Wait,
                false => RescueDecision::AskLog { announced_at, way },
            }
        }
        RescueState::NotMade | RescueState::Made(_) if message.index <= rescue.index => {
            RescueDecision::Tell(NotRescued::TriedBefore)
        }
        RescueState::Withdrawn | RescueState::NotMade | RescueState::Made(_) => {
            RescueDecision::Make(way)
        }
    }
}

fn way(channel: &Channel, evidence: &Evidence, row: Row) -> Result<RescueWay, NotRescued> {
    let is_active = evidence.interaction == Some(InteractionStatus::Active);
    match row {
        Row::ChatAbandoned | Row::ChatCompleted | Row::ChatLongLived => match evidence.chat {
            Some(ChatState::Present {
                inactive: false, ..
            }) => Ok(RescueWay::Task),
            Some(ChatState::Present { .. } | ChatState::Gone) | None => Err(NotRescued::NotOpen),
        },
        Row::AgentLess | Row::ConversationAbandoned if is_active => channel
            .interaction()
            .map(RescueWay::Invite)
            .ok_or(NotRescued::NotOpen),
        Row::AgentPresent if is_active => Err(NotRescued::AgentPresent),
        Row::OpenTask
        | Row::Gone
        | Row::ChatWithProgram
        | Row::ChatOrphan
        | Row::ChatOrphanWithProgram
        | Row::InteractionEnded
        | Row::ConversationAbandoned
        | Row::AgentLess
        | Row::AgentPresent
        | Row::ParkedByProgram
        | Row::LeftByAgent
        | Row::PausedByAgent
        | Row::InTransition
        | Row::Undocumented
        | Row::ConversationOrphan
        | Row::ConversationOrphanWithProgram => Err(NotRescued::NotOpen),
    }
}
