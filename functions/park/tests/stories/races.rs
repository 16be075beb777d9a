//! Events between a look and a move.

use std::time::Duration;

use domain::Policy;
use serde_json::json;
use simulator::state::taskrouter::task::{Expect, NewTask, TaskChange};
use simulator::{At, Fault, FaultKind, Transfer};
use world::{Chat, POLL, World};

pub(crate) fn silence() -> Duration {
    Policy::default().park_after + POLL
}

/// Another party changes a task between our look at it and our move. Whether their change
/// survives.
async fn change_in_between(world: World) -> bool {
    let chat = world.answered_conversation("+15550100123").await;
    world.time_passes(silence()).await;
    let gate = world.gate_after("GET", chat.task.as_str());
    let parking = world.parking_poll();
    let meanwhile = async {
        gate.reached().await;
        let mut state = world.twilio.state();
        let old = state.task(chat.task).unwrap().attributes.to_string();
        let new = old.replace('{', r#"{"wrote":"somebody else","#);
        let change = simulator::state::taskrouter::task::TaskChange {
            attributes: Some(new),
            ..Default::default()
        };
        let expect = simulator::state::taskrouter::task::Expect::Any;
        state.update_task(chat.task, expect, change).unwrap();
        drop(state);
        gate.open();
    };
    let (summary, ()) = tokio::join!(parking, meanwhile);
    assert_eq!(summary.parked, 1);
    assert!(world.is_parked(chat));
    let attributes = world
        .twilio
        .state()
        .task(chat.task)
        .unwrap()
        .attributes
        .clone();
    world.deliver_all().await;
    world.finish().await;
    attributes.contains("somebody else")
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_change_is_never_lost() {
    assert!(change_in_between(World::that_parks().await).await);
    // A move that names no version would undo it.
    let careless = World::that_parks().await;
    careless.tamper(|request| {
        request.headers_mut().remove(http::header::IF_MATCH);
    });
    assert!(!change_in_between(careless).await);
}

#[tokio::test(start_paused = true)]
async fn who_writes_while_the_chat_is_being_parked_is_heard() {
    // At each of the two requests, before and after: the reply arrives, and the bus is quick.
    for method in ["GET", "POST"] {
        for bus in [true, false] {
            let world = World::that_parks().await;
            let chat = world.answered_conversation("+15550100123").await;
            world.time_passes(silence()).await;
            let gate = world.gate_after(method, chat.task.as_str());
            let parking = world.parking_poll();
            let meanwhile = async {
                gate.reached().await;
                world.customer_converses("+15550100123");
                world.deliver_all().await;
                // Before the move is announced there is nothing to bring back: the message makes
                // the announcement fail.
                let replies = usize::from(method == "POST");
                if bus {
                    assert_eq!(world.bus_wakes_park().await, replies);
                } else {
                    assert_eq!(world.bus_loses(), replies);
                }
                gate.open();
            };
            tokio::join!(parking, meanwhile);
            world.deliver_all().await;
            world.bus_loses();
            world.parking_minute().await;
            assert!(!world.is_parked(chat), "{method} {bus}");
            world.deliver_all().await;
            world.bus_loses();
            let record = world.record(chat.channel).await.unwrap();
            assert_eq!(record.parked_tasks().count(), 0, "{method} {bus}");
            assert_eq!(record.queue_entry(), None, "{method} {bus}");
            world.finish().await;
        }
    }
}

/// Another agent was asked to join, and both tasks were parked.
async fn two_parked_tasks(world: &World) -> [Chat; 2] {
    let chat = world.answered_conversation("+15550100123").await;
    let second = {
        let task = NewTask {
            attributes: Some(json!({ "conversationSid": chat.channel }).to_string()),
            workflow: Some(world.project.workflow),
            queue: Some(world.project.queue),
            task_channel: Some(world.project.chat_task_channel),
            ..NewTask::default()
        };
        let mut state = world.twilio.state();
        let task = state.create_task(world.project.workspace, task).unwrap();
        Chat { task, ..chat }
    };
    world.agent_accepts(second);
    world.agent_writes(second);
    world.deliver_all().await;
    world.time_passes(silence()).await;
    world.parking_minute().await;
    world.deliver_all().await;
    assert!(world.is_parked(chat) && world.is_parked(second));
    [chat, second]
}

#[tokio::test(start_paused = true)]
async fn a_reply_brings_back_every_task_of_the_conversation() {
    let world = World::that_parks().await;
    let [chat, second] = two_parked_tasks(&world).await;
    world.customer_converses("+15550100123");
    world.deliver_all().await;
    assert_eq!(world.bus_wakes_park().await, 1);
    assert!(!world.is_parked(chat) && !world.is_parked(second));
    world.deliver_all().await;
    world.finish().await;
}

/// The end of one of two parked tasks is not told, or the task cannot be moved.
#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_come_back_keeps_no_other_from_it() {
    let ends: fn(&World, Chat) = |world, chat| world.tab_is_closed(chat);
    let spoils: fn(&World, Chat) = |world, chat| {
        let change = TaskChange {
            attributes: Some("[]".to_owned()),
            ..TaskChange::default()
        };
        let mut state = world.twilio.state();
        let spoilt = state.update_task(chat.task, Expect::Any, change);
        spoilt.unwrap();
    };
    let minutes = |count: u64| Duration::from_secs(count * 60);
    for (case, does, later) in [
        ("over", ends, minutes(0)),
        ("forgotten", ends, minutes(10)),
        ("cannot be moved", spoils, minutes(0)),
    ] {
        for first in [true, false] {
            let world = World::that_parks().await;
            let [mut stays, mut comes] = two_parked_tasks(&world).await;
            if !first {
                std::mem::swap(&mut stays, &mut comes);
            }
            does(&world, stays);
            world.lose_events();
            world.time_passes(later).await;
            world.customer_converses("+15550100123");
            world.deliver_all().await;
            assert_eq!(world.bus_wakes_park().await, 1);
            assert!(!world.is_parked(comes), "{case} {first}");
            world.lose_events();
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_parked_chat_that_was_transferred_comes_back_though_no_event_told_of_it() {
    let world = World::that_parks().await;
    let first = world.answered_chat("+15550100123").await;
    world.time_passes(silence()).await;
    world.parking_minute().await;
    world.deliver_all().await;
    assert!(world.is_parked(first));
    // Twilio copies the TaskChannel, and not one event of the new task arrives.
    let begun = world.twilio.state().transfer_begins(first.task);
    let second = Chat {
        task: begun.unwrap(),
        ..first
    };
    world.agent_accepts(second);
    world.lose_events();
    let ended = world
        .twilio
        .state()
        .transfer_ends(first.task, Transfer::KeepsChannel);
    ended.unwrap();
    world.deliver_all().await;
    // A sweep sees the task, and where it is.
    world.everything_falls_due().await;
    assert_eq!(world.sweep().await.open_again, 1);
    assert!(world.is_parked(second));
    world.customer_writes("+15550100123");
    world.deliver_all().await;
    assert_eq!(world.bus_wakes_park().await, 1);
    assert!(!world.is_parked(second));
    world.deliver_all().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn storms_delay_and_lose_nothing() {
    for kind in [
        FaultKind::TooManyRequests {
            retry_after: Some("2".to_owned()),
        },
        FaultKind::Status(503),
        FaultKind::HangAfter,
        FaultKind::DropAfter,
        FaultKind::DropBefore,
        FaultKind::Garbage,
    ] {
        let world = World::that_parks().await;
        let chat = world.answered_conversation("+15550100123").await;
        world.park().check(world.now()).await.unwrap();
        world.time_passes(silence()).await;
        let fault = |times| Fault {
            at: At::default(),
            kind: kind.clone(),
            times,
        };
        world.twilio.fail(fault(Some(4)));
        world.parking_minute().await;
        world.twilio.clear_faults();
        world.parking_minute().await;
        assert!(world.is_parked(chat), "{kind:?}");
        world.deliver_all().await;
        world.customer_converses("+15550100123");
        world.deliver_all().await;
        world.bus_loses();
        world.twilio.fail(fault(Some(4)));
        world.parking_minute().await;
        world.twilio.clear_faults();
        world.parking_minute().await;
        assert!(!world.is_parked(chat), "{kind:?}");
        world.deliver_all().await;
        world.bus_loses();
        world.finish().await;
    }
}
