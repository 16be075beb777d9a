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
mod log;
mod report;

use std::time::Duration;

use domain::{ProxyServiceSid, Timestamp};
use runtime::clock::Watch;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use twilio::rest::{ConversationFilter, Cursor, ListFailure, StateFilter, TwilioError};

use crate::open_tasks::OpenTasks;
use crate::run::TIME_FOR_ONE;
use crate::summary::Stop;
use crate::{Sweep, SweepError};

use held::Lister;
pub use report::{Finding, Found, Reconciled, Unavailable};

/// The time for which TaskRouter keeps its log (Twilio, "Events"; OpenAPI of TaskRouter).
const LOG_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The time by which each scheduled run goes back behind the end of the one before: longer than Twilio
/// tries to deliver an event, so that what is still on its way is not waited for in vain.
const OVERLAP: Duration = Duration::from_secs(5 * 60 * 60);

/// A place in a list is not gone back to after this: the list has changed too much.
const MAX_POSITION_AGE: Duration = Duration::from_secs(12 * 60 * 60);

/// The most times that a list is begun again in one run because Twilio forgot the place.
const MAX_RESTARTS: usize = 3;

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

/// The end of reading a list.
enum Ended {
    /// At its end.
    Whole,
    /// Before, at this place.
    At(Option<Cursor>),
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

impl Lister<'_> {
    /// Reads a list from a place to its end, or as far as the time allows.
    async fn read(
        &mut self,
        place: &Position,
        report: &mut Reconciled,
    ) -> Result<Ended, SweepError> {
        if place.list != List::Log && self.open_tasks.is_none() {
            let listed = OpenTasks::list(self.twilio, self.workspace, self.watch.now()).await;
            let listed = listed.map_err(SweepError::LookupFailed)?;
            report.open_tasks = listed.count();
            let policy = &self.sweep.settings.plan.policy;
            report.stuck_wrap_ups = Some(listed.report_stuck_wrap_ups(policy, self.watch.now()));
            self.open_tasks = Some(listed);
        }
        let proxy = match place.list {
            List::Sessions => match self.proxy_service().await {
                Ok(Some(service)) => Some(service),
                // A project without Proxy is one that has Conversations only.
                Ok(None) => return Ok(Ended::Whole),
                Err(failure) => return self.sort(failure, place.list, None, report),
            },
            List::Log | List::Active | List::Inactive => None,
        };
        let mut cursor = place.cursor.clone();
        let mut beginnings = 0;
        loop {
            if self.watch.runs_low(TIME_FOR_ONE) {
                report.stopped = Some(Stop::OutOfTime);
                return Ok(Ended::At(cursor));
            }
            let page = self.page(place, proxy, cursor.as_ref(), report).await;
            match page {
                Ok(next @ Some(_)) => cursor = next,
                Ok(None) => return Ok(Ended::Whole),
                Err(ReadError::Table(error)) => return Err(error.into()),
                Err(ReadError::List(ListFailure::Expired | ListFailure::OtherList))
                    if cursor.is_some() && beginnings < MAX_RESTARTS =>
                {
                    tracing::warn!(
                        list = place.list.name(),
                        "Twilio forgot the place: the list is started again"
                    );
                    report.restarted += 1;
                    beginnings += 1;
                    cursor = None;
                }
                Err(ReadError::List(failure)) => {
                    return self.sort(failure, place.list, cursor, report);
                }
            }
        }
    }

    async fn page(
        &mut self,
        place: &Position,
        proxy: Option<ProxyServiceSid>,
        cursor: Option<&Cursor>,
        report: &mut Reconciled,
    ) -> Result<Option<Cursor>, ReadError> {
        // The young ones, too: one that we closed and that Twilio holds open is found by the next run.
        let filter = |state| ConversationFilter {
            state: Some(state),
            created_from: None,
            created_to: None,
        };
        match (place.list, proxy) {
            (List::Log, _) => self.page_of_log(place, cursor, report).await,
            (List::Active, _) => {
                let filter = filter(StateFilter::Active);
                self.page_of_conversations(filter, cursor, report).await
            }
            (List::Inactive, _) => {
                let filter = filter(StateFilter::Inactive);
                self.page_of_conversations(filter, cursor, report).await
            }
            (List::Sessions, Some(proxy)) => self.page_of_sessions(proxy, cursor, report).await,
            (List::Sessions, None) => Ok(None),
        }
    }

    async fn proxy_service(&self) -> Result<Option<ProxyServiceSid>, ListFailure> {
        match self.sweep.settings.proxy_service {
            Some(service) => Ok(Some(service)),
            None => self.twilio.proxy_service_of(self.service).await,
        }
    }

    /// Decides if the run can go on without a list. Without TaskRouter nothing can be
    /// known; without one of the others, the rest can.
    fn sort(
        &self,
        failure: ListFailure,
        list: List,
        cursor: Option<Cursor>,
        report: &mut Reconciled,
    ) -> Result<Ended, SweepError> {
        let passes = match &failure {
            ListFailure::Twilio(
                TwilioError::Throttled { .. } | TwilioError::Unreachable { .. },
            ) => true,
            ListFailure::Twilio(
                TwilioError::Gone
                | TwilioError::Unauthorized { .. }
                | TwilioError::Conflict
                | TwilioError::Refused { .. },
            )
            | ListFailure::Expired
            | ListFailure::OtherList => false,
        };
        if passes {
            tracing::warn!(list = list.name(), %failure, "no answer: the next run goes on from here");
            report.stopped = Some(Stop::TwilioIsDown);
            return Ok(Ended::At(cursor));
        }
        // Wrong credentials are wrong everywhere; a product that is switched off says 403.
        if let ListFailure::Twilio(error @ TwilioError::Unauthorized { status, .. }) = &failure
            && (*status == 401 || list == List::Log)
        {
            return Err(SweepError::LookupFailed(error.clone()));
        }
        tracing::error!(list = list.name(), %failure, "cannot be listed: nothing of it is taken up");
        report.unavailable.push(Unavailable {
            what: list.name(),
            why: failure.to_string(),
        });
        Ok(Ended::Whole)
    }
}

/// An obstacle to reading a page.
enum ReadError {
    List(ListFailure),
    Table(store::StoreError),
}

impl From<ListFailure> for ReadError {
    fn from(failure: ListFailure) -> Self {
        Self::List(failure)
    }
}

impl From<TwilioError> for ReadError {
    fn from(error: TwilioError) -> Self {
        Self::List(error.into())
    }
}

impl From<store::StoreError> for ReadError {
    fn from(error: store::StoreError) -> Self {
        Self::Table(error)
    }
}
