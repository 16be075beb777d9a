//! `janitor reconcile`: finds what the stream of events did not bring.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::sweep::{Found, Order, Reconciled, Settings, Sweep};
use clap::Args;
use serde::Serialize;

use crate::confirm::Common;
use crate::context::{self, Context};
use crate::stack::Override;
use output::Outcome;

/// Longest run by hand.
const TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Options of a reconciliation.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Part of TaskRouter's log to read, such as 72h or 30d, which is all that it keeps
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = output::parse_duration,
        default_value = "72h"
    )]
    since: Duration,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    common: Common,
}

/// Counts, and every channel that was found.
#[derive(Debug, Serialize)]
struct ReconcileOutput<'a> {
    #[serde(flatten)]
    report: &'a Reconciled,
    found: &'a [Found],
}

/// Reconciles, or says what there is to be found.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let context = Context::open_with_twilio(&options.common.place).await?;
    let context = context.by_stack(options.by).await?;
    if options.common.confirm.is_given()
        && let Some(outcome) = context.refuse_unknown_stack()
    {
        return Ok(outcome);
    }
    let settings = Settings::read_at(context.environment(), context.aws())?;
    let sweep = Sweep::new(settings, context::transport()?);
    let order = Order::since(options.since);
    let order = match options.common.confirm.is_given() {
        true => order,
        false => order.read_only(),
    };
    let found = Mutex::new(Vec::new());
    let progress = output::Progress::counting("channels found");
    let listen = |one: Found| {
        progress.one_more();
        found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(one);
    };
    let report = sweep.reconcile(order, context.now(), TIME, &listen).await;
    drop(progress);
    let report = report?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|one| one.channel);
    if options.common.json {
        let found = &found;
        output::json(&ReconcileOutput {
            report: &report,
            found,
        })?;
    } else {
        print(&report, &found)?;
    }
    for missing in &report.unavailable {
        output::failure(&format!(
            "{} cannot be listed: {}",
            missing.what, missing.why
        ));
    }
    if let Some(stop) = report.stopped {
        output::failure(&format!(
            "It stopped before its end ({}): what is missing is found by another run.",
            stop.name()
        ));
    }
    let ends_here = match found.is_empty() {
        true => None,
        false => options.common.confirm.ends_here(),
    };
    let all_read = report.whole && report.unavailable.is_empty();
    Ok(match ends_here {
        Some(outcome) => outcome,
        None if all_read => Outcome::Good,
        None => Outcome::CheckFailed,
    })
}

fn print(report: &Reconciled, found: &[Found]) -> anyhow::Result<()> {
    if !found.is_empty() {
        let mut table = output::Table::new(["Channel", "Found"]);
        for one in found {
            table.add_row([one.channel.to_string(), one.finding.to_string()]);
        }
        output::print(&table)?;
    }
    output::status(&format!(
        "{} events since {} ({} unreadable), {} open tasks, {} open Proxy sessions, {} open \
         Conversations; {} requests to Twilio.",
        report.events,
        output::moment(report.from_ms),
        report.unreadable,
        report.open_tasks,
        report.sessions,
        report.conversations,
        report.calls,
    ));
    let skipped: Vec<String> = report
        .skipped
        .iter()
        .map(|(why, count)| format!("{count} {why}"))
        .collect();
    if !skipped.is_empty() {
        output::status(&format!("Left alone: {}.", skipped.join(", ")));
    }
    output::status(&match (found.len(), report.wrote) {
        (0, _) => "Nothing was found that is not known.".to_owned(),
        (count, true) => format!(
            "Taken in: {}. Nothing was closed: the sweep looks at each again.",
            output::counted(count, "channel")
        ),
        (count, false) => format!("Plan: {} to take in.", output::counted(count, "channel")),
    });
    Ok(())
}
