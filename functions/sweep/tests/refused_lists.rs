//! An account that refuses lists in its questions. This test is alone in its process, since a
//! process remembers the refusal and asks another way from then on.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

use world::{SWEEP_TIME, World};

#[tokio::test(start_paused = true)]
async fn an_account_that_refuses_lists_in_questions_is_asked_in_another_way() {
    let world = World::new().await;
    world.chats_left_behind(100).await;
    world.everything_falls_due().await;
    world.twilio.reset_calls();
    world.twilio.state().knobs.evaluates_in = false;
    let first = world.sweep().await;
    assert_eq!((first.due, first.closed), (100, 100), "{first:?}");
    // The refusal is remembered.
    assert_eq!(world.twilio.calls().refused().len(), 1);

    let chat = world.chat_left_behind("+15550900002").await;
    let open = world.another_task_on(chat.channel);
    world.lose_events();
    world.time_passes(Duration::from_secs(20 * 60)).await;
    world.twilio.reset_calls();
    let second = world.attempt_sweep(SWEEP_TIME).await.unwrap();
    assert_eq!(
        (second.due, second.open_again),
        (1, 1),
        "{open}: {second:?}"
    );
    assert!(!world.is_inactive(chat.channel));
    assert_eq!(world.twilio.calls().refused(), []);
    world.notices();
    world.finish().await;
}
