//! The results of one sweep, in numbers: returned, logged and printed as they are.

use std::collections::BTreeMap;

use domain::{Outcome, Queue, Row, Step, Timestamp};
use runtime::metrics;
use serde::Serialize;

/// The counts of one sweep. Every due channel is counted exactly once among `closed` …
/// `not_started`, so that nothing can be skipped silently.
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
    /// Found as they should be: the agent's browser, Flex or an earlier try had cleaned up.
    pub already_clean: usize,
    /// Twilio does not know them any more.
    pub gone: usize,
    /// Left as they are: an agent, a program or Twilio still has them, or may have.
    pub left: usize,
    /// The same by the row of the rule that applied.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_by_row: BTreeMap<&'static str, usize>,
    /// Closed before; their Proxy session is made sure to be gone.
    pub sessions_ended: usize,
    /// They have an open task after all.
    pub open_again: usize,
    /// Not due any more when the record itself was read.
    pub not_due: usize,
    /// To be looked at again next time: Twilio was busy, or the record was written meanwhile.
    pub deferred: usize,
    /// Twilio refused or did not answer; tried again later.
    pub retried: usize,
    /// Given up; a person has to look.
    pub failed: usize,
    /// Would have been closed or released, if this were not an observation; each channel once.
    pub would_write: usize,
    /// Their customer waited unheard and was given a task; the channel goes on.
    pub rescued: usize,
    /// Their customer would have been given a task, if this were not an observation.
    pub would_rescue: usize,
    /// Their customer waits unheard and is given a task by a later sweep, since this one has made
    /// `MAX_RESCUES_PER_SWEEP`.
    pub rescues_deferred: usize,
    /// Would have been written to, or their customer given a task, as an earlier sweep has counted.
    pub observed_again: usize,
    /// Not started: the sweep stopped before their turn.
    pub not_started: usize,
    /// Closed in the moment in which a new task arrived; also counted above.
    pub raced: usize,
    /// Customers who were found to wait unheard, each message once; also counted above.
    pub unheard: usize,
    /// Of these, those who were to be given a task and were not, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub not_rescued: BTreeMap<&'static str, usize>,
    /// Tasks that have been in wrap-up for longer than `WRAP_UP_LIMIT`.
    pub stuck_wrap_ups: usize,
    /// Open tasks in TaskRouter at the look, all channels together.
    pub open_tasks: usize,
    /// Requests to Twilio, repeated ones included.
    pub calls: u64,
    /// Answers by which Twilio asked for patience.
    pub throttled: u64,
    /// The time by which the longest-waiting channel was overdue, in seconds.
    pub oldest_overdue_seconds: u64,
    /// Why sweeps only observe although the settings let them write: `stopped` or `fuse-blown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<&'static str>,
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
    /// More channels were due than sweeps may write to within an hour.
    TooManyCloses,
    /// A person stopped the sweeps while it ran.
    StoppedByPerson,
    /// The table cannot be read any more.
    TableIsDown,
    /// Twilio failed many times in a row.
    TwilioIsDown,
    /// Twilio does not accept our credentials.
    Unauthorized,
    /// The chat service itself is not there: it was deleted, or the settings name another.
    ServiceIsGone,
}

impl Stop {
    /// Returns the name in logs and in the command's texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfTime => "out-of-time",
            Self::TooManyCloses => "too-many-closes",
            Self::StoppedByPerson => "stopped-by-person",
            Self::TableIsDown => "table-is-down",
            Self::TwilioIsDown => "twilio-is-down",
            Self::Unauthorized => "unauthorized",
            Self::ServiceIsGone => "service-is-gone",
        }
    }
}

/// The way in which one due channel counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelResult {
    Closed,
    Released,
    AlreadyClean,
    Gone,
    Left(Row),
    SessionEnded,
    OpenAgain,
    NotDue,
    Deferred,
    Retried,
    Failed,
    WouldWrite,
    Rescued,
    WouldRescue,
    RescueDeferred,
    ObservedAgain,
    NotStarted,
}

impl ChannelResult {
    /// Returns how a channel counts that an observing sweep would have written to.
    pub(crate) const fn would_write(is_news: bool) -> Self {
        match is_news {
            true => Self::WouldWrite,
            false => Self::ObservedAgain,
        }
    }

    /// Returns how a step counts that is done.
    pub(crate) const fn of(step: Step, outcome: Outcome) -> Self {
        match (outcome, step) {
            (Outcome::Written | Outcome::Deleted, Step::Release) => Self::Released,
            (Outcome::Written | Outcome::Deleted, Step::Close) => Self::Closed,
            (Outcome::AlreadyClean, _) => Self::AlreadyClean,
            (Outcome::Gone, _) => Self::Gone,
        }
    }
}

impl Summary {
    /// Counts a channel that waited in this queue.
    pub(crate) fn count_of(&mut self, queue: Queue, result: ChannelResult) {
        self.count(result);
        if result == ChannelResult::Closed {
            *self.closed_by_queue.entry(queue.name()).or_default() += 1;
        }
    }

    /// Counts a channel.
    pub(crate) fn count(&mut self, result: ChannelResult) {
        let counter = match result {
            ChannelResult::Closed => &mut self.closed,
            ChannelResult::Released => &mut self.released,
            ChannelResult::AlreadyClean => &mut self.already_clean,
            ChannelResult::Gone => &mut self.gone,
            ChannelResult::Left(row) => {
                *self.left_by_row.entry(row.name()).or_default() += 1;
                &mut self.left
            }
            ChannelResult::SessionEnded => &mut self.sessions_ended,
            ChannelResult::OpenAgain => &mut self.open_again,
            ChannelResult::NotDue => &mut self.not_due,
            ChannelResult::Deferred => &mut self.deferred,
            ChannelResult::Retried => &mut self.retried,
            ChannelResult::Failed => &mut self.failed,
            ChannelResult::WouldWrite => &mut self.would_write,
            ChannelResult::Rescued => &mut self.rescued,
            ChannelResult::WouldRescue => &mut self.would_rescue,
            ChannelResult::RescueDeferred => &mut self.rescues_deferred,
            ChannelResult::ObservedAgain => &mut self.observed_again,
            ChannelResult::NotStarted => &mut self.not_started,
        };
        *counter += 1;
    }

    /// Writes the metrics. `Sweeps` is 1 for each sweep that reached its end or was stopped by a
    /// guard, so that a missing one shows that nothing is closed.
    pub(crate) fn measure(&self, now: Timestamp) {
        let closed = |queue: Queue| self.closed_by_queue.get(queue.name()).copied().unwrap_or(0);
        tracing::info!(
            target: metrics::TARGET,
            at_ms = now.as_millis(),
            Sweeps = 1,
            Due = self.due,
            OldestOverdueSeconds = self.oldest_overdue_seconds,
            ClosedAbandoned = closed(Queue::Abandoned),
            ClosedEnded = closed(Queue::Ended),
            ClosedLongLived = closed(Queue::LongLived),
            ClosedInspected = closed(Queue::Inspect),
            ClosedRetried = closed(Queue::Retry),
            Released = self.released,
            Left = self.left,
            Unheard = self.unheard,
            Rescued = self.rescued,
            StuckWrapUps = self.stuck_wrap_ups,
            Retried = self.retried,
            GivenUp = self.failed,
            Raced = self.raced,
            Calls = self.calls,
            Throttled = self.throttled,
            Stopped = u64::from(self.stopped.is_some()),
            Suspended = u64::from(self.suspended.is_some()),
        );
    }

    /// Logs the counts as fields.
    pub(crate) fn log(&self) {
        tracing::info!(
            due = self.due,
            closed = self.closed,
            released = self.released,
            already_clean = self.already_clean,
            gone = self.gone,
            left = self.left,
            sessions_ended = self.sessions_ended,
            open_again = self.open_again,
            not_due = self.not_due,
            deferred = self.deferred,
            retried = self.retried,
            failed = self.failed,
            would_write = self.would_write,
            rescued = self.rescued,
            would_rescue = self.would_rescue,
            rescues_deferred = self.rescues_deferred,
            observed_again = self.observed_again,
            not_started = self.not_started,
            raced = self.raced,
            unheard = self.unheard,
            not_rescued = self.not_rescued.values().sum::<usize>(),
            stuck_wrap_ups = self.stuck_wrap_ups,
            open_tasks = self.open_tasks,
            calls = self.calls,
            throttled = self.throttled,
            oldest_overdue_seconds = self.oldest_overdue_seconds,
            suspended = self.suspended,
            stopped = self.stopped.map(Stop::name),
            "swept"
        );
    }
}
