//! The note of the last event, by which `status` and the alarms know that events arrive.

use std::time::Duration;

use embedded::Fault;
use store::Job;
use world::{World, moment};

use crate::MINUTE;

#[tokio::test(start_paused = true)]
async fn the_last_event_is_noted_once_a_minute() {
    let world = World::new().await;
    let last = async || {
        world
            .table
            .last_run(Job::Ingest)
            .await
            .unwrap()
            .map(|run| run.at)
    };
    world.customer_writes("+15550000001");
    let first = world.now();
    world.deliver().await;
    world.time_passes(Duration::from_secs(59)).await;
    assert_eq!(last().await, Some(first));
    for _ in 0..10 {
        world.customer_writes("+15550000002");
        world.deliver().await;
    }
    assert_eq!(last().await, Some(first));
    world.time_passes(Duration::from_secs(1)).await;
    let second = world.now();
    world.customer_writes("+15550000003");
    world.deliver().await;
    world.time_passes(Duration::from_secs(1)).await;
    assert_eq!(last().await, Some(second));
    // What is not authentic is no event.
    world.time_passes(2 * MINUTE).await;
    let forged = world.request_signed_with("another key", "[]");
    world.webhook(forged).await;
    world.time_passes(MINUTE).await;
    assert_eq!(last().await, Some(second));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_note_of_the_last_event_neither_delays_an_answer_nor_fails_it() {
    for fault in [Fault::Delay(Duration::from_secs(3)), Fault::InternalError] {
        let world = World::new().await;
        world.aws.plan_faults(move |call| {
            let is_note = call.operation == "PutItem" && call.body.contains("last-event");
            is_note.then_some(fault)
        });
        let chat = world.customer_writes("+15550000001");
        let began = moment();
        world.deliver().await;
        assert_eq!(began.elapsed(), Duration::ZERO, "{fault:?}");
        assert!(world.record(chat.channel).await.is_some());
        world.time_passes(MINUTE).await;
        world.aws.end_faults();
        world.finish().await;
    }
}
