use crate::client::Client;
use serde_json::Value;

/// Names the fields of each resource, taken from Twilio's own API descriptions.
const FIELDS: &str = include_str!("fields.json");

fn has_the_fields_of(schema: &str, shown: &Value) {
    let fields: Value = serde_json::from_str(FIELDS).unwrap();
    let described: Vec<&str> = fields[schema]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut shown: Vec<&str> = shown
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    shown.sort_unstable();
    assert_eq!(shown, described, "{schema}");
}

fn first(client: &Client, path: &str, key: &str) -> Value {
    client.get(path).body[key][0].clone()
}

#[test]
fn resources_have_the_fields_that_twilio_describes() {
    let client = Client::new();
    let task = client.post(&client.router("/Tasks"), &[]).body;
    let channel = client.post(&client.chat("/Channels"), &[]).body;
    let session = client.post(&client.proxy("/Sessions"), &[]).body;
    let router = |rest: &str, key: &str| first(&client, &client.router(rest), key);
    has_the_fields_of("chat.v2.service.channel", &channel);
    has_the_fields_of("chat.v2.service", &client.get(&client.chat("")).body);
    has_the_fields_of("proxy.v1.service", &client.get(&client.proxy("")).body);
    has_the_fields_of("proxy.v1.service.session", &session);
    has_the_fields_of(
        "taskrouter.v1.workspace",
        &client.get(&client.router("")).body,
    );
    has_the_fields_of("taskrouter.v1.workspace.task", &task);
    has_the_fields_of(
        "taskrouter.v1.workspace.event",
        &router("/Events", "events"),
    );
    has_the_fields_of(
        "taskrouter.v1.workspace.task_channel",
        &router("/TaskChannels", "channels"),
    );
    has_the_fields_of(
        "taskrouter.v1.workspace.task_queue",
        &router("/TaskQueues", "task_queues"),
    );
    has_the_fields_of(
        "taskrouter.v1.workspace.workflow",
        &router("/Workflows", "workflows"),
    );
    let configuration = client.get("/flex-api/v1/Configuration").body;
    has_the_fields_of("flex.v1.configuration", &configuration);
    let flow = first(&client, "/flex-api/v1/FlexFlows", "flex_flows");
    has_the_fields_of("flex.v1.flex_flow", &flow);
}
