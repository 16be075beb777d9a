//! `janitor reconcile`: finds what the stream of events did not bring.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::sweep::{Found, Order, Reconciled, Settings, Sweep};
use clap::Args;
use serde::Serialize;

use crate::consent::Consent;
use crate::exit::Outcome;
use crate::hold::duration;
use crate::office::{self, Office, Place};
use crate::say;

/// A run by hand goes on until it is through, or somebody ends it.
const TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How to reconcile.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How much of TaskRouter's log to read, such as 72h or 30d, which is all that it keeps
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration,
        default_value = "72h"
    )]
    since: Duration,
    #[command(flatten)]
    consent: Consent,
    /// Prints what was found as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What was found, in numbers and channel by channel.
#[derive(Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    report: &'a Reconciled,
    found: &'a [Found],
}

/// Reconciles, or says what there is to be found.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let office = Office::open(&options.place).await?;
    let settings = Settings::read_at(office.environment(), office.aws())?;
    let sweep = Sweep::new(settings, office::transport()?);
    let order = Order::since(options.since);
    let order = match options.consent.is_given() {
        true => order,
        false => order.read_only(),
    };
    let found = Mutex::new(Vec::new());
    let progress = say::Progress::counting("channels found");
    let listen = |one: Found| {
        progress.one_more();
        found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(one);
    };
    let report = sweep.reconcile(order, office.now(), TIME, &listen).await;
    drop(progress);
    let report = report?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|one| one.channel);
    if options.json {
        let found = &found;
        say::json(&Told {
            report: &report,
            found,
        })?;
    } else {
        print(&report, &found)?;
    }
    for missing in &report.unavailable {
        say::cross(&format!(
            "{} cannot be listed: {}",
            missing.what, missing.why
        ));
    }
    if let Some(stop) = report.stopped {
        say::cross(&format!(
            "It stopped before its end ({stop:?}): what is missing is found by another run."
        ));
    }
    let ends_here = match found.is_empty() {
        true => None,
        false => options.consent.ends_here(),
    };
    let all_read = report.whole && report.unavailable.is_empty();
    Ok(match ends_here {
        Some(outcome) => outcome,
        None if all_read => Outcome::Good,
        None => Outcome::Broken,
    })
}

fn print(report: &Reconciled, found: &[Found]) -> anyhow::Result<()> {
    if !found.is_empty() {
        let mut table = say::table(["Channel", "Found"]);
        for one in found {
            table.add_row([one.channel.to_string(), one.finding.to_string()]);
        }
        say::print(&table)?;
    }
    say::aloud(&format!(
        "{} events since {} ({} unreadable), {} open tasks, {} open Proxy sessions, {} open \
         Conversations; {} requests to Twilio.",
        report.events,
        say::moment(report.from_ms),
        report.unreadable,
        report.open_tasks,
        report.sessions,
        report.conversations,
        report.calls,
    ));
    let spared: Vec<String> = report
        .skipped
        .iter()
        .map(|(why, count)| format!("{count} {why}"))
        .collect();
    if !spared.is_empty() {
        say::aloud(&format!("Left alone: {}.", spared.join(", ")));
    }
    say::aloud(&match (found.len(), report.wrote) {
        (0, _) => "Nothing was found that is not known.".to_owned(),
        (count, true) => format!(
            "{count} channels were taken in. Nothing was closed: the sweep looks at each again."
        ),
        (count, false) => format!("{count} channels would be taken in."),
    });
    Ok(())
}
