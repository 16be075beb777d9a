//! What is held open and by whom it is left alone, row by row; and what becomes of an orphan.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

use domain::orphan::{classify, classify_closely};
use domain::{
    Cause, Channel, Decision, End, Fact, FailureReason, Held, HeldOpenBy, News, Orphan, Outcome,
    Participants, Platform, Policy, Progress, Queue, SkipReason, Stage, Timestamp, Verdict, decide,
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);
const HOLDERS: [HeldOpenBy; 2] = [HeldOpenBy::Session, HeldOpenBy::Conversation];

fn sid<T: std::str::FromStr<Err: std::fmt::Debug>>(prefix: &str) -> T {
    format!("{prefix}{:032x}", 1).parse().unwrap()
}

fn ago(hours: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(hours * 3600))
}

fn held(by: HeldOpenBy) -> Held {
    Held {
        by,
        quiet_since: Some(ago(100)),
        has_open_task: false,
        ends_sessions: true,
    }
}

fn told(news: News, at: Timestamp) -> Channel {
    let mut channel = Channel::new(sid("CH"), Platform::Chat);
    channel.absorb(&Fact {
        channel: sid("CH"),
        platform: Platform::Chat,
        at,
        task: sid("WT"),
        opened_at: None,
        interaction: None,
        news,
    });
    channel
}

fn closed(at: Timestamp) -> Channel {
    let mut channel = told(News::Ended(End::Completed), at);
    let outcome = Outcome::Written;
    channel.note_progress(Progress::Closed { at, outcome }, at);
    channel
}

fn given_up(at: Timestamp) -> Channel {
    let mut channel = told(News::Ended(End::Completed), at);
    channel.note_failure(FailureReason::AttributesNotAnObject, at);
    channel
}

#[test]
fn what_the_first_look_says() {
    let policy = Policy::default();
    for by in HOLDERS {
        let usual = held(by);
        let live = Held {
            has_open_task: true,
            ..usual
        };
        let quiet = |since| Held {
            quiet_since: since,
            ..usual
        };
        let open = told(News::Open(Stage::Waiting), ago(90));
        let ended = told(News::Ended(End::Completed), ago(90));
        let spare = Verdict::Skip;
        let rows = [
            (usual, None, Verdict::LookCloser),
            (live, None, spare(SkipReason::Live)),
            (usual, Some(open), spare(SkipReason::Live)),
            (usual, Some(ended), spare(SkipReason::Tracked)),
            (usual, Some(given_up(ago(90))), spare(SkipReason::GivenUp)),
            (quiet(None), None, spare(SkipReason::Undated)),
            (quiet(Some(ago(23))), None, spare(SkipReason::Young)),
            (quiet(Some(ago(24))), None, Verdict::LookCloser),
            (
                quiet(Some(NOW.plus(Duration::from_secs(9)))),
                None,
                spare(SkipReason::Young),
            ),
        ];
        for (held, record, expected) in rows {
            let verdict = classify(held, record.as_ref(), &policy, NOW);
            assert_eq!(verdict, expected, "{held:?} {record:?}");
        }
    }
}

#[test]
fn what_holds_a_closed_channel_open() {
    let policy = Policy::default();
    let session = held(HeldOpenBy::Session);
    let left_to_flex = Held {
        ends_sessions: false,
        ..session
    };
    let long_ago = closed(ago(1));
    let just_now = closed(NOW.minus(Duration::from_secs(59)));
    let closed = Verdict::Skip(SkipReason::Closed);
    for (held, record, expected) in [
        (session, &long_ago, Verdict::EndSession),
        (left_to_flex, &long_ago, closed),
        (session, &just_now, closed),
        (held(HeldOpenBy::Conversation), &long_ago, closed),
    ] {
        assert_eq!(
            classify(held, Some(record), &policy, NOW),
            expected,
            "{held:?}"
        );
    }
}

#[test]
fn whose_company_spares_a_channel() {
    let (session, conversation) = (held(HeldOpenBy::Session), held(HeldOpenBy::Conversation));
    let left_to_flex = Held {
        ends_sessions: false,
        ..session
    };
    for held in [session, conversation, left_to_flex] {
        assert_eq!(
            classify_closely(held, Participants::Customer),
            Verdict::Adopt
        );
        assert_eq!(
            classify_closely(held, Participants::Flow),
            Verdict::Skip(SkipReason::WithFlow)
        );
        assert_eq!(
            classify_closely(held, Participants::Strangers),
            Verdict::Skip(SkipReason::NotOurs)
        );
    }
    assert_eq!(
        classify_closely(session, Participants::Gone),
        Verdict::EndSession
    );
    for held in [conversation, left_to_flex] {
        assert_eq!(
            classify_closely(held, Participants::Gone),
            Verdict::Skip(SkipReason::Gone)
        );
    }
}

#[test]
fn an_orphan_waits_from_the_moment_in_which_it_was_found() {
    let policy = Policy::default();
    for (by, work) in [
        (HeldOpenBy::Session, Queue::Ended),
        (HeldOpenBy::Conversation, Queue::LongLived),
    ] {
        let mut channel = Channel::new(sid("CH"), by.platform());
        channel.adopt(Orphan {
            found_at: NOW,
            held_by: by,
        });
        let waiting = channel.queue_entry().unwrap();
        assert_eq!((waiting.queue, waiting.since), (work, NOW));
        assert_eq!(channel.idle().unwrap().cause, Cause::Orphaned(by));
        let cutoff = policy.cutoff(work);
        let just_before = NOW.plus(cutoff - Duration::from_millis(1));
        assert_eq!(
            decide(&channel, &policy, just_before),
            Decision::Wait(waiting)
        );
        let due = decide(&channel, &policy, NOW.plus(cutoff));
        match by {
            HeldOpenBy::Session => assert!(matches!(due, Decision::Release(_)), "{due:?}"),
            HeldOpenBy::Conversation => assert!(matches!(due, Decision::Reset(_)), "{due:?}"),
        }
    }
}

#[test]
fn a_task_on_an_orphan_keeps_it_open_and_its_end_counts() {
    let mut channel = told(News::Open(Stage::Waiting), ago(1));
    channel.adopt(Orphan {
        found_at: NOW,
        held_by: HeldOpenBy::Session,
    });
    assert_eq!(channel.queue_entry(), None, "a task is open");
    let ended = NOW.plus(Duration::from_secs(60));
    let channel = channel.merge(&told(News::Ended(End::Canceled), ended));
    let waiting = channel.queue_entry().unwrap();
    assert_eq!((waiting.queue, waiting.since), (Queue::Abandoned, ended));
}

#[test]
fn a_closed_channel_that_is_taken_up_waits_again() {
    let mut channel = closed(ago(1));
    assert_eq!(channel.queue_entry(), None);
    channel.adopt(Orphan {
        found_at: NOW,
        held_by: HeldOpenBy::Session,
    });
    assert_eq!(channel.queue_entry().unwrap().queue, Queue::Ended);
    let outcome = Outcome::AlreadyClean;
    channel.note_progress(Progress::Closed { at: NOW, outcome }, NOW);
    assert_eq!(channel.queue_entry(), None);
}

#[test]
fn taking_up_is_a_join() {
    let early = Orphan {
        found_at: ago(2),
        held_by: HeldOpenBy::Conversation,
    };
    let late = Orphan {
        found_at: NOW,
        held_by: HeldOpenBy::Session,
    };
    let record = |orphans: &[Orphan]| {
        let mut channel = told(News::Ended(End::Completed), ago(3));
        for orphan in orphans {
            channel.adopt(*orphan);
        }
        channel
    };
    let both = record(&[early, late]);
    assert_eq!(both, record(&[late, early, late]));
    assert_eq!(both, record(&[early]).merge(&record(&[late])));
    assert_eq!(both, record(&[late]).merge(&record(&[early])));
}
