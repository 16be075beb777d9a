//! A sweep that dies at any step, and a write whose answer is lost.

use embedded::Fault;
use http::StatusCode;
use serde_json::Value;
use twilio::attributes::Attributes;
use world::{Crash, World};

use crate::{HOUR, MINUTE};

#[tokio::test(start_paused = true)]
async fn row_08_a_write_of_the_webhook_whose_answer_is_lost_is_recognised() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550000001");
    let body = Value::from(world.take_events()).to_string();
    world.aws.plan_faults(|call| {
        (call.operation == "PutItem" && call.nth == 0).then_some(Fault::LoseResponse)
    });
    assert_eq!(world.post(body).await, StatusCode::NO_CONTENT);
    // The SDK sent it again and lost to its own first try; nothing was read again for that.
    assert_eq!(world.aws.tally("PutItem").requests, 2);
    assert_eq!(world.aws.tally("GetItem").requests, 1);
    world.aws.end_faults();
    assert_eq!(
        world
            .record(chat.channel)
            .await
            .unwrap()
            .open_tasks()
            .count(),
        1
    );
    world.finish().await;
}

/// Every request of a sweep, to Twilio and to AWS, is where it dies once before the request
/// got there and once after; the next sweep finds everything as it was left.
#[tokio::test(start_paused = true)]
async fn row_09_and_10_wherever_a_sweep_dies_the_next_one_makes_up_for_it() {
    for address in ["+15550000001", "whatsapp:+15550000001"] {
        for kind in [Crash::Before, Crash::After] {
            let mut steps = 0;
            while dies_and_is_made_up_for(address, kind(steps)).await {
                steps += 1;
            }
            // The index, the look, the record, the channel, bus and mark.
            assert!(steps > 10, "{address}: only {steps} steps");
        }
    }
}

async fn dies_and_is_made_up_for(address: &str, crash: Crash) -> bool {
    let world = World::new().await;
    let chat = world.chat_left_behind(address).await;
    world.time_passes(49 * HOUR).await;
    let attributes = Attributes::parse(&world.attributes(chat.channel)).unwrap();
    let wanted = if attributes.is_long_lived() {
        attributes.with_reset()
    } else {
        attributes.with_status_inactive()
    };
    let died = world.sweep_and_die(crash).await;
    world.time_passes(5 * MINUTE).await;
    world.sweep().await;

    let record = world.record(chat.channel).await.unwrap();
    assert!(
        record.closed_at().is_some(),
        "{crash:?}: closed by the very next sweep"
    );
    assert_eq!(world.attributes(chat.channel), wanted, "{crash:?}");
    assert_eq!(world.channel_writes(), 1, "{crash:?}: written once");
    // Told at least once, and under one id.
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    assert_eq!(world.sweep().await.due, 0);
    world.finish().await;
    died
}
