//! The findings, in numbers and channel by channel.

use std::collections::BTreeMap;
use std::fmt;

use domain::{ChannelSid, HeldOpenBy, SkipReason, Timestamp};
use runtime::metrics;
use serde::Serialize;

use crate::summary::Stop;

/// The findings of one run of reconcile. Returned, logged and printed as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// From when the log was to be read.
    pub from_ms: Timestamp,
    /// To when.
    pub to_ms: Timestamp,
    /// True if all lists were read to their ends.
    pub whole: bool,
    /// True if the table was written to.
    pub wrote: bool,
    /// Events in the log.
    pub events: usize,
    /// Of those, how many concern no channel, by reason.
    pub ignored: BTreeMap<&'static str, usize>,
    /// Of those, how many should have been readable and were not.
    pub unreadable: usize,
    /// Channels of which the log knew something that the table did not.
    pub new_from_log: usize,
    /// Of those, the channels whose events the webhook should have brought by then.
    pub missed: usize,
    /// Open tasks in TaskRouter, all channels together.
    pub open_tasks: usize,
    /// Tasks that have been in wrap-up for longer than `WRAP_UP_LIMIT`; absent if the run ended
    /// before it looked at the open tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck_wrap_ups: Option<usize>,
    /// Open Proxy sessions.
    pub sessions: usize,
    /// Conversations that are not closed.
    pub conversations: usize,
    /// Channels with an open task of which we had not heard.
    pub found_open: usize,
    /// Channels whose tasks we held for open, and are over.
    pub found_over: usize,
    /// Channels that were taken up as orphans.
    pub orphans: usize,
    /// Sessions that outlived their channel's closing and are to be ended.
    pub sessions_to_end: usize,
    /// Conversations that we closed and that Twilio still holds open.
    pub still_open: usize,
    /// The things that are held open and were left alone, by reason.
    pub skipped: BTreeMap<&'static str, usize>,
    /// Entries of lists that could not be read.
    pub unreadable_entries: usize,
    /// Another writer changed the record meanwhile, or Twilio would not say: another time.
    pub deferred: usize,
    /// Pages that were read, all lists together.
    pub pages: usize,
    /// Requests to Twilio, repeated ones included.
    pub calls: u64,
    /// Answers by which Twilio asked for patience.
    pub throttled: u64,
    /// The number of times that a list was begun again because Twilio forgot the place.
    pub restarted: usize,
    /// Lists that cannot be read.
    pub unavailable: Vec<Unavailable>,
    /// Why it stopped before its end, if it did. The next scheduled run goes on from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
}

/// A list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unavailable {
    /// Which.
    pub what: &'static str,
    /// Why.
    pub why: String,
}

/// A channel that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The channel.
    pub channel: ChannelSid,
    /// The way.
    pub finding: Finding,
}

/// The way in which a channel was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The log tells of it what no event told.
    NewFromLog,
    /// A task is open on it of which we had not heard.
    FoundOpen,
    /// Its tasks were held for open, and are over.
    FoundOver,
    /// Something holds it open, and no party is with it.
    Orphan(HeldOpenBy),
    /// It is closed, and its session still takes messages.
    SessionToEnd,
    /// We closed it, and Twilio still holds it open.
    StillOpen,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewFromLog => f.write_str("the log of events tells more than the stream did"),
            Self::FoundOpen => f.write_str("a task is open on it that no event told of"),
            Self::FoundOver => f.write_str("its task is over, as no event told"),
            Self::Orphan(holder) => holder.fmt(f),
            Self::SessionToEnd => {
                f.write_str("it is closed, and its Proxy session still takes messages")
            }
            Self::StillOpen => f.write_str("it was closed, and Twilio still holds it open"),
        }
    }
}

impl Reconciled {
    pub(super) fn new(from: Timestamp, to: Timestamp, writes: bool) -> Self {
        Self {
            from_ms: from,
            to_ms: to,
            whole: false,
            wrote: writes,
            events: 0,
            ignored: BTreeMap::new(),
            unreadable: 0,
            new_from_log: 0,
            missed: 0,
            open_tasks: 0,
            stuck_wrap_ups: None,
            sessions: 0,
            conversations: 0,
            found_open: 0,
            found_over: 0,
            orphans: 0,
            sessions_to_end: 0,
            still_open: 0,
            skipped: BTreeMap::new(),
            unreadable_entries: 0,
            deferred: 0,
            pages: 0,
            calls: 0,
            throttled: 0,
            restarted: 0,
            unavailable: Vec::new(),
            stopped: None,
        }
    }

    pub(super) fn skip(&mut self, why: SkipReason) {
        *self.skipped.entry(why.name()).or_default() += 1;
    }

    pub(super) fn count(&mut self, finding: Finding) {
        let counter = match finding {
            Finding::NewFromLog => &mut self.new_from_log,
            Finding::FoundOpen => &mut self.found_open,
            Finding::FoundOver => &mut self.found_over,
            Finding::Orphan(_) => &mut self.orphans,
            Finding::SessionToEnd => &mut self.sessions_to_end,
            Finding::StillOpen => &mut self.still_open,
        };
        *counter += 1;
    }

    /// Writes the metrics. A sweep counts stuck wrap-ups only when something is due.
    pub(super) fn measure(&self, now: Timestamp) {
        tracing::info!(
            target: metrics::TARGET,
            at_ms = now.as_millis(),
            Missed = self.missed,
            StuckWrapUps = self.stuck_wrap_ups.unwrap_or(0),
        );
    }

    /// Logs the counts as fields.
    pub(super) fn log(&self) {
        tracing::info!(
            from_ms = self.from_ms.as_millis(),
            to_ms = self.to_ms.as_millis(),
            whole = self.whole,
            wrote = self.wrote,
            events = self.events,
            unreadable = self.unreadable,
            new_from_log = self.new_from_log,
            missed = self.missed,
            open_tasks = self.open_tasks,
            stuck_wrap_ups = self.stuck_wrap_ups,
            sessions = self.sessions,
            conversations = self.conversations,
            found_open = self.found_open,
            found_over = self.found_over,
            orphans = self.orphans,
            sessions_to_end = self.sessions_to_end,
            still_open = self.still_open,
            skipped = self.skipped.values().sum::<usize>(),
            unreadable_entries = self.unreadable_entries,
            deferred = self.deferred,
            pages = self.pages,
            calls = self.calls,
            throttled = self.throttled,
            restarted = self.restarted,
            unavailable = self.unavailable.len(),
            stopped = self.stopped.map(Stop::name),
            "reconciled"
        );
    }
}
