//! Everything that an audit found. It holds SIDs, times, states and counts: no message, name,
//! number or attribute of a customer.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{AccountSid, ChannelSid, Platform, Row, TaskSid, Timestamp, UserSid};
use output::{counted, from_now, moment};
use serde::{Deserialize, Serialize};

use crate::class::{Cause, Class};

/// The most open Conversations that one identity may be in
/// (<https://www.twilio.com/docs/conversations/conversations-limits>).
pub const MAX_CONVERSATIONS: u32 = 1_000;

/// The number of Conversations from which an identity is reported.
pub const NEAR_CONVERSATIONS: u32 = 900;

/// The result of an audit. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The time at which the audit began.
    pub at_ms: Timestamp,
    /// The account.
    pub account_sid: AccountSid,
    /// The beginning of the part of TaskRouter's log that was to be read: 30 days before at the
    /// earliest, whatever was asked for.
    pub log_from_ms: Timestamp,
    /// Everything that was to be read was read: no part is silent, and nothing was interrupted.
    pub whole: bool,
    /// It was ended before its end, and the figures are of what was found by then.
    pub interrupted: bool,
    /// The numbers of what was listed.
    pub listed: Listed,
    /// The number of channels in question; absent where the audit did not come so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub candidates: Option<usize>,
    /// The channels that were chosen, where not all were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub sample: Option<Sample>,
    /// The channels on which customers write in vain, in figures.
    pub unattended: Unattended,
    /// The number of channels of each class.
    pub classes: BTreeMap<Class, usize>,
    /// The customers whose newest message no agent and no program will answer.
    pub unheard: Unheard,
    /// The channels that are not clean, not young and without an open task, oldest first.
    pub channels: Vec<FoundChannel>,
    /// The tasks that have been in wrap-up for longer than `WRAP_UP_LIMIT`, oldest first.
    pub stuck_wrap_ups: Vec<StuckWrapUp>,
    /// The tasks that TaskRouter deletes soon because they have been assigned for a day.
    pub ending_tasks: Vec<EndingTask>,
    /// The identities that are in nearly as many Conversations as Twilio allows.
    pub crowded_users: Vec<CrowdedUser>,
    /// The findings of the checkup; absent where it was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub checkup: Option<CheckupFindings>,
    /// The parts of the audit that say nothing, because Twilio did not show what they need.
    pub silent_parts: Vec<SilentPart>,
    /// Requests to Twilio, repeated ones counted.
    pub requests: u64,
    /// Requests that Twilio answered with "too many".
    pub throttled: u64,
}

impl Report {
    /// Returns true if no channel was looked at although there may be some in question: its figures
    /// of channels then say nothing.
    pub fn looked_at_none(&self) -> bool {
        self.candidates.is_none() || self.sample.is_some_and(|sample| sample.looked_at == 0)
    }
}

/// The numbers of what was listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Events in TaskRouter's log.
    pub events: usize,
    /// Of those, the ones that could not be read.
    pub unreadable_events: usize,
    /// Open tasks.
    pub open_tasks: usize,
    /// Open Proxy sessions.
    pub sessions: usize,
    /// Conversations that are not closed.
    pub conversations: usize,
    /// Users of the chat service, 5,000 at most.
    pub users: usize,
    /// Entries of the lists of sessions, Conversations and users that could not be read.
    pub unreadable_entries: usize,
}

/// The number of channels in question that were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Channels that were looked at.
    pub looked_at: usize,
    /// Channels that would have to be looked at.
    pub candidates: usize,
}

/// The channels on which customers write in vain, in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unattended {
    /// Their number.
    pub channels: usize,
    /// The time since which the oldest has been so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub oldest_ms: Option<Timestamp>,
    /// The figures of each cause that there is.
    pub by_cause: BTreeMap<Cause, CauseTotal>,
    /// Their number by age, youngest first.
    pub by_age: Vec<AgeBucket>,
}

/// The unattended channels of one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseTotal {
    /// Their number.
    pub channels: usize,
    /// The time since which the oldest has been so.
    pub oldest_ms: Timestamp,
}

/// The unattended channels of one span of age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeBucket {
    /// The age that they have not reached, in seconds; absent in the last bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub younger_than_seconds: Option<u64>,
    /// Their number.
    pub channels: usize,
}

/// The customers whose newest message no agent and no program will answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unheard {
    /// Their number.
    pub customers: usize,
    /// Of those, the ones who wrote within the last 24 hours.
    pub last_24_hours: usize,
    /// Of all, the ones to whom `UNHEARD=rescue` would give a task.
    pub rescuable: usize,
    /// The time of the oldest of those messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub oldest_ms: Option<Timestamp>,
}

/// One channel that is of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundChannel {
    /// The channel.
    pub channel_sid: ChannelSid,
    /// Its platform.
    pub platform: Platform,
    /// Its class.
    pub class: Class,
    /// Why it stayed open, if it is unattended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub cause: Option<Cause>,
    /// The row of the rule that applied; absent where it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub row: Option<Row>,
    /// The step that a sweep would take now; absent where it would leave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub would: Option<WouldDo>,
    /// The end of its last task; of an orphan, its newest message or else its beginning.
    pub since_ms: Timestamp,
    /// Its last task, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub last_task_sid: Option<TaskSid>,
    /// The time of a customer's message that no agent sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub unheard_since_ms: Option<Timestamp>,
    /// `UNHEARD=rescue` would give its customer a task.
    #[serde(skip_serializing_if = "is_false")]
    #[serde(default)]
    pub rescuable: bool,
    /// The time from which the row would act; absent where it would now, or never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub until_ms: Option<Timestamp>,
}

/// The step that a sweep would take on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WouldDo {
    /// Make a long-lived Chat channel `INACTIVE`.
    Release,
    /// Close it for good.
    Close,
    /// Give the customer who waits unheard a task, instead of closing it.
    Rescue,
    /// End the Proxy session that brings messages to it, where `PROXY_SERVICE_SID` is set.
    EndSession,
}

/// A task that is in wrap-up for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StuckWrapUp {
    /// The task.
    pub task_sid: TaskSid,
    /// The time since which nothing has changed about it.
    pub since_ms: Timestamp,
}

/// A task that TaskRouter deletes soon, because it has been assigned for nearly a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingTask {
    /// The task.
    pub task_sid: TaskSid,
    /// Its channel, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub channel_sid: Option<ChannelSid>,
    /// The time at which TaskRouter deletes it.
    pub deleted_at_ms: Timestamp,
}

/// An identity that is in nearly as many Conversations as Twilio allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrowdedUser {
    /// The user of the chat service. Its identity may be a name and is left out.
    pub user_sid: UserSid,
    /// The Conversations and channels that it is in.
    pub conversations: u32,
}

/// The findings of the checkup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckupFindings {
    /// The findings, errors first.
    pub findings: Vec<Finding>,
    /// Rules that could not be applied.
    pub skipped_rules: usize,
}

/// A finding of the checkup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule, such as `number/messages`.
    pub rule: String,
    /// Its severity.
    pub severity: Severity,
    /// The thing that breaks the rule. A phone number is cut to its last digits.
    pub subject: String,
    /// The fault, in words.
    pub found: String,
}

/// The severity of a finding, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Messages are lost or chats stay open.
    Error,
    /// Something is not as it should be.
    Warning,
    /// It is worth knowing.
    Info,
}

/// A part of the audit that says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilentPart {
    /// The list that could not be read, such as "Proxy sessions".
    pub part: String,
    /// Why.
    pub why: String,
}

/// The upper bounds of the buckets of age.
const AGES: [Duration; 5] = [
    Duration::from_secs(60 * 60),
    Duration::from_secs(24 * 60 * 60),
    Duration::from_secs(7 * 24 * 60 * 60),
    Duration::from_secs(30 * 24 * 60 * 60),
    Duration::from_secs(90 * 24 * 60 * 60),
];

impl Unattended {
    /// Counts the unattended channels among these, by cause and by age.
    pub fn among(channels: &[FoundChannel], now: Timestamp) -> Self {
        let mut totals = Self::default();
        let mut ages = [0; AGES.len() + 1];
        for channel in channels {
            let Some(cause) = channel.cause else { continue };
            let since = channel.since_ms;
            totals.channels += 1;
            totals.oldest_ms = Some(totals.oldest_ms.map_or(since, |oldest| oldest.min(since)));
            let total = totals.by_cause.entry(cause).or_insert(CauseTotal {
                channels: 0,
                oldest_ms: since,
            });
            total.channels += 1;
            total.oldest_ms = total.oldest_ms.min(since);
            let age = now.since(since);
            let bucket = AGES.iter().position(|bound| age < *bound);
            ages[bucket.unwrap_or(AGES.len())] += 1;
        }
        let bounds = AGES.iter().map(|bound| Some(bound.as_secs())).chain([None]);
        totals.by_age = bounds
            .zip(ages)
            .map(|(younger_than_seconds, channels)| AgeBucket {
                younger_than_seconds,
                channels,
            })
            .collect();
        totals
    }
}

impl Unheard {
    /// Counts the customers among these channels who wait unheard.
    pub fn among(channels: &[FoundChannel], now: Timestamp) -> Self {
        let mut unheard = Self::default();
        for channel in channels {
            let Some(at) = channel.unheard_since_ms else {
                continue;
            };
            unheard.customers += 1;
            unheard.last_24_hours += usize::from(now.since(at) <= DAY);
            unheard.rescuable += usize::from(channel.rescuable);
            unheard.oldest_ms = Some(unheard.oldest_ms.map_or(at, |oldest| oldest.min(at)));
        }
        unheard
    }

    /// Says how many customers wait unheard and how many of them a rescue would help, in a sentence
    /// each; nothing if there are none.
    pub fn in_words(&self, now: Timestamp) -> Option<[String; 2]> {
        let Self {
            customers,
            last_24_hours,
            rescuable,
            oldest_ms,
        } = self;
        let oldest = (*oldest_ms)?;
        let customers = counted(*customers, "customer");
        let rescued = match rescuable {
            0 => "none".to_owned(),
            some => some.to_string(),
        };
        Some([
            format!(
                "{customers} wrote and nobody saw it; {last_24_hours} in the last 24 h. The oldest \
                 message is of {} ({}).",
                moment(oldest),
                from_now(oldest, now)
            ),
            format!("With UNHEARD=rescue, {rescued} of them would get a task now."),
        ])
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}
