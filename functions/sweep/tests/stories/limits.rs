//! Little time, many channels, and mistakes of our own.

use std::time::Duration;

use sweep::Stop;
use world::{World, moment};

use crate::MINUTE;

#[tokio::test(start_paused = true)]
async fn row_18_a_sweep_that_runs_out_of_time_stops_and_the_next_one_goes_on() {
    let world = World::new().await;
    let chats = world.chats_left_behind(120).await;
    world.everything_falls_due().await;
    world.twilio_takes(Duration::from_secs(2));
    let mut done = 0;
    let mut sweeps = 0;
    while done < chats.len() {
        let began = moment();
        let summary = world.attempt_sweep(MINUTE).await.unwrap();
        assert!(began.elapsed() <= MINUTE, "{:?}", began.elapsed());
        assert_eq!(summary.due, chats.len() - done);
        // A channel may be cut off in the middle: it is found as it is by the next sweep.
        let cut_off = summary.deferred;
        let finished = summary.closed + summary.already_clean;
        assert_eq!(summary.due, finished + cut_off + summary.not_started);
        let stopped = (summary.not_started + cut_off > 0).then_some(Stop::OutOfTime);
        assert_eq!(summary.stopped, stopped);
        assert!(summary.closed > cut_off, "{summary:?}");
        done += finished;
        sweeps += 1;
    }
    assert!(sweeps > 1);
    assert_eq!(world.channel_writes(), chats.len() as u64);
    let closed: Vec<_> = chats
        .iter()
        .map(|chat| ("ChannelClosed", chat.channel))
        .collect();
    world.expect_notices(&closed);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_40_a_channel_with_an_open_task_is_safe_from_every_clock_and_cutoff() {
    let world = World::new().await;
    world.plan(|plan| {
        plan.policy.ended_cutoff = domain::policy::MIN_CUTOFF;
        plan.policy.abandoned_cutoff = domain::policy::MIN_CUTOFF;
        plan.policy.long_lived_cutoff = domain::policy::MIN_CUTOFF;
    });
    let chat = world.customer_writes("+15550000001");
    world.agent_accepts(chat);
    let first = world.another_task_on(chat.channel);
    world
        .twilio
        .state()
        .task_deleted_through_api(first)
        .unwrap();
    world.deliver().await;
    world.skew(74 * 365 * 24 * 60 * 60 * 1000);
    world.sweep().await;
    assert!(!world.is_inactive(chat.channel));
    assert_eq!(world.channel_writes(), 0);
    world.finish().await;
}
