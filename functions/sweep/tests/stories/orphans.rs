//! Channels of which no task is known: the newest message says how long they have been quiet.

use simulator::Sid;
use world::World;

use crate::{DAY, HOUR, MINUTE, expect_closed, expect_left};

/// A customer who writes by text message, and one of a web chat, who has no address.
const CUSTOMERS: [&str; 2] = ["+15550100001", "visitor-1"];

/// A Conversation whose only task was canceled 40 days ago, of which nothing was told to us.
async fn old_conversation(world: &World, customer: &str) -> Sid {
    let chat = world.customer_converses(customer);
    let canceled = world.twilio.state().task_canceled_by_supervisor(chat.task);
    canceled.unwrap();
    world.lose_events();
    world.time_passes(40 * DAY).await;
    chat.channel
}

/// Lets so many days pass. Sweeps look at the Conversation each fourth day and at the end, leave it
/// and tell nothing.
async fn is_left_for(world: &World, days: u32, row: &str, requests: u64) {
    for passed in 1..=days {
        world.time_passes(DAY).await;
        if passed % 4 == 0 || passed == days {
            expect_left(world, row, requests).await;
            world.expect_notices(&[]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_without_a_task_is_closed_ninety_days_after_its_newest_message() {
    for customer in CUSTOMERS {
        for messages_move_date_updated in [false, true] {
            let world = World::new().await;
            world.twilio.state().knobs.messages_move_date_updated = messages_move_date_updated;
            let conversation = old_conversation(&world, customer).await;
            let report = world.reconcile().await;
            assert_eq!(report.orphans, 1, "{customer}: {report:?}");
            world.time_passes(DAY).await;
            expect_left(&world, "conversation-orphan", 3).await;
            world.expect_notices(&[("CustomerUnheard", conversation)]);
            is_left_for(&world, 19, "conversation-orphan", 3).await;

            // A message 60 days after the first one.
            world.time_passes(HOUR).await;
            world.customer_converses_in_vain(customer);
            world.time_passes(DAY).await;
            expect_left(&world, "conversation-orphan", 3).await;
            world.expect_notices(&[("CustomerUnheard", conversation)]);
            is_left_for(&world, 88, "conversation-orphan", 3).await;
            assert!(!world.is_closed(conversation));
            world.time_passes(2 * DAY).await;
            expect_closed(&world, 4).await;
            assert!(world.is_closed(conversation));
            world.expect_notices(&[("ChannelClosed", conversation)]);
            world.lose_events();
            world.finish().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_without_a_task_is_kept_for_ever_where_the_settings_say_so() {
    let world = World::new().await;
    world.plan(|plan| plan.policy.orphan_cutoff = None);
    let conversation = old_conversation(&world, "visitor-1").await;
    assert_eq!(world.reconcile().await.orphans, 1);
    world.time_passes(DAY).await;
    expect_left(&world, "conversation-orphan", 3).await;
    world.expect_notices(&[("CustomerUnheard", conversation)]);
    is_left_for(&world, 199, "conversation-orphan", 3).await;
    assert!(!world.is_closed(conversation));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_without_a_task_that_a_program_has_is_left() {
    let world = World::new().await;
    let conversation = old_conversation(&world, "visitor-1").await;
    let bot = "https://bot.example.com/answer";
    let joined = world.twilio.state().program_joins(conversation, bot);
    joined.unwrap();
    assert_eq!(world.reconcile().await.orphans, 1);
    is_left_for(&world, 120, "conversation-orphan-with-program", 2).await;
    assert!(!world.is_closed(conversation));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_only_a_session_holds_is_closed_a_day_after_its_newest_message() {
    let world = World::new().await;
    let chat = world.customer_writes(CUSTOMERS[0]);
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    world.lose_events();
    world.time_passes(40 * DAY).await;
    assert_eq!(world.reconcile().await.orphans, 1);
    world.customer_writes_in_vain(CUSTOMERS[0]);
    world.time_passes(20 * MINUTE).await;
    expect_left(&world, "chat-orphan", 3).await;
    world.expect_notices(&[("CustomerUnheard", chat.channel)]);
    world.time_passes(23 * HOUR).await;
    assert_eq!(world.sweep().await.due, 0);
    world.time_passes(HOUR).await;
    expect_closed(&world, 4).await;
    assert!(world.is_inactive(chat.channel));
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    world.lose_events();
    world.finish().await;
}

/// The same, by an account whose lists of messages ignore the order that is asked for.
#[tokio::test(start_paused = true)]
async fn the_newest_message_counts_although_twilio_ignores_the_order() {
    let world = World::new().await;
    world.twilio.state().knobs.orders_messages = false;
    let conversation = old_conversation(&world, CUSTOMERS[0]).await;
    assert_eq!(world.reconcile().await.orphans, 1);
    world.time_passes(40 * DAY).await;
    world.customer_converses_in_vain(CUSTOMERS[0]);

    // Its first message is 91 days old, its newest one 11 days.
    world.time_passes(11 * DAY).await;
    expect_left(&world, "conversation-orphan", 4).await;
    world.expect_notices(&[("CustomerUnheard", conversation)]);
    world.time_passes(80 * DAY).await;
    expect_closed(&world, 5).await;
    world.expect_notices(&[("ChannelClosed", conversation)]);
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_waits_is_found_although_twilio_ignores_the_order() {
    let world = World::new().await;
    world.twilio.state().knobs.orders_messages = false;
    let chat = world.chat_left_behind(CUSTOMERS[0]).await;
    world.time_passes(MINUTE).await;
    world.customer_writes_in_vain(CUSTOMERS[0]);
    world.time_passes(HOUR).await;
    expect_closed(&world, 5).await;
    let told = [
        ("ChannelClosed", chat.channel),
        ("CustomerUnheard", chat.channel),
    ];
    world.expect_notices(&told);
    world.finish().await;
}
