//! How the demo is told: progress on standard error, a table and the claims on standard
//! output, or all of it as JSON.

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use sweep::Summary;

use super::Findings;
use super::cast::Fate;
use super::claims::Curtain;
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
    live_again: usize,
    failed: usize,
    raced: usize,
    twilio_calls: u64,
    table_reads: u64,
    table_writes: u64,
}

pub(crate) fn totals(world: &World, curtain: &Curtain) -> Totals {
    let sum = |field: fn(&Summary) -> usize| world.swept.iter().map(field).sum();
    Totals {
        channels: curtain.players.len(),
        events: world.delivered.distinct,
        events_delivered: world.delivered.events,
        webhook_requests: world.delivered.requests,
        sweeps: world.swept.len(),
        due: sum(|sweep| sweep.due),
        closed: sum(|sweep| sweep.closed),
        released: sum(|sweep| sweep.released),
        already_clean: sum(|sweep| sweep.already_clean),
        gone: sum(|sweep| sweep.gone),
        live_again: sum(|sweep| sweep.live_again),
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

/// Prints the findings.
pub(crate) fn print(json: bool, findings: &Findings, curtain: &Curtain) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, findings)?;
        writeln!(out)?;
        return Ok(());
    }
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
    writeln!(out, "{}\n", classes(curtain))?;
    writeln!(out, "{}\n", findings.parking.told())?;
    for claim in &findings.claims[Fate::ALL.len()..] {
        let mark = if claim.holds { "holds " } else { "BROKEN" };
        writeln!(out, "  {mark}  {} ({})", claim.name, claim.detail)?;
    }
    let broken = findings.claims.iter().filter(|claim| !claim.holds).count();
    match broken {
        0 => writeln!(out, "\nAll {} claims hold.", findings.claims.len())?,
        _ => writeln!(
            out,
            "\n{broken} of {} claims do not hold.",
            findings.claims.len()
        )?,
    }
    Ok(())
}

fn classes(curtain: &Curtain) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_header([
        "What happened",
        "What is promised",
        "Channels",
        "Kept",
    ]);
    for fate in Fate::ALL {
        let (kept, all) = curtain.kept(fate);
        table.add_row([
            fate.story().to_owned(),
            fate.promise().to_owned(),
            all.to_string(),
            if kept == all {
                "all".to_owned()
            } else {
                format!("ONLY {kept}")
            },
        ]);
    }
    for column in [2, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
