use crate::client::Client;
use serde_json::Value;

fn numbers(client: &Client) -> String {
    format!(
        "/api/2010-04-01/Accounts/{}/IncomingPhoneNumbers",
        client.project.account
    )
}

#[test]
fn a_new_project_is_consistent() {
    let client = Client::new();
    let owned = client.get(&format!("{}.json", numbers(&client))).body;
    let number = &owned["incoming_phone_numbers"][0];
    let webhook = client
        .simulator
        .state()
        .proxy_webhook(client.project.proxy_service);
    assert_eq!(number["sms_url"], webhook);
    let pool = client.all(&client.proxy("/PhoneNumbers"), "phone_numbers");
    assert_eq!(pool[0]["sid"], number["sid"]);
    let addresses = client.all(
        "/conversations/v1/Configuration/Addresses",
        "address_configurations",
    );
    assert_eq!(addresses[0]["address"], "+15550100002");
    let flow = format!(
        "/studio/v2/Flows/{}",
        addresses[0]["auto_creation"]["studio_flow_sid"]
            .as_str()
            .unwrap()
    );
    let widget = client.get(&flow).body["definition"]["states"][1]["properties"].clone();
    assert_eq!(widget["workflow"], client.project.workflow.as_str());
    assert_eq!(widget["channel"], client.project.chat_task_channel.as_str());
    assert!(
        widget["attributes"]
            .as_str()
            .unwrap()
            .contains("channelSid")
    );
}

#[test]
fn a_number_can_be_pointed_elsewhere_and_back() {
    let client = Client::new();
    let bought = client.simulator.state().buy_number("+15550100009");
    let path = format!("{}/{bought}.json", numbers(&client));
    assert_eq!(client.get(&path).body["sms_url"], "");
    let pointed = client
        .post(
            &path,
            &[("SmsUrl", "https://example.com"), ("FriendlyName", "Main")],
        )
        .body;
    assert_eq!(
        (&pointed["sms_url"], &pointed["friendly_name"]),
        (&"https://example.com".into(), &"Main".into())
    );
    assert_eq!(client.post(&path, &[("SmsUrl", "")]).body["sms_url"], "");
    assert_eq!(
        client.post(&path, &[("SmsUri", "")]).refusal(),
        (400, 20001)
    );
    assert_eq!(
        client
            .get("/api/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json")
            .status,
        404
    );
}

#[test]
fn the_old_api_pages_by_relative_uris() {
    let client = Client::new();
    let first = client
        .get(&format!("{}.json?PageSize=1", numbers(&client)))
        .body;
    let next = first["next_page_uri"].as_str().unwrap();
    assert!(next.starts_with("/2010-04-01/"), "{next}");
    let second = client.get(&format!("/api{next}")).body;
    assert_eq!(
        (&second["page"], &second["start"], &second["next_page_uri"]),
        (&1.into(), &1.into(), &Value::Null)
    );
    assert_ne!(
        first["incoming_phone_numbers"][0]["sid"],
        second["incoming_phone_numbers"][0]["sid"]
    );
}

#[test]
fn a_number_is_in_one_pool_only() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let service = client.project.proxy_service;
    let number = state.buy_number("+15550100009");
    state.add_to_pool(service, number).unwrap();
    assert!(state.add_to_pool(service, number).is_err());
    drop(state);
    let pool = client.all(&client.proxy("/PhoneNumbers"), "phone_numbers");
    assert_eq!(pool.len(), 2);
    assert_eq!(pool[1]["sid"], number.as_str());
}

#[test]
fn a_list_of_studio_flows_keeps_the_definitions_to_itself() {
    let client = Client::new();
    let listed = client.all("/studio/v2/Flows", "flows");
    assert_eq!(listed[0]["definition"], Value::Null);
    let path = format!("/studio/v2/Flows/{}", listed[0]["sid"].as_str().unwrap());
    assert!(client.get(&path).body["definition"].is_object());
}

#[test]
fn an_address_can_be_configured_once() {
    let client = Client::new();
    let path = "/conversations/v1/Configuration/Addresses";
    let creation = serde_json::Map::from_iter([("enabled".to_owned(), true.into())]);
    let mut state = client.simulator.state();
    let mut configure =
        || state.configure_address("whatsapp", "whatsapp:+15550100002", creation.clone());
    let made = configure().unwrap();
    assert!(configure().is_err());
    drop(state);
    let own = format!("{path}/{made}");
    let changed = client.post(&own, &[("AutoCreation.Type", "default")]).body;
    assert_eq!(
        (
            &changed["auto_creation"]["type"],
            &changed["auto_creation"]["enabled"]
        ),
        (&"default".into(), &true.into())
    );
    assert_eq!(
        client
            .post(&own, &[("AutoCreation.Type", "magic")])
            .refusal(),
        (400, 20001)
    );
}

#[test]
fn a_number_is_in_one_messaging_service_only() {
    let client = Client::new();
    let service = client
        .simulator
        .state()
        .create_messaging_service("Marketing", true);
    let number = {
        let mut state = client.simulator.state();
        let number = state.buy_number("+15550100009");
        state.add_to_messaging_service(service, number).unwrap();
        assert!(state.add_to_messaging_service(service, number).is_err());
        number
    };
    let members = client.all(
        &format!("/messaging/v1/Services/{service}/PhoneNumbers"),
        "phone_numbers",
    );
    assert_eq!(members[0]["sid"], number.as_str());
    let services = client.all("/messaging/v1/Services", "services");
    assert_eq!(services.len(), 1);
    assert_eq!(services[0]["use_inbound_webhook_on_number"], true);
}

#[test]
fn a_project_in_order_leads_calls_and_events_where_they_belong() {
    let client = Client::new();
    let types = [("com.twilio.taskrouter.task.completed", 4)];
    let order = client
        .simulator
        .state()
        .put_in_order("https://example.com/hook", &types)
        .unwrap();
    let owned = client.get(&format!("{}.json", numbers(&client))).body;
    let owned = owned["incoming_phone_numbers"].as_array().unwrap();
    let voice = client.simulator.state().studio_webhook(order.voice_flow);
    assert!(
        owned
            .iter()
            .all(|number| number["voice_url"] == voice.as_str())
    );
    let flows = client.all("/flex-api/v1/FlexFlows", "flex_flows");
    assert!(flows.iter().all(|flow| flow["janitor_enabled"] == true));
    let sinks = client.all("/events/v1/Sinks", "sinks");
    let mut sinks = sinks.iter();
    let sink = sinks
        .find(|sink| sink["sid"] == order.sink.as_str())
        .unwrap();
    assert_eq!(
        sink["sink_configuration"]["destination"],
        "https://example.com/hook"
    );
    let services = client.all("/conversations/v1/Services", "services");
    assert_eq!(services[0]["sid"], client.project.chat_service.as_str());

    client.simulator.state().lose(order.voice_flow).unwrap();
    assert_eq!(
        client
            .get(&format!("/studio/v2/Flows/{}", order.voice_flow))
            .status,
        404
    );
    assert!(client.simulator.state().lose(order.voice_flow).is_err());
}
