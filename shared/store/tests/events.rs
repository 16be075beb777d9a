//! The same events make the same items, whichever way they come.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use common::{TABLE, channel, memory};
use domain::{Pair, Pairs};
use embedded::Embedded;
use serde_json::{Value, json};
use store::{ChannelEvents, ChannelTable};
use twilio::events::{Batch, Scope, read_log, read_recording};

const ACTIVE: &str = "TC00000000000000000000000000000001";

/// The data of a task's event, as Event Streams and the log both hold it.
fn payload(kind: &str, status: &str, second: u32, version: u32) -> Value {
    json!({
        "eventtype": kind,
        "timestamp": format!("2026-01-05T09:00:{second:02}.000Z"),
        "task_sid": "WT00000000000000000000000000000001",
        "task_attributes": json!({ "channelSid": channel(1).as_str() }).to_string(),
        "task_assignment_status": status,
        "task_channel_sid": ACTIVE,
        "task_version": version.to_string(),
        "worker_sid": "WK00000000000000000000000000000001",
        "worker_name": "agent",
    })
}

fn payloads() -> Vec<Value> {
    vec![
        payload("task.created", "pending", 0, 0),
        payload("reservation.accepted", "assigned", 10, 1),
        payload("task.wrapup", "wrapping", 20, 2),
        payload("task.updated", "wrapping", 25, 3),
    ]
}

fn as_streamed(pairs: &Pairs) -> Batch {
    let events = payloads().into_iter().map(|payload| {
        let kind = payload["eventtype"].as_str().unwrap();
        let kind = format!("com.twilio.taskrouter.{kind}");
        json!({ "type": kind, "data": { "payload": payload } })
    });
    let body = Value::from(events.collect::<Vec<_>>()).to_string();
    read_recording(body.as_bytes(), &scope(pairs))
}

fn as_logged(pairs: &Pairs) -> Batch {
    let entries = payloads()
        .into_iter()
        .map(|payload| json!({ "event_type": payload["eventtype"], "event_data": payload }));
    // The log brings the newest event first.
    let entries: Vec<Value> = entries.rev().collect();
    let page = json!({ "events": entries }).to_string();
    read_log(page.as_bytes(), &scope(pairs))
}

fn scope(pairs: &Pairs) -> Scope {
    Scope {
        pairs: pairs.clone(),
        ..Scope::default()
    }
}

async fn fold(table: &ChannelTable, batch: Batch) -> usize {
    let channels = ChannelEvents::by_channel(batch.facts);
    let mut changed = 0;
    for events in channels {
        let would_change = table.would_change(&events).await.unwrap();
        changed += usize::from(would_change);
        let folded = table.fold_events(&events).await.unwrap();
        assert_eq!(matches!(folded.saved, store::Saved::Written), would_change);
    }
    changed
}

async fn item(aws: &Embedded) -> HashMap<String, AttributeValue> {
    let items = aws.dynamodb().scan().table_name(TABLE).send().await;
    let items = items.unwrap().items.unwrap();
    assert_eq!(items.len(), 1);
    items.into_iter().next().unwrap()
}

#[tokio::test]
async fn the_stream_and_the_log_make_the_same_item() {
    let pair = Pair {
        active: ACTIVE.parse().unwrap(),
        inactive: format!("TC{:032x}", 99).parse().unwrap(),
    };
    for pairs in [Pairs::new(vec![pair]).unwrap(), Pairs::default()] {
        let parks = !pairs.is_empty();
        let ((streamed, table), (logged, other)) = (memory().await, memory().await);
        assert_eq!(fold(&table, as_streamed(&pairs)).await, 1);
        assert_eq!(fold(&other, as_logged(&pairs)).await, 1);
        let item = item(&streamed).await;
        assert_eq!(item, self::item(&logged).await, "{parks}");
        let text = format!("{item:?}");
        assert_eq!(text.contains(ACTIVE), parks, "{text}");
        assert_eq!(text.contains("wrapping"), parks, "{text}");
        // What one way told, the other has nothing to add to.
        assert_eq!(fold(&table, as_logged(&pairs)).await, 0);
        assert_eq!(fold(&other, as_streamed(&pairs)).await, 0);
    }
}
