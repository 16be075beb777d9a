//! The queue in which a channel waits, worked out from its record.

use std::fmt;

use super::Channel;
use super::hold::UNTIL_RELEASED;
use crate::cleanup::{Progress, Step};
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

impl Channel {
    /// Returns the channel's queue entry, of which there is at most one, worked out from the record alone.
    pub fn queue_entry(&self) -> Option<QueueEntry> {
        let wants = self.unheld_entry()?;
        match self.held_until {
            None => Some(wants),
            Some(_) if !wants.queue.is_of_sweep() => Some(wants),
            Some(UNTIL_RELEASED) => None,
            Some(until) => Some(QueueEntry {
                queue: Queue::Retry,
                since: until,
            }),
        }
    }

    /// Returns the queue entry of a channel that no person holds: see [`Channel::queue_entry`].
    pub(crate) fn unheld_entry(&self) -> Option<QueueEntry> {
        let Some(idle) = self.idle() else {
            // A parked task that waits for an inspection too is looked at for what comes first.
            let others = [self.waits_for_inspection(), self.waits_for_expiry()];
            let first = others.into_iter().flatten().min_by_key(|entry| entry.since);
            return self.waits_to_move().or(first);
        };
        let class = match idle.cause {
            Cause::Ended { how, .. } => match how {
                End::Completed | End::Vanished => Queue::Ended,
                End::Canceled | End::Deleted | End::SystemDeleted => Queue::Abandoned,
            },
            Cause::Orphaned(HeldOpenBy::Session | HeldOpenBy::Conversation) => Queue::Ended,
        };
        let fresh = QueueEntry {
            queue: class,
            since: idle.since,
        };
        let Some(cleanup) = self.cleanup() else {
            return Some(fresh);
        };
        if let Some(since) = cleanup.observed_at {
            return Some(QueueEntry {
                queue: Queue::Observed,
                since,
            });
        }
        let retry = cleanup.retry_at.map(|since| QueueEntry {
            queue: Queue::Retry,
            since,
        });
        match &cleanup.progress {
            Progress::Untouched | Progress::Left { .. } => Some(retry.unwrap_or(fresh)),
            Progress::Done {
                step: Step::Release,
                ..
            } => Some(retry.unwrap_or(QueueEntry {
                queue: Queue::LongLived,
                since: idle.since,
            })),
            Progress::Done {
                step: Step::Close, ..
            } => cleanup.session.and(retry),
            Progress::Failed { .. } => None,
        }
    }

    /// A task that was open when another one ended should end soon; until it does, or is
    /// seen open again, the channel waits to be inspected. A task that was opened after the
    /// last end is the channel's next contact and keeps it open in the ordinary way.
    fn waits_for_inspection(&self) -> Option<QueueEntry> {
        let last_end = self.last_end()?.since;
        self.open_tasks()
            .filter(|(_, task)| task.opened_at <= last_end)
            .map(|(_, task)| task.seen_open_at.map_or(last_end, |at| at.max(last_end)))
            .min()
            .map(|since| QueueEntry {
                queue: Queue::Inspect,
                since,
            })
    }
}
