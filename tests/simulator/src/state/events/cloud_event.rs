//! Renders what happened as Event Streams does: a CloudEvent around TaskRouter's own envelope.

use crate::state::State;
use crate::state::sid::Sid;
use crate::state::snapshot::Shared;
use crate::state::taskrouter::events::{EventKind, TaskEvent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Is something that Event Streams delivers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Emission {
    /// A TaskRouter event, rendered when it is taken: a busy day holds more of them than fit as JSON.
    Task(Shared<TaskEvent>),
    /// A finished CloudEvent.
    Ready(Box<Value>),
    /// A sink's test event, which goes to that sink only.
    Test(Sid, Box<Value>),
}

/// Writes a moment with milliseconds, as events do.
pub(crate) fn millis(at: Timestamp) -> String {
    format!("{at:.3}")
}

pub(crate) fn render(state: &State, event: &Emission) -> Value {
    match event {
        Emission::Task(event) => task_event(state, event),
        Emission::Ready(value) | Emission::Test(_, value) => (**value).clone(),
    }
}

/// The type of the event that tells of a message in a conversation.
pub(crate) const MESSAGE_ADDED: &str = "com.twilio.conversations.message.added";
/// The schema of that event.
pub(crate) const MESSAGE_SCHEMA: &str = "Conversations.MessageAdded";
/// The newest version of that schema.
pub(crate) const NEWEST_MESSAGE_SCHEMA: u32 = 2;

/// Turns an event into the given version of its schema; a message of version 1 has no fields for subject, content
/// and media.
pub(crate) fn at_version(mut event: Value, version: u32) -> Value {
    if let Some((schema, _)) = event["dataschema"]
        .as_str()
        .and_then(|schema| schema.rsplit_once('/'))
    {
        event["dataschema"] = format!("{schema}/{version}").into();
    }
    if event["type"] == MESSAGE_ADDED
        && version < NEWEST_MESSAGE_SCHEMA
        && let Some(data) = event["data"].as_object_mut()
    {
        for field in ["MessageSubject", "ContentSid", "Media"] {
            data.remove(field);
        }
    }
    event
}

/// Wraps data into a CloudEvent.
pub(crate) fn envelope(
    event_type: &str,
    source: &str,
    id: &str,
    schema: &str,
    at: Timestamp,
    data: Value,
) -> Value {
    json!({
        "specversion": "1.0",
        "type": event_type,
        "source": source,
        "id": id,
        "dataschema": format!("https://events-schemas.twilio.com/{schema}"),
        "datacontenttype": "application/json",
        "time": millis(at),
        "data": data,
    })
}

fn task_event(state: &State, event: &TaskEvent) -> Value {
    let workspace = state
        .workspace(event.task.workspace)
        .map(|workspace| workspace.friendly_name.as_str());
    let group = if event.kind.is_about_reservation() {
        "reservation"
    } else {
        "task"
    };
    let data = json!({
        "sid": event.sid,
        "name": event.kind.name(),
        "account_sid": state.account.sid,
        "account_friendly_name": state.account.friendly_name,
        "parent_account_sid": null,
        "parent_friendly_name": null,
        "timestamp": millis(event.at),
        "level": "INFO",
        "group": group,
        "product_name": "TaskRouter",
        "publisher": workspace,
        "publisher_metadata": "{}",
        "payload_type": "application/json",
        "payload": payload(state, event),
    });
    let event_type = format!("com.twilio.taskrouter.{}", event.kind.event_type());
    envelope(
        &event_type,
        state.account.sid.as_str(),
        event.id.as_str(),
        "TaskRouter.WDSEvent/4",
        event.at,
        data,
    )
}

/// Renders what an event says of its task; the same in the stream and in TaskRouter's own log.
pub(crate) fn payload(state: &State, event: &TaskEvent) -> Value {
    let task = &event.task;
    let reservation = task
        .reservation
        .filter(|_| event.kind.is_about_reservation());
    let resource: Sid = reservation.unwrap_or(task.sid);
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("eventtype", event.kind.event_type().into());
    put("event_description", event.description().into());
    put("timestamp", millis(event.at).into());
    put("account_sid", state.account.sid.into());
    put("workspace_sid", task.workspace.into());
    put(
        "workspace_name",
        state
            .workspace(task.workspace)
            .map(|workspace| workspace.friendly_name.clone())
            .into(),
    );
    put(
        "resource_type",
        if reservation.is_some() {
            "reservation"
        } else {
            "task"
        }
        .into(),
    );
    put("resource_sid", resource.into());
    put("task_sid", task.sid.into());
    put("task_attributes", (*task.attributes).into());
    put(
        "task_age",
        event.at.duration_since(task.created).as_secs().into(),
    );
    put("task_date_created", millis(task.created).into());
    put("task_priority", task.priority.into());
    put("task_assignment_status", task.status.as_str().into());
    put("task_version", task.version.into());
    put("task_channel_sid", task.task_channel.into());
    let channel = state
        .router
        .channels
        .get(task.task_channel)
        .map(|channel| channel.unique_name.clone());
    put("task_channel_unique_name", channel.into());
    if let Some(queue) = task.queue {
        put("task_queue_sid", queue.into());
        put(
            "task_queue_name",
            state
                .router
                .queues
                .get(queue)
                .map(|queue| queue.friendly_name.clone())
                .into(),
        );
        put("task_queue_entered_date", millis(task.created).into());
    }
    if let Some(workflow) = task.workflow {
        put("workflow_sid", workflow.into());
        put(
            "workflow_name",
            state
                .router
                .workflows
                .get(workflow)
                .map(|workflow| workflow.friendly_name.clone())
                .into(),
        );
    }
    if let Some(target) = task.routing_target.as_deref() {
        put("task_routing_target", target.into());
    }
    if let Some(reason) = &event.reason {
        put("reason", reason.as_str().into());
        if event.kind == EventKind::TaskCompleted {
            put("task_completed_reason", reason.as_str().into());
        } else if event.kind == EventKind::TaskCanceled {
            put("task_canceled_reason", reason.as_str().into());
        }
    }
    if let (Some(worker), Some((name, attributes))) = (task.worker, &event.worker) {
        put("worker_sid", worker.into());
        put("worker_name", (**name).into());
        put("worker_attributes", (**attributes).into());
    }
    if let Some(reservation) = reservation {
        put("reservation_sid", reservation.into());
    }
    Value::Object(fields)
}
