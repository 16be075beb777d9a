//! The changes since the last run.
//!
//! The last run is remembered as one note in the channel table: for each rule the number of
//! findings, and a digest of their subjects. That is enough to say which rules have new findings
//! or fewer, holds no personal data, and stays small however large the project is. A rule that
//! could not be applied this time keeps what was remembered of it.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::report::Report;

/// The number of bytes of a digest that are kept.
const DIGEST_BYTES: usize = 8;

/// The note of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The time of the run.
    pub at: Option<Timestamp>,
    /// The findings, by rule.
    pub rules: BTreeMap<String, Remembered>,
}

/// The findings of a rule, as they are remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The number of findings.
    pub count: usize,
    /// A digest of their subjects.
    pub digest: String,
}

/// A rule of which other findings were made than last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The rule.
    pub rule: String,
    /// The number of findings before.
    pub before: usize,
    /// The number of findings now.
    pub now: usize,
}

impl Memory {
    /// Returns the note of a run that came after the run of `before`.
    pub fn of(report: &Report, before: Option<&Self>, at: Timestamp) -> Self {
        let mut subjects: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for finding in &report.findings {
            let of_rule = subjects.entry(finding.rule.id).or_default();
            of_rule.push(finding.subject.to_string());
        }
        let mut rules: BTreeMap<String, Remembered> = subjects
            .into_iter()
            .map(|(rule, subjects)| (rule.to_owned(), Remembered::of(subjects)))
            .collect();
        for skipped_rules in &report.skipped_rules {
            let rule = skipped_rules.rule.id;
            let known = before.and_then(|before| before.rules.get(rule));
            rules.extend(known.map(|known| (rule.to_owned(), known.clone())));
        }
        Self {
            at: Some(at),
            rules,
        }
    }

    /// Returns the changes since an earlier run.
    pub fn since(&self, before: &Self) -> Vec<Drift> {
        let all: BTreeMap<&String, ()> = self
            .rules
            .keys()
            .chain(before.rules.keys())
            .map(|rule| (rule, ()))
            .collect();
        let count = |of: Option<&Remembered>| of.map_or(0, |one| one.count);
        all.into_keys()
            .filter(|rule| self.rules.get(*rule) != before.rules.get(*rule))
            .map(|rule| Drift {
                rule: rule.clone(),
                before: count(before.rules.get(rule)),
                now: count(self.rules.get(rule)),
            })
            .collect()
    }
}

impl Remembered {
    fn of(mut subjects: Vec<String>) -> Self {
        subjects.sort_unstable();
        let digest = Sha256::digest(subjects.join("\n"));
        Self {
            count: subjects.len(),
            digest: hex::encode(&digest[..DIGEST_BYTES]),
        }
    }
}
