//! A sample of an account. It holds personal data, so none of it has a form for printing.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde_json::Value;
use twilio::rest::TwilioError;

use crate::endpoints::Endpoint;

/// Something that was read, or the reason why it was not.
pub(crate) type Read<T> = Result<T, TwilioError>;

/// Everything that the probes judge by.
pub struct Readings {
    /// The time at which it was read.
    pub(crate) now: Timestamp,
    /// It was stopped before everything was read.
    pub(crate) interrupted: bool,
    /// The endpoints that were read, and those that could not be.
    pub(crate) endpoints: BTreeMap<Endpoint, Read<()>>,
    pub(crate) router: Router,
    /// Interaction channels that some task named.
    pub(crate) interactions: Vec<InteractionRead>,
    /// Conversations that are open.
    pub(crate) conversations: Read<Vec<ConversationRead>>,
    /// Open Proxy sessions.
    pub(crate) sessions: Read<Vec<Value>>,
    /// The two newest messages of some Chat channels, in the order that was asked for.
    pub(crate) chat_messages: Vec<Read<Vec<Value>>>,
    /// Lists of webhooks with a page above the maximum.
    pub(crate) long_pages: Vec<Read<()>>,
}

/// The sample of TaskRouter.
pub(crate) struct Router {
    /// The workspace.
    pub(crate) workspace: Read<Value>,
    /// A page of open tasks, as the list shows them.
    pub(crate) open_tasks: Read<Vec<Value>>,
    /// Some of them, as they show themselves.
    pub(crate) tasks: Vec<Read<Value>>,
    /// The answer to an expression with `IN`.
    pub(crate) question_in: Read<()>,
    /// The answer to an expression with `==` and `OR`.
    pub(crate) question_equals: Read<()>,
    /// Events of tasks that were completed, the newest first.
    pub(crate) completed: Read<Vec<Value>>,
    /// An event of 28 to 30 days ago, if there is one.
    pub(crate) month_old: Read<Vec<Value>>,
    /// An event of 31 to 60 days ago, if there is one.
    pub(crate) older: Read<Vec<Value>>,
    /// An event of a task that TaskRouter deleted, if there is one.
    pub(crate) system_deleted: Read<Vec<Value>>,
    /// Tasks that ended a while ago, asked for once more.
    pub(crate) ended_tasks: Vec<Read<()>>,
    /// The workers; nothing if they do not fit on one page.
    pub(crate) workers: Read<Option<Vec<Value>>>,
}

/// An interaction channel and its Conversation.
pub(crate) struct InteractionRead {
    pub(crate) channel: Read<Value>,
    /// The task that named it is still open.
    pub(crate) task_is_open: bool,
    pub(crate) conversation: Read<Value>,
    pub(crate) participants: Read<Vec<Value>>,
    pub(crate) webhooks: Read<Vec<Value>>,
}

/// A Conversation of the list of open ones.
pub(crate) struct ConversationRead {
    pub(crate) seen: Value,
    /// The two newest messages, in the order that was asked for.
    pub(crate) messages: Read<Vec<Value>>,
    pub(crate) participants: Read<Vec<Value>>,
}

/// Returns a field that holds a text.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

/// Returns a field that holds a SID of this kind.
pub(crate) fn sid<T: std::str::FromStr>(value: &Value, field: &str) -> Option<T> {
    text(value, field)?.parse().ok()
}

/// Returns a field that holds a time in ISO 8601.
pub(crate) fn time(value: &Value, field: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text(value, field)?.parse().ok()?;
    Some(Timestamp::from_millis(time.as_millisecond()))
}

/// Returns a field that holds a JSON object as text, such as a task's attributes.
pub(crate) fn object(value: &Value, field: &str) -> Option<Value> {
    let object: Value = serde_json::from_str(text(value, field)?).ok()?;
    object.is_object().then_some(object)
}
