//! The real DynamoDB client against the embedded engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ReturnValuesOnConditionCheckFailure, ScalarAttributeType,
    TimeToLiveSpecification,
};
use embedded::{Embedded, Fault, Lag};

async fn with_table(aws: &Embedded) -> Client {
    let client = aws.dynamodb();
    let attribute = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .unwrap()
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    let due = GlobalSecondaryIndex::builder()
        .index_name("due")
        .key_schema(key("due_queue", KeyType::Hash))
        .key_schema(key("since", KeyType::Range))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::KeysOnly)
                .build(),
        )
        .build()
        .unwrap();
    client
        .create_table()
        .table_name("channels")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("channel_sid", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_queue", ScalarAttributeType::S))
        .attribute_definitions(attribute("since", ScalarAttributeType::N))
        .key_schema(key("channel_sid", KeyType::Hash))
        .global_secondary_indexes(due)
        .send()
        .await
        .unwrap();
    client
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

async fn put(client: &Client, sid: &str, since: i64) {
    client
        .put_item()
        .table_name("channels")
        .item("channel_sid", s(sid))
        .item("due_queue", s("ended#0"))
        .item("since", n(since))
        .item("version", n(1))
        .send()
        .await
        .unwrap();
}

async fn due(client: &Client) -> Vec<String> {
    let answer = client
        .query()
        .table_name("channels")
        .index_name("due")
        .key_condition_expression("due_queue = :queue AND since <= :until")
        .expression_attribute_values(":queue", s("ended#0"))
        .expression_attribute_values(":until", n(100))
        .send()
        .await
        .unwrap();
    let items = answer.items().iter();
    items
        .map(|item| item["channel_sid"].as_s().unwrap().clone())
        .collect()
}

#[tokio::test]
async fn a_write_that_loses_its_race_gets_the_stored_item_back() {
    let aws = Embedded::memory().unwrap();
    let client = with_table(&aws).await;
    put(&client, "CH1", 5).await;
    let refused = client
        .put_item()
        .table_name("channels")
        .item("channel_sid", s("CH1"))
        .item("version", n(1))
        .condition_expression("attribute_not_exists(channel_sid)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(lost) =
        refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!(lost.item().unwrap()["since"], n(5));
    assert_eq!(aws.tally("PutItem").requests, 2);
    assert_eq!(aws.tally("PutItem").refused, 1);
}

#[tokio::test]
async fn an_index_is_sparse_ordered_and_metered() {
    let aws = Embedded::memory().unwrap();
    let client = with_table(&aws).await;
    put(&client, "CH2", 20).await;
    put(&client, "CH1", 10).await;
    put(&client, "CH3", 200).await;
    aws.forget_calls();
    assert_eq!(due(&client).await, ["CH1", "CH2"]);
    assert_eq!(aws.tally("Query").units, 0.5);
    client
        .update_item()
        .table_name("channels")
        .key("channel_sid", s("CH1"))
        .update_expression("REMOVE due_queue, since")
        .send()
        .await
        .unwrap();
    assert_eq!(due(&client).await, ["CH2"]);
    // One for the item, one for its removal from the index.
    assert_eq!(aws.tally("UpdateItem").units, 2.0);
}

#[tokio::test]
async fn items_expire_where_the_table_says_so() {
    let aws = Embedded::memory().unwrap();
    let client = with_table(&aws).await;
    let ttl = TimeToLiveSpecification::builder()
        .attribute_name("expires_at")
        .enabled(true)
        .build()
        .unwrap();
    client
        .update_time_to_live()
        .table_name("channels")
        .time_to_live_specification(ttl)
        .send()
        .await
        .unwrap();
    for (sid, expires_at) in [("CH1", 1_700_000_000), ("CH2", 4_000_000_000)] {
        client
            .put_item()
            .table_name("channels")
            .item("channel_sid", s(sid))
            .item("expires_at", n(expires_at))
            .send()
            .await
            .unwrap();
    }
    assert_eq!(aws.dynamo.sweep_ttl().unwrap(), 1);
    let left = client.scan().table_name("channels").send().await.unwrap();
    assert_eq!(left.items()[0]["channel_sid"], s("CH2"));
}

#[tokio::test]
async fn a_file_keeps_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("channels.db");
    let client = with_table(&Embedded::open(&path).unwrap()).await;
    put(&client, "CH1", 5).await;
    drop(client);
    let client = Embedded::open(&path).unwrap().dynamodb();
    assert_eq!(due(&client).await, ["CH1"]);
}

#[tokio::test(start_paused = true)]
async fn the_client_overcomes_faults_that_pass() {
    let faults = [
        Fault::Throttle,
        Fault::InternalError,
        Fault::LoseRequest,
        Fault::LoseResponse,
        Fault::Delay(Duration::from_secs(3600)),
        Fault::Delay(Duration::ZERO),
    ];
    for fault in faults {
        let aws = Embedded::memory().unwrap();
        let client = with_table(&aws).await;
        aws.plan_faults(move |call| {
            (call.operation == "PutItem" && call.nth == 0 && call.body.contains("CH1"))
                .then_some(fault)
        });
        put(&client, "CH1", 5).await;
        let tally = aws.tally("PutItem");
        let refused = matches!(fault, Fault::Throttle | Fault::InternalError);
        let lost = matches!(fault, Fault::LoseRequest | Fault::LoseResponse);
        assert_eq!(tally.refused, u64::from(refused), "{fault:?}");
        assert_eq!(tally.lost, u64::from(lost), "{fault:?}");
        assert_eq!(tally.requests, 1 + tally.refused + tally.lost, "{fault:?}");
        assert_eq!(due(&client).await, ["CH1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_response_leaves_the_effect_behind() {
    let aws = Embedded::memory().unwrap();
    let client = with_table(&aws).await;
    aws.plan_faults(|call| (call.operation == "PutItem").then_some(Fault::LoseResponse));
    let lost = client
        .put_item()
        .table_name("channels")
        .item("channel_sid", s("CH1"))
        .send()
        .await
        .unwrap_err();
    assert!(lost.as_service_error().is_none());
    aws.end_faults();
    let left = client.scan().table_name("channels").send().await.unwrap();
    assert_eq!(left.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn stale_indexes_show_an_earlier_moment() {
    let aws = Embedded::with_stale_indexes(Lag::Writes(1)).unwrap();
    let client = with_table(&aws).await;
    put(&client, "CH1", 10).await;
    put(&client, "CH2", 20).await;
    assert_eq!(due(&client).await, ["CH1"]);
    let unready = Embedded::with_stale_indexes(Lag::Writes(usize::MAX)).unwrap();
    assert!(due(&with_table(&unready).await).await.is_empty());

    aws.dynamo.set_index_lag(Lag::Time(Duration::from_secs(1)));
    put(&client, "CH3", 30).await;
    tokio::time::advance(Duration::from_millis(999)).await;
    assert_eq!(due(&client).await, ["CH1"]);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(due(&client).await, ["CH1", "CH2", "CH3"]);

    // The table itself is never stale.
    aws.dynamo.set_index_lag(Lag::Writes(usize::MAX));
    put(&client, "CH4", 40).await;
    let all = client.scan().table_name("channels").send().await.unwrap();
    assert_eq!(all.count(), 4);
}

#[tokio::test]
async fn an_operation_that_is_not_offered_is_refused_by_name() {
    let aws = Embedded::memory().unwrap();
    let refused = aws.dynamodb().list_backups().send().await.unwrap_err();
    let refused = format!("{:?}", refused.into_service_error());
    assert!(refused.contains("does not offer ListBackups"), "{refused}");
}
