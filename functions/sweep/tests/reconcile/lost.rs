//! Events that Twilio never delivered.

use std::time::Duration;

use domain::Queue;
use sweep::{Finding, Order};
use world::{SWEEP_TIME, World};

use super::{DAY, HOUR};

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_lost_end_is_found_in_the_log_and_the_channel_is_cleaned() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550100001");
    world.agent_accepts(chat);
    world.deliver().await;
    world.tab_is_closed(chat);
    world.lose_events();
    world.time_passes(HOUR).await;
    assert_eq!(world.sweep().await.due, 0, "nobody told that it ended");

    let report = world.reconcile().await;
    assert_eq!((report.new_from_log, report.whole), (1, true), "{report:?}");
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed), (1, 1), "{summary:?}");
    assert!(world.is_inactive(chat.channel));
    world.customer_writes("+15550100001");
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_chat_of_which_nothing_was_heard_is_found_in_the_log() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550100001");
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    world.lose_events();
    world.time_passes(HOUR).await;
    let report = world.reconcile().await;
    assert_eq!(report.new_from_log, 1, "{report:?}");
    assert_eq!(report.orphans, 0, "{report:?}");
    world.sweep().await;
    assert!(world.is_inactive(chat.channel));

    // The same again finds nothing new, and writes nothing.
    let before = world.items().await;
    world.time_passes(HOUR).await;
    let again = world.reconcile().await;
    assert_eq!((again.new_from_log, again.orphans), (0, 0), "{again:?}");
    assert_eq!(before, world.items().await);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_outage_of_ours_is_made_up_for_however_long_it_was() {
    let world = World::new().await;
    world.reconcile().await;
    // Nothing of ours runs for three days, twenty times as long as the usual overlap.
    let chat = world.customer_writes("+15550100001");
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    world.lose_events();
    world.time_passes(3 * DAY).await;
    let report = world.reconcile().await;
    assert_eq!(report.new_from_log, 1, "{report:?}");
    // From then on, only the overlap is read again.
    world.time_passes(HOUR).await;
    let next = world.reconcile().await;
    let reach = next.to_ms.since(next.from_ms);
    assert_eq!(reach, 6 * HOUR);
    assert_eq!(next.events, 0, "{next:?}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_live_chat_that_no_event_told_of_is_left_alone_and_known_from_then_on() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550100001");
    world.lose_events();
    world.plan(|plan| plan.policy.orphan_grace = 2 * HOUR);
    world.time_passes(20 * HOUR).await;
    // The log that is read does not go back as far.
    let order = Order::since(HOUR);
    let (report, found) = world.attempt_reconcile(order, SWEEP_TIME).await;
    let report = report.unwrap();
    assert_eq!((report.found_open, report.orphans), (1, 0), "{report:?}");
    assert_eq!(found[0].finding, Finding::FoundOpen);
    let record = world.record(chat.channel).await.unwrap();
    assert_eq!(record.open_tasks().count(), 1);
    assert_eq!(world.sweep().await.due, 0);
    assert!(!world.is_inactive(chat.channel));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_task_that_is_over_as_no_log_tells_is_found_by_what_it_left_open() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550100001");
    world.agent_accepts(chat);
    world.deliver().await;
    world.tab_is_closed(chat);
    world.lose_events();
    world.time_passes(2 * HOUR).await;
    let order = Order::since(Duration::from_secs(60));
    let (report, _) = world.attempt_reconcile(order, SWEEP_TIME).await;
    let report = report.unwrap();
    assert_eq!(
        (report.new_from_log, report.found_over),
        (0, 1),
        "{report:?}"
    );
    // No event says when it ended, so the patience counts from now.
    let waiting = world
        .record(chat.channel)
        .await
        .unwrap()
        .queue_entry()
        .unwrap();
    assert_eq!((waiting.queue, waiting.since), (Queue::Ended, world.now()));
    assert_eq!(world.sweep().await.due, 0);
    world.everything_falls_due().await;
    world.sweep().await;
    assert!(world.is_inactive(chat.channel));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_read_only_run_finds_the_same_and_writes_nothing() {
    let world = World::new().await;
    let lost = world.customer_writes("+15550100001");
    world.agent_accepts(lost);
    world.tab_is_closed(lost);
    let open = world.customer_writes("+15550100002");
    world.lose_events();
    world.time_passes(HOUR).await;
    let before = world.items().await;
    world.twilio.reset_calls();
    let order = Order::since(3 * DAY);
    let (planned, found) = world.attempt_reconcile(order.read_only(), SWEEP_TIME).await;
    let planned = planned.unwrap();
    assert_eq!(world.items().await, before);
    assert_eq!(
        (planned.new_from_log, planned.wrote),
        (2, false),
        "{planned:?}"
    );
    assert_eq!(world.twilio.calls().writes(), 0);
    let channels: Vec<_> = found.iter().map(|one| one.channel.to_string()).collect();
    assert!(channels.contains(&lost.channel.to_string()));
    assert!(channels.contains(&open.channel.to_string()));

    let (done, _) = world.attempt_reconcile(order, SWEEP_TIME).await;
    assert_eq!(done.unwrap().new_from_log, 2);
}
