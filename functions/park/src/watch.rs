//! The time of a run.

use domain::Timestamp;
use tokio::time::Instant;

/// The time of a run: the moment that it was given at its start, and what passed since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    started: Timestamp,
    began: Instant,
}

impl Watch {
    pub(crate) fn new(started: Timestamp) -> Self {
        Self {
            started,
            began: Instant::now(),
        }
    }

    /// The moment at which the run began.
    pub(crate) fn started(&self) -> Timestamp {
        self.started
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.started.plus(self.began.elapsed())
    }
}
