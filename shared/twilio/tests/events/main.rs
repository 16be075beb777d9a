//! Events: what every shape that Twilio sends, or might, turns into.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;

use domain::{Fact, Timestamp};
use twilio::events::{self, Batch, Ignored, Scope, Unreadable};

macro_rules! payload {
    ($name:literal) => {
        include_str!(concat!("../payloads/", $name, ".json"))
    };
}

mod hostile;
mod shapes;
mod talk;

fn read(body: impl AsRef<[u8]>) -> Batch {
    events::read_recording(body.as_ref(), &Scope::default())
}

/// One fact and nothing else.
fn only(body: &str) -> Fact {
    let batch = read(body);
    let [fact] = &batch.facts[..] else {
        panic!("{batch:?}");
    };
    assert_eq!(
        batch,
        Batch {
            received: 1,
            facts: vec![fact.clone()],
            words: batch.words.clone(),
            ..Batch::default()
        }
    );
    for word in &batch.words {
        assert_eq!((word.channel, word.at), (fact.channel, fact.at));
    }
    fact.clone()
}

fn ignored(body: impl AsRef<[u8]>) -> BTreeMap<Ignored, usize> {
    let batch = read(body);
    assert_eq!((&batch.facts[..], &batch.rejected[..]), (&[][..], &[][..]));
    batch.ignored
}

fn rejected(body: impl AsRef<[u8]>) -> Vec<(usize, Unreadable)> {
    let rejected = read(body).rejected;
    rejected.iter().map(|r| (r.position, r.reason)).collect()
}

/// S2 with one text in it replaced.
fn completed(text: &str, by: &str) -> String {
    let event = payload!("s2-completed");
    assert!(event.contains(text), "{text}");
    event.replace(text, by)
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}
