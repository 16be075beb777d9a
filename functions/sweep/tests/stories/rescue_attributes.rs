//! The attributes of the last task, which the task for an unheard customer takes over.

use std::time::Duration;

use simulator::state::taskrouter::task::{Expect, TaskChange};

use crate::MINUTE;
use crate::rescues::{CUSTOMER, expect_rescued, expect_told, open_tasks, rescuing, unheard};

#[tokio::test(start_paused = true)]
async fn attributes_that_cannot_be_found_are_told_with_the_reason() {
    for platform in ["chat", "conversation"] {
        let (world, chat) = unheard(platform).await;
        // TaskRouter has forgotten the task, and its log as well.
        world.twilio.state().knobs.log_life = MINUTE;
        let summary = world.sweep().await;
        expect_told(&world, &summary, chat, "no-attributes");
        world.lose_events();
        world.finish().await;
    }
}

/// Other software overwrites the attributes of a task that has ended, and the log has forgotten
/// what they were before.
#[tokio::test(start_paused = true)]
async fn attributes_that_are_no_object_are_told_with_the_reason_and_the_channel_is_closed() {
    let world = rescuing().await;
    world.plan(|plan| plan.policy.ended_cutoff = 3 * MINUTE);
    let chat = world.chat_left_behind(CUSTOMER).await;
    world.time_passes(2 * MINUTE).await;
    let change = TaskChange {
        attributes: Some(r#"["oops"]"#.to_owned()),
        ..TaskChange::default()
    };
    {
        let mut state = world.twilio.state();
        let changed = state.update_task(chat.task, Expect::Any, change);
        changed.unwrap();
        state.knobs.log_life = 90 * Duration::from_secs(1);
    }
    world.customer_writes_in_vain(CUSTOMER);
    world.deliver().await;
    world.time_passes(MINUTE + Duration::from_secs(1)).await;
    let summary = world.sweep().await;
    expect_told(&world, &summary, chat, "attributes-not-an-object");
    let record = world.record(chat.channel).await.unwrap();
    assert_eq!(record.rescue(), None, "nothing is announced");
    world.finish().await;
}

/// The log is empty, and TaskRouter itself still knows a task that ended a moment ago.
#[tokio::test(start_paused = true)]
async fn a_task_that_taskrouter_still_knows_does_without_the_log() {
    let world = rescuing().await;
    world.plan(|plan| {
        plan.policy.ended_cutoff = MINUTE;
        plan.policy.abandoned_cutoff = MINUTE;
    });
    let chat = world.customer_writes(CUSTOMER);
    let canceled = world.twilio.state().task_canceled_by_supervisor(chat.task);
    canceled.unwrap();
    world.deliver().await;
    world.time_passes(Duration::from_secs(1)).await;
    world.customer_writes_in_vain(CUSTOMER);
    world.time_passes(2 * MINUTE).await;
    world.twilio.state().knobs.log_life = Duration::from_secs(1);
    let summary = world.sweep().await;
    expect_rescued(&world, &summary, chat);
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn attributes_without_room_for_the_mark_are_used_without_it() {
    let world = rescuing().await;
    let chat = world.customer_writes(CUSTOMER);
    let long = format!(
        r#"{{"channelSid":"{}","notes":"{}"}}"#,
        chat.channel,
        "n".repeat(4_096 - 70)
    );
    let change = TaskChange {
        attributes: Some(long.clone()),
        ..TaskChange::default()
    };
    let changed = world
        .twilio
        .state()
        .update_task(chat.task, Expect::Any, change);
    changed.unwrap();
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    world.deliver().await;
    world.time_passes(MINUTE).await;
    world.customer_writes_in_vain(CUSTOMER);
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    expect_rescued(&world, &summary, chat);
    assert_eq!(&*open_tasks(&world, chat.channel)[0].attributes, long);
    world.lose_events();
    world.finish().await;
}
