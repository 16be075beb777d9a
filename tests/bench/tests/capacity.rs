//! The costs of a channel's life at DynamoDB, by the units that the engine reports: the figures
//! of `docs/costs.md`. Each event comes in a request of its own, which is the dearest way.

use bench::{life_of_a_chat, life_of_a_talk, one_by_one, write_units};
use serde_json::Value;
use world::World;

#[tokio::test(start_paused = true)]
async fn a_life_is_five_units_and_an_event_is_one_at_most_on_average() {
    let world = World::new().await;
    let life = life_of_a_chat(&world).await;
    let units: Vec<(&str, f64)> = life
        .iter()
        .map(|(kind, asked)| (kind.as_str(), asked.write_units))
        .collect();
    // That an agent accepts and wraps up moves nothing, and so is not written.
    let expected = [
        ("task.created", 1.0),
        ("reservation.accepted", 0.0),
        ("reservation.wrapup", 0.0),
        ("task.wrapup", 0.0),
        // With its entry in the index.
        ("task.completed", 2.0),
        // The mark, and the end of the entry.
        ("the sweep", 2.0),
    ];
    assert_eq!(units, expected);
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_again_is_read_and_not_written() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550000001");
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    let events: Vec<Value> = world.take_events();
    assert_eq!(write_units(&one_by_one(&world, &events).await), 3.0);
    let again = one_by_one(&world, &events).await;
    assert!(again.iter().all(|(_, asked)| asked.gets == 1), "{again:?}");
    assert_eq!(write_units(&again), 0.0, "{again:?}");
    world.finish().await;
}

/// Where chats are parked, what is said costs too: each word that changes who waits for whom
/// is a write, and moves the entry in the index.
#[tokio::test(start_paused = true)]
async fn a_talk_costs_what_it_changes() {
    let world = World::that_parks().await;
    let life = life_of_a_talk(&world).await;
    let of = |kind: &str| -> Vec<f64> {
        let told = life.iter().filter(|(name, _)| name == kind);
        told.map(|(_, asked)| asked.write_units).collect()
    };
    // The first message comes before its task, and is kept: it may be told late and be the one
    // that an agent has to see. An agent's message begins a wait for the customer, whose
    // message ends it.
    assert_eq!(of("conversations.message.added"), [1.0, 2.0, 2.0, 2.0, 2.0]);
    // The customer wrote last, so that nothing waits for the agent: the wrap-up changes nothing.
    assert_eq!(of("reservation.wrapup"), [0.0]);
    assert_eq!(of("task.wrapup"), [0.0]);
    assert_eq!(of("task.completed"), [2.0]);
    assert_eq!(write_units(&life), 13.0, "{life:?}");
    world.notices();
    world.finish().await;
}
