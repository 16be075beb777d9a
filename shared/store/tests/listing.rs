//! Reading many channels at once: all of them, page by page, and nothing that is none.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod common;

use aws_sdk_dynamodb::types::AttributeValue;
use common::*;
use domain::UNTIL_RELEASED;
use domain::{Channel, Platform, Policy, Queue};
use futures::StreamExt;
use store::{StoreError, TestEvent};

async fn put(aws: &embedded::Embedded, key: &str, filling: usize) {
    let put = aws.dynamodb().put_item().table_name(TABLE);
    let put = put.item(store::KEY, AttributeValue::S(key.to_owned()));
    let filling = AttributeValue::S("x".repeat(filling));
    put.item("filling", filling).send().await.unwrap();
}

#[tokio::test]
async fn every_channel_is_listed_and_what_is_none_is_not() {
    let (aws, table) = memory().await;
    for number in 0..5 {
        tell(&table, &[completed(channel(number), 1, 0)])
            .await
            .unwrap();
    }
    table.set_note("pages", &[1], at(0)).await.unwrap();
    put(&aws, "something-else", 1).await;
    put(&aws, channel(7).as_str(), 1).await;
    put(&aws, "CHange", 1).await;

    let mut sids = Vec::new();
    let (mut unreadable, mut foreign) = (0, 0);
    for listed in table.all("CH").collect::<Vec<_>>().await {
        match listed {
            Ok(channel) => sids.push(channel.sid()),
            Err(StoreError::Unreadable { channel: sid, .. }) => {
                assert_eq!(sid, channel(7));
                unreadable += 1;
            }
            Err(StoreError::Foreign) => foreign += 1,
            Err(error) => panic!("{error}"),
        }
    }
    sids.sort_unstable();
    assert_eq!(sids, (0..5).map(channel).collect::<Vec<_>>());
    assert_eq!(
        (unreadable, foreign),
        (1, 1),
        "one bad record hides no other"
    );

    let beginning = &channel(3).to_string()[..34 - 1];
    let found = table.all(beginning).collect::<Vec<_>>().await;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_table_of_several_pages_is_read_to_its_end() {
    let (aws, table) = memory().await;
    // DynamoDB ends a page after a megabyte.
    for number in 0..12 {
        put(&aws, channel(number).as_str(), 300_000).await;
    }
    aws.forget_calls();
    assert_eq!(table.all("CH").count().await, 12);
    assert!(aws.tally("Scan").requests >= 3, "{:?}", aws.tally("Scan"));

    // A table that cannot be read ends the list, and does not look like an empty one.
    let nowhere = store::ChannelTable::new(aws.dynamodb(), "nowhere");
    let listed: Vec<_> = nowhere.all("CH").collect().await;
    assert!(
        matches!(listed.as_slice(), [Err(StoreError::Refused { .. })]),
        "{listed:?}"
    );
}

#[tokio::test]
async fn a_queue_is_read_whether_due_or_not_and_a_hold_moves_a_channel() {
    let (_aws, table) = memory().await;
    let of = channel(1);
    tell(&table, &[completed(of, 1, 0)]).await.unwrap();
    let queue = async |work| {
        let waiting = table.entries(work).await.unwrap();
        waiting
            .iter()
            .map(|due| (due.channel, due.since))
            .collect::<Vec<_>>()
    };
    assert_eq!(queue(Queue::Ended).await, [(of, at(0))]);

    let until = at(90 * MINUTE);
    let change = |hold: fn(&mut Channel)| table.fold(of, Platform::Chat, hold);
    change(|channel| channel.hold(at(90 * MINUTE)))
        .await
        .unwrap();
    assert_eq!(queue(Queue::Ended).await, []);
    assert_eq!(queue(Queue::Retry).await, [(of, until)]);
    let due = table
        .due(&Policy::default(), at(89 * MINUTE))
        .await
        .unwrap();
    assert_eq!(due, [], "not before the hold is over");
    let due = table.due(&Policy::default(), until).await.unwrap();
    assert_eq!(due.len(), 1);

    change(|channel| channel.hold(UNTIL_RELEASED))
        .await
        .unwrap();
    for &work in Queue::ALL {
        assert_eq!(queue(work).await, [], "{work:?}");
    }
    change(Channel::release_hold).await.unwrap();
    assert_eq!(
        queue(Queue::Ended).await,
        [(of, at(0))],
        "as if nothing had been"
    );
}

#[tokio::test]
async fn the_last_test_event_is_remembered_and_is_no_channel() {
    let (_aws, table) = memory().await;
    assert_eq!(table.last_test_event().await.unwrap(), None);
    table.note_test_event("first", at(0)).await.unwrap();
    let long = "x".repeat(1_000);
    table.note_test_event(&long, at(1)).await.unwrap();
    let last = TestEvent {
        test_id: "x".repeat(64),
        at: at(1),
    };
    assert_eq!(table.last_test_event().await.unwrap(), Some(last));
    assert_eq!(table.all("CH").count().await, 0);
}
