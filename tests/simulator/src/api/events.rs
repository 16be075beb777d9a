//! `events.twilio.com/v1`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::state::clock::OPENING;
use crate::state::events::{Sink, Subscription, TYPES};
use crate::state::sid::Sid;
use serde_json::{Value, json};

/// The largest page: twilio_events_v1.json.
const MAX_PAGE: usize = 1_000;

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["v1", "Sinks"]) => sinks(call),
        ("POST", ["v1", "Sinks"]) => create_sink(call),
        (_, ["v1", "Sinks", sink, rest @ ..]) => {
            let sid = call.sid(sink)?;
            of_sink(call, method, sid, rest)
        }
        ("GET", ["v1", "Subscriptions"]) => subscriptions(call),
        ("POST", ["v1", "Subscriptions"]) => subscribe(call),
        (_, ["v1", "Subscriptions", subscription, rest @ ..]) => {
            let sid = call.sid(subscription)?;
            call.state
                .subscription(sid)
                .ok_or_else(|| call.no_route())?;
            of_subscription(call, method, sid, rest)
        }
        ("GET", ["v1", "Types"]) => types(call),
        _ => Err(call.no_route()),
    }
}

fn of_sink(call: &mut Call<'_>, method: &str, sink: Sid, path: &[&str]) -> Outcome {
    call.state.sink(sink).ok_or_else(|| call.no_route())?;
    match (method, path) {
        ("DELETE", []) => {
            call.bare()?;
            call.state.delete_sink(sink)?;
            Ok(Answer::nothing())
        }
        ("POST", ["Test"]) => {
            call.form(&[])?;
            call.state.test_sink(sink)?;
            Ok(Answer::created(json!({ "result": "submitted" })))
        }
        _ => Err(call.no_route()),
    }
}

fn of_subscription(call: &mut Call<'_>, method: &str, subscription: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("DELETE", []) => {
            call.bare()?;
            call.state.streams.subscriptions.remove(subscription);
            Ok(Answer::nothing())
        }
        ("GET", ["SubscribedEvents"]) => subscribed(call, subscription),
        ("POST", ["SubscribedEvents"]) => {
            let form = call.form(&["Type", "SchemaVersion"])?;
            let version = form.parsed("SchemaVersion", "a version", |value| value.parse().ok())?;
            let name = form.need("Type")?;
            call.state.subscribe_also(subscription, name, version)?;
            show_subscribed(call, subscription, name).map(Answer::created)
        }
        ("POST", ["SubscribedEvents", name]) => {
            let form = call.form(&["SchemaVersion"])?;
            let version = form.parsed("SchemaVersion", "a version", |value| value.parse().ok())?;
            show_subscribed(call, subscription, name)?;
            call.state.subscribe_also(subscription, name, version)?;
            show_subscribed(call, subscription, name).map(Answer::ok)
        }
        _ => Err(call.no_route()),
    }
}

fn sinks(call: &Call<'_>) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call
        .state
        .streams
        .sinks
        .after(paging.after())
        .map(|(at, sink)| (place(at), sink_json(call, sink)));
    call.page("sinks", &paging, entries)
}

fn create_sink(call: &mut Call<'_>) -> Outcome {
    let form = call.form(&["Description", "SinkConfiguration", "SinkType"])?;
    let description = form.need("Description")?;
    form.need("SinkConfiguration")?;
    let wrong = |text: &str| {
        serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
    };
    let configuration = form
        .parsed("SinkConfiguration", "a JSON object", wrong)?
        .unwrap_or_default();
    let kinds = ["kinesis", "webhook", "segment", "email"];
    form.need("SinkType")?;
    let kind = form.parsed("SinkType", "kinesis, webhook, segment or email", |kind| {
        kinds.into_iter().find(|known| *known == kind)
    })?;
    let sink = call
        .state
        .create_sink(description, kind.unwrap_or_default(), configuration)?;
    show_sink(call, sink).map(Answer::created)
}

fn subscriptions(call: &Call<'_>) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call
        .state
        .streams
        .subscriptions
        .after(paging.after())
        .map(|(at, subscription)| (place(at), subscription_json(call, subscription)));
    call.page("subscriptions", &paging, entries)
}

fn subscribe(call: &mut Call<'_>) -> Outcome {
    let form = call.form(&["Description", "SinkSid", "Types"])?;
    let description = form.need("Description")?;
    form.need("SinkSid")?;
    let sink = form.sid("SinkSid")?.ok_or_else(|| call.no_route())?;
    form.need("Types")?;
    let mut types = Vec::new();
    for text in form.all("Types") {
        let wrong = || {
            Failure::invalid(format!(
                "Types must be repeated, each value one JSON object, not {text}"
            ))
        };
        let given: serde_json::Map<String, Value> =
            serde_json::from_str(text).map_err(|_| wrong())?;
        let name = given
            .get("type")
            .and_then(Value::as_str)
            .ok_or_else(wrong)?
            .to_owned();
        let version = given
            .get("schema_version")
            .and_then(Value::as_u64)
            .and_then(|version| version.try_into().ok());
        types.push((name, version));
    }
    let subscription = call.state.subscribe(description, sink, &types)?;
    show_subscription(call, subscription).map(Answer::created)
}

fn subscribed(call: &Call<'_>, subscription: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let stored = call
        .state
        .subscription(subscription)
        .ok_or_else(|| call.no_route())?;
    let entries = stored
        .types
        .iter()
        .zip(1..)
        .filter(|(_, at)| *at > paging.after());
    let entries = entries.map(|((name, version), at)| {
        (
            place(at),
            subscribed_json(call, subscription, name, *version),
        )
    });
    call.page("types", &paging, entries)
}

fn types(call: &Call<'_>) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = TYPES
        .iter()
        .zip(1..)
        .filter(|(_, at)| *at > paging.after())
        .map(|((name, schema, _), at)| (place(at), type_json(call, name, schema)));
    call.page("types", &paging, entries)
}

fn show_sink(call: &Call<'_>, sink: Sid) -> Result<Value, Failure> {
    call.state
        .sink(sink)
        .map(|stored| sink_json(call, stored))
        .ok_or_else(|| call.no_route())
}

fn show_subscription(call: &Call<'_>, subscription: Sid) -> Result<Value, Failure> {
    call.state
        .subscription(subscription)
        .map(|stored| subscription_json(call, stored))
        .ok_or_else(|| call.no_route())
}

fn show_subscribed(call: &Call<'_>, subscription: Sid, name: &str) -> Result<Value, Failure> {
    let version = call
        .state
        .subscription(subscription)
        .and_then(|stored| stored.types.get(name));
    version
        .map(|version| subscribed_json(call, subscription, name, *version))
        .ok_or_else(|| call.no_route())
}

fn sink_json(call: &Call<'_>, sink: &Sink) -> Value {
    let url = call.url(format_args!("events/v1/Sinks/{}", sink.sid));
    json!({
        "date_created": seconds(sink.created),
        "date_updated": seconds(sink.updated),
        "description": sink.description,
        "sid": sink.sid,
        "sink_configuration": sink.configuration,
        "sink_type": sink.kind,
        "status": sink.status,
        "links": { "sink_test": format!("{url}/Test"), "sink_validate": format!("{url}/Validate") },
        "url": url,
    })
}

fn subscription_json(call: &Call<'_>, subscription: &Subscription) -> Value {
    let url = call.url(format_args!("events/v1/Subscriptions/{}", subscription.sid));
    json!({
        "account_sid": call.state.account.sid,
        "sid": subscription.sid,
        "date_created": seconds(subscription.created),
        "date_updated": seconds(subscription.updated),
        "description": subscription.description,
        "sink_sid": subscription.sink,
        "links": { "subscribed_events": format!("{url}/SubscribedEvents") },
        "url": url,
    })
}

fn subscribed_json(call: &Call<'_>, subscription: Sid, name: &str, version: u32) -> Value {
    json!({
        "account_sid": call.state.account.sid,
        "type": name,
        "schema_version": version,
        "subscription_sid": subscription,
        "url": call.url(format_args!("events/v1/Subscriptions/{subscription}/SubscribedEvents/{name}")),
    })
}

fn type_json(call: &Call<'_>, name: &str, schema: &str) -> Value {
    let schema_url = call.url(format_args!("events/v1/Schemas/{schema}/Versions"));
    json!({
        "type": name,
        "schema_id": schema,
        "date_created": seconds(OPENING),
        "date_updated": seconds(OPENING),
        "description": name,
        "status": call.state.streams.statuses.get(name).map_or("available", String::as_str),
        "documentation_url": null,
        "links": { "schema": schema_url },
        "url": call.url(format_args!("events/v1/Types/{name}")),
    })
}
