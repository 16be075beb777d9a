//! Requests that end in an error entry of the customer's Debugger, and the end of tasks by the right API.

use crate::client::Client;
use simulator::{At, Fault, FaultKind, TaskStatus};

#[test]
fn every_refusal_is_remembered_and_ordered_faults_are_not() {
    let client = Client::new();
    let conversation = client.post("/conversations/v1/Conversations", &[]).sid();
    let path = format!("/conversations/v1/Conversations/{conversation}");
    client.post(&path, &[("State", "closed")]);
    assert!(client.simulator.calls().refused().is_empty());
    client.post(&path, &[("State", "closed")]);
    client.simulator.fail(Fault {
        at: At::anything(),
        kind: FaultKind::Status(503),
        times: Some(1),
    });
    client.get(&path);
    client.get(&format!("{path}0"));
    let calls = client.simulator.calls();
    let refused: Vec<_> = calls
        .refused()
        .iter()
        .map(|one| (one.status, one.code, one.line.as_str()))
        .collect();
    assert_eq!(
        refused,
        [
            (400, 50377, format!("POST {path}").as_str()),
            (404, 20404, format!("GET {path}0").as_str())
        ]
    );
    client.simulator.reset_calls();
    assert!(client.simulator.calls().refused().is_empty());
}

#[test]
fn taskrouter_ends_a_task_only_with_a_reason_and_from_the_right_status() {
    let client = Client::new();
    let task = client.post(&client.router("/Tasks"), &[]).sid();
    let path = client.router(&format!("/Tasks/{task}"));
    let end = |status: &str, reason: &[(&str, &str)]| {
        let form = [&[("AssignmentStatus", status)], reason].concat();
        client.post(&path, &form)
    };
    assert_eq!(
        end("completed", &[("Reason", "by hand")]).refusal(),
        (400, 20001)
    );
    end("assigned", &[]);
    end("wrapping", &[]);
    assert_eq!(end("completed", &[]).refusal(), (400, 20001), "no reason");
    let done = end("completed", &[("Reason", "by hand")]);
    assert_eq!(done.body["assignment_status"], "completed");
    assert_eq!(done.body["reason"], "by hand");
}

#[test]
fn a_wrap_up_of_a_conversation_ends_by_its_interaction_channel() {
    let client = Client::new();
    let (task, path) = {
        let mut state = client.simulator.state();
        let task = state
            .customer_converses("+15550100123", "Hi")
            .task()
            .unwrap();
        let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
        state.agent_accepts(task, worker).unwrap();
        state.agent_wraps_up(task).unwrap();
        let channel = state.interaction_channel_of(task).unwrap();
        let path = format!(
            "/flex-api/v1/Interactions/{}/Channels/{}",
            channel.interaction, channel.sid
        );
        (task, path)
    };
    let closed = client.post(
        &path,
        &[("Status", "closed"), ("Routing", "{\"status\":\"closed\"}")],
    );
    assert_eq!(closed.status, 200);
    let state = client.simulator.state();
    assert_eq!(state.task(task).unwrap().status, TaskStatus::Completed);
}

#[test]
fn a_task_can_be_made_for_a_chat_channel() {
    let client = Client::new();
    let channel = client
        .simulator
        .state()
        .customer_writes("+15550100123", "Hi");
    let channel = channel.channel().unwrap();
    let attributes = format!("{{\"channelSid\":\"{channel}\"}}");
    let form = [("Attributes", attributes.as_str()), ("TaskChannel", "chat")];
    let made = client.post(&client.router("/Tasks"), &form).sid();
    let state = client.simulator.state();
    let open: Vec<_> = state.open_tasks_on(channel).collect();
    assert_eq!(open.len(), 2);
    assert_eq!(open[1].sid.as_str(), made);
}

#[test]
fn an_invite_needs_a_channel_that_is_not_over() {
    let client = Client::new();
    let (task, path) = {
        let mut state = client.simulator.state();
        let task = state
            .customer_converses("+15550100123", "Hi")
            .task()
            .unwrap();
        let channel = state.interaction_channel_of(task).unwrap();
        let path = format!(
            "/flex-api/v1/Interactions/{}/Channels/{}",
            channel.interaction, channel.sid
        );
        (task, path)
    };
    let worker = client
        .simulator
        .state()
        .hire_agent(client.project.workspace, "alice")
        .unwrap();
    client
        .simulator
        .state()
        .agent_accepts(task, worker)
        .unwrap();
    client.simulator.state().agent_completes(task).unwrap();
    let routing = format!(
        "{{\"properties\":{{\"workspace_sid\":\"{}\"}}}}",
        client.project.workspace
    );
    let invite = client.post(&format!("{path}/Invites"), &[("Routing", &routing)]);
    assert_eq!(invite.refusal(), (400, 20001));
}
