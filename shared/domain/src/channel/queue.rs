//! The queue in which a channel waits, worked out from its record.

use super::Channel;
use super::hold::UNTIL_RELEASED;
use crate::cleanup::{Progress, Step};
use crate::fact::End;
use crate::orphan::HeldOpenBy;
use crate::queue::{Cause, Queue, QueueEntry};

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
