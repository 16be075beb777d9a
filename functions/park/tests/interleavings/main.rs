//! Every order in which two runs, a reply, a person and Event Streams can work on one chat.
//!
//! Each actor stops at each of its requests until the explorer lets it go on. The explorer
//! tries every order of these steps, depth first; it starts anew for each and does not follow
//! a state twice. The actors play in-process, over the real functions, the simulated Twilio and
//! the embedded AWS; no step waits for a clock. A conditional write that follows a read at once
//! is one step with it: it has an effect only if nothing came between.
//!
//! In the end, once things are quiet and one tick has passed, no chat is parked whose customer
//! wrote last. In each play the customer writes once, after the person asked.
//!
//! `INTERLEAVING_FAULTS` sets how many faults each play may have (none by default): a write of the
//! task whose answer is lost, that is lost, that has its effect late, that is answered 412; or a
//! process that ends between two requests.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise and say what it saw; the explorer reads how deep to look and prints what it explored"
)]

mod gate;
mod play;

use std::collections::HashSet;

use gate::Fate;
use play::{Cast, Choice, Play, Rest, Role};

/// The most steps of one play: none comes near.
const MAX_DEPTH: usize = 120;

/// The work of the explorer, in numbers.
#[derive(Debug, Default)]
struct Explored {
    orders: usize,
    states: usize,
    plays: usize,
    longest: usize,
}

fn max_faults(by_default: usize) -> usize {
    let set = std::env::var("INTERLEAVING_FAULTS");
    set.ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(by_default)
}

/// Explores every order. Panics with the first one after which a customer waits.
async fn explore(name: &str, cast: &Cast, is_parked: bool, faults: usize) -> Explored {
    let faults = max_faults(faults);
    let mut explored = Explored::default();
    let began = std::time::Instant::now();
    let mut visited = HashSet::new();
    // The choices that are still to be tried, each with those before it.
    let mut open: Vec<Vec<Choice>> = vec![Vec::new()];
    while let Some(mut path) = open.pop() {
        let mut play = Play::begin(cast, is_parked).await;
        explored.plays += 1;
        for choice in &path {
            play.play(*choice).await;
        }
        loop {
            if !visited.insert(play.state().await) {
                break;
            }
            explored.states += 1;
            assert!(path.len() < MAX_DEPTH, "{name}: {path:?}");
            let choices = play.choices(faults);
            let Some((first, others)) = choices.split_first() else {
                explored.orders += 1;
                explored.longest = explored.longest.max(path.len());
                ends(name, cast, is_parked, &path, play).await;
                break;
            };
            for other in others {
                open.push(path.iter().copied().chain([*other]).collect());
            }
            play.play(*first).await;
            path.push(*first);
        }
    }
    let took = began.elapsed();
    println!("{name}, at most {faults} faults: {explored:?} in {took:?}");
    explored
}

/// Ends a play in each way.
async fn ends(name: &str, cast: &Cast, is_parked: bool, path: &[Choice], play: Play) {
    let writes = play.writes();
    let mut plays = vec![(Rest::Lost, play)];
    for rest in [Rest::Delivered, Rest::Twice] {
        let mut play = Play::begin(cast, is_parked).await;
        for choice in path {
            play.play(*choice).await;
        }
        plays.push((rest, play));
    }
    for (rest, play) in plays {
        // Gates and late requests belong to the play that runs.
        let is_heard = play.end(rest).await;
        assert!(
            is_heard,
            "{name}: a customer waits, events {rest:?}, {writes} writes, after {path:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "explores for minutes"]
async fn two_runs_and_a_reply() {
    let cast = [
        (Role::Run, None),
        (Role::Run, None),
        (Role::Customer, None),
        (Role::Run, Some(2)),
    ];
    let explored = explore("two runs and a reply", &cast, false, 0).await;
    assert!(explored.orders > 20, "{explored:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_and_a_reply() {
    let cast = [
        (Role::Run, None),
        (Role::Customer, None),
        (Role::Run, Some(1)),
    ];
    let explored = explore("a run and a reply", &cast, false, 0).await;
    assert!(explored.orders > 20, "{explored:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "explores for minutes"]
async fn a_run_and_a_reply_with_the_stream() {
    let cast = [
        (Role::Run, None),
        (Role::Customer, None),
        (Role::Run, Some(1)),
        (Role::Stream, None),
    ];
    let explored = explore("a run, a reply and the stream", &cast, false, 0).await;
    assert!(explored.orders > 20, "{explored:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "explores for minutes"]
async fn a_run_a_reply_and_a_person_who_parks() {
    let cast = [
        (Role::Run, None),
        (Role::Park, None),
        (Role::Customer, None),
        (Role::Run, Some(2)),
    ];
    let explored = explore("a run, a reply and a person who parks", &cast, false, 0).await;
    assert!(explored.orders > 20, "{explored:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "explores for minutes"]
async fn a_run_a_reply_and_a_person_who_resumes() {
    let cast = [
        (Role::Run, None),
        (Role::Resume, None),
        (Role::Customer, None),
        (Role::Run, Some(2)),
    ];
    let explored = explore("a run, a reply and a person who resumes", &cast, false, 0).await;
    assert!(explored.orders > 20, "{explored:?}");
}

#[tokio::test(start_paused = true)]
async fn a_person_who_parks_while_a_chat_comes_back() {
    let cast = [
        (Role::Customer, None),
        (Role::Run, Some(0)),
        (Role::Park, None),
        (Role::Customer, Some(1)),
    ];
    let explored = explore("a person parks while a chat comes back", &cast, true, 0).await;
    assert!(explored.orders > 20, "{explored:?}");
}

#[test]
fn a_fate_is_a_fault_unless_the_request_is_answered() {
    assert_eq!(Fate::default(), Fate::Answered);
}
