use crate::client::{Client, Seen};
use simulator::{Contact, Lifespan, Medium, Sid};
use std::time::Duration;

/// Lets a customer write without an answer; returns the path of the channel and that of its session.
fn contact(client: &Client, lifespan: Lifespan) -> (Sid, String, String) {
    let mut state = client.simulator.state();
    state.set_lifespan(Medium::Sms, lifespan);
    let Contact::Started { channel, .. } = state.customer_writes("+15550100123", "Hi") else {
        panic!("a new contact")
    };
    let session = state.open_session_of("+15550100123").unwrap().sid;
    (
        channel,
        client.chat(&format!("/Channels/{channel}")),
        client.proxy(&format!("/Sessions/{session}")),
    )
}

fn release(client: &Client, path: &str, headers: &[(&str, &str)]) -> Seen {
    let attributes = client.get(path).body["attributes"]
        .as_str()
        .unwrap()
        .replace("\"ACTIVE\"", "\"INACTIVE\"");
    client.post_with(path, &[("Attributes", &attributes)], headers)
}

const REPORTED: [(&str, &str); 1] = [("x-twilio-webhook-enabled", "true")];

#[test]
fn a_session_can_be_closed_and_removed() {
    let client = Client::new();
    let session = client.post(
        &client.proxy("/Sessions"),
        &[
            ("UniqueName", "CH1"),
            ("Ttl", "60"),
            ("Mode", "message-only"),
        ],
    );
    assert_eq!(
        (session.status, &session.body["status"]),
        (201, &"open".into())
    );
    assert_eq!(
        client
            .post(&client.proxy("/Sessions"), &[("UniqueName", "CH1")])
            .status,
        400
    );
    let path = client.proxy(&format!("/Sessions/{}", session.sid()));
    assert_eq!(
        client.post(&path, &[("Status", "open")]).refusal(),
        (400, 20001)
    );
    let closed = client.post(&path, &[("Status", "closed")]);
    assert_eq!(
        (&closed.body["status"], &closed.body["closed_reason"]),
        (&"closed".into(), &"api".into())
    );
    assert_eq!(client.all(&client.proxy("/Sessions"), "sessions").len(), 1);
    assert_eq!(client.delete(&path).status, 204);
    assert_eq!(client.delete(&path).refusal(), (404, 20404));
    assert_eq!(
        client.get(&client.proxy("/Sessions/CH1")).refusal(),
        (404, 20404),
        "not by unique name"
    );
}

#[test]
fn a_silent_session_closes_after_its_time_to_live() {
    let client = Client::new();
    let session = client
        .post(&client.proxy("/Sessions"), &[("Ttl", "60")])
        .sid();
    client.simulator.advance(Duration::from_secs(60));
    let closed = client
        .get(&client.proxy(&format!("/Sessions/{session}")))
        .body;
    assert_eq!(
        (&closed["status"], &closed["date_ended"]),
        (&"closed".into(), &"2026-01-05T09:01:00Z".into())
    );
}

#[test]
fn flex_ends_the_session_of_a_channel_that_became_inactive() {
    let client = Client::new();
    let (_, channel, session) = contact(&client, Lifespan::OneTask);
    assert_eq!(
        client.get(&session).body["unique_name"],
        client.get(&channel).body["sid"]
    );
    assert_eq!(release(&client, &channel, &REPORTED).status, 200);
    assert_eq!(client.get(&session).refusal(), (404, 20404));
}

#[test]
fn flex_hears_nothing_without_the_header() {
    let client = Client::new();
    let (_, channel, session) = contact(&client, Lifespan::OneTask);
    release(&client, &channel, &[]);
    release(&client, &channel, &[("x-twilio-webhook-enabled", "false")]);
    assert_eq!(client.get(&session).status, 200);
}

#[test]
fn a_long_lived_session_stays_until_the_channel_is_no_longer_long_lived() {
    let client = Client::new();
    let (_, channel, session) = contact(&client, Lifespan::LongLived);
    let released = release(&client, &channel, &REPORTED).body["attributes"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(client.get(&session).status, 200);
    let reset = regex_free_replace(&released);
    client.post_with(&channel, &[("Attributes", &reset)], &REPORTED);
    assert_eq!(client.get(&session).status, 404);
}

/// Turns `long_lived` off, whatever white space stands around the colon.
fn regex_free_replace(attributes: &str) -> String {
    let (before, after) = attributes.split_once("\"long_lived\"").unwrap();
    format!(
        "{before}\"long_lived\"{}",
        after.replacen("true", "false", 1)
    )
}

#[test]
fn a_stricter_flex_reacts_to_the_turn_only() {
    let client = Client::new();
    client.simulator.state().knobs.flex_needs_turn = true;
    let (_, channel, session) = contact(&client, Lifespan::LongLived);
    let released = release(&client, &channel, &REPORTED).body["attributes"]
        .as_str()
        .unwrap()
        .to_owned();
    client.post_with(
        &channel,
        &[("Attributes", &regex_free_replace(&released))],
        &REPORTED,
    );
    assert_eq!(client.get(&session).status, 200);
}

#[test]
fn a_deaf_flex_never_reacts() {
    let client = Client::new();
    client.simulator.state().knobs.flex_deaf = true;
    let (_, channel, session) = contact(&client, Lifespan::OneTask);
    release(&client, &channel, &REPORTED);
    client.simulator.advance(Duration::from_secs(3_600));
    assert_eq!(client.get(&session).status, 200);
}

#[test]
fn a_slow_flex_reacts_later_and_looks_again_before_it_does() {
    let client = Client::new();
    client.simulator.state().knobs.flex_delay = Duration::from_secs(3);
    let (_, channel, session) = contact(&client, Lifespan::OneTask);
    let attributes = client.get(&channel).body["attributes"]
        .as_str()
        .unwrap()
        .to_owned();
    client.post_with(&channel, &[("FriendlyName", "Jo")], &REPORTED);
    release(&client, &channel, &[]);
    client.simulator.advance(Duration::from_secs(3));
    assert_eq!(
        client.get(&session).status,
        200,
        "the release was not reported"
    );
    client.post(&channel, &[("Attributes", &attributes)]);
    release(&client, &channel, &REPORTED);
    client.post(&channel, &[("Attributes", &attributes)]);
    client.simulator.advance(Duration::from_secs(3));
    assert_eq!(client.get(&session).status, 200, "active again");
    release(&client, &channel, &REPORTED);
    assert_eq!(client.get(&session).status, 200, "not yet");
    client.simulator.advance(Duration::from_secs(3));
    assert_eq!(client.get(&session).status, 404);
}

#[test]
fn deleting_a_channel_ends_its_session_if_flex_hears_of_it() {
    let client = Client::new();
    let (_, channel, session) = contact(&client, Lifespan::LongLived);
    assert_eq!(
        client
            .seen("DELETE", &channel, &REPORTED, String::new())
            .status,
        204
    );
    assert_eq!(client.get(&session).status, 404);
    let (_, channel, session) = contact(&client, Lifespan::LongLived);
    assert_eq!(client.delete(&channel).status, 204);
    assert_eq!(client.get(&session).status, 200);
}

#[test]
fn a_session_of_another_proxy_service_is_none_of_flexs_business() {
    let client = Client::new();
    let foreign = client.simulator.state().create_proxy_service("other", None);
    let foreign = foreign.unwrap();
    let session = client
        .post(&format!("/proxy/v1/Services/{foreign}/Sessions"), &[])
        .sid();
    let attributes = format!("{{\"status\":\"INACTIVE\",\"proxySession\":\"{session}\"}}");
    let channel = client.post(&client.chat("/Channels"), &[]).sid();
    client.post_with(
        &client.chat(&format!("/Channels/{channel}")),
        &[("Attributes", &attributes)],
        &REPORTED,
    );
    assert_eq!(
        client
            .get(&format!("/proxy/v1/Services/{foreign}/Sessions/{session}"))
            .status,
        200
    );
}

#[test]
fn the_configuration_is_read_as_json_and_written_as_json() {
    let client = Client::new();
    let path = "/flex-api/v1/Configuration";
    let shown = client.get(path).body;
    assert_eq!(
        shown["taskrouter_workspace_sid"],
        client.project.workspace.as_str()
    );
    assert_eq!(
        shown["chat_service_instance_sid"],
        client.project.chat_service.as_str()
    );
    let json = [("content-type", "application/json")];
    let changed = client.seen(
        "POST",
        path,
        &json,
        "{\"ui_attributes\":{\"a\":[1]}}".to_owned(),
    );
    assert_eq!(changed.body["ui_attributes"]["a"][0], 1);
    assert_eq!(
        client
            .seen("POST", path, &json, "{\"ui_atributes\":{}}".to_owned())
            .refusal(),
        (400, 20001)
    );
    assert_eq!(client.post(path, &[("ui_attributes", "{}")]).status, 415);
}

#[test]
fn a_flex_flow_can_be_repaired() {
    let client = Client::new();
    let flows = client.all("/flex-api/v1/FlexFlows", "flex_flows");
    let sms = flows
        .iter()
        .find(|flow| flow["channel_type"] == "sms")
        .unwrap();
    let path = format!("/flex-api/v1/FlexFlows/{}", sms["sid"].as_str().unwrap());
    let repaired = client
        .post(
            &path,
            &[("JanitorEnabled", "true"), ("Integration.RetryCount", "3")],
        )
        .body;
    assert_eq!(
        (
            &repaired["janitor_enabled"],
            &repaired["integration"]["retry_count"]
        ),
        (&true.into(), &3.into())
    );
    assert_eq!(
        repaired["integration"]["workflow_sid"],
        client.project.workflow.as_str()
    );
    let made = client.post(
        "/flex-api/v1/FlexFlows",
        &[
            ("FriendlyName", "x"),
            ("ChatServiceSid", "IS1"),
            ("ChannelType", "fax"),
        ],
    );
    assert_eq!(made.refusal(), (400, 20001));
}
