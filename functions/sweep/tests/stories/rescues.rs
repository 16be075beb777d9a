//! Unheard customers who are given an agent: at most one for each message, whatever goes wrong.

use std::collections::BTreeSet;

use domain::RescueState;
use futures::join;
use simulator::state::taskrouter::task::Task;
use simulator::{ChannelStatus, PauseReading, Sid};
use sweep::{Mode, Summary, Unheard};
use world::{Chat, World};

use crate::{DAY, HOUR, MINUTE};

pub(crate) const CUSTOMER: &str = "+15550100001";

/// A customer who wrote a minute after the last task had been completed, on a channel that is
/// due now.
async fn unheard_chat(customer: &str) -> (World, Chat) {
    let world = rescuing().await;
    let chat = world.chat_left_behind(customer).await;
    world.time_passes(MINUTE).await;
    world.customer_writes_in_vain(customer);
    world.everything_falls_due().await;
    (world, chat)
}

/// The same on a Conversation without an agent.
async fn unheard_conversation() -> (World, Chat) {
    let world = rescuing().await;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.twilio.state().agent_removed(chat.task).unwrap();
    world.deliver().await;
    world.time_passes(MINUTE).await;
    world.customer_converses_in_vain(CUSTOMER);
    world.everything_falls_due().await;
    (world, chat)
}

pub(crate) async fn unheard(platform: &str) -> (World, Chat) {
    match platform {
        "chat" => unheard_chat(CUSTOMER).await,
        _ => unheard_conversation().await,
    }
}

pub(crate) async fn rescuing() -> World {
    let world = World::new().await;
    world.plan(|plan| plan.unheard = Unheard::Rescue);
    world
}

/// The open tasks on a channel.
pub(crate) fn open_tasks(world: &World, channel: Sid) -> Vec<Task> {
    let state = world.twilio.state();
    state.open_tasks_on(channel).cloned().collect()
}

/// All tasks that were ever made for a channel, by TaskRouter's log.
pub(crate) fn tasks_made(world: &World, channel: Sid) -> usize {
    let state = world.twilio.state();
    let created = state.logged_events().filter(|event| {
        event.kind.event_type() == "task.created" && event.task.channel == Some(channel)
    });
    created
        .map(|event| event.task.sid)
        .collect::<BTreeSet<_>>()
        .len()
}

/// Expects one rescue in this summary, one open task, and its notice.
pub(crate) fn expect_rescued(world: &World, summary: &Summary, chat: Chat) -> Chat {
    assert_eq!((summary.rescued, summary.unheard), (1, 0), "{summary:?}");
    assert_eq!((summary.closed, summary.released), (0, 0), "{summary:?}");
    world.expect_notices(&[("CustomerRescued", chat.channel)]);
    let tasks = open_tasks(world, chat.channel);
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    Chat {
        task: tasks[0].sid,
        ..chat
    }
}

/// Expects that the customer was told of in this summary, with the reason, and the channel closed.
pub(crate) fn expect_told(world: &World, summary: &Summary, chat: Chat, why: &str) {
    assert_eq!((summary.rescued, summary.unheard), (0, 1), "{summary:?}");
    assert_eq!(summary.not_rescued[why], 1, "{summary:?}");
    assert_eq!(summary.closed, 1, "{summary:?}");
    assert!(open_tasks(world, chat.channel).is_empty());
    world.expect_notices(&[
        ("ChannelClosed", chat.channel),
        ("CustomerUnheard", chat.channel),
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_customer_of_either_platform_is_given_the_queue_of_the_last_task() {
    for platform in ["chat", "conversation"] {
        let (world, chat) = unheard(platform).await;
        let before = {
            let state = world.twilio.state();
            let mut events = state.logged_events();
            events
                .find(|event| event.task.sid == chat.task)
                .unwrap()
                .task
                .clone()
        };
        let summary = world.sweep().await;
        let rescued = expect_rescued(&world, &summary, chat);
        let after = open_tasks(&world, chat.channel).remove(0);
        assert_eq!(
            (after.workflow, after.queue, after.task_channel),
            (before.workflow, before.queue, before.task_channel)
        );
        let attributes: serde_json::Value = serde_json::from_str(&after.attributes).unwrap();
        let old: serde_json::Value = serde_json::from_str(&before.attributes).unwrap();
        for (key, value) in old.as_object().unwrap() {
            if key != "flexChannelInviteSid" {
                assert_eq!(&attributes[key], value, "{platform}: {key}");
            }
        }
        assert_eq!(attributes["rescued_by"], "channel-janitor");
        assert!(attributes["unheard_since"].is_string());

        // The channel is live: the ordinary rules apply, and the same message is done with.
        let record = world.record(chat.channel).await.unwrap();
        assert_eq!(record.unheard_since(), None);
        world.deliver().await;
        world.agent_accepts(rescued);
        world.deliver().await;
        world.time_passes(HOUR).await;
        assert_eq!(world.sweep().await.due, 0);
        world.tab_is_closed(rescued);
        world.deliver().await;
        world.time_passes(2 * DAY).await;
        let summary = world.sweep().await;
        assert_eq!(
            (summary.rescued, summary.unheard, summary.closed),
            (0, 0, 1)
        );
        assert_eq!(tasks_made(&world, chat.channel), 2);
        world.expect_notices(&[("ChannelClosed", chat.channel)]);
        world.lose_events();
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_rescue_takes_five_requests_at_most_and_the_look_comes_just_before_the_task() {
    for platform in ["chat", "conversation"] {
        // What the same look costs where customers are only told of, without the write.
        let (world, _) = unheard(platform).await;
        world.plan(|plan| plan.unheard = Unheard::Tell);
        world.twilio.reset_calls();
        world.sweep().await;
        let told = world.twilio.calls();
        let without = told.total() - told.writes();

        let (world, _) = unheard(platform).await;
        world.twilio.reset_calls();
        assert_eq!(world.sweep().await.rescued, 1);
        let calls = world.twilio.calls();
        assert!(
            calls.total() <= without + 5,
            "{:#?}",
            calls.log().collect::<Vec<_>>()
        );
        assert_eq!(calls.refused(), []);
        let log: Vec<&str> = calls.log().collect();
        let made = log
            .iter()
            .position(|call| call.starts_with("POST"))
            .unwrap();
        assert!(log[made - 1].contains("/Tasks?"), "{log:#?}");
        assert!(log[made - 1].contains("EvaluateTaskAttributes"), "{log:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_rescued_where_twilio_or_a_person_looks_after_the_channel() {
    for status in [
        ChannelStatus::Inactive,
        ChannelStatus::Pause,
        ChannelStatus::Closed,
        ChannelStatus::Failed,
        ChannelStatus::Undocumented("dormant"),
    ] {
        let (world, chat) = unheard_conversation().await;
        {
            let mut state = world.twilio.state();
            let interaction = state.interaction_channel_of(chat.task).unwrap().sid;
            state.set_interaction_status(interaction, status).unwrap();
        }
        let summary = world.sweep().await;
        assert_eq!(summary.rescued, 0, "{status:?}: {summary:?}");
        assert!(open_tasks(&world, chat.channel).is_empty());
        let aside = matches!(status, ChannelStatus::Inactive | ChannelStatus::Pause);
        let told = world
            .notices()
            .iter()
            .any(|told| told.kind == "CustomerUnheard");
        assert_eq!(told, !aside, "{status:?}");
        if !aside {
            assert_eq!(summary.not_rescued["not-open"], 1, "{status:?}");
        }
        world.lose_events();
        world.finish().await;
    }

    // Paused in the way that ends the task.
    let world = rescuing().await;
    world.twilio.state().knobs.pause = PauseReading::EndsTask;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.twilio.state().agent_pauses(chat.task).unwrap();
    world.deliver().await;
    world.time_passes(MINUTE).await;
    world
        .twilio
        .state()
        .customer_converses(CUSTOMER, world::WORDS);
    world.everything_falls_due().await;
    assert_eq!(world.sweep().await.rescued, 0);
    assert!(open_tasks(&world, chat.channel).is_empty());
    world.lose_events();
    world.finish().await;

    // An agent is still in the Conversation.
    let world = rescuing().await;
    let chat = world.conversation_with_agent(CUSTOMER);
    world.tab_is_closed(chat);
    world.deliver().await;
    world.time_passes(MINUTE).await;
    world.customer_converses_in_vain(CUSTOMER);
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!((summary.rescued, summary.unheard), (0, 1), "{summary:?}");
    assert_eq!(summary.not_rescued["agent-present"], 1);
    world.expect_notices(&[("CustomerUnheard", chat.channel)]);
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_is_inactive_already_and_a_message_that_is_old_are_only_told_of() {
    let (world, chat) = unheard_chat(CUSTOMER).await;
    world.somebody_writes(chat.channel, r#"{"status":"INACTIVE"}"#);
    let summary = world.sweep().await;
    assert_eq!((summary.rescued, summary.unheard), (0, 1), "{summary:?}");
    assert_eq!(summary.not_rescued["not-open"], 1);
    world.notices();
    world.finish().await;

    for (age, rescued) in [(23 * HOUR, 1), (DAY, 0)] {
        let (world, chat) = unheard_chat(CUSTOMER).await;
        world.time_passes(age).await;
        let summary = world.sweep().await;
        assert_eq!(summary.rescued, rescued, "{summary:?}");
        assert_eq!(summary.unheard, 1 - rescued);
        assert_eq!(summary.closed, 1 - rescued);
        if rescued == 0 {
            assert_eq!(summary.not_rescued["too-old"], 1);
        }
        assert_eq!(open_tasks(&world, chat.channel).len(), rescued);
        world.notices();
        world.lose_events();
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_twilio_refuses_is_told_never_repeated_and_the_channel_is_closed() {
    for platform in ["chat", "conversation"] {
        for workflow in [true, false] {
            let (world, chat) = unheard(platform).await;
            {
                let mut state = world.twilio.state();
                let project = state.project().unwrap();
                match workflow {
                    true => state.lose(project.workflow).unwrap(),
                    false => state.lose(project.chat_task_channel).unwrap(),
                }
            }
            world.twilio.reset_calls();
            let summary = world.sweep().await;
            expect_told(&world, &summary, chat, "refused");
            let asked = world.twilio.calls();
            let posts = asked.count("taskrouter", "POST", "Tasks")
                + asked.count("flex-api", "POST", "Channels/{Sid}/Invites");
            assert!(posts <= 1, "{:#?}", asked.log().collect::<Vec<_>>());
            let record = world.record(chat.channel).await.unwrap();
            assert_eq!(record.rescue().unwrap().state, RescueState::NotMade);
            world.time_passes(HOUR).await;
            assert_eq!(world.sweep().await.due, 0);
            world.lose_events();
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_observing_sweep_counts_once_and_writes_nothing_at_twilio() {
    for platform in ["chat", "conversation"] {
        let (world, chat) = unheard(platform).await;
        world.plan(|plan| plan.mode = Mode::Observe);
        world.twilio.reset_calls();
        let summary = world.sweep().await;
        assert_eq!(
            (summary.would_rescue, summary.unheard, summary.due),
            (1, 1, 1),
            "{summary:?}"
        );
        assert!(summary.not_rescued.is_empty(), "{summary:?}");
        world.expect_notices(&[("CustomerUnheard", chat.channel)]);
        assert_eq!(world.sweep().await.calls, 0);
        assert_eq!(world.twilio.calls().writes(), 0);
        assert!(open_tasks(&world, chat.channel).is_empty());
        let record = world.record(chat.channel).await.unwrap();
        assert_eq!(record.rescue(), None, "nothing is announced");

        // A sweep that may write makes the task all the same.
        world.plan(|plan| plan.mode = Mode::Act);
        let summary = world.sweep().await;
        expect_rescued(&world, &summary, chat);
        world.lose_events();
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_sweep_rescues_so_many_and_the_next_ones_the_rest() {
    let world = rescuing().await;
    world.plan(|plan| plan.max_rescues = 2);
    let chats = world.chats_left_behind(5).await;
    world.time_passes(MINUTE).await;
    for number in 0..5 {
        world.customer_writes_in_vain(&format!("+1555{number:07}"));
    }
    world.everything_falls_due().await;
    for (rescued, waiting) in [(2, 3), (2, 1), (1, 0)] {
        let summary = world.sweep().await;
        assert_eq!(
            (summary.rescued, summary.rescues_deferred),
            (rescued, waiting),
            "{summary:?}"
        );
        assert_eq!((summary.closed, summary.deferred), (0, 0), "{summary:?}");
        // No one is told of who gets a task in a moment.
        assert_eq!(summary.unheard, 0, "{summary:?}");
        world.deliver().await;
    }
    for chat in chats {
        assert_eq!(open_tasks(&world, chat.channel).len(), 1);
    }
    world.notices();
    world.finish().await;
}

/// A task that was opened after the sweep's first look is found by the second one.
#[tokio::test(start_paused = true)]
async fn a_task_of_others_that_came_after_the_first_look_is_enough() {
    let (world, chat) = unheard_chat(CUSTOMER).await;
    let gate = world.gate_after("GET", "/Events");
    let meanwhile = async {
        gate.reached().await;
        world.another_task_on(chat.channel);
        gate.open();
    };
    let (summary, ()) = join!(world.sweep(), meanwhile);
    assert_eq!((summary.rescued, summary.open_again), (0, 1), "{summary:?}");
    assert_eq!(open_tasks(&world, chat.channel).len(), 1);
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_next_unheard_message_is_another_rescue() {
    let (world, chat) = unheard_chat(CUSTOMER).await;
    let summary = world.sweep().await;
    let rescued = expect_rescued(&world, &summary, chat);
    world.agent_accepts(rescued);
    world.tab_is_closed(rescued);
    world.deliver().await;
    world.time_passes(MINUTE).await;
    world.customer_writes_in_vain(CUSTOMER);
    world.everything_falls_due().await;
    let summary = world.sweep().await;
    expect_rescued(&world, &summary, chat);
    assert_eq!(tasks_made(&world, chat.channel), 3);
    world.lose_events();
    world.finish().await;
}
