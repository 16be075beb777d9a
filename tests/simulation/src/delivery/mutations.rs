//! Mutations of what is told: each stands for a webhook that takes in less than it was told.

use std::time::Duration;

use serde_json::Value;

use crate::oracle::Message;
use crate::report::Mutation;
use crate::shared::Shared;

/// The time in which the lines of a customer were once taken for one.
const MIN_PAUSE: Duration = Duration::from_secs(30);

/// Returns whether a message is dropped although it is acknowledged.
pub(super) fn drops(shared: &Shared, message: &Message) -> bool {
    if !message.is_a_customers() {
        return false;
    }
    match shared.mutation {
        Some(Mutation::DroppedMessages) => true,
        Some(Mutation::EarlyWordsDropped) => !shared.lock().oracle.has_open_task(&message.channel),
        Some(Mutation::LinesTakenForOne) => shared.lock().oracle.follows_within(message, MIN_PAUSE),
        _ => false,
    }
}

/// Returns the body as the mutation changes it.
pub(super) fn in_body(shared: &Shared, body: &Value) -> Value {
    let is_told = |event: &&Value| {
        let message = Message::of_event(event);
        !message.is_some_and(|message| drops(shared, &message))
    };
    let by_attribute = shared.errs(Mutation::ParkedByAttribute);
    let mutated = |event: &Value| match by_attribute {
        true => parked_by_attribute(shared, event.clone()),
        false => event.clone(),
    };
    match body {
        Value::Array(events) => events.iter().filter(is_told).map(mutated).collect(),
        event if is_told(&event) => mutated(event),
        _ => Value::Array(Vec::new()),
    }
}

/// Lets an event tell that its task is parked only where its attributes say so as well.
fn parked_by_attribute(shared: &Shared, mut event: Value) -> Value {
    let Some(inactive) = shared.inactive.map(|sid| sid.to_string()) else {
        return event;
    };
    change(&mut event, "data", |data| {
        change(data, "payload", |payload| {
            let attributes = payload["task_attributes"].as_str().unwrap_or_default();
            let says_parked = attributes.contains("\"inactive\":1");
            if payload["task_channel_sid"] == inactive.as_str() && !says_parked {
                payload["task_channel_sid"] = shared.project.chat_task_channel.to_string().into();
            }
        });
    });
    event
}

/// Changes a member that is an object, or an object as JSON text.
fn change(value: &mut Value, member: &str, change: impl FnOnce(&mut Value)) {
    let Some(member) = value.get_mut(member) else {
        return;
    };
    match member {
        Value::String(text) => {
            if let Ok(mut object) = serde_json::from_str(text) {
                change(&mut object);
                *text = object.to_string();
            }
        }
        object => change(object),
    }
}
