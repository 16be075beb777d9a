//! The deterministic simulation: random days of a contact centre, with everything that can go
//! wrong, from one seed.
//!
//! # What is real
//!
//! `ingest`, `sweep` and `park` as they are deployed, with the AWS SDK and the Twilio client.
//! They are cut off at the lowest border only: the SDK's HTTP client is the `borders`'
//! connector to the embedded DynamoDB, EventBridge and Secrets Manager, the Twilio client's
//! transport leads to the simulated Twilio. Both know which function asks, and can fail before
//! or after the effect.
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
//! One thread, tokio's paused clock, and one seed. Time passes only while no task can go on, so
//! that an hour costs nothing. The `script` holds what a schedule is like, the `faults` decide
//! what fails; both draw from generators of their own, so that a mutation changes no more than
//! it must.
//!
//! # How it is judged
//!
//! The `oracle` takes down what really happened, what was told and what the functions did, and
//! holds each entry against the laws as it is made.
//!
//! # Where to read
//!
//! `schedule` runs one seed; `people` act; `delivery` tells the webhook; `functions` are
//! invoked; `borders` carry their requests; the `oracle` checks; `report` names laws,
//! mutations and totals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at the first surprise and say what it saw, and look at one thing only"
)]

mod borders;
mod delivery;
mod functions;
mod oracle;
mod people;
mod report;
mod schedule;
mod shared;

pub use report::{Law, Mutation, ScheduleReport, Totals, Violation};
pub use schedule::Size;
pub use shared::Trace;

use schedule::Script;

/// Plays the schedule of a seed on this thread.
///
/// # Panics
/// If the runtime or the simulated services cannot be set up.
pub fn play(seed: u64, size: Size, mutation: Option<Mutation>, trace: Trace) -> ScheduleReport {
    // The clients' pauses are drawn from the thread's own generator.
    fastrand::seed(seed);
    report::logs::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(schedule::run(Script::of(seed, size), mutation, trace))
}
