//! The laws of the fold, each a property named as the law.
//!
//! The universe is small (one channel, four tasks, a few moments) so that cases collide:
//! equal times, late echoes, two ends of one task.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{
    Channel, ChannelSid, Cleanup, End, Fact, FactKind, FailureReason, Interaction, Outcome,
    Platform, Policy, Progress, Queue, Row, Stage, Step, SweepDecision, TaskFact, TaskSid,
    TaskState, Timestamp, decide_sweep,
};
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn channel_sid() -> ChannelSid {
    format!("CH{}", "1".repeat(32)).parse().unwrap()
}

fn task_sid(n: u8) -> TaskSid {
    format!("WT{n:032x}").parse().unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn interaction(n: u8) -> Interaction {
    Interaction {
        sid: format!("KD{n:032x}").parse().unwrap(),
        channel: format!("UO{n:032x}").parse().unwrap(),
    }
}

fn any_state() -> impl Strategy<Value = TaskState> {
    prop_oneof![
        5 => prop::sample::select(vec![Stage::Waiting, Stage::Assigned, Stage::Wrapping]).prop_map(TaskState::Open),
        4 => prop::sample::select(vec![End::Completed, End::Vanished, End::Canceled, End::Deleted, End::SystemDeleted])
            .prop_map(TaskState::Ended),
        1 => Just(TaskState::SeenOpen),
    ]
}

fn any_fact() -> impl Strategy<Value = Fact> {
    (
        0..4u8,
        0..8i64,
        prop::option::of(0..4i64),
        prop::option::of(1..3u8),
        any_state(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(task, minute, opened, number, state, conversation)| Fact {
            channel: channel_sid(),
            platform: if conversation {
                Platform::Conversations
            } else {
                Platform::Chat
            },
            at: at(minute * MINUTE),
            kind: FactKind::Task(TaskFact {
                task: task_sid(task),
                state,
                opened_at: opened.map(|minute| at(minute * MINUTE)),
                interaction: number.map(interaction),
            }),
        })
}

fn history() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec(any_fact(), 0..14)
}

fn fold(facts: &[Fact]) -> Channel {
    let mut channel = Channel::new(channel_sid(), Platform::Chat);
    for fact in facts {
        channel.absorb(fact);
    }
    channel
}

/// Returns the truth of each task, worked out from all its facts at once and in another way than
/// the fold does it.
fn oracle(facts: &[Fact]) -> BTreeMap<TaskSid, (bool, Option<(Timestamp, End)>)> {
    let mut tasks: BTreeMap<TaskSid, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        tasks.entry(fact.task().unwrap()).or_default().push(fact);
    }
    tasks
        .into_iter()
        .map(|(task, facts)| {
            let mut ends: Vec<(Timestamp, End)> = facts
                .iter()
                .filter_map(|fact| match fact.state()? {
                    TaskState::Ended(how) => Some((fact.at, how)),
                    TaskState::Open(_) | TaskState::SeenOpen => None,
                })
                .collect();
            ends.sort();
            (task, (ends.is_empty(), ends.first().copied()))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_does_not_matter(facts in history().prop_shuffle().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle()))) {
        let (one, other) = facts;
        prop_assert_eq!(fold(&one), fold(&other));
    }

    #[test]
    fn repeats_do_not_matter(facts in history(), repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let mut repeated = facts.clone();
        if !facts.is_empty() {
            repeated.extend(repeats.iter().map(|index| index.get(&facts).clone()));
        }
        prop_assert_eq!(fold(&facts), fold(&repeated));
    }

    #[test]
    fn a_fact_that_is_known_changes_nothing(facts in history()) {
        let channel = fold(&facts);
        for fact in &facts {
            let mut again = channel.clone();
            again.absorb(fact);
            prop_assert_eq!(&again, &channel);
        }
    }

    #[test]
    fn merge_equals_the_fold_of_both(facts in history(), split in any::<prop::sample::Index>()) {
        let (left, right) = facts.split_at(if facts.is_empty() { 0 } else { split.index(facts.len()) });
        prop_assert_eq!(fold(left).merge(&fold(right)), fold(&facts));
        prop_assert_eq!(fold(right).merge(&fold(left)), fold(&facts));
    }

    #[test]
    fn the_oracle_agrees(facts in history()) {
        let channel = fold(&facts);
        let expected = oracle(&facts);
        let actual: BTreeMap<_, _> = channel
            .tasks()
            .iter()
            .map(|(sid, task)| (*sid, (task.ended.is_none(), task.ended.map(|end| (end.at, end.how)))))
            .collect();
        prop_assert_eq!(&actual, &expected);

        let anybody_open = expected.values().any(|(open, _)| *open);
        let newest = expected.values().filter_map(|(_, end)| *end).map(|(at, _)| at).max();
        prop_assert_eq!(channel.idle().map(|idle| idle.since), if anybody_open { None } else { newest });
    }

    #[test]
    fn an_ended_task_never_re_opens(facts in history(), later in history()) {
        let before = fold(&facts);
        let mut after = before.clone();
        for fact in &later {
            after.absorb(fact);
        }
        for (sid, task) in before.tasks() {
            if let Some(ended) = task.ended {
                let now = after.tasks()[sid].ended.unwrap();
                prop_assert!(now <= ended, "an end only ever becomes an earlier end");
            }
        }
    }

    #[test]
    fn a_channel_with_an_open_task_is_never_closed(facts in history(), days in 0..40i64) {
        let channel = fold(&facts);
        if channel.open_tasks().next().is_some() {
            let decision = decide_sweep(&channel, &Policy::default(), at(days * DAY));
            prop_assert!(
                decision != SweepDecision::Look,
                "{decision:?}"
            );
        }
    }

    #[test]
    fn more_time_never_makes_a_due_channel_undue(facts in history(), minutes in 0..10_000i64, more in 0..10_000i64) {
        let channel = fold(&facts);
        let due = |decision: SweepDecision| !matches!(decision, SweepDecision::Wait(_) | SweepDecision::Nothing);
        let early = decide_sweep(&channel, &Policy::default(), at(minutes * MINUTE));
        let late = decide_sweep(&channel, &Policy::default(), at((minutes + more) * MINUTE));
        prop_assert!(!due(early) || due(late));
    }

    #[test]
    fn what_is_stored_is_what_is_read(facts in history()) {
        let channel = fold(&facts);
        let text = serde_json::to_string(&channel).unwrap();
        prop_assert_eq!(serde_json::from_str::<Channel>(&text).unwrap(), channel);
    }

    #[test]
    fn echoes_of_forgotten_tasks_are_harmless(facts in history()) {
        let mut channel = fold(&facts);
        if channel.idle().is_none() {
            return Ok(());
        }
        channel.note_progress(
            Progress::Done { step: Step::Close, at: at(3 * DAY), outcome: Outcome::Written },
            at(3 * DAY),
        );
        prop_assert_eq!(channel.tasks().len(), 1, "all but the last to end are forgotten");
        for echo in &facts {
            let mut after = channel.clone();
            after.absorb(echo);
            prop_assert_eq!(after.tasks().len(), 1);
            prop_assert_eq!(after.queue_entry(), None, "an echo wakes nobody");
        }
    }
}

#[test]
fn forgetting_spares_open_tasks_and_the_last_end() {
    let mut channel = Channel::new(channel_sid(), Platform::Chat);
    for n in 0..20 {
        let ended = at(i64::from(n) * DAY);
        channel.absorb(&fact(task_sid(n), ended, TaskState::Ended(End::Completed)));
    }
    let now = at(25 * DAY);
    channel.note_progress(
        Progress::Done {
            step: Step::Release,
            at: now,
            outcome: Outcome::Written,
        },
        now,
    );
    assert_eq!(channel.tasks().len(), 1);
    assert_eq!(channel.idle().unwrap().since, at(19 * DAY));

    channel.absorb(&fact(task_sid(30), now, TaskState::Open(Stage::Waiting)));
    assert_eq!(channel.open_tasks().count(), 1);
    assert_eq!(
        channel.queue_entry(),
        None,
        "a new contact is an ordinary open channel"
    );
}

#[test]
fn failures_back_off_and_end_in_failed() {
    let mut channel = Channel::new(channel_sid(), Platform::Chat);
    channel.absorb(&fact(task_sid(1), at(0), TaskState::Ended(End::Completed)));
    let mut now = at(DAY);
    for tries in 1.. {
        channel.note_failure(FailureReason::Refused, now);
        let Some(waiting) = channel.queue_entry() else {
            assert_eq!(tries, domain::cleanup::MAX_TRIES);
            break;
        };
        assert_eq!(waiting.since, now.plus(Cleanup::back_off(tries)));
        now = waiting.since;
    }
    assert_eq!(
        decide_sweep(
            &channel,
            &Policy::default(),
            now.plus(Duration::from_secs(1 << 30))
        ),
        SweepDecision::Nothing
    );

    channel.absorb(&fact(task_sid(2), now, TaskState::Ended(End::Completed)));
    assert!(channel.queue_entry().is_some(), "a new task is a new start");
}

#[test]
fn a_session_that_cannot_be_ended_is_not_tried_for_ever() {
    let mut channel = Channel::new(channel_sid(), Platform::Chat);
    channel.absorb(&fact(task_sid(1), at(0), TaskState::Ended(End::Completed)));
    let outcome = Outcome::Written;
    channel.note_progress(
        Progress::Done {
            step: Step::Close,
            at: at(DAY),
            outcome,
        },
        at(DAY),
    );
    channel.expect_session_end(format!("KC{:032x}", 1).parse().unwrap(), at(DAY));
    let mut tries = 0;
    while let Some(waiting) = channel.queue_entry() {
        tries += 1;
        channel.note_session_failure(waiting.since);
    }
    assert_eq!(tries, domain::cleanup::MAX_TRIES);
    assert!(
        channel.closed_at().is_some(),
        "the channel itself stays closed"
    );
}

#[test]
fn attributes_that_are_no_object_are_given_up_at_once() {
    let mut channel = Channel::new(channel_sid(), Platform::Chat);
    channel.absorb(&fact(task_sid(1), at(0), TaskState::Ended(End::Completed)));
    channel.note_failure(FailureReason::AttributesNotAnObject, at(DAY));
    assert_eq!(channel.queue_entry(), None);
}

#[test]
fn what_was_observed_is_due_at_once_and_forgotten_by_any_other_end() {
    let mut channel = Channel::new(channel_sid(), Platform::Chat);
    channel.absorb(&fact(task_sid(1), at(0), TaskState::Ended(End::Completed)));
    let policy = Policy::default();
    let observed = |channel: &Channel| {
        let entry = channel.queue_entry().unwrap();
        (entry.queue == Queue::Observed).then_some(entry.since)
    };
    assert!(channel.note_observed(at(DAY)), "news");
    assert_eq!(observed(&channel), Some(at(DAY)));
    assert_eq!(
        decide_sweep(&channel, &policy, at(DAY)),
        SweepDecision::Look
    );
    assert!(!channel.note_observed(at(2 * DAY)), "no news");
    assert_eq!(observed(&channel), Some(at(2 * DAY)));
    let merged = channel.clone().merge(&channel);
    assert_eq!(merged, channel);

    let ends: [fn(&mut Channel); 4] = [
        |channel| channel.note_left(Row::ChatCompleted, None, at(3 * DAY)),
        |channel| channel.note_failure(FailureReason::Refused, at(3 * DAY)),
        |channel| {
            let progress = Progress::Done {
                step: Step::Release,
                at: at(3 * DAY),
                outcome: Outcome::Written,
            };
            channel.note_progress(progress, at(3 * DAY));
        },
        |channel| {
            channel.absorb(&fact(
                task_sid(2),
                at(3 * DAY),
                TaskState::Ended(End::Completed),
            ))
        },
    ];
    for end in ends {
        let mut channel = channel.clone();
        end(&mut channel);
        assert_eq!(observed(&channel), None);
        assert!(channel.note_observed(at(4 * DAY)), "news again");
    }
}

fn fact(task: TaskSid, at: Timestamp, state: TaskState) -> Fact {
    Fact {
        channel: channel_sid(),
        platform: Platform::Chat,
        at,
        kind: FactKind::Task(TaskFact {
            task,
            state,
            opened_at: None,
            interaction: None,
        }),
    }
}
