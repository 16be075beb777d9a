//! Notices on the bus: in tens, with entries that are refused and calls that fail.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use domain::Timestamp;
use embedded::{Embedded, Fault};
use runtime::{Aws, Bus, Notice, NoticeKind};
use serde_json::json;

fn bus() -> (Embedded, Bus) {
    let aws = Embedded::memory().unwrap();
    let client = Aws::with_http_client(aws.http_client()).eventbridge();
    (aws, Bus::new(client, "notices".to_owned()))
}

fn notices(count: usize) -> Vec<Notice> {
    (0..count)
        .map(|number| Notice {
            id: format!("CH{number}-closed"),
            at: Timestamp::from_millis(1_795_176_000_250),
            kind: NoticeKind::ChannelClosed,
            detail: json!({ "channel": format!("CH{number}"), "number": number }),
        })
        .collect()
}

fn range(range: std::ops::Range<usize>) -> Vec<usize> {
    range.collect()
}

#[tokio::test]
async fn a_notice_says_what_happened() {
    let (aws, bus) = bus();
    let published = bus.publish(&notices(1)).await;
    assert_eq!(published.sent, [0]);
    let entry = &aws.bus.entries()[0];
    assert_eq!(entry.bus, "notices");
    assert_eq!(entry.source, "channel-janitor");
    assert_eq!(entry.detail_type, "ChannelClosed");
    assert_eq!(
        entry.detail,
        json!({
            "id": "CH0-closed",
            "version": 1,
            "at": "2026-11-20T12:00:00.25Z",
            "channel": "CH0",
            "number": 0,
        })
    );
}

#[tokio::test]
async fn notices_go_in_tens() {
    let (aws, bus) = bus();
    let published = bus.publish(&notices(25)).await;
    assert_eq!(published.sent, range(0..25));
    assert_eq!(published.failed, []);
    assert_eq!(aws.tally("PutEvents").requests, 3);
    assert!(bus.publish(&[]).await.sent.is_empty());
    assert_eq!(aws.tally("PutEvents").requests, 3);
}

#[tokio::test]
async fn a_call_carries_no_more_than_eventbridge_takes() {
    let (aws, bus) = bus();
    let mut heavy = notices(4);
    for notice in &mut heavy {
        notice.detail = json!({ "text": "x".repeat(100 * 1024) });
    }
    assert_eq!(bus.publish(&heavy).await.sent, range(0..4));
    assert_eq!(aws.tally("PutEvents").requests, 2);
}

#[tokio::test(start_paused = true)]
async fn refused_entries_are_tried_again_and_the_others_are_not() {
    let (aws, bus) = bus();
    let mut refusals = 0;
    aws.bus.refuse_entries(move |entry| {
        let number = &entry.detail["number"];
        if number == 3 && refusals < 2 {
            refusals += 1;
            return Some("ThrottlingException");
        }
        (number == 11).then_some("NotAuthorizedForSourceException")
    });
    let published = bus.publish(&notices(12)).await;
    assert_eq!(published.sent, range(0..11));
    assert_eq!(
        published.failed,
        [(11, "NotAuthorizedForSourceException".to_owned())]
    );
    assert_eq!(aws.bus.entries().len(), 11);
    // Two batches, and two more calls for the entry that was throttled twice.
    assert_eq!(aws.tally("PutEvents").requests, 4);
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_stays_refused_is_given_up() {
    let (aws, bus) = bus();
    aws.bus.refuse_entries(|_| Some("InternalFailure"));
    let published = bus.publish(&notices(2)).await;
    let reason = || "InternalFailure".to_owned();
    assert_eq!(published.failed, [(0, reason()), (1, reason())]);
    assert_eq!(aws.tally("PutEvents").requests, 4);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_fails_its_own_entries_only() {
    let (aws, bus) = bus();
    aws.plan_faults(|call| {
        let second_batch = call.body.contains("CH10-closed");
        second_batch.then_some(Fault::InternalError)
    });
    let published = bus.publish(&notices(21)).await;
    let sent = [range(0..10), range(20..21)].concat();
    assert_eq!(published.sent, sent);
    let failed: Vec<usize> = published.failed.iter().map(|(index, _)| *index).collect();
    assert_eq!(failed, range(10..20));
    assert_eq!(
        published.failed[0].1,
        "InternalException: internal error (an injected fault)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_hangs_is_left_alone_after_two_seconds() {
    let (aws, bus) = bus();
    aws.plan_faults(|_| Some(Fault::Delay(Duration::from_secs(3600))));
    let begun = tokio::time::Instant::now();
    let published = bus.publish(&notices(1)).await;
    assert_eq!(begun.elapsed(), runtime::aws::OPERATION_TIMEOUT);
    assert!(
        published.failed[0].1.contains("timed out") || published.failed[0].1.contains("timeout"),
        "{published:?}"
    );
}

#[tokio::test]
async fn without_a_bus_notices_are_dropped_and_counted() {
    let published = Bus::none().publish(&notices(3)).await;
    assert_eq!((published.dropped, published.failed), (3, vec![]));
}

#[tokio::test]
async fn a_bus_that_is_not_there_is_named_with_the_region() {
    let (aws, bus) = bus();
    assert_eq!(bus.look().await, Ok(()));
    assert_eq!(Bus::none().look().await, Ok(()));

    aws.bus.know_only(&["another"]);
    let why = bus.look().await.unwrap_err().to_string();
    assert!(
        why.starts_with("cannot see the bus notices in us-east-1: ResourceNotFoundException"),
        "{why}"
    );
}
