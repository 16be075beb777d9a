//! The content of an item: the same for the same facts, nothing of a customer's, and readable by
//! those who come after.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod common;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use common::*;
use domain::{End, Fact, Stage, TaskState};
use embedded::Embedded;
use proptest::prelude::*;
use store::Saved;

/// Items as earlier versions wrote them, and as a later one may, in DynamoDB's own JSON.
const ITEMS: [(&str, &str); 3] = [
    (
        "the first version",
        r#"{"channel_sid":"CH0000000000000000000000000000001f","platform":"chat",
            "tasks":{"WT00000000000000000000000000000001":{"opened_at":1767603600000,"stage":"waiting"}},
            "version":"00112233445566778899aabbccddeeff"}"#,
    ),
    (
        "closed, before Proxy sessions were looked after",
        r#"{"channel_sid":"CH0000000000000000000000000000001f","platform":"chat",
            "tasks":{"WT00000000000000000000000000000001":{"opened_at":1767603600000,"stage":"wrapping",
              "ended":{"at":1767603900000,"how":"completed"}}},
            "long_lived":{"at":1767605400000,"long_lived":false},
            "cleanup":{"idle_since":1767603900000,"progress":{"done":{"step":"close","at":1767605400000,"outcome":"written"}},"failures":0},
            "expires_at":1770197400,"version":"ffeeddccbbaa99887766554433221100"}"#,
    ),
    (
        "with fields that only a later version knows",
        r#"{"channel_sid":"CH0000000000000000000000000000001f","platform":"conversations",
            "tasks":{"WT00000000000000000000000000000001":{"opened_at":1767603600000,"stage":"assigned",
              "mood":"good","interaction":{"sid":"KD00000000000000000000000000000001","channel":"UO00000000000000000000000000000001","kind":"x"}}},
            "forecast":{"rain":true},"due_queue":"weather#7","since":1,
            "version":"0123456789abcdef0123456789abcdef"}"#,
    ),
];

fn attribute(value: &serde_json::Value) -> AttributeValue {
    serde_dynamo::to_attribute_value(value).unwrap()
}

#[tokio::test]
async fn items_of_other_versions_are_read_and_written_on() {
    for (what, text) in ITEMS {
        let (aws, table) = memory().await;
        let client = aws.dynamodb();
        let item: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap();
        let item: HashMap<String, AttributeValue> = item
            .iter()
            .map(|(name, value)| (name.clone(), attribute(value)))
            .collect();
        let put = client.put_item().table_name(TABLE).set_item(Some(item));
        put.send().await.unwrap();

        let of = "CH0000000000000000000000000000001f".parse().unwrap();
        let stored = table.get(of).await.unwrap().unwrap();
        assert_eq!(stored.channel.tasks().len(), 1, "{what}");
        let saved = tell(&table, &[fact(of, 2, 60, TaskState::Open(Stage::Waiting))]).await;
        assert!(matches!(saved, Ok(Saved::Written)), "{what}: {saved:?}");
        assert_eq!(tasks(&table, of).await, [task(1), task(2)], "{what}");
    }
}

#[tokio::test]
async fn an_item_is_small_and_holds_nothing_but_what_is_on_this_list() {
    let (aws, table) = memory().await;
    let of = channel(1);
    let mut facts: Vec<Fact> = (1..=3).map(|number| opened(of, number)).collect();
    facts.extend((1..=3).map(|number| completed(of, number, 5)));
    facts.push(fact(of, 3, 6, TaskState::SeenOpen));
    tell(&table, &facts).await.unwrap();
    let stored = table.get(of).await.unwrap().unwrap();
    let mut after = stored.channel.clone();
    after.observe_long_lived(true, at(MINUTE));
    after.note_failure(domain::FailureReason::Refused, at(30 * MINUTE));
    after.hold(at(90 * MINUTE));
    table.save(&stored, after, Some(MONTH)).await.unwrap();

    let key = AttributeValue::S(of.to_string());
    let get = aws
        .dynamodb()
        .get_item()
        .table_name(TABLE)
        .key(store::KEY, key);
    let item = get.send().await.unwrap().item.unwrap();
    let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "channel_sid",
            "cleanup",
            "due_queue",
            "held_until",
            "long_lived",
            "platform",
            "since",
            "tasks",
            "version",
        ]
    );
    // One write unit is a kilobyte, an index entry included.
    aws.forget_calls();
    tell(&table, &[fact(of, 4, 40, TaskState::Open(Stage::Waiting))])
        .await
        .unwrap();
    assert!(
        aws.tally("PutItem").units <= 2.0,
        "{:?}",
        aws.tally("PutItem")
    );
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let state = prop_oneof![
        Just(TaskState::Open(Stage::Waiting)),
        Just(TaskState::Open(Stage::Assigned)),
        Just(TaskState::Ended(End::Completed)),
        Just(TaskState::Ended(End::Canceled)),
        Just(TaskState::SeenOpen),
    ];
    (1..4_u8, 0..6_i64, state)
        .prop_map(|(number, minute, state)| fact(channel(1), number, minute, state))
}

/// The same facts, in another order and with some of them twice.
fn two_tellings() -> impl Strategy<Value = (Vec<Fact>, Vec<Fact>)> {
    let facts = proptest::collection::vec(any_fact(), 1..7);
    facts.prop_flat_map(|facts| {
        let again = facts
            .iter()
            .chain(facts.first())
            .cloned()
            .collect::<Vec<_>>();
        (Just(facts), Just(again).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_facts_make_the_same_item_byte_for_byte(
        (one, other) in two_tellings(),
        cut in 0..8_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (first, second) = runtime.block_on(async {
            let (aws, table) = memory().await;
            tell(&table, &one).await.unwrap();
            let first = item(&aws.dynamodb(), channel(1)).await;
            let (aws, table) = memory().await;
            // Told in two parts, and one by one.
            let (some, rest) = other.split_at(cut.min(other.len()));
            if !some.is_empty() {
                tell(&table, some).await.unwrap();
            }
            for fact in rest {
                tell(&table, std::slice::from_ref(fact)).await.unwrap();
            }
            (first, item(&aws.dynamodb(), channel(1)).await)
        });
        prop_assert_eq!(first, second);
    }
}

/// Checks that CloudFormation creates the same table on AWS as `create_table` does here.
#[tokio::test]
async fn the_template_creates_this_very_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let template = std::fs::read_to_string(path).unwrap();
    let from = template.find("\n  Channels:\n").unwrap();
    let resource = &template[from..];
    let to = resource.find("\n\n").unwrap();
    let resource = &resource[..to];
    let says = |line: &str| assert!(resource.contains(line), "{line} in {resource}");
    says("Type: AWS::DynamoDB::Table");
    says(&format!(
        "TimeToLiveSpecification: {{ AttributeName: {}, Enabled: true }}",
        store::TTL_ATTRIBUTE
    ));

    let aws = Embedded::memory().unwrap();
    store::create_table(&aws.dynamodb(), TABLE).await.unwrap();
    store::create_table(&aws.dynamodb(), TABLE).await.unwrap();
    let client = aws.dynamodb();
    let described = client
        .describe_table()
        .table_name(TABLE)
        .send()
        .await
        .unwrap();
    let described = described.table.unwrap();
    for attribute in described.attribute_definitions() {
        let (name, kind) = (
            attribute.attribute_name(),
            attribute.attribute_type().as_str(),
        );
        says(&format!(
            "{{ AttributeName: {name}, AttributeType: {kind} }}"
        ));
    }
    let index = &described.global_secondary_indexes()[0];
    says(&format!("IndexName: {}", index.index_name().unwrap()));
    assert_eq!(index.index_name(), Some(store::DUE_INDEX));
    for key in described.key_schema().iter().chain(index.key_schema()) {
        let (name, kind) = (key.attribute_name(), key.key_type().as_str());
        says(&format!("{{ AttributeName: {name}, KeyType: {kind} }}"));
    }
    assert_eq!(described.key_schema()[0].attribute_name(), store::KEY);
    let projection = index.projection().unwrap().projection_type().unwrap();
    says(&format!("ProjectionType: {}", projection.as_str()));
    let ttl = client
        .describe_time_to_live()
        .table_name(TABLE)
        .send()
        .await
        .unwrap();
    let ttl = ttl.time_to_live_description.unwrap();
    assert_eq!(ttl.attribute_name(), Some(store::TTL_ATTRIBUTE));
}
