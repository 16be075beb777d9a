//! The fuse and a person's stop: what bounds the harm of a mistake.

use domain::fuse::FUSE_TIME;
use domain::{Suspension, Timestamp};
use embedded::Fault;
use sweep::{Stop, Summary, SweepError};
use world::{Chat, Crash, SWEEP_TIME, World};

use crate::{HOUR, MINUTE};

/// Chats that are due, and a fuse for so many.
async fn mistake(world: &World, chats: usize, cap: usize) -> Vec<Chat> {
    world.plan(|plan| plan.max_closes = cap);
    let chats = world.chats_left_behind(chats).await;
    world.everything_falls_due().await;
    chats
}

fn closed(world: &World, chats: &[Chat]) -> usize {
    let closed = chats.iter().filter(|chat| world.is_inactive(chat.channel));
    closed.count()
}

fn kinds(world: &World) -> Vec<String> {
    let mut kinds: Vec<String> = world.notices().into_iter().map(|told| told.kind).collect();
    kinds.dedup();
    kinds
}

/// The sweep of a clock that says that it is the year 2100.
async fn in_2100(world: &World) -> Summary {
    world.skew(74 * 365 * 24 * 60 * 60 * 1000);
    let summary = world.sweep().await;
    world.skew(0);
    summary
}

#[tokio::test(start_paused = true)]
async fn row_40_a_mistake_closes_no_more_channels_than_the_fuse_lets_through() {
    let world = World::new().await;
    world.plan(|plan| plan.max_closes = 5);
    let chats = world.chats_left_behind(20).await;
    // It succeeds, so that Lambda does not try it again.
    let summary = in_2100(&world).await;
    assert_eq!(summary.stopped, Some(Stop::TooManyCloses));
    assert_eq!(summary.suspended, Some("fuse-blown"));
    assert_eq!((summary.closed, summary.not_started), (5, 15));
    assert_eq!((world.channel_writes(), closed(&world, &chats)), (5, 5));
    assert_eq!(kinds(&world), ["ChannelClosed", "FuseBlown"]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_40_a_blown_fuse_holds_every_later_sweep_until_a_person_resumes_them() {
    let world = World::new().await;
    let chats = mistake(&world, 20, 5).await;
    world.sweep().await;
    assert_eq!(kinds(&world), ["ChannelClosed", "FuseBlown"]);
    for number in 0..23 {
        let summary = world.sweep().await;
        // It observes the others, each once, and as many in a run as the fuse would let through.
        let observed = if number < 3 { 5 } else { 0 };
        assert_eq!((summary.closed, summary.would_write), (0, observed));
        assert_eq!(summary.suspended, Some("fuse-blown"));
        world.time_passes(HOUR).await;
    }
    assert_eq!((world.channel_writes(), closed(&world, &chats)), (5, 5));

    world.table.resume().await.unwrap();
    let summary = world.sweep().await;
    assert_eq!((summary.closed, summary.due), (5, 15));
    assert_eq!(summary.suspended, Some("fuse-blown"), "it has blown again");
    // A larger fuse, once a person has looked.
    world.plan(|plan| plan.max_closes = 1_000);
    world.table.resume().await.unwrap();
    assert_eq!(world.sweep().await.closed, 10);
    assert_eq!(closed(&world, &chats), 20);
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_40_a_blown_fuse_lets_sweeps_write_again_after_a_day() {
    let world = World::new().await;
    mistake(&world, 6, 5).await;
    world.sweep().await;
    world.time_passes(FUSE_TIME - MINUTE).await;
    assert_eq!(world.sweep().await.closed, 0);
    world.time_passes(MINUTE).await;
    assert_eq!(world.sweep().await.closed, 1);
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_40_runs_within_an_hour_are_counted_together() {
    let world = World::new().await;
    world.plan(|plan| plan.max_closes = 8);
    let mut all = 0;
    for _ in 0..3 {
        world.chats_left_behind(4).await;
        world.everything_falls_due().await;
        all += world.sweep().await.closed;
    }
    // 4 and 4, and then none is left of the eight; the sixteen minutes passed three times.
    assert_eq!(all, 8);
    assert_eq!(world.sweep().await.suspended, Some("fuse-blown"));
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_40_what_a_slow_day_closes_blows_no_fuse() {
    let world = World::new().await;
    world.plan(|plan| plan.max_closes = 4);
    for _ in 0..6 {
        world.chats_left_behind(4).await;
        world.everything_falls_due().await;
        let summary = world.sweep().await;
        assert_eq!((summary.closed, summary.suspended), (4, None));
        world.time_passes(HOUR).await;
    }
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_40_wherever_a_sweep_dies_its_writes_are_counted() {
    let mut deaths = 0;
    for number in (7..).step_by(5) {
        let world = World::new().await;
        let chats = mistake(&world, 20, 6).await;
        let died = world.sweep_and_die(Crash::After(number)).await;
        // Its retry, and the runs after it.
        for _ in 0..4 {
            world.sweep().await;
        }
        assert!(closed(&world, &chats) <= 6, "it died at {number}");
        world.notices();
        world.finish().await;
        if !died {
            break;
        }
        deaths += 1;
    }
    println!("{deaths} deaths");
    assert!(deaths >= 5, "only {deaths} deaths");
}

#[tokio::test(start_paused = true)]
async fn row_40_sweeps_that_overlap_share_one_fuse() {
    let world = World::new().await;
    let chats = mistake(&world, 120, 60).await;
    world.twilio_takes(std::time::Duration::from_millis(50));
    let second = async {
        world
            .time_passes_for_others(std::time::Duration::from_millis(20))
            .await;
        world.sweep().await
    };
    tokio::join!(world.sweep(), second);
    assert!(closed(&world, &chats) <= 60, "{}", closed(&world, &chats));
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_person_stops_a_sweep_that_is_under_way_and_every_later_one() {
    let world = World::new().await;
    let chats = mistake(&world, 200, 1_000).await;
    world.twilio_takes(std::time::Duration::from_millis(300));
    let (summary, ()) = tokio::join!(world.sweep(), async {
        world
            .time_passes_for_others(std::time::Duration::from_secs(6))
            .await;
        world.table.stop(world.now()).await.unwrap();
    });
    assert_eq!(summary.stopped, Some(Stop::StoppedByPerson), "{summary:?}");
    assert!(summary.closed > 0 && summary.not_started > 0, "{summary:?}");
    let before = closed(&world, &chats);
    // No end but a person's.
    for _ in 0..3 {
        world.time_passes(40 * 24 * HOUR).await;
        let summary = world.sweep().await;
        assert_eq!((summary.closed, summary.suspended), (0, Some("stopped")));
    }
    assert_eq!(closed(&world, &chats), before);
    world.table.resume().await.unwrap();
    world.sweep().await;
    assert_eq!(closed(&world, &chats), 200);
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_cannot_be_read_closes_nothing() {
    let world = World::new().await;
    let chats = mistake(&world, 3, 1_000).await;
    world
        .aws
        .plan_faults(|call| (call.operation == "GetItem").then_some(Fault::InternalError));
    let error = world.attempt_sweep(SWEEP_TIME).await.unwrap_err();
    world.aws.end_faults();
    assert!(matches!(error, SweepError::Store(_)), "{error}");
    assert_eq!(closed(&world, &chats), 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_fuse_that_cannot_be_written_still_bounds_the_run() {
    let world = World::new().await;
    let chats = mistake(&world, 12, 5).await;
    // Only the fuse's own note and the marks are written before the end.
    world
        .aws
        .plan_faults(|call| (call.operation == "PutItem").then_some(Fault::InternalError));
    world.sweep().await;
    world.aws.end_faults();
    assert_eq!(closed(&world, &chats), 5);
    let suspended: Option<Suspension> = world.table.suspension(world.now()).await.unwrap();
    assert_eq!(suspended, None, "nothing could be noted");
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_person_closes_by_name_is_closed_during_a_stop() {
    let world = World::new().await;
    let chats = mistake(&world, 2, 1_000).await;
    world.table.stop(Timestamp::from_millis(0)).await.unwrap();
    let named = chats[0].channel.as_str().parse().unwrap();
    let (sweeper, now) = (world.sweeper(), world.now());
    let summary = sweeper.run_on(&[named], now, SWEEP_TIME).await;
    assert_eq!(summary.unwrap().closed, 1);
    assert_eq!(closed(&world, &chats), 1);
    world.notices();
    world.finish().await;
}
