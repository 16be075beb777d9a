//! The record of one channel: the sum of the facts about it.
//!
//! # Why it is built like this
//!
//! Twilio delivers events at least once, late by hours and in any order, and two of our
//! functions may fold the same events at the same time. If the order mattered, every such
//! accident would be a state of its own to think about. So the record is a *join*: each
//! field only ever moves one way (the earliest end, the furthest stage, the newest look),
//! and folding is commutative, associative and idempotent. The record is a function of the
//! set of facts and of nothing else.
//!
//! Three things follow:
//!
//! * **An ended task never re-opens**, whatever arrives late, and its end is its earliest
//!   terminal event. What is heard of its stage afterwards is dropped.
//! * **Two tasks never hide each other.** A channel is idle only when every task that is
//!   known on it has ended; it has been idle since the newest of those ends.
//! * **A fact that adds nothing changes nothing**, so it costs no write. This is why an open
//!   task keeps the furthest stage it got to and not the newest event that told of it: an
//!   event that only repeats what is known would otherwise cost a write each time.
//!
//! # What is accepted
//!
//! * `Channel::prune` forgets ended tasks that are older than a day, and from then on
//!   facts as old about tasks that are not known are taken for echoes of forgotten ones. A
//!   task whose very first event comes more than a day late, to a channel that was cleaned
//!   in the meantime, is therefore not noticed from that event; the sweep's look at the open
//!   tasks still sees it.
//! * A task that loses its channel SID in a later event (a known way of transferring chats)
//!   ends without our hearing of it. While another task of the channel has ended, the
//!   channel waits for an inspection, which asks TaskRouter.

mod activity;
mod cleaning;
mod hold;
mod parking;
mod queue;
mod rescue;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::activity::Activity;
use crate::cleanup::Cleanup;
use crate::fact::{End, Fact, FactKind, Interaction, Platform, Stage, TaskFact, TaskState};
use crate::orphan::Orphan;
use crate::parking::TaskParking;
use crate::queue::{Cause, Idle};
use crate::rescue::Rescue;
use crate::{ChannelSid, TaskSid, Timestamp};

pub use cleaning::LOOK_AGAIN;
pub use hold::UNTIL_RELEASED;
pub(crate) use parking::Need;

/// Ended tasks older than this may be forgotten. Twilio repeats events for 4 hours at most
/// (Event Streams, "event delivery and duplication"); a day leaves room for a replay.
pub const ECHO_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything remembered of one channel: SIDs, times and states, never a customer's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    #[serde(rename = "channel_sid")]
    sid: ChannelSid,
    platform: Platform,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tasks: BTreeMap<TaskSid, Task>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    long_lived: Option<Observed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cleanup: Option<Cleanup>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) held_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forgotten_to: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unheard_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rescue: Option<Rescue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    orphan: Option<Orphan>,
    #[serde(default, skip_serializing_if = "Activity::is_empty")]
    activity: Activity,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parking: BTreeMap<TaskSid, TaskParking>,
}

/// The memory of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// When it was created, as far as the facts say.
    pub opened_at: Timestamp,
    /// The furthest stage that it reached; meaningless, and held at its greatest, once it has ended.
    pub stage: Stage,
    /// Its earliest terminal event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// When we last asked TaskRouter ourselves and it was open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_open_at: Option<Timestamp>,
    /// The interaction that it belongs to, for Conversations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<Interaction>,
}

/// The end of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// The way.
    pub how: End,
}

/// The long-lived state of a channel, as last read at Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Observed {
    at: Timestamp,
    long_lived: bool,
}

impl Channel {
    /// A channel of which nothing is known yet.
    pub fn new(sid: ChannelSid, platform: Platform) -> Self {
        Self {
            sid,
            platform,
            tasks: BTreeMap::new(),
            long_lived: None,
            cleanup: None,
            held_until: None,
            forgotten_to: None,
            unheard_since: None,
            rescue: None,
            orphan: None,
            activity: Activity::default(),
            parking: BTreeMap::new(),
        }
    }

    /// The channel's SID.
    pub fn sid(&self) -> ChannelSid {
        self.sid
    }

    /// Which messaging product it belongs to.
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// The tasks that are remembered.
    pub fn tasks(&self) -> &BTreeMap<TaskSid, Task> {
        &self.tasks
    }

    /// Returns true if it is long-lived, and nothing if it was never read.
    pub fn long_lived(&self) -> Option<bool> {
        self.long_lived.map(|observed| observed.long_lived)
    }

    /// Returns the cleaning that was done last, be it for this idle period or an earlier one.
    pub fn last_cleanup(&self) -> Option<&Cleanup> {
        self.cleanup.as_ref()
    }

    /// The tasks that have not ended as far as we know.
    pub fn open_tasks(&self) -> impl Iterator<Item = (TaskSid, &Task)> {
        self.tasks
            .iter()
            .filter(|(_, task)| task.ended.is_none())
            .map(|(sid, task)| (*sid, task))
    }

    /// The idle period that the channel is in, or nothing while a task is open or none is
    /// known.
    pub fn idle(&self) -> Option<Idle> {
        if self.open_tasks().next().is_some() {
            return None;
        }
        let orphaned = self.orphan.map(|orphan| Idle {
            since: orphan.found_at,
            cause: Cause::Orphaned(orphan.held_by),
        });
        // At the same moment the end of a task says more.
        [orphaned, self.last_end()]
            .into_iter()
            .flatten()
            .max_by_key(|idle| idle.since)
    }

    /// Returns the cleaning of the idle period that the channel is in.
    pub fn cleanup(&self) -> Option<&Cleanup> {
        let idle = self.idle()?;
        self.cleanup
            .as_ref()
            .filter(|cleanup| cleanup.idle_since >= idle.since)
    }

    /// Takes in one fact. Commutative, associative and idempotent: see the module's header.
    ///
    /// Facts about other channels are not taken in, nor those from before what is forgotten.
    pub fn absorb(&mut self, fact: &Fact) {
        if fact.channel != self.sid || self.is_echo(fact) {
            return;
        }
        match fact.kind {
            FactKind::Task(told) => self.absorb_task(fact, told),
            FactKind::Accepted {
                task,
                worker,
                identity,
            } => {
                if let Some(identity) = identity {
                    self.activity.absorb_agent(fact.at, identity);
                }
                let parking = self.parking.entry(task).or_default();
                parking.accept(fact.at, worker);
            }
            FactKind::Placed {
                task,
                version,
                placement,
            } => {
                let parking = self.parking.entry(task).or_default();
                parking.place(version, placement);
            }
            FactKind::Message { author, index } => {
                self.activity.absorb_message(fact.at, author, index);
            }
        }
        self.settle_activity();
    }

    fn absorb_task(&mut self, fact: &Fact, told: TaskFact) {
        let (stage, ended, seen_open_at) = match told.state {
            TaskState::Open(stage) => (stage, None, None),
            TaskState::SeenOpen => (Stage::Waiting, None, Some(fact.at)),
            TaskState::Ended(how) => (Stage::Wrapping, Some(Ended { at: fact.at, how }), None),
        };
        let seen = Task {
            opened_at: told.opened_at.unwrap_or(fact.at).min(fact.at),
            stage,
            ended,
            seen_open_at,
            interaction: told.interaction,
        };
        self.platform = self.platform.max(fact.platform);
        self.tasks
            .entry(told.task)
            .and_modify(|task| task.merge(&seen))
            .or_insert(seen);
        self.forget_again();
    }

    /// Joins what two places know of the same channel, as if one had heard it all.
    #[must_use]
    pub fn merge(mut self, other: &Self) -> Self {
        if other.sid != self.sid {
            return self;
        }
        self.platform = self.platform.max(other.platform);
        for (sid, told) in &other.tasks {
            self.tasks
                .entry(*sid)
                .and_modify(|task| task.merge(told))
                .or_insert_with(|| told.clone());
        }
        self.long_lived = self.long_lived.max(other.long_lived);
        self.cleanup = self.cleanup.max(other.cleanup.clone());
        self.held_until = self.held_until.max(other.held_until);
        self.forgotten_to = self.forgotten_to.max(other.forgotten_to);
        self.unheard_since = self.unheard_since.max(other.unheard_since);
        self.rescue = self.rescue.max(other.rescue);
        self.orphan = self.orphan.max(other.orphan);
        self.forget_again();
        self.merge_activity(other);
        self
    }

    /// Takes the channel up as an orphan: it counts as idle from the moment in which it was
    /// found so, unless a task is or was open on it later.
    pub fn adopt(&mut self, orphan: Orphan) {
        self.platform = self.platform.max(orphan.held_by.platform());
        self.orphan = self.orphan.max(Some(orphan));
    }

    /// Remembers whether the channel is long-lived, as read at Twilio.
    pub fn observe_long_lived(&mut self, long_lived: bool, at: Timestamp) {
        if self.long_lived() != Some(long_lived) {
            self.long_lived = Some(Observed { at, long_lived });
        }
    }

    /// Forgets ended tasks older than [`ECHO_WINDOW`], all but the one that ended last.
    fn prune(&mut self, now: Timestamp) {
        let before = now.minus(ECHO_WINDOW);
        let remembered = self.tasks.len();
        let forgotten_to = self.forgotten_to;
        self.forgotten_to = forgotten_to.max(Some(before));
        self.forget_again();
        self.settle_activity();
        if self.tasks.len() == remembered {
            self.forgotten_to = forgotten_to;
        }
    }

    /// Keeps to what `Channel::prune` has forgotten.
    fn forget_again(&mut self) {
        let Some(to) = self.forgotten_to else { return };
        let last = self.last_end().and_then(|idle| idle.task());
        self.tasks
            .retain(|sid, task| Some(*sid) == last || task.ended.is_none_or(|ended| ended.at > to));
    }

    /// Returns true if this can only be an echo of a task or a message that was forgotten. Our
    /// own looks are never echoes: they carry the time of the look.
    fn is_echo(&self, fact: &Fact) -> bool {
        let forgotten = self.forgotten_to.is_some_and(|to| fact.at <= to);
        let is_known = |task| self.tasks.contains_key(&task);
        forgotten && !fact.task().is_some_and(is_known)
    }

    /// The newest end. Where two tasks ended at the same time, the end with the longer
    /// patience counts.
    fn last_end(&self) -> Option<Idle> {
        self.tasks
            .iter()
            .filter_map(|(sid, task)| Some((*sid, task.ended?)))
            .max_by_key(|(sid, ended)| (ended.at, Reverse(ended.how), *sid))
            .map(|(task, ended)| Idle {
                since: ended.at,
                cause: Cause::Ended {
                    task,
                    how: ended.how,
                },
            })
    }
}

impl Task {
    fn merge(&mut self, other: &Self) {
        self.opened_at = self.opened_at.min(other.opened_at);
        self.interaction = self.interaction.max(other.interaction);
        self.ended = match (self.ended, other.ended) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        // Once a task has ended, how far it got and when it was seen open say nothing more;
        // holding them at one value keeps late news of them from costing a write.
        if self.ended.is_some() {
            self.stage = Stage::Wrapping;
            self.seen_open_at = None;
        } else {
            self.stage = self.stage.max(other.stage);
            self.seen_open_at = self.seen_open_at.max(other.seen_open_at);
        }
    }
}
