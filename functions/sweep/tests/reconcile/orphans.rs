//! Channels that were left behind before any event told of them.

use domain::{HeldOpenBy, Queue};
use simulator::state::conversations::conversation::ConversationChange;
use simulator::state::proxy::NewSession;
use simulator::state::webhooks::WebhookTarget;
use simulator::{Contact, ConversationState};
use sweep::{Finding, Order};
use world::{Chat, WORDS, World};

use super::{DAY, HOUR, chat_of_old};
use world::SWEEP_TIME;

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_chat_from_before_the_installation_is_found_by_its_session() {
    let world = World::new().await;
    let channel = chat_of_old(&world, "+15550100001").await;
    // What we exist for: this message reaches no agent.
    world.customer_writes_in_vain("+15550100001");
    world.time_passes(25 * HOUR).await;

    let (report, found) = world
        .attempt_reconcile(Order::scheduled(), SWEEP_TIME)
        .await;
    let report = report.unwrap();
    assert_eq!((report.new_from_log, report.orphans), (0, 1), "{report:?}");
    assert_eq!(found[0].finding, Finding::Orphan(HeldOpenBy::Session));
    let waiting = world.record(channel).await.unwrap().queue_entry().unwrap();
    assert_eq!((waiting.queue, waiting.since), (Queue::Ended, world.now()));
    assert_eq!(world.sweep().await.due, 0, "the patience counts from now");

    world.everything_falls_due().await;
    let summary = world.sweep().await;
    assert_eq!(summary.closed, 1, "{summary:?}");
    assert!(world.is_inactive(channel));
    let chat = world.customer_writes("+15550100001");
    assert_ne!(chat.channel, channel, "a new contact, which an agent sees");
    world.lose_events();
    // The message itself is told of, so that a person can reach that customer.
    world.expect_notices(&[("ChannelClosed", channel), ("CustomerUnheard", channel)]);
    world.finish().await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_long_lived_channel_from_before_is_released_and_later_reset() {
    let world = World::new().await;
    let channel = chat_of_old(&world, "whatsapp:+15550100001").await;
    assert!(world.is_long_lived(channel));
    assert_eq!(world.reconcile().await.orphans, 1);
    world.everything_falls_due().await;
    assert_eq!(world.sweep().await.released, 1);
    assert!(world.is_inactive(channel) && world.is_long_lived(channel));
    // It waits for its reset now, and is not taken up again.
    world.time_passes(2 * HOUR).await;
    let report = world.reconcile().await;
    assert_eq!(
        (report.orphans, report.skipped["tracked"]),
        (0, 1),
        "{report:?}"
    );
    world.time_passes(2 * DAY).await;
    assert_eq!(world.sweep().await.closed, 1);
    assert!(!world.is_long_lived(channel));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_conversation_from_before_is_closed_when_nobody_has_written_for_three_months() {
    let world = World::new().await;
    let Chat {
        channel: conversation,
        task,
    } = world.customer_converses("+15550100001");
    {
        let mut state = world.twilio.state();
        state.task_canceled_by_supervisor(task).unwrap();
    }
    world.lose_events();
    world.time_passes(40 * DAY).await;
    let report = world.reconcile().await;
    assert_eq!((report.conversations, report.orphans), (1, 1), "{report:?}");
    let waiting = world
        .record(conversation)
        .await
        .unwrap()
        .queue_entry()
        .unwrap();
    assert_eq!((waiting.queue, waiting.since), (Queue::Ended, world.now()));
    // It is looked at each day, and left until it has been silent for 90 days.
    for _ in 0..49 {
        world.time_passes(DAY).await;
        let summary = world.sweep().await;
        assert_eq!((summary.closed, summary.left), (0, 1), "{summary:?}");
    }
    world.time_passes(2 * DAY).await;
    world.twilio.reset_calls();
    assert_eq!(world.sweep().await.closed, 1);
    let calls = world.twilio.calls();
    assert!(calls.total() - calls.of_product("taskrouter") <= 5);
    let state = world
        .twilio
        .state()
        .conversation(conversation)
        .unwrap()
        .state;
    assert_eq!(state, ConversationState::Closed);
    let contact = world
        .twilio
        .state()
        .customer_converses("+15550100001", WORDS);
    assert!(matches!(contact, Contact::Started { .. }), "{contact:?}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_inactive_conversation_is_held_open_and_a_closed_one_is_not() {
    let world = World::new().await;
    let [inactive, closed] = [
        ("+15550100001", ConversationState::Inactive),
        ("+15550100002", ConversationState::Closed),
    ]
    .map(|(address, state)| world.conversation_without_task(address, state));
    world.lose_events();
    world.time_passes(40 * DAY).await;
    let report = world.reconcile().await;
    assert_eq!((report.conversations, report.orphans), (1, 1), "{report:?}");
    assert!(world.record(inactive).await.is_some());
    assert!(world.record(closed).await.is_none());
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_customer_who_comes_back_keeps_the_conversation() {
    let world = World::new().await;
    let Chat {
        channel: conversation,
        task,
    } = world.customer_converses("+15550100001");
    let agent = {
        let mut state = world.twilio.state();
        let agent = state.hire_agent(world.project.workspace, "agent.jones@example.com");
        let agent = agent.unwrap();
        state.agent_accepts(task, agent).unwrap();
        state.program_parks(task).unwrap();
        agent
    };
    world.lose_events();
    world.time_passes(40 * DAY).await;
    assert_eq!(world.reconcile().await.orphans, 1);
    world.time_passes(DAY).await;
    let Chat {
        channel: again,
        task,
    } = world.customer_converses("+15550100001");
    assert_eq!(again, conversation);
    world.twilio.state().agent_accepts(task, agent).unwrap();
    world.deliver().await;
    world.time_passes(2 * DAY).await;
    let summary = world.sweep().await;
    assert_eq!(summary.closed, 0, "{summary:?}");
    let state = world
        .twilio
        .state()
        .conversation(conversation)
        .unwrap()
        .state;
    assert_eq!(state, ConversationState::Active);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn what_is_not_known_to_be_an_agents_chat_is_left_alone() {
    let world = World::new().await;
    let with_bot = chat_of_old(&world, "+15550100001").await;
    let Chat { channel: bot, .. } = world.customer_converses("+15550100002");
    {
        let mut state = world.twilio.state();
        let target = WebhookTarget::default();
        state
            .add_channel_webhook(with_bot, "studio", target)
            .unwrap();
        let flow = "FW00000000000000000000000000000009".parse().unwrap();
        state.set_conversation_flow(bot, Some(flow)).unwrap();
        let task = state.open_tasks_on(bot).next().unwrap().sid;
        state.task_canceled_by_supervisor(task).unwrap();
        // Some other application's, in the same service.
        let service = world.project.chat_service;
        state
            .create_conversation(service, ConversationChange::default())
            .unwrap();
        let other = NewSession {
            unique_name: Some("reminders".to_owned()),
            ..NewSession::default()
        };
        state
            .open_session(world.project.proxy_service, other)
            .unwrap();
    }
    world.lose_events();
    world.time_passes(40 * DAY).await;
    let young = world.customer_writes("+15550100003");
    world.lose_events();
    world.time_passes(HOUR).await;

    let (report, found) = world
        .attempt_reconcile(Order::since(HOUR), SWEEP_TIME)
        .await;
    let report = report.unwrap();
    assert_eq!(
        (report.orphans, report.sessions_to_end),
        (3, 0),
        "{found:?}"
    );
    assert_eq!(report.skipped["not-a-channel"], 1, "{report:?}");
    assert!(world.record(young.channel).await.is_none() || report.new_from_log > 0);
    // The sweep looks at each and leaves it: a flow may have the two, and nothing shows that
    // the third is a customer's.
    for _ in 0..9 {
        world.everything_falls_due().await;
        world.time_passes(DAY).await;
        let summary = world.sweep().await;
        assert_eq!((summary.closed, summary.left), (0, 3), "{summary:?}");
        assert_eq!(summary.unheard, 0);
    }
    assert!(!world.is_inactive(with_bot));
    // Its newest message is 90 days old now, and a flow that is silent for so long is over.
    world.time_passes(DAY).await;
    let summary = world.sweep().await;
    assert_eq!((summary.closed, summary.left), (1, 2), "{summary:?}");
    assert!(world.is_inactive(with_bot));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_session_that_outlived_its_channel_is_ended() {
    let world = World::new().await;
    world.end_sessions();
    // One was closed by us without its session, one was deleted by a person.
    let closed = world.chat_left_behind("+15550100001").await.channel;
    world.everything_falls_due().await;
    let gone = chat_of_old(&world, "+15550100002").await;
    world.somebody_writes(closed, r#"{"status":"INACTIVE"}"#);
    world
        .twilio
        .state()
        .delete_channel(gone, simulator::Webhooks::Disabled)
        .unwrap();
    world.lose_events();
    assert_eq!(world.sweep().await.already_clean, 1);
    assert!(
        world
            .twilio
            .state()
            .open_session_of("+15550100001")
            .is_some()
    );

    world.time_passes(HOUR).await;
    let report = world.reconcile().await;
    assert_eq!(
        (report.sessions_to_end, report.orphans),
        (1, 1),
        "{report:?}"
    );
    world.time_passes(HOUR).await;
    let summary = world.sweep().await;
    assert_eq!(
        (summary.sessions_ended, summary.gone),
        (1, 1),
        "{summary:?}"
    );
    world.time_passes(HOUR).await;
    let summary = world.sweep().await;
    assert_eq!(summary.sessions_ended, 1, "{summary:?}");
    for address in ["+15550100001", "+15550100002"] {
        assert!(world.twilio.state().open_session_of(address).is_none());
        world.customer_writes(address);
    }
    world.time_passes(HOUR).await;
    let again = world.reconcile().await;
    assert_eq!(again.sessions_to_end, 0, "{again:?}");
}
