//! Output of a checkup: a table and a list of steps for people, one JSON object for programs.

use ::checkup::{Fix, Plan, Report, Rule, Severity, Subject};
use serde::Serialize;

use super::CheckupOutput;

/// Most findings of one rule in a table.
const SHOWN: usize = 10;

/// The JSON of a checkup.
#[derive(Serialize)]
struct Json<'a> {
    /// Everything was looked at and no error was found.
    sound: bool,
    errors: usize,
    warnings: usize,
    findings: Vec<JsonFinding<'a>>,
    skipped_rules: Vec<JsonSkippedRule<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<JsonPlan<'a>>,
    /// Repairs, made before the findings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    repaired: Vec<JsonRepair<'a>>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'static str,
    severity: Severity,
    subject: &'a Subject,
    found: &'a str,
    why: &'static str,
    remedy: &'static str,
    fix: Fix,
}

#[derive(Serialize)]
struct JsonSkippedRule<'a> {
    rule: &'static str,
    resource: &'a str,
    why: String,
}

#[derive(Serialize)]
struct JsonPlan<'a> {
    manual_steps: Vec<JsonManualStep<'a>>,
    repairs: Vec<JsonRepair<'a>>,
    blocked: Vec<JsonBlocked<'a>>,
    offers: Vec<JsonOffer>,
}

#[derive(Serialize)]
struct JsonManualStep<'a> {
    rule: &'static str,
    subjects: &'a [Subject],
    remedy: &'static str,
    then: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonRepair<'a> {
    subject: std::borrow::Cow<'a, Subject>,
    does: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
}

#[derive(Serialize)]
struct JsonBlocked<'a> {
    rule: &'static str,
    subject: &'a Subject,
    why: &'static str,
}

#[derive(Serialize)]
struct JsonOffer {
    rule: &'static str,
    findings: usize,
}

/// Prints one JSON object.
pub(super) fn json(told: &CheckupOutput) -> anyhow::Result<()> {
    let report = &told.report;
    let findings = report.findings.iter();
    let skipped_rules = report.skipped_rules.iter();
    let made = told.made.iter();
    Ok(output::json(&Json {
        sound: report.is_sound(),
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        findings: findings
            .map(|finding| JsonFinding {
                rule: finding.rule.id,
                severity: finding.rule.severity,
                subject: &finding.subject,
                found: &finding.found,
                why: finding.rule.why,
                remedy: finding.rule.remedy,
                fix: finding.rule.fix(),
            })
            .collect(),
        skipped_rules: skipped_rules
            .map(|one| JsonSkippedRule {
                rule: one.rule.id,
                resource: one.unavailable.resource,
                why: one.unavailable.why.to_string(),
            })
            .collect(),
        plan: told.plan.as_ref().map(json_plan),
        repaired: made
            .map(|(subject, does, result)| JsonRepair {
                subject: std::borrow::Cow::Borrowed(subject),
                does: does.clone(),
                made: Some(result.is_ok()),
                why_not: result.as_ref().err().map(ToString::to_string),
            })
            .collect(),
    })?)
}

fn json_plan(plan: &Plan) -> JsonPlan<'_> {
    let manual_steps = plan.manual_steps.iter().map(|manual_step| JsonManualStep {
        rule: manual_step.rule.id,
        subjects: &manual_step.subjects,
        remedy: manual_step.rule.remedy,
        then: manual_step.then.as_deref(),
    });
    let repairs = plan.repairs.iter().map(|repair| JsonRepair {
        subject: std::borrow::Cow::Owned(repair.subject()),
        does: repair.words(),
        made: None,
        why_not: None,
    });
    let blocked = plan.blocked.iter().map(|blocked| JsonBlocked {
        rule: blocked.rule.id,
        subject: &blocked.subject,
        why: blocked.why,
    });
    let offers = plan.offers.iter().map(|(rule, findings)| JsonOffer {
        rule: rule.id,
        findings: *findings,
    });
    JsonPlan {
        manual_steps: manual_steps.collect(),
        repairs: repairs.collect(),
        blocked: blocked.collect(),
        offers: offers.collect(),
    }
}

/// Prints the findings as a table on standard output, and says the rest on standard error.
pub(super) fn table(told: &CheckupOutput) -> anyhow::Result<()> {
    let report = &told.report;
    if !report.findings.is_empty() {
        let mut table = output::Table::new(["Rule", "Severity", "About", "Found"]);
        for (rule, rows) in by_rule(report) {
            for (subject, found) in rows.iter().take(SHOWN) {
                table.add_row([rule.id, rule.severity.word(), subject, found]);
            }
            if let Some(more) = rows.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                let more = format!("and {more} more, which --json lists");
                table.add_row([rule.id, rule.severity.word(), "…", &more]);
            }
        }
        output::print(&table)?;
    }
    for (why, rules) in skipped_rules(report) {
        let more = match rules.split_first() {
            Some((first, [])) => format!("{first} was not applied"),
            Some((first, others)) => {
                format!("{first} and {} other rules were not applied", others.len())
            }
            None => continue,
        };
        output::failure(&format!("{why}: {more}"));
    }
    if told.plan.is_none() {
        for (rule, _) in by_rule(report) {
            output::status(&format!(
                "\n{}: {}.\n  What to do ({}): {}.",
                rule.id,
                rule.why,
                rule.fix().words(),
                rule.remedy
            ));
        }
    }
    if let Some(steps) = &told.plan {
        plan(steps);
    }
    output::status(&summary(report));
    Ok(())
}

/// Returns the reasons for which rules were not applied, each once, with the rules' names.
fn skipped_rules(report: &Report) -> Vec<(String, Vec<&'static str>)> {
    let mut groups: Vec<(String, Vec<&'static str>)> = Vec::new();
    for one in &report.skipped_rules {
        // Without a network every resource fails alike: the resource's name adds nothing then.
        let why = one.unavailable.why.to_string();
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, rules)) => rules.push(one.rule.id),
            None => groups.push((why, vec![one.rule.id])),
        }
    }
    groups
}

/// The findings of each rule, as text, in the order of the rules.
fn by_rule(report: &Report) -> Vec<(&'static Rule, Vec<(String, &str)>)> {
    let mut groups: Vec<(&'static Rule, Vec<(String, &str)>)> = Vec::new();
    for finding in &report.findings {
        let row = (finding.subject.to_string(), finding.found.as_str());
        match groups.last_mut() {
            Some((rule, rows)) if rule.id == finding.rule.id => rows.push(row),
            Some(_) | None => groups.push((finding.rule, vec![row])),
        }
    }
    groups
}

/// Says what is to be done, in its order, on standard error.
pub(super) fn plan(plan: &Plan) {
    for manual_step in &plan.manual_steps {
        let count = manual_step.subjects.len();
        let about: Vec<String> = manual_step
            .subjects
            .iter()
            .take(3)
            .map(ToString::to_string)
            .collect();
        let more = if count > about.len() { ", …" } else { "" };
        output::status(&format!(
            "A person ({} for {}{more}): {}.",
            manual_step.rule.id,
            about.join(", "),
            manual_step.rule.remedy
        ));
        if let Some(then) = &manual_step.then {
            output::status(&format!("  Then: {then}."));
        }
    }
    for repair in &plan.repairs {
        output::status(&format!(
            "With --yes: {}: {}",
            repair.subject(),
            repair.words()
        ));
    }
    for blocked in &plan.blocked {
        output::status(&format!(
            "Not yet ({} for {}): {}.",
            blocked.rule.id, blocked.subject, blocked.why
        ));
    }
    for (rule, findings) in &plan.offers {
        output::status(&format!(
            "Only if named, with --only {} ({findings}): {}.",
            rule.id, rule.remedy
        ));
    }
}

fn summary(report: &Report) -> String {
    let errors = report.count(Severity::Error);
    let warnings = report.count(Severity::Warning);
    let skipped_rules = report.skipped_rules.len();
    let mut text = format!(
        "{}, {}",
        output::counted(errors, "error"),
        output::counted(warnings, "warning")
    );
    if skipped_rules > 0 {
        let rules = output::counted(skipped_rules, "rule");
        text.push_str(&format!(", {rules} not applied"));
    }
    if report.is_sound() && warnings == 0 {
        text = "Nothing is wrong.".to_owned();
    }
    text
}
