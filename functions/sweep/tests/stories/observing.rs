//! Sweeps that only observe: nothing is written at Twilio, and what was seen is remembered.

use sweep::{Mode, Stop};
use world::World;

use crate::{DAY, HOUR, MINUTE};

/// Chats that are due for sweeps that observe.
async fn observed(world: &World, chats: usize) -> Vec<world::Chat> {
    world.plan(|plan| plan.mode = Mode::Observe);
    let chats = world.chats_left_behind(chats).await;
    world.everything_falls_due().await;
    chats
}

#[tokio::test(start_paused = true)]
async fn row_40_an_observing_sweep_writes_nothing_at_twilio() {
    let world = World::new().await;
    observed(&world, 20).await;
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.would_write), (20, 20));
    assert_eq!(world.twilio.calls().writes(), 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_observed_is_not_asked_about_again_for_a_day() {
    let world = World::new().await;
    observed(&world, 150).await;
    let first = world.sweep().await;
    assert_eq!((first.due, first.would_write), (150, 150), "{first:?}");
    world.twilio.reset_calls();
    for _ in 0..3 {
        world.time_passes(5 * MINUTE).await;
        let again = world.sweep().await;
        assert_eq!((again.due, again.would_write, again.calls), (0, 0, 0));
    }
    assert_eq!(world.twilio.calls().total(), 0);

    // New ones are asked about, and no others.
    for number in 1..=3 {
        world
            .chat_left_behind(&format!("+1666000000{number}"))
            .await;
    }
    world.everything_falls_due().await;
    let new = world.sweep().await;
    assert_eq!((new.due, new.would_write), (3, 3));

    world.time_passes(DAY - 30 * MINUTE).await;
    let later = world.sweep().await;
    assert_eq!(
        (later.due, later.would_write, later.observed_again),
        (150, 0, 150)
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn everything_that_was_observed_is_due_at_once_for_a_sweep_that_writes() {
    let world = World::new().await;
    let chats = observed(&world, 30).await;
    world.sweep().await;
    world.plan(|plan| plan.mode = Mode::Act);
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed), (30, 30), "{summary:?}");
    assert!(chats.iter().all(|chat| world.is_inactive(chat.channel)));
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_writes_waits_for_a_cutoff_that_was_made_longer() {
    let world = World::new().await;
    let chats = observed(&world, 1).await;
    assert_eq!(world.sweep().await.would_write, 1);
    world.plan(|plan| {
        plan.mode = Mode::Act;
        plan.policy.ended_cutoff = 10 * HOUR;
        plan.policy.quiet_cutoff = 48 * HOUR;
    });
    let early = world.sweep().await;
    assert_eq!((early.closed, early.left), (0, 1), "{early:?}");
    world.time_passes(10 * HOUR).await;
    assert_eq!(world.sweep().await.closed, 1);
    assert!(world.is_inactive(chats[0].channel));
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_long_lived_chat_and_a_chat_with_a_new_task_are_observed_anew() {
    let world = World::new().await;
    world.plan(|plan| plan.mode = Mode::Observe);
    let chat = world.chat_left_behind("whatsapp:+15550000001").await;
    world.everything_falls_due().await;
    assert_eq!(world.sweep().await.would_write, 1);
    // A new task ends: another idle period, and another write to come.
    let again = world.customer_writes("+15550000002");
    world.agent_accepts(again);
    world.tab_is_closed(again);
    let task = world.another_task_on(chat.channel);
    world.twilio.state().task_deleted_through_api(task).unwrap();
    world.deliver().await;
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.would_write), (2, 2), "{summary:?}");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_observing_sweep_stops_at_the_number_that_would_blow_the_fuse() {
    let world = World::new().await;
    observed(&world, 12).await;
    world.plan(|plan| plan.max_closes = 5);
    let first = world.sweep().await;
    assert_eq!((first.would_write, first.not_started), (5, 7), "{first:?}");
    assert_eq!(
        (first.stopped, first.suspended),
        (Some(Stop::TooManyCloses), None)
    );
    // The fuse stays whole: nothing was written.
    world.plan(|plan| plan.mode = Mode::Act);
    assert_eq!(world.sweep().await.closed, 5);
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_unheard_customer_is_told_by_an_observing_sweep_once() {
    let world = World::new().await;
    world.plan(|plan| plan.mode = Mode::Observe);
    let chat = world.chat_left_behind("+15550000001").await;
    world.time_passes(MINUTE).await;
    world.customer_writes_in_vain("+15550000001");
    world.deliver().await;
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!(
        (summary.would_write, summary.unheard),
        (1, 1),
        "{summary:?}"
    );
    world.expect_notices(&[("CustomerUnheard", chat.channel)]);
    world.time_passes(DAY).await;
    let later = world.sweep().await;
    assert_eq!((later.observed_again, later.unheard), (1, 0), "{later:?}");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_others_have_cleaned_and_what_is_left_is_remembered_too() {
    let world = World::new().await;
    world.plan(|plan| plan.mode = Mode::Observe);
    let clean = world.customer_writes("+15550000001");
    world.agent_accepts(clean);
    world.agent_completes(clean);
    let left = world.conversation_with_agent("+15550000002");
    world.tab_is_closed(left);
    world.deliver().await;
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!((summary.already_clean, summary.due), (1, 2), "{summary:?}");
    world.expect_notices(&[("ChannelClosed", clean.channel)]);
    world.time_passes(HOUR).await;
    assert_eq!(world.sweep().await.calls, 0);
    assert_eq!(world.twilio.calls().writes(), 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_proxy_session_that_would_be_ended_is_observed_once() {
    let world = World::new().await;
    world.end_sessions();
    let chat = world.chat_left_behind("+15550000001").await;
    // Flex does not end the session.
    world.twilio.state().knobs.flex_deaf = true;
    world.everything_falls_due().await;
    assert_eq!(world.sweep().await.closed, 1);
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    world.plan(|plan| plan.mode = Mode::Observe);
    world.time_passes(2 * MINUTE).await;
    let first = world.sweep().await;
    world.time_passes(2 * MINUTE).await;
    let second = world.sweep().await;
    assert_eq!(
        (first.would_write, second.due),
        (1, 0),
        "{first:?} {second:?}"
    );
    world.plan(|plan| plan.mode = Mode::Act);
    assert_eq!(world.sweep().await.sessions_ended, 1);
    world.finish().await;
}
