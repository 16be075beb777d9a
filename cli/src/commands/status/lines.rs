//! The ten lines of `status`.

use std::time::Duration;

use domain::{Queue, Timestamp};
use output::{Labelled, State};
use serde_json::Value;

use super::{Run, Status};

/// Counts of a sweep that a line names, with their words.
const SWEPT: [(&str, &str); 9] = [
    ("closed", "closed"),
    ("released", "released"),
    ("already_clean", "already clean"),
    ("left", "left"),
    ("would_write", "would be written to"),
    ("retried", "to be tried again"),
    ("failed", "given up"),
    ("not_started", "not started"),
    ("unheard", "unheard"),
];

/// Counts of a reconciliation that found something.
const RECONCILED: [(&str, &str); 5] = [
    ("new_from_log", "new from the log"),
    ("found_open", "found open"),
    ("found_over", "found over"),
    ("orphans", "orphans"),
    ("still_open", "still open"),
];

impl Status {
    pub(super) fn lines(&self) -> Labelled {
        let mut lines = Labelled::default();
        // `janitor local` goes on between the reading of its clock and that of its table.
        let ago = |at: Timestamp| output::from_now(at.min(self.now_ms), self.now_ms);
        lines.add(
            "Place",
            format!("{}, {} UTC", self.place, output::moment(self.now_ms)),
        );
        lines.add("Mode", self.mode());
        lines.add("Cutoffs", self.cutoffs());
        lines.add(
            "Events",
            match (self.last_event_ms, &self.last_test_event) {
                (Some(at), Some(test)) => format!(
                    "the last event arrived {}, the last test event arrived {}",
                    ago(at),
                    ago(test.at_ms)
                ),
                (Some(at), None) => format!("the last event arrived {}", ago(at)),
                (None, Some(test)) => format!("the last test event arrived {}", ago(test.at_ms)),
                (None, None) => {
                    "no event arrived lately; `janitor connect` sends a test event".to_owned()
                }
            },
        );
        let run = |run: &Option<Run>, counts: &[(&str, &str)]| match run {
            Some(run) => format!("{}: {}", ago(run.at_ms), result(&run.result, counts)),
            None => "has not run yet".to_owned(),
        };
        lines.add("Sweep", run(&self.last_runs.sweep, &SWEPT));
        lines.add("Reconcile", run(&self.last_runs.reconcile, &RECONCILED));
        lines.add("Waiting", self.waiting());
        lines.add(
            "Channels",
            format!(
                "{} open with {}, {} left, {} held, {} given up, {} closed",
                self.state(State::Open),
                output::counted(self.parked_tasks, "parked task"),
                self.state(State::Left),
                self.held,
                self.failed,
                self.state(State::Closed),
            ),
        );
        lines.add("Fuse", self.fuse());
        let needs = self.needs();
        lines.add(
            "Needs you",
            match needs.is_empty() {
                true => "nothing".to_owned(),
                false => needs.join("; "),
            },
        );
        lines
    }

    fn setting(&self, name: &str) -> Option<&str> {
        let setting = self.settings.get(name).map(String::as_str);
        setting.filter(|text| !text.is_empty())
    }

    fn mode(&self) -> String {
        match (self.setting("SWEEP_MODE"), self.setting("SWEEP_ACTION")) {
            (None, _) => "not known: no sweep has run yet".to_owned(),
            (Some("observe"), _) => "sweeps only observe".to_owned(),
            (Some(_), Some("delete")) => "sweeps act, and delete Chat channels".to_owned(),
            (Some(_), _) => "sweeps act".to_owned(),
        }
    }

    fn cutoffs(&self) -> String {
        let cutoffs = [
            ("ABANDONED_CUTOFF", "abandoned"),
            ("ENDED_CUTOFF", "ended"),
            ("LONG_LIVED_CUTOFF", "long-lived"),
            ("QUIET_CUTOFF", "quiet"),
            ("PUT_ASIDE_CUTOFF", "put aside"),
            ("ORPHAN_CUTOFF", "orphans"),
        ];
        let known = cutoffs
            .into_iter()
            .filter_map(|(name, word)| Some(format!("{word} {}", days(self.setting(name)?))));
        let known: Vec<String> = known.collect();
        match known.is_empty() {
            true => "not known".to_owned(),
            false => known.join(", "),
        }
    }

    fn waiting(&self) -> String {
        let members = self.queues.iter().filter(|row| row.waiting > 0);
        let names = members.map(|row| format!("{} {}", row.waiting, row.queue));
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            return "nothing".to_owned();
        }
        // What was observed waits for another mode, and for no sweep.
        let others = self.queues.iter();
        let others = others.filter(|row| row.queue != Queue::Observed.name());
        let due: usize = others.clone().map(|row| row.due).sum();
        let overdue = others.clone().map(|row| row.oldest_overdue_seconds).max();
        let next = others.filter_map(|row| row.next_due_at_ms);
        let next: Option<Timestamp> = next.filter(|at| *at > self.now_ms).min();
        let when = match (due, next) {
            (0, None) => String::new(),
            (0, Some(next)) => format!("; the next is due {}", output::from_now(next, self.now_ms)),
            (due, _) => format!(
                "; {due} due, the oldest for {}",
                output::duration(Duration::from_secs(overdue.unwrap_or(0)))
            ),
        };
        format!("{}{when}", names.join(", "))
    }

    fn fuse(&self) -> String {
        match (&self.fuse.why, self.setting("MAX_CLOSES_PER_SWEEP")) {
            (Some(why), _) => why.clone(),
            (None, Some(cap)) => format!(
                "whole: {} of at most {cap} closings in the last hour",
                self.fuse.closes
            ),
            (None, None) => format!("whole: {} closings in the last hour", self.fuse.closes),
        }
    }

    /// Returns what only a person can put right.
    fn needs(&self) -> Vec<String> {
        let mut needs = Vec::new();
        if self.fuse.suspended.is_some() {
            needs.push(
                "sweeps must not write: look first, then `janitor sweep --resume`".to_owned(),
            );
        }
        let counts = [
            (self.unheard, "unheard customer", "", "list --unheard"),
            (self.failed, "channel", " given up", "retry --failed"),
            (self.unreadable, "unreadable record", "", "list"),
        ];
        for (count, one, what, command) in counts.into_iter().filter(|(count, ..)| *count > 0) {
            let counted = output::counted(count, one);
            needs.push(format!("{counted}{what}: `janitor {command}`"));
        }
        needs
    }
}

/// Returns a duration in days where that is shorter to read.
fn days(text: &str) -> String {
    match output::parse_duration(text) {
        Ok(duration) => output::duration(duration),
        Err(_) => text.to_owned(),
    }
}

/// Returns the result of a run in words: the counts that are not zero.
fn result(result: &Value, counts: &[(&str, &str)]) -> String {
    if let Some(error) = result["error"].as_str() {
        return format!("failed ({error})");
    }
    let found = counts.iter().filter_map(|(name, word)| {
        let count = result[*name].as_u64().filter(|count| *count > 0)?;
        Some(format!("{count} {word}"))
    });
    let found: Vec<String> = found.collect();
    let found = match (found.is_empty(), result["due"].as_u64()) {
        (true, Some(0) | None) => "nothing to do".to_owned(),
        (true, Some(due)) => format!("{due} due"),
        (false, Some(due)) => format!("{due} due, {}", found.join(", ")),
        (false, None) => found.join(", "),
    };
    match result["stopped"].as_str() {
        Some(stopped) => format!("{found}; stopped ({stopped})"),
        None => found,
    }
}
