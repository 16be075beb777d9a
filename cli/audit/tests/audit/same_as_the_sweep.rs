//! The sweep does to a channel just what an audit said of it.

use std::collections::BTreeMap;

use audit::{Order, WouldDo};
use simulator::Sid;
use sweep::Unheard;
use world::{Chat, World};

use super::{DAY, HOUR, MINUTE, audit_by, order};

/// The lives that a chat may have had.
const LIVES: usize = 13;

/// Lets a customer come, and the chat have one of its lives.
fn live(world: &World, life: usize, number: usize) -> Chat {
    let sms = format!("+1555{number:07}");
    let state = || world.twilio.state();
    let chat = match life {
        0..=4 => world.customer_writes(&sms),
        5 | 6 => world.customer_writes(&format!("whatsapp:{sms}")),
        _ => world.customer_converses(&sms),
    };
    match life {
        // An agent has it, or will.
        0 => world.agent_accepts(chat),
        7 => {}
        1 | 5 | 8 => {
            world.agent_accepts(chat);
            world.tab_is_closed(chat);
        }
        2 | 6 | 9 => state().task_canceled_by_supervisor(chat.task).unwrap(),
        3 => state().task_deleted_through_api(chat.task).unwrap(),
        4 => {
            world.agent_accepts(chat);
            world.agent_completes(chat);
        }
        10 => {
            world.agent_accepts(chat);
            state().agent_leaves(chat.task).unwrap();
        }
        11 => {
            world.agent_accepts(chat);
            state().program_parks(chat.task).unwrap();
        }
        _ => {
            world.agent_accepts(chat);
            state().agent_removed(chat.task).unwrap();
        }
    }
    chat
}

/// Everything that a sweep can change about a channel: if it is closed, if it is long-lived, and
/// its open tasks.
fn state_of(world: &World, channel: Sid) -> (bool, bool, usize) {
    let tasks = world.twilio.state().open_tasks_on(channel).count();
    let is_conversation = world.twilio.state().conversation(channel).is_some();
    match is_conversation {
        true => (world.is_closed(channel), false, tasks),
        false => (
            world.is_inactive(channel),
            world.is_long_lived(channel),
            tasks,
        ),
    }
}

/// Says what an audit would do, lets a sweep act, and compares.
async fn compare(
    world: &World,
    chats: &[Chat],
    unheard: Unheard,
    act: impl AsyncFnOnce(&World),
) -> BTreeMap<&'static str, usize> {
    let order = Order {
        unheard,
        ..order(world)
    };
    let report = audit_by(world, order).await;
    assert!(report.whole, "{:#?}", report.silent_parts);
    let would: BTreeMap<String, WouldDo> = report
        .channels
        .iter()
        .filter_map(|one| Some((one.channel_sid.to_string(), one.would?)))
        .collect();
    let before: Vec<_> = chats
        .iter()
        .map(|chat| state_of(world, chat.channel))
        .collect();
    act(world).await;
    let mut counts = BTreeMap::new();
    for (chat, before) in chats.iter().zip(before) {
        let after = state_of(world, chat.channel);
        let expected = match would.get(chat.channel.as_str()) {
            Some(WouldDo::Close) => (true, false, before.2),
            Some(WouldDo::Release) => (true, true, before.2),
            Some(WouldDo::Rescue) => (before.0, before.1, 1),
            Some(WouldDo::EndSession) | None => before,
        };
        assert_eq!(after, expected, "{chat:?} was {before:?}, {would:?}");
        let name = match would.get(chat.channel.as_str()) {
            Some(WouldDo::Close) => "closed",
            Some(WouldDo::Release) => "released",
            Some(WouldDo::Rescue) => "rescued",
            Some(WouldDo::EndSession) | None => "left",
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[tokio::test(start_paused = true)]
async fn for_channels_of_every_age_and_life() {
    for wait in [MINUTE, 10 * MINUTE, 20 * MINUTE, 26 * HOUR, 3 * DAY] {
        let world = World::new().await;
        let mut chats = Vec::new();
        // Two rounds, so that each life is met at two ages.
        for round in 0..2 {
            for life in 0..LIVES {
                chats.push(live(&world, life, round * LIVES + life));
            }
            world.time_passes(wait).await;
        }
        world.deliver().await;
        let counts = compare(&world, &chats, Unheard::Tell, async |world| {
            let summary = world.sweep().await;
            assert_eq!(summary.stopped, None, "{summary:?}");
        })
        .await;
        assert!(counts["left"] >= 4, "{wait:?}: {counts:?}");
        let acted = wait > 4 * MINUTE;
        assert_eq!(counts.contains_key("closed"), acted, "{wait:?}: {counts:?}");
        world.notices();
        world.lose_events();
    }
}

#[tokio::test(start_paused = true)]
async fn for_channels_from_before_everything_that_is_logged() {
    let world = World::new().await;
    let chats: Vec<Chat> = (0..LIVES).map(|life| live(&world, life, life)).collect();
    world.lose_events();
    world.time_passes(40 * DAY).await;
    let counts = compare(&world, &chats, Unheard::Tell, async |world| {
        world.reconcile().await;
        world.everything_falls_due().await;
        world.sweep().await;
    })
    .await;
    assert!(
        counts["closed"] >= 3 && counts["released"] >= 1,
        "{counts:?}"
    );
    world.notices();
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn for_customers_who_wrote_and_whom_nobody_saw() {
    for unheard in [Unheard::Tell, Unheard::Rescue] {
        for wait in [10 * MINUTE, 20 * MINUTE, 26 * HOUR] {
            let world = World::new().await;
            world.plan(|plan| plan.unheard = unheard);
            let chats: Vec<Chat> = (0..LIVES).map(|life| live(&world, life, life)).collect();
            world.time_passes(MINUTE).await;
            // A customer of each way to stay unheard, and one whose agent is still there.
            for life in [1, 2, 3, 5] {
                let network = if life == 5 { "whatsapp:" } else { "" };
                world.customer_writes_in_vain(&format!("{network}+1555{life:07}"));
            }
            for life in [8, 12] {
                world.customer_converses_in_vain(&format!("+1555{life:07}"));
            }
            world.time_passes(wait).await;
            world.deliver().await;
            let counts = compare(&world, &chats, unheard, async |world| {
                let summary = world.sweep().await;
                assert_eq!(summary.stopped, None, "{summary:?}");
            })
            .await;
            let rescues = unheard == Unheard::Rescue && wait < DAY;
            let rescued = counts.get("rescued").copied().unwrap_or_default();
            assert_eq!(rescued >= 2, rescues, "{unheard} {wait:?}: {counts:?}");
            world.notices();
            world.lose_events();
        }
    }
}
