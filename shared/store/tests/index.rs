//! The table's index, and the expiry of items.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use common::*;

use domain::{
    Author, AuthorDigest, Channel, ChannelSid, End, Fact, FactKind, FailureReason, MessageWebhook,
    Outcome, Platform, Policy, Progress, Queue, Stage, Step, TaskState,
};
use embedded::{Embedded, Lag};
use store::MAX_FROM_EACH_END;

#[tokio::test]
async fn the_index_holds_what_waits_and_shows_what_is_due_first_things_first() {
    let (_aws, table) = memory().await;
    let policy = Policy::default();
    // Open; canceled 6 minutes ago; completed 20, 16 and 10 minutes ago; many, over all shards.
    tell(&table, &[opened(channel(1), 1)]).await.unwrap();
    let canceled = fact(channel(2), 1, 14, TaskState::Ended(End::Canceled));
    tell(&table, &[canceled]).await.unwrap();
    for (number, minute) in [(3, 0), (4, 4), (5, 10)] {
        tell(&table, &[completed(channel(number), 1, minute)])
            .await
            .unwrap();
    }
    let due = table.due(&policy, at(20 * MINUTE)).await.unwrap();
    let due: Vec<_> = due.iter().map(|due| (due.channel, due.queue)).collect();
    // By when their turn came: minutes 15, 19 and 19, the SID deciding.
    assert_eq!(
        due,
        [
            (channel(3), Queue::Ended),
            (channel(2), Queue::Abandoned),
            (channel(4), Queue::Ended),
        ]
    );
    for number in 100..200 {
        tell(&table, &[completed(channel(number), 1, 0)])
            .await
            .unwrap();
    }
    assert_eq!(
        table.due(&policy, at(20 * MINUTE)).await.unwrap().len(),
        103
    );
    // A cutoff that is changed counts at once, for those who wait already.
    let patient = Policy {
        ended_cutoff: Duration::from_secs(60 * 60),
        ..policy
    };
    assert_eq!(table.due(&patient, at(20 * MINUTE)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn every_queue_of_the_sweep_is_found_again() {
    let (_aws, table) = memory().await;
    let mut channels = Vec::new();
    for (number, work) in Queue::of_sweep().enumerate() {
        let of = channel(u32::try_from(number).unwrap() + 1);
        let mut facts = vec![opened(of, 1), completed(of, 1, 5)];
        if work == Queue::Abandoned {
            facts[1] = fact(of, 1, 5, TaskState::Ended(End::Deleted));
        }
        if work == Queue::Inspect {
            facts.push(opened(of, 2));
        }
        let change = |channel: &mut Channel| {
            facts.iter().for_each(|fact| channel.absorb(fact));
            let now = at(20 * MINUTE);
            match work {
                Queue::LongLived => channel.note_progress(
                    Progress::Done {
                        step: Step::Release,
                        at: now,
                        outcome: Outcome::Written,
                    },
                    now,
                ),
                Queue::Retry => channel.note_failure(FailureReason::Refused, now),
                Queue::Observed => assert!(channel.note_observed(now)),
                Queue::Abandoned
                | Queue::Ended
                | Queue::Inspect
                | Queue::InstallWebhook
                | Queue::Park
                | Queue::Unpark => {}
            }
        };
        table.fold(of, Platform::Chat, change).await.unwrap();
        channels.push((of, work));
    }
    let long_after = at(100 * 24 * 60 * MINUTE);
    let due = table.due(&Policy::default(), long_after).await.unwrap();
    let mut due: Vec<_> = due.iter().map(|due| (due.channel, due.queue)).collect();
    due.sort();
    assert_eq!(due, channels);
}

#[tokio::test]
async fn what_waits_to_be_parked_is_found_in_its_own_queues_and_by_no_sweep() {
    let (aws, table) = memory().await;
    let agent = AuthorDigest::from_digest([1; 8]);
    let told = |of, minute, kind| Fact {
        channel: of,
        platform: Platform::Chat,
        at: at(minute * MINUTE),
        kind,
    };
    let task_channel = |number: u8| format!("TC{number:032x}").parse().unwrap();
    let pair = domain::Pair {
        active: task_channel(1),
        inactive: task_channel(2),
    };
    let pairs = domain::Pairs::new(vec![pair]).unwrap();
    let mut channels = Vec::new();
    for (number, work) in [
        (1, Queue::Unpark),
        (2, Queue::InstallWebhook),
        (3, Queue::Park),
    ] {
        let of = channel(number);
        let change = |channel: &mut Channel| {
            channel.absorb(&fact(of, 1, 0, TaskState::Open(Stage::Assigned)));
            let (task, worker) = (task(1), format!("WK{:032x}", 1).parse().ok());
            let mut facts = vec![told(
                of,
                0,
                FactKind::Accepted {
                    task,
                    worker,
                    identity: Some(agent),
                },
            )];
            let says = |author, index| FactKind::Message { author, index };
            facts.push(told(of, 1, says(Author::AuthorDigest(agent), 0)));
            if work != Queue::InstallWebhook {
                channel.note_message_webhook(task, MessageWebhook::Installed);
            }
            if work == Queue::Unpark {
                facts.push(told(
                    of,
                    2,
                    FactKind::Placed {
                        task,
                        version: 3,
                        placement: pairs.placement(task_channel(2)),
                    },
                ));
                facts.push(told(of, 3, says(Author::Customer, 1)));
            }
            channel.absorb_useful(&facts);
        };
        table.fold(of, Platform::Chat, change).await.unwrap();
        let stored = table.get(of).await.unwrap().unwrap();
        let mut again = stored.channel.clone();
        change(&mut again);
        assert_eq!(again, stored.channel, "what is stored is what is read");
        channels.push((of, work));
    }
    let bytes = item(&aws.dynamodb(), channel(1)).await.len();
    assert!(bytes < 1024, "{bytes} bytes, written out");

    let policy = Policy::default();
    let now = at(20 * MINUTE);
    let due = table.due_in(Queue::of_park(), &policy, now).await.unwrap();
    let mut due: Vec<_> = due.iter().map(|due| (due.channel, due.queue)).collect();
    due.sort();
    assert_eq!(due, channels);
    assert_eq!(table.due(&policy, now).await.unwrap(), []);
}

#[tokio::test]
async fn a_queue_of_more_than_one_page_is_read_to_its_end() {
    // DynamoDB answers a query with a megabyte at a time.
    const MANY: u32 = 16_000;
    let (aws, table) = memory().await;
    let client = aws.dynamodb();
    let writes: Vec<WriteRequest> = (0..MANY)
        .map(|number| queue_entry(channel(number)))
        .collect();
    for batch in writes.chunks(25) {
        let batch = client
            .batch_write_item()
            .request_items(TABLE, batch.to_vec());
        batch.send().await.unwrap();
    }
    let due = table
        .due(&Policy::default(), at(60 * MINUTE))
        .await
        .unwrap();
    // A backlog is read from both of its ends, so that a run holds a bounded part of it.
    assert_eq!(due.len(), 2 * MAX_FROM_EACH_END);
    let distinct: BTreeSet<ChannelSid> = due.iter().map(|due| due.channel).collect();
    assert_eq!(distinct.len(), due.len());

    // A person's list is read to its end, page by page.
    aws.forget_calls();
    let all = table.entries(Queue::Ended).await.unwrap();
    assert_eq!(all.len(), MANY as usize);
    assert!(aws.tally("Query").requests > 4, "{:?}", aws.tally("Query"));
}

fn queue_entry(of: ChannelSid) -> WriteRequest {
    let put = PutRequest::builder()
        .item(store::KEY, AttributeValue::S(of.to_string()))
        .item("due_queue", AttributeValue::S("ended#0".to_owned()))
        .item("since", AttributeValue::N(at(0).as_millis().to_string()))
        .build();
    WriteRequest::builder().set_put_request(put.ok()).build()
}

#[tokio::test]
async fn an_entry_that_is_no_channels_holds_up_nobody() {
    let (aws, table) = memory().await;
    tell(&table, &[completed(channel(1), 1, 0)]).await.unwrap();
    let put = aws.dynamodb().put_item().table_name(TABLE);
    let put = put
        .item(store::KEY, AttributeValue::S("by hand".to_owned()))
        .item("due_queue", AttributeValue::S("ended#1".to_owned()))
        .item("since", AttributeValue::N("7".to_owned()));
    put.send().await.unwrap();
    let due = table
        .due(&Policy::default(), at(20 * MINUTE))
        .await
        .unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].channel, channel(1));
}

#[tokio::test]
async fn an_index_that_lags_shows_what_was() {
    let aws = Embedded::with_stale_indexes(Lag::Writes(1)).unwrap();
    let table = table(&aws).await;
    tell(&table, &[completed(channel(1), 1, 0)]).await.unwrap();
    let now = at(20 * MINUTE);
    assert_eq!(table.due(&Policy::default(), now).await.unwrap(), []);
    tell(&table, &[opened(channel(1), 2)]).await.unwrap();
    assert_eq!(table.due(&Policy::default(), now).await.unwrap().len(), 1);
    let stored = table.get(channel(1)).await.unwrap().unwrap();
    assert_eq!(
        stored.channel.open_tasks().count(),
        1,
        "the table itself knows"
    );
}

#[tokio::test]
async fn a_closed_channel_expires_and_one_that_is_revived_does_not() {
    let (aws, table) = memory().await;
    let client = aws.dynamodb();
    let of = channel(1);
    tell(&table, &[opened(of, 1), completed(of, 1, 5)])
        .await
        .unwrap();
    assert!(!item(&client, of).await.contains(store::TTL_ATTRIBUTE));
    close(&table, of, 30).await;
    let expected = at(30 * MINUTE).plus(MONTH).as_millis() / 1000;
    let closed = item(&client, of).await;
    let expiry = format!("{}: N(\"{expected}\")", store::TTL_ATTRIBUTE);
    assert!(closed.contains(&expiry), "{closed}");
    let waits = |line: &str| line.starts_with("due_queue:") || line.starts_with("since:");
    assert!(!closed.lines().any(waits), "{closed}");

    // An echo keeps the date.
    tell(&table, &[fact(of, 1, 6, TaskState::Open(Stage::Wrapping))])
        .await
        .unwrap();
    assert_eq!(item(&client, of).await, closed);
    tell(&table, &[fact(of, 2, 40, TaskState::Open(Stage::Waiting))])
        .await
        .unwrap();
    assert!(!item(&client, of).await.contains(store::TTL_ATTRIBUTE));
}
