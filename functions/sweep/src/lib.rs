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

use domain::{ChatServiceSid, Timestamp, WorkspaceSid};
use runtime::access::{self, FlexIds};
use runtime::clock::Watch;
use serde_json::{Value, json};
use store::Due;
use twilio::rest::{Client, Transport};

use crate::closing::Closer;
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
            reader: Reader {
                twilio: twilio.clone(),
                service,
                webhook_url: self.settings.webhook_url.clone(),
            },
            plan: self.settings.plan.clone(),
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
