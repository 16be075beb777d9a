//! What one sweep did, in numbers: returned, logged and printed as it is.

use std::collections::BTreeMap;

use domain::{Queue, Timestamp};
use runtime::metrics;
use serde::Serialize;

/// What one sweep did. Every due channel is counted exactly once among `closed` …
/// `left`, so that nothing can be skipped silently.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Channels whose turn had come.
    pub due: usize,
    /// Closed for good by our write.
    pub closed: usize,
    /// The same by the queue that they waited in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub closed_by_queue: BTreeMap<&'static str, usize>,
    /// Long-lived channels released by our write; their reset follows.
    pub released: usize,
    /// Found as they should be: somebody else had cleaned up.
    pub already_clean: usize,
    /// Twilio does not know them any more.
    pub gone: usize,
    /// Closed before; their Proxy session is made sure to be gone.
    pub sessions_ended: usize,
    /// They have an open task after all.
    pub live_again: usize,
    /// Not due any more when the record itself was read.
    pub not_due: usize,
    /// To be looked at again next time: Twilio was busy, or somebody wrote the record first.
    pub deferred: usize,
    /// Twilio refused or did not answer; tried again later.
    pub retried: usize,
    /// Given up; a person has to look.
    pub failed: usize,
    /// Would have been closed or released, if this were not an observation.
    pub would_write: usize,
    /// Not begun: the sweep stopped before their turn.
    pub left: usize,
    /// Closed in the moment in which a new task arrived; also counted above.
    pub raced: usize,
    /// Open tasks in TaskRouter at the look, all channels together.
    pub open_tasks: usize,
    /// Requests to Twilio, repeated ones included.
    pub calls: u64,
    /// Answers by which Twilio asked for patience.
    pub throttled: u64,
    /// How long the longest-waiting channel was overdue, in seconds.
    pub oldest_overdue_seconds: u64,
    /// Why the sweep stopped before its end, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
}

/// Why a sweep stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// The time that was given to it ran low.
    OutOfTime,
    /// It wrote to as many channels as one sweep may.
    TooManyCloses,
    /// Twilio failed many times in a row.
    TwilioIsDown,
    /// Twilio does not accept our credentials.
    Unauthorized,
    /// The chat service itself is not there: it was deleted, or the settings name another.
    ServiceIsGone,
}

/// How one due channel came out of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Closed,
    Released,
    AlreadyClean,
    Gone,
    SessionEnded,
    LiveAgain,
    NotDue,
    Deferred,
    Retried,
    Failed,
    WouldWrite,
    Left,
}

impl Summary {
    /// Counts a channel that waited in this queue.
    pub(crate) fn count_of(&mut self, queue: Queue, came: Came) {
        self.count(came);
        if came == Came::Closed {
            *self.closed_by_queue.entry(queue.name()).or_default() += 1;
        }
    }

    /// Tells it in figures.
    pub(crate) fn tell(&self, now: Timestamp) {
        let closed = |queue: Queue| self.closed_by_queue.get(queue.name()).copied().unwrap_or(0);
        tracing::info!(
            target: metrics::TARGET,
            at_ms = now.as_millis(),
            Due = self.due,
            OldestOverdueSeconds = self.oldest_overdue_seconds,
            ClosedAbandoned = closed(Queue::Abandoned),
            ClosedEnded = closed(Queue::Ended),
            ClosedLongLived = closed(Queue::LongLived),
            ClosedInspected = closed(Queue::Inspect),
            ClosedRetried = closed(Queue::Retry),
            Released = self.released,
            Retried = self.retried,
            GivenUp = self.failed,
            Raced = self.raced,
            Calls = self.calls,
            Throttled = self.throttled,
            Stopped = u64::from(self.stopped.is_some()),
        );
    }

    pub(crate) fn count(&mut self, came: Came) {
        let counter = match came {
            Came::Closed => &mut self.closed,
            Came::Released => &mut self.released,
            Came::AlreadyClean => &mut self.already_clean,
            Came::Gone => &mut self.gone,
            Came::SessionEnded => &mut self.sessions_ended,
            Came::LiveAgain => &mut self.live_again,
            Came::NotDue => &mut self.not_due,
            Came::Deferred => &mut self.deferred,
            Came::Retried => &mut self.retried,
            Came::Failed => &mut self.failed,
            Came::WouldWrite => &mut self.would_write,
            Came::Left => &mut self.left,
        };
        *counter += 1;
    }
}
