//! `janitor status`: how things stand, read without a Scan and without asking Twilio.

use clap::Args;
use domain::{Policy, Queue, Timestamp};
use runtime::common;
use serde::Serialize;

use crate::exit::Outcome;
use crate::office::{Office, Place};
use crate::say;

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Prints it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// How things stand.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    place: String,
    now_ms: Timestamp,
    pub(crate) queues: Vec<QueueRow>,
    /// The sink's test event that arrived last, in the last days.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_test_event: Option<TestEvent>,
}

/// A queue of channels that wait.
#[derive(Debug, Serialize)]
pub(crate) struct QueueRow {
    queue: &'static str,
    /// After so long, in seconds, a channel of it is due.
    cutoff_seconds: u64,
    waiting: usize,
    due: usize,
    /// How long the longest-waiting channel is overdue.
    oldest_overdue_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due_at_ms: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct TestEvent {
    test_id: String,
    at_ms: Timestamp,
}

/// Says how things stand.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let office = Office::open(&options.place).await?;
    let policy = office.read(common::policy)?;
    let status = status(&office, &policy, office.now()).await?;
    if options.json {
        say::json(&status)?;
        return Ok(Outcome::Good);
    }
    print(&status)?;
    Ok(Outcome::Good)
}

async fn status(office: &Office, policy: &Policy, now: Timestamp) -> anyhow::Result<Status> {
    let mut queues = Vec::new();
    for &queue in Queue::ALL {
        let waiting = office.table().entries(queue).await?;
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
    let test = office.table().last_test_event().await?;
    Ok(Status {
        place: office.place().to_owned(),
        now_ms: now,
        queues,
        last_test_event: test.map(|test| TestEvent {
            test_id: test.test_id,
            at_ms: test.at,
        }),
    })
}

fn print(status: &Status) -> anyhow::Result<()> {
    let mut table = say::table(["Waits for", "After", "Channels", "Due", "First due"]);
    for queue in &status.queues {
        let first = queue.next_due_at_ms;
        table.add_row([
            queue.queue.to_owned(),
            match queue.cutoff_seconds {
                0 => String::new(),
                seconds => say::duration(std::time::Duration::from_secs(seconds)),
            },
            queue.waiting.to_string(),
            queue.due.to_string(),
            first.map_or_else(String::new, |at| say::from_now(at, status.now_ms)),
        ]);
    }
    say::print(&format!(
        "{}, {} UTC",
        status.place,
        say::moment(status.now_ms)
    ))?;
    say::print(&table)?;
    if let Some(test) = &status.last_test_event {
        say::print(&format!(
            "The sink's last test event arrived {}.",
            say::from_now(test.at_ms, status.now_ms)
        ))?;
    }
    Ok(())
}
