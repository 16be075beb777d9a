//! Plays schedules of the simulation for as long as one likes, on all cores: see `--help`.
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

use clap::Parser;
use simulation::{Mutation, ScheduleReport, Size, Totals, Trace, play};
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The interval at which the progress is printed.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// The number of schedules within which a mutation must be caught.
const CAUGHT_WITHIN: u64 = 200;

/// Plays random days of a contact centre with everything that can go wrong, and checks every
/// law after every step. Exits with 3 at the first law that is broken, and prints the trace.
#[derive(Debug, Parser)]
#[command(arg_required_else_help = true)]
struct Simulate {
    /// Plays this many schedules
    #[arg(long, conflicts_with_all = ["seed", "mutations"])]
    seeds: Option<u64>,
    /// Begins with this seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Plays one schedule and prints its trace
    #[arg(long, conflicts_with = "mutations")]
    seed: Option<u64>,
    /// Looks for the first schedule that catches each mutation
    #[arg(long)]
    mutations: bool,
    /// Days for which people act and things fail, instead of a few hours
    #[arg(long)]
    days: Option<u64>,
    /// Customers, instead of a handful
    #[arg(long)]
    customers: Option<usize>,
}

fn main() -> ExitCode {
    let simulate = Simulate::parse();
    let size = Size {
        days: simulate.days,
        customers: simulate.customers,
    };
    match (simulate.seed, simulate.seeds) {
        (Some(seed), _) => one(seed, size),
        (None, Some(count)) => many(simulate.from, count, size),
        (None, None) if simulate.mutations => mutations(simulate.from, size),
        (None, None) => {
            eprintln!("one of --seeds, --seed and --mutations says what to play");
            ExitCode::from(2)
        }
    }
}

/// Plays one schedule and prints its trace.
fn one(seed: u64, size: Size) -> ExitCode {
    let outcome = play(seed, size, None, Trace::On);
    for line in &outcome.trace {
        println!("{line}");
    }
    println!("{:#?}", outcome.totals);
    match &outcome.violation {
        Some(violation) => {
            eprintln!("seed {seed} breaks {violation}");
            ExitCode::from(3)
        }
        None => ExitCode::SUCCESS,
    }
}

/// Plays many, and stops at the first violation.
fn many(from: u64, count: u64, size: Size) -> ExitCode {
    let began = Instant::now();
    let next = AtomicU64::new(from);
    let totals = Mutex::new((Totals::default(), began));
    let broken: Mutex<Option<(u64, ScheduleReport)>> = Mutex::new(None);
    on_all_cores(|| {
        while broken.lock().unwrap().is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from.saturating_add(count) {
                break;
            }
            let outcome = play(seed, size, None, Trace::Off);
            let mut guard = totals.lock().unwrap();
            let (totals, told) = &mut *guard;
            *totals += &outcome.totals;
            if told.elapsed() >= TELL_EVERY {
                *told = Instant::now();
                eprintln!("{}", rate(totals, began.elapsed()));
            }
            drop(guard);
            if outcome.violation.is_some() {
                broken.lock().unwrap().get_or_insert((seed, outcome));
            }
        }
    });
    let (totals, _) = totals.into_inner().unwrap();
    println!("{totals:#?}");
    println!("{}", rate(&totals, began.elapsed()));
    match broken.into_inner().unwrap() {
        Some((seed, _)) => one(seed, size),
        None => ExitCode::SUCCESS,
    }
}

/// Looks for a schedule that catches each mutation.
fn mutations(from: u64, size: Size) -> ExitCode {
    let next = Mutex::new(Mutation::ALL.into_iter());
    let missed = AtomicU64::new(0);
    on_all_cores(|| {
        loop {
            let Some(mutation) = next.lock().unwrap().next() else {
                break;
            };
            let mut seeds = from..from.saturating_add(CAUGHT_WITHIN);
            let caught = seeds.find_map(|seed| {
                let law = play(seed, size, Some(mutation), Trace::Off).violation?.law;
                mutation.breaks().contains(&law).then_some((seed, law))
            });
            match caught {
                Some((seed, law)) => println!("{mutation:?} in schedule {seed} by {law}"),
                None => {
                    missed.fetch_add(1, Ordering::Relaxed);
                    println!("{mutation:?} in none of {CAUGHT_WITHIN} schedules");
                }
            }
        }
    });
    match missed.into_inner() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(3),
    }
}

fn on_all_cores(work: impl Fn() + Sync) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(&work);
        }
    });
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn rate(totals: &Totals, took: Duration) -> String {
    format!(
        "{} schedules, {:.0} channel-days in {:.0} s: {:.1} schedules a second",
        totals.schedules,
        totals.channel_days,
        took.as_secs_f64(),
        totals.schedules as f64 / took.as_secs_f64()
    )
}
