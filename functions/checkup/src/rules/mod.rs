//! The rules: plain functions from the snapshot to what is wrong with it.
//!
//! A rule that needs something that could not be looked at says so with `?`, and nothing else
//! becomes of it. Where one thing is missing on which many hang, the rule about that one thing
//! speaks and the others keep silent, so that a deleted workspace is one finding and not five
//! hundred. What "right" means is Twilio's own default: Flex Flows lead to the project's Chat
//! service and to a published Studio flow that ends in Send to Flex, numbers lead to the Proxy
//! service (Chat) or to an address configuration (Conversations), and everything is told to
//! our webhook.

mod conversations;
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

use crate::report::Subject;
use crate::snapshot::{Snapshot, Unseen};
use crate::wanted::Wanted;

pub(crate) use numbers::{Role, role_of};
pub(crate) use routes::Way;
pub(crate) use studio::{Entry, takes};

/// What a rule says: what is wrong with what, or what it could not look at.
pub(crate) type Verdict = Result<Vec<(Subject, String)>, Unseen>;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// What it is called, for ever.
    pub id: &'static str,
    /// How bad it is to break it.
    pub severity: Severity,
    /// Why it matters.
    pub why: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Who does it.
    pub fix: Fix,
    pub(crate) check: fn(&Snapshot, &Wanted) -> Verdict,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Contacts or events are lost, or will be.
    Error,
    /// It may be meant.
    Warning,
}

impl Severity {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Who mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fix {
    /// We do, with `--fix`.
    Default,
    /// We do, with `--fix` and the rule named: it changes what customers meet at once, or
    /// somebody may have meant it.
    Named,
    /// A person does.
    Person,
}

impl Fix {
    /// The words for it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Default => "--fix",
            Self::Named => "--fix, if named",
            Self::Person => "a person",
        }
    }
}

/// All rules, root causes first.
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

/// The rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// The rules as a table in Markdown, for the README.
pub fn table() -> String {
    let mut table =
        String::from("| rule | severity | why it matters | mended by |\n|---|---|---|---|\n");
    for rule in all() {
        let Rule {
            id, severity, why, ..
        } = rule;
        let (severity, fix) = (severity.word(), rule.fix.words());
        table.push_str(&format!("| `{id}` | {severity} | {why} | {fix} |\n"));
    }
    table
}
