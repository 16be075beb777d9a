//! Closes the channels that are due.
//!
//! # The needs in tension
//!
//! A channel that stays open swallows a customer's next message; a channel that is closed
//! under an agent cuts a customer off. Twilio's channels know no compare-and-set, events
//! about their tasks may be late or lost, and Twilio throttles clients that ask too often.
//!
//! # The design
//!
//! 1. What is due comes from the index: nothing due, no request to Twilio.
//! 2. `open_tasks` lists TaskRouter's open tasks once, and asks which of them name a channel
//!    of the portion in hand, before anything is written.
//! 3. Channel by channel, side by side: the record is read consistently, absorbs what was
//!    seen, and is decided upon again; only then is the channel itself read, judged by the one
//!    rule ([`domain::verdict()`]), written where something is missing, and verified by the
//!    answer.
//! 4. `mark` publishes what was done and marks the record, in this order.
//!
//! There are no leases. Every effect is idempotent by content and the mark is conditional, so
//! overlapping sweeps cost requests and never harm, and a crash after any step is mended by the
//! next sweep.
//!
//! # The race that remains
//!
//! A task that is created after the question to TaskRouter and before our write reaches Twilio
//! (a few seconds) is not seen in time. Its channel is then `INACTIVE` with a task open on it.
//! The mark fails because the event of the new task changed the record, and the sweep counts
//! and publishes `CloseRaced`. The event itself may also come too late for that; then the next
//! look at the channel, when its new task has ended, cleans it as ever.
//!
//! # What events do not tell
//!
//! `reconcile`, on a schedule of its own, finds what was lost on the way or was there before
//! the installation, and puts it in the same queues. It closes nothing itself.

mod channel;
mod closing;
mod error;
mod guard;
mod look;
mod manual;
mod mark;
mod open_tasks;
mod reconcile;
mod rescue;
mod run;
mod settings;
mod summary;
mod wrap_up;

use std::sync::Arc;
use std::time::Duration;

use domain::{BlownFuse, ChatServiceSid, LOOK_AGAIN, Queue, Suspension, Timestamp, WorkspaceSid};
use runtime::access::{self, FlexIds};
use runtime::clock::Watch;
use runtime::{Notice, NoticeKind};
use serde::Serialize;
use serde_json::{Value, json};
use store::{Due, Job, LastRun, StoreError};
use twilio::rest::{Client, RefusedOperators, Transport, TwilioError};

use crate::closing::Closer;
use crate::guard::Guard;
use crate::run::Run;

pub use error::SweepError;
pub use look::{Look, LookError, Reader};
pub use manual::Deletion;
pub use open_tasks::{OpenTasks, PortionLook, WrappingTask};
pub use reconcile::{Finding, Found, Order, Reconciled, Unavailable};
pub use rescue::ManualRescue;
pub use settings::{Action, Mode, Plan, Settings, Unheard};
pub use summary::{Stop, Summary};
pub use wrap_up::WrapUp;

/// The sweep.
pub struct Sweep {
    settings: Settings,
    transport: Arc<dyn Transport>,
    refused: Arc<RefusedOperators>,
}

impl Sweep {
    /// A sweep with these settings, over this transport.
    pub fn new(settings: Settings, transport: Arc<dyn Transport>) -> Self {
        Self {
            settings,
            transport,
            refused: Arc::default(),
        }
    }

    /// Does what can be done before the first run: reads the credentials, so that a wrong name
    /// is logged at start.
    pub async fn warm_up(&self, now: Timestamp) {
        runtime::start::look(&self.settings.secrets, &self.settings.bus, now).await;
    }

    /// Sweeps as the schedule does: once, and notes the settings and what it came to.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::run`] does. A note that cannot be written is logged.
    pub async fn run_scheduled(
        &self,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<Summary, SweepError> {
        let result = self.run(now, time_left).await;
        self.note_run(Job::Sweep, now, result.as_ref()).await;
        result
    }

    /// Sweeps once. `time_left` is how long this run may take. It only observes where the
    /// settings say so, and while the sweeps are suspended: by a person, or by the fuse.
    ///
    /// # Errors
    ///
    /// Fails when nothing could be done, or when it stopped at something that a person must
    /// mend (wrong credentials, a missing service). A run that blew the fuse is none: it is not
    /// to be tried again.
    pub async fn run(&self, now: Timestamp, time_left: Duration) -> Result<Summary, SweepError> {
        let watch = Watch::new(now, time_left);
        let plan = &self.settings.plan;
        let suspension = self.settings.table.suspension(now).await?;
        let mode = match suspension {
            Some(_) => Mode::Observe,
            None => plan.mode,
        };
        let due = self.due(mode, now).await?;
        let waited = due.iter().find(|due| due.queue != Queue::Observed);
        let due_since = waited.map(|due| due.since.plus(plan.policy.cutoff(due.queue)));
        let guard = Guard::new(&self.settings.table, mode, plan.max_closes, now);
        let summary = match due.is_empty() {
            true => Summary::default(),
            false => self.sweep(watch, due, mode, guard).await?,
        };
        let suspended = suspension.map(Suspension::name);
        let summary = Summary {
            oldest_overdue_seconds: due_since.map_or(0, |since| now.since(since).as_secs()),
            suspended: suspended
                .filter(|_| plan.mode == Mode::Act)
                .or(summary.suspended),
            ..summary
        };
        self.ends(summary, now)
    }

    /// Reconciles as the schedule does: from where the last one ended, and notes the settings
    /// and what it came to.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::reconcile`] does. A note that cannot be written is logged.
    pub async fn reconcile_scheduled(
        &self,
        now: Timestamp,
        time_left: Duration,
        found: &(dyn Fn(Found) + Send + Sync),
    ) -> Result<Reconciled, SweepError> {
        let result = self.reconcile(Order::scheduled(), now, time_left, found);
        let result = result.await;
        self.note_run(Job::Reconcile, now, result.as_ref()).await;
        result
    }

    /// Reads what is due. What was observed is due at once for a sweep that writes, and a day
    /// after it was observed for one that observes.
    async fn due(&self, mode: Mode, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        let Settings { table, plan, .. } = &self.settings;
        if mode == Mode::Act {
            return table.due(&plan.policy, now).await;
        }
        let others = Queue::of_sweep().filter(|queue| *queue != Queue::Observed);
        let mut due = table.due_in(others, &plan.policy, now).await?;
        let day_ago = now.minus(LOOK_AGAIN);
        due.extend(
            table
                .due_in([Queue::Observed], &plan.policy, day_ago)
                .await?,
        );
        Ok(due)
    }

    /// Says what a sweep came to, and fails where a person must look.
    fn ends(&self, summary: Summary, now: Timestamp) -> Result<Summary, SweepError> {
        summary.log();
        summary.measure(now);
        match summary.stopped {
            Some(Stop::Unauthorized | Stop::ServiceIsGone) => {
                Err(SweepError::Stopped(Box::new(summary)))
            }
            Some(
                Stop::OutOfTime
                | Stop::TwilioIsDown
                | Stop::TooManyCloses
                | Stop::StoppedByPerson
                | Stop::TableIsDown,
            )
            | None => Ok(summary),
        }
    }

    async fn sweep(
        &self,
        watch: Watch,
        due: Vec<Due>,
        mode: Mode,
        guard: Guard<'_>,
    ) -> Result<Summary, SweepError> {
        let twilio = self.client(watch.now()).await?;
        let (workspace, service) = self.flex_ids(&twilio).await?;
        let open_tasks = self
            .open_tasks(&twilio, workspace, watch.now())
            .await
            .map_err(SweepError::LookupFailed)?;
        let closer = Closer {
            reader: Reader {
                twilio: twilio.clone(),
                service,
                webhook_url: self.settings.webhook_url.clone(),
            },
            plan: Plan {
                mode,
                ..self.settings.plan.clone()
            },
        };
        let settings = &self.settings;
        let run = Run::new(settings, twilio.clone(), open_tasks, closer, guard, watch);
        let counts = run.all(due).await;
        let blown = run.guard.settle(watch.now()).await;
        if let Some(blown) = blown {
            self.tell_blown(blown).await;
        }
        let stats = twilio.stats();
        Ok(Summary {
            calls: stats.attempts,
            throttled: stats.throttled,
            suspended: blown.map(|blown| Suspension::FuseBlown(blown).name()),
            ..counts
        })
    }

    async fn open_tasks(
        &self,
        twilio: &Client,
        workspace: WorkspaceSid,
        now: Timestamp,
    ) -> Result<OpenTasks, TwilioError> {
        let (pairs, refused) = (&self.settings.pairs, &self.refused);
        OpenTasks::list(twilio, workspace, pairs, refused, now).await
    }

    /// Publishes that the fuse has blown. The note holds later sweeps back in any case.
    async fn tell_blown(&self, blown: BlownFuse) {
        let BlownFuse {
            since,
            count,
            until,
        } = blown;
        let max_closes = self.settings.plan.max_closes;
        tracing::error!(
            count,
            max_closes,
            "the fuse has blown: sweeps only observe until janitor sweep --resume"
        );
        let notice = Notice {
            id: format!("fuse:{}", since.as_millis()),
            at: since,
            kind: NoticeKind::FuseBlown,
            detail: json!({ "closes": count, "max_closes": max_closes, "until_ms": until }),
        };
        for (_, why) in &self.settings.bus.publish(&[notice]).await.failed {
            tracing::error!(why, "the blown fuse could not be published");
        }
    }

    /// Notes the settings and what a scheduled run came to.
    async fn note_run<T: Serialize + Sync>(
        &self,
        job: Job,
        now: Timestamp,
        result: Result<&T, &SweepError>,
    ) {
        let result = match result {
            Ok(report) => json!(report),
            // The name alone: what Twilio or AWS say may be long.
            Err(error) => json!({ "error": error.name() }),
        };
        let run = LastRun::new(now, self.settings.variables(), result);
        self.settings.table.note_run(job, &run).await;
    }

    /// Does what the event that woke the function asks for: `{"job": "reconcile"}`, or a sweep.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::run`] and [`Self::reconcile`] do, and for a job that is not known.
    pub async fn work(
        &self,
        event: &Value,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<Value, SweepError> {
        // In boxes, since a run holds everything that it works on in its state.
        let report = match event.get("job").map(|job| (job.as_str(), job)) {
            None | Some((Some("sweep"), _)) => {
                json!(Box::pin(self.run_scheduled(now, time_left)).await?)
            }
            Some((Some("reconcile"), _)) => {
                let job = self.reconcile_scheduled(now, time_left, &log_found);
                json!(Box::pin(job).await?)
            }
            Some((_, job)) => return Err(SweepError::UnknownJob(job.to_string())),
        };
        Ok(report)
    }

    /// Returns a client with the present credentials.
    async fn client(&self, now: Timestamp) -> Result<Client, SweepError> {
        let Settings {
            secrets,
            account,
            plan,
            ..
        } = &self.settings;
        let client = access::client(secrets, account, &self.transport, plan.concurrency, now);
        Ok(client.await?)
    }

    /// Returns where tasks and channels are: as the settings say, or else the Flex
    /// configuration.
    async fn flex_ids(
        &self,
        twilio: &Client,
    ) -> Result<(WorkspaceSid, ChatServiceSid), SweepError> {
        let Settings {
            workspace,
            chat_service,
            ..
        } = self.settings;
        let ids = FlexIds::look_up(twilio, workspace, chat_service).await?;
        Ok((ids.workspace, ids.chat_service()?))
    }
}

fn log_found(found: Found) {
    tracing::info!(channel = %found.channel, finding = %found.finding, "found");
}
