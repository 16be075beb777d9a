//! Keeping the sweep away from a channel by hand.
//!
//! A channel that is held is not touched by the sweep: it waits for the end of its hold, in the
//! queue of those that are not to be tried before a time, or in none at all if the hold has no
//! end. What it waited for is not lost but worked out again when the hold is over, from the
//! same tasks: a hold delays and decides nothing.
//!
//! Joining two records keeps the later end. A hold that is over, or released, is dropped from
//! the record, so that it costs nothing afterwards.
//!
//! A hold keeps the sweep away, not the customer: while a task is open, it is parked and
//! brought back as ever.
//!
//! A hold that arrives between a sweep's look at the record and its write at Twilio comes too
//! late, by the time of one or two requests. The channel is then closed and held.

use super::Channel;
use crate::cleanup::Progress;
use crate::{TaskSid, Timestamp};

/// The end of a hold that lasts until it is released.
pub const UNTIL_RELEASED: Timestamp = Timestamp::from_millis(i64::MAX);

impl Channel {
    /// Keeps the sweep away until then; a hold that is there already is replaced.
    pub fn hold(&mut self, until: Timestamp) {
        self.held_until = Some(until);
    }

    /// Ends a hold.
    pub fn release_hold(&mut self) {
        self.held_until = None;
    }

    /// Drops a hold whose time is over.
    pub fn end_hold(&mut self, now: Timestamp) {
        if self.held_until.is_some_and(|until| until <= now) {
            self.held_until = None;
        }
    }

    /// Until when the sweep is kept away, if it is.
    pub fn held(&self, now: Timestamp) -> Option<Timestamp> {
        self.held_until.filter(|until| now < *until)
    }

    /// Forgets how far the cleaning of the present idle period has got, so that it begins
    /// again: for a channel that was given up, or opened again by hand.
    pub fn begin_cleanup_again(&mut self) {
        if self.cleanup().is_some() {
            self.cleanup = None;
        }
    }

    /// Why the cleaning of the present idle period was given up, if it was.
    pub fn given_up(&self) -> Option<(Timestamp, crate::FailureReason)> {
        match self.cleanup()?.progress {
            Progress::Failed { at, reason } => Some((at, reason)),
            Progress::Untouched | Progress::Left { .. } | Progress::Done { .. } => None,
        }
    }

    /// The tasks that keep the channel open, as far as we know.
    pub fn open_task_sids(&self) -> Vec<TaskSid> {
        self.open_tasks().map(|(task, _)| task).collect()
    }
}
