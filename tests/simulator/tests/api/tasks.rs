use crate::client::{Client, Seen};
use serde_json::Value;

fn kinds(client: &Client) -> Vec<String> {
    let events = client.simulator.take_events();
    events
        .iter()
        .map(|event| {
            event["type"]
                .as_str()
                .unwrap()
                .strip_prefix("com.twilio.taskrouter.")
                .unwrap()
                .to_owned()
        })
        .collect()
}

fn create(client: &Client, attributes: &str) -> (Seen, String) {
    let task = client.post(
        &client.router("/Tasks"),
        &[("Attributes", attributes), ("TaskChannel", "chat")],
    );
    let path = client.router(&format!("/Tasks/{}", task.sid()));
    (task, path)
}

fn become_status(client: &Client, path: &str, status: &str) -> Seen {
    client.post(path, &[("AssignmentStatus", status), ("Reason", "because")])
}

#[test]
fn a_task_lives_from_pending_to_completed() {
    let client = Client::new();
    let (task, path) = create(&client, "{\"channelSid\":\"CH1\"}");
    assert_eq!(
        (task.status, &task.body["assignment_status"]),
        (201, &"pending".into())
    );
    assert_eq!(task.body["task_channel_unique_name"], "chat");
    assert_eq!(task.body["workflow_friendly_name"], "Assign to Anyone");
    for status in ["reserved", "assigned", "wrapping", "completed"] {
        assert_eq!(
            become_status(&client, &path, status).body["assignment_status"],
            status
        );
    }
    assert_eq!(client.get(&path).body["reason"], "because");
    let told = [
        "task.created",
        "reservation.created",
        "reservation.accepted",
        "reservation.wrapup",
        "task.wrapup",
        "task.completed",
    ];
    assert_eq!(kinds(&client), told);
}

#[test]
fn a_status_can_only_follow_its_predecessors() {
    let client = Client::new();
    let (_, path) = create(&client, "{}");
    for status in ["wrapping", "completed"] {
        assert_eq!(
            become_status(&client, &path, status).refusal(),
            (400, 20001),
            "{status} from pending"
        );
    }
    become_status(&client, &path, "assigned");
    for status in ["canceled", "pending", "reserved"] {
        assert_eq!(
            become_status(&client, &path, status).refusal(),
            (400, 20001),
            "{status} from assigned"
        );
    }
    assert_eq!(become_status(&client, &path, "completed").status, 200);
    for status in ["wrapping", "completed", "canceled", "assigned"] {
        assert_eq!(
            become_status(&client, &path, status).refusal(),
            (400, 20001),
            "{status} from completed"
        );
    }
    assert_eq!(
        kinds(&client),
        ["task.created", "reservation.accepted", "task.completed"]
    );
}

#[test]
fn attributes_and_an_end_need_two_requests() {
    let client = Client::new();
    let (_, path) = create(&client, "{}");
    become_status(&client, &path, "assigned");
    let both = client.post(
        &path,
        &[
            ("Attributes", "{\"a\":1}"),
            ("AssignmentStatus", "completed"),
        ],
    );
    assert_eq!(both.refusal(), (400, 20001));
    assert_eq!(client.get(&path).body["attributes"], "{}");
}

#[test]
fn attributes_have_a_limit_in_characters() {
    let client = Client::new();
    let (_, path) = create(&client, "{}");
    let fits = format!("{{\"a\":\"{}\"}}", "é".repeat(4_096 - 8));
    assert_eq!(
        client.post(&path, &[("Attributes", &fits)]).body["attributes"],
        fits
    );
    let exceeds = format!(" {fits}");
    assert_eq!(
        client.post(&path, &[("Attributes", &exceeds)]).refusal(),
        (400, 20001)
    );
    assert_eq!(
        client.post(&path, &[("Attributes", "{")]).refusal(),
        (400, 20001)
    );
}

#[test]
fn a_stale_version_changes_nothing() {
    let client = Client::new();
    let (task, path) = create(&client, "{}");
    let stale = task.etag();
    let fresh = client.post_with(&path, &[("Priority", "3")], &[("if-match", &stale)]);
    assert_eq!(fresh.body["priority"], 3);
    assert_ne!(fresh.etag(), stale);
    assert_eq!(
        client
            .post_with(&path, &[("Priority", "4")], &[("if-match", &stale)])
            .refusal(),
        (412, 20412)
    );
    assert_eq!(
        client
            .seen("DELETE", &path, &[("if-match", &stale)], String::new())
            .refusal(),
        (412, 20412)
    );
    let bare = fresh.etag().trim_matches('"').to_owned();
    assert_eq!(
        client
            .post_with(&path, &[("Priority", "5")], &[("if-match", &bare)])
            .body["priority"],
        5
    );
    assert_eq!(client.get(&path).body["priority"], 5);
    assert_eq!(client.delete(&path).status, 204);
    assert_eq!(client.get(&path).refusal(), (404, 20404));
}

#[test]
fn a_task_can_move_to_another_task_channel() {
    let client = Client::new();
    let (_, path) = create(&client, "{}");
    let workspace = client.project.workspace;
    let inactive = client
        .simulator
        .state()
        .create_task_channel(workspace, "Inactive", "inactive")
        .unwrap();
    client.simulator.take_events();
    let moved = client.post(
        &path,
        &[
            ("TaskChannel", inactive.as_str()),
            ("Attributes", "{\"inactive\":1}"),
        ],
    );
    assert_eq!(moved.body["task_channel_unique_name"], "inactive");
    let event = &client.simulator.take_events()[0]["data"]["payload"];
    assert_eq!(
        (&event["eventtype"], &event["task_channel_sid"]),
        (&"task.updated".into(), &inactive.as_str().into())
    );
    assert_eq!(
        client.post(&path, &[("TaskChannel", "nowhere")]).refusal(),
        (400, 20001)
    );
    let mut state = client.simulator.state();
    let hyphen = state.create_task_channel(workspace, "x", "in-active");
    assert!(hyphen.is_err());
}

#[test]
fn a_workspace_without_multi_tasking_has_no_task_channels() {
    let client = Client::new();
    let (_, path) = create(&client, "{}");
    let mut state = client.simulator.state();
    let workspace = state.workspace_mut(client.project.workspace).unwrap();
    workspace.multi_task_enabled = false;
    drop(state);
    assert_eq!(
        client.post(&path, &[("TaskChannel", "sms")]).refusal(),
        (400, 20001)
    );
}

#[test]
fn a_list_can_be_filtered_by_status_and_expression() {
    let client = Client::new();
    let (_, first) = create(&client, "{\"channelSid\":\"CH1\"}");
    let (_, second) = create(&client, "{\"channelSid\":\"CH2\"}");
    create(&client, "{\"channelSid\":\"CH3\"}");
    become_status(&client, &first, "assigned");
    become_status(&client, &second, "canceled");
    let statuses = |query: &str| -> Vec<String> {
        let tasks = client.all(&client.router(&format!("/Tasks?{query}")), "tasks");
        tasks
            .iter()
            .map(|task| task["assignment_status"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        statuses("AssignmentStatus=pending&AssignmentStatus=assigned"),
        ["assigned", "pending"]
    );
    assert_eq!(
        statuses("AssignmentStatus=pending,assigned&PageSize=1"),
        ["assigned", "pending"]
    );
    assert_eq!(
        statuses("EvaluateTaskAttributes=channelSid+%3D%3D+%22CH2%22"),
        ["canceled"]
    );
    assert_eq!(
        statuses("EvaluateTaskAttributes=channelSid+IN+%5B'CH1','CH3'%5D"),
        ["assigned", "pending"]
    );
    assert_eq!(
        client
            .get(&client.router("/Tasks?EvaluateTaskAttributes=what"))
            .refusal(),
        (400, 20001)
    );
    assert_eq!(
        client
            .get(&client.router("/Tasks?AssignmentStatus=open"))
            .refusal(),
        (400, 20001)
    );
}

#[test]
fn a_list_shows_no_attributes_unless_it_is_told_to() {
    let client = Client::new();
    create(&client, "{\"a\":1}");
    assert_eq!(
        client.all(&client.router("/Tasks"), "tasks")[0]["attributes"],
        Value::Null
    );
    client.simulator.state().knobs.list_attributes = true;
    assert_eq!(
        client.all(&client.router("/Tasks"), "tasks")[0]["attributes"],
        "{\"a\":1}"
    );
}

#[test]
fn stream_and_log_tell_the_same_event() {
    let client = Client::new();
    let (task, path) = create(&client, "{\"channelSid\":\"CH1\"}");
    client.post(&path, &[("Priority", "1")]);
    let streamed = client.simulator.take_events();
    assert_eq!(client.simulator.take_events(), [] as [Value; 0]);
    let created = &streamed[0];
    assert_eq!(created["specversion"], "1.0");
    assert_eq!(created["type"], "com.twilio.taskrouter.task.created");
    assert_eq!(created["time"], "2026-01-05T09:00:00.000Z");
    let payload = &created["data"]["payload"];
    assert_eq!(payload["eventtype"], "task.created");
    assert_eq!(payload["task_sid"], task.body["sid"]);
    assert_eq!(payload["task_attributes"], "{\"channelSid\":\"CH1\"}");
    assert_eq!(payload["task_version"], 0);
    assert_eq!(streamed[1]["data"]["payload"]["task_version"], 1);
    let logged = client.all(&client.router("/Events?EventType=task.created"), "events");
    assert_eq!(logged.len(), 1);
    assert_eq!(logged[0]["sid"], created["data"]["sid"]);
    assert_eq!(logged[0]["event_data"], *payload);
    assert_eq!(
        logged[0]["event_date_ms"],
        client.simulator.now().as_millisecond()
    );
    let task = client.all(
        &client.router(&format!("/Events?TaskSid={}&PageSize=1", task.sid())),
        "events",
    );
    let kinds: Vec<&Value> = task.iter().map(|event| &event["event_type"]).collect();
    assert_eq!(kinds, ["task.updated", "task.created"], "newest first");
}
