//! Deliberate mistakes. Each one is a way in which customers were once left unheard. They are
//! made at the borders of the parking function: in what it asks, in what it is answered, and in
//! what the webhook is told.

use serde_json::{Value, json};

use crate::actors::{Actors, Node, Role};
use crate::connectors::Op;

/// A deliberate mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// The task is written by the version that it has then, not by the one that was announced.
    WritesTheNewestVersion,
    /// A run announces nothing.
    AnnouncesNothing,
    /// A person's move announces its first round alone.
    AnnouncesOnce,
    /// Of the notes on where a task is, the one that is written last counts.
    NotesByArrival,
    /// Of the messages, the one that is told last counts as the newest.
    MessagesByArrival,
    /// A task is where its attribute says, not where its TaskChannel says.
    ParkedByAttribute,
}

impl Mutation {
    /// Returns whether it changes the request of an actor, or the answer to it.
    pub(crate) fn changes(self, actors: &Actors, node: Node) -> bool {
        let op = actors.op(node);
        let mut before = actors.ops_before(node);
        match self {
            Self::WritesTheNewestVersion => op == Op::Write,
            Self::AnnouncesNothing => op == Op::Put && before.next() == Some(Op::Look),
            Self::AnnouncesOnce => {
                let looks = before.clone().filter(|op| *op == Op::Look).count();
                let last = before.find(|op| matches!(op, Op::Look | Op::Write));
                actors.role(node) == Role::Park
                    && op == Op::Put
                    && last == Some(Op::Look)
                    && looks > 1
            }
            Self::NotesByArrival => match op {
                Op::Get => before.next() == Some(Op::Write) && actors.was_ok(node),
                Op::Put => {
                    let mut before = before.skip_while(|op| *op == Op::Put);
                    (before.next(), before.next()) == (Some(Op::Get), Some(Op::Write))
                }
                Op::Look | Op::Write => false,
            },
            Self::MessagesByArrival | Self::ParkedByAttribute => false,
        }
    }

    /// Changes an event that is told, or the record that it is told to.
    pub(crate) fn tell(self, event: &mut Value, item: &mut Value, active: &str) {
        let is_message = event["type"].as_str().unwrap().contains("message");
        match self {
            Self::MessagesByArrival if is_message => forget_order(&mut item["activity"]["M"]),
            Self::ParkedByAttribute if !is_message => {
                let payload = &mut event["data"]["payload"];
                let attributes = payload["task_attributes"].as_str().unwrap_or_default();
                if !attributes.contains("inactive") {
                    payload["task_channel_sid"] = active.into();
                }
            }
            Self::WritesTheNewestVersion
            | Self::AnnouncesNothing
            | Self::AnnouncesOnce
            | Self::NotesByArrival
            | Self::MessagesByArrival
            | Self::ParkedByAttribute => {}
        }
    }
}

/// Makes all messages of a record older than any other.
fn forget_order(activity: &mut Value) {
    let old = json!({ "M": { "at": { "N": "0" }, "index": { "N": u32::MAX.to_string() } } });
    if activity["customer"].is_object() {
        activity["customer"] = old.clone();
    }
    if let Some(authors) = activity["authors"]["M"].as_object_mut() {
        authors
            .values_mut()
            .for_each(|message| *message = old.clone());
    }
}

/// Returns the version of its task that an item knows, or that is about to be parked.
pub(crate) fn newest_version(item: &mut Value) -> u64 {
    let number = |value: &Value| value["N"].as_str().and_then(|number| number.parse().ok());
    let mut newest = 0;
    for parking in parkings(item) {
        let known = [
            number(&parking["placement"]["M"]["version"]),
            number(&parking["announced"]),
        ];
        newest = known.into_iter().flatten().fold(newest, u64::max);
    }
    newest
}

/// Makes the placements of an item those of a version.
pub(crate) fn set_version(item: &mut Value, version: u64) {
    for parking in parkings(item) {
        if parking["placement"].is_object() {
            parking["placement"]["M"]["version"] = json!({ "N": version.to_string() });
        }
    }
}

fn parkings(item: &mut Value) -> impl Iterator<Item = &mut Value> {
    let tasks = item["parking"]["M"].as_object_mut();
    let tasks = tasks.into_iter().flat_map(|tasks| tasks.values_mut());
    tasks.map(|task| &mut task["M"])
}
