//! `janitor sweep`: the real sweep, once, by hand.

use std::time::Duration;

use ::sweep::{Mode, Settings, Summary, Sweep, SweepError};
use clap::Args;
use domain::Queue;
use runtime::common;
use serde::Serialize;

use crate::consent::Consent;
use crate::exit::Outcome;
use crate::office::{self, Office, Place};
use crate::say;

/// How long a sweep by hand may take.
pub(crate) const TIME: Duration = Duration::from_secs(840);

/// How to sweep.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Looks at Twilio and says what it would write, but writes nothing there
    #[arg(long, conflicts_with_all = ["yes", "plan"])]
    observe: bool,
    #[command(flatten)]
    consent: Consent,
    /// Prints the summary, or the plan, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What is due, without having looked at Twilio.
#[derive(Debug, Serialize)]
struct PlanOfSweep {
    due: usize,
    by_queue: Vec<Due>,
}

#[derive(Debug, Serialize)]
struct Due {
    queue: &'static str,
    channels: usize,
}

/// Sweeps, or says what is due.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let office = Office::open(&options.place).await?;
    if !options.observe {
        plan(&office, options.json && !options.consent.is_given()).await?;
        if let Some(outcome) = options.consent.ends_here() {
            return Ok(outcome);
        }
    }
    let mut settings = Settings::read_at(office.environment(), office.aws())?;
    if options.observe {
        settings.plan.mode = Mode::Observe;
    }
    let sweep = Sweep::new(settings, office::transport()?);
    let (summary, outcome) = match sweep.run(office.now(), TIME).await {
        Ok(summary) => (summary, Outcome::Good),
        Err(SweepError::Stopped(summary)) => {
            say::aloud("The sweep stopped, and a person must look.");
            (*summary, Outcome::Broken)
        }
        Err(error) => return Err(error.into()),
    };
    print(&summary, options.json)?;
    Ok(outcome)
}

/// What is due is talk, unless it is all that was asked for.
async fn plan(office: &Office, json: bool) -> anyhow::Result<()> {
    let policy = office.read(common::policy)?;
    let due = office.table().due(&policy, office.now()).await?;
    let by_queue = Queue::ALL.iter().copied().map(|queue| Due {
        queue: queue.name(),
        channels: due.iter().filter(|due| due.queue == queue).count(),
    });
    let plan = PlanOfSweep {
        due: due.len(),
        by_queue: by_queue.filter(|due| due.channels > 0).collect(),
    };
    let parts: Vec<String> = plan
        .by_queue
        .iter()
        .map(|due| format!("{} {}", due.channels, due.queue))
        .collect();
    match (json, plan.due) {
        (true, _) => say::json(&plan)?,
        (false, 0) => say::aloud(&format!("Nothing is due in {}.", office.place())),
        (false, _) => say::aloud(&format!(
            "Due in {}: {}. Each is looked at again before anything is written.",
            office.place(),
            parts.join(", ")
        )),
    }
    Ok(())
}

fn print(summary: &Summary, json: bool) -> anyhow::Result<()> {
    if json {
        return say::json(summary);
    }
    let mut table = say::table(["", "Channels"]);
    for (what, count) in counts(summary) {
        table.add_row([what.to_owned(), count.to_string()]);
    }
    say::print(&table)?;
    say::aloud(&format!(
        "{} requests to Twilio; {} open tasks seen.",
        summary.calls, summary.open_tasks
    ));
    Ok(())
}

/// What there is to count, leaving out what did not occur.
fn counts(summary: &Summary) -> impl Iterator<Item = (&'static str, usize)> {
    [
        ("due", summary.due),
        ("closed", summary.closed),
        ("released, their reset follows", summary.released),
        ("already clean", summary.already_clean),
        ("gone at Twilio", summary.gone),
        ("Proxy session ended", summary.sessions_ended),
        ("an agent is at work after all", summary.open_again),
        ("not due any more", summary.not_due),
        ("put off to the next sweep", summary.deferred),
        ("refused or unanswered, to be tried again", summary.retried),
        ("given up", summary.failed),
        ("would be written to", summary.would_write),
        ("not begun", summary.left),
        ("closed while a task arrived", summary.raced),
    ]
    .into_iter()
    .filter(|(what, count)| *what == "due" || *count > 0)
}
