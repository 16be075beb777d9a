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
    Author, AuthorDigest, Channel, ChannelSid, End, Fact, Heard, News, Platform, Queue, Stage,
    TaskPlacement, TaskSid, Timestamp, Word,
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
    let stand = (1..3u8, any::<bool>()).prop_map(|(n, inactive)| TaskPlacement {
        task_channel: format!("TC{n:032x}").parse().unwrap(),
        inactive,
    });
    prop_oneof![
        4 => (author, 0..4u32).prop_map(|(author, index)| Heard::Message { author, index }),
        2 => (0..3u8, 0..10u8, prop::option::of(0..10u8)).prop_map(|(task, one, other)| Heard::Accepted {
            task: task_sid(task),
            worker: Some(format!("WK{one:032x}").parse().unwrap()),
            identities: [Some(voice(one)), other.map(voice)],
        }),
        2 => (0..3u8, 0..3u32, stand).prop_map(|(task, version, stand)| Heard::Placed {
            task: task_sid(task),
            version,
            placement: stand,
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
        Told::Word(word) => channel.hear(word),
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
            Heard::Accepted { identities, .. } => agents.extend(identities.into_iter().flatten()),
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

    /// Words in their order lose nothing that counts, though most of them are not written.
    #[test]
    fn heeding_words_in_order_waits_for_the_same(told in history()) {
        if oracle(&told).is_none() {
            return Ok(());
        }
        let mut told = told;
        told.sort_by_key(|told| match told {
            Told::Fact(fact) => (fact.at, 0, 0),
            Told::Word(word) => match word.heard {
                Heard::Message { index, .. } => (word.at, 2, index),
                Heard::Placed { version, .. } => (word.at, 1, version),
                // Who the agents are is known before they speak.
                Heard::Accepted { .. } => (at(-1), 0, 0),
            },
        });
        for (place, told) in (0..).zip(&mut told) {
            if let Told::Word(Word { heard: Heard::Message { index, .. }, .. }) = told {
                *index = place;
            }
        }
        let opened = Told::Fact(Fact {
            channel: channel_sid(),
            platform: Platform::Conversations,
            at: at(-1),
            task: task_sid(9),
            opened_at: None,
            interaction: None,
            news: News::Open(Stage::Assigned),
        });
        let mut heeding = fold([&opened]);
        let mut hearing = fold([&opened]);
        for one in &told {
            match one {
                Told::Fact(fact) => heeding.absorb(fact),
                Told::Word(word) => heeding.absorb_activity(std::slice::from_ref(word)),
            }
            tell(&mut hearing, one);
            let side = |channel: &Channel| channel.activity().last_message().map(|(side, _)| side);
            prop_assert_eq!(side(&heeding), side(&hearing));
            // When somebody was parked is of no account: the way back is due at once.
            let waits = |channel: &Channel| {
                let waiting = channel.queue_entry()?;
                Some((waiting.queue, (waiting.queue == Queue::Park).then_some(waiting.since)))
            };
            prop_assert_eq!(waits(&heeding), waits(&hearing));
        }
    }
}
