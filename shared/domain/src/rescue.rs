//! Rescuing a customer who was not heard: making a task that brings the waiting message to an
//! agent, instead of closing the channel.
//!
//! # At most one task for one message
//!
//! Twilio makes a task on no condition, and an answer may be lost. So a rescue is announced in
//! the record first, on the condition that the record did not change: of two sweeps, one may
//! go on. The open tasks are looked at again after that, and the task is made at once or not at
//! all ([`MAKE_WITHIN`]).
//!
//! A sweep that dies after its announcement leaves open if the task was made. The channel is
//! then left alone until no request of that sweep can be under way ([`ANNOUNCEMENT_LIFE`]), and
//! TaskRouter's log is asked for tasks that were created meanwhile. Only if it shows none may
//! the rescue be tried again.
//!
//! # What is remembered
//!
//! The newest announcement, by the place of the message among the channel's messages. Joining
//! two records keeps the greater one, so that the record stays a join.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{TaskSid, Timestamp};

/// The time after its announcement within which a task may be made. A run that got stuck in
/// between makes none.
pub const MAKE_WITHIN: Duration = Duration::from_secs(60);

/// The time for which an announcement of which nothing more is known keeps every other rescue
/// away from the channel. It is longer than [`MAKE_WITHIN`] and the longest request together, with room
/// for clocks that differ.
pub const ANNOUNCEMENT_LIFE: Duration = Duration::from_secs(10 * 60);

/// The most that our clock and Twilio's may be apart.
pub const CLOCK_DIFFERENCE: Duration = Duration::from_secs(2 * 60);

/// The rescue of a channel's customer, as it is remembered. Later news is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rescue {
    /// The place of the unheard message among the channel's messages.
    pub index: u32,
    /// The time of the announcement, by our clock.
    pub announced_at: Timestamp,
    /// The time at which the message was written, by Twilio's clock.
    pub unheard_since: Timestamp,
    /// The result, as far as it is known.
    pub state: RescueState,
}

/// The state of a rescue. Later states are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RescueState {
    /// A task is about to be made. It is not known if it was.
    Announced,
    /// No task was made, and the rescue may be tried again.
    Withdrawn,
    /// No task was made, and none will be for this message.
    NotMade,
    /// This task was made.
    Made(TaskSid),
}
