//! Events: what every shape that Twilio sends, or might, turns into.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;

use domain::{Fact, FactKind, Pair, Pairs, TaskFact, TaskState, Timestamp};
use twilio::events::{self, Batch, Ignored, Scope, Unreadable};

macro_rules! payload {
    ($name:literal) => {
        include_str!(concat!("../payloads/", $name, ".json"))
    };
}

mod hostile;
mod looks;
mod messages;
mod shapes;

/// Any account and workspace, where chats are parked: so everything that can be read counts.
fn everything() -> Scope {
    let pair = Pair {
        active: "TC00000000000000000000000000000005".parse().unwrap(),
        inactive: "TC00000000000000000000000000000006".parse().unwrap(),
    };
    Scope {
        pairs: Pairs::new(vec![pair]).unwrap(),
        ..Scope::default()
    }
}

fn read(body: impl AsRef<[u8]>) -> Batch {
    events::read_recording(body.as_ref(), &everything())
}

/// The facts of a body that tell a state of a task.
fn states(batch: &Batch) -> Vec<Fact> {
    let told = batch.facts.iter().filter(|fact| fact.state().is_some());
    told.cloned().collect()
}

/// A body with one event of a task and nothing else: the fact that tells the state.
fn only(body: &str) -> Fact {
    let batch = read(body);
    let [fact] = &states(&batch)[..] else {
        panic!("{batch:?}");
    };
    assert_eq!(
        batch,
        Batch {
            received: 1,
            tasks: 1,
            facts: batch.facts.clone(),
            acceptances: batch.acceptances.clone(),
            ..Batch::default()
        }
    );
    for acceptance in &batch.acceptances {
        let of = (acceptance.channel, acceptance.at, Some(acceptance.task));
        assert_eq!(of, (fact.channel, fact.at, fact.task()));
    }
    for other in &batch.facts {
        let of = |fact: &Fact| (fact.channel, fact.at, fact.task());
        assert_eq!(of(other), of(fact));
    }
    // Where nothing is parked, the state is all that is told, and an open task is open.
    let unparked = events::read_recording(body.as_bytes(), &Scope::default());
    let [bare] = &unparked.facts[..] else {
        panic!("{unparked:?}");
    };
    let open = |fact: &Fact| matches!(fact.state(), Some(TaskState::Open(_)));
    assert!(bare.state() == fact.state() || open(bare) && open(fact));
    fact.clone()
}

/// The state of a task, with what is told beside it.
fn told(fact: &Fact) -> TaskFact {
    match fact.kind {
        FactKind::Task(told) => told,
        FactKind::Accepted { .. } | FactKind::Placed { .. } | FactKind::Message { .. } => {
            panic!("{fact:?}")
        }
    }
}

fn state(fact: &Fact) -> TaskState {
    told(fact).state
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
