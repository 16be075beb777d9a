//! The findings, cause by cause and class by class.

use std::collections::BTreeMap;

use audit::{Cause, Class, WouldDo};
use domain::Timestamp;
use simulator::PauseReading;
use simulator::state::chat::ChannelChange;
use simulator::{ConversationState, Webhooks};
use world::{Chat, World};

use super::{DAY, HOUR, MINUTE, audit, audit_by, found, order};

/// Where a survey listens.
const SURVEY: &str = "https://survey.example.com/answer";

fn causes(report: &audit::Report) -> BTreeMap<Cause, usize> {
    let causes = report.unattended.by_cause.iter();
    causes
        .map(|(cause, total)| (*cause, total.channels))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_cause_is_told_from_the_others() {
    let world = World::new().await;
    // From before the log: only its session shows it.
    let orphan = world.customer_writes("+15550100001");
    world.agent_accepts(orphan);
    world.tab_is_closed(orphan);
    world.time_passes(40 * DAY).await;
    // An agent who has a chat for a day loses it.
    let deleted = world.customer_writes("+15550100002");
    world.agent_accepts(deleted);
    world.time_passes(25 * HOUR).await;
    let tab_closed = world.customer_writes("+15550100003");
    world.agent_accepts(tab_closed);
    world.tab_is_closed(tab_closed);
    let timed_out = world.customer_converses("+15550100004");
    let canceled = world
        .twilio
        .state()
        .task_canceled_by_supervisor(timed_out.task);
    canceled.unwrap();
    let agent_less = world.conversation_with_agent("+15550100005");
    world.twilio.state().agent_removed(agent_less.task).unwrap();
    let long_lived = world.customer_writes("whatsapp:+15550100006");
    world.agent_accepts(long_lived);
    world.tab_is_closed(long_lived);
    world.time_passes(16 * MINUTE).await;
    world.customer_writes_in_vain("+15550100003");
    world.customer_converses_in_vain("+15550100005");
    let heard_at = world.now();
    world.time_passes(MINUTE).await;

    let report = audit(&world).await;
    let expected = [
        (orphan, Cause::Orphan, WouldDo::Close),
        (deleted, Cause::Deleted, WouldDo::Close),
        (tab_closed, Cause::TabClosed, WouldDo::Close),
        (timed_out, Cause::TimedOut, WouldDo::Close),
        (agent_less, Cause::AgentLess, WouldDo::Close),
        (long_lived, Cause::LongLived, WouldDo::Release),
    ];
    for (chat, cause, would) in expected {
        let one = found(&report, chat.channel);
        assert_eq!(one.class, Class::Unattended, "{one:?}");
        assert_eq!(
            (one.cause, one.would),
            (Some(cause), Some(would)),
            "{one:?}"
        );
        assert_eq!(one.last_task_sid.is_some(), cause != Cause::Orphan);
    }
    assert_eq!(report.unattended.channels, 6);
    assert_eq!(
        causes(&report),
        expected.iter().map(|one| (one.1, 1)).collect()
    );
    let oldest = found(&report, orphan.channel);
    assert_eq!(report.channels[0], oldest, "the oldest comes first");
    assert_eq!(report.unattended.oldest_ms, Some(oldest.since_ms));
    assert!(world.now().since(oldest.since_ms) > 40 * DAY);
    let unheard = report.unheard;
    assert_eq!(unheard.customers, 3, "the orphan's words count, too");
    // The orphan wrote 40 days ago, so it is none of the newest, and nothing shows its last task.
    assert_eq!((unheard.last_24_hours, unheard.rescuable), (2, 2));
    let unheard = found(&report, tab_closed.channel).unheard_since_ms;
    assert_eq!(unheard, Some(heard_at));
    assert!(report.whole, "{report:#?}");
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_is_told_from_what_is_unattended() {
    let world = World::new().await;
    world.twilio.state().knobs.pause = PauseReading::EndsTask;
    let live = world.customer_writes("+15550100001");
    world.agent_accepts(live);
    let left = world.conversation_with_agent("+15550100002");
    world.twilio.state().agent_leaves(left.task).unwrap();
    let paused = world.conversation_with_agent("+15550100003");
    world.twilio.state().agent_pauses(paused.task).unwrap();
    let parked = world.conversation_with_agent("+15550100004");
    world.twilio.state().program_parks(parked.task).unwrap();
    let surveyed = world.customer_writes("+15550100005");
    world.agent_accepts(surveyed);
    let joined = world.twilio.state().program_joins(surveyed.channel, SURVEY);
    joined.unwrap();
    world.tab_is_closed(surveyed);
    let present = world.conversation_with_agent("+15550100006");
    world.tab_is_closed(present);
    let clean = world.customer_writes("+15550100007");
    world.agent_accepts(clean);
    world.agent_completes(clean);
    world.time_passes(HOUR).await;
    let fresh = world.customer_writes("+15550100008");
    world.agent_accepts(fresh);
    world.tab_is_closed(fresh);
    world.time_passes(MINUTE).await;

    let report = audit(&world).await;
    for (chat, class) in [
        (left, Class::Left),
        (paused, Class::Paused),
        (parked, Class::Parked),
        (surveyed, Class::WithProgram),
        (present, Class::AgentPresent),
        (fresh, Class::Waiting),
    ] {
        let one = found(&report, chat.channel);
        assert_eq!((one.class, one.would), (class, None), "{one:?}");
    }
    assert_eq!(report.classes[&Class::OpenTask], 1);
    assert_eq!(report.classes[&Class::Clean], 1);
    assert_eq!(report.unattended.channels, 0);
    assert_eq!(report.unheard.customers, 0);
    // After a quiet day, the chats that only might be in use are not any more.
    world.time_passes(25 * HOUR).await;
    let report = audit(&world).await;
    for chat in [surveyed, present, fresh] {
        let one = found(&report, chat.channel);
        assert_eq!(one.cause, Some(Cause::TabClosed), "{one:?}");
    }
    for (chat, class) in [(left, Class::Left), (parked, Class::Parked)] {
        assert_eq!(found(&report, chat.channel).class, class);
    }
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn an_inactive_conversation_from_before_the_log_is_unattended() {
    let world = World::new().await;
    let inactive = world.conversation_without_task("+15550100001", ConversationState::Inactive);
    world.conversation_without_task("+15550100002", ConversationState::Closed);
    world.time_passes(100 * DAY).await;
    let report = audit(&world).await;
    let one = found(&report, inactive);
    assert_eq!(one.cause, Some(Cause::Orphan), "{one:?}");
    assert_eq!(report.listed.conversations, 1);
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn a_closed_chat_whose_session_takes_messages_is_unattended() {
    let world = World::new().await;
    world.twilio.state().knobs.flex_deaf = true;
    let chat = world.customer_writes("+15550100001");
    world.agent_accepts(chat);
    world.agent_completes(chat);
    let inactive = ChannelChange {
        attributes: Some(r#"{"status":"INACTIVE"}"#.to_owned()),
        ..ChannelChange::default()
    };
    let is_open = {
        let mut state = world.twilio.state();
        let updated = state.update_channel(chat.channel, Webhooks::Disabled, inactive);
        updated.unwrap();
        state.open_session_of("+15550100001").is_some()
    };
    world.time_passes(HOUR).await;
    assert!(is_open, "a deaf Flex leaves the session open");
    let report = audit(&world).await;
    let one = found(&report, chat.channel);
    assert_eq!(one.cause, Some(Cause::SessionOpen), "{one:?}");
    assert_eq!(one.would, Some(WouldDo::EndSession));
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn wrap_ups_that_are_stuck_and_tasks_that_end_soon_are_listed() {
    let world = World::new().await;
    let stuck = world.customer_writes("+15550100001");
    world.agent_accepts(stuck);
    let wrapped = world.twilio.state().agent_wraps_up(stuck.task);
    wrapped.unwrap();
    let ending = world.customer_writes("+15550100002");
    world.agent_accepts(ending);
    let accepted_at = world.now();
    world.time_passes(21 * HOUR).await;
    let young = world.customer_writes("+15550100003");
    world.agent_accepts(young);

    let report = audit(&world).await;
    let tasks: Vec<&str> = report
        .stuck_wrap_ups
        .iter()
        .map(|one| one.task_sid.as_str())
        .collect();
    assert_eq!(tasks, [stuck.task.as_str()]);
    let [one] = report.ending_tasks.as_slice() else {
        panic!("{:?}", report.ending_tasks);
    };
    assert_eq!(one.task_sid.as_str(), ending.task.as_str());
    assert_eq!(one.deleted_at_ms, accepted_at.plus(DAY));
    let channel = one.channel_sid.map(|sid| sid.to_string());
    assert_eq!(channel, Some(ending.channel.to_string()));
    world.lose_events();
}

/// B80: a figure that counts closed Conversations reports an identity too early, never too late.
#[tokio::test(start_paused = true)]
async fn an_identity_near_the_limit_of_conversations_is_found() {
    let world = World::new().await;
    for number in 0..900 {
        let chat = world.conversation_with_agent(&format!("+1555{number:07}"));
        if number == 0 {
            world.agent_completes(chat);
            assert!(world.is_closed(chat.channel));
        }
    }
    let mut order = order(&world);
    order.sample = Some(0);
    let report = audit_by(&world, order.clone()).await;
    assert_eq!(report.crowded_users, [], "899 are open");
    world.twilio.state().knobs.joined_channels_count_closed = true;
    let report = audit_by(&world, order).await;
    let [user] = report.crowded_users.as_slice() else {
        panic!("{:?}", report.crowded_users);
    };
    assert_eq!(user.conversations, 900);
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn an_orphaned_conversation_is_reported_and_left_for_three_months() {
    let world = World::new().await;
    let chat: Chat = world.customer_converses("+15550100001");
    let canceled = world.twilio.state().task_canceled_by_supervisor(chat.task);
    canceled.unwrap();
    world.time_passes(40 * DAY).await;
    let report = audit(&world).await;
    let one = found(&report, chat.channel);
    assert_eq!((one.class, one.would), (Class::Unclear, None), "{one:?}");
    assert_eq!(one.until_ms, Some(one.since_ms.plus(90 * DAY)));
    world.time_passes(51 * DAY).await;
    let report = audit(&world).await;
    let one = found(&report, chat.channel);
    assert_eq!(
        (one.cause, one.would),
        (Some(Cause::Orphan), Some(WouldDo::Close))
    );
    let state = world
        .twilio
        .state()
        .conversation(chat.channel)
        .unwrap()
        .state;
    assert_ne!(state, ConversationState::Closed, "an audit only looks");
    assert_ne!(report.at_ms, Timestamp::from_millis(0));
    world.lose_events();
}
