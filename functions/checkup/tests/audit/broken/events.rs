//! Projects that break the rules about Event Streams.

use serde_json::Value;

use super::{Broken, breaks};
use crate::stage::Stage;

fn sink(stage: &Stage, key: &str, value: Value) {
    let mut state = stage.state();
    state.sink_mut(stage.order.sink).unwrap().configuration[key] = value;
}

pub(super) const BROKEN: &[Broken] = &[
    breaks("events/sink", |stage| {
        sink(stage, "destination", "https://example.com/old".into())
    }),
    breaks("events/sink-status", |stage| {
        stage.state().sink_mut(stage.order.sink).unwrap().status = "failed".to_owned();
    }),
    breaks("events/sink-method", |stage| {
        sink(stage, "method", "GET".into())
    }),
    breaks("events/sink-batching", |stage| {
        sink(stage, "batch_events", false.into())
    }),
    breaks("events/subscription", |stage| {
        stage.state().lose(stage.order.subscription).unwrap()
    }),
    breaks("events/types", |stage| {
        let mut state = stage.state();
        let subscription = state.subscription_mut(stage.order.subscription).unwrap();
        subscription
            .types
            .remove("com.twilio.taskrouter.task.canceled")
            .unwrap();
    }),
    breaks("events/schema-version", |stage| {
        let mut state = stage.state();
        let subscription = state.subscription_mut(stage.order.subscription).unwrap();
        let held = subscription
            .types
            .get_mut("com.twilio.taskrouter.task.completed");
        *held.unwrap() = 1;
    }),
    breaks("events/type-status", |stage| {
        let name = "com.twilio.taskrouter.task.completed";
        stage.state().set_type_status(name, "deprecated");
    }),
    breaks("events/messages", |stage| {
        stage.wanted.parking = domain::Pairs::default();
    }),
    breaks("events/error-logs", |stage| {
        let mut state = stage.state();
        let name = "com.twilio.error-logs.error.logged";
        state
            .subscribe_also(stage.order.subscription, name, None)
            .unwrap();
    }),
];
