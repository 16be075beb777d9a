//! Works out a plan for the findings of a report, from the snapshot alone.
//!
//! A fault that cannot be meant is repaired by default. A repair that changes at once
//! what customers meet, or that undoes what may be meant, is planned only if its rule is named.
//! The steps of a person come first; a repair that something else prevents is listed as
//! blocked.

use domain::StudioFlowSid;

use crate::draft::Draft;
use crate::expectations::Expectations;
use crate::repair::Repair;
use crate::report::{Finding, Report};
use crate::rules::{RepairFn, Repairer, Rule};
use crate::snapshot::Snapshot;
use crate::subject::Subject;

/// The choices of an operator.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The rules that are named. If there are none, those that are repaired by default.
    pub rules: Vec<&'static Rule>,
    /// The SIDs of the subjects to be repaired. If there are none, all.
    pub subjects: Vec<String>,
    /// The Studio flow that messages are to take.
    pub studio_flow: Option<StudioFlowSid>,
    /// The Studio flow that calls are to take.
    pub voice_flow: Option<StudioFlowSid>,
}

/// The steps to be taken, in this order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The steps of a person.
    pub manual_steps: Vec<ManualStep>,
    /// The repairs that [`apply`](crate::apply) makes.
    pub repairs: Vec<Repair>,
    /// The repairs that something else prevents.
    pub blocked: Vec<Blocked>,
    /// The rules whose repairs are made only if they are named, with their findings counted.
    pub offers: Vec<(&'static Rule, usize)>,
}

/// A step of a person.
#[derive(Clone, Debug)]
pub struct ManualStep {
    /// The rule whose remedy it is.
    pub rule: &'static Rule,
    /// The things that it concerns.
    pub subjects: Vec<Subject>,
    /// The next step, which a checkup makes.
    pub then: Option<String>,
}

/// A repair that something else prevents.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// The rule whose repair it is.
    pub rule: &'static Rule,
    /// The thing that it concerns.
    pub subject: Subject,
    /// The obstacle.
    pub why: &'static str,
}

/// Works out a plan for a report on this snapshot.
pub fn plan(snapshot: &Snapshot, wanted: &Expectations, report: &Report, choice: &Choice) -> Plan {
    let mut planner = Planner {
        choice,
        plan: Plan::default(),
        draft: Draft::new(snapshot, wanted, choice.studio_flow, choice.voice_flow),
    };
    for finding in &report.findings {
        planner.take(finding);
    }
    Plan {
        repairs: planner.draft.into_repairs(),
        ..planner.plan
    }
}

struct Planner<'a> {
    choice: &'a Choice,
    plan: Plan,
    draft: Draft<'a>,
}

impl Planner<'_> {
    fn take(&mut self, finding: &Finding) {
        let chosen = &self.choice.subjects;
        if !chosen.is_empty() && !chosen.iter().any(|sid| finding.subject.is_at(sid)) {
            return;
        }
        let rule = finding.rule;
        let named = self.choice.rules.iter().any(|one| one.id == rule.id);
        let unnamed = !named && !self.choice.rules.is_empty();
        match rule.repairer {
            Repairer::Person => self.manual_step(finding, None),
            Repairer::PersonFirst(then) => {
                self.manual_step(finding, Some(then(self.draft.snapshot)))
            }
            Repairer::Named(_) if !named => self.offer(rule),
            Repairer::Default(_) if unnamed => {}
            Repairer::Default(repair) | Repairer::Named(repair) => self.repair(finding, repair),
        }
    }

    fn manual_step(&mut self, finding: &Finding, then: Option<String>) {
        let rule = finding.rule;
        let subject = finding.subject.clone();
        let mut manual_steps = self.plan.manual_steps.iter_mut();
        match manual_steps.find(|one| one.rule.id == rule.id) {
            Some(known) => known.subjects.push(subject),
            None => self.plan.manual_steps.push(ManualStep {
                rule,
                subjects: vec![subject],
                then,
            }),
        }
    }

    fn offer(&mut self, rule: &'static Rule) {
        let mut offers = self.plan.offers.iter_mut();
        match offers.find(|(one, _)| one.id == rule.id) {
            Some((_, count)) => *count += 1,
            None => self.plan.offers.push((rule, 1)),
        }
    }

    fn repair(&mut self, finding: &Finding, repair: RepairFn) {
        if let Err(why) = repair(&mut self.draft, &finding.subject) {
            self.plan.blocked.push(Blocked {
                rule: finding.rule,
                subject: finding.subject.clone(),
                why,
            });
        }
    }
}
