//! The deterministic simulation: random days of a contact centre, with everything that can go
//! wrong, from one seed.
//!
//! # What is real
//!
//! `ingest` and `sweep` as they are deployed, with the AWS SDK and the Twilio client. They are
//! cut off at the lowest border only: the SDK's HTTP client is the `wire` to the embedded
//! DynamoDB, EventBridge and Secrets Manager, the Twilio client's transport is the `line` to
//! the pretend Twilio. Both know who asks, and can fail before or after the effect.
//!
//! # What a schedule holds
//!
//! Four to forty hours in which a handful of customers write by Chat or by Conversations,
//! agents and other people's software do what they do, events come late, twice or never,
//! everything fails at times, and invocations die at any await. Then nothing fails any more,
//! and three days pass in which everything must become clean.
//!
//! # How it stays the same
//!
//! One thread, tokio's paused clock, and one seed. Time passes only while nobody has anything
//! to do, so that an hour costs nothing. What a schedule is like is in its `script`, what
//! fails in its `weather`; both draw from generators of their own, so that a mutation changes
//! no more than it must.
//!
//! # How it is judged
//!
//! The `books` take down what really happened, what we were told and what we did, and hold
//! each entry against the laws as it is made.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at the first surprise and say what it saw, and look at one thing only"
)]

mod books;
mod bots;
mod delivery;
mod ending;
mod forging;
mod law;
mod life;
mod line;
mod logs;
mod mutation;
mod reconciling;
mod script;
mod stage;
mod sweeps;
mod totals;
mod weather;
mod wire;
mod world;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use law::{Law, Violation};
pub use mutation::Mutation;
pub use script::Size;
pub use stage::Told;
pub use totals::Totals;

use delivery::EventStreams;
use life::People;
use reconciling::Reconciliations;
use script::Script;
use sweeps::Sweeps;
use weather::Storm;
use world::World;

/// What became of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What happened, in numbers.
    pub totals: Totals,
    /// The first law that was broken.
    pub violation: Option<Violation>,
    /// What happened, line by line, if that was asked for.
    pub story: Vec<String>,
}

/// Plays the schedule of a seed on this thread.
///
/// # Panics
/// If the runtime or the world cannot be set up.
pub fn play(seed: u64, size: Size, mutation: Option<Mutation>, told: Told) -> Outcome {
    // The clients' pauses are drawn from the thread's own generator.
    fastrand::seed(seed);
    logs::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(schedule(Script::of(seed, size), mutation, told))
}

async fn schedule(script: Script, mutation: Option<Mutation>, told: Told) -> Outcome {
    let mut rng = fastrand::Rng::with_seed(script.seed ^ 0x0dd5_0c1a);
    let world = Arc::new(World::new(script, mutation, told).await);
    let stage = Arc::clone(&world.stage);
    stage.tell(|| format!("{:#?}", stage.script));
    let mut people = People::new(rng.fork(), &stage.script);
    let mut streams = EventStreams::new(rng.fork());
    let mut sweeps = Sweeps::new(rng.fork());
    let mut reconciliations = Reconciliations::new(rng.fork());
    people.bots(&world);
    if let Some(backlog) = stage.script.backlog {
        before_the_installation(&world, &mut people, &mut rng, backlog).await;
    }
    let over = Instant::now() + stage.script.length;
    let mut next_act = Instant::now();
    let mut next_sweep = Instant::now() + stage.script.sweep_every;
    let reconcile_every = stage.script.reconcile_every;
    let mut next_reconciliation = reconcile_every.map(|every| Instant::now() + every);
    while Instant::now() < over && !stage.broken() {
        let next = next_act.min(next_sweep);
        tokio::time::sleep_until(next_reconciliation.map_or(next, |at| at.min(next))).await;
        if let (Some(at), Some(every)) = (&mut next_reconciliation, reconcile_every)
            && Instant::now() >= *at
        {
            *at += every;
            reconciliations.tick(&world);
            continue;
        }
        if Instant::now() >= next_sweep {
            next_sweep += stage.script.sweep_every;
            if sweeps.tick(&world) && rng.u8(..10) < 3 {
                // Somebody acts while it is under way.
                next_act = Instant::now() + Duration::from_millis(rng.u64(..3_000));
            }
            continue;
        }
        weather_changes(&world, &mut rng);
        people.act(&world);
        streams.pump(&world);
        if rng.u8(..100) == 0 {
            streams.forge(&world);
        }
        if rng.u8(..20) == 0 {
            world.expire_records().await;
        }
        next_act = Instant::now() + pause(&mut rng).div_f64(stage.script.bustle());
        let verdict = stage
            .lock()
            .books
            .personal
            .search("the logs", &logs::take());
        stage.judge(verdict);
    }
    if !stage.broken() {
        let mut functions = ending::Functions {
            streams: &mut streams,
            sweeps: &mut sweeps,
            reconciliations: &mut reconciliations,
        };
        ending::end(&world, &mut people, &mut functions, &mut rng).await;
    }
    // What is still under way belongs to this world.
    streams.under_way.abort_all();
    sweeps.under_way.abort_all();
    reconciliations.under_way.abort_all();
    sleep(Duration::from_millis(1)).await;
    outcome(&world)
}

/// People act, and nobody listens: of what happens now we hear from the log, as far as that
/// goes back, and from what is still held open.
async fn before_the_installation(
    world: &World,
    people: &mut People,
    rng: &mut fastrand::Rng,
    length: Duration,
) {
    let acts = rng.u32(5..25);
    for _ in 0..acts {
        people.act(world);
        sleep(length / acts).await;
    }
    world.stage.catch_up();
    let mut inner = world.stage.lock();
    let unheard = std::mem::take(&mut inner.outbox);
    for event in unheard {
        inner.books.sent(&event);
    }
    inner.totals.count("backlogs");
    inner.tell(world.stage.now(), || "the installation".to_owned());
}

/// How long it takes until somebody does something again: people come in bursts.
fn pause(rng: &mut fastrand::Rng) -> Duration {
    Duration::from_millis(match rng.u8(..10) {
        0..3 => rng.u64(10..5_000),
        3..6 => rng.u64(5_000..120_000),
        6..8 => rng.u64(2 * 60_000..20 * 60_000),
        _ => rng.u64(20 * 60_000..5 * 3_600_000),
    })
}

fn weather_changes(world: &World, rng: &mut fastrand::Rng) {
    let stage = &world.stage;
    let mut inner = stage.lock();
    let weather = &mut inner.weather;
    let before = (weather.storm, weather.unauthorized, weather.skew);
    match weather.storm {
        Some(_) if rng.u8(..4) == 0 => weather.storm = None,
        None if stage.script.faults > 0.0 && rng.u8(..30) == 0 => {
            weather.storm = Some(Storm::ALL[rng.usize(..Storm::ALL.len())]);
        }
        _ => {}
    }
    weather.unauthorized = match weather.unauthorized {
        true => rng.bool(),
        false => stage.script.faults > 0.0 && rng.u8(..100) == 0,
    };
    if stage.script.faults > 0.0 && rng.u8(..20) == 0 {
        weather.skew = if rng.bool() {
            0
        } else {
            rng.i64(-600_000..=600_000)
        };
    }
    let after = (weather.storm, weather.unauthorized, weather.skew);
    if before != after {
        inner.tell(stage.now(), || format!("weather: {after:?}"));
    }
}

fn outcome(world: &World) -> Outcome {
    let stage = &world.stage;
    let story = stage.take_story();
    let now = stage.now();
    let inner = stage.lock();
    let mut totals = inner.totals.clone();
    totals.schedules = 1;
    totals.channels = inner.books.channels.len() as u64;
    let ages = inner
        .books
        .channels
        .values()
        .map(|book| now.since(book.born));
    totals.channel_days = ages.map(|age| age.as_secs_f64() / 86_400.0).sum();
    Outcome {
        totals,
        violation: inner.violation.clone(),
        story,
    }
}
