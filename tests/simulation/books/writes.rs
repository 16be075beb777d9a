//! Writes at Twilio: what a sweep had seen before each, and whether it was right.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Channel, End, Timestamp};
use tokio::time::Instant;

use crate::simulation::law::{Law, Violation};

use super::{Books, Verdict, text};

/// How far the functions' clocks are ahead or behind at most.
pub(in super::super) const LARGEST_SKEW: Duration = Duration::from_secs(600);

/// What one sweep has seen and done so far.
pub(in super::super) struct SweepBook {
    /// How far its clock is ahead of Twilio's, in milliseconds.
    pub(in super::super) skew: i64,
    /// When it looked at the open tasks, in the order of things.
    pub(in super::super) looked: Option<u64>,
    /// The records that it read, with the time.
    pub(in super::super) records: BTreeMap<String, (Channel, Instant)>,
    /// The attributes that it read last.
    pub(in super::super) texts: BTreeMap<String, String>,
    /// Until when it was asked to be patient.
    pub(in super::super) patient_until: Option<Instant>,
    /// Its requests to Twilio, by kind.
    pub(in super::super) calls: BTreeMap<&'static str, u64>,
}

/// A write of a channel that reaches Twilio.
pub(in super::super) struct Write<'a> {
    pub(in super::super) channel: &'a str,
    /// The new attributes; nothing if the channel is deleted.
    pub(in super::super) attributes: Option<&'a str>,
    pub(in super::super) asks_for_webhooks: bool,
    /// The tasks that are open on the channel.
    pub(in super::super) open: &'a [String],
    /// The attributes as they are at Twilio.
    pub(in super::super) present: Option<&'a str>,
}

/// What nobody can prevent, and what is therefore counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Race {
    /// A task was created after the last look at the channel's record, so long ago.
    WithTask(i64),
    /// Somebody else's write between our reading and our writing was lost.
    WithWriter,
}

impl SweepBook {
    pub(in super::super) fn new(skew: i64) -> Self {
        Self {
            skew,
            looked: None,
            records: BTreeMap::new(),
            texts: BTreeMap::new(),
            patient_until: None,
            calls: BTreeMap::new(),
        }
    }

    /// A request begins.
    pub(in super::super) fn asks(&mut self, kind: &'static str) -> Verdict {
        *self.calls.entry(kind).or_default() += 1;
        match self.patient_until.filter(|until| Instant::now() < *until) {
            Some(until) => {
                let early = until.duration_since(Instant::now());
                let what = format!("asked again {early:?} before the time");
                Err(Violation::of(Law::Patient, what))
            }
            None => Ok(()),
        }
    }

    /// A request was answered with too many.
    pub(in super::super) fn is_asked_for_patience(&mut self, wait: Duration) {
        // What the client makes of an absurd wait, and the least that it waits anyway.
        let wait = wait.clamp(Duration::from_millis(250), Duration::from_secs(60));
        self.patient_until = self.patient_until.max(Some(Instant::now() + wait));
    }
}

impl Books {
    /// A sweep's write of a channel is about to have its effect.
    pub(in super::super) fn written(
        &mut self,
        sweep: u32,
        now: Timestamp,
        write: &Write<'_>,
    ) -> Result<Vec<Race>, Violation> {
        let channel = write.channel;
        if !write.asks_for_webhooks {
            let what = format!("{channel} is written to behind Flex's back");
            return Err(Violation::of(Law::FlexHears, what));
        }
        let mut races = self.live(sweep, now, channel, write.open)?;
        let long_lived = match write.attributes {
            None => write.present.is_some_and(says_long_lived),
            Some(written) => {
                self.markers(channel, written)?;
                let book = self.sweeps.get(&sweep);
                let read = book.and_then(|book| book.texts.get(channel));
                let Some(read) = read else {
                    let what = format!("{channel} is written to and was not read");
                    return Err(Violation::of(Law::AttributesIntact, what));
                };
                let change = text::compare(read, written).map_err(|why| {
                    let what = format!("{channel}: {why}\n  read    {read}\n  written {written}");
                    Violation::of(Law::AttributesIntact, what)
                })?;
                if write.present.is_some_and(|present| present != read) {
                    races.push(Race::WithWriter);
                }
                change.reset && says_long_lived(read)
            }
        };
        self.early(sweep, now, channel, long_lived)?;
        Ok(races)
    }

    /// S2. Tasks that came after the last look are races; all others would have been seen.
    pub(in super::super) fn live(
        &self,
        sweep: u32,
        now: Timestamp,
        channel: &str,
        open: &[String],
    ) -> Result<Vec<Race>, Violation> {
        let book = self.sweeps.get(&sweep);
        let looked = book.and_then(|book| book.looked).unwrap_or(u64::MAX);
        let record = book.and_then(|book| book.records.get(channel));
        let mut races = Vec::new();
        for task in open {
            let Some(really) = self.tasks.get(task) else {
                continue;
            };
            let known = record.is_some_and(|(record, _)| {
                record.open_tasks().any(|(sid, _)| sid.as_str() == task)
            });
            if really.order < looked || known {
                let why = if known {
                    "the record held it open"
                } else {
                    "the look showed it"
                };
                let what = format!("{channel} is written to while {task} is open: {why}");
                return Err(Violation::of(Law::NeverCloseLive, what));
            }
            let age = now.since(really.created).as_millis();
            races.push(Race::WithTask(i64::try_from(age).unwrap_or(i64::MAX)));
        }
        Ok(races)
    }

    /// S3, by the sweep's own clock and by the ends that are true.
    fn early(&self, sweep: u32, now: Timestamp, channel: &str, last_step: bool) -> Verdict {
        let Some(book) = self.sweeps.get(&sweep) else {
            return Ok(());
        };
        let Some((record, _)) = book.records.get(channel) else {
            let what = format!("{channel} is written to and its record was not read");
            return Err(Violation::of(Law::NotEarly, what));
        };
        let ends = record.tasks().iter().filter_map(|(sid, task)| {
            let (at, how) = self.tasks.get(sid.as_str())?.ended?;
            let claimed = task.ended.map(|ended| ended.at);
            // An end that a sweep found out by looking carries the time of that look at most,
            // by a clock that may have been behind.
            let looked = self
                .channels
                .get(channel)
                .is_some_and(|book| book.was_looked_up(*sid));
            let earliest = at.minus(LARGEST_SKEW);
            let claimed = match claimed {
                Some(claimed) if looked => claimed.clamp(earliest, at),
                Some(_) => at,
                None => earliest,
            };
            Some((claimed, how))
        });
        let Some((at, how)) = ends.max_by_key(|(at, _)| *at) else {
            let what = format!("{channel} is written to and none of its known tasks has ended");
            return Err(Violation::of(Law::NotEarly, what));
        };
        let cutoff = match how {
            _ if last_step => self.policy.long_lived_cutoff,
            End::Completed | End::Vanished => self.policy.ended_cutoff,
            End::Canceled | End::Deleted | End::SystemDeleted => self.policy.abandoned_cutoff,
        };
        let due = at.plus(cutoff).as_millis();
        let clock = now.as_millis() + book.skew;
        if clock < due {
            let early = Duration::from_millis((due - clock).unsigned_abs());
            let what = format!("{channel} is written to {early:?} before its time ({how:?})");
            return Err(Violation::of(Law::NotEarly, what));
        }
        Ok(())
    }

    /// S7, for attributes.
    fn markers(&self, channel: &str, written: &str) -> Verdict {
        let others = self.channels.iter().filter(|(sid, _)| *sid != channel);
        for (other, book) in others {
            if written.contains(&book.marker) || written.contains(other.as_str()) {
                let what = format!("attributes of {other} are written to {channel}");
                return Err(Violation::of(Law::NoCrossChannel, what));
            }
        }
        Ok(())
    }
}

fn says_long_lived(text: &str) -> bool {
    serde_json::from_str::<BTreeMap<String, &serde_json::value::RawValue>>(text).is_ok_and(
        |members| {
            members
                .get("long_lived")
                .is_some_and(|value| value.get() == "true")
        },
    )
}
