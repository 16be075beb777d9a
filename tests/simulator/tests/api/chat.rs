use crate::client::Client;

const HOSTILE: &str = "{ \"status\":\"ACTIVE\",\"big\" : 9007199254740993,\"far\":1e400,\"e\":\"\\u00e9\",\"zero\":-0.0}";

#[test]
fn attributes_come_back_byte_for_byte() {
    let client = Client::new();
    let channel = client.post(
        &client.chat("/Channels"),
        &[("Attributes", HOSTILE), ("Type", "private")],
    );
    assert_eq!(channel.status, 201);
    assert_eq!(channel.body["attributes"], HOSTILE);
    let read = client.get(&client.chat(&format!("/Channels/{}", channel.sid())));
    assert_eq!(read.body, channel.body);
}

#[test]
fn an_update_replaces_the_attributes_as_a_whole() {
    let client = Client::new();
    let path = client.chat(&format!(
        "/Channels/{}",
        client
            .post(&client.chat("/Channels"), &[("Attributes", HOSTILE)])
            .sid()
    ));
    assert_eq!(
        client.post(&path, &[("FriendlyName", "Jo")]).body["attributes"],
        HOSTILE
    );
    assert_eq!(
        client.post(&path, &[("Attributes", "[]")]).body["attributes"],
        "[]"
    );
    assert_eq!(client.get(&path).body["friendly_name"], "Jo");
}

#[test]
fn broken_attributes_change_nothing() {
    let client = Client::new();
    let path = client.chat(&format!(
        "/Channels/{}",
        client.post(&client.chat("/Channels"), &[]).sid()
    ));
    assert_eq!(
        client
            .post(&path, &[("Attributes", "{\"a\":"), ("FriendlyName", "Jo")])
            .refusal(),
        (400, 50304)
    );
    let channel = client.get(&path).body;
    assert_eq!(
        (&channel["attributes"], &channel["friendly_name"]),
        (&"{}".into(), &serde_json::Value::Null)
    );
}

#[test]
fn a_missing_channel_and_a_missing_service_are_told_apart() {
    let client = Client::new();
    let absent = "CH00000000000000000000000000000001";
    assert_eq!(
        client
            .get(&client.chat(&format!("/Channels/{absent}")))
            .refusal(),
        (404, 50300)
    );
    assert_eq!(
        client
            .post(
                &client.chat(&format!("/Channels/{absent}")),
                &[("Attributes", "{}")]
            )
            .refusal(),
        (404, 50300)
    );
    assert_eq!(
        client
            .delete(&client.chat(&format!("/Channels/{absent}")))
            .refusal(),
        (404, 50300)
    );
    let other = format!("/chat/v2/Services/IS00000000000000000000000000000001/Channels/{absent}");
    assert_eq!(client.get(&other).refusal(), (404, 20404));
}

#[test]
fn private_channels_hide_from_a_list_without_a_type() {
    let client = Client::new();
    for channel_type in ["private", "public"] {
        client.post(&client.chat("/Channels"), &[("Type", channel_type)]);
    }
    let types = |query: &str| -> Vec<String> {
        let found = client.all(&client.chat(&format!("/Channels{query}")), "channels");
        found
            .iter()
            .map(|channel| channel["type"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(types(""), ["public"]);
    assert_eq!(types("?Type=private"), ["private"]);
    assert_eq!(types("?Type=private&Type=public"), ["private", "public"]);
}
