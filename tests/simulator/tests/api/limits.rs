//! Limits that Twilio sets on requests.

use crate::client::Client;
use std::time::Duration;

#[test]
fn a_page_above_the_maximum_of_its_list_is_refused() {
    let client = Client::new();
    let channel = client.post(&client.chat("/Channels"), &[]).sid();
    let conversation = client.post("/conversations/v1/Conversations", &[]).sid();
    let conversation = format!("/conversations/v1/Conversations/{conversation}");
    let channel = client.chat(&format!("/Channels/{channel}"));
    for (list, max) in [
        (format!("{channel}/Webhooks"), 5),
        (format!("{channel}/Messages"), 100),
        (format!("{conversation}/Webhooks"), 5),
        (format!("{conversation}/Messages"), 100),
        (format!("{conversation}/Participants"), 100),
        ("/conversations/v1/Conversations".to_owned(), 100),
        ("/conversations/v1/Configuration/Addresses".to_owned(), 50),
        (client.chat("/Channels"), 100),
        (client.chat("/Users"), 100),
        (client.router("/Tasks"), 1_000),
        (client.proxy("/Sessions"), 1_000),
    ] {
        assert_eq!(
            client.get(&format!("{list}?PageSize={max}")).status,
            200,
            "{list}"
        );
        let above = client.get(&format!("{list}?PageSize={}", max + 1));
        assert_eq!(above.refusal(), (400, 20007), "{list}");
    }
}

#[test]
fn expressions_are_evaluated_three_times_a_second_at_most() {
    let client = Client::new();
    client.simulator.state().knobs.evaluations_per_second = Some(simulator::EVALUATIONS_PER_SECOND);
    let tasks = client.router("/Tasks");
    let ask = || {
        client.get(&format!(
            "{tasks}?EvaluateTaskAttributes=channelSid%3D%3D%27CH1%27"
        ))
    };
    for _ in 0..3 {
        assert_eq!(ask().status, 200);
    }
    let refused = ask();
    assert_eq!(refused.refusal(), (429, 20429));
    assert!(!refused.headers.contains_key("retry-after"), "{refused:?}");
    assert_eq!(
        client.get(&tasks).status,
        200,
        "a list without an expression is not limited"
    );
    client.simulator.advance(Duration::from_millis(999));
    assert_eq!(ask().status, 429, "the second is not over");
    client.simulator.advance(Duration::from_millis(1));
    assert_eq!(ask().status, 200);
}

#[test]
fn lists_in_expressions_can_be_unknown() {
    let client = Client::new();
    let ask = |expression: &str| {
        let query: String = form_urlencoded::byte_serialize(expression.as_bytes()).collect();
        client.get(&client.router(&format!("/Tasks?EvaluateTaskAttributes={query}")))
    };
    assert_eq!(ask("channelSid IN ['CH1', 'CH2']").status, 200);
    client.simulator.state().knobs.evaluates_in = false;
    assert_eq!(ask("channelSid IN ['CH1', 'CH2']").refusal(), (400, 20001));
    assert_eq!(
        ask("channelSid == 'CH1' OR channelSid == 'CH2'").status,
        200
    );
}
