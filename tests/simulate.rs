//! Plays schedules of the simulation for as long as one likes: `simulate --seeds 1000`, or
//! one of them with its story: `simulate --seed 7`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "it is a command, and stops at the first surprise"
)]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use acceptance::simulation::{Outcome, Told, Totals, play};
use tokio::time::Instant;

/// How often the progress is told.
const TELL_EVERY: u64 = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    match (number("--seed"), number("--seeds")) {
        (Some(seed), _) => one(seed),
        (None, Some(count)) => many(number("--from").unwrap_or(0), count),
        (None, None) => {
            eprintln!("usage: simulate --seed N | --seeds COUNT [--from N]");
            ExitCode::from(2)
        }
    }
}

/// Plays one schedule and tells its story.
fn one(seed: u64) -> ExitCode {
    let outcome = play(seed, None, Told::WordForWord);
    for line in &outcome.story {
        println!("{line}");
    }
    println!("{:#?}", outcome.totals);
    verdict(seed, &outcome)
}

/// Plays many, on all cores, and stops at the first violation.
fn many(from: u64, count: u64) -> ExitCode {
    let began = Instant::now();
    let next = AtomicU64::new(from);
    let totals = Mutex::new(Totals::default());
    let broken: Mutex<Option<(u64, Outcome)>> = Mutex::new(None);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count || broken.lock().unwrap().is_some() {
                        break;
                    }
                    let outcome = play(seed, None, Told::Not);
                    let mut totals = totals.lock().unwrap();
                    *totals += &outcome.totals;
                    if totals.schedules % TELL_EVERY == 0 {
                        eprintln!("{}", rate(&totals, began.elapsed()));
                    }
                    drop(totals);
                    if outcome.violation.is_some() {
                        broken.lock().unwrap().get_or_insert((seed, outcome));
                    }
                }
            });
        }
    });
    let totals = totals.into_inner().unwrap();
    println!("{totals:#?}");
    println!("{}", rate(&totals, began.elapsed()));
    match broken.into_inner().unwrap() {
        Some((seed, _)) => one(seed),
        None => ExitCode::SUCCESS,
    }
}

fn verdict(seed: u64, outcome: &Outcome) -> ExitCode {
    match &outcome.violation {
        Some(violation) => {
            eprintln!("seed {seed}: {violation:?}");
            ExitCode::from(3)
        }
        None => ExitCode::SUCCESS,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn rate(totals: &Totals, took: Duration) -> String {
    format!(
        "{} schedules, {:.0} channel-days, {:.1} schedules a second",
        totals.schedules,
        totals.channel_days,
        totals.schedules as f64 / took.as_secs_f64()
    )
}
