//! Output of the demo: progress on standard error, a table and the claims on standard
//! output, or all of it as JSON.

use std::fmt::{self, Write};
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use output::Table;
use serde::Serialize;
use sweep::Summary;

use super::Findings;
use super::backlog::Class;
use super::claims::{Claim, FinalState};
use super::customers::Scenario;
use super::world::World;

/// The story in numbers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Totals {
    channels: usize,
    events: usize,
    events_delivered: usize,
    webhook_requests: usize,
    sweeps: usize,
    due: usize,
    closed: usize,
    released: usize,
    already_clean: usize,
    gone: usize,
    open_again: usize,
    failed: usize,
    raced: usize,
    twilio_calls: u64,
    table_reads: u64,
    table_writes: u64,
}

pub(crate) fn totals(world: &World, final_state: &FinalState) -> Totals {
    let sum = |field: fn(&Summary) -> usize| world.swept.iter().map(field).sum();
    Totals {
        channels: final_state.customers.len(),
        events: world.delivered.distinct,
        events_delivered: world.delivered.events,
        webhook_requests: world.delivered.requests,
        sweeps: world.swept.len(),
        due: sum(|sweep| sweep.due),
        closed: sum(|sweep| sweep.closed),
        released: sum(|sweep| sweep.released),
        already_clean: sum(|sweep| sweep.already_clean),
        gone: sum(|sweep| sweep.gone),
        open_again: sum(|sweep| sweep.open_again),
        failed: sum(|sweep| sweep.failed),
        raced: sum(|sweep| sweep.raced),
        twilio_calls: world.swept.iter().map(|sweep| sweep.calls).sum(),
        table_reads: world.aws.tally("GetItem").requests + world.aws.tally("Query").requests,
        table_writes: world.aws.tally("PutItem").requests,
    }
}

/// The progress bar; on a terminal only, and never beside JSON.
pub(crate) struct Progress(ProgressBar);

/// The bar's steps.
const STEPS: u64 = 1000;

impl Progress {
    pub(crate) fn new(json: bool) -> Self {
        let target = if json || !io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(STEPS), target);
        if let Ok(style) = ProgressStyle::with_template("{msg:44} {bar:30} {percent:>3} %") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn says(&self, what: &str) {
        self.0.set_message(what.to_owned());
        self.0.tick();
    }

    pub(crate) fn advances(&self, share: f64, summary: &Summary) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of the bar, between 0 and its length"
        )]
        self.0.set_position((share * STEPS as f64) as u64);
        if summary.due > 0 {
            self.says(&format!(
                "swept {} due: {} closed, {} released",
                summary.due, summary.closed, summary.released
            ));
        }
    }

    pub(crate) fn ends(&self) {
        self.0.finish_and_clear();
    }
}

/// Prints the findings: those of the first act, of which there are so many, then the others.
pub(crate) fn print(
    json: bool,
    findings: &Findings,
    first_act: usize,
    classes: &[Table; 2],
) -> anyhow::Result<()> {
    if json {
        return Ok(output::json(findings)?);
    }
    Ok(output::print(&in_words(findings, first_act, classes)?)?)
}

fn in_words(
    findings: &Findings,
    first_act: usize,
    classes: &[Table; 2],
) -> Result<String, fmt::Error> {
    let mut out = String::new();
    let totals = &findings.summary;
    writeln!(
        out,
        "Three days of a contact centre: {} channels, {} events. Twilio delivered {} of them,\n\
         duplicated, shuffled, some hours late, in {} signed requests. {} sweeps followed.\n",
        totals.channels,
        totals.events,
        totals.events_delivered,
        totals.webhook_requests,
        totals.sweeps
    )?;
    let (first, second) = findings.claims.split_at(first_act);
    writeln!(out, "{}\n", classes[0])?;
    writeln!(out, "{}\n", findings.parking.in_words())?;
    writeln!(out, "{}\n", findings.rescue.in_words())?;
    claims(&mut out, first)?;
    writeln!(
        out,
        "\nThe day of the installation, with a backlog of weeks, Chat and Conversations side by\n\
         side, and events that never arrive. Reconcile finds what no event reported.\n"
    )?;
    writeln!(out, "{}\n", classes[1])?;
    claims(&mut out, second)?;
    let broken = findings.claims.iter().filter(|claim| !claim.holds).count();
    match broken {
        0 => write!(out, "\nAll {} claims hold.", findings.claims.len())?,
        _ => write!(
            out,
            "\n{broken} of {} claims do not hold.",
            findings.claims.len()
        )?,
    }
    Ok(out)
}

/// The claims that are not of one class, whose own are the table.
fn claims(out: &mut String, claims: &[Claim]) -> fmt::Result {
    for claim in claims.iter().filter(|claim| !claim.of_class) {
        let mark = if claim.holds { "holds " } else { "BROKEN" };
        writeln!(out, "  {mark}  {} ({})", claim.name, claim.detail)?;
    }
    Ok(())
}

/// The table of the first act.
pub(crate) fn classes(final_state: &FinalState) -> Table {
    table(Scenario::ALL.into_iter().map(|scenario| {
        let (kept, all) = final_state.kept(scenario);
        Class {
            story: scenario.story(),
            promise: scenario.promise(),
            kept,
            all,
        }
    }))
}

/// The table of the second act.
pub(crate) fn backlog(classes: &[Class]) -> Table {
    table(classes.iter().copied())
}

fn table(classes: impl Iterator<Item = Class>) -> Table {
    let mut table = Table::new(["What happened", "What is promised", "Channels", "Kept"]);
    for class in classes {
        table.add_row([
            class.story.to_owned(),
            class.promise.to_owned(),
            class.all.to_string(),
            if class.kept == class.all {
                "all".to_owned()
            } else {
                format!("ONLY {}", class.kept)
            },
        ]);
    }
    table.align_right(&[2, 3]);
    table
}
