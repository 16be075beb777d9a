//! The casts, and what holds for each: seconds for each test. The fast tier leaves them out.

use crate::actors::Role;
use crate::explorer::{Cast, Play, explore};
use crate::mutation::Mutation;
use crate::stage::Stage;

/// A run while the customer replies, and the run that the reply wakes.
const A_RUN_AND_A_REPLY: &Cast = &[
    (Role::Run, None),
    (Role::Customer, None),
    (Role::Run, Some(1)),
];

const A_PERSON_WHO_PARKS_A_CHAT_THAT_COMES_BACK: &Cast = &[
    (Role::Customer, None),
    (Role::Run, Some(0)),
    (Role::Park, None),
    (Role::Customer, Some(1)),
];

/// Someone replaces the attributes of the task, so that its version changes under every actor.
const SOMEONE_ELSE: &Cast = &[
    (Role::Run, None),
    (Role::Other, None),
    (Role::Customer, None),
    (Role::Run, Some(2)),
];

/// Two runs, a person, the customer, and the run that the reply wakes.
const EVERYONE_AND_PARK: &Cast = &[
    (Role::Run, None),
    (Role::Run, None),
    (Role::Park, None),
    (Role::Customer, None),
    (Role::Run, Some(3)),
];

const EVERYONE_AND_RESUME: &Cast = &[
    (Role::Run, None),
    (Role::Run, None),
    (Role::Resume, None),
    (Role::Customer, None),
    (Role::Run, Some(3)),
];

const COMPLETELY: Play = Play {
    faults: 1,
    switches: None,
};

/// The most times that an actor is kept waiting where all orders are too many: without a fault,
/// and with one.
const MAX_SWITCHES: u8 = 2;
const MAX_SWITCHES_AND_A_FAULT: u8 = 1;

const WITHOUT_A_FAULT: Play = Play {
    faults: 0,
    switches: Some(MAX_SWITCHES),
};

const WITH_A_FAULT: Play = Play {
    switches: Some(MAX_SWITCHES_AND_A_FAULT),
    ..COMPLETELY
};

/// Explores a cast, prints the numbers, and demands that each kind of fault was met.
async fn holds(name: &str, stage: &mut Stage, cast: &Cast, play: Play) {
    let explored = match explore(stage, cast, play).await {
        Ok(explored) => explored,
        Err(unheard) => panic!("{name}: a customer waits, {unheard:?}"),
    };
    let bound = match play.switches {
        None => "every order".to_owned(),
        Some(switches) => format!("an actor kept waiting {switches} times at most"),
    };
    println!("{name}, {bound}: {explored}");
    assert!(explored.orders.all > 10_000, "{explored}");
    assert!(explored.orders.told > 0, "{explored}");
    let mut faults = explored.orders.by_fault.into_iter();
    assert!(
        faults.all(|orders| (orders > 0) == (play.faults > 0)),
        "{explored}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_and_a_reply() {
    let mut stage = Stage::new(false, None).await;
    holds(
        "a run and a reply",
        &mut stage,
        A_RUN_AND_A_REPLY,
        COMPLETELY,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_person_who_parks_while_a_chat_comes_back() {
    let mut stage = Stage::new(true, None).await;
    let cast = A_PERSON_WHO_PARKS_A_CHAT_THAT_COMES_BACK;
    let name = "a person who parks a chat that comes back";
    let play = Play {
        switches: Some(MAX_SWITCHES),
        ..COMPLETELY
    };
    holds(name, &mut stage, cast, play).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_a_reply_and_someone_else_who_changes_the_task() {
    for is_parked in [false, true] {
        let mut stage = Stage::new(is_parked, None).await;
        let name = "someone else changes the task";
        holds(name, &mut stage, SOMEONE_ELSE, COMPLETELY).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_runs_a_reply_a_person_and_the_stream() {
    let mut stage = Stage::new(false, None).await;
    for play in [WITH_A_FAULT, WITHOUT_A_FAULT] {
        let stage = &mut stage;
        holds(
            "everyone, and a person parks",
            stage,
            EVERYONE_AND_PARK,
            play,
        )
        .await;
        holds(
            "everyone, and a person resumes",
            stage,
            EVERYONE_AND_RESUME,
            play,
        )
        .await;
    }
}

/// Actors who are told apart by all that they were answered have the same orders before them.
#[tokio::test(start_paused = true)]
async fn an_actor_knows_nothing_but_its_round() {
    let mut stage = Stage::new(false, None).await;
    let mut apart = Stage::new(false, None).await;
    apart.actors.tell_all_apart();
    let cast = A_RUN_AND_A_REPLY;
    let one = explore(&mut stage, cast, COMPLETELY).await.unwrap();
    let other = explore(&mut apart, cast, COMPLETELY).await.unwrap();
    assert_eq!(one.orders, other.orders);
    assert!(one.states < other.states, "{one}; {other}");
}

#[tokio::test(start_paused = true)]
async fn each_mutation_is_caught() {
    use Mutation::{
        AnnouncesNothing, AnnouncesOnce, MessagesByArrival, NotesByArrival, ParkedByAttribute,
        WritesTheNewestVersion,
    };
    let comes_back = A_PERSON_WHO_PARKS_A_CHAT_THAT_COMES_BACK;
    for (mutation, is_parked, cast, play) in [
        (WritesTheNewestVersion, false, A_RUN_AND_A_REPLY, COMPLETELY),
        (AnnouncesNothing, false, A_RUN_AND_A_REPLY, COMPLETELY),
        (AnnouncesOnce, false, EVERYONE_AND_PARK, WITH_A_FAULT),
        (NotesByArrival, true, comes_back, COMPLETELY),
        (MessagesByArrival, false, A_RUN_AND_A_REPLY, COMPLETELY),
        (ParkedByAttribute, true, SOMEONE_ELSE, COMPLETELY),
    ] {
        let mut stage = Stage::new(is_parked, Some(mutation)).await;
        let caught = explore(&mut stage, cast, play).await;
        println!("{mutation:?}: {caught:?}");
        assert!(caught.is_err(), "{mutation:?} is not caught");
    }
}
