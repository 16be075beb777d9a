//! How near a sweep comes to the ideal, in virtual time: so many requests, each so long, so
//! many side by side. The clock is a value here, so that this is counted rather than timed.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

use acceptance::world::{World, moment};

/// What a request to Twilio takes, by assumption.
const REQUEST: Duration = Duration::from_millis(150);

/// How many channels are worked on side by side.
const AT_ONCE: usize = 20;

/// How many are due.
const DUE: usize = 1_000;

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_sweep_keeps_nine_tenths_of_the_ideal_pace() {
    let world = World::new().await;
    world.plan(|plan| {
        plan.concurrency = AT_ONCE;
        plan.max_closes = DUE;
    });
    let chats = world.chats_left_behind(DUE).await;
    let live = world.customer_writes("+15559999999");
    world.agent_accepts(live);
    world.everything_falls_due().await;
    world.twilio_takes(REQUEST);

    let began = moment();
    let summary = world.sweep().await;
    let took = began.elapsed();
    assert_eq!(summary.closed, DUE, "{summary:?}");
    // One read and one write for each channel; the look at the open tasks comes on top.
    let rounds = u32::try_from(2 * DUE / AT_ONCE).unwrap();
    let ideal = REQUEST * rounds;
    let share = ideal.as_secs_f64() / took.as_secs_f64();
    println!(
        "{DUE} channels, {AT_ONCE} at once, {REQUEST:?} a request: {took:?}, ideal {ideal:?}: {:.1} %",
        100.0 * share
    );
    assert!(share >= 0.9, "{share}");
    for chat in chats {
        assert!(world.is_inactive(chat.channel));
    }
}
