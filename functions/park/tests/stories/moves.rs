//! Chats that fall silent, and customers who write again.

use std::time::Duration;

use domain::Policy;
use simulator::Sid;
use simulator::state::taskrouter::task::{Expect, TaskChange};
use world::{Chat, POLL, World};

fn silence() -> Duration {
    Policy::default().park_after + POLL
}

fn attributes(world: &World, chat: Chat) -> String {
    world
        .twilio
        .state()
        .task(chat.task)
        .unwrap()
        .attributes
        .to_string()
}

fn set_attributes(world: &World, chat: Chat, attributes: &str) {
    let change = TaskChange {
        attributes: Some(attributes.to_owned()),
        ..TaskChange::default()
    };
    let set = world
        .twilio
        .state()
        .update_task(chat.task, Expect::Any, change);
    set.unwrap();
}

#[tokio::test(start_paused = true)]
async fn three_silent_chats_are_parked_and_two_come_back() {
    let world = World::that_parks().await;
    let mut chats = Vec::new();
    for number in 1..=3 {
        chats.push(world.answered_chat(&format!("+1555010012{number}")).await);
    }
    assert_eq!(world.load(), (3, 2), "more than the agent can take");
    world.time_passes(silence()).await;
    assert_eq!(world.parking_poll().await.parked, 3);
    assert_eq!(world.load(), (0, 2));
    world.deliver_all().await;
    for number in 1..=2 {
        world.customer_writes(&format!("+1555010012{number}"));
    }
    world.deliver_all().await;
    assert_eq!(world.bus_wakes_park().await, 2);
    assert_eq!(world.load(), (2, 2));
    let parked: Vec<bool> = chats.iter().map(|chat| world.is_parked(*chat)).collect();
    assert_eq!(parked, [false, false, true]);
    world.deliver_all().await;
    let record = world.record(chats[2].channel).await.unwrap();
    assert_eq!(record.parked_tasks().count(), 1);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn more_than_an_agent_can_take_comes_back_all_the_same_and_is_reported() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100121").await;
    world.time_passes(silence()).await;
    world.parking_poll().await;
    world.deliver_all().await;
    for number in 2..=3 {
        world
            .answered_conversation(&format!("+1555010012{number}"))
            .await;
    }
    assert_eq!(world.load(), (2, 2));
    world.customer_converses("+15550100121");
    world.deliver_all().await;
    world.bus_loses();
    let summary = world.parking_poll().await;
    assert_eq!((summary.returned, summary.over_capacity), (1, 1));
    assert!(!world.is_parked(chat));
    assert_eq!(world.load(), (3, 2));
    world.deliver_all().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn parking_and_coming_back_restores_the_task_channel_and_every_byte() {
    let hostile = r#"{ "big":9007199254740993, "far" : 1e400,"e":"\u00e9","channelSid":"SID" }"#;
    for (before, after) in [
        (hostile, hostile.replace("\" }", "\" ,\"inactive\":0}")),
        (
            r#"{"inactive":0,"channelSid":"SID","z":1.0}"#,
            r#"{"inactive":0,"channelSid":"SID","z":1.0}"#.to_owned(),
        ),
    ] {
        let world = World::that_parks().await;
        let chat = world.answered_chat("+15550100123").await;
        let of = |text: &str| text.replace("SID", chat.channel.as_str());
        set_attributes(&world, chat, &of(before));
        world.time_passes(silence()).await;
        assert_eq!(world.parking_poll().await.parked, 1);
        world.deliver_all().await;
        world.customer_writes("+15550100123");
        world.deliver_all().await;
        world.bus_wakes_park().await;
        assert_eq!(attributes(&world, chat), of(&after));
        let home = world.twilio.state().task(chat.task).unwrap().task_channel;
        assert_eq!(home, world.project.chat_task_channel);
        world.deliver_all().await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_echoes_change_nothing() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    world.time_passes(silence()).await;
    world.parking_poll().await;
    let record = world.record(chat.channel).await;
    world.aws.forget_calls();
    world.deliver_all().await;
    assert_eq!(world.aws.tally("PutItem").requests, 0);
    assert_eq!(world.record(chat.channel).await, record);
    world.time_passes(silence()).await;
    world.twilio.reset_calls();
    assert_eq!(world.parking_poll().await.due, 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ended_meanwhile_is_left_alone() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    world.time_passes(silence()).await;
    world.tab_is_closed(chat);
    world.lose_events();
    world.park().check(world.now()).await.unwrap();
    world.twilio.reset_calls();
    let summary = world.parking_poll().await;
    assert_eq!((summary.left_alone, summary.parked), (1, 0));
    assert_eq!(world.twilio.calls().writes(), 0);
    let record = world.record(chat.channel).await.unwrap();
    assert!(record.idle().is_some(), "and what was seen is remembered");

    // One of which TaskRouter knows nothing any more: only the second time in a row is it
    // believed, since an end is final.
    let gone = world.answered_conversation("+15550100124").await;
    world.tab_is_closed(gone);
    world.lose_events();
    world.time_passes(silence()).await;
    assert_eq!(world.parking_poll().await.deferred, 1);
    assert!(world.record(gone.channel).await.unwrap().idle().is_none());
    world.time_passes(silence()).await;
    assert_eq!(world.parking_poll().await.left_alone, 1);
    assert!(world.record(gone.channel).await.unwrap().idle().is_some());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_parked_stays_as_it_is_and_is_not_asked_about_all_the_time() {
    // Room for all but the last few characters of ours.
    let fixed = r#"{"conversationSid":"","pad":""}"#.len() + 34;
    let padding = "x".repeat(4_090 - fixed);
    let full = format!(r#"{{"conversationSid":"SID","pad":"{padding}"}}"#);
    let voice = |world: &World| -> Sid {
        let state = world.twilio.state();
        let voice = state.find_task_channel(world.project.workspace, "voice");
        voice.unwrap().sid
    };
    for case in ["a list", "too long", "unmapped"] {
        let world = World::that_parks().await;
        let chat = world.answered_conversation("+15550100123").await;
        let of = |text: &str| text.replace("SID", chat.channel.as_str());
        match case {
            "a list" => set_attributes(&world, chat, "[]"),
            "too long" => set_attributes(&world, chat, &of(&full)),
            _ => {
                let change = TaskChange {
                    task_channel: Some(voice(&world)),
                    ..TaskChange::default()
                };
                let mut state = world.twilio.state();
                state.update_task(chat.task, Expect::Any, change).unwrap();
            }
        }
        world.lose_events();
        let before = attributes(&world, chat);
        world.time_passes(silence()).await;
        world.park().check(world.now()).await.unwrap();
        world.twilio.reset_calls();
        let summary = world.parking_minute().await;
        assert_eq!((summary.refused, summary.parked), (1, 0), "{case}");
        assert_eq!(world.twilio.calls().total(), 1, "{case}: one look");
        assert_eq!(attributes(&world, chat), before, "{case}");
        world.time_passes(silence()).await;
        assert_eq!(
            world.parking_poll().await.refused,
            1,
            "{case}: looked at again"
        );
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_chat_channel_gets_one_webhook_of_ours_and_never_more_than_it_has_room_for() {
    let world = World::that_parks().await;
    let chat = world.answered_chat("+15550100123").await;
    let webhooks = |channel| {
        world
            .twilio
            .state()
            .channel(channel)
            .unwrap()
            .webhooks
            .len()
    };
    assert_eq!(webhooks(chat.channel), 1);
    // The mark of it is lost: it is found, and not added again.
    world.record_expires(chat.channel).await;
    let second = world.another_task_on(chat.channel);
    let second = Chat {
        task: second,
        ..chat
    };
    world.agent_accepts(second);
    world.deliver_all().await;
    assert_eq!(world.parking_poll().await.installed, 1);
    assert_eq!(webhooks(chat.channel), 1);

    let full = world.customer_writes("+15550100124");
    for _ in 0..5 {
        let target = simulator::state::webhooks::WebhookTarget {
            url: Some("https://studio.example.com".to_owned()),
            ..Default::default()
        };
        let mut state = world.twilio.state();
        state
            .add_channel_webhook(full.channel, "webhook", target)
            .unwrap();
    }
    world.agent_accepts(full);
    world.deliver_all().await;
    assert_eq!(world.parking_poll().await.no_room, 1);
    world.twilio.reset_calls();
    assert_eq!(
        world.parking_poll().await.due,
        0,
        "and not asked about again"
    );
    let service = world.project.chat_service;
    let flex_own = |world: &World| {
        let calls = world.twilio.calls();
        calls
            .log()
            .any(|line| line.starts_with("POST") && line.ends_with(service.as_str()))
    };
    assert!(!flex_own(&world), "the service's own webhook is Flex's");
    assert_eq!(webhooks(full.channel), 5);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_before_its_authors_acceptance_is_the_agents() {
    let world = World::that_parks().await;
    let chat = world.customer_converses("+15550100123");
    world.deliver_all().await;
    world.agent_accepts(chat);
    world.agent_writes(chat);
    let mut events = world.take_events();
    events.reverse();
    for event in events {
        world.deliver_these(&[event]).await;
    }
    world.time_passes(silence()).await;
    assert_eq!(world.parking_poll().await.parked, 1);
    world.deliver_all().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn one_false_answer_that_a_task_is_gone_does_not_keep_a_customer_waiting() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    world.time_passes(silence()).await;
    assert_eq!(world.parking_poll().await.parked, 1);
    world.deliver_all().await;
    world.customer_converses("+15550100123");
    world.deliver_all().await;
    world.bus_loses();
    world.twilio.fail(simulator::Fault {
        at: simulator::At::default(),
        kind: simulator::FaultKind::Status(404),
        times: Some(1),
    });
    assert_eq!(world.parking_poll().await.deferred, 1);
    world.time_passes(POLL).await;
    assert_eq!(world.parking_poll().await.returned, 1);
    assert!(!world.is_parked(chat));
    world.deliver_all().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_parked_task_comes_back_whatever_became_of_its_attributes() {
    // Replaced as a whole, without our value; the second time without room for it.
    let fixed = r#"{"conversationSid":"","pad":""}"#.len() + 34;
    let padding = "x".repeat(4_090 - fixed);
    for (pad, is_told) in [("", true), ("", false), (&*padding, true)] {
        let world = World::that_parks().await;
        let chat = world.answered_conversation("+15550100123").await;
        world.time_passes(silence()).await;
        assert_eq!(world.parking_poll().await.parked, 1);
        world.deliver_all().await;
        let replaced = format!(r#"{{"conversationSid":"{}","pad":"{pad}"}}"#, chat.channel);
        set_attributes(&world, chat, &replaced);
        if is_told {
            world.deliver_all().await;
        } else {
            world.lose_events();
        }
        let record = world.record(chat.channel).await.unwrap();
        assert_eq!(record.parked_tasks().count(), 1);
        world.customer_converses("+15550100123");
        world.deliver_all().await;
        assert_eq!(world.bus_wakes_park().await, 1);
        let task_channel = world.twilio.state().task(chat.task).unwrap().task_channel;
        assert_eq!(task_channel, world.project.chat_task_channel);
        world.deliver_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_parked_task_is_announced_once_an_hour_before() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    world.time_passes(silence()).await;
    assert_eq!(world.parking_poll().await.parked, 1);
    world.deliver_all().await;
    world.time_passes(Duration::from_secs(22 * 3600)).await;
    assert_eq!(world.parking_poll().await.due, 0);
    world.time_passes(Duration::from_secs(3600)).await;
    // A bus that fails is asked again.
    world.aws.plan_faults(|call| {
        let is_bus = call.operation == "PutEvents";
        is_bus.then_some(embedded::Fault::InternalError)
    });
    assert_eq!(world.parking_poll().await.deferred, 1);
    world.aws.end_faults();
    assert_eq!(world.parking_poll().await.expiring, 1);
    let entries = world.aws.bus.take_entries();
    let [entry] = &entries[..] else {
        panic!("{entries:?}");
    };
    assert_eq!(entry.detail_type, "ParkedTaskExpires");
    assert_eq!(entry.detail["task_sid"], chat.task.as_str());
    assert_eq!(entry.detail["channel_sid"], chat.channel.as_str());
    assert_eq!(world.parking_poll().await.due, 0, "once");
    assert!(world.is_parked(chat), "it is left where it is");
    world.finish().await;
}
