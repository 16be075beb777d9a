//! Little time, many channels, and mistakes of our own.

use std::time::Duration;

use simulator::{At, Fault, FaultKind};
use sweep::Stop;
use world::{SWEEP_TIME, World, moment};

use crate::{HOUR, MINUTE};

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
async fn row_18_a_twilio_that_hangs_does_not_make_a_sweep_outlive_its_time() {
    for (budget, count) in [(MINUTE, 300), (SWEEP_TIME, 700)] {
        let world = World::new().await;
        let chats = world.chats_left_behind(count).await;
        world.everything_falls_due().await;
        // Every other write is never answered, so that the sweep goes on and each takes long.
        for chat in chats.iter().step_by(2) {
            world.twilio.fail(Fault {
                at: At::product("chat")
                    .method("POST")
                    .path(chat.channel.as_str()),
                kind: FaultKind::HangBefore,
                times: None,
            });
        }
        let began = moment();
        let summary = world.attempt_sweep(budget).await.unwrap();
        assert!(began.elapsed() <= budget, "{:?}", began.elapsed());
        assert!(summary.not_started > 0, "{summary:?}");
        world.notices();
        world.finish().await;
    }
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

/// Returns the requests of a sweep to DynamoDB and Twilio, with ten channels due among so many.
async fn cost(tracked: usize) -> (f64, u64, u64, u64) {
    let world = World::new().await;
    world.plan(|plan| plan.max_closes = tracked);
    let rest = tracked - 10;
    // Most of them wait for a reset that is not due; some wait for nothing at all.
    for number in 0..rest {
        let chat = world.customer_writes(&format!("whatsapp:+1555{number:07}"));
        if number % 10 > 0 {
            world.agent_accepts(chat);
            world.tab_is_closed(chat);
        }
        if number % 100 == 99 {
            world.deliver().await;
        }
    }
    world.deliver().await;
    world.everything_falls_due().await;
    world.sweep().await;
    world.time_passes(12 * HOUR).await;
    world.chats_left_behind(10).await;
    world.everything_falls_due().await;
    world.notices();

    world.aws.forget_calls();
    world.twilio.reset_calls();
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed), (10, 10));
    assert_eq!(world.notices().len(), 10);
    let reads = world.aws.tally("Query").units + world.aws.tally("GetItem").units;
    let writes = world.aws.tally("PutItem").requests;
    // The fuse before the portion and at the end, and the run.
    assert_eq!(world.aws.tally("PutItem of notes").requests, 3);
    let queries = world.aws.tally("Query").requests;
    let calls = world.twilio.calls().of_product("chat");
    world.finish().await;
    (reads, queries, writes, calls)
}

#[tokio::test(start_paused = true)]
async fn row_47_what_a_sweep_costs_grows_with_what_is_due_and_not_with_what_is_tracked() {
    let few = cost(30).await;
    assert_eq!(few, cost(1_500).await);
    let (_, _, writes, calls) = few;
    // Channel, newest message, webhooks and the write.
    assert_eq!((writes, calls), (10, 40));
}
