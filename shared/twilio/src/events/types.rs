//! The types of events that are read: one table for the reader of events and for those who
//! subscribe to them, so that no type is read without being subscribed, or the other way round.

use domain::{End, Stage};

/// The beginning of the types of TaskRouter's events in Event Streams, and nowhere else.
const TASKROUTER: &str = "com.twilio.taskrouter.";

/// The type of event that tells when a message is written. It carries the customers' words, and
/// only parking needs it.
pub const MESSAGE_ADDED: &str = "com.twilio.conversations.message.added";

/// The meaning of an event's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A task was created. Its status may be newer than the event.
    Created,
    /// A task changed, and its status says how.
    Updated,
    /// An agent took a task.
    Accepted,
    /// A task got as far as this.
    Reached(Stage),
    /// A task ended so.
    Ended(End),
    /// A message was written in a Conversation.
    Message,
}

/// Every type that is read, with the version of its schema that the reader was written for
/// (<https://www.twilio.com/docs/events/event-types>).
const TYPES: [(&str, u8, Meaning); 10] = [
    ("com.twilio.taskrouter.task.created", 4, Meaning::Created),
    ("com.twilio.taskrouter.task.updated", 4, Meaning::Updated),
    (
        "com.twilio.taskrouter.task.wrapup",
        4,
        Meaning::Reached(Stage::Wrapping),
    ),
    (
        "com.twilio.taskrouter.task.completed",
        4,
        Meaning::Ended(End::Completed),
    ),
    (
        "com.twilio.taskrouter.task.canceled",
        4,
        Meaning::Ended(End::Canceled),
    ),
    (
        "com.twilio.taskrouter.task.deleted",
        4,
        Meaning::Ended(End::Deleted),
    ),
    (
        "com.twilio.taskrouter.task.system-deleted",
        4,
        Meaning::Ended(End::SystemDeleted),
    ),
    (
        "com.twilio.taskrouter.reservation.accepted",
        4,
        Meaning::Accepted,
    ),
    (
        "com.twilio.taskrouter.reservation.wrapup",
        4,
        Meaning::Reached(Stage::Wrapping),
    ),
    (
        "com.twilio.conversations.message.added",
        1,
        Meaning::Message,
    ),
];

/// Returns the types of events that a subscription needs, each with the version of its schema:
/// those of tasks, and with parking [`MESSAGE_ADDED`] too. Without parking, no customer's words
/// are sent.
pub fn needed_events(parking: bool) -> impl Iterator<Item = (&'static str, u8)> {
    let needed = move |meaning| parking || meaning != Meaning::Message;
    let types = TYPES
        .into_iter()
        .filter(move |(_, _, meaning)| needed(*meaning));
    types.map(|(name, version, _)| (name, version))
}

/// Returns the meaning of a type as Event Streams or TaskRouter's log name it, or nothing if it
/// is not read.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    let short = |known: &'static str| known.strip_prefix(TASKROUTER);
    let found = TYPES
        .into_iter()
        .find(|(known, _, _)| *known == name || short(known) == Some(name));
    found.map(|(_, _, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_is_subscribed_is_read_under_both_of_its_names() {
        for (name, _) in needed_events(true) {
            assert!(meaning(name).is_some(), "{name}");
            let short = name.strip_prefix(TASKROUTER);
            assert_eq!(short.map(meaning), short.map(|_| meaning(name)), "{name}");
        }
        for other in ["", "task", TASKROUTER, "com.twilio.taskrouter.task.entered"] {
            assert_eq!(meaning(other), None, "{other}");
        }
    }

    #[test]
    fn messages_are_subscribed_only_where_chats_are_parked() {
        let without: Vec<_> = needed_events(false).collect();
        let with: Vec<_> = needed_events(true).collect();
        assert_eq!(with, [without, vec![(MESSAGE_ADDED, 1)]].concat());
    }
}
