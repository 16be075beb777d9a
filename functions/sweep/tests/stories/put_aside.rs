//! Channels that an agent left, paused or is still in, or that a program has: nothing is
//! written to them before their time.

use simulator::state::conversations::conversation::NewParticipant;
use simulator::{ChannelStatus, Contact, PauseReading};
use world::{Chat, WORDS, World};

use crate::{DAY, HOUR, MINUTE, expect_closed, expect_left};

const CUSTOMER: &str = "+15550100001";

/// Where a survey listens.
const SURVEY: &str = "https://survey.example.com/answer";

#[tokio::test(start_paused = true)]
async fn a_conversation_that_its_agent_left_is_never_written_to() {
    let world = World::new().await;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.twilio.state().agent_leaves(chat.task).unwrap();
    world.deliver().await;
    for _ in 0..20 {
        world.time_passes(4 * DAY).await;
        expect_left(&world, "left-by-agent", 1).await;
    }
    assert!(!world.is_closed(chat.channel));

    // The customer's reply brings it back to an agent, with its history.
    let again = world.customer_converses(CUSTOMER);
    assert_eq!(again.channel, chat.channel);
    world.agent_accepts(again);
    world.twilio.state().agent_leaves(again.task).unwrap();
    world.deliver().await;
    for _ in 0..22 {
        world.time_passes(4 * DAY).await;
        expect_left(&world, "left-by-agent", 1).await;
    }
    // Twilio closes it after 90 days, and that is noticed without a write.
    world.time_passes(3 * DAY).await;
    world.twilio.reset_calls();
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.already_clean), (1, 1), "{summary:?}");
    assert_eq!(world.twilio.calls().writes(), 0);
    world.expect_requests(3);
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    world.lose_events();
    world.finish().await;
}

/// Sweeps and expects that the Conversation is closed, with so many requests at most, and that
/// this ends the story.
async fn ends_closed(world: World, chat: Chat, most_requests: u64) {
    expect_closed(&world, most_requests).await;
    assert!(world.is_closed(chat.channel));
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_was_put_aside_is_closed_after_the_cutoff_that_is_set() {
    for (row, requests) in [("left-by-agent", 2), ("parked-by-program", 3)] {
        let world = World::new().await;
        world.plan(|plan| plan.policy.put_aside_cutoff = Some(7 * DAY));
        let chat = world.conversation_with_agent(CUSTOMER);
        match row {
            "left-by-agent" => world.twilio.state().agent_leaves(chat.task).unwrap(),
            _ => world.twilio.state().program_parks(chat.task).unwrap(),
        }
        world.deliver().await;
        for _ in 0..6 {
            world.time_passes(DAY).await;
            expect_left(&world, row, requests).await;
        }
        world.time_passes(DAY).await;
        ends_closed(world, chat, requests + 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_conversation_is_never_closed_under_either_reading_of_pause() {
    for pause in [PauseReading::KeepsTask, PauseReading::EndsTask] {
        let world = World::new().await;
        world.plan(|plan| plan.policy.put_aside_cutoff = Some(DAY));
        world.twilio.state().knobs.pause = pause;
        let chat = world.conversation_with_agent(CUSTOMER);
        world.twilio.state().agent_pauses(chat.task).unwrap();
        world.deliver().await;
        for _ in 0..13 {
            world.time_passes(DAY).await;
            match pause {
                PauseReading::KeepsTask => assert_eq!(world.sweep().await.due, 0),
                PauseReading::EndsTask => expect_left(&world, "paused-by-agent", 1).await,
            }
        }
        assert!(!world.is_closed(chat.channel));

        // Twilio routes it again. Its next agent ends it in the browser.
        world.time_passes(DAY).await;
        world.deliver().await;
        let task = {
            let state = world.twilio.state();
            let open: Vec<_> = state.open_tasks_on(chat.channel).collect();
            assert_eq!(open.len(), 1, "{pause:?}");
            open[0].sid
        };
        assert_ne!(task, chat.task);
        let again = Chat { task, ..chat };
        world.agent_accepts(again);
        world.agent_completes(again);
        world.deliver().await;
        world.time_passes(HOUR).await;
        world.twilio.reset_calls();
        assert_eq!(world.sweep().await.already_clean, 1, "{pause:?}");
        assert_eq!(world.twilio.calls().writes(), 0);
        world.expect_requests(3);
        world.expect_notices(&[("ChannelClosed", chat.channel)]);
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_parked_conversation_whose_webhook_is_gone_has_no_agent_and_is_closed() {
    let world = World::new().await;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.twilio.state().program_parks(chat.task).unwrap();
    world.deliver().await;
    for _ in 0..3 {
        world.time_passes(DAY).await;
        expect_left(&world, "parked-by-program", 2).await;
    }
    {
        let mut state = world.twilio.state();
        let webhook = state.webhooks_of(chat.channel).unwrap()[0].sid;
        state.program_leaves(chat.channel, webhook).unwrap();
    }
    world.time_passes(DAY).await;
    ends_closed(world, chat, 5).await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_without_an_agent_is_closed_after_the_ended_cutoff() {
    let world = World::new().await;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.twilio.state().agent_removed(chat.task).unwrap();
    world.deliver().await;
    world.time_passes(14 * MINUTE).await;
    assert_eq!(world.sweep().await.due, 0);
    world.time_passes(2 * MINUTE).await;
    expect_closed(&world, 5).await;
    assert!(world.is_closed(chat.channel));
    let contact = world.twilio.state().customer_converses(CUSTOMER, WORDS);
    assert!(matches!(contact, Contact::Started { .. }), "{contact:?}");
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_in_which_an_agent_still_is_is_closed_once_it_is_quiet() {
    let world = World::new().await;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.tab_is_closed(chat);
    world.deliver().await;
    world.time_passes(HOUR).await;
    expect_left(&world, "agent-present", 4).await;
    world.time_passes(19 * HOUR).await;
    world.customer_converses_in_vain(CUSTOMER);

    // The message starts the day of quiet anew, and is told of.
    world.time_passes(5 * HOUR).await;
    expect_left(&world, "agent-present", 4).await;
    world.expect_notices(&[("CustomerUnheard", chat.channel)]);
    world.time_passes(18 * HOUR).await;
    assert_eq!(world.sweep().await.due, 0);
    world.time_passes(2 * HOUR).await;
    ends_closed(world, chat, 4).await;
}

/// A program that takes part in a Conversation has an identity, as an agent has.
#[tokio::test(start_paused = true)]
async fn a_program_that_takes_part_counts_as_an_agent_and_closes_nothing_sooner() {
    let world = World::new().await;
    let chat = world.conversation_with_agent(CUSTOMER);
    {
        let mut state = world.twilio.state();
        let program = NewParticipant {
            identity: Some("faq-program".to_owned()),
            ..NewParticipant::default()
        };
        state.add_participant(chat.channel, program).unwrap();
        state.agent_removed(chat.task).unwrap();
    }
    world.deliver().await;
    world.time_passes(HOUR).await;
    expect_left(&world, "agent-present", 4).await;
    world.time_passes(22 * HOUR).await;
    assert_eq!(world.sweep().await.due, 0);
    world.time_passes(2 * HOUR).await;
    ends_closed(world, chat, 4).await;
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_a_survey_has_is_closed_once_it_is_quiet() {
    let world = World::new().await;
    let chat = world.chat_left_behind(CUSTOMER).await;
    {
        let mut state = world.twilio.state();
        state.program_joins(chat.channel, SURVEY).unwrap();
        let asked = state.program_writes(chat.channel, "Bot", "How was it?");
        asked.unwrap();
    }
    world.time_passes(HOUR).await;
    expect_left(&world, "chat-with-program", 3).await;
    world.time_passes(9 * HOUR).await;
    let contact = world.twilio.state().customer_writes(CUSTOMER, WORDS);
    assert!(matches!(contact, Contact::Kept { .. }), "{contact:?}");

    // The survey heard that: the day of quiet starts anew, and there is nothing to tell.
    world.time_passes(15 * HOUR).await;
    expect_left(&world, "chat-with-program", 3).await;
    assert_eq!(world.notices(), []);
    world.time_passes(10 * HOUR).await;
    expect_closed(&world, 4).await;
    assert!(world.is_inactive(chat.channel));
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_chat_to_which_a_program_wrote_after_its_task_is_closed_once_it_is_quiet() {
    let world = World::new().await;
    let chat = world.chat_left_behind(CUSTOMER).await;
    world.time_passes(MINUTE).await;
    let asked = world
        .twilio
        .state()
        .program_writes(chat.channel, "Bot", "How was it?");
    asked.unwrap();
    world.time_passes(HOUR).await;
    expect_left(&world, "chat-with-program", 2).await;
    world.time_passes(22 * HOUR).await;
    assert_eq!(world.sweep().await.due, 0);
    world.time_passes(2 * HOUR).await;
    expect_closed(&world, 3).await;
    assert!(world.is_inactive(chat.channel));
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_state_in_transition_or_without_documentation_is_left_and_looked_at_again() {
    for (status, row) in [
        (ChannelStatus::Setup, "in-transition"),
        (ChannelStatus::Transfer, "in-transition"),
        (ChannelStatus::Undocumented("dormant"), "undocumented"),
    ] {
        let world = World::new().await;
        let chat = world.conversation_with_agent(CUSTOMER);
        let interaction = {
            let mut state = world.twilio.state();
            state.agent_removed(chat.task).unwrap();
            let interaction = state.interaction_channel_of(chat.task).unwrap().sid;
            state.set_interaction_status(interaction, status).unwrap();
            interaction
        };
        world.deliver().await;
        world.time_passes(HOUR).await;
        for _ in 0..5 {
            expect_left(&world, row, 2).await;
            world.time_passes(15 * MINUTE).await;
        }
        let active = ChannelStatus::Active;
        let set = world
            .twilio
            .state()
            .set_interaction_status(interaction, active);
        set.unwrap();
        ends_closed(world, chat, 5).await;
    }
}
