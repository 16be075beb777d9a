//! Whole audits of a simulated contact centre.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod figures;
mod findings;
mod parts;
mod same_as_the_sweep;

use std::time::Duration;

use audit::{Audit, Order, Report};
use simulator::Sid;
use world::World;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An audit of everything, ten requests side by side.
fn order(world: &World) -> Order {
    let account = world.twilio.account().sid.as_str().parse().unwrap();
    Order {
        concurrency: 10,
        ..Order::of(account)
    }
}

/// So many chats whose agents closed the tab too early, an hour ago.
async fn chats_left_behind(count: usize) -> World {
    let world = World::new().await;
    world.chats_left_behind(count).await;
    world.time_passes(HOUR).await;
    world
}

/// Audits with this order. Whatever it finds, it asks and does not write, and what it reports
/// names no customer.
async fn audit_by(world: &World, order: Order) -> Report {
    world.twilio.reset_calls();
    let audit = Audit::new(world.client(10), order, world.now());
    audit.run().await.unwrap();
    let calls = world.twilio.calls();
    assert_eq!(calls.writes(), 0, "{:?}", calls.iter().collect::<Vec<_>>());
    let report = audit.report();
    let text = serde_json::to_string(&report).unwrap();
    for secret in ["+1555", world::WORDS, "agent.smith"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    report
}

async fn audit(world: &World) -> Report {
    audit_by(world, order(world)).await
}

/// Returns the report's line about a channel.
fn found(report: &Report, channel: Sid) -> audit::FoundChannel {
    let mut channels = report.channels.iter();
    let found = channels.find(|one| one.channel_sid.as_str() == channel.as_str());
    *found.unwrap_or_else(|| panic!("{channel} is not in {report:#?}"))
}
