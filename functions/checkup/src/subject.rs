//! The things that findings are about.

use std::fmt;

use domain::{
    AddressSid, ChatServiceSid, FlexFlowSid, PhoneNumberSid, ProxyServiceSid, SinkSid,
    StudioFlowSid, SubscriptionSid, TaskChannelSid, TaskSid, WorkerSid, WorkflowSid, WorkspaceSid,
};
use serde::{Serialize, Serializer};

/// The thing that a finding is about. It is shown by SIDs and never by an address.
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
    /// A task.
    Task(TaskSid),
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
    /// Returns a widget, named by letters and digits alone: the name is printed on terminals.
    pub(crate) fn widget(flow: StudioFlowSid, name: &str) -> Self {
        let plain = |letter: &char| letter.is_ascii_alphanumeric() || "_-. ".contains(*letter);
        Self::Widget(flow, name.chars().filter(plain).take(64).collect())
    }

    /// Returns true if the SID names the subject, or the resource that the subject is in.
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
            Self::Task(sid) => sid.fmt(f),
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
