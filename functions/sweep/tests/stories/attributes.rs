//! Channels whose attributes are odd, and channels that are not there any more.

use domain::Outcome;
use simulator::Webhooks;
use sweep::Stop;
use world::World;

use crate::{DAY, MINUTE};

#[tokio::test(start_paused = true)]
async fn row_33_attributes_that_are_no_object_are_never_written_over_and_delay_nobody() {
    let world = World::new().await;
    let broken = ["[\"oops\"]", "\"INACTIVE\"", "7", "null", "[]"];
    let chats = world.chats_left_behind(broken.len() + 3).await;
    for (chat, attributes) in chats.iter().zip(broken) {
        world.somebody_writes(chat.channel, attributes);
    }
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!((summary.failed, summary.closed), (broken.len(), 3));
    let mut expected = Vec::new();
    for (index, chat) in chats.iter().enumerate() {
        let kind = match broken.get(index) {
            Some(attributes) => {
                assert_eq!(world.attributes(chat.channel), *attributes);
                "ChannelFailed"
            }
            None => "ChannelClosed",
        };
        expected.push((kind, chat.channel));
    }
    world.expect_notices(&expected);
    world.time_passes(DAY).await;
    assert_eq!(
        world.sweep().await.due,
        0,
        "a person has to look; we do not"
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_34_every_other_byte_of_the_attributes_survives() {
    let world = World::new().await;
    let odd = [
        r#"{"a":9007199254740993,"b":1.0,"c":1e400,"d":-0,"status":"ACTIVE","e":1E+2}"#,
        r#"{ "status" : "ACTIVE" , "x":"\ud83d\ude00 \u0000 \/" }"#,
        r#"{"status":"INACTIVE","z":{"status":"ACTIVE"},"status":"ACTIVE"}"#,
        r#"{"é":"\ud800","status":"ACTIVE"}"#,
    ];
    let chats = world.chats_left_behind(odd.len()).await;
    for (chat, attributes) in chats.iter().zip(odd) {
        world.somebody_writes(chat.channel, attributes);
    }
    world.everything_falls_due().await;
    assert_eq!(world.sweep().await.closed, odd.len());
    let mut expected = Vec::new();
    for (chat, attributes) in chats.iter().zip(odd) {
        // The nested one is not ours.
        let nested = "{\"status\":\"ACTIVE\"}";
        let written = attributes
            .replace(nested, "(nested)")
            .replace("\"ACTIVE\"", "\"INACTIVE\"")
            .replace("(nested)", nested);
        assert_eq!(world.attributes(chat.channel), written);
        expected.push(("ChannelClosed", chat.channel));
    }
    world.expect_notices(&expected);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_35_a_channel_that_is_not_there_any_more_is_done_with() {
    let world = World::new().await;
    let chat = world.chat_left_behind("+15550000001").await;
    let deleted = world
        .twilio
        .state()
        .delete_channel(chat.channel, Webhooks::Enabled);
    deleted.unwrap();
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!((summary.gone, summary.closed), (1, 0));
    let record = world.record(chat.channel).await.unwrap();
    assert_eq!(record.closed_at().unwrap().1, Outcome::Gone);
    assert!(world.items().await[chat.channel.as_str()].contains(store::TTL_ATTRIBUTE));
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    assert_eq!(world.sweep().await.due, 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_35_a_service_that_is_not_there_says_nothing_of_its_channels() {
    let world = World::new().await;
    let chats = world.chats_left_behind(30).await;
    world.everything_falls_due().await;
    let items = world.items().await;
    let service = world.project.chat_service;
    world.twilio.state().delete_chat_service(service).unwrap();
    let error = world.attempt_sweep(10 * MINUTE).await.unwrap_err();
    let sweep::SweepError::Stopped(summary) = error else {
        panic!("{error}")
    };
    assert_eq!(summary.stopped, Some(Stop::ServiceIsGone));
    assert_eq!((summary.gone, summary.not_started), (0, chats.len()));
    assert_eq!(world.items().await, items, "nothing is marked");
    world.finish().await;
}
