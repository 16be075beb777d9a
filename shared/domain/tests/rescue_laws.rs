//! The rescue in a record is a join, and the decision never makes a second task for one message.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

use domain::rescue::ANNOUNCEMENT_LIFE;
use domain::{
    Channel, ChannelSid, ChatState, Evidence, InteractionStatus, LastMessage, NotRescued, Party,
    Platform, RescueDecision, RescueState, RescueWay, Row, TaskSid, Timestamp, decide_rescue,
};
use proptest::prelude::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn task() -> TaskSid {
    format!("WT{:032x}", 1).parse().unwrap()
}

fn record() -> Channel {
    let sid: ChannelSid = format!("CH{}", "1".repeat(32)).parse().unwrap();
    Channel::new(sid, Platform::Chat)
}

fn message(index: u32, millis: i64) -> LastMessage {
    LastMessage {
        author: Party::Customer,
        at: at(millis),
        index,
    }
}

fn active() -> Evidence {
    Evidence {
        chat: Some(ChatState::Present {
            long_lived: false,
            inactive: false,
        }),
        ..Evidence::default()
    }
}

fn any_record() -> impl Strategy<Value = Channel> {
    (0..3u32, 0..3i64, 0..5u8).prop_map(|(index, minute, end)| {
        let mut channel = record();
        if end > 0 {
            channel.announce_rescue(message(index, 0), at(minute));
        }
        match end {
            2 => channel.withdraw_rescue(),
            3 => channel.note_not_rescued(),
            4 => channel.note_rescued(task()),
            _ => {}
        }
        channel
    })
}

fn decide(
    channel: &Channel,
    evidence: &Evidence,
    row: Row,
    index: u32,
    now: i64,
) -> RescueDecision {
    decide_rescue(
        channel,
        evidence,
        row,
        message(index, 0),
        Some(DAY),
        at(now),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn joining_is_commutative_associative_and_idempotent(a in any_record(), b in any_record(), c in any_record()) {
        let join = |one: &Channel, other: &Channel| one.clone().merge(other);
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        prop_assert_eq!(join(&a, &a), a);
    }

    #[test]
    fn what_is_joined_never_wants_what_one_side_refuses(a in any_record(), b in any_record(), index in 0..3u32) {
        let joined = a.clone().merge(&b);
        let newest = a.rescue().max(b.rescue());
        prop_assert_eq!(joined.rescue(), newest);
        let done = newest.is_some_and(|rescue| {
            matches!(rescue.state, RescueState::Made(_) | RescueState::NotMade) && index <= rescue.index
        });
        let decision = decide(&joined, &active(), Row::ChatCompleted, index, 1_000_000);
        prop_assert_eq!(decision == RescueDecision::Tell(NotRescued::TriedBefore), done);
    }

    #[test]
    fn what_is_stored_is_what_is_read(channel in any_record()) {
        let text = serde_json::to_string(&channel).unwrap();
        prop_assert_eq!(serde_json::from_str::<Channel>(&text).unwrap(), channel);
    }
}

#[test]
fn an_announcement_waits_and_then_the_log_is_asked() {
    let mut channel = record();
    let make = RescueDecision::Make(RescueWay::Task);
    assert_eq!(decide(&channel, &active(), Row::ChatCompleted, 1, 0), make);
    channel.announce_rescue(message(1, 0), at(0));
    let life = i64::try_from(ANNOUNCEMENT_LIFE.as_millis()).unwrap();
    // A newer message changes nothing: the task of the announcement may still come.
    for index in [1, 2] {
        let before = decide(&channel, &active(), Row::ChatCompleted, index, life - 1);
        assert_eq!(before, RescueDecision::Wait);
        let after = decide(&channel, &active(), Row::ChatCompleted, index, life);
        let ask = RescueDecision::AskLog {
            announced_at: at(0),
            way: RescueWay::Task,
        };
        assert_eq!(after, ask);
    }
    channel.withdraw_rescue();
    assert_eq!(decide(&channel, &active(), Row::ChatCompleted, 1, 1), make);
    channel.note_rescued(task());
    let tried = RescueDecision::Tell(NotRescued::TriedBefore);
    assert_eq!(decide(&channel, &active(), Row::ChatCompleted, 1, 1), tried);
    assert_eq!(decide(&channel, &active(), Row::ChatCompleted, 2, 1), make);
}

#[test]
fn only_a_channel_that_is_active_and_nobodys_is_rescued() {
    let day = i64::try_from(DAY.as_millis()).unwrap();
    for row in Row::ALL.iter().copied() {
        let chat = matches!(
            row,
            Row::ChatAbandoned | Row::ChatCompleted | Row::ChatLongLived
        );
        let expected = match chat {
            true => RescueDecision::Make(RescueWay::Task),
            false => RescueDecision::Tell(NotRescued::NotOpen),
        };
        assert_eq!(
            decide(&record(), &active(), row, 1, day),
            expected,
            "{row:?}"
        );
        // Nothing was read: no evidence, no task.
        let blind = decide(&record(), &Evidence::default(), row, 1, 0);
        assert_eq!(blind, RescueDecision::Tell(NotRescued::NotOpen), "{row:?}");
        // The interaction of this record is not known, so no invite is possible.
        let interaction = Evidence {
            interaction: Some(InteractionStatus::Active),
            ..Evidence::default()
        };
        let why = if row == Row::AgentPresent {
            NotRescued::AgentPresent
        } else {
            NotRescued::NotOpen
        };
        assert_eq!(
            decide(&record(), &interaction, row, 1, 0),
            RescueDecision::Tell(why)
        );
    }
    let old = decide(&record(), &active(), Row::ChatCompleted, 1, day + 1);
    assert_eq!(old, RescueDecision::Tell(NotRescued::TooOld));
}
