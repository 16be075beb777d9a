//! The newest message of a channel, and lists that are not in the order that was asked for.

use crate::lists::{page, service, sid};
use crate::scripted::{Script, Step, ok};
use domain::{ChannelSid, LastMessage, Party, Timestamp};
use twilio::rest::{TwilioError, Why};

/// 2026-01-05T09:00:00Z.
const NINE: i64 = 1_767_603_600_000;

fn conversation() -> ChannelSid {
    sid("CH", 1).parse().unwrap()
}

/// A customer's message of this minute after nine.
fn message(index: &str, minute: u8) -> String {
    format!(
        r#"{{"sid":"{}","author":"+15550100123","participant_sid":"{}","body":"Hi",{index}"date_created":"2026-01-05T09:{minute:02}:00Z"}}"#,
        sid("IM", 1),
        sid("MB", 1)
    )
}

fn numbered(index: u32) -> String {
    message(
        &format!(r#""index":{index},"#),
        u8::try_from(index).unwrap(),
    )
}

fn messages(entries: &[String], next: Option<&str>) -> Step {
    page("messages", entries, next)
}

fn place(query: &str) -> String {
    format!(
        "/v1/Services/{}/Conversations/{}/Messages?{query}",
        service(),
        conversation()
    )
}

fn expected(index: u32, minute: i64) -> LastMessage {
    LastMessage {
        author: Party::Customer,
        at: Timestamp::from_millis(NINE + minute * 60_000),
        index,
    }
}

/// Reads the newest message, and returns the queries that it took.
async fn newest(
    steps: impl IntoIterator<Item = Step>,
) -> (Result<Option<LastMessage>, TwilioError>, Vec<String>) {
    let script = Script::new(steps);
    let read = script.client();
    let read = read.conversation_last_message(service(), conversation());
    let read = read.await;
    script.finish();
    let queries = script.asked();
    let queries = queries
        .iter()
        .map(|line| line.split_once('?').unwrap().1.to_owned());
    (read, queries.collect())
}

const TWO: &str = "Order=desc&PageSize=2";
const ALL: &str = "PageSize=100";

#[tokio::test(start_paused = true)]
async fn a_list_in_order_takes_one_request() {
    let next = format!("https://conversations.twilio.com{}", place("PageToken=x"));
    for (step, last) in [
        (messages(&[], None), None),
        (messages(&[numbered(0)], None), Some(expected(0, 0))),
        (
            messages(&[numbered(7), numbered(5)], Some(&next)),
            Some(expected(7, 7)),
        ),
    ] {
        let (read, queries) = newest([step]).await;
        assert_eq!((read, queries), (Ok(last), vec![TWO.to_owned()]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_in_another_order_is_read_to_its_end() {
    let next = format!("https://conversations.twilio.com{}", place("PageToken=x"));
    let (read, queries) = newest([
        messages(&[numbered(0), numbered(1)], Some(&next)),
        messages(&[numbered(0), numbered(1)], Some(&next)),
        messages(&[numbered(2), numbered(3)], None),
    ])
    .await;
    assert_eq!(read, Ok(Some(expected(3, 3))));
    assert_eq!(queries, [TWO, ALL, "PageToken=x"]);

    // One message, and more to come: its order is not known.
    let (read, _) = newest([
        messages(&[numbered(0)], Some(&next)),
        messages(&[numbered(0), numbered(1)], None),
    ])
    .await;
    assert_eq!(read, Ok(Some(expected(1, 1))));
}

#[tokio::test(start_paused = true)]
async fn without_indexes_the_last_message_of_the_whole_list_counts() {
    let list = || messages(&[message("", 1), message("", 2)], None);
    let (read, queries) = newest([list(), list()]).await;
    assert_eq!(read, Ok(Some(expected(0, 2))));
    assert_eq!(queries, [TWO, ALL]);
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_message_has_to_be_readable() {
    let odd = |index: u32| format!(r#"{{"sid":"{}","index":{index},"author":7}}"#, sid("IM", 2));
    let (read, _) = newest([messages(&[numbered(3), odd(2)], None)]).await;
    assert_eq!(read, Ok(Some(expected(3, 3))));

    let (read, _) = newest([messages(&[odd(3), numbered(2)], None)]).await;
    assert_eq!(read, Err(TwilioError::Unreachable { why: Why::Garbage }));

    // What is no list of messages is asked for again, in vain.
    let strange = || ok(r#"{"messages":[{"index":"x"}],"meta":{"next_page_url":null}}"#);
    let (read, _) = newest([strange()]).await;
    assert_eq!(read, Err(TwilioError::Unreachable { why: Why::Garbage }));
}
