//! Time as a value, and what is due when it moves.

use crate::state::State;
use crate::state::sid::Sid;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The moment at which every pretend Twilio opens: 2026-01-05T09:00:00Z, a Monday.
pub const OPENING: Timestamp = Timestamp::constant(1_767_603_600, 0);

/// Names what happens by itself at some moment.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Due {
    /// A task has waited for an agent for as long as it may.
    TaskTimeout(Sid),
    /// A task has been assigned for as long as it may.
    AssignedLife(Sid),
    /// A task has been in wrap-up for as long as it may.
    WrapUpLife(Sid),
    /// A finished task vanishes without an event.
    TaskPurge(Sid),
    /// Flex's server hears that a channel became INACTIVE.
    FlexReacts(Sid),
    /// A Proxy session has been silent for its time to live.
    SessionExpiry(Sid),
    /// A conversation may have been silent for too long.
    ConversationTimer(Sid),
    /// A conversation may have been left for as long as Twilio keeps it.
    LeftChannel(Sid),
    /// A conversation may have been paused for as long as it may.
    PausedChannel(Sid),
    /// An interaction channel may have been forgotten for too long.
    InteractionChannelExpiry(Sid),
}

/// Keeps what is due, in order of time and then of entry.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Agenda {
    #[serde(with = "crate::state::snapshot::entries")]
    entries: BTreeMap<(Timestamp, u64), Due>,
    next: u64,
}

impl Agenda {
    fn add(&mut self, at: Timestamp, due: Due) {
        self.next += 1;
        self.entries.insert((at, self.next), due);
    }

    fn take_until(&mut self, until: Timestamp) -> Option<(Timestamp, Due)> {
        let first = self.entries.first_entry()?;
        (first.key().0 <= until).then(|| {
            let ((at, _), due) = first.remove_entry();
            (at, due)
        })
    }
}

/// Returns the moment a while later, at most the end of time.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Returns the moment a while earlier, at least the beginning of time.
pub(crate) fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_sub(by).ok())
        .unwrap_or(Timestamp::MIN)
}

impl State {
    /// Returns the moment it is in this world.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves time forward and lets everything that becomes due happen in order, each thing at its own moment.
    pub fn advance(&mut self, by: Duration) {
        self.set_now(later(self.now, by));
    }

    /// Sets the time; a step back, as of a clock that was corrected, lets nothing happen.
    pub fn set_now(&mut self, to: Timestamp) {
        while let Some((at, due)) = self.agenda.take_until(to) {
            self.now = self.now.max(at);
            self.happen(due);
        }
        self.now = to;
    }

    pub(crate) fn due_in(&mut self, by: Duration, due: Due) {
        self.agenda.add(later(self.now, by), due);
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::TaskTimeout(task) => self.task_times_out(task),
            Due::AssignedLife(task) => self.assigned_task_expires(task),
            Due::WrapUpLife(task) => self.wrap_up_expires(task),
            Due::TaskPurge(task) => self.task_is_purged(task),
            Due::FlexReacts(channel) => self.flex_hears(channel),
            Due::SessionExpiry(session) => self.session_expires(session),
            Due::ConversationTimer(conversation) => self.conversation_timer(conversation),
            Due::LeftChannel(channel) => self.left_channel_ends(channel),
            Due::PausedChannel(channel) => self.paused_channel_ends(channel),
            Due::InteractionChannelExpiry(channel) => self.interaction_channel_expires(channel),
        }
    }
}
