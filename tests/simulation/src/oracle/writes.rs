//! Writes at Twilio: what a sweep had seen before each, and whether it was right.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{End, HeldOpenBy, Platform, Timestamp};

use crate::report::{Law, Violation};

use super::{LawCheck, Oracle, attributes};

/// The largest lead or lag of the functions' clocks.
const LARGEST_SKEW: Duration = Duration::from_secs(600);

/// A write of a channel that reaches Twilio.
pub(crate) struct Write<'a> {
    pub(crate) channel: &'a str,
    /// The new attributes; nothing if the channel is deleted.
    pub(crate) attributes: Option<&'a str>,
    pub(crate) asks_for_webhooks: bool,
    /// The tasks that are open on the channel.
    pub(crate) open: &'a [String],
    /// The attributes as they are at Twilio.
    pub(crate) present: Option<&'a str>,
}

/// A race that no function can prevent, and that is therefore counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Race {
    /// A task was created after the last look at the channel's record, so long ago.
    WithTask(i64),
    /// Another writer's change between the sweep's read and its write was lost.
    WithWriter,
}

/// A write that ends an interaction channel or a conversation.
pub(crate) struct Closing<'a> {
    pub(crate) conversation: &'a str,
    /// True if it is the interaction channel that is closed.
    pub(crate) interaction: bool,
    /// The fields that are to change, with their values.
    pub(crate) fields: &'a [(&'a str, &'a str)],
    pub(crate) asks_for_webhooks: bool,
    /// The tasks that are open on the conversation.
    pub(crate) open: &'a [String],
}

impl Oracle {
    /// A sweep's write of a channel is about to have its effect.
    pub(crate) fn written(
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
                let history = self.runs.get(&sweep);
                let read = history.and_then(|history| history.texts.get(channel));
                let Some(read) = read else {
                    let what = format!("{channel} is written to and was not read");
                    return Err(Violation::of(Law::AttributesIntact, what));
                };
                let change = attributes::compare(read, written).map_err(|why| {
                    let what = format!("{channel}: {why}\n  read    {read}\n  written {written}");
                    Violation::of(Law::AttributesIntact, what)
                })?;
                if write.present.is_some_and(|present| present != read) {
                    races.push(Race::WithWriter);
                }
                change.reset && says_long_lived(read)
            }
        };
        self.early(sweep, now, channel, |_| long_lived)?;
        Ok(races)
    }

    /// A sweep's closing of an interaction channel or a conversation is about to have its
    /// effect.
    pub(crate) fn closed(
        &mut self,
        sweep: u32,
        now: Timestamp,
        closing: &Closing<'_>,
    ) -> Result<Vec<Race>, Violation> {
        let conversation = closing.conversation;
        // An interaction channel is the Flex server's own, which needs not be told.
        if !closing.interaction && !closing.asks_for_webhooks {
            let what = format!("{conversation} is closed behind Flex's back");
            return Err(Violation::of(Law::FlexHears, what));
        }
        let expected: &[(&str, &str)] = if closing.interaction {
            &[("Routing", r#"{"status":"closed"}"#), ("Status", "closed")]
        } else {
            &[("State", "closed")]
        };
        if closing.fields != expected {
            let what = format!("{conversation} is to become {:?}", closing.fields);
            return Err(Violation::of(Law::AttributesIntact, what));
        }
        let races = self.live(sweep, now, conversation, closing.open)?;
        let history = self.runs.get(&sweep);
        let seen = history.and_then(|history| history.interactions.get(conversation));
        let looked_inside =
            history.is_some_and(|history| history.conversations.contains(conversation));
        if seen.is_none() && (closing.interaction || !looked_inside) {
            let what = format!("{conversation} is closed and was not looked at");
            return Err(Violation::of(Law::AttributesIntact, what));
        }
        let put_aside = match seen.map(String::as_str) {
            Some("active") | None => self.is_parked_by_program(sweep, conversation),
            Some(status) => !matches!(status, "closed" | "failed"),
        };
        if put_aside {
            let what = format!("{conversation} was put aside ({seen:?}) and is closed");
            return Err(Violation::of(Law::PutAside, what));
        }
        self.early(sweep, now, conversation, |_| false)?;
        Ok(races)
    }

    /// Returns whether a run saw a program on a conversation whose last task was completed.
    fn is_parked_by_program(&self, run: u32, conversation: &str) -> bool {
        let Some(history) = self.runs.get(&run) else {
            return false;
        };
        let idle = history
            .records
            .get(conversation)
            .and_then(|record| record.idle());
        let how = idle.and_then(|idle| idle.how());
        let completed = matches!(how, Some(End::Completed | End::Vanished));
        completed && history.programs.get(conversation) == Some(&true)
    }

    /// S2. Tasks that came after the last look are races; all others would have been seen.
    pub(crate) fn live(
        &self,
        sweep: u32,
        now: Timestamp,
        channel: &str,
        open: &[String],
    ) -> Result<Vec<Race>, Violation> {
        let history = self.runs.get(&sweep);
        let looked = history
            .and_then(|history| history.looked.get(channel).copied())
            .unwrap_or(u64::MAX);
        let record = history.and_then(|history| history.records.get(channel));
        let mut races = Vec::new();
        for task in open {
            let Some(really) = self.tasks.get(task) else {
                continue;
            };
            let known = record
                .is_some_and(|record| record.open_tasks().any(|(sid, _)| sid.as_str() == task));
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

    /// S3, by the sweep's own clock and by the ends that are true. Whether a last step is
    /// taken may depend on how the last task ended.
    fn early(
        &self,
        sweep: u32,
        now: Timestamp,
        channel: &str,
        last_step: impl Fn(End) -> bool,
    ) -> LawCheck {
        let Some(history) = self.runs.get(&sweep) else {
            return Ok(());
        };
        let Some(record) = history.records.get(channel) else {
            let what = format!("{channel} is written to and its record was not read");
            return Err(Violation::of(Law::NotEarly, what));
        };
        // By the sweep's own clock, as is the moment in which an orphan was found.
        let clock = now.as_millis() + history.skew;
        let too_early = |due: i64, how: &str| {
            let early = Duration::from_millis((due - clock).unsigned_abs());
            let what = format!("{channel} is written to {early:?} before its time ({how})");
            Err(Violation::of(Law::NotEarly, what))
        };
        let newest = history.newest.get(channel);
        let has_program = history.programs.get(channel) == Some(&true);
        if let Some((since, holder)) = record.idle().and_then(|i| Some((i.since, i.holder()?))) {
            let with_bot = self.with_bot.contains(channel);
            let waits = match holder {
                HeldOpenBy::Session if !has_program && !with_bot => Some(self.policy.orphan_grace),
                HeldOpenBy::Session | HeldOpenBy::Conversation => self.policy.orphan_cutoff,
            };
            let due = waits.map(|waits| newest.copied().unwrap_or(since).plus(waits));
            return match due.map(Timestamp::as_millis) {
                Some(due) if clock >= due => Ok(()),
                Some(due) => too_early(due, "an orphan"),
                None => too_early(i64::MAX, "an orphan that is never closed"),
            };
        }
        let ends = record.tasks().iter().filter_map(|(sid, task)| {
            let (at, how) = self.tasks.get(sid.as_str())?.ended?;
            let claimed = task.ended.map(|ended| ended.at);
            // An end that a sweep found out by looking carries the time of that look at most,
            // by a clock that may have been behind.
            let looked = self
                .channels
                .get(channel)
                .is_some_and(|history| history.was_looked_up(*sid));
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
            _ if last_step(how) => self.policy.long_lived_cutoff,
            End::Completed | End::Vanished => self.policy.ended_cutoff,
            End::Canceled | End::Deleted | End::SystemDeleted => self.policy.abandoned_cutoff,
        };
        let due = at.plus(cutoff).as_millis();
        if clock < due {
            return too_early(due, &format!("{how:?}"));
        }
        let quiet_at = newest.map_or(at, |newest| at.max(*newest));
        let quiet_at = quiet_at.plus(self.policy.quiet_cutoff).as_millis();
        let completed = matches!(how, End::Completed | End::Vanished);
        if record.platform() == Platform::Chat && completed && has_program && clock < quiet_at {
            let what = format!("{channel} is with a program and is written to");
            return Err(Violation::of(Law::PutAside, what));
        }
        let may_have_agent = history.agents.get(channel) == Some(&true);
        if record.platform() == Platform::Conversations
            && completed
            && may_have_agent
            && clock < quiet_at
        {
            return too_early(quiet_at, "an agent may still be in it");
        }
        Ok(())
    }

    /// S7, for attributes.
    fn markers(&self, channel: &str, written: &str) -> LawCheck {
        let others = self.channels.iter().filter(|(sid, _)| *sid != channel);
        for (other, history) in others {
            if written.contains(&history.marker) || written.contains(other.as_str()) {
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
