//! `janitor status`: shows if the system is alive, what waits, and what needs a person. Twilio
//! is not asked.

use std::collections::BTreeMap;
use std::pin::pin;

use clap::Args;
use domain::{ChannelSid, Policy, Queue, Timestamp};
use futures::StreamExt;
use output::{ChannelView, Outcome, State};
use runtime::common;
use serde::Serialize;
use store::StoreError;

use crate::context::{Context, Place};

/// Options of `status`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Prints it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// The state of the system. Times are milliseconds since 1970.
#[derive(Debug, Serialize)]
struct Status {
    place: String,
    now_ms: Timestamp,
    queues: Vec<QueueRow>,
    /// Number of channels in each state.
    states: BTreeMap<&'static str, usize>,
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
    let policy = context.read(common::policy)?;
    let status = Status::read(&context, &policy).await?;
    if options.json {
        output::json(&status)?;
    } else {
        output::print(&status.lines().join("\n"))?;
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
        let mut status = Self {
            place: context.place().to_owned(),
            now_ms: now,
            queues,
            states: State::ALL.map(|state| (state.name(), 0)).into(),
            unheard: 0,
            parked_tasks: 0,
            unreadable: 0,
            last_test_event: test.map(|test| TestEvent {
                test_id: test.test_id,
                at_ms: test.at,
            }),
        };
        status.count(context, policy).await?;
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

    fn lines(&self) -> Vec<String> {
        let by_queue = |count: fn(&QueueRow) -> usize| -> (usize, String) {
            let counts = self.queues.iter().map(|row| (row.queue, count(row)));
            let counts: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
            let names: Vec<String> = counts
                .iter()
                .map(|(queue, count)| format!("{count} {queue}"))
                .collect();
            (
                counts.iter().map(|(_, count)| count).sum(),
                names.join(", "),
            )
        };
        let (due, due_names) = by_queue(|row| row.due);
        let (waiting, waiting_names) = by_queue(|row| row.waiting - row.due);
        let overdue = self.queues.iter().map(|row| row.oldest_overdue_seconds);
        let overdue = std::time::Duration::from_secs(overdue.max().unwrap_or(0));
        let next = self.queues.iter().filter_map(|row| row.next_due_at_ms);
        let next = next.filter(|at| *at > self.now_ms).min();
        let mut lines = vec![
            format!("{}, {} UTC", self.place, output::moment(self.now_ms)),
            match &self.last_test_event {
                Some(test) => format!(
                    "Events     the last test event arrived {}",
                    output::from_now(test.at_ms, self.now_ms)
                ),
                None => "Events     no test event arrived lately; `janitor connect` sends one"
                    .to_owned(),
            },
            match due {
                0 => "Due        nothing".to_owned(),
                _ => format!(
                    "Due        {due}, the oldest for {}: {due_names}",
                    output::duration(overdue)
                ),
            },
            match waiting {
                0 => "Waiting    nothing".to_owned(),
                _ => {
                    let next =
                        next.map(|at| format!(", the next {}", output::from_now(at, self.now_ms)));
                    format!(
                        "Waiting    {waiting}{}: {waiting_names}",
                        next.unwrap_or_default()
                    )
                }
            },
            format!(
                "Open       {} channels; {} tasks are parked",
                self.state(State::Open),
                self.parked_tasks
            ),
            format!(
                "Left       {} channels: an agent, a program or Twilio may still have them",
                self.state(State::Left)
            ),
            format!("Closed     {} channels", self.state(State::Closed)),
            format!("Held       {} channels", self.state(State::Held)),
        ];
        let needs = self.needs();
        lines.push(match needs.is_empty() {
            true => "Needs you  nothing".to_owned(),
            false => format!("Needs you  {}", needs.join("; ")),
        });
        lines
    }

    /// Returns what only a person can put right.
    fn needs(&self) -> Vec<String> {
        let mut needs = Vec::new();
        match self.unheard {
            0 => {}
            unheard => needs.push(format!(
                "{unheard} customers wrote and no agent sees it: `list --json` has unheard_since_ms"
            )),
        }
        match self.state(State::Failed) {
            0 => {}
            failed => needs.push(format!(
                "{failed} channels were given up: `janitor retry --failed` names them"
            )),
        }
        match self.unreadable {
            0 => {}
            unreadable => needs.push(format!(
                "{unreadable} records cannot be read: `janitor list` names them"
            )),
        }
        needs
    }
}
