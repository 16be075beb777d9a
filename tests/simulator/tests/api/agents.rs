use crate::client::Client;
use serde_json::Value;
use simulator::Contact;

#[test]
fn moving_a_task_moves_the_load() {
    let client = Client::new();
    let workspace = client.project.workspace;
    let (inactive, worker) = {
        let mut state = client.simulator.state();
        let inactive = state.create_task_channel(workspace, "Inactive", "inactive");
        let worker = state.hire_agent(workspace, "alice").unwrap();
        assert!(state.hire_agent(workspace, "alice").is_err(), "taken");
        state
            .set_capacity(worker, client.project.chat_task_channel, 2)
            .unwrap();
        (inactive.unwrap(), worker)
    };
    let path = client.router(&format!("/Workers/{worker}"));
    let load = |name: &str| {
        let channel = client.get(&format!("{path}/Channels/{name}")).body;
        (
            channel["assigned_tasks"].as_i64().unwrap(),
            channel["available_capacity_percentage"].as_i64().unwrap(),
        )
    };
    let task = client
        .post(&client.router("/Tasks"), &[("TaskChannel", "chat")])
        .sid();
    let task = client.router(&format!("/Tasks/{task}"));
    client.post(&task, &[("AssignmentStatus", "assigned")]);
    assert_eq!((load("chat"), load("inactive")), ((1, 50), (0, 100)));
    client.post(&task, &[("TaskChannel", inactive.as_str())]);
    assert_eq!((load("chat"), load("inactive")), ((0, 100), (1, 0)));
    client.post(&task, &[("TaskChannel", "chat")]);
    client.post(&task, &[("AssignmentStatus", "completed"), ("Reason", "x")]);
    assert_eq!((load("chat"), load("inactive")), ((0, 100), (0, 100)));
    assert_eq!(client.get(&format!("{path}/Channels/nowhere")).status, 404);
}

#[test]
fn a_channels_webhook_hears_what_is_written() {
    let client = Client::new();
    let Contact::Started { channel, task } = client
        .simulator
        .state()
        .customer_writes("+15550100123", "Hi")
    else {
        panic!()
    };
    let path = client.chat(&format!("/Channels/{channel}"));
    let form = [
        ("Type", "webhook"),
        ("Configuration.Url", "https://janitor.example.com/chat"),
        ("Configuration.Filters", "onMessageSent"),
        ("Configuration.Filters", "onChannelUpdated"),
        ("Configuration.RetryCount", "3"),
    ];
    let webhook = client.post(&format!("{path}/Webhooks"), &form);
    assert_eq!(
        webhook.body["configuration"]["filters"][1],
        "onChannelUpdated"
    );
    {
        let mut state = client.simulator.state();
        let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
        state.agent_accepts(task, worker).unwrap();
        state.agent_writes(task, "How can I help?").unwrap();
        state.customer_writes("+15550100123", "Where is it?");
    }
    client.post(
        &format!("{path}/Messages"),
        &[("Body", "unheard"), ("From", "bot")],
    );
    client.post_with(
        &format!("{path}/Messages"),
        &[("Body", "heard"), ("From", "bot")],
        &[("x-twilio-webhook-enabled", "true")],
    );
    let calls = client.simulator.state().take_webhook_calls();
    let said: Vec<[&str; 3]> = calls
        .iter()
        .map(|call| {
            ["From", "Body", "Source"].map(|wanted| {
                call.parameters
                    .iter()
                    .find(|(name, _)| name == wanted)
                    .unwrap()
                    .1
                    .as_str()
            })
        })
        .collect();
    assert_eq!(
        said,
        [
            ["alice", "How can I help?", "SDK"],
            ["+15550100123", "Where is it?", "SDK"],
            ["bot", "heard", "API"]
        ]
    );
    assert_eq!(calls[0].url, "https://janitor.example.com/chat");
    let bodies: Vec<Value> = client
        .all(&format!("{path}/Messages?PageSize=2"), "messages")
        .iter()
        .map(|message| message["body"].clone())
        .collect();
    assert_eq!(
        bodies,
        ["Hi", "How can I help?", "Where is it?", "unheard", "heard"]
    );
    assert_eq!(
        client
            .delete(&format!("{path}/Webhooks/{}", webhook.sid()))
            .status,
        204
    );
    assert_eq!(client.all(&format!("{path}/Webhooks"), "webhooks").len(), 0);
}

#[test]
fn a_channel_has_at_most_five_webhooks() {
    let client = Client::new();
    let path = client.chat(&format!(
        "/Channels/{}/Webhooks",
        client.post(&client.chat("/Channels"), &[]).sid()
    ));
    let form = [
        ("Type", "webhook"),
        ("Configuration.Url", "https://janitor.example.com/chat"),
    ];
    for _ in 0..5 {
        assert_eq!(client.post(&path, &form).status, 201);
    }
    assert_eq!(client.post(&path, &form).status, 400);
    assert_eq!(client.post(&path, &[("Type", "webhook")]).status, 400);
}

#[test]
fn a_flex_token_tells_who_is_logged_in() {
    let client = Client::new();
    let (token, worker) = {
        let mut state = client.simulator.state();
        let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
        (state.issue_token("alice", &["agent"], Some(worker)), worker)
    };
    let path = format!(
        "/iam/v1/Accounts/{}/Tokens/validate",
        client.project.account
    );
    let ask = |token: &str| {
        client.seen(
            "POST",
            &path,
            &[("content-type", "application/json")],
            format!("{{\"token\":\"{token}\"}}"),
        )
    };
    let good = ask(&token);
    assert_eq!(
        (good.status, &good.body["valid"], &good.body["roles"][0]),
        (200, &true.into(), &"agent".into())
    );
    assert_eq!(good.body["worker_sid"], worker.as_str());
    assert_eq!(ask("forged").body["valid"], false);
    client
        .simulator
        .advance(std::time::Duration::from_secs(86_400));
    assert_eq!(ask(&token).body["valid"], false, "expired");
    assert_eq!(client.post(&path, &[("token", &token)]).status, 415);
}
