//! The oracle: what really happened, what was told, what the functions did. Each entry is checked
//! against the laws as it is made.
//!
//! They are kept apart from the code under test. Of it they use the record and its fold
//! ([`domain::Channel`]), which have laws and tests of their own; events, attributes and
//! notices are read here once more and in another way.

mod attributes;
mod events;
mod names;
mod parking;
mod personal;
mod records;
mod rescues;
mod run;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Channel, End, Fact, FactKind, Policy, Stage, TaskState, Timestamp};
use serde_json::Value;

use crate::report::{Law, Violation};

pub(crate) use events::plain;
pub(crate) use names::Names;
pub(crate) use parking::{Message, Moved, TaskNow};
pub(crate) use personal::{ADDRESSES, AGENTS, WORDS};
pub(crate) use rescues::Waiting;
pub(crate) use run::RunHistory;
pub(crate) use writes::{Closing, Race, Write};

use events::Read;
use parking::ParkingHistory;
use personal::Personal;
use rescues::RescueHistory;

/// The part of the log that every reconciliation reads at least.
const LATELY: Duration = Duration::from_secs(4 * 3600);

pub(crate) type LawCheck = Result<(), Violation>;

pub(crate) struct Oracle {
    pub(crate) names: Names,
    pub(crate) policy: Policy,
    /// True where silent chats are parked.
    parks: bool,
    parking: ParkingHistory,
    rescues: RescueHistory,
    pub(crate) channels: BTreeMap<String, ChannelHistory>,
    pub(crate) tasks: BTreeMap<String, TaskHistory>,
    pub(crate) runs: BTreeMap<u32, RunHistory>,
    /// The channels that are with a bot, and of which no task ever was.
    with_bot: BTreeSet<String>,
    /// The ids of the notices that the bus took.
    pub(crate) told: BTreeSet<String>,
    pub(crate) personal: Personal,
    /// Forged facts.
    forged: Vec<Fact>,
    /// Numbers everything that happens, so that two things in one millisecond have an order.
    order: u64,
}

/// The history of a channel.
pub(crate) struct ChannelHistory {
    pub(crate) number: usize,
    pub(crate) born: Timestamp,
    /// Something that stands in its attributes and in no other channel's.
    pub(crate) marker: String,
    /// Its record, as it was written last.
    pub(crate) record: Option<Channel>,
    pub(crate) expires_at: Option<i64>,
    /// The sum of all facts that are in the record.
    model: Channel,
    /// The facts that are in the record, by their event.
    held: BTreeMap<String, Fact>,
    /// Facts that were sent to the webhook and are not in the record yet.
    sent: BTreeMap<String, Fact>,
    /// The facts that runs learnt from TaskRouter.
    looked: Vec<Fact>,
    expired: Option<Timestamp>,
    tasks: usize,
    /// A Studio flow hears each message, whatever else became of it.
    pub(crate) has_flow: bool,
    /// Its attributes were overwritten with something that is no object.
    pub(crate) damaged: bool,
}

/// The history of a task.
#[derive(Clone, Debug)]
pub(crate) struct TaskHistory {
    /// The number of its creation among all that happened.
    pub(crate) order: u64,
    pub(crate) created: Timestamp,
    /// The channel that it named first.
    pub(crate) channel: String,
    pub(crate) ended: Option<(Timestamp, End)>,
}

impl Oracle {
    pub(crate) fn new(policy: Policy, parks: bool, secrets: Vec<String>) -> Self {
        Self {
            names: Names::default(),
            policy,
            parks,
            parking: ParkingHistory::default(),
            rescues: RescueHistory::default(),
            channels: BTreeMap::new(),
            tasks: BTreeMap::new(),
            runs: BTreeMap::new(),
            with_bot: BTreeSet::new(),
            told: BTreeSet::new(),
            personal: Personal::new(secrets),
            forged: Vec::new(),
            order: 0,
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// Something happened at Twilio.
    pub(crate) fn happened(&mut self, event: &Value) {
        let order = self.next();
        let Some(read) = Read::of(event) else { return };
        if let Some(channel) = &read.channel
            && !self.tasks.contains_key(&read.task)
        {
            self.with_bot.remove(channel);
            let Some(history) = self.channel_history(channel, read.at) else {
                return;
            };
            history.tasks += 1;
            let name = format!("task {}.{}", history.number, history.tasks);
            self.names.give(&read.task, name);
            let task = TaskHistory {
                order,
                created: read.at,
                channel: channel.clone(),
                ended: None,
            };
            self.tasks.insert(read.task.clone(), task);
        }
        if let (Some(task), Some(end)) = (self.tasks.get_mut(&read.task), read.end) {
            task.ended.get_or_insert((read.at, end));
        }
    }

    fn channel_history(&mut self, channel: &str, now: Timestamp) -> Option<&mut ChannelHistory> {
        let sid = channel.parse().ok()?;
        let number = self.channels.len() + 1;
        let names = &mut self.names;
        let history = self.channels.entry(channel.to_owned()).or_insert_with(|| {
            names.give(channel, format!("channel {number}"));
            ChannelHistory {
                number,
                born: now,
                marker: format!("marker-of-{}", &channel[2..18]),
                record: None,
                expires_at: None,
                model: Channel::new(sid, domain::Platform::Chat),
                held: BTreeMap::new(),
                sent: BTreeMap::new(),
                looked: Vec::new(),
                expired: None,
                tasks: 0,
                has_flow: false,
                damaged: false,
            }
        });
        Some(history)
    }

    /// A chat with a bot begins, without a task.
    pub(crate) fn bot_begins(&mut self, channel: &str, now: Timestamp) {
        if let Some(history) = self.channel_history(channel, now) {
            history.has_flow = true;
            self.with_bot.insert(channel.to_owned());
        }
    }

    pub(crate) fn is_with_bot(&self, channel: &str) -> bool {
        self.with_bot.contains(channel)
    }

    /// An event may be heard of from now on: it is sent to the webhook, or is in the log.
    pub(crate) fn sent(&mut self, event: &Value) {
        let Some(read) = Read::of(event) else { return };
        let Some(fact) = read.fact(event, self.parks) else {
            return;
        };
        let Some(history) = self.channels.get_mut(fact.channel.as_str()) else {
            return;
        };
        if !history.held.contains_key(&read.id) {
            history.sent.insert(read.id, fact);
        }
    }

    /// Takes down a forged event.
    pub(crate) fn forged(&mut self, event: &Value) {
        self.forged
            .extend(Read::of(event).and_then(|read| read.fact(event, self.parks)));
    }

    /// The webhook acknowledged these events, of a request that it got at this time.
    pub(crate) fn acknowledged(&mut self, events: &[Value], since: Timestamp) -> LawCheck {
        for event in events {
            if let Some(message) = Message::of_event(event) {
                self.told_message(&message);
                continue;
            }
            let Some(read) = Read::of(event) else {
                continue;
            };
            let Some(fact) = read.fact(event, self.parks) else {
                continue;
            };
            let Some(history) = self.channels.get_mut(fact.channel.as_str()) else {
                continue;
            };
            if history.held.contains_key(&read.id) || history.expired.is_some_and(|at| at >= since)
            {
                continue;
            }
            let holds = history
                .record
                .as_ref()
                .is_some_and(|record| holds(record, &fact));
            // A wrap-up on which nothing waits is left out on purpose.
            let is_wrap_up = fact.state() == Some(TaskState::Open(Stage::Wrapping));
            if !holds && is_wrap_up {
                continue;
            }
            if !holds {
                let what = format!(
                    "{} of {} was acknowledged and is in no record",
                    read.kind, read.task
                );
                return Err(Violation::of(Law::AckMeansStored, what));
            }
            history.hold(read.id, fact);
        }
        Ok(())
    }

    /// L1, after the log was read to its end: all that it told lately is in the records.
    pub(crate) fn know_the_log(&self, now: Timestamp) -> LawCheck {
        // The log is asked for in whole seconds, and takes the one that goes on with the next run.
        let lately = now.minus(LATELY)..now.minus(Duration::from_secs(60));
        for (channel, history) in &self.channels {
            let mut untold = history.sent.values().filter(|fact| {
                // The log is folded without how far a task has got.
                let fact = without_stage((*fact).clone());
                let held = history
                    .record
                    .as_ref()
                    .is_some_and(|record| holds(record, &fact));
                lately.contains(&fact.at) && !held && history.expired.is_none()
            });
            if let Some(fact) = untold.next() {
                let what = format!("the log told {fact:?} and the record of {channel} does not");
                return Err(Violation::of(Law::EventuallyClean, what));
            }
        }
        Ok(())
    }

    /// A channel's record expired.
    pub(crate) fn expired(&mut self, channel: &str, now: Timestamp) {
        if let Some(history) = self.channels.get_mut(channel) {
            history.expired = Some(now);
            history.record = None;
            history.expires_at = None;
            history.model = Channel::new(history.model.sid(), domain::Platform::Chat);
            // The log may tell it all once more.
            history.sent.append(&mut history.held);
            history.looked.clear();
        }
    }
}

impl ChannelHistory {
    fn hold(&mut self, id: String, fact: Fact) {
        self.sent.remove(&id);
        self.model.absorb(&fact);
        self.held.insert(id, fact);
    }
}

/// Returns the same fact without how far the task has got.
fn without_stage(mut fact: Fact) -> Fact {
    if let FactKind::Task(told) = &mut fact.kind
        && matches!(told.state, TaskState::Open(_))
    {
        told.state = TaskState::Open(Stage::Waiting);
    }
    fact
}

/// Returns whether a record has absorbed a fact: absorbing it again changes nothing.
fn holds(record: &Channel, fact: &Fact) -> bool {
    let mut again = record.clone();
    again.absorb(fact);
    again == *record
}
