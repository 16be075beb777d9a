//! A large backlog at the pace that TaskRouter allows: every sweep closes something.

use std::time::Duration;

use simulator::EVALUATIONS_PER_SECOND;
use sweep::Stop;
use world::{Chat, SWEEP_TIME, World, moment};

use crate::DAY;

/// So many channels as one question names, with the concurrency that is set here.
const PORTION: usize = 30;

/// A backlog and one task that is worked on, with the limit that Twilio sets.
async fn backlog(world: &World, count: usize) -> Vec<Chat> {
    let open = world.customer_writes("+15550900001");
    world.agent_accepts(open);
    let mut chats = Vec::new();
    for number in 0..count {
        let chat = world.customer_writes(&format!("+1555{number:07}"));
        world.agent_accepts(chat);
        world.tab_is_closed(chat);
        chats.push(chat);
        // No more than one request may carry.
        if number % 200 == 0 {
            world.deliver().await;
        }
    }
    world.deliver().await;
    world.everything_falls_due().await;
    world.twilio.state().knobs.evaluations_per_second = Some(EVALUATIONS_PER_SECOND);
    world.twilio.reset_calls();
    chats
}

#[tokio::test(start_paused = true)]
async fn a_backlog_is_closed_in_one_sweep_below_the_limit_of_questions() {
    let world = World::new().await;
    backlog(&world, 400).await;
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed), (400, 400), "{summary:?}");
    assert_eq!((summary.throttled, summary.open_tasks), (0, 1));
    assert_eq!(world.twilio.calls().refused(), []);
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn reconcile_finds_a_backlog_in_one_run_below_the_limit_of_questions() {
    let world = World::new().await;
    for number in 0..400 {
        let chat = world.customer_writes(&format!("+1555{number:07}"));
        world.agent_accepts(chat);
        world.tab_is_closed(chat);
    }
    world.lose_events();
    world.time_passes(40 * DAY).await;
    world.twilio.state().knobs.evaluations_per_second = Some(EVALUATIONS_PER_SECOND);
    world.twilio.reset_calls();
    let report = world.reconcile().await;
    assert_eq!((report.orphans, report.deferred), (400, 0), "{report:?}");
    assert_eq!(report.throttled, 0);
    assert_eq!(world.twilio.calls().refused(), []);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_question_puts_off_its_own_portion_and_no_other() {
    let world = World::new().await;
    backlog(&world, 14 * PORTION).await;
    world.twilio_takes(Duration::from_millis(100));
    let (first, ()) = tokio::join!(world.sweep(), async {
        // Other software of the account uses up the questions for a while.
        world.time_passes_for_others(Duration::from_secs(3)).await;
        world.twilio.state().knobs.evaluations_per_second = Some(0);
        world.time_passes_for_others(Duration::from_secs(5)).await;
        world.twilio.state().knobs.evaluations_per_second = Some(EVALUATIONS_PER_SECOND);
    });
    assert!(first.throttled > 0 && first.stopped.is_none(), "{first:?}");
    assert!(first.closed > 0 && first.deferred > 0, "{first:?}");
    assert_eq!(first.deferred % PORTION, 0, "{first:?}");
    assert_eq!(first.closed + first.deferred, first.due, "{first:?}");

    let second = world.sweep().await;
    assert_eq!(
        (second.due, second.closed),
        (first.deferred, first.deferred)
    );
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_no_sweep_can_finish_is_worked_off_within_the_time_that_is_left() {
    let world = World::new().await;
    world.plan(|plan| plan.max_closes = usize::MAX);
    let chats = backlog(&world, 1_500).await;
    world.twilio_takes(Duration::from_millis(300));
    let time_left = Duration::from_secs(20);
    let mut rest = chats.len();
    for _ in 0..3 {
        let began = moment();
        let summary = world.attempt_sweep(time_left).await.unwrap();
        assert!(began.elapsed() <= time_left, "{:?}", began.elapsed());
        assert_eq!(summary.stopped, Some(Stop::OutOfTime));
        assert_eq!(summary.due, rest);
        assert!(summary.closed >= PORTION, "{summary:?}");
        assert_eq!(summary.throttled, 0, "{summary:?}");
        rest -= summary.closed;
        let closed = chats.iter().filter(|chat| world.is_inactive(chat.channel));
        assert_eq!(closed.count(), chats.len() - rest);
        assert_eq!(world.notices().len(), summary.closed);
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_channels_take_little_longer_than_their_requests() {
    let world = World::new().await;
    backlog(&world, 1_000).await;
    let request = Duration::from_millis(150);
    world.twilio_takes(request);
    let began = moment();
    let summary = world.sweep().await;
    assert_eq!((summary.closed, summary.throttled), (1_000, 0));
    // Channel, newest message, webhooks and the write, ten channels at once.
    let ideal = request * 4 * 1_000 / 10;
    let taken = began.elapsed();
    assert!(taken.mul_f64(0.9) <= ideal, "{taken:?}, ideal {ideal:?}");
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_newest_take_turns_with_the_oldest() {
    let world = World::new().await;
    let mut chats = Vec::new();
    for number in 0..400 {
        chats.push(world.chat_left_behind(&format!("+1555{number:07}")).await);
        world.time_passes(Duration::from_secs(1)).await;
    }
    world.everything_falls_due().await;
    world.twilio_takes(Duration::from_millis(300));
    let summary = world.attempt_sweep(Duration::from_secs(16)).await.unwrap();
    assert_eq!(summary.stopped, Some(Stop::OutOfTime), "{summary:?}");
    let closed = |from: usize, to: usize| {
        let some = chats[from..to].iter();
        some.filter(|chat| world.is_inactive(chat.channel)).count()
    };
    assert_eq!(closed(0, PORTION), PORTION, "the oldest");
    assert_eq!(closed(400 - PORTION, 400), PORTION, "the newest");
    assert_eq!(closed(180, 220), 0, "those in between wait");
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_refuses_lists_in_questions_is_asked_in_another_way() {
    let world = World::new().await;
    world.chats_left_behind(100).await;
    world.everything_falls_due().await;
    world.twilio.reset_calls();
    world.twilio.state().knobs.evaluates_in = false;
    let first = world.sweep().await;
    assert_eq!((first.due, first.closed), (100, 100), "{first:?}");
    // The refusal is remembered, from one run to the next as well.
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
