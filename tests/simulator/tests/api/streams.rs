use crate::client::Client;

const CREATED: &str = "com.twilio.taskrouter.task.created";
const COMPLETED: &str = "com.twilio.taskrouter.task.completed";

fn sink(client: &Client, url: &str) -> String {
    let configuration =
        format!("{{\"destination\":\"{url}\",\"method\":\"POST\",\"batch_events\":true}}");
    let sink = client.post(
        "/events/v1/Sinks",
        &[
            ("Description", "d"),
            ("SinkConfiguration", &configuration),
            ("SinkType", "webhook"),
        ],
    );
    assert_eq!((sink.status, &sink.body["status"]), (201, &"active".into()));
    sink.sid()
}

fn one(kind: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"schema_version\":4}}")
}

fn subscribe(client: &Client, sink: &str, types: &[&str]) -> crate::client::Seen {
    let types: Vec<String> = types.iter().map(|kind| one(kind)).collect();
    let mut form = vec![("Description", "d"), ("SinkSid", sink)];
    form.extend(types.iter().map(|text| ("Types", text.as_str())));
    client.post("/events/v1/Subscriptions", &form)
}

#[test]
fn a_sink_gets_what_it_subscribed() {
    let client = Client::new();
    let sink = sink(&client, "https://janitor.example.com/events");
    subscribe(&client, &sink, &[CREATED]);
    let task = client.post(&client.router("/Tasks"), &[]).sid();
    client.post(
        &client.router(&format!("/Tasks/{task}")),
        &[("Priority", "1")],
    );
    let dispatches = client.simulator.state().take_dispatches();
    assert_eq!(dispatches.len(), 1, "created is subscribed, updated is not");
    assert_eq!(
        dispatches[0].destination,
        "https://janitor.example.com/events"
    );
    assert_eq!(dispatches[0].event["data"]["payload"]["task_sid"], task);
}

#[test]
fn the_test_event_carries_the_accounts_sid_and_a_uuid() {
    let client = Client::new();
    let sink = sink(&client, "https://janitor.example.com/events");
    assert_eq!(
        client
            .post(&format!("/events/v1/Sinks/{sink}/Test"), &[])
            .body["result"],
        "submitted"
    );
    let dispatches = client.simulator.state().take_dispatches();
    let event = &dispatches[0].event;
    assert_eq!(event["type"], "com.twilio.eventstreams.test-event");
    assert_eq!(
        (&event["id"], &event["source"]),
        (&client.project.account.as_str().into(), &"Sink".into())
    );
    let test_id = event["data"]["test_id"].as_str().unwrap();
    assert_eq!(test_id.len(), 36);
}

#[test]
fn types_are_repeated_fields_and_nothing_else() {
    let client = Client::new();
    let sink = sink(&client, "https://janitor.example.com/events");
    let array = format!("[{},{}]", one(CREATED), one(COMPLETED));
    let refused = client.post(
        "/events/v1/Subscriptions",
        &[("Description", "d"), ("SinkSid", &sink), ("Types", &array)],
    );
    assert_eq!(refused.refusal(), (400, 20001));
    assert_eq!(
        subscribe(&client, &sink, &["com.twilio.taskrouter.task.exploded"]).refusal(),
        (400, 20001)
    );
    let made = subscribe(&client, &sink, &[CREATED, COMPLETED]);
    let path = format!("/events/v1/Subscriptions/{}", made.sid());
    let types = || -> Vec<String> {
        let events = client.all(&format!("{path}/SubscribedEvents?PageSize=1"), "types");
        events
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(types(), [COMPLETED, CREATED]);
    let added = client.post(
        &format!("{path}/SubscribedEvents"),
        &[("Type", "com.twilio.conversations.message.added")],
    );
    assert_eq!(
        (added.status, &added.body["schema_version"]),
        (201, &2.into())
    );
    assert_eq!(
        types(),
        ["com.twilio.conversations.message.added", COMPLETED, CREATED]
    );
    let version = [("Type", CREATED), ("SchemaVersion", "9")];
    assert_eq!(
        client
            .post(&format!("{path}/SubscribedEvents"), &version)
            .refusal(),
        (400, 20001)
    );
}

#[test]
fn a_sink_feeds_one_subscription() {
    let client = Client::new();
    let sink = sink(&client, "https://janitor.example.com/events");
    let subscription = subscribe(&client, &sink, &[CREATED]).sid();
    assert_eq!(
        subscribe(&client, &sink, &[COMPLETED]).refusal(),
        (400, 20001)
    );
    let path = format!("/events/v1/Sinks/{sink}");
    assert_eq!(client.delete(&path).status, 400, "in use");
    assert_eq!(
        client
            .delete(&format!("/events/v1/Subscriptions/{subscription}"))
            .status,
        204
    );
    let sinks = client.all("/events/v1/Sinks", "sinks");
    assert_eq!(sinks.len(), 1, "the sink stays");
    assert_eq!(client.delete(&path).status, 204);
    assert!(client.all("/events/v1/Types", "types").len() > 10);
}
