//! Customers who wrote after the last task had ended, and whom neither an agent nor a program
//! will answer: told once for each such message, whatever becomes of the channel.

use simulator::state::webhooks::WebhookTarget;
use simulator::{ChannelStatus, Contact, PauseReading, Sid};
use sweep::Summary;
use world::{WORDS, World};

use crate::{DAY, HOUR, MINUTE};

const CUSTOMER: &str = "+15550100001";

/// Where a program listens.
const PROGRAM: &str = "https://bot.example.com/answer";

/// Sweeps and expects that this many customers are found unheard, in the summary, in the
/// metric and on the bus.
async fn expect_unheard(world: &World, channel: Sid, count: usize) -> Summary {
    world.figures();
    let summary = world.sweep().await;
    assert_eq!(summary.unheard, count, "{summary:?}");
    let measured = world.figures().get("Unheard").copied().unwrap_or(0);
    assert_eq!(usize::try_from(measured).unwrap(), count);
    let told = world.notices();
    let unheard = told.iter().filter(|told| told.kind == "CustomerUnheard");
    let channels: Vec<_> = unheard.map(|told| told.channel.clone()).collect();
    assert_eq!(channels, vec![Some(channel.to_string()); count]);
    summary
}

#[tokio::test(start_paused = true)]
async fn each_message_is_told_once_over_many_sweeps() {
    let world = World::new().await;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.tab_is_closed(chat);
    world.deliver().await;
    for _ in 0..5 {
        world.time_passes(MINUTE).await;
        world.customer_converses_in_vain(CUSTOMER);
        world.time_passes(23 * HOUR).await;
        let summary = expect_unheard(&world, chat.channel, 1).await;
        assert_eq!((summary.left, summary.closed), (1, 0), "{summary:?}");
        expect_unheard(&world, chat.channel, 0).await;
    }
    let record = world.record(chat.channel).await.unwrap();
    assert!(record.unheard_since().is_some());

    // Once it is quiet it is closed. The message that was told is not told again.
    world.time_passes(DAY).await;
    let summary = expect_unheard(&world, chat.channel, 0).await;
    assert_eq!(summary.closed, 1, "{summary:?}");
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_customer_is_found_whatever_the_verdict_on_a_chat() {
    // Released, closed after an agent, closed after a cancellation, found clean.
    for (customer, canceled, clean) in [
        ("whatsapp:+15550100001", false, false),
        (CUSTOMER, false, false),
        (CUSTOMER, true, false),
        (CUSTOMER, false, true),
    ] {
        let world = World::new().await;
        let chat = world.customer_writes(customer);
        if canceled {
            let canceled = world.twilio.state().task_canceled_by_supervisor(chat.task);
            canceled.unwrap();
        } else {
            world.agent_accepts(chat);
            world.tab_is_closed(chat);
        }
        world.deliver().await;
        world.time_passes(MINUTE).await;
        world.customer_writes_in_vain(customer);
        if clean {
            world.somebody_writes(chat.channel, r#"{"status":"INACTIVE"}"#);
        }
        world.time_passes(HOUR).await;
        world.twilio.reset_calls();
        let summary = expect_unheard(&world, chat.channel, 1).await;
        let done = (summary.released, summary.closed, summary.already_clean);
        let long_lived = customer.starts_with("whatsapp");
        let expected = (
            usize::from(long_lived),
            usize::from(!long_lived && !clean),
            usize::from(clean),
        );
        assert_eq!(done, expected, "{summary:?}");
        world.expect_requests(4);
        world.lose_events();
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_customer_is_found_whatever_the_verdict_on_a_conversation() {
    // Without an agent, ended with an open Conversation, in a state without documentation.
    for (status, closed) in [
        (ChannelStatus::Active, 1),
        (ChannelStatus::Closed, 1),
        (ChannelStatus::Undocumented("dormant"), 0),
    ] {
        let world = World::new().await;
        let chat = world.conversation_with_agent(CUSTOMER);
        {
            let mut state = world.twilio.state();
            state.agent_removed(chat.task).unwrap();
            let interaction = state.interaction_channel_of(chat.task).unwrap().sid;
            state.set_interaction_status(interaction, status).unwrap();
        }
        world.deliver().await;
        world.time_passes(MINUTE).await;
        world.customer_converses_in_vain(CUSTOMER);
        world.time_passes(HOUR).await;
        world.twilio.reset_calls();
        let summary = expect_unheard(&world, chat.channel, 1).await;
        assert_eq!(summary.closed, closed, "{status:?}: {summary:?}");
        world.expect_requests(5);
        world.time_passes(DAY).await;
        expect_unheard(&world, chat.channel, 0).await;
        world.lose_events();
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_a_later_task_brought_to_an_agent_is_not_told() {
    let world = World::new().await;
    let chat = world.chat_left_behind(CUSTOMER).await;
    world.customer_writes_in_vain(CUSTOMER);
    world.time_passes(MINUTE).await;
    let task = world.another_task_on(chat.channel);
    world.deliver().await;
    world.everything_falls_due().await;
    expect_unheard(&world, chat.channel, 0).await;
    let second = world::Chat { task, ..chat };
    world.agent_accepts(second);
    world.time_passes(MINUTE).await;
    world.tab_is_closed(second);
    world.deliver().await;
    world.everything_falls_due().await;
    let summary = expect_unheard(&world, chat.channel, 0).await;
    assert_eq!(summary.closed, 1, "{summary:?}");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_was_told_of_is_forgotten_when_a_task_has_opened() {
    let world = World::new().await;
    let customer = "whatsapp:+15550100001";
    let chat = world.chat_left_behind(customer).await;
    world.time_passes(MINUTE).await;
    world.customer_writes_in_vain(customer);
    world.everything_falls_due().await;
    expect_unheard(&world, chat.channel, 1).await;
    let record = world.record(chat.channel).await.unwrap();
    assert!(record.unheard_since().is_some());

    // The channel was released, so the next message makes a task.
    let again = world.customer_writes(customer);
    assert_eq!(again.channel, chat.channel);
    world.deliver().await;
    let record = world.record(chat.channel).await.unwrap();
    assert_eq!(record.unheard_since(), None);
    world.agent_accepts(again);
    world.time_passes(MINUTE).await;
    world.tab_is_closed(again);
    world.deliver().await;
    world.everything_falls_due().await;
    expect_unheard(&world, chat.channel, 0).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn where_a_program_or_twilio_answers_there_is_nothing_to_tell() {
    // A chat with a bot.
    let world = World::new().await;
    let chat = world.chat_left_behind(CUSTOMER).await;
    let joined = world.twilio.state().program_joins(chat.channel, PROGRAM);
    joined.unwrap();
    let contact = world.twilio.state().customer_writes(CUSTOMER, WORDS);
    assert!(matches!(contact, Contact::Kept { .. }), "{contact:?}");
    for _ in 0..3 {
        world.time_passes(DAY).await;
        expect_unheard(&world, chat.channel, 0).await;
    }
    world.finish().await;

    // A paused Conversation, which Twilio routes again.
    let world = World::new().await;
    world.twilio.state().knobs.pause = PauseReading::EndsTask;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.twilio.state().agent_pauses(chat.task).unwrap();
    world.deliver().await;
    world.time_passes(MINUTE).await;
    let contact = world.twilio.state().customer_converses(CUSTOMER, WORDS);
    assert!(matches!(contact, Contact::Kept { .. }), "{contact:?}");
    for _ in 0..3 {
        world.time_passes(DAY).await;
        expect_unheard(&world, chat.channel, 0).await;
    }
    assert_eq!(world.twilio.state().lost_messages().count(), 0);
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_studio_webhook_that_stayed_after_the_task_hides_no_customer() {
    let world = World::new().await;
    let chat = world.chat_left_behind(CUSTOMER).await;
    let target = WebhookTarget::default();
    let added = world
        .twilio
        .state()
        .add_channel_webhook(chat.channel, "studio", target);
    added.unwrap();
    world.time_passes(MINUTE).await;
    world.customer_writes_in_vain(CUSTOMER);
    world.everything_falls_due().await;
    let summary = expect_unheard(&world, chat.channel, 1).await;
    assert_eq!(summary.closed, 1, "{summary:?}");
    world.finish().await;
}
