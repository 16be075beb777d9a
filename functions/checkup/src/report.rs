//! The findings of the rules, and the rules that could not be applied.

use std::collections::BTreeMap;

use crate::expectations::Expectations;
use crate::rules::{Rule, Severity, all};
use crate::snapshot::{Snapshot, Unavailable};
use crate::subject::Subject;

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
pub struct SkippedRule {
    /// The rule.
    pub rule: &'static Rule,
    /// The resource that it needs, and why that could not be read.
    pub unavailable: Unavailable,
}

/// The result of an audit.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The findings, in the order of the rules.
    pub findings: Vec<Finding>,
    /// The rules that could not be applied.
    pub skipped_rules: Vec<SkippedRule>,
}

/// Applies the rules for which `chosen` returns true.
pub fn audit(snapshot: &Snapshot, wanted: &Expectations, chosen: impl Fn(&Rule) -> bool) -> Report {
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
            Err(unavailable) => report.skipped_rules.push(SkippedRule { rule, unavailable }),
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
        self.skipped_rules.is_empty() && self.count(Severity::Error) == 0
    }
}
