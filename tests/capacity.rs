//! What a channel's life costs at DynamoDB, by the units that the engine reports: the figures
//! of `docs/costs.md`. Each event comes in a request of its own, which is the dearest way.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use acceptance::world::World;
use serde_json::Value;

/// Write units used so far, those of the index included.
fn written(world: &World) -> f64 {
    world.aws.tally("PutItem").units
}

/// Delivers events one by one, and says what each wrote by its type.
async fn one_by_one(world: &World, events: &[Value]) -> Vec<(String, f64)> {
    let mut costs = Vec::new();
    for event in events {
        let before = written(world);
        world.deliver_these(std::slice::from_ref(event)).await;
        let kind = event["data"]["payload"]["eventtype"].as_str();
        let kind = kind.unwrap_or("message.added").to_owned();
        costs.push((kind, written(world) - before));
    }
    costs
}

fn total(costs: &[(String, f64)]) -> f64 {
    costs.iter().map(|(_, units)| units).sum()
}

#[tokio::test(start_paused = true)]
async fn created_completed_and_swept_are_five_units() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550000001");
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    let told = |event: &Value| {
        let kind = &event["data"]["payload"]["eventtype"];
        kind == "task.created" || kind == "task.completed"
    };
    let events: Vec<Value> = world.take_events().into_iter().filter(told).collect();
    let costs = one_by_one(&world, &events).await;
    println!("{costs:?}");
    assert_eq!(costs.len(), 2);
    assert_eq!((costs[0].1, costs[1].1), (1.0, 2.0));

    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!(summary.closed, 1, "{summary:?}");
    assert_eq!(written(&world), 5.0);
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_life_is_five_units_and_repeats_are_free() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550000001");
    world.agent_accepts(chat);
    world.twilio.state().agent_wraps_up(chat.task).unwrap();
    world.tab_is_closed(chat);
    let events = world.take_events();
    let costs = one_by_one(&world, &events).await;
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!(summary.closed, 1, "{summary:?}");
    let swept = written(&world) - total(&costs);
    #[expect(clippy::cast_precision_loss, reason = "a handful of events")]
    let per_event = written(&world) / events.len() as f64;
    println!("{costs:?}, the sweep {swept}: {per_event:.2} an event");
    assert_eq!(
        swept, 2.0,
        "the mark, and the end of its entry in the index"
    );
    // That an agent accepts and wraps up moves nothing, and so is not written.
    assert_eq!(written(&world), 5.0, "{costs:?}");
    assert!(per_event <= 1.4, "{per_event} in {costs:?}");

    let again = one_by_one(&world, &events).await;
    assert_eq!(total(&again), 0.0, "{again:?}");
    world.notices();
    world.finish().await;
}

/// Where chats are parked, what is said costs too: each word that changes who waits for whom
/// is a write, and moves the entry in the index.
#[tokio::test(start_paused = true)]
async fn a_talk_costs_what_it_changes() {
    let world = World::that_parks().await;
    let mut costs = Vec::new();
    let chat = world.customer_converses("+15550000001");
    costs.extend(told(&world).await);
    world.agent_accepts(chat);
    costs.extend(told(&world).await);
    for _ in 0..2 {
        world.agent_writes(chat);
        costs.extend(told(&world).await);
        world.time_passes(std::time::Duration::from_secs(30)).await;
        world.customer_converses("+15550000001");
        costs.extend(told(&world).await);
        world.time_passes(std::time::Duration::from_secs(30)).await;
    }
    world.twilio.state().agent_wraps_up(chat.task).unwrap();
    world.tab_is_closed(chat);
    costs.extend(told(&world).await);
    println!("{costs:?}: {} units", total(&costs));
    let of = |kind: &str| -> Vec<f64> {
        let told = costs.iter().filter(|(name, _)| name == kind);
        told.map(|(_, units)| *units).collect()
    };
    // The first word comes with the task and says no more. An agent's word begins a wait for
    // the customer, whose word ends it.
    assert_eq!(of("message.added"), [0.0, 2.0, 2.0, 2.0, 2.0]);
    assert_eq!(of("task.completed"), [2.0]);
    assert!(total(&costs) <= 13.0, "{costs:?}");
    world.notices();
    world.finish().await;
}

/// Delivers what was sent, event by event.
async fn told(world: &World) -> Vec<(String, f64)> {
    let events = world.take_events();
    one_by_one(world, &events).await
}
