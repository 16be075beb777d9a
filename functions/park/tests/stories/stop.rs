//! A person stops everything, and what a scheduled run leaves in the table.

use domain::Policy;
use store::Job;
use world::{POLL, World};

#[tokio::test(start_paused = true)]
async fn a_stop_parks_no_chat_and_still_brings_a_customer_back() {
    let world = World::that_parks().await;
    let parked = world.answered_chat("+15550100121").await;
    world.time_passes(Policy::default().park_after + POLL).await;
    assert_eq!(world.parking_poll().await.parked, 1);
    world.deliver_all().await;

    world.table.stop(world.now()).await.unwrap();
    let silent = world.answered_conversation("+15550100122").await;
    world.time_passes(Policy::default().park_after + POLL).await;
    world.twilio.reset_calls();
    assert_eq!(world.parking_poll().await.due, 0);
    assert_eq!(world.twilio.calls().total(), 0);
    assert!(!world.is_parked(silent));

    world.customer_writes("+15550100121");
    world.deliver_all().await;
    assert_eq!(world.parking_poll().await.returned, 1);
    assert!(!world.is_parked(parked));

    world.table.resume().await.unwrap();
    assert_eq!(world.parking_poll().await.parked, 1);
    assert!(world.is_parked(silent));
    world.deliver_all().await;
    world.bus_wakes_park().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_run_notes_its_settings_and_what_it_came_to() {
    let world = World::that_parks().await;
    world.answered_chat("+15550100121").await;
    world.time_passes(Policy::default().park_after + POLL).await;
    let event = serde_json::json!({});
    let (park, now) = (world.park(), world.now());
    park.handle(event, now, std::time::Duration::ZERO)
        .await
        .unwrap();
    let run = world.table.last_run(Job::Park).await.unwrap().unwrap();
    assert_eq!((run.at, &run.result["parked"]), (now, &1.into()));
    assert_eq!(run.settings["PARK_AFTER"], "10m");
    assert!(run.settings["PARK_TASK_CHANNELS"].ends_with(world.inactive().as_str()));
    world.deliver_all().await;
    world.finish().await;
}
