//! Events that come twice, late, in any order or not at all.

use domain::End;
use http::StatusCode;
use serde_json::Value;
use simulator::Transfer;
use world::{Chat, World};

use crate::{DAY, HOUR, MINUTE};

#[tokio::test(start_paused = true)]
async fn row_01_an_event_that_comes_a_hundred_times_changes_nothing_and_costs_no_write() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550000001");
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    let events = world.take_events();
    world.deliver_these(&events).await;
    let items = world.items().await;

    world.aws.forget_calls();
    for _ in 0..20 {
        for event in &events {
            world.deliver_these(&[event.clone(), event.clone()]).await;
        }
        world.time_passes(13 * MINUTE).await;
    }
    assert_eq!(world.items().await, items);
    assert_eq!(world.aws.tally("PutItem").requests, 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_03_a_task_whose_created_is_lost_keeps_its_channel_open() {
    // Lists of tasks may show attributes, or leave them out.
    for list_attributes in [true, false] {
        let world = World::new().await;
        world.twilio.state().knobs.list_attributes = list_attributes;
        let chat = world.chat_left_behind("whatsapp:+15550000001").await;
        world.everything_falls_due().await;
        assert_eq!(world.sweep().await.released, 1);
        world.expect_notices(&[("ChannelReleased", chat.channel)]);

        world.time_passes(47 * HOUR).await;
        let again = world.customer_writes("whatsapp:+15550000001");
        world.agent_accepts(again);
        world.lose_events();
        world.time_passes(2 * HOUR).await;
        let attributes = world.attributes(chat.channel);
        let summary = world.sweep().await;
        assert_eq!((summary.due, summary.open_again), (1, 1));
        assert_eq!(world.attributes(chat.channel), attributes);

        // What the look found out is remembered, and the clock starts again at the new end.
        world.tab_is_closed(again);
        world.deliver().await;
        world.time_passes(47 * HOUR).await;
        assert_eq!(world.sweep().await.released, 1);
        world.time_passes(2 * HOUR).await;
        assert_eq!(world.sweep().await.closed, 1);
        world.expect_notices(&[
            ("ChannelReleased", chat.channel),
            ("ChannelClosed", chat.channel),
        ]);
        assert!(!world.is_long_lived(chat.channel));
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_04_the_lost_end_of_one_of_two_tasks_is_found_by_asking() {
    let world = World::new().await;
    let first = world.customer_writes("+15550000001");
    world.agent_accepts(first);
    world.deliver().await;
    world.time_passes(MINUTE).await;
    let second = world.agent_transfers(first, Transfer::KeepsChannel);
    // Twilio drops whatever it had to say of the first task's end.
    let mut events = world.take_events();
    events.retain(|event| event["data"]["payload"]["task_sid"] == second.task.as_str());
    world.deliver_these(&events).await;
    world.time_passes(MINUTE).await;
    world.tab_is_closed(second);
    world.deliver().await;

    let record = world.record(first.channel).await.unwrap();
    assert_eq!(record.open_tasks().count(), 1, "as far as anybody told us");
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!(
        (summary.due, summary.closed),
        (1, 0),
        "it is only asked about"
    );
    let record = world.record(first.channel).await.unwrap();
    let vanished = record.tasks().values().filter_map(|task| task.ended);
    assert!(vanished.map(|end| end.how).any(|how| how == End::Vanished));

    world.everything_falls_due().await;
    assert_eq!(world.sweep().await.closed, 1);
    world.expect_notices(&[("ChannelClosed", first.channel)]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_05_an_end_that_is_told_late_is_due_by_its_own_time() {
    for late in [4 * HOUR, 30 * DAY] {
        let world = World::new().await;
        let chat = world.customer_writes("+15550000001");
        world.agent_accepts(chat);
        world.deliver().await;
        world.tab_is_closed(chat);
        let ended = world.now();
        let events = world.take_events();
        world.time_passes(late).await;
        assert_eq!(world.sweep().await.due, 0);
        world.deliver_these(&events).await;
        let record = world.record(chat.channel).await.unwrap();
        assert_eq!(record.idle().unwrap().since, ended);
        assert_eq!(world.sweep().await.closed, 1);
        world.expect_notices(&[("ChannelClosed", chat.channel)]);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_05_a_beginning_that_is_told_after_the_end_opens_nothing() {
    for late in [4 * HOUR, 30 * DAY] {
        let world = World::new().await;
        let chat = world.customer_writes("+15550000001");
        let created = world.take_events();
        world.agent_accepts(chat);
        world.tab_is_closed(chat);
        world.deliver().await;
        world.everything_falls_due().await;
        assert_eq!(world.sweep().await.closed, 1);
        world.expect_notices(&[("ChannelClosed", chat.channel)]);
        world.time_passes(late).await;
        world.deliver_these(&created).await;
        let record = world.record(chat.channel).await.unwrap();
        assert_eq!(record.open_tasks().count(), 0);
        assert!(record.closed_at().is_some());
        assert_eq!(world.sweep().await.due, 0);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_24_one_bad_event_among_a_hundred_costs_the_others_nothing() {
    let world = World::new().await;
    for number in 0..99 {
        world.customer_writes(&format!("+1555{number:07}"));
    }
    let mut events = world.take_events();
    assert_eq!(events.len(), 99);
    let mut bad = events[0].clone();
    bad["id"] = "NO-bad".into();
    bad["data"]["payload"]["task_sid"] = "+15550000000".into();
    bad["data"]["payload"]["resource_sid"] = Value::Null;
    events.insert(57, bad);
    world.deliver_these(&events).await;
    assert_eq!(world.items().await.len(), 99);

    let told = world.aws.bus.take_entries();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].detail_type, "EventRejected");
    assert_eq!(told[0].detail["event_id"], "NO-bad");
    assert_eq!(told[0].detail["reason"], "the event names no task");
    assert!(!told[0].detail.to_string().contains("+1555"));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_29_a_signed_request_that_is_played_again_harms_nobody() {
    let world = World::new().await;
    let chat = world.customer_writes("whatsapp:+15550000001");
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    let body = Value::from(world.take_events()).to_string();
    assert_eq!(world.post(body.clone()).await, StatusCode::NO_CONTENT);
    world.time_passes(49 * HOUR).await;
    assert_eq!(world.sweep().await.closed, 1);
    world.expect_notices(&[("ChannelClosed", chat.channel)]);

    // While the channel's record is there, it changes nothing.
    world.time_passes(DAY).await;
    let items = world.items().await;
    assert_eq!(world.post(body.clone()).await, StatusCode::NO_CONTENT);
    assert_eq!(world.items().await, items);

    // When it has expired, the channel is looked at once more, even if its customer is back.
    world.record_expires(chat.channel).await;
    let again = reopened_manually(&world, chat);
    world.agent_accepts(again);
    world.lose_events();
    assert_eq!(world.post(body).await, StatusCode::NO_CONTENT);
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.open_again), (1, 1));
    assert!(!world.is_inactive(chat.channel));
    world.finish().await;
}

/// A customer's own software makes the channel active again and puts a task on it.
fn reopened_manually(world: &World, chat: Chat) -> Chat {
    let attributes = world.attributes(chat.channel).replace("INACTIVE", "ACTIVE");
    world.somebody_writes(chat.channel, &attributes);
    let task = world.another_task_on(chat.channel);
    Chat { task, ..chat }
}

#[tokio::test(start_paused = true)]
async fn row_41_a_chat_that_was_transferred_stays_open_until_its_second_task_ends() {
    for transfer in [Transfer::KeepsChannel, Transfer::LosesChannel] {
        let world = World::new().await;
        let first = world.customer_writes("+15550000001");
        world.agent_accepts(first);
        world.time_passes(MINUTE).await;
        let second = world.agent_transfers(first, transfer);
        world.deliver().await;
        for _ in 0..12 {
            world.time_passes(HOUR).await;
            assert_eq!(world.sweep().await.closed, 0);
            assert!(!world.is_inactive(first.channel), "{transfer:?}");
        }
        world.tab_is_closed(second);
        world.deliver().await;
        for _ in 0..2 {
            world.everything_falls_due().await;
            world.sweep().await;
        }
        assert!(world.is_inactive(first.channel), "{transfer:?}");
        world.expect_notices(&[("ChannelClosed", first.channel)]);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_42_a_channel_without_a_task_is_never_looked_at_and_a_survey_holds_its_channel() {
    let world = World::new().await;
    let bot = world.channel_without_a_task();
    let chat = world.chat_left_behind("+15550000001").await;
    let survey = Chat {
        task: world.another_task_on(chat.channel),
        ..chat
    };
    world.deliver().await;
    for _ in 0..4 {
        world.time_passes(10 * HOUR / 2).await;
        assert_eq!(world.sweep().await.closed, 0);
    }
    assert!(!world.is_inactive(chat.channel));
    world.agent_accepts(survey);
    world.tab_is_closed(survey);
    world.deliver().await;
    world.everything_falls_due().await;
    assert_eq!(world.sweep().await.closed, 1);
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    let calls = world.twilio.calls();
    assert!(calls.log().all(|line| !line.contains(bot.as_str())));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_43_events_of_another_account_or_workspace_are_nobodys_here() {
    let others = [
        ("account_sid", format!("AC{:032}", 9)),
        ("workspace_sid", format!("WS{:032}", 9)),
    ];
    for (field, sid) in others {
        let world = World::new().await;
        world.customer_writes("+15550000001");
        let mut events = world.take_events();
        events[0]["data"]["payload"][field] = sid.into();
        world.deliver_these(&events).await;
        assert!(world.items().await.is_empty(), "{field}");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_46_a_record_that_cannot_be_read_delays_no_other_channel() {
    let world = World::new().await;
    let chats = world.chats_left_behind(3).await;
    let bad = chats[1];
    world
        .record_is_written_by_a_later_version(bad.channel)
        .await;
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed, summary.deferred), (3, 2, 1));
    assert!(!world.is_inactive(bad.channel));

    // Its events are asked for again, in the hope of that version; the others' are stored.
    let another = world.customer_writes("+15559999999");
    world.another_task_on(bad.channel);
    let body = Value::from(world.take_events()).to_string();
    assert_eq!(world.post(body).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(world.record(another.channel).await.is_some());
    world.expect_notices(&[
        ("ChannelClosed", chats[0].channel),
        ("ChannelClosed", chats[2].channel),
    ]);
    world.finish().await;
}
