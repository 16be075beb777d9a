//! Reads Twilio's events as facts.
//!
//! # Why it is so forgiving
//!
//! Twilio drops an event for ever when it is answered with most errors, its documentation
//! and its samples disagree on details of the shape, and whatever we do not use may change
//! any day. So only what is needed is looked at, each in every form in which it has been
//! seen: a list of events or one alone, `data` as an object or as a string that holds one,
//! times as text or number, and anything may be null or absent.
//!
//! # The result of an element
//!
//! * It is of a type that counts and names a task and a channel: a **fact**.
//! * It is none of our business, or a task without a channel, which is the ordinary case
//!   for voice and the customer's own affair otherwise: **ignored**, counted by reason.
//! * Twilio should have sent something else: **rejected**, to be kept for a person. What is
//!   said of it is its place and its ids, never its words.
//!
//! One bad element never sinks the others: elements are cut apart as text before any is
//! read. Where the text itself breaks off, what came before still counts.

mod element;
mod message;
mod outcome;
mod task;
mod types;

use std::collections::BTreeMap;
use std::fmt;

use domain::{AccountSid, ChannelSid, Fact, Pairs, TaskSid, Timestamp, WorkspaceSid};
use serde::de::{DeserializeSeed, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json;
use crate::signature::Authentic;
use outcome::{Element, Outcome};

pub use message::author_digest;
pub(crate) use message::says_inactive;
#[cfg(feature = "rest")]
pub(crate) use task::link as link_of;
pub use task::{About, Link, NoLink, TaskSeen, TaskStatus, UnreadableTask, read_task};
pub use types::{MESSAGE_ADDED, needed_events};

/// More elements than this are not read. Twilio's events take more than a kilobyte each and
/// a Lambda's request 6 MB at most, so what has more of them is not events.
const MAX_ELEMENTS: usize = 20_000;

/// The account and the workspace whose events count, and the parking that their facts are for. Events that name another
/// account or workspace are ignored; events that name none count.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The account, or any.
    pub account: Option<AccountSid>,
    /// The workspace, or any.
    pub workspace: Option<WorkspaceSid>,
    /// The pairs of TaskChannels. Without any, nothing is parked, and what only parking needs is
    /// left out, because it would cost writes for nothing: messages, acceptances, where tasks are,
    /// and how far they have got.
    pub pairs: Pairs,
}

/// An agent accepted a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The task.
    pub task: TaskSid,
    /// Its channel.
    pub channel: ChannelSid,
    /// The time, by Twilio's clock.
    pub at: Timestamp,
}

/// The content of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The number of elements: each is of a task, a message, ignored, rejected or a test.
    pub received: usize,
    /// The facts, in the order of their elements.
    pub facts: Vec<Fact>,
    /// The acceptances of tasks by agents, in the order of their elements. Without pairs of
    /// TaskChannels they are no facts.
    pub acceptances: Vec<Acceptance>,
    /// The number of elements that were events of a task.
    pub tasks: usize,
    /// The number of elements that were messages.
    pub messages: usize,
    /// The number of elements that are none of our business, by reason.
    pub ignored: BTreeMap<Ignored, usize>,
    /// The elements that should have been readable.
    pub rejected: Vec<Rejected>,
    /// The ids of the sink's test events.
    pub tests: Vec<String>,
    /// The number of events whose tasks name two different channels. The Conversation is taken.
    pub torn: usize,
}

/// A reason why an element is none of our business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ignored {
    /// A type of event that changes nothing here.
    OtherType,
    /// Another account's.
    OtherAccount,
    /// Another workspace's.
    OtherWorkspace,
    /// Its task or message names no channel, or a placeholder.
    NoChannel,
    /// Its task's attributes are not a JSON object.
    AttributesUnreadable,
    /// A message of a bot or of the system.
    NotFromPerson,
}

impl Ignored {
    /// Returns the reason's name, for counts and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherType => "other-type",
            Self::OtherAccount => "other-account",
            Self::OtherWorkspace => "other-workspace",
            Self::NoChannel => "no-channel",
            Self::AttributesUnreadable => "attributes-unreadable",
            Self::NotFromPerson => "not-from-person",
        }
    }
}

/// An element that should have been readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the body, counted from 0.
    pub position: usize,
    /// The event's id, if it has one that looks like an id.
    pub event_id: Option<String>,
    /// TaskRouter's own SID of the event (`EV…`), if it has one.
    pub sid: Option<String>,
    /// The fault.
    pub reason: Unreadable,
    /// Its bytes, or the whole body's.
    pub original: Original,
}

/// The bytes as they were sent, which may hold customers' data. It hides itself when printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Original(Box<[u8]>);

impl Original {
    /// Returns the bytes, for a caller that seals them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Original({} bytes)", self.0.len())
    }
}

/// A fault of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Unreadable {
    /// The body, or the rest of it, is not JSON.
    #[error("the body is not JSON from here on")]
    Body,
    /// The body goes on for longer than any that Twilio sends.
    #[error("the body has too many elements")]
    TooMany,
    /// Not an object.
    #[error("the event is not an object")]
    NotAnObject,
    /// No type of event.
    #[error("the event has no type")]
    NoType,
    /// No data of the event.
    #[error("the event has no payload")]
    NoPayload,
    /// A channel's task event that names no task.
    #[error("the event names no task")]
    NoTask,
    /// A channel's task event without a time between the years 2000 and 2200.
    #[error("the event has no usable time")]
    NoTime,
}

/// Reads the body of a request from Event Streams.
pub fn read_stream(body: &Authentic<&[u8]>, scope: &Scope) -> Batch {
    read_recording(body.get(), scope)
}

/// Reads a body from Event Streams that a person recorded and vouches for.
pub fn read_recording(body: &[u8], scope: &Scope) -> Batch {
    read(body, |element| element::of_stream(element, scope))
}

/// Reads a page of TaskRouter's own log of events (its REST resource `Events`), be it the
/// page as answered or the list in it.
pub fn read_log(page: &[u8], scope: &Scope) -> Batch {
    let text = String::from_utf8_lossy(page);
    let entries = json::members(&text, ["events"])
        .ok()
        .and_then(|[list]| list);
    let entries = entries.map_or(page, |list| list.get().as_bytes());
    read(entries, |element| element::of_log(element, scope))
}

/// Reads what a Chat channel's webhook sends: one event, as a form.
pub fn read_chat_webhook(form: &Authentic<Vec<(String, String)>>, scope: &Scope) -> Batch {
    let mut batch = Batch {
        received: 1,
        ..Batch::default()
    };
    let element = message::of_chat(form.get(), scope);
    // What cannot be read is kept as it was sent, or as good as.
    let written: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form.get())
        .finish();
    batch.take(0, &written, element);
    batch
}

/// Reads Sync documents as the Twilio Function `clear-long-lived-channels` left them, one per
/// channel with the last event that arrived: a page as Sync answers it, the list in it, or one
/// document. Documents of other programs are ignored.
pub fn read_documents(page: &[u8], scope: &Scope) -> Batch {
    let text = String::from_utf8_lossy(page);
    let documents = json::members(&text, ["documents"])
        .ok()
        .and_then(|[list]| list);
    let documents = documents.map_or(page, |list| list.get().as_bytes());
    read(documents, |element| element::of_document(element, scope))
}

fn read(body: &[u8], judge: impl Fn(&str) -> Element) -> Batch {
    // A byte that is no UTF-8 spoils the text that it stands in, not the events around it.
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim_ascii();
    let mut elements = Vec::new();
    let broken = if text.starts_with('[') {
        split(text, &mut elements).err()
    } else {
        match serde_json::from_str::<&RawValue>(text) {
            Ok(element) => {
                elements.push(element);
                None
            }
            Err(_) => Some(Unreadable::Body),
        }
    };

    let mut batch = Batch {
        received: elements.len() + usize::from(broken.is_some()),
        ..Batch::default()
    };
    for (position, element) in elements.iter().enumerate() {
        batch.take(position, element.get(), judge(element.get()));
    }
    batch.rejected.extend(broken.map(|reason| Rejected {
        position: elements.len(),
        event_id: None,
        sid: None,
        reason,
        original: Original(body.into()),
    }));
    batch
}

impl Batch {
    fn take(&mut self, position: usize, text: &str, element: Element) {
        match element.outcome {
            Outcome::Task(task) => {
                self.tasks += 1;
                self.torn += usize::from(task.torn);
                self.facts.extend(task.facts);
                self.acceptances.extend(task.acceptance);
            }
            Outcome::Message(fact) => {
                self.messages += 1;
                self.facts.extend(fact.map(|fact| *fact));
            }
            Outcome::Ignored(reason) => *self.ignored.entry(reason).or_default() += 1,
            Outcome::Test(id) => self.tests.push(id),
            Outcome::Rejected(reason) => self.rejected.push(Rejected {
                position,
                event_id: element.event_id,
                sid: element.sid,
                reason,
                original: Original(text.as_bytes().into()),
            }),
        }
    }
}

/// Cuts a list into its elements. Where it breaks off, the elements before are kept.
fn split<'a>(list: &'a str, elements: &mut Vec<&'a RawValue>) -> Result<(), Unreadable> {
    let mut reader = serde_json::Deserializer::from_str(list);
    let whole = Elements(elements)
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    match whole {
        Ok(()) => Ok(()),
        Err(_) if elements.len() >= MAX_ELEMENTS => Err(Unreadable::TooMany),
        Err(_) => Err(Unreadable::Body),
    }
}

struct Elements<'e, 'a>(&'e mut Vec<&'a RawValue>);

impl<'a> DeserializeSeed<'a> for Elements<'_, 'a> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Elements<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            if self.0.len() == MAX_ELEMENTS {
                return Err(A::Error::custom("too many elements"));
            }
            self.0.push(element);
        }
        Ok(())
    }
}
