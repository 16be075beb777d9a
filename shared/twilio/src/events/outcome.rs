//! The result of reading one event.

use domain::Fact;
use serde_json::value::RawValue;

use super::{Acceptance, Ignored, Unreadable};
use crate::json;

/// An id is no longer than this; Twilio's are 34 or 36 characters.
const MAX_ID: usize = 64;

/// An event and the result of reading it.
pub(super) struct Element {
    pub(super) event_id: Option<String>,
    pub(super) sid: Option<String>,
    pub(super) outcome: Outcome,
}

/// The result of reading an event.
pub(super) enum Outcome {
    /// The facts of a task's event.
    Task(Box<TaskFacts>),
    /// A message, and its fact where parking needs it.
    Message(Option<Box<Fact>>),
    Ignored(Ignored),
    Rejected(Unreadable),
    Test(String),
}

/// The facts of a task's event.
pub(super) struct TaskFacts {
    /// The task's state first, then its place and its agent.
    pub(super) facts: Vec<Fact>,
    /// True if its task names two different channels.
    pub(super) torn: bool,
    /// The acceptance that the event tells, whether or not it is worth a fact.
    pub(super) acceptance: Option<Acceptance>,
}

/// The text, if it looks like an id: short, and of letters, digits, hyphens and
/// underscores.
pub(super) fn plain_id(text: Option<&str>) -> Option<String> {
    let text = text?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_id = (1..=MAX_ID).contains(&text.len()) && text.bytes().all(plain);
    is_id.then(|| text.to_owned())
}

/// Returns true if any of the values that are there is another one.
pub(super) fn names_another(ours: &str, values: &[Option<&RawValue>]) -> bool {
    let mut named = values
        .iter()
        .flatten()
        .filter_map(|value| json::text(value));
    named.any(|sid| sid != ours)
}
