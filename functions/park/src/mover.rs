//! Moving one task: look at it, write it if it still is what was seen.
//!
//! Two requests. Attributes and TaskChannel change in one of them, so that no task is ever
//! half parked by us, and every byte of the attributes but our one value stays. A write whose
//! fate is not known is not repeated: who tries again looks again.

use domain::{Pairs, Stage, TaskChannelSid, TaskPlacement, TaskSid, Timestamp};
use runtime::FlexIds;
use std::time::Duration;
use twilio::attributes::NotAnObject;
use twilio::events::TaskState;
use twilio::rest::{Client, Move, TaskVersion, TwilioError};
use twilio::task_attributes::TooLong;

/// Twilio writes the time of a change in seconds.
const A_SECOND: Duration = Duration::from_millis(999);

/// Which way a task goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the inactive TaskChannel.
    There,
    /// To the active one.
    Back,
}

/// Whether a task is written that stands already where it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// It is not.
    IfNeeded,
    /// It is, so that somebody else's request that is still under way fails.
    Always,
}

/// A task that may be moved.
pub(crate) struct Plan {
    version: TaskVersion,
    to: TaskPlacement,
    /// The whole new attributes, if anything is to be written.
    attributes: Option<String>,
}

/// What a look at a task came to.
pub(crate) enum Look {
    /// It may be moved.
    Plan(Box<Plan>),
    /// It has ended, or its agent is done: it is left alone.
    Over(Box<TaskVersion>),
    /// TaskRouter does not know it.
    Gone,
    /// It cannot be moved.
    Refused(Refusal),
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
    #[error("TaskChannel is not mapped: {0} stands in no pair of PARK_TASK_CHANNELS")]
    Unmapped(TaskChannelSid),
    /// Twilio does not take it.
    #[error("{0}")]
    Twilio(TwilioError),
}

/// How an attempt to move a task ended.
pub(crate) enum Moved {
    /// It stands there now.
    There(TaskPlacement, Option<Timestamp>),
    /// It stood there before.
    Already(TaskPlacement, Option<Timestamp>),
    /// Somebody else changed it, or nobody knows whether it moved: look again.
    LookAgain,
    /// TaskRouter does not know it any more.
    Gone,
    /// It cannot be moved.
    Refused(Refusal),
}

/// Why nothing came of a request, for a reason that has nothing to do with the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Twilio is busy or does not answer.
    Passing(TwilioError),
    /// Twilio does not accept our credentials.
    Unauthorized(TwilioError),
}

/// Looks at a task and says what is to be done. Writes nothing.
pub(crate) async fn look(
    twilio: &Client,
    place: FlexIds,
    pairs: &Pairs,
    task: TaskSid,
    way: Way,
    writing: Writing,
) -> Result<Look, Trouble> {
    let version = match twilio.task_version(place.workspace, task).await {
        Ok(Some(version)) => version,
        Ok(None) => return Ok(Look::Gone),
        Err(error) => return sorted(error).map(Look::Refused),
    };
    let stays = match (way, version.seen.state) {
        (_, TaskState::Ended(_)) => true,
        // Only an agent who is talking has something to gain from it.
        (Way::There, TaskState::Open(stage)) => stage != Stage::Assigned,
        (Way::Back, TaskState::Open(_)) => false,
    };
    if stays {
        return Ok(Look::Over(Box::new(version)));
    }
    Ok(match plan(version, pairs, way, writing) {
        Ok(plan) => Look::Plan(Box::new(plan)),
        Err(refusal) => Look::Refused(refusal),
    })
}

fn plan(version: TaskVersion, pairs: &Pairs, way: Way, writing: Writing) -> Result<Plan, Refusal> {
    let now_in = version.task_channel;
    let pair = pairs.of_active(now_in).or(pairs.of_inactive(now_in));
    let pair = pair.ok_or(Refusal::Unmapped(now_in))?;
    let attributes = version.attributes.as_ref().map_err(|error| *error)?;
    let inactive = way == Way::There;
    let to = TaskPlacement {
        task_channel: if inactive { pair.inactive } else { pair.active },
        inactive,
    };
    let needed = writing == Writing::Always || version.stand() != Some(to);
    let attributes = needed.then(|| attributes.with_inactive(inactive));
    Ok(Plan {
        attributes: attributes.transpose()?,
        to,
        version,
    })
}

impl Plan {
    /// What was seen.
    pub(crate) fn version(&self) -> &TaskVersion {
        &self.version
    }

    /// Does it, if the task still is what was seen.
    pub(crate) async fn carry_out(
        &self,
        twilio: &Client,
        place: FlexIds,
    ) -> Result<Moved, Trouble> {
        let Some(attributes) = &self.attributes else {
            return Ok(Moved::Already(self.to, self.version.seen.updated_at));
        };
        let change = Move {
            attributes,
            task_channel: self.to.task_channel,
        };
        match twilio
            .move_task(place.workspace, &self.version, change)
            .await
        {
            Ok(version) if version.stand() == Some(self.to) => {
                Ok(Moved::There(self.to, version.seen.updated_at))
            }
            Ok(_) | Err(TwilioError::Conflict | TwilioError::Unreachable { .. }) => {
                Ok(Moved::LookAgain)
            }
            Err(TwilioError::Gone) => Ok(Moved::Gone),
            Err(error) => sorted(error).map(Moved::Refused),
        }
    }
}

fn sorted(error: TwilioError) -> Result<Refusal, Trouble> {
    match error {
        TwilioError::Unauthorized { .. } => Err(Trouble::Unauthorized(error)),
        TwilioError::Throttled { .. } | TwilioError::Unreachable { .. } => {
            Err(Trouble::Passing(error))
        }
        TwilioError::Refused { .. } | TwilioError::Gone | TwilioError::Conflict => {
            Ok(Refusal::Twilio(error))
        }
    }
}

/// When a task came to stand where it does, as exactly as two clocks can say: our moment, but
/// within the second that Twilio names.
pub(crate) fn moved_at(now: Timestamp, changed: Option<Timestamp>) -> Timestamp {
    changed.map_or(now, |second| now.max(second).min(second.plus(A_SECOND)))
}
