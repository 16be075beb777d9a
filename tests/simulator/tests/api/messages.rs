//! Messages with author and time, as lists and as events.

use crate::client::Client;
use serde_json::Value;
use simulator::Contact;
use simulator::state::taskrouter::task::NewTask;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

fn message_events(client: &Client) -> Vec<Value> {
    let mut events = client.simulator.take_events();
    events.retain(|event| event["type"] == "com.twilio.conversations.message.added");
    events
}

#[test]
fn the_newest_message_says_who_wrote_and_when() {
    let client = Client::new();
    let conversation = {
        let mut state = client.simulator.state();
        let contact = state.customer_converses("+15550100123", "Hi");
        let worker = state
            .hire_agent_as(client.project.workspace, "Jo", "jo_40example_2Ecom")
            .unwrap();
        state
            .agent_accepts(contact.task().unwrap(), worker)
            .unwrap();
        state.advance(HOUR);
        state
            .agent_writes(contact.task().unwrap(), "Hello")
            .unwrap();
        contact.channel().unwrap()
    };
    let path = format!("/conversations/v1/Conversations/{conversation}");
    let page = client
        .get(&format!("{path}/Messages?Order=desc&PageSize=1"))
        .body;
    let messages = page["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["author"], "jo_40example_2Ecom");
    assert_eq!(messages[0]["index"], 1);
    assert_eq!(messages[0]["date_created"], "2026-01-05T10:00:00Z");
    let participants = client.all(&format!("{path}/Participants"), "participants");
    assert_eq!(participants[1]["identity"], "jo_40example_2Ecom");
    assert_eq!(participants[1]["sid"], messages[0]["participant_sid"]);
}

#[test]
fn messages_come_newest_first_unless_the_order_is_ignored() {
    for (orders, first) in [(true, 2), (false, 0)] {
        let client = Client::new();
        let mut state = client.simulator.state();
        state.knobs.orders_messages = orders;
        let contact = state.customer_converses("+15550100123", "Hi");
        state.customer_converses("+15550100123", "Hello?");
        state.customer_converses("+15550100123", "Anybody?");
        drop(state);
        let channel = contact.channel().unwrap();
        let path = format!("/conversations/v1/Conversations/{channel}/Messages");
        let page = client.get(&format!("{path}?Order=desc&PageSize=2")).body;
        assert_eq!(page["messages"][0]["index"], first, "{orders}");
        assert_eq!(client.all(&path, "messages").len(), 3, "{orders}");
    }
}

#[test]
fn messages_move_the_date_of_their_conversation_only_if_asked_to() {
    for (moves, date) in [
        (false, "2026-01-05T09:00:00Z"),
        (true, "2026-01-05T10:00:00Z"),
    ] {
        let client = Client::new();
        let mut state = client.simulator.state();
        state.knobs.messages_move_date_updated = moves;
        let channel = state.customer_converses("+15550100123", "Hi").channel();
        state.advance(HOUR);
        state.customer_converses("+15550100123", "Hello?");
        drop(state);
        let path = format!("/conversations/v1/Conversations/{}", channel.unwrap());
        assert_eq!(client.get(&path).body["date_updated"], date);
    }
}

#[test]
fn a_visitor_of_a_web_page_has_an_identity_and_no_binding() {
    let client = Client::new();
    let first = client
        .simulator
        .state()
        .customer_converses("visitor-7", "Hi");
    let Contact::Started { channel, task } = first else {
        panic!("{first:?}")
    };
    let path = format!("/conversations/v1/Conversations/{channel}/Participants");
    let participants = client.all(&path, "participants");
    assert_eq!(participants[0]["identity"], "visitor-7");
    assert_eq!(participants[0]["messaging_binding"], Value::Null);
    let interaction = {
        let state = client.simulator.state();
        let stored = state.interaction_channel_of(task).unwrap();
        format!(
            "/flex-api/v1/Interactions/{}/Channels/{}/Participants",
            stored.interaction, stored.sid
        )
    };
    assert_eq!(
        client.all(&interaction, "participants")[0]["type"],
        "customer"
    );
    let mut state = client.simulator.state();
    let again = state.customer_converses("visitor-7", "Still there?");
    assert_eq!(again, Contact::Delivered { channel, task });
    let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
    state.agent_accepts(task, worker).unwrap();
    state.agent_completes(task).unwrap();
    let next = state.customer_converses("visitor-7", "New question");
    assert!(matches!(next, Contact::Started { .. }), "{next:?}");
}

#[test]
fn the_stream_does_not_say_how_a_message_got_in() {
    let client = Client::new();
    client
        .simulator
        .state()
        .customer_converses("+15550100123", "Hi");
    let events = message_events(&client);
    assert_eq!(
        events[0]["dataschema"],
        "https://events-schemas.twilio.com/Conversations.MessageAdded/2"
    );
    let data = events[0]["data"].as_object().unwrap();
    assert!(!data.contains_key("Source"), "{data:?}");
    assert!(data.contains_key("ContentSid"), "{data:?}");
}

#[test]
fn message_events_have_the_version_that_was_chosen() {
    let client = Client::new();
    client.simulator.state().knobs.message_schema = 1;
    client
        .simulator
        .state()
        .customer_converses("+15550100123", "Hi");
    let events = message_events(&client);
    let schema = "https://events-schemas.twilio.com/Conversations.MessageAdded/1";
    assert_eq!(events[0]["dataschema"], schema);
    assert!(events[0]["data"].get("ContentSid").is_none());
    let mut state = client.simulator.state();
    let target = serde_json::json!({ "destination": "https://janitor.example.com/events" });
    let sink = state.create_sink("x", "webhook", target).unwrap();
    let types = [("com.twilio.conversations.message.added".to_owned(), Some(1))];
    state.subscribe("x", sink, &types).unwrap();
    state.customer_converses("+15550100123", "Hello?");
    let dispatches = state.take_dispatches();
    assert_eq!(dispatches.len(), 1);
    assert_eq!(dispatches[0].event["dataschema"], schema);
}

#[test]
fn only_a_participant_writes_into_a_conversation() {
    let client = Client::new();
    let project = client.project;
    let mut state = client.simulator.state();
    let contact = state.customer_converses("+15550100123", "Hi");
    let worker = state.hire_agent(project.workspace, "jo").unwrap();
    // Other software's task on the Conversation adds no participant.
    let task = NewTask {
        attributes: Some(format!(
            r#"{{"conversationSid":"{}"}}"#,
            contact.channel().unwrap()
        )),
        workflow: Some(project.workflow),
        ..NewTask::default()
    };
    let task = state.create_task(project.workspace, task).unwrap();
    state.agent_accepts(task, worker).unwrap();
    assert!(state.agent_writes(task, "Hello").is_err());
    state
        .agent_accepts(contact.task().unwrap(), worker)
        .unwrap();
    assert!(state.agent_writes(task, "Hello").is_ok());
}
