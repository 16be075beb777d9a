//! Closes the channels that are due.
//!
//! # The needs in tension
//!
//! A channel that stays open swallows a customer's next message; a channel that is closed
//! under an agent cuts a customer off. Twilio's channels know no compare-and-set, events
//! about their tasks may be late or lost, and Twilio throttles whoever asks too often.
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
mod manual;
mod mark;
mod open_tasks;
mod reconcile;
mod run;
mod settings;
mod summary;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{ChatServiceSid, Timestamp, WorkspaceSid};
use serde_json::{Value, json};
use store::Due;
use twilio::rest::{Client, Credentials, Hosts, InvalidCredentials, Limits, Transport};

use crate::closing::Closer;
use crate::open_tasks::OpenTasks;
use crate::run::Run;
use crate::watch::Watch;

pub use error::SweepError;
pub use manual::Deletion;
pub use reconcile::{Finding, Found, Order, Reconciled, Unavailable};
pub use settings::{Action, Mode, Plan, Settings};
pub use summary::{Stop, Summary};

/// The sweep.
pub struct Sweep {
    settings: Settings,
    transport: Arc<dyn Transport>,
}

impl Sweep {
    /// A sweep with these settings, over this transport.
    pub fn new(settings: Settings, transport: Arc<dyn Transport>) -> Self {
        Self {
            settings,
            transport,
        }
    }

    /// Does what can be done before the first run: reads the credentials, so that a wrong name
    /// is logged at start.
    pub async fn warm_up(&self, now: Timestamp) {
        runtime::start::look(&self.settings.secrets, &self.settings.bus, now).await;
    }

    /// Sweeps once. `time_left` is how long this run may take.
    ///
    /// # Errors
    ///
    /// Fails when nothing could be done, or when it stopped at something that a person must
    /// mend (wrong credentials, a missing service, too many closings at once).
    pub async fn run(&self, now: Timestamp, time_left: Duration) -> Result<Summary, SweepError> {
        let watch = Watch::new(now, time_left);
        let policy = &self.settings.plan.policy;
        let due = self.settings.table.due(policy, now).await?;
        let mut summary = Summary::default();
        if let Some(oldest) = due.first() {
            let due_since = oldest.since.plus(policy.cutoff(oldest.queue));
            summary = self.sweep(watch, due).await?;
            summary.oldest_overdue_seconds = now.since(due_since).as_secs();
        }
        self.ends(summary, now)
    }

    /// Says what a sweep came to, and fails where a person must look.
    fn ends(&self, summary: Summary, now: Timestamp) -> Result<Summary, SweepError> {
        summary.log();
        summary.measure(now);
        match summary.stopped {
            Some(Stop::Unauthorized | Stop::ServiceIsGone | Stop::TooManyCloses) => {
                Err(SweepError::Stopped(Box::new(summary)))
            }
            Some(Stop::OutOfTime | Stop::TwilioIsDown) | None => Ok(summary),
        }
    }

    async fn sweep(&self, watch: Watch, due: Vec<Due>) -> Result<Summary, SweepError> {
        let twilio = self.client(watch.now()).await?;
        let (workspace, service) = self.flex_ids(&twilio).await?;
        let open_tasks = OpenTasks::list(&twilio, workspace, watch.now())
            .await
            .map_err(SweepError::LookupFailed)?;
        let closer = Closer {
            twilio: twilio.clone(),
            service,
            plan: self.settings.plan.clone(),
            webhook_url: self.settings.webhook_url.clone(),
        };
        let run = Run::new(&self.settings, twilio.clone(), open_tasks, closer, watch);
        let counts = run.all(due).await;
        let stats = twilio.stats();
        Ok(Summary {
            calls: stats.attempts,
            throttled: stats.throttled,
            ..counts
        })
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
            None | Some((Some("sweep"), _)) => json!(Box::pin(self.run(now, time_left)).await?),
            Some((Some("reconcile"), _)) => {
                let order = Order::scheduled();
                json!(Box::pin(self.reconcile(order, now, time_left, &log_found)).await?)
            }
            Some((_, job)) => return Err(SweepError::UnknownJob(job.to_string())),
        };
        Ok(report)
    }

    /// A client with the present credentials. Connections are the transport's and outlive it.
    async fn client(&self, now: Timestamp) -> Result<Client, SweepError> {
        let account = &self.settings.account;
        let secrets = self.settings.secrets.get(now).await?;
        let credentials = match (&secrets.api_key, secrets.signing_keys.first()) {
            (Some((key, secret)), _) => Credentials::api_key(key, secret)?,
            (None, Some(token)) => Credentials::auth_token(account.sid, token)?,
            (None, None) => return Err(InvalidCredentials::Secret.into()),
        };
        let hosts = match &account.api_url {
            Some(url) => Hosts::elsewhere(url)?,
            None => Hosts::at_twilio(account.edge.as_deref(), account.region.as_deref())?,
        };
        let limits = Limits {
            in_flight: self.settings.plan.concurrency,
            ..Limits::default()
        };
        let transport = Arc::clone(&self.transport);
        Ok(Client::new(credentials, hosts, limits, transport))
    }

    /// Where tasks and channels are: as the settings say, or else the Flex configuration.
    async fn flex_ids(
        &self,
        twilio: &Client,
    ) -> Result<(WorkspaceSid, ChatServiceSid), SweepError> {
        let settings = &self.settings;
        if let (Some(workspace), Some(service)) = (settings.workspace, settings.chat_service) {
            return Ok((workspace, service));
        }
        let flex = twilio
            .flex_configuration()
            .await
            .map_err(SweepError::Unconfigured)?;
        let workspace = settings.workspace.or(flex.workspace);
        let service = settings.chat_service.or(flex.chat_service);
        Ok((
            workspace.ok_or(SweepError::SettingMissing("TASKROUTER_WORKSPACE_SID"))?,
            service.ok_or(SweepError::SettingMissing("CHAT_SERVICE_SID"))?,
        ))
    }
}

fn log_found(found: Found) {
    tracing::info!(channel = %found.channel, finding = %found.finding, "found");
}

/// Locks a count. A poisoned lock only means that it is off by the task that panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
