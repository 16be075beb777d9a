//! Two who write at the same time, and clocks that disagree.

use std::time::Duration;

use embedded::{Fault, Lag};
use futures::join;
use http::StatusCode;
use serde_json::Value;
use twilio::attributes::Attributes;
use world::{World, moment};

use crate::{DAY, HOUR, MINUTE};

#[tokio::test(start_paused = true)]
async fn row_07_two_webhooks_that_write_one_channel_at_the_same_time_lose_nothing() {
    // Each of the first six requests to the table is slow or not: every way to interleave.
    for slow in 0_u32..64 {
        let world = World::new().await;
        let first = world.customer_writes("+15550000001");
        let opened = world.take_events();
        let task = world.another_task_on(first.channel);
        let another = world.take_events();
        let mut nth = 0;
        world.aws.plan_faults(move |_| {
            let is_slow = slow >> nth & 1 == 1;
            nth += 1;
            Some(Fault::Delay(Duration::from_millis(u64::from(is_slow))))
        });
        let bodies = [opened, another].map(|events| Value::from(events).to_string());
        let [one, other] = bodies.map(|body| world.post(body));
        let answers = join!(one, other);
        assert_eq!(answers, (StatusCode::NO_CONTENT, StatusCode::NO_CONTENT));
        world.aws.end_faults();
        let record = world.record(first.channel).await.unwrap();
        let open: Vec<String> = record
            .open_tasks()
            .map(|(sid, _)| sid.to_string())
            .collect();
        assert_eq!(open.len(), 2, "{slow:06b}: {open:?} and not also {task}");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_16_a_webhook_that_always_loses_the_race_asks_for_the_event_again() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550000001");
    let ours = Value::from(world.take_events()).to_string();
    let task = chat.task.to_string();
    // The writer of our task is slow, and meanwhile there is always another one who is not.
    world.aws.plan_faults(move |call| {
        let is_ours = call.operation == "PutItem" && call.body.contains(&task);
        is_ours.then_some(Fault::Delay(Duration::from_millis(100)))
    });
    let rivals = async {
        loop {
            world.another_task_on(chat.channel);
            world.deliver().await;
            world
                .time_passes_for_others(Duration::from_millis(40))
                .await;
        }
    };
    let began = moment();
    let answer = tokio::select! {
        answer = world.post(ours.clone()) => answer,
        () = rivals => unreachable!(),
    };
    assert_eq!(answer, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "within Twilio's patience"
    );
    world.aws.end_faults();
    world.take_events();
    assert_eq!(world.post(ours).await, StatusCode::NO_CONTENT);
    let record = world.record(chat.channel).await.unwrap();
    let task = chat.task.as_str().parse().unwrap();
    assert!(record.tasks().contains_key(&task));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_17_a_clock_that_is_behind_or_steps_back_is_late_and_never_early() {
    let world = World::new().await;
    let chat = world.chat_left_behind("+15550000001").await;
    world.skew(-10 * 60 * 1000);
    world.time_passes(24 * MINUTE).await;
    assert_eq!(world.sweep().await.due, 0);
    world.skew(0);
    world.time_passes(10 * MINUTE).await;
    assert_eq!(world.sweep().await.closed, 1);
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    // It steps back again, to before the closing, and to before the chat.
    for skew in [-30 * 60 * 1000, -24 * 60 * 60 * 1000] {
        world.skew(skew);
        assert_eq!(world.sweep().await.due, 0);
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_17_an_end_in_our_future_is_waited_for() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550000001");
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    // Twilio's clock is ten minutes ahead of ours.
    world.skew(-10 * 60 * 1000);
    world.deliver().await;
    assert_eq!(world.sweep().await.due, 0);
    world.time_passes(15 * MINUTE).await;
    assert_eq!(world.sweep().await.due, 0);
    world.time_passes(10 * MINUTE).await;
    assert_eq!(world.sweep().await.closed, 1);
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_19_sweeps_that_overlap_in_any_way_cost_calls_and_do_no_harm() {
    for offset in (0..400).step_by(25) {
        let world = World::new().await;
        let chats = world.chats_left_behind(12).await;
        world.everything_falls_due().await;
        world.twilio_takes(Duration::from_millis(40));
        let wanted: Vec<String> = chats
            .iter()
            .map(|chat| Attributes::parse(&world.attributes(chat.channel)).unwrap())
            .map(|attributes| attributes.with_status_inactive())
            .collect();
        let late = async {
            world
                .time_passes_for_others(Duration::from_millis(offset))
                .await;
            world.sweep().await
        };
        let (first, second) = join!(world.sweep(), late);
        for summary in [&first, &second] {
            assert_eq!((summary.failed, summary.retried, summary.raced), (0, 0, 0));
        }
        assert!(
            first.closed + second.closed >= chats.len(),
            "offset {offset}"
        );
        assert!(world.channel_writes() <= 2 * chats.len() as u64);
        for (chat, wanted) in chats.iter().zip(wanted) {
            assert_eq!(world.attributes(chat.channel), wanted);
        }
        let closed: Vec<_> = chats
            .iter()
            .map(|chat| ("ChannelClosed", chat.channel))
            .collect();
        world.expect_notices(&closed);
        assert_eq!(world.sweep().await.due, 0);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_20_a_customer_who_comes_back_after_the_look_is_seen_in_the_record() {
    let world = World::new().await;
    let chat = world.chat_left_behind("whatsapp:+15550000001").await;
    world.everything_falls_due().await;
    world.sweep().await;
    world.time_passes(2 * DAY).await;
    world.notices();
    let attributes = world.attributes(chat.channel);
    let gate = world.gate_after("GET", "/Tasks");
    let meanwhile = async {
        gate.reached().await;
        world.customer_writes("whatsapp:+15550000001");
        world.deliver().await;
        gate.open();
    };
    let (summary, ()) = join!(world.sweep(), meanwhile);
    assert_eq!((summary.open_again, summary.closed), (1, 0));
    let reopened = world.attributes(chat.channel);
    assert_eq!(
        reopened,
        attributes.replacen("\"INACTIVE\"", "\"ACTIVE\"", 1)
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_20_a_customer_who_comes_back_between_our_reading_and_our_writing_is_told_of() {
    for in_time in [true, false] {
        let world = World::new().await;
        let chat = world.chat_left_behind("whatsapp:+15550000001").await;
        world.everything_falls_due().await;
        world.sweep().await;
        world.time_passes(2 * DAY).await;
        world.expect_notices(&[("ChannelReleased", chat.channel)]);
        let gate = world.gate_after("GET", "/Channels/");
        let meanwhile = async {
            gate.reached().await;
            let again = world.customer_writes("whatsapp:+15550000001");
            if in_time {
                world.deliver().await;
            }
            gate.open();
            again
        };
        let (summary, again) = join!(world.sweep(), meanwhile);
        assert_eq!((summary.closed, summary.raced), (1, usize::from(in_time)));
        // The message was read with the channel, and no task was there for it yet.
        let mut told = vec![
            ("ChannelClosed", chat.channel),
            ("CustomerUnheard", chat.channel),
        ];
        if in_time {
            told.push(("CloseRaced", chat.channel));
        }
        world.expect_notices(&told);

        // Nothing is stuck: the channel is cleaned after its new task as ever.
        world.deliver().await;
        world.agent_accepts(again);
        world.tab_is_closed(again);
        world.deliver().await;
        world.everything_falls_due().await;
        world.sweep().await;
        let record = world.record(chat.channel).await.unwrap();
        assert!(record.closed_at().is_some());
        world.expect_notices(&[("ChannelClosed", chat.channel)]);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn row_21_an_index_that_shows_the_past_closes_nothing() {
    let world = World::with_stale_index(Lag::Writes(0)).await;
    let chat = world.chat_left_behind("whatsapp:+15550000001").await;
    world.everything_falls_due().await;
    world.sweep().await;
    world.notices();
    world.time_passes(2 * DAY).await;
    assert!(world.is_inactive(chat.channel));
    // Brings the index up to date for the last time.
    world.aws.dynamo.set_index_lag(Lag::Writes(0));
    let policy = domain::Policy::default();
    assert_eq!(
        world.table.due(&policy, world.now()).await.unwrap().len(),
        1
    );
    world.aws.dynamo.set_index_lag(Lag::Time(HOUR));

    let again = world.customer_writes("whatsapp:+15550000001");
    world.deliver().await;
    world.twilio.reset_calls();
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.open_again), (1, 1));
    assert_eq!(world.twilio.calls().of_product("chat"), 0);

    // Nor does an index that has not heard of the end yet lose it.
    world.agent_accepts(again);
    world.tab_is_closed(again);
    world.deliver().await;
    world.time_passes(2 * HOUR).await;
    assert_eq!(world.sweep().await.released, 1);
    world.expect_notices(&[("ChannelReleased", chat.channel)]);
    world.finish().await;
}
