//! The deterministic simulation.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use simulation::{Mutation, Size, Totals, Trace, play};

/// How many schedules an ordinary test run plays. `simulate --seeds` plays as many as one likes.
const SEEDS: u64 = 200;

fn on_all_cores(work: impl Fn() + Sync) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(&work);
        }
    });
}

#[test]
fn the_same_seed_plays_the_same_schedule() {
    for seed in 0..5 {
        let once = play(seed, Size::default(), None, Trace::On);
        let again = play(seed, Size::default(), None, Trace::On);
        assert!(once.trace.len() > 100, "seed {seed} tells a story");
        for (line, (a, b)) in once.trace.iter().zip(&again.trace).enumerate() {
            assert_eq!(a, b, "seed {seed}, line {line}");
        }
        assert_eq!(once, again);
    }
}

#[test]
fn no_law_is_broken() {
    let next = AtomicU64::new(0);
    let totals = Mutex::new(Totals::default());
    on_all_cores(|| {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= SEEDS {
                break;
            }
            let outcome = play(seed, Size::default(), None, Trace::Off);
            assert_eq!(outcome.violation, None, "seed {seed}");
            *totals.lock().unwrap() += &outcome.totals;
        }
    });
    println!("{:#?}", totals.lock().unwrap());
}

/// A schedule that shows each mutation up. Whoever changes what schedules are like finds new
/// ones with `simulate --mutations`, which plays the first two hundred in turn.
const SHOWN_UP_BY: [(Mutation, u64); Mutation::ALL.len()] = [
    (Mutation::BlindLook, 29),
    (Mutation::ForgottenTasks, 29),
    (Mutation::NoCondition, 79),
    (Mutation::AcknowledgedOnly, 0),
    (Mutation::AnsweredAnyway, 22),
    (Mutation::TurnedAway, 22),
    (Mutation::ArrivalTime, 0),
    (Mutation::StaleText, 3),
    (Mutation::FloatText, 1),
    (Mutation::OtherChannelsText, 1),
    (Mutation::SilentWrites, 0),
    (Mutation::Hasty, 0),
    (Mutation::StolenKey, 2),
    (Mutation::TalkativeNotices, 0),
    (Mutation::TalkativeRecords, 0),
    (Mutation::LostNotices, 0),
    (Mutation::Unheeded429, 1),
    (Mutation::EmptyIndex, 0),
    (Mutation::PoisonSpreads, 57),
    (Mutation::WastefulCalls, 0),
    (Mutation::HalfAQuestion, 29),
    (Mutation::LeftIsOver, 0),
    (Mutation::HalfClosed, 0),
    (Mutation::EndsForgotten, 0),
    (Mutation::EmptyLog, 3),
    (Mutation::UnseenBots, 1),
];

#[test]
fn every_mutation_is_caught() {
    for mutation in Mutation::ALL {
        let listed = SHOWN_UP_BY.iter().any(|(listed, _)| *listed == mutation);
        assert!(listed, "{mutation:?} needs a schedule that shows it up");
    }
    let next = Mutex::new(SHOWN_UP_BY.iter());
    on_all_cores(|| {
        loop {
            let Some((mutation, seed)) = next.lock().unwrap().next() else {
                break;
            };
            let violation = play(*seed, Size::default(), Some(*mutation), Trace::Off).violation;
            let law = violation.map(|violation| violation.law);
            assert!(
                law.is_some_and(|law| mutation.breaks().contains(&law)),
                "{mutation:?} breaks {law:?} in schedule {seed}"
            );
        }
    });
}
