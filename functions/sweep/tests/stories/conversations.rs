//! Stories of the second platform: Conversations, with and without an interaction.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

use domain::Outcome;
use simulator::state::conversations::conversation::ConversationChange;
use simulator::state::interactions::interaction::Ending;
use simulator::{At, ChannelStatus, Contact, ConversationState, Fault, FaultKind, Sid};
use world::{Chat, WORDS, World};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn state_of(world: &World, conversation: Sid) -> ConversationState {
    world
        .twilio
        .state()
        .conversation(conversation)
        .unwrap()
        .state
}

async fn outcome_of(world: &World, conversation: Sid) -> Option<Outcome> {
    let record = world.record(conversation).await.unwrap();
    record.closed_at().map(|(_, outcome)| outcome)
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_conversation_whose_task_was_canceled_is_closed_in_three_calls() {
    let world = World::new().await;
    let Chat {
        channel: conversation,
        task,
    } = world.customer_converses("+15550100123");
    world
        .twilio
        .state()
        .task_canceled_by_supervisor(task)
        .unwrap();
    world.deliver().await;
    world.time_passes(6 * MINUTE).await;

    world.twilio.reset_calls();
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed), (1, 1), "{summary:?}");
    assert_eq!(state_of(&world, conversation), ConversationState::Closed);
    assert_eq!(
        outcome_of(&world, conversation).await,
        Some(Outcome::Written)
    );
    let calls = world.twilio.calls();
    let asked = calls.total() - calls.of_product("taskrouter");
    assert!(asked <= 3, "{asked} calls for one conversation");

    // The number pair is free again: the customer's next message starts a new conversation.
    let contact = world
        .twilio
        .state()
        .customer_converses("+15550100123", WORDS);
    assert!(matches!(contact, Contact::Started { .. }), "{contact:?}");
    world.expect_notices(&[("ChannelClosed", conversation)]);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_conversation_that_a_program_parked_is_left_alone() {
    let world = World::new().await;
    let chat = world.conversation_with_agent("+15550100123");
    let Chat {
        channel: conversation,
        task,
    } = chat;
    world.twilio.state().program_parks(task).unwrap();
    world.deliver().await;
    world.time_passes(HOUR).await;
    let summary = world.sweep().await;
    assert_eq!(summary.closed, 0, "{summary:?}");
    assert_ne!(state_of(&world, conversation), ConversationState::Closed);

    // The customer comes back in time: an agent sees it, and the clock starts again.
    world.time_passes(40 * HOUR).await;
    let contact = world
        .twilio
        .state()
        .customer_converses("+15550100123", WORDS);
    let Contact::Reopened { task, .. } = contact else {
        panic!("{contact:?}");
    };
    world.deliver().await;
    world.agent_accepts(Chat { task, ..chat });
    world.twilio.state().program_parks(task).unwrap();
    world.deliver().await;
    world.time_passes(20 * HOUR).await;
    world.sweep().await;
    assert_ne!(state_of(&world, conversation), ConversationState::Closed);

    // And now they don't: it is the program's for as long as it likes.
    for _ in 0..60 {
        world.time_passes(24 * HOUR).await;
        let summary = world.sweep().await;
        assert_eq!((summary.closed, summary.left), (0, 1), "{summary:?}");
    }
    assert_ne!(state_of(&world, conversation), ConversationState::Closed);
    assert_eq!(world.notices(), []);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_conversation_that_somebody_closed_or_deleted_meanwhile_is_not_written_to() {
    let world = World::new().await;
    let Chat {
        channel: closed,
        task: first,
    } = world.customer_converses("+15550100123");
    let Chat {
        channel: deleted,
        task: second,
    } = world.customer_converses("+15550100124");
    for task in [first, second] {
        world
            .twilio
            .state()
            .task_canceled_by_supervisor(task)
            .unwrap();
    }
    {
        let mut state = world.twilio.state();
        let channel = state.interaction_channel_of(first).unwrap().sid;
        state
            .close_interaction_channel(channel, Ending::Complete)
            .unwrap();
        state.delete_conversation(deleted).unwrap();
    }
    world.deliver().await;
    world.time_passes(6 * MINUTE).await;
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.already_clean), (2, 1), "{summary:?}");
    assert_eq!(state_of(&world, closed), ConversationState::Closed);
}

/// Other software closes the Conversation of an interaction, which Twilio refuses to end so many
/// times.
async fn half_closed(refusals: Option<u32>) -> (World, Chat) {
    let world = World::new().await;
    let chat = world.conversation_with_agent("+15550100123");
    {
        let mut state = world.twilio.state();
        state.agent_removed(chat.task).unwrap();
        let closed = ConversationChange {
            state: Some(ConversationState::Closed),
            ..ConversationChange::default()
        };
        state.update_conversation(chat.channel, closed).unwrap();
    }
    world.deliver().await;
    world.everything_falls_due().await;
    world.twilio.fail(Fault {
        at: At::product("flex-api").method("POST"),
        kind: FaultKind::Status(400),
        times: refusals,
    });
    (world, chat)
}

fn has_ended(world: &World, chat: Chat) -> bool {
    let state = world.twilio.state();
    let interaction = state.interaction_channel_in(chat.channel).unwrap();
    interaction.status == ChannelStatus::Closed
}

/// A refusal is no proof that another writer ended it.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_interaction_whose_end_twilio_refuses_is_ended_by_a_later_sweep() {
    let (world, chat) = half_closed(Some(1)).await;
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.retried), (1, 1), "{summary:?}");
    assert!(!has_ended(&world, chat));
    world.everything_falls_due().await;
    assert_eq!(world.sweep().await.closed, 1);
    assert!(has_ended(&world, chat));
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    world.finish().await;
}

/// The Conversation takes no message any more, so nothing is left for a person to do.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_interaction_that_twilio_never_ends_calls_no_person_if_its_conversation_is_closed() {
    let (world, chat) = half_closed(None).await;
    let mut summaries = Vec::new();
    for _ in 0..8 {
        summaries.push(world.sweep().await);
        world.time_passes(24 * HOUR).await;
    }
    let retried: usize = summaries.iter().map(|summary| summary.retried).sum();
    let clean: usize = summaries.iter().map(|summary| summary.already_clean).sum();
    assert_eq!((retried, clean), (7, 1), "{summaries:?}");
    assert!(!has_ended(&world, chat));
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    assert_eq!(world.sweep().await.due, 0);
    world.finish().await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn both_platforms_live_in_one_deployment() {
    let world = World::new().await;
    let chat = world.chat_left_behind("+15550100200").await;
    let Chat {
        channel: conversation,
        task,
    } = world.customer_converses("+15550100201");
    world.twilio.state().task_deleted_through_api(task).unwrap();
    let Chat { channel: open, .. } = world.customer_converses("+15550100202");
    world.deliver().await;
    world.time_passes(20 * MINUTE).await;
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed), (2, 2), "{summary:?}");
    assert!(world.is_inactive(chat.channel));
    assert_eq!(state_of(&world, conversation), ConversationState::Closed);
    assert_eq!(
        state_of(&world, open),
        ConversationState::Active,
        "an agent may be on it"
    );
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_open_conversation_task_that_we_never_heard_of_keeps_it_open() {
    let world = World::new().await;
    let chat = world.conversation_with_agent("+15550100123");
    let Chat {
        channel: conversation,
        task,
    } = chat;
    world.twilio.state().program_parks(task).unwrap();
    world.deliver().await;
    world.time_passes(47 * HOUR).await;
    let contact = world
        .twilio
        .state()
        .customer_converses("+15550100123", WORDS);
    assert!(matches!(contact, Contact::Reopened { .. }), "{contact:?}");
    world.lose_events();
    world.time_passes(2 * HOUR).await;
    let summary = world.sweep().await;
    assert_eq!(summary.open_again, 1, "{summary:?}");
    assert_ne!(state_of(&world, conversation), ConversationState::Closed);
}
