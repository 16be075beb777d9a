use crate::client::Client;
use simulator::{Contact, State};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn told(client: &Client) -> Vec<(String, String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let events = client.simulator.take_events();
    events
        .iter()
        .map(|event| {
            (
                text(&event["data"]["payload"]["eventtype"]),
                text(&event["time"]),
                text(&event["data"]["payload"]["reason"]),
            )
        })
        .collect()
}

fn pending(state: &mut State) -> simulator::Sid {
    let Contact::Started { task, .. } = state.customer_writes("+15550100123", "Hi") else {
        panic!("a new contact")
    };
    task
}

#[test]
fn a_task_that_waits_too_long_is_canceled_at_its_own_time() {
    let client = Client::new();
    let task = client.post(&client.router("/Tasks"), &[("Timeout", "90")]);
    client.simulator.take_events();
    client.simulator.advance(Duration::from_secs(89));
    assert_eq!(told(&client), []);
    client.simulator.advance(HOUR);
    assert_eq!(
        told(&client),
        [(
            "task.canceled".into(),
            "2026-01-05T09:01:30.000Z".into(),
            "Task TTL Exceeded".into()
        )]
    );
    assert_eq!(
        client
            .get(&client.router(&format!("/Tasks/{}", task.sid())))
            .status,
        404,
        "purged without an event"
    );
    for timeout in ["0", "1209601", "soon"] {
        assert_eq!(
            client
                .post(&client.router("/Tasks"), &[("Timeout", timeout)])
                .refusal(),
            (400, 20001)
        );
    }
}

#[test]
fn an_assigned_task_is_deleted_by_the_system_after_a_day() {
    let client = Client::new();
    let task = {
        let mut state = client.simulator.state();
        let task = pending(&mut state);
        let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
        state.advance(HOUR);
        state.agent_accepts(task, worker).unwrap();
        state.take_events();
        task
    };
    client.simulator.advance(24 * HOUR);
    assert_eq!(
        told(&client),
        [(
            "task.system-deleted".into(),
            "2026-01-06T10:00:00.000Z".into(),
            "Task TTL Exceeded".into()
        )]
    );
    assert!(client.simulator.state().task(task).is_none());
}

#[test]
fn a_wrapping_task_waits_for_the_api_for_ever() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let task = pending(&mut state);
    let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
    state.agent_accepts(task, worker).unwrap();
    state.agent_wraps_up(task).unwrap();
    state.advance(100 * HOUR);
    assert!(state.task(task).is_some());
}

#[test]
fn a_finished_task_can_be_read_for_five_minutes() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let task = pending(&mut state);
    state.task_canceled_by_supervisor(task).unwrap();
    state.take_events();
    state.advance(5 * MINUTE - Duration::from_secs(1));
    assert!(state.task(task).is_some());
    state.advance(Duration::from_secs(1));
    assert!(state.task(task).is_none());
    assert_eq!(state.take_events().len(), 0, "the purge is silent");
}

#[test]
fn the_log_forgets_after_thirty_days() {
    let client = Client::new();
    pending(&mut client.simulator.state());
    client.simulator.advance(30 * 24 * HOUR);
    let since = |date: &str| {
        client
            .all(
                &client.router(&format!("/Events?StartDate={date}")),
                "events",
            )
            .len()
    };
    assert_eq!(since("2026-01-01T00:00:00Z"), 2, "created and canceled");
    client.simulator.advance(HOUR);
    assert_eq!(since("2026-01-01T00:00:00Z"), 1);
    assert_eq!(
        client.all(&client.router("/Events"), "events").len(),
        0,
        "fifteen minutes by default"
    );
    assert_eq!(
        client
            .all(&client.router("/Events?Minutes=60000"), "events")
            .len(),
        1
    );
}

#[test]
fn a_clock_that_steps_back_lets_nothing_happen() {
    let client = Client::new();
    pending(&mut client.simulator.state());
    client.simulator.take_events();
    let opening = client.simulator.now();
    client
        .simulator
        .set_now("2025-12-31T00:00:00Z".parse().unwrap());
    assert_eq!(told(&client), []);
    client.simulator.set_now(opening);
    client.simulator.advance(24 * HOUR);
    assert_eq!(told(&client).len(), 1);
}

#[test]
fn a_task_on_another_task_channel_is_deleted_by_the_system_too() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let workspace = client.project.workspace;
    let inactive = state
        .create_task_channel(workspace, "Inactive", "inactive")
        .unwrap();
    let task = pending(&mut state);
    let worker = state.hire_agent(workspace, "alice").unwrap();
    state.agent_accepts(task, worker).unwrap();
    drop(state);
    let path = client.router(&format!("/Tasks/{task}"));
    client.simulator.advance(12 * HOUR);
    let moved = client.post(&path, &[("TaskChannel", inactive.as_str())]);
    assert_eq!(moved.body["task_channel_unique_name"], "inactive");
    client.simulator.advance(12 * HOUR - Duration::from_secs(1));
    assert_eq!(client.get(&path).status, 200);
    client.simulator.take_events();
    client.simulator.advance(Duration::from_secs(1));
    assert_eq!(told(&client)[0].0, "task.system-deleted");
    assert_eq!(client.get(&path).status, 404);
}

#[test]
fn a_wrap_up_may_have_an_end() {
    let client = Client::new();
    let mut state = client.simulator.state();
    state.knobs.wrap_up_life = Some(6 * HOUR);
    let task = pending(&mut state);
    let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
    state.agent_accepts(task, worker).unwrap();
    state.agent_wraps_up(task).unwrap();
    state.advance(5 * HOUR);
    let wrapping = simulator::TaskStatus::Wrapping;
    assert_eq!(state.task(task).unwrap().status, wrapping);
    state.advance(HOUR);
    let ended = state.task(task).map(|task| task.status);
    assert_ne!(ended, Some(wrapping));
}

#[test]
fn a_wrap_up_has_no_end() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let task = pending(&mut state);
    let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
    state.agent_accepts(task, worker).unwrap();
    state.agent_wraps_up(task).unwrap();
    state.advance(60 * 24 * HOUR);
    assert_eq!(
        state.task(task).unwrap().status,
        simulator::TaskStatus::Wrapping
    );
}
