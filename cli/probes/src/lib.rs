//! Probes: `docs/beliefs.md` as questions that are asked of a Twilio account read-only.
//!
//! [`Readings::fetch`] reads a sample of the account, at most about a hundred requests, all of
//! them GET. [`judge`] then answers each probe of [`all`] from the readings, purely. The answers
//! hold counts and texts of our own, so that a user can attach them to an issue.

mod answer;
mod channels;
mod endpoints;
mod fetch;
mod readings;
mod taskrouter;

use serde::Serialize;

pub use answer::Answer;
pub use fetch::Stop;
pub use readings::Readings;

use answer::Judged;

/// One question, the beliefs that depend on it, and the way to answer it.
pub struct Probe {
    /// The name by which reports know it.
    pub id: &'static str,
    /// The rows of `docs/beliefs.md` that it is about.
    pub beliefs: &'static [&'static str],
    /// The question, whose expected answer is yes.
    pub question: &'static str,
    judge: fn(&Readings) -> Judged,
}

/// A probe with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The probe's id.
    pub probe: &'static str,
    /// The rows of `docs/beliefs.md` that it is about.
    pub beliefs: &'static [&'static str],
    /// The question, whose expected answer is yes.
    pub question: &'static str,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// The answers to all probes, in the order of [`all`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The number of probes whose answer is as expected.
    pub as_expected: usize,
    /// The number of probes with another answer.
    pub differ: usize,
    /// The number of probes that could not be asked.
    pub not_asked: usize,
    /// It was stopped before everything was asked.
    pub interrupted: bool,
    /// The answers.
    pub probes: Vec<Asked>,
}

/// Returns every probe, those of one product together.
pub fn all() -> impl Iterator<Item = &'static Probe> {
    endpoints::PROBES
        .iter()
        .chain(taskrouter::PROBES)
        .chain(channels::PROBES)
}

/// Answers every probe from the readings.
pub fn judge(readings: &Readings) -> Report {
    let mut report = Report {
        interrupted: readings.interrupted,
        ..Report::default()
    };
    for probe in all() {
        let answer = match (probe.judge)(readings) {
            Ok(answer) | Err(answer) => answer,
        };
        match answer {
            Answer::AsExpected { .. } => report.as_expected += 1,
            Answer::Differs { .. } => report.differ += 1,
            Answer::NotAsked { .. } => report.not_asked += 1,
        }
        report.probes.push(Asked {
            probe: probe.id,
            beliefs: probe.beliefs,
            question: probe.question,
            answer,
        });
    }
    report
}
