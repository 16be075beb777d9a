use crate::client::Client;
use serde_json::Value;
use simulator::{Contact, Sid, Source, State};
use std::time::Duration;

const CUSTOMER: &str = "whatsapp:+15550100123";
const DAY: Duration = Duration::from_secs(86_400);

/// Starts a conversation that an agent works on; returns it and its task.
fn chat(client: &Client, state: &mut State) -> (Sid, Sid) {
    let contact = state.customer_converses(CUSTOMER, "Hi");
    let Contact::Started { channel, task } = contact else {
        panic!("{contact:?}")
    };
    let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
    state.agent_accepts(task, worker).unwrap();
    (channel, task)
}

/// Returns the path of the interaction channel that a task's attributes name.
fn channel_path(client: &Client, task: Sid) -> String {
    let task = client.get(&client.router(&format!("/Tasks/{task}"))).body;
    let attributes: Value = serde_json::from_str(task["attributes"].as_str().unwrap()).unwrap();
    let sid = |key: &str| attributes[key].as_str().unwrap().to_owned();
    format!(
        "/flex-api/v1/Interactions/{}/Channels/{}",
        sid("flexInteractionSid"),
        sid("flexInteractionChannelSid")
    )
}

fn started(client: &Client) -> (Sid, Sid, String) {
    let (conversation, task) = chat(client, &mut client.simulator.state());
    (conversation, task, channel_path(client, task))
}

fn status(client: &Client, task: Sid) -> Value {
    client.get(&client.router(&format!("/Tasks/{task}"))).body["assignment_status"].clone()
}

fn conversation_state(client: &Client, conversation: Sid) -> Value {
    client
        .get(&format!("/conversations/v1/Conversations/{conversation}"))
        .body["state"]
        .clone()
}

const CLOSED: (&str, &str) = ("Routing", "{\"status\":\"closed\"}");

#[test]
fn closing_with_routing_ends_tasks_and_conversation() {
    let client = Client::new();
    let (conversation, task, channel) = started(&client);
    assert_eq!(client.get(&channel).body["status"], "active");
    assert_eq!(
        client.post(&channel, &[("Status", "closed"), CLOSED]).body["status"],
        "closed"
    );
    assert_eq!(status(&client, task), "completed");
    assert_eq!(conversation_state(&client, conversation), "closed");
    assert_eq!(
        client
            .post(&channel, &[("Status", "closed"), CLOSED])
            .refusal(),
        (400, 20001),
        "closed already"
    );
    let next = client
        .simulator
        .state()
        .customer_converses(CUSTOMER, "Me again");
    assert!(
        matches!(next, Contact::Started { channel, .. } if channel != conversation),
        "{next:?}"
    );
}

#[test]
fn closing_alone_leaves_tasks_wrapping() {
    let client = Client::new();
    let (_, task, channel) = started(&client);
    client.post(&channel, &[("Status", "closed")]);
    assert_eq!(status(&client, task), "wrapping");
}

#[test]
fn inactivity_requires_routing_and_keeps_the_conversation() {
    let client = Client::new();
    let (conversation, task, channel) = started(&client);
    assert_eq!(
        client.post(&channel, &[("Status", "inactive")]).refusal(),
        (400, 20001)
    );
    assert_eq!(
        client
            .post(&channel, &[("Status", "paused"), CLOSED])
            .refusal(),
        (400, 20001)
    );
    assert_eq!(client.post(&channel, &[]).refusal(), (400, 20001));
    assert_eq!(
        client
            .post(&channel, &[("Status", "inactive"), CLOSED])
            .body["status"],
        "inactive"
    );
    assert_eq!(status(&client, task), "completed");
    assert_eq!(conversation_state(&client, conversation), "active");
    let again = client
        .simulator
        .state()
        .customer_converses(CUSTOMER, "One more thing");
    assert!(
        matches!(again, Contact::Reopened { channel, .. } if channel == conversation),
        "{again:?}"
    );
    assert_eq!(client.get(&channel).body["status"], "active");
}

#[test]
fn a_conversation_whose_task_nobody_cleaned_up_swallows_messages() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let (conversation, task) = chat(&client, &mut state);
    assert_eq!(
        state.customer_converses(CUSTOMER, "?"),
        Contact::Delivered {
            channel: conversation,
            task
        }
    );
    state.task_completed_by_nobody(task).unwrap();
    assert_eq!(
        state.customer_converses(CUSTOMER, "?"),
        Contact::Lost {
            channel: conversation
        }
    );
    assert_eq!(state.lost_messages().count(), 1);
}

#[test]
fn a_conversation_that_its_agent_completes_is_closed() {
    let client = Client::new();
    let (conversation, task, channel) = started(&client);
    client.simulator.state().agent_completes(task).unwrap();
    assert_eq!(status(&client, task), "completed");
    assert_eq!(conversation_state(&client, conversation), "closed");
    assert_eq!(client.get(&channel).body["status"], "closed");
}

#[test]
fn an_agent_can_leave_park_or_pause() {
    let client = Client::new();
    let (conversation, task, channel) = started(&client);
    let load = |client: &Client| {
        let workers = client.all(&client.router("/Workers"), "workers");
        let worker = workers[0]["sid"].as_str().unwrap().to_owned();
        client
            .get(&client.router(&format!("/Workers/{worker}/Channels/chat")))
            .body["assigned_tasks"]
            .clone()
    };
    assert_eq!(load(&client), 1);
    client.simulator.state().agent_pauses(task).unwrap();
    assert_eq!(
        (client.get(&channel).body["status"].clone(), load(&client)),
        ("pause".into(), 0.into())
    );
    client.simulator.advance(2 * DAY);
    assert_eq!(
        status(&client, task),
        "assigned",
        "a paused task outlives the day"
    );
    client.simulator.state().agent_resumes(task).unwrap();
    assert_eq!(
        (client.get(&channel).body["status"].clone(), load(&client)),
        ("active".into(), 1.into())
    );
    client.simulator.state().program_parks(task).unwrap();
    assert_eq!(
        (status(&client, task), load(&client)),
        ("completed".into(), 0.into())
    );
    assert_eq!(
        (
            client.get(&channel).body["status"].clone(),
            conversation_state(&client, conversation)
        ),
        ("active".into(), "active".into())
    );
    let again = client
        .simulator
        .state()
        .customer_converses(CUSTOMER, "Back");
    assert!(
        matches!(again, Contact::Reopened { channel, .. } if channel == conversation),
        "{again:?}"
    );
    client
        .simulator
        .state()
        .agent_leaves(again.task().unwrap())
        .unwrap();
    assert_eq!(client.get(&channel).body["status"], "inactive");
}

#[test]
fn closing_the_agent_alone_completes_the_task() {
    let client = Client::new();
    let (conversation, task, channel) = started(&client);
    let parties = client.all(&format!("{channel}/Participants"), "participants");
    let kinds: Vec<&Value> = parties.iter().map(|party| &party["type"]).collect();
    assert_eq!(kinds, ["customer", "agent"]);
    assert_eq!(parties[1]["routing_properties"]["task_sid"], task.as_str());
    let agent = format!(
        "{channel}/Participants/{}",
        parties[1]["sid"].as_str().unwrap()
    );
    assert_eq!(
        client.post(&agent, &[("Status", "gone")]).refusal(),
        (400, 20001)
    );
    assert_eq!(client.post(&agent, &[("Status", "wrapup")]).status, 200);
    assert_eq!(status(&client, task), "wrapping");
    client.post(&agent, &[("Status", "closed")]);
    assert_eq!(
        (
            status(&client, task),
            conversation_state(&client, conversation)
        ),
        ("completed".into(), "active".into())
    );
}

#[test]
fn an_invite_makes_a_task_that_inherits_nothing() {
    let client = Client::new();
    let (conversation, _, channel) = started(&client);
    let routing = format!(
        "{{\"properties\":{{\"workspace_sid\":\"{}\",\"task_channel_unique_name\":\"chat\",\"attributes\":{{\"vip\":1e400}}}}}}",
        client.project.workspace
    );
    let invite = client.post(&format!("{channel}/Invites"), &[("Routing", &routing)]);
    assert_eq!(invite.status, 200);
    let attributes = invite.body["routing"]["properties"]["attributes"]
        .as_str()
        .unwrap();
    assert!(attributes.starts_with("{\"vip\":1e400,"), "{attributes}");
    assert!(
        attributes.contains(conversation.as_str()) && attributes.contains("flexChannelInviteSid"),
        "{attributes}"
    );
    assert!(!attributes.contains("customerAddress"), "{attributes}");
    let tasks = client.simulator.state();
    assert_eq!(tasks.open_tasks_on(conversation).count(), 2);
    drop(tasks);
    assert_eq!(
        client
            .post(&format!("{channel}/Invites"), &[("Routing", "{}")])
            .refusal(),
        (400, 20001)
    );
}

#[test]
fn an_interaction_channel_that_nobody_touches_vanishes() {
    let client = Client::new();
    let (conversation, _, channel) = started(&client);
    client.simulator.advance(100 * DAY);
    client
        .simulator
        .state()
        .say(conversation, CUSTOMER, "x", "{}", Source::Customer)
        .unwrap();
    client.simulator.advance(80 * DAY - Duration::from_secs(1));
    assert_eq!(client.get(&channel).status, 200);
    client.simulator.advance(Duration::from_secs(1));
    assert_eq!(
        client.get(&channel).refusal(),
        (404, 20404),
        "messages do not reset the clock"
    );
}
