//! `janitor sweep`: the real sweep, once, by hand.

use std::time::Duration;

use ::sweep::{Mode, Settings, Stop, Summary, Sweep, SweepError};
use clap::Args;
use domain::{Queue, Suspension};
use runtime::common;
use serde::Serialize;

use crate::confirm::Common;
use crate::context::{self, Context};
use crate::stack::Override;
use output::Outcome;

/// Longest run of a sweep by hand.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(840);

/// Options of a sweep.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Reads at Twilio and reports what it would write, but writes nothing there
    #[arg(long, conflicts_with_all = ["yes", "plan"])]
    observe: bool,
    /// Stops every sweep and the parking of chats at once, until --resume
    #[arg(long, conflicts_with_all = ["observe", "yes", "plan"])]
    stop: bool,
    /// Lets sweeps write again after --stop, or after the fuse has blown
    #[arg(long, conflicts_with_all = ["stop", "observe", "yes", "plan"])]
    resume: bool,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    common: Common,
}

/// Channels that are due by the table alone.
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

/// Result of `--stop` and `--resume`.
#[derive(Debug, Serialize)]
struct Suspended {
    /// `stopped`, or nothing.
    suspended: Option<&'static str>,
}

/// Sweeps, or says what is due, or stops all sweeps or resumes them.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    if options.stop || options.resume {
        return suspend(options).await;
    }
    let context = Context::open_with_twilio(&options.common.place).await?;
    let context = context.by_stack(options.by).await?;
    if !options.observe {
        let confirmed = options.common.confirm.is_given();
        let due = plan(&context, options.common.json && !confirmed).await?;
        if due == 0 && !confirmed {
            return Ok(Outcome::Good);
        }
        let ends_here = options.common.confirm.ends_here();
        if let Some(outcome) = ends_here.or_else(|| context.refuse_observing_stack()) {
            return Ok(outcome);
        }
        if let Some(suspension) = context.table().suspension(context.now()).await? {
            output::status(&format!(
                "Nothing was written: {}. `janitor sweep --resume` lets sweeps write again.",
                in_words(suspension, &context)
            ));
            return Ok(Outcome::NotConfirmed);
        }
    }
    let mut settings = Settings::read_at(context.environment(), context.aws())?;
    if options.observe {
        settings.plan.mode = Mode::Observe;
    }
    let sweep = Sweep::new(settings, context::transport()?);
    let (summary, outcome) = match sweep.run(context.now(), MAX_TIME).await {
        Ok(summary) => {
            let outcome = outcome_of(&summary);
            (summary, outcome)
        }
        Err(SweepError::Stopped(summary)) => {
            output::status("The sweep stopped, and a person must look.");
            (*summary, Outcome::CheckFailed)
        }
        Err(error) => return Err(error.into()),
    };
    print(&summary, options.common.json)?;
    Ok(outcome)
}

/// Stops the sweeps, or resumes them. This is the one write that asks for no `--yes`: it must
/// take seconds, and it writes nothing at Twilio.
async fn suspend(options: &Options) -> anyhow::Result<Outcome> {
    let context = Context::open(&options.common.place).await?;
    let (table, now) = (context.table(), context.now());
    if options.stop {
        let since = table.stop(now).await?;
        output::success(&format!(
            "No sweep writes at Twilio and no chat is parked, since {} UTC, until `janitor sweep --resume`. A sweep that is under way ends within seconds.",
            output::moment(since)
        ));
    } else {
        match table.suspension(now).await? {
            Some(suspension) => {
                output::status(&format!("It was so: {}.", in_words(suspension, &context)))
            }
            None => output::status("Sweeps were not suspended; the fuse begins to count anew."),
        }
        table.resume().await?;
        output::success("Sweeps write again, as the stack's settings say.");
    }
    if options.common.json {
        output::json(&Suspended {
            suspended: options.stop.then_some("stopped"),
        })?;
    }
    Ok(Outcome::Good)
}

/// Returns why sweeps do not write, as the beginning of a sentence.
pub(crate) fn in_words(suspension: Suspension, context: &Context) -> String {
    let ago = |at| output::from_now(at, context.now());
    match suspension {
        Suspension::Stopped { since } => format!("a person stopped all sweeps {}", ago(since)),
        Suspension::FuseBlown(blown) => format!(
            "the fuse blew {}, after {} closings within an hour, and holds until {} UTC",
            ago(blown.since),
            blown.count,
            output::moment(blown.until)
        ),
    }
}

/// Returns the outcome of a sweep that ran: a guard that stopped it is for a person.
fn outcome_of(summary: &Summary) -> Outcome {
    match summary.stopped {
        Some(Stop::TooManyCloses) if summary.suspended.is_some() => {
            output::status(
                "The fuse has blown: more was due than MAX_CLOSES_PER_SWEEP within an hour. Look first; `janitor sweep --resume` goes on.",
            );
            Outcome::CheckFailed
        }
        Some(Stop::StoppedByPerson | Stop::TableIsDown) => {
            output::status("The sweep was stopped before its end.");
            Outcome::CheckFailed
        }
        Some(_) | None => Outcome::Good,
    }
}

/// Prints what is due, on standard output only where JSON is all that is asked for, and
/// returns how many channels are due.
async fn plan(context: &Context, json: bool) -> anyhow::Result<usize> {
    let policy = context.read(common::policy)?;
    let due = context.table().due(&policy, context.now()).await?;
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
        (true, _) => output::json(&plan)?,
        (false, 0) => output::status(&format!("Nothing is due in {}.", context.place())),
        (false, _) => output::status(&format!(
            "Due in {}: {}. Each is checked again before anything is written.",
            context.place(),
            parts.join(", ")
        )),
    }
    Ok(plan.due)
}

fn print(summary: &Summary, json: bool) -> anyhow::Result<()> {
    if json {
        return Ok(output::json(summary)?);
    }
    let mut table = output::Table::new(["", "Channels"]);
    for (what, count) in counts(summary) {
        table.add_row([what.to_owned(), count.to_string()]);
    }
    output::print(&table)?;
    output::status(&format!(
        "{} requests to Twilio; {} open tasks seen.",
        summary.calls, summary.open_tasks
    ));
    Ok(())
}

/// Returns the counts that are not zero.
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
        ("customers given a task", summary.rescued),
        ("customers who would be given a task", summary.would_rescue),
        (
            "customers whom the next sweep gives a task",
            summary.rescues_deferred,
        ),
        ("observed before, and still so", summary.observed_again),
        ("left as they are", summary.left),
        ("customers who wait unheard", summary.unheard),
        ("not started", summary.not_started),
        ("closed while a task arrived", summary.raced),
    ]
    .into_iter()
    .filter(|(what, count)| *what == "due" || *count > 0)
}
