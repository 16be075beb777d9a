//! The decision table, written out: every cell of (what ended it, long-lived, what was done,
//! age) for an idle channel, and every way a channel can be open.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

use domain::decide::LastStep;
use domain::manual::UNTIL_RELEASED;
use domain::{
    Channel, ChannelSid, Decision, End, Fact, FailureReason, News, Outcome, Platform, Policy,
    Progress, Queue, Remedy, Seen, Stage, TaskSid, Timestamp, decide, remedy,
};

const ENDS: [End; 5] = [
    End::Completed,
    End::Vanished,
    End::Canceled,
    End::Deleted,
    End::SystemDeleted,
];

/// What had been done about the idle period.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Done {
    Nothing,
    Released,
    Closed,
    Failed,
    Refused,
    ClosedWithSession,
}

/// How long the channel has been idle, in the order of the cutoffs.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Age {
    BeforeItEnded,
    Fresh,
    PastAbandoned,
    PastEnded,
    PastLongLived,
}

const AGES: [Age; 5] = [
    Age::BeforeItEnded,
    Age::Fresh,
    Age::PastAbandoned,
    Age::PastEnded,
    Age::PastLongLived,
];

const DONE: [Done; 6] = [
    Done::Nothing,
    Done::Released,
    Done::Closed,
    Done::Failed,
    Done::Refused,
    Done::ClosedWithSession,
];

/// What is decided, without the reason.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Nothing,
    Wait(Queue),
    Release,
    Reset,
    EndSession,
    Inspect,
    /// What an idle channel never is, nor one of which no talk was heard.
    Move,
}

fn cell(decision: Decision) -> Cell {
    match decision {
        Decision::Nothing => Cell::Nothing,
        Decision::Wait(waiting) => Cell::Wait(waiting.queue),
        Decision::Release(_) => Cell::Release,
        Decision::Reset(_) => Cell::Reset,
        Decision::EndSession(_) => Cell::EndSession,
        Decision::Inspect(_) => Cell::Inspect,
        Decision::InstallWebhook | Decision::Park(_) | Decision::Unpark(_) => Cell::Move,
    }
}

fn sid<T: std::str::FromStr>(prefix: &str, n: u8) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("{prefix}{:032x}", n).parse().unwrap()
}

const ENDED_AT: Timestamp = Timestamp::from_millis(1_000_000_000_000);

fn fact(task: u8, at: Timestamp, news: News, platform: Platform) -> Fact {
    Fact {
        channel: sid::<ChannelSid>("CH", 1),
        platform,
        at,
        task: sid::<TaskSid>("WT", task),
        opened_at: None,
        interaction: None,
        news,
    }
}

fn idle_channel(platform: Platform, how: End, long_lived: Option<bool>, done: Done) -> Channel {
    let mut channel = Channel::new(sid("CH", 1), platform);
    channel.absorb(&fact(1, ENDED_AT, News::Ended(how), platform));
    if let Some(long_lived) = long_lived {
        channel.observe_long_lived(long_lived, ENDED_AT);
    }
    let outcome = Outcome::Written;
    match done {
        Done::Nothing => {}
        Done::Released => channel.note_progress(
            Progress::Released {
                at: ENDED_AT,
                outcome,
            },
            ENDED_AT,
        ),
        Done::Closed => channel.note_progress(
            Progress::Closed {
                at: ENDED_AT,
                outcome,
            },
            ENDED_AT,
        ),
        Done::Failed => channel.note_failure(FailureReason::AttributesNotAnObject, ENDED_AT),
        Done::ClosedWithSession => {
            channel.note_progress(
                Progress::Closed {
                    at: ENDED_AT,
                    outcome,
                },
                ENDED_AT,
            );
            channel.expect_session_end(sid("KC", 1), ENDED_AT);
        }
        // Tried as it ended, to be tried again a minute later.
        Done::Refused => channel.note_failure(FailureReason::Refused, ENDED_AT),
    }
    channel
}

fn now(age: Age) -> Timestamp {
    let policy = Policy::default();
    match age {
        Age::BeforeItEnded => ENDED_AT.minus(Duration::from_secs(600)),
        Age::Fresh => ENDED_AT.plus(Duration::from_secs(59)),
        Age::PastAbandoned => ENDED_AT.plus(policy.abandoned_cutoff),
        Age::PastEnded => ENDED_AT.plus(policy.ended_cutoff),
        Age::PastLongLived => ENDED_AT.plus(policy.long_lived_cutoff),
    }
}

/// The table as a person would say it, in another order than the code decides it.
fn expected(platform: Platform, how: End, long_lived: Option<bool>, done: Done, age: Age) -> Cell {
    let class = match how {
        End::Completed | End::Vanished => Queue::Ended,
        End::Canceled | End::Deleted | End::SystemDeleted => Queue::Abandoned,
    };
    let first_cutoff = if class == Queue::Ended {
        Age::PastEnded
    } else {
        Age::PastAbandoned
    };
    let full = match (platform, long_lived) {
        (Platform::Conversations, _) | (Platform::Chat, Some(true))
            if age >= Age::PastLongLived =>
        {
            Cell::Reset
        }
        (Platform::Conversations | Platform::Chat, _) => Cell::Release,
    };
    match done {
        Done::Closed | Done::Failed => Cell::Nothing,
        Done::Nothing if age < first_cutoff => Cell::Wait(class),
        Done::Nothing => full,
        Done::Released if age < Age::PastLongLived => Cell::Wait(Queue::LongLived),
        Done::Released => Cell::Reset,
        Done::Refused if age < Age::PastAbandoned => Cell::Wait(Queue::Retry),
        Done::Refused => full,
        Done::ClosedWithSession if age < Age::PastAbandoned => Cell::Wait(Queue::Retry),
        Done::ClosedWithSession => Cell::EndSession,
    }
}

#[test]
fn every_cell_of_an_idle_channel() {
    let mut cells = 0;
    for platform in [Platform::Chat, Platform::Conversations] {
        for how in ENDS {
            for long_lived in [None, Some(false), Some(true)] {
                for done in DONE {
                    for age in AGES {
                        let channel = idle_channel(platform, how, long_lived, done);
                        let decision = decide(&channel, &Policy::default(), now(age));
                        assert_eq!(
                            cell(decision),
                            expected(platform, how, long_lived, done, age),
                            "{platform:?} {how:?} long_lived={long_lived:?} {done:?} {age:?}"
                        );
                        cells += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cells, 2 * 5 * 3 * 6 * 5, "a new case needs its cells");
}

/// A hold changes every cell in the same way: nothing while it lasts, and what the table says
/// as soon as it is over.
#[test]
fn every_cell_of_a_held_channel() {
    for how in ENDS {
        for long_lived in [None, Some(false), Some(true)] {
            for done in DONE {
                for age in AGES {
                    let free = idle_channel(Platform::Chat, how, long_lived, done);
                    let now = now(age);
                    let until = now.plus(Duration::from_millis(1));
                    let decide_at = |channel: &Channel, at| decide(channel, &Policy::default(), at);

                    let mut held = free.clone();
                    held.hold(until);
                    let cell_held = cell(decide_at(&held, now));
                    let waits = free.queue_entry().is_some();
                    let wanted = if waits {
                        Cell::Wait(Queue::Retry)
                    } else {
                        Cell::Nothing
                    };
                    assert_eq!(cell_held, wanted, "{how:?} {done:?} {age:?}");
                    let until_its_end = waits.then_some((Queue::Retry, until));
                    let waiting = held
                        .queue_entry()
                        .map(|waiting| (waiting.queue, waiting.since));
                    assert_eq!(waiting, until_its_end, "it waits for the end of the hold");

                    assert_eq!(decide_at(&held, until), decide_at(&free, until), "over");
                    held.end_hold(now);
                    assert!(held.held(now).is_some(), "not over yet");
                    held.end_hold(until);
                    assert_eq!(held, free, "and nothing of it is left");

                    held.hold(UNTIL_RELEASED);
                    assert_eq!(held.queue_entry(), None, "it waits in no queue");
                    assert!(matches!(
                        cell(decide_at(&held, until)),
                        Cell::Wait(_) | Cell::Nothing
                    ));
                    held.release_hold();
                    assert_eq!(held, free);
                }
            }
        }
    }
}

#[test]
fn what_was_given_up_or_closed_by_hand_begins_again() {
    for done in DONE {
        let mut channel = idle_channel(Platform::Chat, End::Completed, None, done);
        assert_eq!(channel.given_up().is_some(), done == Done::Failed);
        channel.begin_cleanup_again();
        let untouched = idle_channel(Platform::Chat, End::Completed, None, Done::Nothing);
        assert_eq!(channel.queue_entry(), untouched.queue_entry(), "{done:?}");
    }
}

#[test]
fn every_way_to_be_open() {
    let opened = ENDED_AT.minus(Duration::from_secs(60));
    let inspect_after = Policy::default().inspect_after;
    let just_before = inspect_after - Duration::from_millis(1);

    // One open task and nothing else: nothing waits, however long it takes.
    for stage in [Stage::Waiting, Stage::Assigned, Stage::Wrapping] {
        let mut channel = Channel::new(sid("CH", 1), Platform::Chat);
        channel.absorb(&fact(2, opened, News::Open(stage), Platform::Chat));
        for age in AGES {
            assert_eq!(
                decide(&channel, &Policy::default(), now(age)),
                Decision::Nothing
            );
        }
    }

    // It was open when another one ended: inspected, and again after each look.
    let mut transfer = idle_channel(Platform::Chat, End::Completed, None, Done::Nothing);
    transfer.absorb(&fact(
        2,
        opened,
        News::Open(Stage::Assigned),
        Platform::Chat,
    ));
    let decide_at = |channel: &Channel, at| cell(decide(channel, &Policy::default(), at));
    assert_eq!(
        decide_at(&transfer, ENDED_AT.plus(just_before)),
        Cell::Wait(Queue::Inspect)
    );
    let looked_at = ENDED_AT.plus(inspect_after);
    assert_eq!(decide_at(&transfer, looked_at), Cell::Inspect);
    transfer.absorb(&fact(2, looked_at, News::SeenOpen, Platform::Chat));
    assert_eq!(decide_at(&transfer, looked_at), Cell::Wait(Queue::Inspect));
    assert_eq!(
        decide_at(&transfer, looked_at.plus(inspect_after)),
        Cell::Inspect
    );

    // A look that found it gone ends it, and the channel is idle.
    transfer.absorb(&fact(
        2,
        looked_at,
        News::Ended(End::Vanished),
        Platform::Chat,
    ));
    assert_eq!(decide_at(&transfer, looked_at), Cell::Wait(Queue::Ended));

    // It was opened after the last end: the next contact, and nothing to inspect.
    let mut revived = idle_channel(Platform::Chat, End::Completed, Some(true), Done::Released);
    let later = ENDED_AT.plus(Duration::from_secs(1));
    revived.absorb(&fact(3, later, News::Open(Stage::Waiting), Platform::Chat));
    assert_eq!(decide_at(&revived, now(Age::PastLongLived)), Cell::Nothing);

    // And when that one ends, the clock starts again.
    let again = now(Age::PastLongLived);
    revived.absorb(&fact(3, again, News::Ended(End::Completed), Platform::Chat));
    assert_eq!(decide_at(&revived, again), Cell::Wait(Queue::Ended));
}

#[test]
fn equal_times_never_lean_towards_closing() {
    // One task ends in the millisecond in which another is created.
    let mut channel = idle_channel(Platform::Chat, End::Canceled, None, Done::Nothing);
    channel.absorb(&fact(
        2,
        ENDED_AT,
        News::Open(Stage::Waiting),
        Platform::Chat,
    ));
    assert!(channel.idle().is_none());

    // Two tasks end in the same millisecond: the longer patience counts.
    let mut channel = idle_channel(Platform::Chat, End::Canceled, None, Done::Nothing);
    channel.absorb(&fact(
        2,
        ENDED_AT,
        News::Ended(End::Completed),
        Platform::Chat,
    ));
    assert_eq!(channel.queue_entry().unwrap().queue, Queue::Ended);
}

#[test]
fn every_remedy() {
    let policy = Policy::default();
    let leave = Policy {
        release_long_lived: false,
        ..Policy::default()
    };
    let seen = |long_lived, inactive| Seen {
        long_lived,
        inactive,
    };
    let table = [
        (
            LastStep::No,
            seen(false, false),
            &policy,
            Remedy::Inactivate,
        ),
        (
            LastStep::No,
            seen(false, true),
            &policy,
            Remedy::LeaveClosed,
        ),
        (LastStep::No, seen(true, false), &policy, Remedy::Release),
        (
            LastStep::No,
            seen(true, true),
            &policy,
            Remedy::LeaveReleased(Outcome::AlreadyClean),
        ),
        (LastStep::No, seen(false, false), &leave, Remedy::Inactivate),
        (LastStep::No, seen(false, true), &leave, Remedy::LeaveClosed),
        (
            LastStep::No,
            seen(true, false),
            &leave,
            Remedy::LeaveReleased(Outcome::LeftAlone),
        ),
        (
            LastStep::No,
            seen(true, true),
            &leave,
            Remedy::LeaveReleased(Outcome::LeftAlone),
        ),
        (
            LastStep::Yes,
            seen(false, false),
            &policy,
            Remedy::Inactivate,
        ),
        (
            LastStep::Yes,
            seen(false, true),
            &policy,
            Remedy::LeaveClosed,
        ),
        (LastStep::Yes, seen(true, false), &policy, Remedy::Reset),
        (LastStep::Yes, seen(true, true), &policy, Remedy::Reset),
        (
            LastStep::Yes,
            seen(false, false),
            &leave,
            Remedy::Inactivate,
        ),
        (
            LastStep::Yes,
            seen(false, true),
            &leave,
            Remedy::LeaveClosed,
        ),
        (LastStep::Yes, seen(true, false), &leave, Remedy::Reset),
        (LastStep::Yes, seen(true, true), &leave, Remedy::Reset),
    ];
    for (step, seen, policy, expected) in table {
        assert_eq!(remedy(step, seen, policy), expected, "{step:?} {seen:?}");
    }
}
