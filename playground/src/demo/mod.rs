//! `janitor demo`: three days of a contact centre on this machine, and the proof that it was
//! kept clean.
//!
//! Real are the webhook, the sweep, their clients and DynamoDB's engine. Twilio is simulated
//! and answers over loopback; time is a value and moves as fast as the story is played.

mod backlog;
mod claims;
pub(crate) mod customers;
mod parking;
mod rescue;
mod story;
mod world;

use std::time::Duration;

use clap::Args;
use customers::{Act, Customer, Scenario, hours, minutes};
use serde::Serialize;
use sweep::Unheard;
use world::World;

use output::Outcome;

/// The first contacts come within so many minutes after the story begins.
const CONTACTS_WITHIN: u64 = 6 * 60;

/// Length of the story, from its first contact on.
const LENGTH: Duration = hours(2 * 24 + 12);

/// Time between two sweeps in the story.
const SWEEP_EVERY: Duration = hours(2);

/// Options of the demo.
#[derive(Debug, Args)]
pub struct Options {
    /// Prints the claims and the summary as JSON
    #[arg(long)]
    json: bool,
    /// Plays another day: the same seed plays the same day
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Channels of each class
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=5000))]
    channels: u16,
}

/// Result of the demo.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    claims: Vec<claims::Claim>,
    parking: parking::Scene,
    summary: story::Totals,
    #[serde(skip)]
    rescue: rescue::Scene,
}

/// Plays the story, checks the claims and prints both.
///
/// # Errors
/// Fails if the demo itself cannot run; a claim that does not hold is an outcome.
pub async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let progress = story::Progress::new(options.json);
    let mut world = World::new(options.seed, options.channels.into(), Unheard::Tell).await?;
    let mut rng = fastrand::Rng::with_seed(options.seed);

    progress.says("Three days of a contact centre");
    let mut customers = create_customers(options.channels);
    let schedule = schedule(&customers, &mut rng);
    play(&mut world, &mut customers, schedule, &progress).await?;

    progress.says("Three customers fall silent");
    let parking = parking::play(options.seed).await?;

    progress.says("Customers write to nobody");
    let rescue = rescue::play(options.seed).await?;

    progress.says("Checking the claims");
    let final_state = claims::FinalState::read(&world, customers);
    let mut claims = claims::check(&mut world, &final_state).await?;
    claims.push(parking.claim());
    claims.extend(rescue.claims());
    let mut findings = Findings {
        summary: story::totals(&world, &final_state),
        claims,
        parking,
        rescue,
    };
    progress.says("An installation with a backlog");
    let backlog = backlog::play(options.seed, options.channels).await?;
    let first_act = findings.claims.len();
    findings.claims.extend(backlog.claims);
    progress.ends();

    let classes = [
        story::classes(&final_state),
        story::backlog(&backlog.classes),
    ];
    story::print(options.json, &findings, first_act, &classes)?;
    Ok(if findings.claims.iter().all(|claim| claim.holds) {
        Outcome::Good
    } else {
        Outcome::CheckFailed
    })
}

fn create_customers(channels: u16) -> Vec<Customer> {
    Scenario::ALL
        .into_iter()
        .flat_map(|scenario| std::iter::repeat_n(scenario, channels.into()))
        .enumerate()
        .map(|(number, scenario)| Customer::new(scenario, number))
        .collect()
}

/// Returns every step of every customer, in the order of time.
fn schedule(customers: &[Customer], rng: &mut fastrand::Rng) -> Vec<(Duration, usize, Act)> {
    let mut schedule: Vec<(Duration, usize, Act)> = customers
        .iter()
        .enumerate()
        .flat_map(|(index, customer)| {
            let start =
                minutes(rng.u64(0..CONTACTS_WITHIN)) + Duration::from_millis(rng.u64(0..60_000));
            customer
                .scenario
                .script()
                .into_iter()
                .map(move |(at, act)| (start + at, index, act))
        })
        .collect();
    schedule.sort_by_key(|(at, index, _)| (*at, *index));
    schedule
}

/// Plays the schedule, with a sweep every two hours.
async fn play(
    world: &mut World,
    customers: &mut [Customer],
    schedule: Vec<(Duration, usize, Act)>,
    progress: &story::Progress,
) -> anyhow::Result<()> {
    let agent = world.hire_agent()?;
    let mut acts = schedule.into_iter().peekable();
    let mut clock = Duration::ZERO;
    while clock < LENGTH {
        let next_sweep = clock + SWEEP_EVERY;
        while let Some((at, index, act)) = acts.next_if(|(at, ..)| *at <= next_sweep) {
            world.simulator.advance(at.saturating_sub(clock));
            clock = clock.max(at);
            customers[index].act(act, &mut world.simulator.state(), agent)?;
        }
        world.simulator.advance(next_sweep - clock);
        clock = next_sweep;

        let mut events = world.simulator.take_events();
        events.retain(|event| !is_lost(event, customers));
        world.deliver(events).await?;
        if clock == LENGTH {
            world.deliver_late().await?;
        }
        let summary = world.sweep().await?;
        progress.advances(clock.as_secs_f64() / LENGTH.as_secs_f64(), &summary);
    }
    Ok(())
}

/// Returns true if Twilio loses this event: it is about a task of a customer whose events are lost.
fn is_lost(event: &serde_json::Value, customers: &[Customer]) -> bool {
    let task = event
        .pointer("/data/payload/task_sid")
        .and_then(|sid| sid.as_str());
    customers
        .iter()
        .filter(|customer| customer.events_are_lost)
        .any(|customer| customer.task.is_some_and(|sid| Some(sid.as_str()) == task))
}
