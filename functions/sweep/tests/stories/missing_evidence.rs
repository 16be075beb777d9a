//! Evidence that cannot be read: the channel is left, tried again, and given up in the
//! end, but never closed. And what Twilio left open is found again.

use http::{Method, Request};
use simulator::{At, ChannelStatus, Fault, FaultKind};
use world::World;

use crate::{HOUR, MINUTE, expect_closed};

const CUSTOMER: &str = "+15550100001";

/// The requests by which the rule reads a Conversation without an agent.
const OF_CONVERSATION: [(&str, &str); 4] = [
    ("flex-api", "/Interactions/"),
    ("conversations", "/Webhooks"),
    ("conversations", "/Messages"),
    ("conversations", "/Participants"),
];

/// The requests by which the rule reads a Chat channel.
const OF_CHAT: [(&str, &str); 3] = [
    ("chat", "/Channels/"),
    ("chat", "/Messages"),
    ("chat", "/Webhooks"),
];

fn unreadable(product: &str, path: &str, kind: FaultKind, times: Option<u32>) -> Fault {
    Fault {
        at: At::product(product).method("GET").path(path),
        kind,
        times,
    }
}

/// A channel that would be closed now, if everything about it could be read.
async fn due_channel(world: &World, product: &str) -> simulator::Sid {
    let chat = match product {
        "chat" => world.chat_left_behind(CUSTOMER).await,
        _ => {
            let chat = world.conversation_with_agent(CUSTOMER);
            world.twilio.state().agent_removed(chat.task).unwrap();
            world.deliver().await;
            chat
        }
    };
    world.time_passes(HOUR).await;
    chat.channel
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_cannot_be_read_is_given_up_after_eight_tries_and_never_closed() {
    for (product, path) in OF_CONVERSATION.into_iter().chain(OF_CHAT) {
        for kind in [FaultKind::Garbage, FaultKind::Status(400)] {
            let case = format!("{product} {path} {kind:?}");
            let world = World::new().await;
            let channel = due_channel(&world, product).await;
            world.twilio.fail(unreadable(product, path, kind, None));
            world.twilio.reset_calls();
            for number in 1..=8 {
                let summary = world.sweep().await;
                let expected = if number < 8 { (1, 0) } else { (0, 1) };
                let found = (summary.retried, summary.failed);
                assert_eq!(found, expected, "{case}, try {number}: {summary:?}");
                world.time_passes(HOUR).await;
            }
            assert_eq!(world.sweep().await.due, 0, "{case}");
            assert_eq!(world.twilio.calls().writes(), 0, "{case}");
            world.expect_notices(&[("ChannelFailed", channel)]);
            world.lose_events();
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_is_closed_as_soon_as_it_can_be_read_again() {
    for (product, path) in OF_CONVERSATION.into_iter().chain(OF_CHAT) {
        let world = World::new().await;
        let channel = due_channel(&world, product).await;
        // One try, which the client repeats twice.
        let fault = unreadable(product, path, FaultKind::Garbage, Some(3));
        world.twilio.fail(fault);
        assert_eq!(world.sweep().await.retried, 1, "{product} {path}");
        assert_eq!(world.sweep().await.due, 0, "{product} {path}");
        world.time_passes(2 * MINUTE).await;
        expect_closed(&world, 5).await;
        world.expect_notices(&[("ChannelClosed", channel)]);
        world.lose_events();
        world.finish().await;
    }
}

/// Answers that an interaction channel is closed, and does nothing about it.
fn only_answer<T: Default>(request: &mut Request<T>) {
    let is_interaction = request.uri().path().contains("/Interactions/");
    if is_interaction && request.method() == Method::POST {
        *request.method_mut() = Method::GET;
        *request.body_mut() = T::default();
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_outlives_its_interaction_is_found_and_closed_again() {
    let world = World::new().await;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.twilio.state().agent_removed(chat.task).unwrap();
    world.deliver().await;
    world.time_passes(HOUR).await;

    // Twilio ends the interaction without its Conversation.
    world.tamper(only_answer);
    let gate = world.gate_after("GET", "/Interactions/");
    let (summary, ()) = tokio::join!(world.sweep(), async {
        gate.reached().await;
        let mut state = world.twilio.state();
        let interaction = state.interaction_channel_of(chat.task).unwrap().sid;
        let ended = state.set_interaction_status(interaction, ChannelStatus::Closed);
        ended.unwrap();
        drop(state);
        gate.open();
    });
    assert_eq!(summary.closed, 1, "{summary:?}");
    assert!(!world.is_closed(chat.channel));
    world.customer_converses_in_vain(CUSTOMER);
    world.expect_notices(&[("ChannelClosed", chat.channel)]);

    // Reconcile runs once an hour.
    world.time_passes(HOUR).await;
    let report = world.reconcile().await;
    assert_eq!((report.still_open, report.orphans), (1, 0), "{report:?}");
    world.time_passes(HOUR).await;
    expect_closed(&world, 5).await;
    assert!(world.is_closed(chat.channel));
    world.expect_notices(&[
        ("ChannelClosed", chat.channel),
        ("CustomerUnheard", chat.channel),
    ]);
    world.time_passes(HOUR).await;
    let report = world.reconcile().await;
    assert_eq!((report.still_open, report.orphans), (0, 0), "{report:?}");
    world.lose_events();
    world.finish().await;
}
