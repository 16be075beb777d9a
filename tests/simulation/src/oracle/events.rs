//! An event of the simulated Twilio, read once more and in another way than the webhook does.

use std::collections::BTreeMap;

use domain::{
    ChannelSid, End, Fact, FactKind, Interaction, Platform, Stage, TaskFact, TaskSid, TaskState,
    Timestamp,
};
use serde_json::Value;
use serde_json::value::RawValue;

/// An event, as far as the oracle needs it.
pub(crate) struct Read {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) at: Timestamp,
    pub(crate) task: String,
    /// The channel that the task's attributes name.
    pub(crate) channel: Option<String>,
    platform: Platform,
    interaction: Option<Interaction>,
    pub(crate) end: Option<End>,
}

impl Read {
    pub(crate) fn of(event: &Value) -> Option<Self> {
        let kind = event["type"].as_str()?.rsplit_once("taskrouter.")?.1;
        let payload = &event["data"]["payload"];
        // Other software may write numbers there that no reader of floats knows.
        let attributes = payload["task_attributes"].as_str()?;
        let attributes: BTreeMap<String, &RawValue> = serde_json::from_str(attributes).ok()?;
        let named = |name: &str| serde_json::from_str::<String>(attributes.get(name)?.get()).ok();
        let conversation = named("conversationSid");
        Some(Self {
            id: event["id"].as_str()?.to_owned(),
            at: moment(&payload["timestamp"])?,
            task: payload["task_sid"].as_str()?.to_owned(),
            platform: match conversation {
                Some(_) => Platform::Conversations,
                None => Platform::Chat,
            },
            channel: conversation.or_else(|| named("channelSid")),
            interaction: interaction(
                named("flexInteractionSid"),
                named("flexInteractionChannelSid"),
            ),
            end: match kind {
                "task.completed" => Some(End::Completed),
                "task.canceled" => Some(End::Canceled),
                "task.deleted" => Some(End::Deleted),
                "task.system-deleted" => Some(End::SystemDeleted),
                _ => None,
            },
            kind: kind.to_owned(),
        })
    }

    /// The fact that the webhook is to make of it, if it is one that counts. How far a task has
    /// got is remembered only where chats are parked.
    pub(crate) fn fact(&self, event: &Value, parks: bool) -> Option<Fact> {
        let open = |stage| TaskState::Open(if parks { stage } else { Stage::Waiting });
        let payload = &event["data"]["payload"];
        let status = payload["task_assignment_status"].as_str()?;
        let now = match status {
            "completed" => TaskState::Ended(End::Completed),
            "canceled" => TaskState::Ended(End::Canceled),
            "assigned" => open(Stage::Assigned),
            "wrapping" => open(Stage::Wrapping),
            _ => open(Stage::Waiting),
        };
        let state = match (self.kind.as_str(), self.end, now) {
            (_, Some(end), _) => TaskState::Ended(end),
            ("task.created", None, TaskState::Ended(_)) => open(Stage::Waiting),
            ("task.created" | "task.updated", None, now) => now,
            ("reservation.accepted", None, _) => open(Stage::Assigned),
            ("task.wrapup" | "reservation.wrapup", None, _) => open(Stage::Wrapping),
            _ => return None,
        };
        let channel: ChannelSid = self.channel.as_deref()?.parse().ok()?;
        let task: TaskSid = self.task.parse().ok()?;
        Some(Fact {
            channel,
            platform: self.platform,
            at: self.at,
            kind: FactKind::Task(TaskFact {
                task,
                state,
                opened_at: moment(&payload["task_date_created"]),
                interaction: self.interaction,
            }),
        })
    }
}

fn interaction(sid: Option<String>, channel: Option<String>) -> Option<Interaction> {
    Some(Interaction {
        sid: sid?.parse().ok()?,
        channel: channel?.parse().ok()?,
    })
}

pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    let moment: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

/// An item in DynamoDB's JSON, without its types.
pub(crate) fn plain(item: &Value) -> Value {
    let Value::Object(fields) = item else {
        return Value::Null;
    };
    fields
        .iter()
        .map(|(name, value)| (name.clone(), untyped(value)))
        .collect()
}

fn untyped(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), value) {
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or(Value::Null),
        ("M", fields) => plain(fields),
        ("L", Value::Array(entries)) => entries.iter().map(untyped).collect(),
        ("NULL", _) => Value::Null,
        (_, value) => value.clone(),
    }
}
