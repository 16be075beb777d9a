//! The answers of the probes, on standard output.

use ::probes::{Answer, Report};
use output::{Outcome, Table};

/// Prints the answers. Another answer than the expected one is what a check that does not hold is.
pub(super) fn report(report: &Report, json: bool) -> anyhow::Result<Outcome> {
    match json {
        true => output::json(report)?,
        false => table(report)?,
    }
    output::status(&format!(
        "{} as expected, {} otherwise, {} not asked.",
        report.as_expected, report.differ, report.not_asked
    ));
    if !json {
        output::status(
            "The output of --json holds no customer data and can be attached to an issue.",
        );
    }
    if report.differ > 0 {
        return Ok(Outcome::CheckFailed);
    }
    anyhow::ensure!(!report.interrupted, "not everything was asked");
    Ok(Outcome::Good)
}

fn table(report: &Report) -> anyhow::Result<()> {
    let mut table = Table::new(["Question", "Answer", "What it changes"]);
    for asked in &report.probes {
        let (answer, changes) = match &asked.answer {
            Answer::AsExpected { .. } => ("as expected".to_owned(), ""),
            Answer::Differs {
                seen,
                differing,
                changes,
            } => (format!("differs in {differing} of {seen}"), *changes),
            Answer::NotAsked { why, .. } => ("not asked".to_owned(), *why),
        };
        table.add_row([asked.question.to_owned(), answer, changes.to_owned()]);
    }
    Ok(output::print(&table)?)
}
