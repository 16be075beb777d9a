//! Bots, surveys and parks: programs that listen by a webhook of their own.

use crate::client::Client;
use serde_json::Value;
use simulator::state::webhooks::WebhookTarget;
use simulator::{ChannelStatus, Contact, Sid, TaskStatus};

const CUSTOMER: &str = "+15550100123";
const URL: &str = "https://survey.example.com/answer";

/// Starts a conversation that an agent works on.
fn converse(client: &Client) -> (Sid, Sid) {
    let mut state = client.simulator.state();
    let contact = state.customer_converses(CUSTOMER, "Hi");
    let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
    state
        .agent_accepts(contact.task().unwrap(), worker)
        .unwrap();
    (contact.channel().unwrap(), contact.task().unwrap())
}

fn webhooks(client: &Client, conversation: Sid) -> Vec<Value> {
    let path = format!("/conversations/v1/Conversations/{conversation}/Webhooks");
    client.all(&path, "webhooks")
}

#[test]
fn a_park_leaves_a_webhook_and_an_active_channel() {
    let client = Client::new();
    let (conversation, task) = converse(&client);
    client.simulator.state().program_parks(task).unwrap();
    let listed = webhooks(&client, conversation);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["target"], "webhook");
    assert_eq!(
        listed[0]["configuration"]["filters"],
        serde_json::json!(["onMessageAdded"])
    );
    let mut state = client.simulator.state();
    assert_eq!(state.task(task).unwrap().status, TaskStatus::Completed);
    let channel = state.interaction_channel_of(task).unwrap();
    assert_eq!(channel.status, ChannelStatus::Active);
    assert_eq!(channel.parties.len(), 1, "only the customer");
    assert!(state.program_parks(task).is_err(), "no agent is left");
    let contact = state.customer_converses(CUSTOMER, "Back");
    assert!(matches!(contact, Contact::Reopened { channel, .. } if channel == conversation));
    drop(state);
    assert_eq!(webhooks(&client, conversation).len(), 0, "the park is over");
}

#[test]
fn a_park_whose_webhook_somebody_deleted_loses_the_reply() {
    let client = Client::new();
    let (conversation, task) = converse(&client);
    let mut state = client.simulator.state();
    state.program_parks(task).unwrap();
    let webhook = state.webhooks_of(conversation).unwrap()[0].sid;
    state.program_leaves(conversation, webhook).unwrap();
    let contact = state.customer_converses(CUSTOMER, "Back");
    assert_eq!(
        contact,
        Contact::Lost {
            channel: conversation
        }
    );
}

#[test]
fn a_survey_has_the_customer_until_it_leaves() {
    let client = Client::new();
    let (conversation, task) = converse(&client);
    let mut state = client.simulator.state();
    state.task_completed_by_nobody(task).unwrap();
    let webhook = state.program_joins(conversation, URL).unwrap();
    state
        .program_writes(conversation, "survey", "How was it?")
        .unwrap();
    let line = state.conversation(conversation).unwrap().messages.last();
    let line = line.unwrap();
    assert_eq!((line.author.as_str(), line.participant), ("survey", None));
    let kept = Contact::Kept {
        channel: conversation,
    };
    assert_eq!(state.customer_converses(CUSTOMER, "Good"), kept);
    assert!(
        state.take_webhook_calls().is_empty(),
        "the program is of this world"
    );
    state.program_leaves(conversation, webhook).unwrap();
    let contact = state.customer_converses(CUSTOMER, "Bye");
    assert!(matches!(contact, Contact::Lost { .. }), "{contact:?}");
}

#[test]
fn a_survey_in_a_chat_channel_has_the_customer_too() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let contact = state.customer_writes(CUSTOMER, "Hi");
    let (channel, task) = (contact.channel().unwrap(), contact.task().unwrap());
    let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
    state.agent_accepts(task, worker).unwrap();
    state.task_completed_by_nobody(task).unwrap();
    state.program_joins(channel, URL).unwrap();
    state
        .program_writes(channel, "survey", "How was it?")
        .unwrap();
    assert_eq!(
        state.customer_writes(CUSTOMER, "Good"),
        Contact::Kept { channel }
    );
    drop(state);
    let path = client.chat(&format!("/Channels/{channel}"));
    let listed = client.all(&format!("{path}/Webhooks"), "webhooks");
    assert_eq!(listed[0]["type"], "webhook");
    let newest = client.get(&format!("{path}/Messages?Order=desc&PageSize=1"));
    assert_eq!(newest.body["messages"][0]["from"], CUSTOMER);
}

#[test]
fn a_studio_flow_answers_until_it_has_handed_over() {
    let client = Client::new();
    let (conversation, task) = converse(&client);
    let flow = "FW00000000000000000000000000000009".parse().ok();
    let mut state = client.simulator.state();
    state.set_conversation_flow(conversation, flow).unwrap();
    state.task_completed_by_nobody(task).unwrap();
    let contact = state.customer_converses(CUSTOMER, "Anybody?");
    assert!(matches!(contact, Contact::Lost { .. }), "{contact:?}");
    drop(state);
    assert_eq!(webhooks(&client, conversation)[0]["target"], "studio");
}

#[test]
fn a_webhook_of_a_receiver_outside_is_called_with_the_source() {
    let client = Client::new();
    let (conversation, task) = converse(&client);
    let target = WebhookTarget {
        url: Some(URL.to_owned()),
        filters: vec!["onMessageAdded".to_owned()],
        ..Default::default()
    };
    {
        let mut state = client.simulator.state();
        state
            .add_channel_webhook(conversation, "webhook", target)
            .unwrap();
        state.customer_converses(CUSTOMER, "Where is it?");
        state.agent_writes(task, "On its way").unwrap();
    }
    let messages = format!("/conversations/v1/Conversations/{conversation}/Messages");
    client.post(&messages, &[("Body", "unheard"), ("Author", "bot")]);
    client.post_with(
        &messages,
        &[("Body", "heard"), ("Author", "bot")],
        &[("x-twilio-webhook-enabled", "true")],
    );
    let calls = client.simulator.state().take_webhook_calls();
    let seen: Vec<Vec<&str>> = calls
        .iter()
        .map(|call| {
            let value = |name: &str| {
                let mut all = call.parameters.iter();
                all.find(|(key, _)| key == name).unwrap().1.as_str()
            };
            ["Author", "Source", "Index"].map(value).to_vec()
        })
        .collect();
    assert_eq!(
        seen,
        [
            [CUSTOMER, "SMS", "1"],
            ["alice", "SDK", "2"],
            ["bot", "API", "4"]
        ]
    );
}
