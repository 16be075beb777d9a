//! The start of every test of the table.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Channel, ChannelSid, End, Fact, FactKind, Outcome, Platform, Progress, Stage, Step, TaskFact,
    TaskSid, TaskState, Timestamp,
};
use embedded::Embedded;
use store::{ChannelTable, Saved, StoreError};

pub(crate) const TABLE: &str = "channels";
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(crate) async fn table(aws: &Embedded) -> ChannelTable {
    store::create_table(&aws.dynamodb(), TABLE).await.unwrap();
    ChannelTable::new(aws.dynamodb(), TABLE)
}

pub(crate) async fn memory() -> (Embedded, ChannelTable) {
    let aws = Embedded::memory().unwrap();
    let table = table(&aws).await;
    (aws, table)
}

pub(crate) fn channel(number: u32) -> ChannelSid {
    format!("CH{number:031x}f").parse().unwrap()
}

pub(crate) fn task(number: u8) -> TaskSid {
    format!("WT{number:032x}").parse().unwrap()
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_767_603_600_000 + millis)
}

pub(crate) fn fact(of: ChannelSid, number: u8, minute: i64, state: TaskState) -> Fact {
    Fact {
        channel: of,
        platform: Platform::Chat,
        at: at(minute * MINUTE),
        kind: FactKind::Task(TaskFact {
            task: task(number),
            state,
            opened_at: None,
            interaction: None,
        }),
    }
}

pub(crate) fn opened(of: ChannelSid, number: u8) -> Fact {
    fact(of, number, 0, TaskState::Open(Stage::Waiting))
}

pub(crate) fn completed(of: ChannelSid, number: u8, minute: i64) -> Fact {
    fact(of, number, minute, TaskState::Ended(End::Completed))
}

pub(crate) async fn tell(table: &ChannelTable, facts: &[Fact]) -> Result<Saved, StoreError> {
    let absorb = |channel: &mut Channel| facts.iter().for_each(|fact| channel.absorb(fact));
    let folded = table.fold(facts[0].channel, Platform::Chat, absorb).await;
    folded.map(|(saved, ())| saved)
}

pub(crate) async fn tasks(table: &ChannelTable, of: ChannelSid) -> Vec<TaskSid> {
    let stored = table.get(of).await.unwrap().unwrap();
    stored.channel.tasks().keys().copied().collect()
}

/// The item as it is stored, its attributes in order.
pub(crate) async fn item(client: &Client, of: ChannelSid) -> String {
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
pub(crate) fn shown(value: &AttributeValue) -> String {
    let AttributeValue::M(members) = value else {
        return format!("{value:?}");
    };
    let mut members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{name}: {}", shown(value)))
        .collect();
    members.sort();
    format!("{{{}}}", members.join(", "))
}

pub(crate) async fn close(table: &ChannelTable, of: ChannelSid, minute: i64) {
    let before = table.get(of).await.unwrap().unwrap();
    let mut after = before.channel.clone();
    let progress = Progress::Done {
        step: Step::Close,
        at: at(minute * MINUTE),
        outcome: Outcome::Written,
    };
    after.note_progress(progress, at(minute * MINUTE));
    let saved = table.save(&before, after, Some(MONTH)).await.unwrap();
    assert!(matches!(saved, Saved::Written), "{saved:?}");
}
