//! The time of a run.

use std::time::Duration;

use domain::Timestamp;
use tokio::time::Instant;

/// The time that one channel takes when Twilio is slow; none is begun when less is left.
const TIME_FOR_ONE: Duration = Duration::from_secs(30);

/// The time that publishing and marking take; a channel that is not done with by then is put
/// off.
const TIME_TO_MARK: Duration = Duration::from_secs(10);

/// The moment at which a run started, and how long it may take.
#[derive(Clone, Copy)]
pub(crate) struct Watch {
    started: Timestamp,
    began: Instant,
    budget: Duration,
}

impl Watch {
    pub(crate) fn new(started: Timestamp, budget: Duration) -> Self {
        Self {
            started,
            began: Instant::now(),
            budget,
        }
    }

    /// Returns the present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.started.plus(self.began.elapsed())
    }

    /// Returns whether there is no time for another channel. A run that is given little time
    /// may still use most of it.
    pub(crate) fn runs_low(&self) -> bool {
        let reserve = TIME_FOR_ONE.min(self.budget / 4);
        self.began.elapsed() + reserve > self.budget
    }

    /// Returns when the last channel must be done with, so that it can still be marked.
    pub(crate) fn last_call(&self) -> Instant {
        let reserve = TIME_TO_MARK.min(self.budget / 8);
        self.began + self.budget.saturating_sub(reserve)
    }
}
