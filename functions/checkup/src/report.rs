//! What the rules found, and what they could not look at.

use std::collections::BTreeMap;
use std::fmt;

use domain::{
    AddressSid, ChatServiceSid, FlexFlowSid, PhoneNumberSid, ProxyServiceSid, SinkSid,
    StudioFlowSid, SubscriptionSid, TaskChannelSid, WorkerSid, WorkflowSid, WorkspaceSid,
};
use serde::{Serialize, Serializer};

use crate::rules::{Rule, Severity, all};
use crate::snapshot::{Snapshot, Unseen};
use crate::wanted::Wanted;

/// What a finding is about. It shows itself by SIDs and never by an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The project as a whole.
    Project,
    /// A Chat or Conversations service.
    ChatService(ChatServiceSid),
    /// A workspace.
    Workspace(WorkspaceSid),
    /// A workflow.
    Workflow(WorkflowSid),
    /// A TaskChannel.
    TaskChannel(TaskChannelSid),
    /// A worker.
    Worker(WorkerSid),
    /// A Flex Flow.
    FlexFlow(FlexFlowSid),
    /// A Proxy service.
    Proxy(ProxyServiceSid),
    /// A phone number.
    Number(PhoneNumberSid),
    /// A Studio flow.
    Studio(StudioFlowSid),
    /// A widget of a Studio flow, by a name that is fit to be printed.
    Widget(StudioFlowSid, String),
    /// An address of Conversations.
    Address(AddressSid),
    /// A sink.
    Sink(SinkSid),
    /// A subscription.
    Subscription(SubscriptionSid),
    /// A type of event, and where it belongs.
    Event(SubscriptionSid, &'static str),
    /// A list, by its name.
    List(&'static str),
}

impl Subject {
    /// A widget, by as much of its name as cannot surprise a terminal.
    pub(crate) fn widget(flow: StudioFlowSid, name: &str) -> Self {
        let plain = |letter: &char| letter.is_ascii_alphanumeric() || "_-. ".contains(*letter);
        Self::Widget(flow, name.chars().filter(plain).take(64).collect())
    }

    /// Whether a SID is what it is about, or where it is.
    pub fn is_at(&self, sid: &str) -> bool {
        let text = self.to_string();
        text == sid || text.split('/').next() == Some(sid)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project => f.write_str("project"),
            Self::ChatService(sid) => sid.fmt(f),
            Self::Workspace(sid) => sid.fmt(f),
            Self::Workflow(sid) => sid.fmt(f),
            Self::TaskChannel(sid) => sid.fmt(f),
            Self::Worker(sid) => sid.fmt(f),
            Self::FlexFlow(sid) => sid.fmt(f),
            Self::Proxy(sid) => sid.fmt(f),
            Self::Number(sid) => sid.fmt(f),
            Self::Studio(sid) => sid.fmt(f),
            Self::Widget(sid, name) => write!(f, "{sid}/{name}"),
            Self::Address(sid) => sid.fmt(f),
            Self::Sink(sid) => sid.fmt(f),
            Self::Subscription(sid) => sid.fmt(f),
            Self::Event(sid, name) => write!(f, "{sid}/{name}"),
            Self::List(name) => f.write_str(name),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// What it is about.
    pub subject: Subject,
    /// What was found.
    pub found: String,
}

/// A rule that could not be applied.
#[derive(Clone, Debug)]
pub struct NotLooked {
    /// The rule.
    pub rule: &'static Rule,
    /// What it needed, and why that could not be had.
    pub unseen: Unseen,
}

/// What came of an audit.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is not as it should be, in the order of the rules.
    pub findings: Vec<Finding>,
    /// The rules that could not be applied.
    pub not_looked: Vec<NotLooked>,
}

/// Applies the rules that `chosen` chooses.
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
    /// How many findings there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        let findings = self.findings.iter();
        findings
            .filter(|finding| finding.rule.severity == severity)
            .count()
    }

    /// How many findings there are of each rule that has some.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.rule.id).or_default() += 1;
        }
        counts
    }

    /// Whether everything was looked at and no error was found.
    pub fn is_sound(&self) -> bool {
        self.not_looked.is_empty() && self.count(Severity::Error) == 0
    }
}
