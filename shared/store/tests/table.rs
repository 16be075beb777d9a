//! The table through the real client, against the embedded engine: who wins, what is never
//! lost, and what is written at all.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod common;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use common::*;
use domain::Platform;
use embedded::Fault;
use futures::join;
use store::{ChannelTable, Saved, StoreError};

#[tokio::test(start_paused = true)]
async fn two_writers_in_every_interleaving_lose_nothing() {
    // Each writer reads, writes, and perhaps does both again; each request is slow or not.
    let (aws, table) = memory().await;
    for there_already in [false, true] {
        for slow in 0_u32..256 {
            let channel = channel(u32::from(there_already) << 8 | slow);
            aws.end_faults();
            if there_already {
                tell(&table, &[opened(channel, 3)]).await.unwrap();
            }
            let mut nth = 0;
            aws.plan_faults(move |_| {
                let millis = u64::from(slow >> nth & 1);
                nth += 1;
                Some(Fault::Delay(Duration::from_millis(millis)))
            });
            let (one, other) = ([opened(channel, 1)], [opened(channel, 2)]);
            let saved = join!(tell(&table, &one), tell(&table, &other));
            let (Ok(Saved::Written), Ok(Saved::Written)) = saved else {
                panic!("{slow:08b}: {saved:?}")
            };
            let found = tasks(&table, channel).await;
            let expected = 2 + usize::from(there_already);
            assert_eq!(found.len(), expected, "{slow:08b}: {found:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_loses_is_told_what_the_winner_left() {
    let (_aws, table) = memory().await;
    tell(&table, &[opened(channel(1), 1)]).await.unwrap();
    let before = table.get(channel(1)).await.unwrap().unwrap();
    tell(&table, &[completed(channel(1), 1, 3)]).await.unwrap();

    let mut after = before.channel.clone();
    after.absorb(&opened(channel(1), 2));
    let Saved::Conflict(newer) = table.save(&before, after, None).await.unwrap() else {
        panic!("an old read was written back")
    };
    assert!(newer.channel.idle().is_some());
    assert_eq!(tasks(&table, channel(1)).await, [task(1)]);
}

#[tokio::test(start_paused = true)]
async fn ones_own_earlier_write_is_recognised_when_its_answer_was_lost() {
    for there_already in [false, true] {
        let (aws, table) = memory().await;
        if there_already {
            tell(&table, &[opened(channel(1), 9)]).await.unwrap();
        }
        aws.forget_calls();
        aws.plan_faults(|call| {
            (call.operation == "PutItem" && call.nth == 0).then_some(Fault::LoseResponse)
        });
        let saved = tell(&table, &[opened(channel(1), 1)]).await.unwrap();
        assert!(matches!(saved, Saved::Written), "{saved:?}");
        assert_eq!(aws.tally("PutItem").requests, 2);
        assert_eq!(aws.tally("GetItem").requests, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_and_that_was_written_over_is_not_repeated() {
    let (aws, table) = memory().await;
    let rival = ChannelTable::new(aws.dynamodb(), TABLE);
    aws.plan_faults(|call| {
        let ours = call.operation == "PutItem" && call.nth == 0;
        ours.then_some(Fault::LoseResponse)
    });
    // While the client waits to send it again, another writer builds upon it.
    let (one, other) = ([opened(channel(1), 1)], [opened(channel(1), 2)]);
    let (ours, theirs) = join!(tell(&table, &one), tell(&rival, &other));
    assert!(matches!(theirs, Ok(Saved::Written)), "{theirs:?}");
    assert!(
        matches!(ours, Ok(Saved::Written | Saved::Unchanged)),
        "{ours:?}"
    );
    assert_eq!(tasks(&table, channel(1)).await.len(), 2);
}

#[tokio::test]
async fn what_changes_nothing_costs_no_write() {
    let (aws, table) = memory().await;
    // Nothing, about a channel of which nothing is known.
    let (saved, ()) = table
        .fold(channel(1), Platform::Chat, |_| ())
        .await
        .unwrap();
    assert!(matches!(saved, Saved::Unchanged));
    assert!(table.get(channel(1)).await.unwrap().is_none());
    let facts = [opened(channel(1), 1), completed(channel(1), 1, 5)];
    tell(&table, &facts).await.unwrap();
    aws.forget_calls();
    for facts in [&facts[..], &facts[..1], &facts[1..]] {
        let saved = tell(&table, facts).await.unwrap();
        assert!(matches!(saved, Saved::Unchanged), "{saved:?}");
    }
    assert_eq!(aws.tally("PutItem").requests, 0);
    assert_eq!(aws.tally("GetItem").requests, 3);
}

#[tokio::test]
async fn an_ordinary_life_costs_three_writes_and_two_of_the_index() {
    let (aws, table) = memory().await;
    aws.forget_calls();
    tell(&table, &[opened(channel(1), 1)]).await.unwrap();
    tell(&table, &[completed(channel(1), 1, 5)]).await.unwrap();
    close(&table, channel(1), 30).await;
    assert_eq!(aws.tally("PutItem").requests, 3);
    assert_eq!(aws.tally("PutItem").units, 5.0);
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_always_loses_gives_up_after_a_bounded_time() {
    let (aws, table) = memory().await;
    let ours = task(0).to_string();
    aws.plan_faults(move |call| {
        let slow = call.operation == "PutItem" && call.body.contains(&ours);
        slow.then_some(Fault::Delay(Duration::from_millis(100)))
    });
    let rival = ChannelTable::new(aws.dynamodb(), TABLE);
    let rivals = async {
        for number in 1..=255 {
            tell(&rival, &[opened(channel(1), number)]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    let began = tokio::time::Instant::now();
    let facts = [opened(channel(1), 0)];
    let outcome = tokio::select! {
        outcome = tell(&table, &facts) => outcome,
        () = rivals => panic!("it never gave up"),
    };
    let contended =
        matches!(&outcome, Err(StoreError::Contended { channel: of }) if *of == channel(1));
    assert!(contended, "{outcome:?}");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_record_that_expired_between_reading_and_writing_is_written_anew() {
    let (aws, table) = memory().await;
    let of = channel(1);
    tell(&table, &[opened(of, 1)]).await.unwrap();
    let before = table.get(of).await.unwrap().unwrap();
    let key = AttributeValue::S(of.to_string());
    let deletion = aws
        .dynamodb()
        .delete_item()
        .table_name(TABLE)
        .key(store::KEY, key);
    deletion.send().await.unwrap();
    let mut after = before.channel.clone();
    after.absorb(&opened(of, 2));
    let Saved::Conflict(nothing) = table.save(&before, after, None).await.unwrap() else {
        panic!("a record that is gone was written over")
    };
    assert_eq!(nothing.channel.tasks().len(), 0);
    tell(&table, &[opened(of, 2)]).await.unwrap();
    assert_eq!(tasks(&table, of).await, [task(2)]);
}

#[tokio::test(start_paused = true)]
async fn failures_are_sorted_by_what_to_do_next() {
    let (aws, table) = memory().await;
    let get = || table.get(channel(1));
    aws.plan_faults(|_| Some(Fault::Throttle));
    assert!(matches!(get().await, Err(StoreError::Throttled { .. })));
    aws.plan_faults(|_| Some(Fault::InternalError));
    assert!(matches!(get().await, Err(StoreError::Unreachable { .. })));
    aws.plan_faults(|_| Some(Fault::LoseRequest));
    assert!(matches!(get().await, Err(StoreError::Unreachable { .. })));
    aws.end_faults();
    let nowhere = ChannelTable::new(aws.dynamodb(), "elsewhere");
    let refused = nowhere.get(channel(1)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Refused { .. }), "{refused}");
    let unreadable = HashMap::from([
        (
            store::KEY.to_owned(),
            AttributeValue::S(channel(1).to_string()),
        ),
        ("platform".to_owned(), AttributeValue::S("fax".to_owned())),
    ]);
    let put = aws
        .dynamodb()
        .put_item()
        .table_name(TABLE)
        .set_item(Some(unreadable));
    put.send().await.unwrap();
    let error = get().await.unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { channel: of, .. } if of == channel(1)));
}
