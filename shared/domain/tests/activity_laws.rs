//! The laws of the fold of all kinds of facts, each a property named as the law.
//!
//! The universe is small (one channel, three tasks, ten authors, a few seconds), so that
//! facts collide: equal times, an agent's message before it is known whose it is, a task's
//! end before its acceptance.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use domain::activity::{MAX_AUTHORS, MessagePosition};
use domain::{
    Author, AuthorDigest, Channel, ChannelSid, End, Fact, FactKind, Pair, Pairs, Platform, Queue,
    Stage, TaskChannelSid, TaskFact, TaskSid, TaskState, Timestamp,
};
use proptest::prelude::*;

fn channel_sid() -> ChannelSid {
    format!("CH{}", "1".repeat(32)).parse().unwrap()
}

fn task_sid(n: u8) -> TaskSid {
    format!("WT{n:032x}").parse().unwrap()
}

fn digest(n: u8) -> AuthorDigest {
    AuthorDigest::from_digest([n; 8])
}

fn task_channel(n: u8) -> TaskChannelSid {
    format!("TC{n:032x}").parse().unwrap()
}

/// TaskChannel 2 is the inactive one.
fn pairs() -> Pairs {
    let (active, inactive) = (task_channel(1), task_channel(2));
    Pairs::new(vec![Pair { active, inactive }]).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn any_state() -> impl Strategy<Value = TaskState> {
    prop_oneof![
        3 => prop::sample::select(vec![Stage::Waiting, Stage::Assigned]).prop_map(TaskState::Open),
        1 => Just(TaskState::Ended(End::Completed)),
    ]
}

fn any_kind() -> impl Strategy<Value = FactKind> {
    let author = prop_oneof![
        1 => Just(Author::Customer),
        2 => (0..10u8).prop_map(|n| Author::AuthorDigest(digest(n))),
    ];
    prop_oneof![
        3 => (0..3u8, any_state()).prop_map(|(task, state)| FactKind::Task(TaskFact {
            task: task_sid(task),
            state,
            opened_at: None,
            interaction: None,
        })),
        4 => (author, 0..4u32).prop_map(|(author, index)| FactKind::Message { author, index }),
        2 => (0..3u8, 0..10u8).prop_map(|(task, one)| FactKind::Accepted {
            task: task_sid(task),
            worker: Some(format!("WK{one:032x}").parse().unwrap()),
            identity: Some(digest(one)),
        }),
        2 => (0..3u8, 0..3u32, 1..3u8).prop_map(|(task, version, n)| FactKind::Placed {
            task: task_sid(task),
            version,
            placement: pairs().placement(task_channel(n)),
        }),
    ]
}

fn any_fact() -> impl Strategy<Value = Fact> {
    (0..40i64, any_kind()).prop_map(|(second, kind)| Fact {
        channel: channel_sid(),
        platform: Platform::Conversations,
        at: at(second),
        kind,
    })
}

fn history() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec(any_fact(), 0..24)
}

fn fold<'a>(history: impl IntoIterator<Item = &'a Fact>) -> Channel {
    let mut channel = Channel::new(channel_sid(), Platform::Conversations);
    for fact in history {
        channel.absorb(fact);
    }
    channel
}

/// The newest message of the customer's side and of the agents', worked out from all facts at once
/// and in another way than the fold does it; nothing where more authors wrote than are remembered.
fn oracle(history: &[Fact]) -> Option<(Option<MessagePosition>, Option<MessagePosition>)> {
    let mut agents = Vec::new();
    let mut authors = Vec::new();
    let mut messages = Vec::new();
    for fact in history {
        match fact.kind {
            FactKind::Accepted { identity, .. } => agents.extend(identity),
            FactKind::Message { author, index } => {
                messages.push((author, MessagePosition { at: fact.at, index }));
                if let Author::AuthorDigest(digest) = author {
                    authors.push(digest);
                }
            }
            FactKind::Task(_) | FactKind::Placed { .. } => {}
        }
    }
    for many in [&mut agents, &mut authors] {
        many.sort();
        many.dedup();
        if many.len() > MAX_AUTHORS {
            return None;
        }
    }
    let last = |wanted: bool| {
        let is_wanted = |author| {
            let agent = matches!(author, Author::AuthorDigest(digest) if agents.contains(&digest));
            agent == wanted
        };
        let of_side = messages.iter().filter(|(author, _)| is_wanted(*author));
        of_side.map(|(_, position)| *position).max()
    };
    Some((last(false), last(true)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_does_not_matter(told in history().prop_flat_map(|told| (Just(told.clone()), Just(told).prop_shuffle()))) {
        let (one, other) = told;
        prop_assert_eq!(fold(&one), fold(&other));
    }

    #[test]
    fn repeats_do_not_matter(told in history()) {
        let channel = fold(&told);
        prop_assert_eq!(&fold(told.iter().chain(&told)), &channel);
        for one in &told {
            let mut again = channel.clone();
            again.absorb(one);
            prop_assert_eq!(&again, &channel);
        }
    }

    #[test]
    fn merge_equals_the_fold_of_both(told in history(), split in any::<prop::sample::Index>()) {
        let (left, right) = told.split_at(if told.is_empty() { 0 } else { split.index(told.len()) });
        prop_assert_eq!(fold(left).merge(&fold(right)), fold(&told));
        prop_assert_eq!(fold(right).merge(&fold(left)), fold(&told));
    }

    #[test]
    fn the_oracle_agrees(told in history()) {
        if let Some((customer, agent)) = oracle(&told) {
            let channel = fold(&told);
            prop_assert_eq!(channel.activity().last_customer_message(), customer);
            prop_assert_eq!(channel.activity().last_agent_message(), agent);
        }
    }

    #[test]
    fn what_is_stored_is_what_is_read(told in history()) {
        let channel = fold(&told);
        let text = serde_json::to_string(&channel).unwrap();
        prop_assert_eq!(serde_json::from_str::<Channel>(&text).unwrap(), channel);
    }

    #[test]
    fn an_ended_task_keeps_no_placement(told in history()) {
        let channel = fold(&told);
        for (task, known) in channel.tasks() {
            prop_assert!(known.ended.is_none() || channel.parking(*task).is_none());
        }
    }

    /// Messages lose nothing that counts, in whatever order and however often they are told,
    /// before and after their task's first event, though most of them are not written.
    #[test]
    fn messages_in_any_order_wait_for_the_same(
        told in history().prop_flat_map(|told| {
            let places: Vec<usize> = (0..told.len()).chain(0..told.len()).collect();
            (Just(told), Just(places).prop_shuffle())
        })
    ) {
        let (mut told, order) = told;
        if oracle(&told).is_none() {
            return Ok(());
        }
        // Twilio numbers messages in the order of their times, and versions of a task too.
        told.sort_by_key(|fact| fact.at);
        for (place, fact) in (0..).zip(&mut told) {
            match &mut fact.kind {
                FactKind::Message { index, .. } => *index = place,
                FactKind::Placed { version, .. } => *version = place,
                FactKind::Task(_) | FactKind::Accepted { .. } => {}
            }
        }
        let mut kept = fold([]);
        for place in order {
            kept.absorb_useful(std::slice::from_ref(&told[place]));
        }
        let whole = fold(&told);
        let party = |channel: &Channel| channel.activity().last_message().map(|(party, _)| party);
        prop_assert_eq!(party(&kept), party(&whole));
        let parked = |channel: &Channel| channel.parked_tasks().collect::<Vec<_>>();
        let (kept_parked, parked) = (parked(&kept), parked(&whole));
        if kept_parked != parked {
            // A version of an active task is not worth a write. So an older event may make it
            // look parked, which costs one look. The other way round a customer would wait.
            prop_assert!(parked.iter().all(|task| kept_parked.contains(task)));
            return Ok(());
        }
        // The way back is due at once, since whenever.
        let waits = |channel: &Channel| {
            let entry = channel.queue_entry()?;
            Some((entry.queue, (entry.queue == Queue::Park).then_some(entry.since)))
        };
        prop_assert_eq!(waits(&kept), waits(&whole));
    }
}
