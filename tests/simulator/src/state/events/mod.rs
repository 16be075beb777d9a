//! Event Streams: where events go, and which.

pub(crate) mod cloud_event;

use crate::state::State;
use crate::state::events::cloud_event::{Emission, envelope};
use crate::state::refusal::Refusal;
use crate::state::shelf::Shelf;
use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Holds what Event Streams knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sinks {
    pub(crate) sinks: Shelf<Sink>,
    pub(crate) subscriptions: Shelf<Subscription>,
    /// Of the types that are not simply available.
    pub(crate) statuses: BTreeMap<String, String>,
}

/// Is a sink, DG….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sink {
    /// The sink's SID.
    pub sid: Sid,
    /// Its purpose, for people.
    pub description: String,
    /// `webhook`, `kinesis`, `segment` or `email`.
    pub kind: String,
    /// Where it leads; of a webhook `destination`, `method` and `batch_events`.
    pub configuration: Value,
    /// `initialized`, `validating`, `active` or `failed`.
    pub status: String,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Is a subscription, DF….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subscription {
    /// The subscription's SID.
    pub sid: Sid,
    /// Its purpose, for people.
    pub description: String,
    /// Where its events go.
    pub sink: Sid,
    /// The types it subscribes, each with the version of its schema.
    pub types: BTreeMap<String, u32>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Is an event on its way to a webhook sink.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// The sink.
    pub sink: Sid,
    /// Its URL.
    pub destination: String,
    /// The CloudEvent.
    pub event: Value,
}

/// The types that can be subscribed, with their schema and its newest version.
pub(crate) const TYPES: [(&str, &str, u32); 21] = [
    ("com.twilio.taskrouter.task.created", TASKROUTER, 4),
    ("com.twilio.taskrouter.task.updated", TASKROUTER, 4),
    ("com.twilio.taskrouter.task.canceled", TASKROUTER, 4),
    ("com.twilio.taskrouter.task.wrapup", TASKROUTER, 4),
    ("com.twilio.taskrouter.task.completed", TASKROUTER, 4),
    ("com.twilio.taskrouter.task.deleted", TASKROUTER, 4),
    ("com.twilio.taskrouter.task.system-deleted", TASKROUTER, 4),
    (
        "com.twilio.taskrouter.task.transfer-initiated",
        TASKROUTER,
        4,
    ),
    (
        "com.twilio.taskrouter.task.transfer-completed",
        TASKROUTER,
        4,
    ),
    ("com.twilio.taskrouter.reservation.created", TASKROUTER, 4),
    ("com.twilio.taskrouter.reservation.accepted", TASKROUTER, 4),
    ("com.twilio.taskrouter.reservation.rejected", TASKROUTER, 4),
    ("com.twilio.taskrouter.reservation.timeout", TASKROUTER, 4),
    ("com.twilio.taskrouter.reservation.canceled", TASKROUTER, 4),
    ("com.twilio.taskrouter.reservation.rescinded", TASKROUTER, 4),
    ("com.twilio.taskrouter.reservation.completed", TASKROUTER, 4),
    ("com.twilio.taskrouter.reservation.wrapup", TASKROUTER, 4),
    ("com.twilio.taskrouter.workflow.timeout", TASKROUTER, 4),
    (
        cloud_event::MESSAGE_ADDED,
        cloud_event::MESSAGE_SCHEMA,
        cloud_event::NEWEST_MESSAGE_SCHEMA,
    ),
    (
        "com.twilio.conversations.conversation-state.updated",
        "ConversationState.Updated",
        1,
    ),
    ("com.twilio.error-logs.error.logged", "ErrorLogs.Error", 1),
];

const TASKROUTER: &str = "TaskRouter.WDSEvent";

impl State {
    /// Creates a sink, which is active at once.
    ///
    /// # Errors
    ///
    /// Fails if the sink is a webhook without an HTTP destination.
    pub fn create_sink(
        &mut self,
        description: &str,
        kind: &str,
        configuration: Value,
    ) -> Result<Sid, Refusal> {
        let destination = configuration.get("destination").and_then(Value::as_str);
        if kind == "webhook" && destination.is_none_or(|url| !url.starts_with("http")) {
            return Err(Refusal::invalid(
                "SinkConfiguration of a webhook needs a destination",
            ));
        }
        let (sid, now) = (self.sid(b"DG"), self.now);
        let (description, kind) = (description.to_owned(), kind.to_owned());
        self.streams.sinks.insert(
            sid,
            Sink {
                sid,
                description,
                kind,
                configuration,
                status: "active".to_owned(),
                created: now,
                updated: now,
            },
        );
        Ok(sid)
    }

    /// Deletes a sink that feeds no subscription.
    ///
    /// # Errors
    ///
    /// Fails if the sink does not exist, or feeds a subscription.
    pub fn delete_sink(&mut self, sink: Sid) -> Result<(), Refusal> {
        if self.subscription_of(sink).is_some() {
            return Err(Refusal::SinkInUse(sink));
        }
        self.streams
            .sinks
            .remove(sink)
            .map(drop)
            .ok_or_else(|| Refusal::absent(sink))
    }

    /// Sends a test event to a sink; its id is the account's SID, every time.
    ///
    /// # Errors
    ///
    /// Fails if the sink does not exist.
    pub fn test_sink(&mut self, sink: Sid) -> Result<(), Refusal> {
        self.sink(sink).ok_or_else(|| Refusal::absent(sink))?;
        let uuid = format!("{:032x}", self.rng.u128(..));
        let test_id = [
            &uuid[..8],
            &uuid[8..12],
            &uuid[12..16],
            &uuid[16..20],
            &uuid[20..],
        ]
        .join("-");
        let data = serde_json::json!({ "test_id": test_id });
        let id = self.account.sid;
        let event = envelope(
            "com.twilio.eventstreams.test-event",
            "Sink",
            id.as_str(),
            "EventStreams.TestSink/1.json",
            self.now,
            data,
        );
        self.outbox.push(Emission::Test(sink, Box::new(event)));
        Ok(())
    }

    /// Subscribes a sink to types, each with the version of its schema or the newest.
    ///
    /// # Errors
    ///
    /// Fails if the sink does not exist or feeds a subscription already, or if a type or its
    /// version is not known.
    pub fn subscribe(
        &mut self,
        description: &str,
        sink: Sid,
        types: &[(String, Option<u32>)],
    ) -> Result<Sid, Refusal> {
        self.sink(sink)
            .ok_or_else(|| Refusal::invalid(format!("Sink {sink} does not exist")))?;
        if self.subscription_of(sink).is_some() {
            return Err(Refusal::SinkInUse(sink));
        }
        let mut known = BTreeMap::new();
        for (name, version) in types {
            known.insert(name.clone(), known_version(name, *version)?);
        }
        let (sid, now) = (self.sid(b"DF"), self.now);
        let description = description.to_owned();
        self.streams.subscriptions.insert(
            sid,
            Subscription {
                sid,
                description,
                sink,
                types: known,
                created: now,
                updated: now,
            },
        );
        Ok(sid)
    }

    /// Adds a type to a subscription or changes its version.
    ///
    /// # Errors
    ///
    /// Fails if the subscription does not exist, or if the type or its version is not known.
    pub fn subscribe_also(
        &mut self,
        subscription: Sid,
        name: &str,
        version: Option<u32>,
    ) -> Result<(), Refusal> {
        let version = known_version(name, version)?;
        let now = self.now;
        let stored = self
            .streams
            .subscriptions
            .get_mut(subscription)
            .ok_or_else(|| Refusal::absent(subscription))?;
        stored.types.insert(name.to_owned(), version);
        stored.updated = now;
        Ok(())
    }

    /// Returns a sink.
    pub fn sink(&self, sid: Sid) -> Option<&Sink> {
        self.streams.sinks.get(sid)
    }

    /// Returns a subscription.
    pub fn subscription(&self, sid: Sid) -> Option<&Subscription> {
        self.streams.subscriptions.get(sid)
    }

    /// Takes the events that go to subscribed webhook sinks, oldest first; what no sink subscribed to is gone.
    pub fn take_dispatches(&mut self) -> Vec<Dispatch> {
        let events = std::mem::take(&mut self.outbox);
        let mut dispatches = Vec::new();
        for emission in &events {
            let event = cloud_event::render(self, emission);
            let kind = event["type"].as_str().unwrap_or_default();
            let sinks: Vec<(Sid, Option<u32>)> = match emission {
                Emission::Test(sink, _) => vec![(*sink, None)],
                Emission::Task(_) | Emission::Ready(_) => self
                    .streams
                    .subscriptions
                    .values()
                    .filter_map(|one| Some((one.sink, Some(*one.types.get(kind)?))))
                    .collect(),
            };
            for (sink, version) in sinks {
                let destination = self
                    .sink(sink)
                    .and_then(|sink| sink.configuration["destination"].as_str());
                dispatches.extend(destination.map(|url| Dispatch {
                    sink,
                    destination: url.to_owned(),
                    event: match version {
                        Some(version) => cloud_event::at_version(event.clone(), version),
                        None => event.clone(),
                    },
                }));
            }
        }
        dispatches
    }

    pub(crate) fn subscription_of(&self, sink: Sid) -> Option<Sid> {
        self.streams
            .subscriptions
            .values()
            .find(|subscription| subscription.sink == sink)
            .map(|subscription| subscription.sid)
    }
}

fn known_version(name: &str, version: Option<u32>) -> Result<u32, Refusal> {
    let (_, _, newest) = TYPES
        .iter()
        .find(|(known, _, _)| *known == name)
        .ok_or_else(|| Refusal::invalid(format!("Unknown event type {name}")))?;
    match version.unwrap_or(*newest) {
        version if (1..=*newest).contains(&version) => Ok(version),
        version => Err(Refusal::invalid(format!(
            "{name} has no schema version {version}"
        ))),
    }
}
