//! Decides what is done for a customer who was not heard: see [`mod@crate::rescue`].

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::Timestamp;
use crate::channel::Channel;
use crate::evidence::{Evidence, LastMessage};
use crate::fact::Interaction;
use crate::listed::listed;
use crate::platform::{ChatState, InteractionStatus};
use crate::rescue::{ANNOUNCEMENT_LIFE, RescueState};
use crate::verdict::row::Row;

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
