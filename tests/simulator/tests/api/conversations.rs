use crate::client::Client;
use serde_json::Value;
use std::time::Duration;

const CONVERSATIONS: &str = "/conversations/v1/Conversations";
const MINUTE: Duration = Duration::from_secs(60);

fn create(client: &Client, form: &[(&str, &str)]) -> String {
    format!("{CONVERSATIONS}/{}", client.post(CONVERSATIONS, form).sid())
}

fn state(client: &Client, path: &str) -> String {
    client.get(path).body["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_closed_conversation_is_final() {
    let client = Client::new();
    let path = create(&client, &[]);
    assert_eq!(
        client.post(&path, &[("State", "inactive")]).body["state"],
        "inactive"
    );
    assert_eq!(
        client.post(&path, &[("State", "active")]).body["state"],
        "active"
    );
    assert_eq!(
        client.post(&path, &[("State", "closed")]).body["state"],
        "closed"
    );
    assert_eq!(
        client.post(&path, &[("State", "active")]).refusal(),
        (400, 50377)
    );
    assert_eq!(
        client.post(&path, &[("State", "closed")]).refusal(),
        (400, 50377)
    );
    assert_eq!(
        client
            .post(&format!("{path}/Messages"), &[("Body", "x")])
            .refusal(),
        (400, 50377)
    );
    assert_eq!(
        client
            .post(&format!("{path}/Participants"), &[("Identity", "x")])
            .refusal(),
        (400, 50377)
    );
    assert_eq!(state(&client, &path), "closed");
    assert_eq!(
        client.post(&path, &[("State", "initializing")]).refusal(),
        (400, 20001)
    );
    assert_eq!(client.delete(&path).status, 204);
    assert_eq!(client.get(&path).refusal(), (404, 20404));
}

#[test]
fn a_conversation_cannot_start_at_its_end_nor_with_timers_alone() {
    let client = Client::new();
    assert_eq!(
        client.post(CONVERSATIONS, &[("State", "closed")]).refusal(),
        (400, 50384)
    );
    assert_eq!(
        client
            .post(CONVERSATIONS, &[("Timers.Closed", "PT10M")])
            .refusal(),
        (400, 50382)
    );
    assert_eq!(
        client
            .post(
                CONVERSATIONS,
                &[("State", "active"), ("Timers.Closed", "PT9M")]
            )
            .refusal(),
        (400, 20001)
    );
    assert_eq!(
        client.post(CONVERSATIONS, &[("Attributes", "{")]).refusal(),
        (400, 50304)
    );
    let long = format!("\"{}\"", "x".repeat(16 * 1024));
    assert_eq!(
        client
            .post(CONVERSATIONS, &[("Attributes", &long)])
            .refusal(),
        (400, 50303)
    );
}

#[test]
fn silence_makes_a_conversation_inactive_and_then_closes_it() {
    let client = Client::new();
    let path = create(
        &client,
        &[
            ("State", "active"),
            ("Timers.Inactive", "PT5M"),
            ("Timers.Closed", "PT20M"),
        ],
    );
    let timers = client.get(&path).body["timers"].clone();
    assert_eq!(timers["date_inactive"], "2026-01-05T09:05:00Z");
    assert_eq!(timers["date_closed"], "2026-01-05T09:20:00Z");
    client.simulator.advance(5 * MINUTE);
    assert_eq!(state(&client, &path), "inactive");
    client.post(
        &format!("{path}/Messages"),
        &[("Body", "Still here"), ("Author", "+15550100123")],
    );
    assert_eq!(state(&client, &path), "active", "a message wakes it up");
    client.simulator.advance(19 * MINUTE);
    assert_eq!(state(&client, &path), "inactive");
    client.simulator.advance(MINUTE);
    assert_eq!(state(&client, &path), "closed");
    let told = client.simulator.take_events();
    let reasons: Vec<&Value> = told
        .iter()
        .filter(|event| event["type"] == "com.twilio.conversations.conversation-state.updated")
        .map(|event| &event["data"]["Reason"])
        .collect();
    assert_eq!(reasons, ["TIMER", "EVENT", "TIMER", "TIMER"]);
}

#[test]
fn defaults_apply_to_new_conversations_only() {
    let client = Client::new();
    let old = create(&client, &[]);
    let configured = client.post(
        "/conversations/v1/Configuration",
        &[("DefaultClosedTimer", "PT30M")],
    );
    assert_eq!(configured.body["default_closed_timer"], "PT30M");
    assert_eq!(
        configured.body["default_chat_service_sid"],
        client.project.chat_service.as_str()
    );
    let new = create(&client, &[]);
    client.simulator.advance(30 * MINUTE);
    assert_eq!(
        (state(&client, &old), state(&client, &new)),
        ("active".into(), "closed".into())
    );
}

#[test]
fn a_pair_of_addresses_is_in_one_open_conversation() {
    let client = Client::new();
    let pair = [
        ("MessagingBinding.Address", "+15550100123"),
        ("MessagingBinding.ProxyAddress", "+15550100002"),
    ];
    let (first, second) = (create(&client, &[]), create(&client, &[]));
    let joined = client.post(&format!("{first}/Participants"), &pair);
    assert_eq!(joined.body["messaging_binding"]["address"], "+15550100123");
    assert_eq!(
        client
            .post(&format!("{second}/Participants"), &pair)
            .refusal(),
        (409, 50416)
    );
    client.post(&first, &[("State", "closed")]);
    assert_eq!(
        client.post(&format!("{second}/Participants"), &pair).status,
        201
    );
    assert_eq!(
        client
            .post(&format!("{second}/Participants"), &[])
            .refusal(),
        (400, 20001)
    );
    assert_eq!(
        client
            .post(&format!("{second}/Participants"), &pair[..1])
            .refusal(),
        (400, 20001)
    );
}

#[test]
fn conversations_can_be_listed_by_state_and_day() {
    let client = Client::new();
    let closed = create(&client, &[]);
    client.post(&closed, &[("State", "closed")]);
    client.simulator.advance(24 * 60 * MINUTE);
    create(&client, &[]);
    let count = |query: &str| {
        client
            .all(&format!("{CONVERSATIONS}?{query}"), "conversations")
            .len()
    };
    assert_eq!(
        (count(""), count("State=closed"), count("State=active")),
        (2, 1, 1)
    );
    assert_eq!(
        (
            count("StartDate=2026-01-06"),
            count("EndDate=2026-01-05"),
            count("StartDate=2026-01-05&EndDate=2026-01-06")
        ),
        (1, 1, 2)
    );
    assert_eq!(
        client.get(&format!("{CONVERSATIONS}?State=open")).refusal(),
        (400, 20001)
    );
}

#[test]
fn a_service_sees_its_own_conversations_only() {
    let client = Client::new();
    let other = client.simulator.state().create_chat_service("other");
    let theirs = format!("/conversations/v1/Services/{other}/Conversations");
    let made = client.post(&theirs, &[]);
    assert!(made.body["url"].as_str().unwrap().contains(&theirs));
    assert_eq!(
        client
            .get(&format!("{CONVERSATIONS}/{}", made.sid()))
            .refusal(),
        (404, 20404)
    );
    assert_eq!(client.all(CONVERSATIONS, "conversations").len(), 0);
    assert_eq!(client.all(&theirs, "conversations").len(), 1);
}

#[test]
fn messages_are_told_in_pascal_case() {
    let client = Client::new();
    let path = create(&client, &[]);
    let participant = client
        .post(&format!("{path}/Participants"), &[("Identity", "alice")])
        .sid();
    for body in ["one", "two"] {
        client.post(
            &format!("{path}/Messages"),
            &[("Author", "alice"), ("Body", body)],
        );
    }
    let events = client.simulator.take_events();
    assert_eq!(events[1]["type"], "com.twilio.conversations.message.added");
    let data = &events[1]["data"];
    assert_eq!(
        (&data["MessageBody"], &data["Index"], &data["Author"]),
        (&"two".into(), &1.into(), &"alice".into())
    );
    assert_eq!(data["ParticipantSid"], participant);
    let bodies = |order: &str| -> Vec<Value> {
        let messages = client.all(
            &format!("{path}/Messages?PageSize=1&Order={order}"),
            "messages",
        );
        messages
            .iter()
            .map(|message| message["body"].clone())
            .collect()
    };
    assert_eq!(bodies("asc"), ["one", "two"]);
    assert_eq!(bodies("desc"), ["two", "one"]);
}
