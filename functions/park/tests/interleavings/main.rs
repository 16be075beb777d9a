//! Every order in which two runs, a reply, a person and Event Streams can work on one chat.
//!
//! Each actor stops at each of its requests until the explorer lets it go on. The actors are the
//! real function over the simulated Twilio and the embedded AWS; no step waits for a clock. What
//! an actor asks depends on the answers that it got, and what a request does on the state of
//! Twilio and the table, so that each of both is played once and then looked up. A conditional
//! write that follows a read at once is one step with it: it has an effect only if nothing came
//! between.
//!
//! In the end, once things are quiet and a tick has passed, no chat is parked whose customer
//! wrote last. The customer's word is told at any time; the events of the task are told at any
//! time, twice, or never.
//!
//! A fault is a write of the task whose answer is lost, that is lost, that has its effect late, or
//! that is answered 412; or a process that ends between two requests. The mutations show that the
//! explorer finds what it looks for.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise and say what it saw; the explorer prints what it explored and how long it took"
)]

mod actors;
mod connectors;
mod explorer;
mod stage;

use actors::Role;
use explorer::{Cast, Explored, Play, explore};
use stage::Mutation;

/// A run while the customer replies, and the run that the reply wakes.
const A_RUN_AND_A_REPLY: &Cast = &[
    (Role::Run, None),
    (Role::Customer, None),
    (Role::Run, Some(1)),
];

const TWO_RUNS_AND_A_REPLY: &Cast = &[
    (Role::Run, None),
    (Role::Run, None),
    (Role::Customer, None),
    (Role::Run, Some(2)),
];

const A_PERSON_WHO_PARKS: &Cast = &[
    (Role::Run, None),
    (Role::Park, None),
    (Role::Customer, None),
    (Role::Run, Some(2)),
];

const A_PERSON_WHO_RESUMES: &Cast = &[
    (Role::Run, None),
    (Role::Resume, None),
    (Role::Customer, None),
    (Role::Run, Some(2)),
];

const A_PERSON_WHO_PARKS_A_CHAT_THAT_COMES_BACK: &Cast = &[
    (Role::Customer, None),
    (Role::Run, Some(0)),
    (Role::Park, None),
    (Role::Customer, Some(1)),
];

const EVERYONE: &Cast = &[
    (Role::Run, None),
    (Role::Run, None),
    (Role::Park, None),
    (Role::Customer, None),
    (Role::Run, Some(3)),
];

async fn holds(name: &str, cast: &Cast, play: Play) -> Explored {
    let began = std::time::Instant::now();
    let explored = match explore(cast, play).await {
        Ok(explored) => explored,
        Err(unheard) => panic!("{name}: a customer waits, {unheard:?}"),
    };
    println!("{name}, {play:?}: {explored:?} in {:?}", began.elapsed());
    assert!(explored.orders > 100, "{explored:?}");
    explored
}

const WITH_THE_STREAM: Play = Play {
    is_parked: false,
    has_stream: true,
    faults: 0,
    mutation: None,
};

const WITH_A_FAULT: Play = Play {
    faults: 1,
    ..WITH_THE_STREAM
};

#[tokio::test(start_paused = true)]
async fn a_run_and_a_reply() {
    holds("a run and a reply", A_RUN_AND_A_REPLY, WITH_A_FAULT).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "explores for minutes"]
async fn two_runs_a_reply_and_the_stream() {
    holds(
        "two runs and a reply",
        TWO_RUNS_AND_A_REPLY,
        WITH_THE_STREAM,
    )
    .await;
}

#[tokio::test(start_paused = true)]
#[ignore = "explores for minutes"]
async fn a_run_a_reply_and_a_person_who_parks() {
    holds("a person who parks", A_PERSON_WHO_PARKS, WITH_THE_STREAM).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_a_reply_and_a_person_who_resumes() {
    holds(
        "a person who resumes",
        A_PERSON_WHO_RESUMES,
        WITH_THE_STREAM,
    )
    .await;
}

#[tokio::test(start_paused = true)]
#[ignore = "explores for minutes"]
async fn three_actors_a_reply_and_a_fault() {
    for cast in [
        TWO_RUNS_AND_A_REPLY,
        A_PERSON_WHO_PARKS,
        A_PERSON_WHO_RESUMES,
    ] {
        holds("three actors and a fault", cast, WITH_A_FAULT).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_who_parks_while_a_chat_comes_back() {
    let play = Play {
        is_parked: true,
        ..WITH_A_FAULT
    };
    let cast = A_PERSON_WHO_PARKS_A_CHAT_THAT_COMES_BACK;
    holds("a person who parks a chat that comes back", cast, play).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "explores for minutes"]
async fn two_runs_a_reply_a_person_and_the_stream() {
    holds("everyone", EVERYONE, WITH_THE_STREAM).await;
}

#[tokio::test(start_paused = true)]
async fn each_mutation_is_caught() {
    for (mutation, cast, play) in [
        (
            Mutation::WritesTheNewestVersion,
            A_RUN_AND_A_REPLY,
            WITH_A_FAULT,
        ),
        (Mutation::AnnouncesNothing, A_RUN_AND_A_REPLY, WITH_A_FAULT),
        (Mutation::AnnouncesOnce, A_PERSON_WHO_PARKS, WITH_A_FAULT),
    ] {
        let mutation = Some(mutation);
        let caught = explore(cast, Play { mutation, ..play }).await;
        println!("{mutation:?}: {caught:?}");
        assert!(caught.is_err(), "{mutation:?} is not caught");
    }
}
