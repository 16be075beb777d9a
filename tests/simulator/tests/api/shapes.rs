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
        "taskrouter.v1.workspace.workflow",
        &router("/Workflows", "workflows"),
    );
    let configuration = client.get("/flex-api/v1/Configuration").body;
    has_the_fields_of("flex.v1.configuration", &configuration);
    let flow = first(&client, "/flex-api/v1/FlexFlows", "flex_flows");
    has_the_fields_of("flex.v1.flex_flow", &flow);
}

#[test]
fn chat_parts_and_agents_have_the_fields_that_twilio_describes() {
    let client = Client::new();
    let channel = client.post(&client.chat("/Channels"), &[]).sid();
    let channel = client.chat(&format!("/Channels/{channel}"));
    let message = client
        .post(&format!("{channel}/Messages"), &[("Body", "x")])
        .body;
    has_the_fields_of("chat.v2.service.channel.message", &message);
    let form = [
        ("Type", "webhook"),
        ("Configuration.Url", "https://example.com"),
    ];
    let webhook = client.post(&format!("{channel}/Webhooks"), &form).body;
    has_the_fields_of("chat.v2.service.channel.channel_webhook", &webhook);
    let workspace = client.project.workspace;
    let worker = client.simulator.state().hire_agent(workspace, "x").unwrap();
    let shown = first(&client, &client.router("/Workers"), "workers");
    has_the_fields_of("taskrouter.v1.workspace.worker", &shown);
    let channels = client.router(&format!("/Workers/{worker}/Channels"));
    let channel = first(&client, &channels, "channels");
    has_the_fields_of("taskrouter.v1.workspace.worker.worker_channel", &channel);
}

#[test]
fn conversations_and_interactions_have_the_fields_that_twilio_describes() {
    let client = Client::new();
    let contact = client
        .simulator
        .state()
        .customer_converses("+15550100123", "Hi");
    let conversation = contact.channel().unwrap();
    let task = contact.task().unwrap();
    let workspace = client.project.workspace;
    let worker = client.simulator.state().hire_agent(workspace, "x").unwrap();
    let accepted = client.simulator.state().agent_accepts(task, worker);
    accepted.unwrap();
    let user = first(&client, &client.chat("/Users"), "users");
    has_the_fields_of("chat.v2.service.user", &user);
    assert_eq!(user["joined_channels_count"], 1);
    let path = format!("/conversations/v1/Conversations/{conversation}");
    let shown = client.get(&path).body;
    has_the_fields_of("conversations.v1.conversation", &shown);
    has_the_fields_of("conversations.v1.service.service_conversation", &shown);
    let participant = first(&client, &format!("{path}/Participants"), "participants");
    has_the_fields_of(
        "conversations.v1.conversation.conversation_participant",
        &participant,
    );
    let message = first(&client, &format!("{path}/Messages"), "messages");
    has_the_fields_of(
        "conversations.v1.conversation.conversation_message",
        &message,
    );
    let url = "https://survey.example.com";
    client
        .simulator
        .state()
        .program_joins(conversation, url)
        .unwrap();
    has_the_fields_of(
        "conversations.v1.conversation.conversation_scoped_webhook",
        &first(&client, &format!("{path}/Webhooks"), "webhooks"),
    );
    let configuration = client.get("/conversations/v1/Configuration").body;
    has_the_fields_of("conversations.v1.configuration", &configuration);
    let (interaction, channel) = {
        let state = client.simulator.state();
        let channel = state
            .interaction_channel_of(contact.task().unwrap())
            .unwrap();
        (channel.interaction, channel.sid)
    };
    let path = format!("/flex-api/v1/Interactions/{interaction}/Channels/{channel}");
    let described = "flex.v1.interaction.interaction_channel";
    has_the_fields_of(described, &client.get(&path).body);
    let routing = "{\"properties\":{}}";
    let invite = client.post(&format!("{path}/Invites"), &[("Routing", routing)]);
    let invite = invite.body;
    has_the_fields_of(&format!("{described}.interaction_channel_invite"), &invite);
    let party = first(&client, &format!("{path}/Participants"), "participants");
    has_the_fields_of(
        &format!("{described}.interaction_channel_participant"),
        &party,
    );
}

#[test]
fn streams_have_the_fields_that_twilio_describes() {
    let client = Client::new();
    let configuration = "{\"destination\":\"https://example.com\"}";
    let form = [
        ("Description", "x"),
        ("SinkConfiguration", configuration),
        ("SinkType", "webhook"),
    ];
    let sink = client.post("/events/v1/Sinks", &form);
    has_the_fields_of("events.v1.sink", &sink.body);
    let types = "{\"type\":\"com.twilio.taskrouter.task.created\"}";
    let form = [
        ("Description", "x"),
        ("SinkSid", &sink.sid()),
        ("Types", types),
    ];
    let subscription = client.post("/events/v1/Subscriptions", &form);
    has_the_fields_of("events.v1.subscription", &subscription.body);
    let events = format!(
        "/events/v1/Subscriptions/{}/SubscribedEvents",
        subscription.sid()
    );
    has_the_fields_of(
        "events.v1.subscription.subscribed_event",
        &first(&client, &events, "types"),
    );
    has_the_fields_of(
        "events.v1.event_type",
        &first(&client, "/events/v1/Types", "types"),
    );
}

#[test]
fn the_set_up_has_the_fields_that_twilio_describes() {
    let client = Client::new();
    let account = client.project.account;
    let numbers = format!("/api/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json");
    let number = first(&client, &numbers, "incoming_phone_numbers");
    has_the_fields_of("api.v2010.account.incoming_phone_number", &number);
    let pooled = first(&client, &client.proxy("/PhoneNumbers"), "phone_numbers");
    has_the_fields_of("proxy.v1.service.phone_number", &pooled);
    let flow = first(&client, "/studio/v2/Flows", "flows");
    has_the_fields_of("studio.v2.flow", &flow);
    let path = "/conversations/v1/Configuration/Addresses";
    let address = first(&client, path, "address_configurations");
    has_the_fields_of("conversations.v1.configuration_address", &address);
}
