//! Twilio, or DynamoDB, that is slow, silent, throttled or against us.

use std::collections::BTreeSet;
use std::time::Duration;

use embedded::{Fault as AwsFault, Service};
use http::StatusCode;
use serde_json::{Value, json};
use simulator::{At, Fault, FaultKind, Sid};
use sweep::{Stop, SweepError};
use world::{Chat, SWEEP_TIME, World, moment};

use crate::{DAY, HOUR, MINUTE};

fn closed(chats: &[Chat]) -> Vec<(&'static str, Sid)> {
    chats
        .iter()
        .map(|chat| ("ChannelClosed", chat.channel))
        .collect()
}

fn fail(world: &World, at: At, kind: FaultKind, times: Option<u32>) {
    world.twilio.fail(Fault { at, kind, times });
}

fn channels() -> At {
    At::product("chat").path("/Channels/")
}

#[tokio::test(start_paused = true)]
async fn row_11_and_12_a_storm_of_429_is_waited_out_and_no_try_is_burned() {
    let asked = [
        None,
        Some("0"),
        Some("2"),
        Some("1000000000"),
        Some("Fri, 31 Dec 2100 23:59:59 GMT"),
        Some("soon"),
    ];
    for retry_after in asked {
        let world = World::new().await;
        let chats = world.chats_left_behind(20).await;
        world.everything_falls_due().await;
        let kind = FaultKind::TooManyRequests {
            retry_after: retry_after.map(str::to_owned),
        };
        fail(&world, channels(), kind.clone(), Some(15));
        let began = moment();
        let summary = world.sweep().await;
        assert!(began.elapsed() < 5 * MINUTE, "{retry_after:?}");
        assert!((1..=15).contains(&summary.throttled));
        assert_eq!(summary.closed + summary.deferred, chats.len());
        assert_eq!(summary.retried, 0);
        // Four for each channel, another question where the look grew old, the list, and what
        // was thrown away.
        assert!(
            summary.calls <= 5 * 20 + 3 + 15,
            "{retry_after:?}: {}",
            summary.calls
        );

        // And if it never ends, it costs a bounded number of calls and nothing is marked.
        fail(&world, channels(), kind, None);
        let items = world.items().await;
        let summary = world.sweep().await;
        assert!(summary.calls <= 3 * 20 + 1, "{}", summary.calls);
        assert_eq!(world.items().await, items);

        world.twilio.clear_faults();
        world.sweep().await;
        assert!(chats.iter().all(|chat| world.is_inactive(chat.channel)));
        world.expect_notices(&closed(&chats));
        for chat in &chats {
            let record = world.record(chat.channel).await.unwrap();
            assert_eq!(record.cleanup().unwrap().failures, 0);
        }
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_13_a_failure_in_passing_is_looked_at_again_and_written_once() {
    use FaultKind::{DropAfter, DropBefore, Garbage, HangAfter, HangBefore, Status};
    let kinds = [
        Status(500),
        Status(502),
        Status(503),
        Status(504),
        DropBefore,
        DropAfter,
        Garbage,
        HangBefore,
        HangAfter,
    ];
    for kind in kinds {
        for method in ["GET", "POST"] {
            let world = World::new().await;
            let chat = world.chat_left_behind("+15550000001").await;
            world.everything_falls_due().await;
            fail(&world, channels().method(method), kind.clone(), Some(1));
            let summary = world.sweep().await;
            assert_eq!(summary.closed, 1, "{kind:?} {method}");
            assert!(world.is_inactive(chat.channel));
            let had_its_effect = matches!(kind, DropAfter | HangAfter);
            let writes = 1 + u64::from(method == "POST" && !had_its_effect);
            assert_eq!(world.channel_writes(), writes, "{kind:?} {method}");
            world.expect_notices(&closed(&[chat]));
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn row_13_a_twilio_that_is_down_is_left_alone_and_everything_is_made_up_for() {
    let world = World::new().await;
    let chats = world.chats_left_behind(60).await;
    world.everything_falls_due().await;
    fail(&world, channels(), FaultKind::Status(503), None);
    let summary = world.sweep().await;
    assert_eq!(summary.stopped, Some(Stop::TwilioIsDown));
    assert!(summary.not_started >= 30, "{summary:?}");
    assert!(summary.calls <= 3 * 30 + 3, "{summary:?}");
    world.twilio.clear_faults();
    for _ in 0..2 {
        world.time_passes(2 * MINUTE).await;
        world.sweep().await;
    }
    assert!(chats.iter().all(|chat| world.is_inactive(chat.channel)));
    world.expect_notices(&closed(&chats));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_13_a_look_that_fails_closes_nothing() {
    let world = World::new().await;
    world.chats_left_behind(3).await;
    world.everything_falls_due().await;
    let items = world.items().await;
    let kinds = [
        FaultKind::Status(500),
        FaultKind::Garbage,
        FaultKind::HangBefore,
    ];
    for kind in kinds {
        fail(&world, At::product("taskrouter"), kind, None);
        let error = world.attempt_sweep(SWEEP_TIME).await.unwrap_err();
        assert!(matches!(error, SweepError::LookupFailed(_)), "{error}");
        world.twilio.clear_faults();
    }
    assert_eq!(world.twilio.calls().of_product("chat"), 0);
    assert_eq!(world.items().await, items);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_14_a_channel_on_which_twilio_hangs_holds_up_no_other() {
    let world = World::new().await;
    let chats = world.chats_left_behind(30).await;
    world.everything_falls_due().await;
    let hanging = chats[0].channel;
    let at = At::product("chat").path(hanging.as_str());
    fail(&world, at, FaultKind::HangBefore, None);
    let began = moment();
    let summary = world.sweep().await;
    assert!(began.elapsed() < MINUTE, "{:?}", began.elapsed());
    assert_eq!((summary.closed, summary.retried), (29, 1));
    world.twilio.clear_faults();
    world.time_passes(2 * MINUTE).await;
    assert_eq!(world.sweep().await.closed, 1);
    world.expect_notices(&closed(&chats));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_15_a_throttled_table_makes_twilio_send_again() {
    for operation in ["GetItem", "PutItem"] {
        for fault in [
            AwsFault::Throttle,
            AwsFault::InternalError,
            AwsFault::LoseRequest,
        ] {
            let world = World::new().await;
            world.customer_writes("+15550000001");
            let body = Value::from(world.take_events()).to_string();
            world
                .aws
                .plan_faults(move |call| (call.operation == operation).then_some(fault));
            let status = world.post(body.clone()).await;
            assert_eq!(
                status,
                StatusCode::SERVICE_UNAVAILABLE,
                "{operation} {fault:?}"
            );
            world.aws.end_faults();
            assert_eq!(world.post(body).await, StatusCode::NO_CONTENT);
            assert_eq!(world.items().await.len(), 1);
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn row_15_a_throttled_index_stops_the_sweep_and_a_throttled_mark_is_made_up_for() {
    let world = World::new().await;
    let chat = world.chat_left_behind("+15550000001").await;
    world.everything_falls_due().await;
    let only = |operation: &'static str| {
        world
            .aws
            .plan_faults(move |call| (call.operation == operation).then_some(AwsFault::Throttle));
    };
    only("Query");
    let error = world.attempt_sweep(SWEEP_TIME).await.unwrap_err();
    assert!(matches!(error, SweepError::Store(_)), "{error}");
    assert_eq!(world.twilio.calls().total(), 0);

    only("PutItem");
    assert_eq!(world.sweep().await.deferred, 1);
    assert!(world.is_inactive(chat.channel));
    world.aws.end_faults();
    // It is told again, under the same id, and not written again.
    assert_eq!(world.sweep().await.already_clean, 1);
    assert_eq!(world.channel_writes(), 1);
    world.expect_notices(&closed(&[chat]));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_15_a_closing_that_the_bus_does_not_take_is_told_by_the_next_sweep() {
    let world = World::new().await;
    let chats = world.chats_left_behind(3).await;
    world.everything_falls_due().await;
    world.aws.plan_faults(|call| {
        (call.service == Service::EventBridge).then_some(AwsFault::InternalError)
    });
    assert_eq!(world.sweep().await.deferred, 3);
    world.aws.end_faults();
    assert!(world.notices().is_empty());
    assert_eq!(world.sweep().await.already_clean, 3);
    world.expect_notices(&closed(&chats));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_15_a_table_or_a_bus_that_hangs_is_not_waited_for_longer_than_twilio_waits() {
    for service in [Service::DynamoDb, Service::EventBridge] {
        let world = World::new().await;
        world.customer_writes("+15550000001");
        let mut events = world.take_events();
        // More that cannot be read than the bus takes in a few calls.
        events.extend((0..50).map(|number| json!([number])));
        let body = Value::from(events).to_string();
        world
            .aws
            .plan_faults(move |call| (call.service == service).then_some(AwsFault::Delay(HOUR)));
        let began = moment();
        assert_eq!(
            world.post(body.clone()).await,
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        world.aws.end_faults();
        assert_eq!(world.post(body).await, StatusCode::NO_CONTENT);
        assert_eq!(world.items().await.len(), 1);
        let ids: BTreeSet<String> = world.notices().into_iter().map(|told| told.id).collect();
        assert_eq!(ids.len(), 50, "each is told under its own id");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_36_credentials_that_are_refused_stop_everything_and_mark_nothing() {
    for status in [401, 403] {
        let world = World::new().await;
        world.chats_left_behind(30).await;
        world.everything_falls_due().await;
        let items = world.items().await;
        fail(&world, At::anything(), FaultKind::Status(status), None);
        let error = world.attempt_sweep(SWEEP_TIME).await.unwrap_err();
        assert!(matches!(error, SweepError::LookupFailed(_)), "{error}");
        assert_eq!(world.twilio.calls().total(), 1, "one refusal is enough");

        // A key that may read tasks and no channels.
        world.twilio.clear_faults();
        fail(&world, channels(), FaultKind::Status(status), None);
        let error = world.attempt_sweep(SWEEP_TIME).await.unwrap_err();
        let SweepError::Stopped(summary) = error else {
            panic!("{error}")
        };
        assert_eq!(summary.stopped, Some(Stop::Unauthorized));
        assert_eq!(summary.not_started, 30);
        assert!(summary.calls <= 11, "no more than were under way");
        assert_eq!(world.items().await, items);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_37_a_channel_that_twilio_refuses_is_given_up_in_the_end_and_delays_nobody() {
    let world = World::new().await;
    let chats = world.chats_left_behind(10).await;
    world.everything_falls_due().await;
    let (bad, good) = chats.split_first().unwrap();
    let at = At::product("chat")
        .method("POST")
        .path(bad.channel.as_str());
    fail(&world, at, FaultKind::Status(400), None);
    let summary = world.sweep().await;
    assert_eq!((summary.closed, summary.retried), (9, 1));
    assert_eq!(world.sweep().await.due, 0, "not again at once");
    world.expect_notices(&closed(good));

    let mut sweeps = 1;
    while world.notices().is_empty() {
        world.time_passes(HOUR).await;
        world.sweep().await;
        sweeps += 1;
        assert!(sweeps <= 8, "a bounded number of tries");
    }
    assert_eq!(sweeps, 8);
    assert_eq!(world.channel_writes(), 9 + 8);
    world.time_passes(DAY).await;
    assert_eq!(world.sweep().await.due, 0);
    assert!(world.items().await[bad.channel.as_str()].contains("refused"));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_sinks_test_event_is_noted_if_it_is_twilios_and_asked_for_again_if_it_cannot_be() {
    let world = World::new().await;
    let event = |test_id: &str| {
        let body = serde_json::json!([{
            "specversion": "1.0",
            "type": "com.twilio.eventstreams.test-event",
            "id": world.twilio.account().sid,
            "data": { "test_id": test_id },
        }]);
        body.to_string()
    };
    let noted = async || {
        let items = world.items_and_notes().await;
        items
            .get("note:sink-test-event")
            .cloned()
            .unwrap_or_default()
    };
    let forged = world.request_signed_with("another key", event("one"));
    assert_eq!(world.webhook(forged).await, StatusCode::FORBIDDEN);
    assert_eq!(noted().await, "");

    world
        .aws
        .plan_faults(|call| (call.operation == "PutItem").then_some(AwsFault::InternalError));
    let again = StatusCode::SERVICE_UNAVAILABLE;
    assert_eq!(world.post(event("one")).await, again);
    world.aws.end_faults();
    for test_id in ["one", "two"] {
        assert_eq!(world.post(event(test_id)).await, StatusCode::NO_CONTENT);
        assert!(noted().await.contains(test_id), "{}", noted().await);
    }
}
