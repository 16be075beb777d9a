//! The count of what the webhook should have brought.

use std::time::Duration;

use world::World;

use super::HOUR;

const MINUTE: Duration = Duration::from_secs(60);

/// A chat whose task ends, and of which the webhook hears nothing.
fn chat_that_no_event_tells_of(world: &World, address: &str) {
    let chat = world.customer_writes(address);
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    world.lose_events();
}

/// Reconciles, and returns how many channels were new from the log, and how many of those were
/// missed. The figure must say the same.
async fn new_and_missed(world: &World) -> (usize, usize) {
    world.figures();
    let report = world.reconcile().await;
    let told = world.figures().get("Missed").copied().unwrap_or(0);
    assert_eq!(u64::try_from(report.missed).unwrap(), told);
    (report.new_from_log, report.missed)
}

/// A world whose webhook works, and whose reconcile knows it.
async fn connected() -> World {
    let world = World::new().await;
    world.customer_writes("+15550100009");
    world.deliver().await;
    world
        .table
        .set_note("last-event", &(), world.now())
        .await
        .unwrap();
    assert_eq!(new_and_missed(&world).await, (0, 0));
    world
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn nothing_is_missed_before_the_webhook_worked() {
    let world = World::new().await;
    for address in ["+15550100001", "+15550100002"] {
        chat_that_no_event_tells_of(&world, address);
        world.time_passes(HOUR).await;
        assert_eq!(new_and_missed(&world).await, (1, 0));
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn what_the_webhook_did_not_bring_is_missed_once() {
    let world = connected().await;
    world.time_passes(MINUTE).await;
    chat_that_no_event_tells_of(&world, "+15550100001");
    world.time_passes(HOUR).await;
    assert_eq!(new_and_missed(&world).await, (1, 1));
    world.time_passes(HOUR).await;
    assert_eq!(new_and_missed(&world).await, (0, 0));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn what_may_still_be_on_its_way_is_not_missed() {
    let world = connected().await;
    world.time_passes(HOUR).await;
    chat_that_no_event_tells_of(&world, "+15550100001");
    world.time_passes(MINUTE).await;
    assert_eq!(new_and_missed(&world).await, (1, 0));
}
