//! Queues: the things that a channel waits for, and since when.

use std::fmt;

use crate::fact::End;
use crate::listed::listed;
use crate::orphan::HeldOpenBy;
use crate::{TaskSid, Timestamp};

listed! {
    /// A queue: the thing that a channel waits for. A channel waits in at most one queue.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Queue {
        /// Its last task was canceled, timed out or deleted: no browser will clean up.
        Abandoned = "abandoned",
        /// Its last task was completed, or it was found open without one.
        Ended = "ended",
        /// It is long-lived, released, and waits for its reset.
        LongLived = "long-lived",
        /// One of its tasks ended while another stays open.
        Inspect = "inspect",
        /// It is to be looked at again at a set time: Twilio refused or did not answer, the
        /// verdict was to leave it, or a person holds it.
        Retry = "retry",
        /// An observing sweep found that it would be written to. It is due at once for a sweep
        /// that writes, and a day later for one that observes.
        Observed = "observed",
        /// An agent has a task on a Chat channel whose messages are not told to us yet.
        InstallWebhook = "install-webhook",
        /// An agent spoke last, and the customer is silent.
        Park = "park",
        /// The customer wrote on a parked chat, or TaskRouter is about to delete its task.
        Unpark = "unpark",
    }
}

impl Queue {
    /// Returns whether the sweep works on this queue; `park` works on the others.
    pub const fn is_of_sweep(self) -> bool {
        match self {
            Self::Abandoned
            | Self::Ended
            | Self::LongLived
            | Self::Inspect
            | Self::Retry
            | Self::Observed => true,
            Self::InstallWebhook | Self::Park | Self::Unpark => false,
        }
    }

    /// Returns the queues that the sweep works on.
    pub fn of_sweep() -> impl Iterator<Item = Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(|queue| queue.is_of_sweep())
    }

    /// Returns the queues that `park` works on.
    pub fn of_park() -> impl Iterator<Item = Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(|queue| !queue.is_of_sweep())
    }
}

/// The queue in which a channel waits, and since when. The patience is applied where the queue is
/// read, so that a changed setting takes effect at once; for [`Queue::Retry`] the time is the
/// one before which nothing is to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// The queue.
    pub queue: Queue,
    /// Since when.
    pub since: Timestamp,
}

/// No task of the channel is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Since when, as far as we know.
    pub since: Timestamp,
    /// The cause: the source of that knowledge.
    pub cause: Cause,
}

/// The source of our knowledge that no task of a channel is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its last task ended.
    Ended {
        /// Which task that was.
        task: TaskSid,
        /// The way in which it ended.
        how: End,
    },
    /// Something held it open when no open task named it.
    Orphaned(HeldOpenBy),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { task, how } => write!(f, "its last task {task} {how}"),
            Self::Orphaned(holder) => holder.fmt(f),
        }
    }
}

impl Idle {
    /// The task that ended last, if any is known.
    pub fn task(&self) -> Option<TaskSid> {
        match self.cause {
            Cause::Ended { task, .. } => Some(task),
            Cause::Orphaned(_) => None,
        }
    }

    /// Returns the thing that held the channel open, if no task is known.
    pub fn holder(&self) -> Option<HeldOpenBy> {
        match self.cause {
            Cause::Ended { .. } => None,
            Cause::Orphaned(holder) => Some(holder),
        }
    }

    /// Returns the way in which that task ended.
    pub fn how(&self) -> Option<End> {
        match self.cause {
            Cause::Ended { how, .. } => Some(how),
            Cause::Orphaned(_) => None,
        }
    }
}
