//! The table through the real client, against the embedded engine: who wins, what is never
//! lost, what is written at all, and what the index shows.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::{
    Channel, ChannelSid, End, Fact, News, Outcome, Platform, Policy, Progress, Stage, TaskSid,
    Timestamp, Trouble, Work,
};
use embedded::{Embedded, Fault, Lag};
use futures::join;
use store::{ChannelTable, Saved, StoreError};

const TABLE: &str = "channels";
const MINUTE: i64 = 60_000;
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

async fn table(aws: &Embedded) -> ChannelTable {
    store::create_table(&aws.dynamodb(), TABLE).await.unwrap();
    ChannelTable::new(aws.dynamodb(), TABLE)
}

async fn memory() -> (Embedded, ChannelTable) {
    let aws = Embedded::memory().unwrap();
    let table = table(&aws).await;
    (aws, table)
}

fn channel(number: u32) -> ChannelSid {
    format!("CH{number:031x}f").parse().unwrap()
}

fn task(number: u8) -> TaskSid {
    format!("WT{number:032x}").parse().unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_767_603_600_000 + millis)
}

fn fact(of: ChannelSid, number: u8, minute: i64, news: News) -> Fact {
    Fact {
        channel: of,
        platform: Platform::Chat,
        at: at(minute * MINUTE),
        task: task(number),
        opened_at: None,
        interaction: None,
        news,
    }
}

fn opened(of: ChannelSid, number: u8) -> Fact {
    fact(of, number, 0, News::Open(Stage::Waiting))
}

fn completed(of: ChannelSid, number: u8, minute: i64) -> Fact {
    fact(of, number, minute, News::Ended(End::Completed))
}

async fn tell(table: &ChannelTable, facts: &[Fact]) -> Result<Saved, StoreError> {
    let absorb = |channel: &mut Channel| facts.iter().for_each(|fact| channel.absorb(fact));
    table.fold(facts[0].channel, Platform::Chat, absorb).await
}

async fn tasks(table: &ChannelTable, of: ChannelSid) -> BTreeSet<TaskSid> {
    let stored = table.get(of).await.unwrap().unwrap();
    stored.channel.tasks().keys().copied().collect()
}

/// The item as it is stored, its attributes in order.
async fn item(client: &Client, of: ChannelSid) -> String {
    let key = AttributeValue::S(of.to_string());
    let get = client.get_item().table_name(TABLE).key(store::KEY, key);
    let item = get.send().await.unwrap().item.unwrap();
    let mut attributes: Vec<String> = item
        .iter()
        .map(|(name, value)| format!("{name}: {}", shown(value)))
        .collect();
    attributes.sort();
    attributes.join("\n")
}

/// A value with the members of its maps in order.
fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::M(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{name}: {}", shown(value)))
                .collect();
            members.sort();
            format!("{{{}}}", members.join(", "))
        }
        other => format!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn two_writers_in_every_interleaving_lose_nothing() {
    // Each writer reads, writes, and perhaps does both again; each request is slow or not.
    for there_already in [false, true] {
        for slow in 0_u32..256 {
            let (aws, table) = memory().await;
            if there_already {
                tell(&table, &[opened(channel(1), 3)]).await.unwrap();
            }
            let mut nth = 0;
            aws.plan_faults(move |_| {
                let millis = u64::from(slow >> nth & 1);
                nth += 1;
                Some(Fault::Delay(Duration::from_millis(millis)))
            });
            let (one, other) = ([opened(channel(1), 1)], [opened(channel(1), 2)]);
            let saved = join!(tell(&table, &one), tell(&table, &other));
            let (Ok(Saved::Written), Ok(Saved::Written)) = saved else {
                panic!("{slow:08b}: {saved:?}")
            };
            let found = tasks(&table, channel(1)).await;
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
    let Saved::Outrun(newer) = table.save(&before, after, None).await.unwrap() else {
        panic!("an old read was written back")
    };
    assert!(newer.channel.idle().is_some());
    assert_eq!(tasks(&table, channel(1)).await, BTreeSet::from([task(1)]));
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
    // While the client waits to send it again, somebody else builds upon it.
    let (one, other) = ([opened(channel(1), 1)], [opened(channel(1), 2)]);
    let (ours, theirs) = join!(tell(&table, &one), tell(&rival, &other));
    assert!(matches!(theirs, Ok(Saved::Written)), "{theirs:?}");
    assert!(matches!(ours, Ok(Saved::Written | Saved::Unchanged)), "{ours:?}");
    assert_eq!(tasks(&table, channel(1)).await.len(), 2);
}

#[tokio::test]
async fn what_changes_nothing_costs_no_write() {
    let (aws, table) = memory().await;
    // Nothing, about a channel of which nothing is known.
    let saved = table.fold(channel(1), Platform::Chat, |_| ()).await.unwrap();
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

async fn close(table: &ChannelTable, of: ChannelSid, minute: i64) {
    let before = table.get(of).await.unwrap().unwrap();
    let mut after = before.channel.clone();
    let progress = Progress::Closed {
        at: at(minute * MINUTE),
        outcome: Outcome::Written,
    };
    after.note_progress(progress, at(minute * MINUTE));
    let saved = table.save(&before, after, Some(MONTH)).await.unwrap();
    assert!(matches!(saved, Saved::Written), "{saved:?}");
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
    let contended = matches!(&outcome, Err(StoreError::Contended { channel: of }) if *of == channel(1));
    assert!(contended, "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_index_holds_what_waits_and_shows_what_is_due_first_things_first() {
    let (_aws, table) = memory().await;
    let policy = Policy::default();
    // Open; canceled 6 minutes ago; completed 20, 16 and 10 minutes ago; many, over all shards.
    tell(&table, &[opened(channel(1), 1)]).await.unwrap();
    let canceled = fact(channel(2), 1, 14, News::Ended(End::Canceled));
    tell(&table, &[canceled]).await.unwrap();
    for (number, minute) in [(3, 0), (4, 4), (5, 10)] {
        tell(&table, &[completed(channel(number), 1, minute)]).await.unwrap();
    }
    let due = table.due(&policy, at(20 * MINUTE)).await.unwrap();
    let due: Vec<_> = due.iter().map(|due| (due.channel, due.work)).collect();
    // By when their turn came: minutes 15, 19 and 19, the SID deciding.
    assert_eq!(
        due,
        [
            (channel(3), Work::Ended),
            (channel(2), Work::Abandoned),
            (channel(4), Work::Ended),
        ]
    );
    for number in 100..200 {
        tell(&table, &[completed(channel(number), 1, 0)]).await.unwrap();
    }
    assert_eq!(table.due(&policy, at(20 * MINUTE)).await.unwrap().len(), 103);
    // A cutoff that is changed counts at once, for those who wait already.
    let patient = Policy {
        ended_cutoff: Duration::from_secs(60 * 60),
        ..policy
    };
    assert_eq!(table.due(&patient, at(20 * MINUTE)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn every_queue_is_found_again() {
    let (_aws, table) = memory().await;
    let mut channels = Vec::new();
    for (number, work) in Work::ALL.into_iter().enumerate() {
        let of = channel(u32::try_from(number).unwrap() + 1);
        let mut facts = vec![opened(of, 1), completed(of, 1, 5)];
        if work == Work::Abandoned {
            facts[1].news = News::Ended(End::Deleted);
        }
        if work == Work::Inspect {
            facts.push(opened(of, 2));
        }
        let change = |channel: &mut Channel| {
            facts.iter().for_each(|fact| channel.absorb(fact));
            let now = at(20 * MINUTE);
            match work {
                Work::LongLived => channel.note_progress(
                    Progress::Released {
                        at: now,
                        outcome: Outcome::Written,
                    },
                    now,
                ),
                Work::Retry => channel.note_failure(Trouble::Refused, now),
                Work::Abandoned | Work::Ended | Work::Inspect => {}
            }
        };
        table.fold(of, Platform::Chat, change).await.unwrap();
        channels.push((of, work));
    }
    let long_after = at(100 * 24 * 60 * MINUTE);
    let due = table.due(&Policy::default(), long_after).await.unwrap();
    let mut due: Vec<_> = due.iter().map(|due| (due.channel, due.work)).collect();
    due.sort();
    assert_eq!(due, channels);
}

/// DynamoDB answers a query with a megabyte at a time.
#[tokio::test]
async fn a_queue_of_more_than_one_page_is_read_to_its_end() {
    const MANY: u32 = 16_000;
    let (aws, table) = memory().await;
    let client = aws.dynamodb();
    let writes: Vec<WriteRequest> = (0..MANY).map(|number| waiting(channel(number))).collect();
    for batch in writes.chunks(25) {
        let batch = client.batch_write_item().request_items(TABLE, batch.to_vec());
        batch.send().await.unwrap();
    }
    aws.forget_calls();
    let due = table.due(&Policy::default(), at(60 * MINUTE)).await.unwrap();
    assert_eq!(due.len(), MANY as usize);
    let idle = 4 * Work::ALL.len() as u64;
    assert!(aws.tally("Query").requests > idle, "{:?}", aws.tally("Query"));
}

fn waiting(of: ChannelSid) -> WriteRequest {
    let put = PutRequest::builder()
        .item(store::KEY, AttributeValue::S(of.to_string()))
        .item("due_queue", AttributeValue::S("ended#0".to_owned()))
        .item("since", AttributeValue::N(at(0).as_millis().to_string()))
        .build();
    WriteRequest::builder().put_request(put.unwrap()).build()
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
    assert_eq!(stored.channel.open_tasks().count(), 1, "the table itself knows");
}

#[tokio::test]
async fn a_closed_channel_expires_and_one_that_is_revived_does_not() {
    let (aws, table) = memory().await;
    let client = aws.dynamodb();
    let of = channel(1);
    tell(&table, &[opened(of, 1), completed(of, 1, 5)]).await.unwrap();
    assert!(!item(&client, of).await.contains(store::TTL_ATTRIBUTE));
    close(&table, of, 30).await;
    let expected = at(30 * MINUTE).plus(MONTH).as_millis() / 1000;
    let closed = item(&client, of).await;
    let expiry = format!("{}: N(\"{expected}\")", store::TTL_ATTRIBUTE);
    assert!(closed.contains(&expiry), "{closed}");
    assert!(!closed.contains("due_queue") && !closed.contains("since:"), "{closed}");

    // An echo keeps the date.
    tell(&table, &[fact(of, 1, 6, News::Open(Stage::Wrapping))]).await.unwrap();
    assert_eq!(item(&client, of).await, closed);
    tell(&table, &[fact(of, 2, 40, News::Open(Stage::Waiting))]).await.unwrap();
    assert!(!item(&client, of).await.contains(store::TTL_ATTRIBUTE));
}

#[tokio::test]
async fn a_record_that_expired_between_reading_and_writing_is_written_anew() {
    let (aws, table) = memory().await;
    let of = channel(1);
    tell(&table, &[opened(of, 1)]).await.unwrap();
    let before = table.get(of).await.unwrap().unwrap();
    let key = AttributeValue::S(of.to_string());
    let deletion = aws.dynamodb().delete_item().table_name(TABLE).key(store::KEY, key);
    deletion.send().await.unwrap();
    let mut after = before.channel.clone();
    after.absorb(&opened(of, 2));
    let Saved::Outrun(nothing) = table.save(&before, after, None).await.unwrap() else {
        panic!("a record that is gone was written over")
    };
    assert_eq!(nothing.channel.tasks().len(), 0);
    tell(&table, &[opened(of, 2)]).await.unwrap();
    assert_eq!(tasks(&table, of).await, BTreeSet::from([task(2)]));
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
        (store::KEY.to_owned(), AttributeValue::S(channel(1).to_string())),
        ("platform".to_owned(), AttributeValue::S("fax".to_owned())),
    ]);
    let put = aws.dynamodb().put_item().table_name(TABLE).set_item(Some(unreadable));
    put.send().await.unwrap();
    let error = get().await.unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { channel: of, .. } if of == channel(1)));
}
