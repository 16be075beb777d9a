//! Bodies that Twilio should never send: they are bounded, accounted for, and sink nothing around them.

use proptest::prelude::*;
use twilio::events::{Batch, Unreadable};

use crate::{completed, only, read, rejected, states};

#[test]
fn one_bad_element_never_sinks_the_others() {
    let event = payload!("s2-completed").trim();
    let good = &event[1..event.len() - 1];
    let no_task = good.replace("WT00000000000000000000000000000020", "none");
    let body = format!("[{good},null,7,\"x\",[],{{}},{no_task},{good}]");
    let batch = read(&body);
    assert_eq!((batch.received, batch.tasks), (8, 2));
    let reasons: Vec<_> = batch
        .rejected
        .iter()
        .map(|r| (r.position, r.reason))
        .collect();
    assert_eq!(
        reasons,
        [
            (1, Unreadable::NotAnObject),
            (2, Unreadable::NotAnObject),
            (3, Unreadable::NotAnObject),
            (4, Unreadable::NotAnObject),
            (5, Unreadable::NoType),
            (6, Unreadable::NoTask),
        ]
    );
    let rejected = &batch.rejected[5];
    assert_eq!(
        rejected.event_id.as_deref(),
        Some("NO00000000000000000000000000000066")
    );
    assert_eq!(
        rejected.sid.as_deref(),
        Some("EV00000000000000000000000000000066")
    );

    // Where the text itself breaks off, what came before still counts.
    let broken = read(format!("[{good},{good},{{\"type\":]"));
    assert_eq!((broken.received, broken.tasks), (3, 2));
    assert_eq!(
        (broken.rejected[0].position, broken.rejected[0].reason),
        (2, Unreadable::Body)
    );
}

#[test]
fn what_rejection_tells_of_an_event_holds_no_words() {
    let event = completed("WT00000000000000000000000000000020", "")
        .replace("NO00000000000000000000000000000066", "call +1 555 0100");
    let shown = format!("{:?}", read(event));
    assert!(
        !shown.contains("555") && shown.contains("NoTask"),
        "{shown}"
    );
}

#[test]
fn a_body_that_is_no_list_of_events_is_one_rejection() {
    let utf16: Vec<u8> = "[{}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in [
        &b""[..],
        b" ",
        b"{",
        b"]",
        b"nothing",
        b"[]x",
        b"\xff\xfe",
        b"\x1f\x8b\x08",
        &utf16,
    ] {
        let batch = read(body);
        assert_eq!(batch.received, 1, "{body:?}");
        assert_eq!(batch.rejected.len(), 1, "{body:?}");
    }
    assert_eq!(read("[]"), Batch::default());
    assert_eq!(rejected("null"), [(0, Unreadable::NotAnObject)]);
    let missing = r#"{"type":"com.twilio.taskrouter.task.completed","data":null}"#;
    assert_eq!(rejected(missing), [(0, Unreadable::NoPayload)]);
}

#[test]
fn bytes_that_are_no_text_spoil_nothing_around_them() {
    let fact = only(payload!("s2-completed"));
    let mut body = completed("Example Support", "#").into_bytes();
    let place = body.iter().position(|byte| *byte == b'#').unwrap();
    body[place] = 0xff;
    assert_eq!(states(&read(&body)), std::slice::from_ref(&fact));
    let with_mark = format!("\u{feff} \n{}", payload!("s2-completed"));
    assert_eq!(only(&with_mark), fact);
    let half = completed(
        "\"name\": \"TaskCompleted\"",
        "\"name\": \"\\ud83d\", \"\\udc00\": 1",
    );
    assert_eq!(only(&half), fact);
}

#[test]
fn absurd_bodies_are_bounded() {
    let event = payload!("s2-completed").trim();
    let good = &event[1..event.len() - 1];
    // 10,000 events, 20 MB.
    assert_eq!(
        read(format!("[{}]", vec![good; 10_000].join(","))).tasks,
        10_000
    );
    // As many elements as fit in 6 MB.
    let batch = read(format!("[{}1]", "1,".repeat(3_000_000)));
    assert_eq!((batch.received, batch.rejected.len()), (20_001, 20_001));
    assert_eq!(batch.rejected[20_000].reason, Unreadable::TooMany);

    let bomb = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let braces = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let digits = "9".repeat(1_000_000);
    let long = "x".repeat(1_000_000);
    for absurd in [&bomb, &braces, &digits, &format!("\"{long}\"")] {
        assert_eq!(
            only(&completed("\"INFO\"", absurd)),
            only(payload!("s2-completed"))
        );
        assert_eq!(
            rejected(completed("\"2026-01-05T09:41:17.093Z\"", absurd)),
            [(0, Unreadable::NoTime)]
        );
        assert_eq!(read(absurd).received, 1);
        assert_eq!(read(format!("[{absurd},{good}]")).tasks, 1);
    }
    assert_eq!(rejected("[".repeat(100_000)), [(0, Unreadable::Body)]);
}

proptest! {
    /// Whatever is cut out of a body or changed in it, each element is accounted for once.
    #[test]
    fn every_element_is_a_fact_ignored_rejected_or_a_test(
        start in 0_usize..4_000,
        length in 0_usize..60,
        with in prop_oneof![Just(vec![]), prop::collection::vec(any::<u8>(), 0..4), Just(b"null".to_vec()), Just(b"\"".to_vec())],
    ) {
        let mut body = payload!("s4-conversations-wrapup-completed").as_bytes().to_vec();
        let start = start.min(body.len());
        let end = (start + length).min(body.len());
        body.splice(start..end, with);
        let batch = read(&body);
        let ignored: usize = batch.ignored.values().sum();
        prop_assert_eq!(batch.received, batch.tasks + ignored + batch.rejected.len() + batch.tests.len());
    }
}
