//! The deterministic simulation.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use simulation::{Mutation, Size, Totals, Trace, play};

/// The number of schedules in an ordinary test run; `simulate --seeds` plays any number.
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
        assert!(once.trace.len() > 100, "seed {seed} leaves a trace");
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

/// A schedule that catches each mutation, which is tried first. Where it does not, after a change
/// of the schedules, the first two hundred are played in turn; `simulate --mutations` finds new ones.
const CAUGHT_BY: [(Mutation, u64); Mutation::ALL.len()] = [
    (Mutation::BlindLook, 4),
    (Mutation::ForgottenTasks, 4),
    (Mutation::HalfAQuestion, 4),
    (Mutation::PoisonSpreads, 78),
    (Mutation::NoCondition, 9),
    (Mutation::AcknowledgedOnly, 0),
    (Mutation::AnsweredAnyway, 26),
    (Mutation::TurnedAway, 26),
    (Mutation::ArrivalTime, 0),
    (Mutation::StaleText, 3),
    (Mutation::FloatText, 1),
    (Mutation::OtherChannelsText, 1),
    (Mutation::SilentWrites, 1),
    (Mutation::Hasty, 1),
    (Mutation::StolenKey, 0),
    (Mutation::TalkativeNotices, 0),
    (Mutation::TalkativeRecords, 0),
    (Mutation::LostNotices, 0),
    (Mutation::Unheeded429, 0),
    (Mutation::EmptyIndex, 0),
    (Mutation::WastefulCalls, 0),
    (Mutation::LeftIsOver, 0),
    (Mutation::HalfClosed, 0),
    (Mutation::EndsForgotten, 0),
    (Mutation::EmptyLog, 12),
    (Mutation::UnseenBots, 0),
    (Mutation::MovesAnyVersion, 15),
    (Mutation::MovesInSilence, 5),
    (Mutation::NoWayBack, 8),
    (Mutation::DroppedMessages, 5),
    (Mutation::Unannounced, 5),
    (Mutation::HastyParking, 5),
    (Mutation::LeftIsClosed, 14),
    (Mutation::UnreadMessages, 3),
    (Mutation::OnlyStudioCounts, 0),
    (Mutation::AgentEverywhere, 29),
    (Mutation::NotesByTime, 8),
    (Mutation::ParkedByAttribute, 15),
    (Mutation::LinesTakenForOne, 18),
    (Mutation::EarlyWordsDropped, 105),
    (Mutation::RescuesUnannounced, 4),
    (Mutation::NothingRescued, 4),
];

#[test]
fn every_mutation_is_caught() {
    for mutation in Mutation::ALL {
        let listed = CAUGHT_BY.iter().any(|(listed, _)| *listed == mutation);
        assert!(listed, "{mutation:?} needs a schedule that catches it");
    }
    let next = Mutex::new(CAUGHT_BY.iter());
    on_all_cores(|| {
        loop {
            let Some((mutation, seed)) = next.lock().unwrap().next() else {
                break;
            };
            let caught = |seed: &u64| {
                let outcome = play(*seed, Size::default(), Some(*mutation), Trace::Off);
                let law = outcome.violation.map(|violation| violation.law);
                law.is_some_and(|law| mutation.breaks().contains(&law))
            };
            if !caught(seed) {
                let other = (0..SEEDS).find(caught);
                assert!(other.is_some(), "no schedule catches {mutation:?}");
                println!("{mutation:?} is caught by schedule {other:?}, no more by {seed}");
            }
        }
    });
}
