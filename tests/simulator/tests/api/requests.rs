use crate::client::{BASE, Client, basic};

#[test]
fn whoever_has_no_credentials_is_turned_away() {
    let mut client = Client::new();
    let account = client.simulator.account();
    client.authorization = basic(account.sid.as_str(), "wrong");
    let refused = client.get(&client.chat(""));
    assert_eq!(refused.refusal(), (401, 20003));
    assert!(
        refused.body["more_info"]
            .as_str()
            .unwrap()
            .ends_with("/20003")
    );
    client.authorization = basic(account.api_key.as_str(), &account.api_secret);
    assert_eq!(client.get(&client.chat("")).status, 200);
}

#[test]
fn an_unknown_parameter_is_refused_by_name() {
    let client = Client::new();
    let refused = client.post(&client.chat("/Channels"), &[("Atributes", "{}")]);
    assert_eq!(refused.refusal(), (400, 20001));
    assert!(
        refused.body["message"]
            .as_str()
            .unwrap()
            .contains("Atributes")
    );
    assert_eq!(
        client
            .get(&client.chat("/Channels?Status=ACTIVE"))
            .refusal(),
        (400, 20001)
    );
    assert_eq!(
        client.get(&client.chat("?Fields=sid")).refusal(),
        (400, 20001)
    );
    assert_eq!(client.simulator.state().channels().count(), 0);
}

#[test]
fn an_unknown_route_does_not_exist() {
    let client = Client::new();
    for path in [
        "/",
        "/chat",
        "/chat/v1/Services",
        "/chat/v2/Servces",
        "/voice/v1/Calls",
        "/chat/v2/Services/",
    ] {
        assert_eq!(client.get(path).refusal(), (404, 20404), "{path}");
    }
    assert_eq!(
        client
            .seen("PUT", &client.chat(""), &[], String::new())
            .refusal(),
        (404, 20404)
    );
}

#[test]
fn a_missing_parameter_is_refused_by_name() {
    let client = Client::new();
    let refused = client.post("/events/v1/Sinks", &[]);
    assert_eq!(refused.status, 400);
    assert!(
        refused.body["message"]
            .as_str()
            .unwrap()
            .contains("Description")
    );
}

#[test]
fn a_form_endpoint_takes_no_json() {
    let client = Client::new();
    let body = "{\"FriendlyName\":\"x\"}".to_owned();
    let refused = client.seen(
        "POST",
        "/events/v1/Sinks",
        &[("content-type", "application/json")],
        body,
    );
    assert_eq!(refused.status, 415);
}

#[test]
fn pages_follow_one_another_even_if_entries_vanish_in_between() {
    let client = Client::new();
    let made: Vec<String> = (0..7)
        .map(|_| client.post(&client.chat("/Channels"), &[]).sid())
        .collect();
    let first = client.get(&client.chat("/Channels?PageSize=3"));
    let meta = &first.body["meta"];
    assert_eq!(
        (
            &meta["page"],
            &meta["page_size"],
            &meta["previous_page_url"]
        ),
        (&0.into(), &3.into(), &serde_json::Value::Null)
    );
    client.delete(&client.chat(&format!("/Channels/{}", made[2])));
    client.delete(&client.chat(&format!("/Channels/{}", made[3])));
    let path =
        |url: &serde_json::Value| url.as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
    let second = client.get(&path(&meta["next_page_url"]));
    let sids: Vec<&str> = second.body["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["sid"].as_str().unwrap())
        .collect();
    assert_eq!(sids, [&made[4], &made[5], &made[6]]);
    assert_eq!(second.body["meta"]["page"], 1);
    assert!(second.body["meta"]["next_page_url"].is_null());
    let again = client.get(&path(&second.body["meta"]["previous_page_url"]));
    assert_eq!(again.body["channels"][0]["sid"], made[0]);
}

#[test]
fn a_page_cannot_be_asked_for_by_number() {
    let client = Client::new();
    assert_eq!(
        client.get(&client.chat("/Channels?Page=1")).refusal(),
        (400, 20001)
    );
    assert_eq!(
        client
            .get(&client.chat("/Channels?PageToken=nonsense"))
            .refusal(),
        (400, 20001)
    );
    assert_eq!(
        client.get(&client.chat("/Channels?PageSize=0")).refusal(),
        (400, 20001)
    );
    assert_eq!(
        client.get(&client.chat("/Channels?PageSize=100")).body["meta"]["page_size"],
        100
    );
}

#[test]
fn every_request_is_counted_by_kind() {
    let client = Client::new();
    let channel = client.post(&client.chat("/Channels"), &[]).sid();
    client.get(&client.chat(&format!("/Channels/{channel}")));
    client.get(&client.chat("/Channels/CH404"));
    let calls = client.simulator.calls();
    assert_eq!(calls.count("chat", "POST", "Channels"), 1);
    assert_eq!(calls.count("chat", "GET", "Channels/{Sid}"), 2);
    assert_eq!(
        (calls.total(), calls.writes(), calls.of_product("chat")),
        (3, 1, 3)
    );
    assert_eq!(
        calls.log().last(),
        Some(client.chat("/Channels/CH404").as_str())
            .map(|path| format!("GET {path}"))
            .as_deref()
    );
    client.simulator.reset_calls();
    assert_eq!(client.simulator.calls().total(), 0);
}
