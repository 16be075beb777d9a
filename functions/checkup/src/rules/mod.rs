//! The rules: plain functions from the snapshot to the faults in it.
//!
//! A rule that needs a resource that could not be read is skipped, by `?`. Where many things
//! depend on one that is missing, the rule about that one has a finding and the others have
//! none, so that a deleted workspace is one finding and not five hundred. "Right" is Twilio's
//! own default: Flex Flows lead to the project's Chat service and to a published Studio flow
//! that ends in Send to Flex, numbers lead to the Proxy service (Chat) or to an address
//! configuration (Conversations), and all events of tasks are sent to our webhook.
//!
//! Rules about Programmable Chat apply only where a message can still arrive by that way
//! ([`chat`]): a project that moved to Conversations leaves much behind that does no harm.
//!
//! A new rule is one entry in the table of its topic, with its check and its repair. Two tests
//! name the other places: a project that breaks it (`tests/audit/broken`) and its row in the
//! documentation.

mod chat;
mod conversations;
mod entries;
mod events;
mod flex_flows;
mod numbers;
mod project;
mod proxy;
mod routes;
mod studio;
mod taskrouter;
mod templates;

use serde::Serialize;

use crate::draft::Draft;
use crate::expectations::Expectations;
use crate::snapshot::{Snapshot, Unavailable};
use crate::subject::Subject;

/// The faults that a check found, or the resource that it could not read.
pub(crate) type Verdict = Result<Vec<(Subject, String)>, Unavailable>;

/// Adds to a draft the repair of the thing that a finding is about, or says why it cannot.
pub(crate) type RepairFn = fn(&mut Draft<'_>, &Subject) -> Result<(), &'static str>;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, which never changes.
    pub id: &'static str,
    /// The severity of its findings.
    pub severity: Severity,
    /// The harm that a finding does.
    pub why: &'static str,
    /// The remedy of its findings.
    pub remedy: &'static str,
    /// The party that repairs its findings.
    pub(crate) repairer: Repairer,
    pub(crate) check: fn(&Snapshot, &Expectations) -> Verdict,
}

impl Rule {
    /// Returns the party that repairs the rule's findings.
    pub const fn fix(&self) -> Fix {
        match self.repairer {
            Repairer::Default(_) => Fix::Default,
            Repairer::Named(_) => Fix::Named,
            Repairer::Person | Repairer::PersonFirst(_) => Fix::Person,
        }
    }
}

/// The party that repairs the findings of a rule, and with what.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Repairer {
    /// The checkup.
    Default(RepairFn),
    /// The checkup, if the rule is named.
    Named(RepairFn),
    /// A person.
    Person,
    /// A person, and the checkup after that: the function says what it does then.
    PersonFirst(fn(&Snapshot) -> String),
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Contacts or events are lost, or will be.
    Error,
    /// It is probably wrong, and may be meant.
    Warning,
    /// It is probably meant, and worth knowing.
    Info,
}

impl Severity {
    /// Returns the word for the severity.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// The party that repairs the findings of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fix {
    /// The checkup, with `--fix`.
    Default,
    /// The checkup, with `--fix` and the rule named: the repair changes at once what customers
    /// meet, or undoes what may be meant.
    Named,
    /// A person.
    Person,
}

impl Fix {
    /// Returns the words for the party.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Default => "--fix",
            Self::Named => "--fix, if named",
            Self::Person => "a person",
        }
    }
}

/// Returns all rules, root causes first.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        project::RULES,
        taskrouter::RULES,
        proxy::RULES,
        studio::RULES,
        flex_flows::RULES,
        numbers::RULES,
        conversations::RULES,
        events::RULES,
    ]
    .into_iter()
    .flatten()
}

/// Returns the rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// Returns the rules as a table in Markdown, for the documentation.
pub fn table() -> String {
    let mut table =
        String::from("| rule | severity | why it matters | repaired by |\n|---|---|---|---|\n");
    for rule in all() {
        let Rule {
            id, severity, why, ..
        } = rule;
        let (severity, fix) = (severity.word(), rule.fix().words());
        table.push_str(&format!("| `{id}` | {severity} | {why} | {fix} |\n"));
    }
    table
}
