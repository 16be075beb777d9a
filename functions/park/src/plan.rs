//! The move of one version of a task: what is written, if anything is.
//!
//! Attributes and TaskChannel change in one request, so that no task is ever half parked by us,
//! and every byte of the attributes but our one value stays. The TaskChannel alone decides
//! whether a task is parked.

use domain::{Pairs, Stage, TaskChannelSid};
use twilio::attributes::NotAnObject;
use twilio::events::TaskStatus;
use twilio::rest::{Move, TaskVersion, TwilioError};
use twilio::task_attributes::TooLong;

/// The way that a task goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the inactive TaskChannel.
    Park,
    /// Back to the active one.
    Resume,
}

/// Why a task cannot be moved, however often it is tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Nothing may be written over such attributes.
    #[error("the task's {0}")]
    NotAnObject(#[from] NotAnObject),
    /// There is no room for our value.
    #[error("the task's {0}")]
    TooLong(#[from] TooLong),
    /// No pair names its TaskChannel.
    #[error("TaskChannel is not mapped: {0} is in no pair of PARK_TASK_CHANNELS")]
    Unmapped(TaskChannelSid),
    /// Its attributes name no channel, so no message would bring it back.
    #[error("the task's attributes name no channel")]
    NoChannel,
    /// Twilio does not take it.
    #[error("{0}")]
    Twilio(TwilioError),
}

/// The move of one version of a task.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where the task goes.
    pub(crate) target: TaskChannelSid,
    /// The whole new attributes; nothing where they stay as they are.
    attributes: Option<String>,
}

/// Returns whether a task is left where it is: it has ended, or nothing is gained by parking it,
/// since no agent is talking.
pub(crate) fn is_over(version: &TaskVersion, direction: Direction) -> bool {
    match (direction, version.seen.status) {
        (_, TaskStatus::Ended(_)) => true,
        (Direction::Park, TaskStatus::Open(stage)) => stage != Stage::Assigned,
        (Direction::Resume, TaskStatus::Open(_)) => false,
    }
}

/// Plans the move of a task.
///
/// # Errors
///
/// Fails where the task cannot be moved as it is. On the way back attributes that cannot be
/// written stay as they are: a customer is waiting, and the TaskChannel alone can move.
pub(crate) fn plan(
    version: &TaskVersion,
    pairs: &Pairs,
    direction: Direction,
) -> Result<Plan, Refusal> {
    let now_in = version.task_channel;
    let pair = pairs.of_active(now_in).or(pairs.of_inactive(now_in));
    let pair = pair.ok_or(Refusal::Unmapped(now_in))?;
    let attributes = || -> Result<String, Refusal> {
        let attributes = version.attributes.as_ref().map_err(|error| *error)?;
        Ok(attributes.with_inactive(direction == Direction::Park)?)
    };
    Ok(match direction {
        Direction::Park => Plan {
            target: pair.inactive,
            attributes: Some(attributes()?),
        },
        Direction::Resume => Plan {
            target: pair.active,
            attributes: attributes().ok(),
        },
    })
}

impl Plan {
    pub(crate) fn change(&self) -> Move<'_> {
        Move {
            attributes: self.attributes.as_deref(),
            task_channel: self.target,
        }
    }
}
