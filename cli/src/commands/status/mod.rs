//! `janitor status`: shows if the system is alive, what waits, and what needs a person. Twilio
//! is not asked.

mod lines;

use std::collections::BTreeMap;
use std::pin::pin;

use clap::Args;
use domain::{ChannelSid, Policy, Queue, Suspension, Timestamp};
use futures::StreamExt;
use output::{ChannelView, Outcome, State};
use runtime::common;
use serde::Serialize;
use serde_json::Value;
use store::{Job, LastRun, StoreError};

use crate::commands::sweep;
use crate::context::{Context, Place};
use crate::stack::{self, Override};

/// Options of `status`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Prints it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    place: Place,
}

/// The state of the system. Times are milliseconds since 1970.
#[derive(Debug, Serialize)]
struct Status {
    place: String,
    now_ms: Timestamp,
    /// Settings that sweep and park act by, as they noted them; empty if none has run yet.
    settings: BTreeMap<String, String>,
    /// Last authentic event, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_ms: Option<Timestamp>,
    /// Last scheduled runs.
    last_runs: LastRuns,
    fuse: Fuse,
    queues: Vec<QueueRow>,
    /// Number of channels in each state.
    states: BTreeMap<&'static str, usize>,
    /// Channels that were given up.
    failed: usize,
    /// Channels that a person holds.
    held: usize,
    /// Customers who wrote after their last task ended, and whom no agent sees.
    unheard: usize,
    /// Number of parked tasks.
    parked_tasks: usize,
    /// Records that cannot be read.
    unreadable: usize,
    /// The sink's test event that arrived last, in the last days.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_test_event: Option<TestEvent>,
}

/// Last scheduled runs of each function.
#[derive(Debug, Serialize)]
struct LastRuns {
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reconcile: Option<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    park: Option<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkup: Option<Run>,
}

/// A scheduled run.
#[derive(Debug, Serialize)]
struct Run {
    at_ms: Timestamp,
    /// Its counts, or the name of its error as `error`.
    result: Value,
}

/// The fuse of the sweeps.
#[derive(Debug, Serialize)]
struct Fuse {
    /// Channels that sweeps wrote to within the last hour.
    closes: usize,
    /// `stopped` or `fuse-blown`, while sweeps must not write.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since_ms: Option<Timestamp>,
    /// End of a blown fuse; absent where only a person ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<Timestamp>,
    /// The same in words.
    #[serde(skip)]
    why: Option<String>,
}

/// A queue of channels that wait.
#[derive(Debug, Serialize)]
struct QueueRow {
    queue: &'static str,
    /// A channel is due once it has waited for so many seconds.
    cutoff_seconds: u64,
    waiting: usize,
    due: usize,
    /// Seconds since the longest-waiting channel became due.
    oldest_overdue_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due_at_ms: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct TestEvent {
    test_id: String,
    at_ms: Timestamp,
}

/// Prints the status. It reads the whole table, for what no queue holds: channels that were
/// given up or are held.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let context = Context::open(&options.place).await?;
    let context = context.by_stack(options.by).await?;
    let policy = context.read(common::policy)?;
    let status = Status::read(&context, &policy).await?;
    if options.json {
        output::json(&status)?;
    } else {
        output::print(&status.lines())?;
    }
    Ok(Outcome::Good)
}

impl Status {
    async fn read(context: &Context, policy: &Policy) -> anyhow::Result<Self> {
        let (table, now) = (context.table(), context.now());
        let mut queues = Vec::new();
        for &queue in Queue::ALL {
            let waiting = table.entries(queue).await?;
            let cutoff = policy.cutoff(queue);
            let due_at = waiting.iter().map(|due| due.since.plus(cutoff));
            let next = due_at.clone().min();
            queues.push(QueueRow {
                queue: queue.name(),
                cutoff_seconds: cutoff.as_secs(),
                waiting: waiting.len(),
                due: due_at.filter(|at| *at <= now).count(),
                oldest_overdue_seconds: next.map_or(0, |at| now.since(at).as_secs()),
                next_due_at_ms: next,
            });
        }
        let test = table.last_test_event().await?;
        let (sweep, park) = (
            table.last_run(Job::Sweep).await?,
            table.last_run(Job::Park).await?,
        );
        let event = table.last_run(Job::Ingest).await?;
        let mut status = Self {
            place: context.place().to_owned(),
            now_ms: now,
            settings: stack::settings_of(park.iter().chain(&sweep)),
            last_event_ms: event.map(|event| event.at),
            last_runs: LastRuns {
                sweep: sweep.map(Run::from),
                reconcile: table.last_run(Job::Reconcile).await?.map(Run::from),
                park: park.map(Run::from),
                checkup: last_checkup(context).await?,
            },
            fuse: Fuse::read(context).await?,
            queues,
            states: State::ALL.map(|state| (state.name(), 0)).into(),
            failed: 0,
            held: 0,
            unheard: 0,
            parked_tasks: 0,
            unreadable: 0,
            last_test_event: test.map(|test| TestEvent {
                test_id: test.test_id,
                at_ms: test.at,
            }),
        };
        status.count(context, policy).await?;
        status.failed = status.state(State::Failed);
        status.held = status.state(State::Held);
        Ok(status)
    }

    /// Counts the channels of the table by their state.
    async fn count(&mut self, context: &Context, policy: &Policy) -> anyhow::Result<()> {
        let progress = output::Progress::counting("channels");
        let mut channels = pin!(context.table().all(ChannelSid::PREFIX));
        while let Some(channel) = channels.next().await {
            progress.one_more();
            match channel {
                Ok(channel) => {
                    let view = ChannelView::new(&channel, policy, self.now_ms);
                    *self.states.entry(view.state.name()).or_default() += 1;
                    self.parked_tasks += view.parked_tasks.len();
                    self.unheard += usize::from(view.unheard_since_ms.is_some());
                }
                Err(StoreError::Unreadable { .. } | StoreError::Foreign) => self.unreadable += 1,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn state(&self, state: State) -> usize {
        self.states.get(state.name()).copied().unwrap_or(0)
    }
}

impl From<LastRun> for Run {
    fn from(run: LastRun) -> Self {
        Self {
            at_ms: run.at,
            result: run.result,
        }
    }
}

impl Fuse {
    async fn read(context: &Context) -> anyhow::Result<Self> {
        let (table, now) = (context.table(), context.now());
        let suspension = table.suspension(now).await?;
        let (since_ms, until_ms) = match suspension {
            None => (None, None),
            Some(Suspension::Stopped { since }) => (Some(since), None),
            Some(Suspension::FuseBlown(blown)) => (Some(blown.since), Some(blown.until)),
        };
        Ok(Self {
            closes: table.fuse().await?.count(now),
            suspended: suspension.map(Suspension::name),
            since_ms,
            until_ms,
            why: suspension.map(|suspension| sweep::in_words(suspension, context)),
        })
    }
}

/// Reads the checkup's own note: it holds the findings of each rule.
async fn last_checkup(context: &Context) -> anyhow::Result<Option<Run>> {
    let memory = context
        .table()
        .note::<checkup::Memory>(checkup::NOTE)
        .await?;
    Ok(memory.and_then(|memory| {
        let findings: usize = memory.rules.values().map(|rule| rule.count).sum();
        Some(Run {
            at_ms: memory.at?,
            result: serde_json::json!({ "findings": findings }),
        })
    }))
}
