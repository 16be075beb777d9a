//! The books: what really happened, what we were told, what we did. Each entry is checked
//! against the laws as it is made.
//!
//! They are kept apart from the code under test. Of it they use the record and its fold
//! ([`domain::Channel`]), which have laws and tests of their own; events, attributes and
//! notices are read here once more and in another way.

mod names;
mod personal;
mod reading;
mod records;
mod sweep_book;
mod text;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Channel, End, Fact, Policy, Timestamp};
use serde_json::Value;

use super::law::{Law, Violation};

pub(super) use names::Names;
pub(super) use personal::{ADDRESSES, AGENTS, WORDS};
pub(super) use reading::plain;
pub(super) use sweep_book::SweepBook;
pub(super) use writes::{Closing, Race, Write};

use personal::Personal;
use reading::Read;

/// What every reconciliation reads of the log, at least.
const LATELY: Duration = Duration::from_secs(4 * 3600);

pub(super) type Verdict = Result<(), Violation>;

pub(super) struct Books {
    pub(super) names: Names,
    pub(super) policy: Policy,
    pub(super) channels: BTreeMap<String, Book>,
    pub(super) tasks: BTreeMap<String, TaskBook>,
    pub(super) sweeps: BTreeMap<u32, SweepBook>,
    /// The channels that are with a bot, and of which no task ever was.
    with_bot: BTreeSet<String>,
    /// The ids of the notices that the bus took.
    pub(super) told: BTreeSet<String>,
    pub(super) personal: Personal,
    /// Facts that somebody forged.
    forged: Vec<Fact>,
    /// Numbers everything that happens, so that two things in one millisecond have an order.
    order: u64,
}

/// What there is to know about a channel.
pub(super) struct Book {
    pub(super) number: usize,
    pub(super) born: Timestamp,
    /// Something that stands in its attributes and in no other channel's.
    pub(super) marker: String,
    /// Its record, as it was written last.
    pub(super) record: Option<Channel>,
    pub(super) expires_at: Option<i64>,
    /// What all facts add up to that are in the record.
    model: Channel,
    /// The facts that are in the record, by their event.
    held: BTreeMap<String, Fact>,
    /// Facts that were sent to the webhook and are not in the record yet.
    sent: BTreeMap<String, Fact>,
    /// What sweeps learnt by looking.
    looked: Vec<Fact>,
    expired: Option<Timestamp>,
    tasks: usize,
    /// A Studio flow hears each message, whatever else became of it.
    pub(super) has_flow: bool,
    /// Somebody made something else than an object of its attributes.
    pub(super) damaged: bool,
}

/// What there is to know about a task.
#[derive(Clone, Debug)]
pub(super) struct TaskBook {
    /// When it was created, in the order of things.
    pub(super) order: u64,
    pub(super) created: Timestamp,
    /// The channel that it named first.
    pub(super) channel: String,
    pub(super) ended: Option<(Timestamp, End)>,
}

impl Books {
    pub(super) fn new(policy: Policy, secrets: Vec<String>) -> Self {
        Self {
            names: Names::default(),
            policy,
            channels: BTreeMap::new(),
            tasks: BTreeMap::new(),
            sweeps: BTreeMap::new(),
            with_bot: BTreeSet::new(),
            told: BTreeSet::new(),
            personal: Personal::new(secrets),
            forged: Vec::new(),
            order: 0,
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// Something happened at Twilio.
    pub(super) fn happened(&mut self, event: &Value) {
        let order = self.next();
        let Some(read) = Read::of(event) else { return };
        if let Some(channel) = &read.channel
            && !self.tasks.contains_key(&read.task)
        {
            self.with_bot.remove(channel);
            let Some(book) = self.open_book(channel, read.at) else {
                return;
            };
            book.tasks += 1;
            let name = format!("task {}.{}", book.number, book.tasks);
            self.names.give(&read.task, name);
            let task = TaskBook {
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

    fn open_book(&mut self, channel: &str, now: Timestamp) -> Option<&mut Book> {
        let sid = channel.parse().ok()?;
        let number = self.channels.len() + 1;
        let names = &mut self.names;
        let book = self.channels.entry(channel.to_owned()).or_insert_with(|| {
            names.give(channel, format!("channel {number}"));
            Book {
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
        Some(book)
    }

    /// A chat with a bot begins, without a task.
    pub(super) fn bot_begins(&mut self, channel: &str, now: Timestamp) {
        if let Some(book) = self.open_book(channel, now) {
            book.has_flow = true;
            self.with_bot.insert(channel.to_owned());
        }
    }

    pub(super) fn is_with_bot(&self, channel: &str) -> bool {
        self.with_bot.contains(channel)
    }

    /// An event may be heard of from now on: it is sent to the webhook, or is in the log.
    pub(super) fn sent(&mut self, event: &Value) {
        let Some(read) = Read::of(event) else { return };
        let Some(fact) = read.fact(event) else { return };
        let Some(book) = self.channels.get_mut(fact.channel.as_str()) else {
            return;
        };
        if !book.held.contains_key(&read.id) {
            book.sent.insert(read.id, fact);
        }
    }

    /// Somebody forged an event.
    pub(super) fn forged(&mut self, event: &Value) {
        self.forged
            .extend(Read::of(event).and_then(|read| read.fact(event)));
    }

    /// The webhook acknowledged these events, of a request that it got at this time.
    pub(super) fn acknowledged(&mut self, events: &[Value], since: Timestamp) -> Verdict {
        for event in events {
            let Some(read) = Read::of(event) else {
                continue;
            };
            let Some(fact) = read.fact(event) else {
                continue;
            };
            let Some(book) = self.channels.get_mut(fact.channel.as_str()) else {
                continue;
            };
            if book.held.contains_key(&read.id) || book.expired.is_some_and(|at| at >= since) {
                continue;
            }
            let holds = book
                .record
                .as_ref()
                .is_some_and(|record| holds(record, &fact));
            if !holds {
                let what = format!(
                    "{} of {} was acknowledged and is in no record",
                    read.kind, read.task
                );
                return Err(Violation::of(Law::AckMeansStored, what));
            }
            book.hold(read.id, fact);
        }
        Ok(())
    }

    /// L1, after the log was read to its end: all that it told lately is in the records.
    pub(super) fn know_the_log(&self, now: Timestamp) -> Verdict {
        // The log is asked for in whole seconds, and takes the one that goes on with the next run.
        let lately = now.minus(LATELY)..now.minus(Duration::from_secs(60));
        for (channel, book) in &self.channels {
            let mut untold = book.sent.values().filter(|fact| {
                let held = book
                    .record
                    .as_ref()
                    .is_some_and(|record| holds(record, fact));
                lately.contains(&fact.at) && !held && book.expired.is_none()
            });
            if let Some(fact) = untold.next() {
                let what = format!("the log told {fact:?} and the record of {channel} does not");
                return Err(Violation::of(Law::EventuallyClean, what));
            }
        }
        Ok(())
    }

    /// A channel's record expired.
    pub(super) fn expired(&mut self, channel: &str, now: Timestamp) {
        if let Some(book) = self.channels.get_mut(channel) {
            book.expired = Some(now);
            book.record = None;
            book.expires_at = None;
            book.model = Channel::new(book.model.sid(), domain::Platform::Chat);
            // The log may tell it all once more.
            book.sent.append(&mut book.held);
            book.looked.clear();
        }
    }
}

impl Book {
    fn hold(&mut self, id: String, fact: Fact) {
        self.sent.remove(&id);
        self.model.absorb(&fact);
        self.held.insert(id, fact);
    }
}

/// Whether a record has taken a fact in: taking it in again changes nothing.
fn holds(record: &Channel, fact: &Fact) -> bool {
    let mut again = record.clone();
    again.absorb(fact);
    again == *record
}
