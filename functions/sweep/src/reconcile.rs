//! Finds what the stream of events did not bring: what Twilio lost on the way, and what was
//! there before us.
//!
//! # The needs in tension
//!
//! Twilio repeats an event for four hours and then drops it, and nothing was streamed before
//! the installation. What went astray is either in TaskRouter's own log of events, which is
//! kept for 30 days, or shows only by what is still held open. But a list of what is held open
//! is mostly of chats in full swing, and some of what looks forgotten is with a bot.
//!
//! # The design
//!
//! 1. `log`: the log of events goes through the same fold as the stream, page by page. What
//!    is known already changes nothing and costs a read; what is new puts its channel into the
//!    queue that it belongs to.
//! 2. TaskRouter's open tasks are listed, *before* anything that they may hold open: a chat
//!    that begins in between is not in danger of looking forgotten.
//! 3. `held`: open Proxy sessions and Conversations that are not closed are listed page by
//!    page. Each is judged by its record, by the open tasks, by its age and by who is with it
//!    (see [`domain::orphan`]).
//!
//! Nothing is written at Twilio. A channel that is taken up waits in its queue like any other,
//! and the sweep looks again before it closes it. So a mistake in here costs requests, and
//! closes no chat.
//!
//! # How it ends
//!
//! No more than a page is held at a time. When the time runs low, the place is noted in the
//! table, and the next run goes on from there. Twilio may have forgotten the place by then: that list
//! is then begun again, which costs requests only. The note also says up to when the log is
//! known, so that an outage of ours is made up for, however long it was.

mod held;
mod lister;
mod log;
mod read;
mod report;

use std::time::Duration;

use domain::Timestamp;
use runtime::clock::Watch;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use twilio::rest::Cursor;

use crate::{Sweep, SweepError};

use lister::Lister;
use read::Ended;
pub use report::{Finding, Found, Reconciled, Unavailable};

/// The time for which TaskRouter keeps its log (Twilio, "Events"; OpenAPI of TaskRouter).
const LOG_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The time by which each scheduled run goes back behind the end of the one before: longer than Twilio
/// tries to deliver an event, so that what is still on its way is not waited for in vain.
const OVERLAP: Duration = Duration::from_secs(5 * 60 * 60);

/// A place in a list is not gone back to after this: the list has changed too much.
const MAX_POSITION_AGE: Duration = Duration::from_secs(12 * 60 * 60);

/// The name of the note.
const NOTE: &str = "reconcile";

/// The name of the note that the webhook leaves of its last event.
const LAST_EVENT: &str = "last-event";

/// The time that the webhook has for an event. Twilio delivers most within seconds, and what is
/// later is on its way again after a failure.
const DELIVERY: Duration = Duration::from_secs(5 * 60);

/// The extent of a run of reconcile.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// The time for which the log is read back; from where the last scheduled run ended if absent.
    since: Option<Duration>,
    /// True if the table is written to.
    writes: bool,
}

impl Order {
    /// From where the last one ended, or was interrupted; the first one takes in all there is.
    pub fn scheduled() -> Self {
        Self {
            since: None,
            writes: true,
        }
    }

    /// The log of so long, 30 days at most, and whatever is held open.
    pub fn since(since: Duration) -> Self {
        Self {
            since: Some(since.min(LOG_KEPT)),
            writes: true,
        }
    }

    /// Finds the same and writes nothing.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self {
            writes: false,
            ..self
        }
    }
}

/// The memory from one scheduled run to the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Note {
    /// Up to when all is known.
    known_to: Option<Timestamp>,
    /// The moment since which the webhook is known to work. What happened before was never sent to
    /// it.
    webhook_since: Option<Timestamp>,
    /// The list whose reading was interrupted.
    place: Option<Position>,
}

/// Where a run was interrupted.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Position {
    from: Timestamp,
    to: Timestamp,
    list: List,
    cursor: Option<Cursor>,
}

/// The lists, in the order in which they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum List {
    Log,
    Sessions,
    Active,
    Inactive,
}

impl List {
    fn next(self) -> Option<Self> {
        match self {
            Self::Log => Some(Self::Sessions),
            Self::Sessions => Some(Self::Active),
            Self::Active => Some(Self::Inactive),
            Self::Inactive => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Log => "TaskRouter's log of events",
            Self::Sessions => "Proxy sessions",
            Self::Active => "active Conversations",
            Self::Inactive => "inactive Conversations",
        }
    }
}

impl Sweep {
    /// Reconciles once. `time_left` is how long this run may take; `found` hears of each
    /// channel that is found. Nothing is written at Twilio.
    ///
    /// # Errors
    ///
    /// Fails when nothing could be done: TaskRouter, the table or the secrets cannot be read.
    /// What else cannot be read is said in the report.
    pub async fn reconcile(
        &self,
        order: Order,
        now: Timestamp,
        time_left: Duration,
        found: &(dyn Fn(Found) + Send + Sync),
    ) -> Result<Reconciled, SweepError> {
        let watch = Watch::new(now, time_left);
        let twilio = self.client(now).await?;
        let (workspace, service) = self.flex_ids(&twilio).await?;
        let table = &self.settings.table;
        let mut note = match order.since {
            None => table.note::<Note>(NOTE).await?.unwrap_or_default(),
            Some(_) => Note::default(),
        };
        let mut place = order.place(&note, now);
        let is_scheduled = order.since.is_none() && order.writes;
        if is_scheduled && note.webhook_since.is_none() {
            let heard = table.note::<IgnoredAny>(LAST_EVENT).await?;
            note.webhook_since = heard.map(|_| now);
        }
        let mut report = Reconciled::new(place.from, place.to, order.writes);
        let mut lister = Lister {
            sweep: self,
            twilio: &twilio,
            workspace,
            service,
            open_tasks: None,
            watch,
            writes: order.writes,
            webhook_since: note.webhook_since,
            found,
        };
        loop {
            match lister.read(&place, &mut report).await? {
                Ended::At(cursor) => {
                    place.cursor = cursor;
                    break;
                }
                Ended::Whole => {
                    place.cursor = None;
                    let Some(next) = place.list.next() else {
                        note.known_to = Some(place.to);
                        break;
                    };
                    place.list = next;
                }
            }
        }
        report.whole = report.stopped.is_none() && report.deferred == 0;
        if is_scheduled {
            note.place = report.stopped.is_some().then_some(place);
            table.set_note(NOTE, &note, watch.now()).await?;
        }
        let stats = twilio.stats();
        report.calls = stats.attempts;
        report.throttled = stats.throttled;
        report.log();
        report.measure(watch.now());
        Ok(report)
    }
}

impl Order {
    fn place(self, note: &Note, now: Timestamp) -> Position {
        let interrupted = note.place.clone();
        if let Some(place) = interrupted.filter(|place| now.since(place.to) < MAX_POSITION_AGE) {
            return place;
        }
        let longest = now.minus(LOG_KEPT);
        let from = match (self.since, note.known_to) {
            (Some(since), _) => now.minus(since),
            (None, Some(known_to)) => known_to.minus(OVERLAP).max(longest),
            (None, None) => longest,
        };
        Position {
            from,
            to: now,
            list: List::Log,
            cursor: None,
        }
    }
}
