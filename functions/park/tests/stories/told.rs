//! The figures of each run, of which the dashboard and the alarms are made.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Policy;
use embedded::Fault;
use park::ParkError;
use serde_json::json;
use simulator::state::taskrouter::task::{Expect, TaskChange};
use world::{PARK_TIME, POLL, World, moment};

/// Checks that a run logged these figures and no others.
fn expect(world: &World, figures: &[(&str, u64)]) {
    let told = world.figures();
    let figures = figures.iter().map(|(name, sum)| ((*name).to_owned(), *sum));
    assert_eq!(told, figures.collect::<BTreeMap<_, _>>());
}

#[tokio::test(start_paused = true)]
async fn what_was_moved_and_what_was_not_is_told_by_each_run() {
    let world = World::that_parks().await;
    world.park().check(world.now()).await.unwrap();
    let silence = Policy::default().park_after + POLL;
    let numbers = ["+15550100123", "+15550100124"];
    let chat = world.answered_conversation(numbers[0]).await;
    world.answered_conversation(numbers[1]).await;
    world.figures();
    world.parking_minute().await;
    expect(&world, &[]);

    world.time_passes(silence).await;
    world.parking_minute().await;
    expect(&world, &[("Parked", 2), ("Calls", 4)]);
    world.deliver_all().await;

    // The agent is full again when the customer comes back.
    for other in ["+15550100125", "+15550100126"] {
        let other = world.customer_converses(other);
        world.agent_accepts(other);
    }
    world.customer_converses(numbers[0]);
    world.deliver_all().await;
    world.figures();
    assert_eq!(world.bus_wakes_park().await, 1);
    expect(
        &world,
        &[("Returned", 1), ("OverCapacity", 1), ("Calls", 3)],
    );
    world.agent_writes(chat);
    world.deliver_all().await;

    // Its record cannot be read, and then its attributes are no object any more.
    world.time_passes(silence).await;
    world.figures();
    world
        .aws
        .plan_faults(|call| (call.operation == "GetItem").then_some(Fault::InternalError));
    world.parking_poll().await;
    expect(&world, &[("Failed", 1)]);
    world.aws.end_faults();
    let change = TaskChange {
        attributes: Some("[]".to_owned()),
        ..TaskChange::default()
    };
    let changed = world
        .twilio
        .state()
        .update_task(chat.task, Expect::Any, change);
    changed.unwrap();
    world.lose_events();
    world.parking_poll().await;
    expect(&world, &[("Refused", 1), ("Calls", 1)]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_an_error_ends_tells_how_far_it_came() {
    let world = World::that_parks().await;
    world.park().check(world.now()).await.unwrap();
    world.answered_conversation("+15550100123").await;
    world.time_passes(Policy::default().park_after + POLL).await;
    world.figures();
    let secret = std::mem::replace(
        &mut world.twilio.state().account.api_secret,
        "another".to_owned(),
    );
    let run = world.park().tick(world.now(), PARK_TIME).await;
    assert!(matches!(run, Err(ParkError::Unauthorized(_))), "{run:?}");
    expect(&world, &[("Deferred", 1), ("Calls", 1), ("Stopped", 1)]);

    world.twilio.state().account.api_secret = secret;
    let summary = world.park().tick(world.now(), Duration::ZERO).await;
    assert_eq!(summary.unwrap().parked, 1);
    expect(&world, &[("Parked", 1), ("Calls", 2)]);
    world.deliver_all().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_cannot_be_read_does_not_keep_the_function_awake() {
    let world = World::that_parks().await;
    let began = moment();
    for detail in [json!({}), json!({ "channel_sid": "CH1" }), json!(null)] {
        let notice = json!({ "detail-type": "ReplyReceived", "detail": detail });
        let handled = world.park().handle(notice, world.now(), PARK_TIME).await;
        assert_eq!(handled.unwrap()["polls"], 0);
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(world.twilio.calls().total(), 0);
    world.finish().await;
}
