//! Tasks that stay in wrap-up: reported after a while, and never ended.

use simulator::TaskStatus;
use world::World;

use crate::{HOUR, MINUTE};

#[tokio::test(start_paused = true)]
async fn a_stuck_wrap_up_is_counted_after_its_limit_and_never_ended() {
    let world = World::new().await;
    let stuck = [
        world.customer_writes("+15550100001"),
        world.conversation_with_agent("+15550100002"),
    ];
    world.agent_accepts(stuck[0]);
    for chat in stuck {
        world.twilio.state().agent_wraps_up(chat.task).unwrap();
    }
    world.deliver().await;
    for hour in 1..=30_usize {
        world.time_passes(HOUR - 20 * MINUTE).await;
        // Something that is due, since a sweep without it asks Twilio nothing. Reconcile does.
        let due = world.chat_left_behind(&format!("+1555020{hour:04}")).await;
        world.time_passes(20 * MINUTE).await;
        world.figures();
        let summary = world.sweep().await;
        assert_eq!((summary.due, summary.closed), (1, 1), "{summary:?}");
        let expected = if hour > 12 { 2 } else { 0 };
        assert_eq!(summary.stuck_wrap_ups, expected, "hour {hour}");
        let measured = world.figures().get("StuckWrapUps").copied().unwrap_or(0);
        assert_eq!(usize::try_from(measured).unwrap(), expected);
        world.expect_notices(&[("ChannelClosed", due.channel)]);
    }
    for chat in stuck {
        let status = world.twilio.state().task(chat.task).unwrap().status;
        assert_eq!(status, TaskStatus::Wrapping);
    }
    assert!(!world.is_inactive(stuck[0].channel));
    assert!(!world.is_closed(stuck[1].channel));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn reconcile_counts_a_stuck_wrap_up_where_nothing_is_due() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550100001");
    world.agent_accepts(chat);
    world.twilio.state().agent_wraps_up(chat.task).unwrap();
    world.deliver().await;
    for (hours, expected) in [(12, None), (1, Some(1))] {
        world.time_passes(hours * HOUR).await;
        let summary = world.sweep().await;
        assert_eq!((summary.due, summary.stuck_wrap_ups), (0, 0));
        world.figures();
        let report = world.reconcile().await;
        assert_eq!(
            report.stuck_wrap_ups.unwrap(),
            expected.map_or(0, |it| it as usize)
        );
        assert_eq!(world.figures().get("StuckWrapUps").copied(), expected);
    }
    assert_eq!(world.twilio.calls().writes(), 0);
    let status = world.twilio.state().task(chat.task).unwrap().status;
    assert_eq!(status, TaskStatus::Wrapping);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_worked_on_for_days_is_no_stuck_wrap_up() {
    let world = World::new().await;
    world.plan(|plan| plan.policy.wrap_up_limit = MINUTE);
    let chat = world.customer_writes("+15550100001");
    world.agent_accepts(chat);
    world.deliver().await;
    world.time_passes(20 * HOUR).await;
    world.chat_left_behind("+15550100002").await;
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!((summary.open_tasks, summary.stuck_wrap_ups), (1, 0));
    world.notices();
    world.finish().await;
}
