//! The laws of the fold of words, each a property named as the law.
//!
//! The universe is small (one channel, three tasks, four voices, a few seconds), so that
//! words collide: equal times, an agent's words before it is known whose they are, a task's
//! end before its acceptance.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use domain::activity::{MAX_AUTHORS, MessagePosition};
use domain::{
    Author, AuthorDigest, Channel, ChannelSid, End, Fact, Heard, News, Pair, Pairs, Platform,
    Queue, Stage, TaskChannelSid, TaskSid, Timestamp, Word,
};
use proptest::prelude::*;

/// Everything that can be told of a channel.
#[derive(Clone, Debug)]
enum Told {
    Fact(Fact),
    Word(Word),
}

fn channel_sid() -> ChannelSid {
    format!("CH{}", "1".repeat(32)).parse().unwrap()
}

fn task_sid(n: u8) -> TaskSid {
    format!("WT{n:032x}").parse().unwrap()
}

fn voice(n: u8) -> AuthorDigest {
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

fn any_fact() -> impl Strategy<Value = Fact> {
    let news = prop_oneof![
        3 => prop::sample::select(vec![Stage::Waiting, Stage::Assigned]).prop_map(News::Open),
        1 => Just(News::Ended(End::Completed)),
    ];
    (0..3u8, 0..40i64, news).prop_map(|(task, second, news)| Fact {
        channel: channel_sid(),
        platform: Platform::Conversations,
        at: at(second),
        task: task_sid(task),
        opened_at: None,
        interaction: None,
        news,
    })
}

fn any_heard() -> impl Strategy<Value = Heard> {
    let author = prop_oneof![
        1 => Just(Author::Customer),
        2 => (0..10u8).prop_map(|n| Author::AuthorDigest(voice(n))),
    ];
    prop_oneof![
        4 => (author, 0..4u32).prop_map(|(author, index)| Heard::Message { author, index }),
        2 => (0..3u8, 0..10u8).prop_map(|(task, one)| Heard::Accepted {
            task: task_sid(task),
            worker: Some(format!("WK{one:032x}").parse().unwrap()),
            identity: Some(voice(one)),
        }),
        2 => (0..3u8, 0..3u32, 1..3u8).prop_map(|(task, version, n)| Heard::Placed {
            task: task_sid(task),
            version,
            task_channel: task_channel(n),
        }),
    ]
}

fn any_word() -> impl Strategy<Value = Word> {
    (0..40i64, any_heard()).prop_map(|(second, heard)| Word {
        channel: channel_sid(),
        platform: Platform::Conversations,
        at: at(second),
        heard,
    })
}

fn history() -> impl Strategy<Value = Vec<Told>> {
    let told = prop_oneof![
        1 => any_fact().prop_map(Told::Fact),
        3 => any_word().prop_map(Told::Word),
    ];
    prop::collection::vec(told, 0..24)
}

fn tell(channel: &mut Channel, told: &Told) {
    match told {
        Told::Fact(fact) => channel.absorb(fact),
        Told::Word(word) => channel.hear(word, &pairs()),
    }
}

fn fold<'a>(history: impl IntoIterator<Item = &'a Told>) -> Channel {
    let mut channel = Channel::new(channel_sid(), Platform::Conversations);
    for told in history {
        tell(&mut channel, told);
    }
    channel
}

/// Who spoke last, worked out from all words at once and in another way than the fold does
/// it; nothing where more voices spoke than are remembered.
fn oracle(history: &[Told]) -> Option<(Option<MessagePosition>, Option<MessagePosition>)> {
    let words = || {
        history.iter().filter_map(|told| match told {
            Told::Word(word) => Some(word),
            Told::Fact(_) => None,
        })
    };
    let mut agents = Vec::new();
    let mut voices = Vec::new();
    for word in words() {
        match word.heard {
            Heard::Accepted { identity, .. } => agents.extend(identity),
            Heard::Message {
                author: Author::AuthorDigest(voice),
                ..
            } => voices.push(voice),
            Heard::Message { .. } | Heard::Placed { .. } => {}
        }
    }
    for many in [&mut agents, &mut voices] {
        many.sort();
        many.dedup();
        if many.len() > MAX_AUTHORS {
            return None;
        }
    }
    let last = |wanted: bool| {
        words()
            .filter_map(|word| match word.heard {
                Heard::Message { author, index } => {
                    Some((author, MessagePosition { at: word.at, index }))
                }
                Heard::Accepted { .. } | Heard::Placed { .. } => None,
            })
            .filter(|(author, _)| {
                let agent = matches!(author, Author::AuthorDigest(voice) if agents.contains(voice));
                agent == wanted
            })
            .map(|(_, spoken)| spoken)
            .max()
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
            tell(&mut again, one);
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
    fn an_ended_task_keeps_no_seat(told in history()) {
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
        told.sort_by_key(|told| match told {
            Told::Fact(fact) => fact.at,
            Told::Word(word) => word.at,
        });
        for (place, told) in (0..).zip(&mut told) {
            match told {
                Told::Word(Word { heard: Heard::Message { index, .. }, .. }) => *index = place,
                Told::Word(Word { heard: Heard::Placed { version, .. }, .. }) => *version = place,
                Told::Word(_) | Told::Fact(_) => {}
            }
        }
        let mut kept = fold([]);
        for place in order {
            match &told[place] {
                Told::Fact(fact) => kept.absorb(fact),
                Told::Word(word) => kept.absorb_activity(std::slice::from_ref(word), &pairs()),
            }
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
