//! Faults, one story for each: each test's name starts with its row in
//! `docs/faults.md`, which also says what is tested elsewhere.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod attributes;
mod complete;
mod conversations;
mod deletions;
mod fuse;
mod limits;
mod long;
mod missing_evidence;
mod notes;
mod observing;
mod orphans;
mod outages;
mod put_aside;
mod races;
mod rescue_attributes;
mod rescue_ends;
mod rescue_window;
mod rescues;
mod unheard;
mod wrap_ups;

use std::time::Duration;

use world::World;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Sweeps and expects that the one channel that is due is left by this row, with so many
/// requests at most and nothing written.
async fn expect_left(world: &World, row: &str, most_requests: u64) {
    world.twilio.reset_calls();
    let summary = world.sweep().await;
    let by_row = summary.left_by_row.get(row).copied().unwrap_or(0);
    assert_eq!((summary.due, by_row), (1, 1), "{summary:?}");
    assert_eq!(world.twilio.calls().writes(), 0);
    world.expect_requests(most_requests);
}

/// Sweeps and expects that the one channel that is due is closed, with so many requests at
/// most.
async fn expect_closed(world: &World, most_requests: u64) {
    world.twilio.reset_calls();
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed), (1, 1), "{summary:?}");
    world.expect_requests(most_requests);
}
