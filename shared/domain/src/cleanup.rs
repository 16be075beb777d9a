//! The progress of the cleaning of a channel, for one idle period.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::verdict::row::Row;
use crate::{ProxySessionSid, Timestamp};

/// The number of times that a channel that Twilio refuses is tried before we give up and say so.
pub const MAX_TRIES: u32 = 8;

/// The time after its first failure until a channel is tried again; each further wait doubles.
pub const FIRST_BACK_OFF: Duration = Duration::from_secs(60);

/// The time that Flex has to end the Proxy session of a channel that was closed. Twilio does not
/// say how long it takes; the next message finds the session open until then.
pub const SESSION_GRACE: Duration = Duration::from_secs(60);

/// The longest wait between two tries of one channel.
pub const MAX_BACK_OFF: Duration = Duration::from_secs(3600);

/// The cleaning of one idle period: of the time from the end of a channel's last task
/// to the next task. A new task makes it history without anyone touching it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cleanup {
    /// When the idle period began: the end of the channel's last task.
    pub idle_since: Timestamp,
    /// The progress.
    pub progress: Progress,
    /// Tries of the present step that Twilio refused or did not answer.
    #[serde(default)]
    pub failures: u32,
    /// Not to be tried again before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// The Proxy session that Flex is to have ended by `retry_at`, or else we do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<ProxySessionSid>,
    /// When an observing sweep last found that it would write, if none has written since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
}

/// The progress of the cleaning of an idle period. Later steps are greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// Nothing is done yet.
    Untouched,
    /// The channel was looked at and left as it is.
    Left {
        /// The time of the look.
        at: Timestamp,
        /// The row that applied.
        row: Row,
    },
    /// A step is done, by us or by others.
    Done {
        /// The step.
        step: Step,
        /// The time at which it was done or found done.
        at: Timestamp,
        /// The way in which the channel was found or left.
        outcome: Outcome,
    },
    /// We gave up; a person has to look.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        reason: FailureReason,
    },
}

/// A step of cleaning up. Only a long-lived Chat channel takes both; every other channel is
/// closed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A long-lived Chat channel becomes `INACTIVE`, so that its next message makes a new
    /// task. Its reset follows.
    Release,
    /// The channel is closed for good: a Chat channel is `INACTIVE` and not long-lived, a
    /// Conversation is `closed`.
    Close,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Release => "release",
            Self::Close => "close",
        })
    }
}

/// The state in which a channel was found or left at Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// We wrote what was missing.
    Written,
    /// Another party had done it: the agent's browser, Flex, or an earlier try of ours.
    AlreadyClean,
    /// We deleted it, as the settings ask.
    Deleted,
    /// Twilio does not know it any more.
    Gone,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Written => "written",
            Self::AlreadyClean => "already-clean",
            Self::Deleted => "deleted",
            Self::Gone => "gone",
        })
    }
}

/// Why a channel could not be cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureReason {
    /// Its attributes are not a JSON object, so nothing may be written over them.
    AttributesNotAnObject,
    /// Twilio refused each of [`MAX_TRIES`] tries.
    Refused,
    /// Twilio answered none of [`MAX_TRIES`] tries.
    Unreachable,
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AttributesNotAnObject => "its attributes are not a JSON object",
            Self::Refused => "Twilio refused every try",
            Self::Unreachable => "Twilio answered no try",
        })
    }
}

impl Cleanup {
    /// A cleaning that has not begun.
    pub fn untouched(idle_since: Timestamp) -> Self {
        Self {
            idle_since,
            progress: Progress::Untouched,
            failures: 0,
            retry_at: None,
            session: None,
            observed_at: None,
        }
    }

    /// The wait after so many failures in a row, doubling up to [`MAX_BACK_OFF`].
    pub fn back_off(failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        FIRST_BACK_OFF
            .saturating_mul(1 << doublings)
            .min(MAX_BACK_OFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let minutes: Vec<u64> = (1..=9)
            .map(|n| Cleanup::back_off(n).as_secs() / 60)
            .collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(Cleanup::back_off(u32::MAX), MAX_BACK_OFF);
    }
}
