//! The findings of the rules, and the rules that could not be applied.

use std::collections::BTreeMap;

use crate::rules::{Rule, Severity, all};
use crate::snapshot::{Snapshot, Unseen};
use crate::subject::Subject;
use crate::wanted::Wanted;

/// A thing that breaks a rule.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// The thing.
    pub subject: Subject,
    /// The fault, in words.
    pub found: String,
}

/// A rule that could not be applied.
#[derive(Clone, Debug)]
pub struct NotLooked {
    /// The rule.
    pub rule: &'static Rule,
    /// The resource that it needs, and why that could not be read.
    pub unseen: Unseen,
}

/// The result of an audit.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The findings, in the order of the rules.
    pub findings: Vec<Finding>,
    /// The rules that could not be applied.
    pub not_looked: Vec<NotLooked>,
}

/// Applies the rules for which `chosen` returns true.
pub fn audit(snapshot: &Snapshot, wanted: &Wanted, chosen: impl Fn(&Rule) -> bool) -> Report {
    let mut report = Report::default();
    for rule in all().filter(|rule| chosen(rule)) {
        match (rule.check)(snapshot, wanted) {
            Ok(found) => {
                let findings = found.into_iter().map(|(subject, found)| Finding {
                    rule,
                    subject,
                    found,
                });
                report.findings.extend(findings);
            }
            Err(unseen) => report.not_looked.push(NotLooked { rule, unseen }),
        }
    }
    report
}

impl Report {
    /// Returns the number of findings of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        let findings = self.findings.iter();
        findings
            .filter(|finding| finding.rule.severity == severity)
            .count()
    }

    /// Returns the number of findings of each rule that has any.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.rule.id).or_default() += 1;
        }
        counts
    }

    /// Returns true if every rule was applied and none found an error.
    pub fn is_sound(&self) -> bool {
        self.not_looked.is_empty() && self.count(Severity::Error) == 0
    }
}
