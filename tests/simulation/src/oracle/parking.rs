//! Parking: who wrote last, as the webhook was told, and what a move changed.
//!
//! A message counts once the webhook has acknowledged it: what Twilio never told, no function
//! can act on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Channel, Timestamp};
use serde_json::Value;

use crate::report::{Law, Violation};

use super::{ADDRESSES, AGENTS, LawCheck, Oracle, attributes, events::moment};

/// The place of a message in its channel: when it was written, and its index.
type Position = (Timestamp, u64);

/// A message, read apart from the code under test.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) channel: String,
    by_agent: bool,
    position: Position,
}

impl Message {
    /// Reads an event of Event Streams; nothing if it is of no message of a customer or an
    /// agent.
    pub(crate) fn of_event(event: &Value) -> Option<Self> {
        let kind = event["type"].as_str()?;
        if kind != "com.twilio.conversations.message.added" {
            return None;
        }
        let data = &event["data"];
        Self::of(
            data["ConversationSid"].as_str()?,
            data["Author"].as_str()?,
            moment(&data["DateCreated"])?,
            data["Index"].as_u64()?,
        )
    }

    /// Reads the form of a Chat channel's webhook.
    pub(crate) fn of_form(form: &[(String, String)]) -> Option<Self> {
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, v)| &**v);
        let at: jiff::Timestamp = field("DateCreated")?.parse().ok()?;
        Self::of(
            field("ChannelSid")?,
            field("From")?,
            Timestamp::from_millis(at.as_millisecond()),
            field("Index")?.parse().ok()?,
        )
    }

    /// Returns whether a customer wrote it.
    pub(crate) fn is_a_customers(&self) -> bool {
        !self.by_agent
    }

    fn of(channel: &str, author: &str, at: Timestamp, index: u64) -> Option<Self> {
        let by_agent = author.contains(AGENTS);
        (by_agent || author.contains(ADDRESSES)).then(|| Self {
            channel: channel.to_owned(),
            by_agent,
            position: (at, index),
        })
    }
}

/// Messages and requests by hand, as far as parking depends on them.
#[derive(Default)]
pub(super) struct ParkingHistory {
    /// The newest message of the customer and of an agent on each channel, as acknowledged.
    told: BTreeMap<String, [Option<Position>; 2]>,
    /// The newest message of an agent on each channel that was sent to the webhook, whatever it
    /// answered: it may be stored.
    sent: BTreeMap<String, Position>,
    /// The moment at which a person last asked for each task to be parked.
    manual: BTreeMap<String, Timestamp>,
    /// The tasks that a run has parked.
    parked: BTreeSet<String>,
}

/// A task as Twilio holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskNow {
    pub(crate) attributes: String,
    /// True in the TaskChannel of parked tasks, nothing if it is in neither of the pair.
    pub(crate) parked: Option<bool>,
    pub(crate) version: u32,
}

/// A task that a run has moved.
pub(crate) struct Moved<'a> {
    pub(crate) task: &'a str,
    pub(crate) channel: Option<&'a str>,
    pub(crate) before: &'a TaskNow,
    pub(crate) after: &'a TaskNow,
}

impl Oracle {
    /// The webhook acknowledged a message.
    pub(crate) fn told_message(&mut self, message: &Message) {
        let told = self.parking.told.entry(message.channel.clone());
        let newest = &mut told.or_default()[usize::from(message.by_agent)];
        *newest = (*newest).max(Some(message.position));
    }

    /// A message is sent to the webhook.
    pub(crate) fn sent_message(&mut self, message: &Message) {
        if message.by_agent {
            let sent = self.parking.sent.entry(message.channel.clone());
            let newest = sent.or_insert(message.position);
            *newest = message.position.max(*newest);
        }
    }

    /// Returns whether a run has parked a task.
    pub(crate) fn has_parked(&self, task: &str) -> bool {
        self.parking.parked.contains(task)
    }

    /// Returns whether the record of a channel knows an open task.
    pub(crate) fn has_open_task(&self, channel: &str) -> bool {
        let history = self.channels.get(channel);
        let record = history.and_then(|history| history.record.as_ref());
        record.is_some_and(|record| record.open_tasks().next().is_some())
    }

    /// Returns whether a message was written so soon after the newest one of its side that was
    /// told.
    pub(crate) fn follows_within(&self, message: &Message, time: Duration) -> bool {
        let told = self.parking.told.get(&message.channel);
        let newest = told.and_then(|told| told[usize::from(message.by_agent)]);
        let follows = |newest: &Position| *newest < message.position;
        let newest = newest.filter(follows);
        newest.is_some_and(|(at, _)| message.position.0.since(at) < time)
    }

    /// Returns when the newest message of an agent was written that was told.
    pub(crate) fn agent_was_told(&self, channel: &str) -> Option<Timestamp> {
        let [_, agent] = self.parking.told.get(channel)?;
        agent.map(|(at, _)| at)
    }

    /// Returns whether the customer's newest message was told, and no agent's may be known that is
    /// newer.
    pub(crate) fn customer_was_told_last(&self, channel: &str) -> bool {
        let told = self.parking.told.get(channel);
        let agent = self.parking.sent.get(channel).copied();
        told.is_some_and(|[customer, _]| *customer > agent)
    }

    /// A run that parks a task by hand records the request: the agent has read what was told
    /// until now.
    pub(crate) fn parks_manually(&mut self, run: u32, now: Timestamp) {
        let history = self.runs.get(&run);
        if let Some(task) = history.and_then(|history| history.manual.clone()) {
            self.parking.manual.insert(task, now);
        }
    }

    /// S9 and S3: a run has moved a task.
    pub(crate) fn moved(&mut self, run: u32, now: Timestamp, moved: &Moved<'_>) -> LawCheck {
        let Moved {
            task,
            before,
            after,
            ..
        } = moved;
        if after.parked == Some(true) {
            self.parking.parked.insert((*task).to_owned());
        }
        let broken = |why: &str| {
            let what = format!("{task}: {why}\n  before {before:?}\n  after  {after:?}");
            Err(Violation::of(Law::ParkRestores, what))
        };
        let says = match attributes::inactive_set(&before.attributes, &after.attributes) {
            Ok(says) => says,
            Err(why) => return broken(&why),
        };
        match after.parked {
            None => return broken("it is in no TaskChannel of its pair"),
            Some(parked) if parked != says => return broken("it is half parked"),
            Some(_) => {}
        }
        if says && !self.is_announced(moved) {
            return broken("its record did not announce it");
        }
        let Some(history) = self.runs.get(&run) else {
            return Ok(());
        };
        if !says || before.parked == Some(true) || history.manual.is_some() {
            return Ok(());
        }
        let waiting = moved
            .channel
            .and_then(|channel| history.waiting.get(channel));
        if waiting == Some(&true) {
            return broken("its customer was known to have written last");
        }
        let told = moved.channel.and_then(|channel| history.told.get(channel));
        let Some(Some(told)) = told.copied() else {
            return Ok(());
        };
        let due = told.plus(self.policy.park_after).as_millis();
        if now.as_millis() + history.skew < due {
            let what = format!("{task} is parked before the customer was silent long enough");
            return Err(Violation::of(Law::NotEarly, what));
        }
        Ok(())
    }

    /// Returns whether the record of a task's channel, if there is one, told of the move before it
    /// was made.
    fn is_announced(&self, moved: &Moved<'_>) -> bool {
        let history = moved.channel.and_then(|sid| self.channels.get(sid));
        let Some(record) = history.and_then(|history| history.record.as_ref()) else {
            return true;
        };
        let task = moved.task.parse().ok();
        let parking = task.and_then(|task| record.parking(task));
        parking.is_some_and(|parking| parking.is_announced(moved.before.version))
    }

    /// S9: none of these parked tasks, with their channels, has a customer who waits.
    pub(crate) fn nobody_waits_parked(&self, parked: &[(String, String)]) -> LawCheck {
        // A transfer copies the TaskChannel of a parked task. Where no event told of the new one, and
        // no look has found it yet, no function knows of it.
        let record_of = |channel: &String| self.channels.get(channel)?.record.as_ref();
        let is_known = |(task, channel): &&(String, String)| {
            let has_task = |record: &Channel| {
                let task = task.parse();
                task.is_ok_and(|task| record.tasks().contains_key(&task))
            };
            self.parking.parked.contains(task) || record_of(channel).is_some_and(has_task)
        };
        for (task, channel) in parked.iter().filter(is_known) {
            let Some([Some(customer), agent]) = self.parking.told.get(channel) else {
                continue;
            };
            let read_until = self.parking.manual.get(task);
            let was_read = read_until.is_some_and(|read| customer.0 <= *read);
            if Some(*customer) > *agent && !was_read {
                let record = self.channels.get(channel).and_then(|it| it.record.as_ref());
                let what = format!(
                    "{task} of {channel} is parked and its customer wrote last, at {}:\n  {record:?}",
                    customer.0.as_millis()
                );
                return Err(Violation::of(Law::ParkRestores, what));
            }
        }
        Ok(())
    }
}
