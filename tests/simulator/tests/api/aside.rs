//! Conversations that an agent left, paused or was taken out of.

use crate::client::Client;
use serde_json::Value;
use simulator::{ChannelStatus, Contact, ConversationState, PauseReading, Sid, State, TaskStatus};
use std::time::Duration;

const CUSTOMER: &str = "+15550100123";
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

fn status(state: &State, task: Sid) -> ChannelStatus {
    state.interaction_channel_of(task).unwrap().status
}

/// The identities and addresses of those who take part.
fn participants(client: &Client, conversation: Sid) -> Vec<String> {
    let path = format!("/conversations/v1/Conversations/{conversation}/Participants");
    let all = client.all(&path, "participants");
    let name = |one: &Value| {
        let name = one["identity"].as_str();
        name.or(one["messaging_binding"]["address"].as_str())
            .unwrap()
            .to_owned()
    };
    all.iter().map(name).collect()
}

#[test]
fn a_reply_to_a_conversation_that_was_left_makes_a_task_with_its_history() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let (conversation, task) = chat(&client, &mut state);
    let interaction = state.interaction_channel_of(task).unwrap().interaction;
    state.agent_leaves(task).unwrap();
    assert_eq!(status(&state, task), ChannelStatus::Inactive);
    state.advance(89 * DAY);
    let contact = state.customer_converses(CUSTOMER, "Once more");
    let Contact::Reopened { channel, task } = contact else {
        panic!("{contact:?}")
    };
    assert_eq!(channel, conversation);
    assert_eq!(state.conversation(conversation).unwrap().messages.len(), 2);
    let again = state.interaction_channel_of(task).unwrap();
    assert_eq!(
        (again.interaction, again.status),
        (interaction, ChannelStatus::Active)
    );
    state.advance(2 * DAY);
    assert_eq!(
        state.conversation(conversation).unwrap().state,
        ConversationState::Active,
        "the reply ended the 90 days"
    );
    drop(state);
    assert_eq!(
        participants(&client, conversation),
        [CUSTOMER],
        "the agent is gone"
    );
}

#[test]
fn twilio_keeps_a_conversation_that_was_left_for_90_days() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let (conversation, task) = chat(&client, &mut state);
    state.agent_leaves(task).unwrap();
    state.advance(90 * DAY - Duration::from_secs(1));
    assert_eq!(status(&state, task), ChannelStatus::Inactive);
    state.advance(Duration::from_secs(1));
    assert_eq!(status(&state, task), ChannelStatus::Closed);
    assert_eq!(
        state.conversation(conversation).unwrap().state,
        ConversationState::Closed
    );
}

#[test]
fn a_pause_that_keeps_the_task_leaves_it_assigned() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let (conversation, task) = chat(&client, &mut state);
    state.agent_pauses(task).unwrap();
    assert_eq!(status(&state, task), ChannelStatus::Pause);
    state.advance(2 * DAY);
    assert_eq!(state.task(task).unwrap().status, TaskStatus::Assigned);
    let contact = state.customer_converses(CUSTOMER, "Any news?");
    assert_eq!(
        contact,
        Contact::Delivered {
            channel: conversation,
            task
        }
    );
    assert_eq!(state.agent_resumes(task).unwrap(), task);
    assert_eq!(status(&state, task), ChannelStatus::Active);
    assert!(state.agent_resumes(task).is_err(), "not paused any more");
}

#[test]
fn a_pause_that_ends_the_task_makes_a_new_one_when_it_is_resumed() {
    let client = Client::new();
    let mut state = client.simulator.state();
    state.knobs.pause = PauseReading::EndsTask;
    let (conversation, task) = chat(&client, &mut state);
    let worker = state.task(task).unwrap().worker;
    state.agent_pauses(task).unwrap();
    assert_eq!(state.task(task).unwrap().status, TaskStatus::Completed);
    assert_eq!(status(&state, task), ChannelStatus::Pause);
    state.advance(DAY);
    assert_eq!(
        state.customer_converses(CUSTOMER, "Any news?"),
        Contact::Kept {
            channel: conversation
        }
    );
    assert_eq!(state.lost_messages().count(), 0);
    let resumed = state.agent_resumes(task).unwrap();
    assert_ne!(resumed, task);
    let stored = state.task(resumed).unwrap();
    assert_eq!(
        (stored.status, stored.worker, stored.channel),
        (TaskStatus::Assigned, worker, Some(conversation))
    );
    assert_eq!(status(&state, resumed), ChannelStatus::Active);
}

#[test]
fn twilio_routes_a_paused_conversation_again_after_14_days() {
    for pause in [PauseReading::KeepsTask, PauseReading::EndsTask] {
        let client = Client::new();
        let mut state = client.simulator.state();
        state.knobs.pause = pause;
        let (conversation, task) = chat(&client, &mut state);
        state.agent_pauses(task).unwrap();
        state.advance(14 * DAY - Duration::from_secs(1));
        assert_eq!(status(&state, task), ChannelStatus::Pause, "{pause:?}");
        state.advance(Duration::from_secs(1));
        let open: Vec<_> = state.open_tasks_on(conversation).collect();
        assert_eq!(open.len(), 1, "{pause:?}");
        assert_ne!(open[0].sid, task, "{pause:?}");
        assert_eq!(open[0].status, TaskStatus::Pending, "{pause:?}");
        assert_eq!(status(&state, task), ChannelStatus::Active, "{pause:?}");
    }
}

#[test]
fn an_agent_who_is_removed_leaves_a_channel_that_swallows_messages() {
    let client = Client::new();
    let (conversation, task) = chat(&client, &mut client.simulator.state());
    assert_eq!(participants(&client, conversation), [CUSTOMER, "alice"]);
    let mut state = client.simulator.state();
    state.agent_removed(task).unwrap();
    assert_eq!(state.task(task).unwrap().status, TaskStatus::Completed);
    assert_eq!(status(&state, task), ChannelStatus::Active);
    assert!(state.webhooks_of(conversation).unwrap().is_empty());
    assert_eq!(
        state.customer_converses(CUSTOMER, "Hello?"),
        Contact::Lost {
            channel: conversation
        }
    );
    drop(state);
    assert_eq!(participants(&client, conversation), [CUSTOMER]);
}

#[test]
fn an_agent_whose_tab_was_closed_still_takes_part() {
    let client = Client::new();
    let (conversation, task) = chat(&client, &mut client.simulator.state());
    client
        .simulator
        .state()
        .task_completed_by_nobody(task)
        .unwrap();
    assert_eq!(participants(&client, conversation), [CUSTOMER, "alice"]);
}

#[test]
fn a_channel_can_have_any_status_of_twilio_and_others() {
    let client = Client::new();
    let (_, task) = chat(&client, &mut client.simulator.state());
    let (path, sid) = {
        let state = client.simulator.state();
        let channel = state.interaction_channel_of(task).unwrap();
        let path = format!(
            "/flex-api/v1/Interactions/{}/Channels/{}",
            channel.interaction, channel.sid
        );
        (path, channel.sid)
    };
    for (status, word) in [
        (ChannelStatus::Setup, "setup"),
        (ChannelStatus::Transfer, "transfer"),
        (ChannelStatus::Failed, "failed"),
        (ChannelStatus::Undocumented("dormant"), "dormant"),
    ] {
        let mut state = client.simulator.state();
        state.set_interaction_status(sid, status).unwrap();
        drop(state);
        assert_eq!(client.get(&path).body["status"], word);
    }
}
