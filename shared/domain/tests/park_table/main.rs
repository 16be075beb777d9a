//! The decision table of an open channel's agent, written out: every cell of (how far the task
//! is, who spoke last, where it stands, what was asked for by hand, whether we hear, age).
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod record;

use std::time::Duration;

use domain::activity::POLL_GRID;
use domain::{
    Author, AuthorDigest, Channel, End, Fact, FactKind, Pair, PairFault, Pairs, ParkDecision,
    Platform, Policy, Queue, QueueEntry, Stage, TaskFact, TaskPlacement, TaskSid, TaskState,
    Timestamp, decide_park,
};
use domain::{ManualRequest, MessageWebhook};

const NOON: Timestamp = Timestamp::from_millis(1_767_607_200_000);
const AGENT: AuthorDigest = AuthorDigest::from_digest([7; 8]);

fn sid<T: std::str::FromStr>(prefix: &str, n: u8) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("{prefix}{n:032x}").parse().unwrap()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn fact(task: u8, state: TaskState, platform: Platform, at: Timestamp) -> Fact {
    Fact {
        channel: sid("CH", 1),
        platform,
        at,
        kind: FactKind::Task(TaskFact {
            task: sid("WT", task),
            state,
            opened_at: None,
            interaction: None,
        }),
    }
}

fn told(at: Timestamp, kind: FactKind) -> Fact {
    Fact {
        channel: sid("CH", 1),
        platform: Platform::Chat,
        at,
        kind,
    }
}

fn said(author: Author, index: u32, at: Timestamp) -> Fact {
    told(at, FactKind::Message { author, index })
}

fn accepted(task: u8, at: Timestamp) -> Fact {
    let kind = FactKind::Accepted {
        task: sid("WT", task),
        worker: Some(sid("WK", 1)),
        identity: Some(AGENT),
    };
    told(at, kind)
}

fn pairs() -> Pairs {
    let (active, inactive) = (sid("TC", 1), sid("TC", 2));
    Pairs::new(vec![Pair { active, inactive }]).unwrap()
}

fn placement(parked: bool) -> TaskPlacement {
    pairs().placement(sid("TC", if parked { 2 } else { 1 }))
}

fn placed(task: u8, parked: bool, version: u32, at: Timestamp) -> Fact {
    let kind = FactKind::Placed {
        task: sid("WT", task),
        version,
        placement: placement(parked),
    };
    told(at, kind)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Last {
    Nobody,
    Customer,
    Agent,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    Active,
    BeingParked,
    Parked,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Hearing {
    Conversation,
    NotYet,
    Open,
    NoRoom,
}

/// The decision about task 1.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Nothing,
    WaitToPark,
    InstallWebhook,
    Park,
    Unpark,
}

fn cell(decision: ParkDecision) -> Cell {
    let ours: TaskSid = sid("WT", 1);
    match decision {
        ParkDecision::Nothing => Cell::Nothing,
        ParkDecision::Wait(QueueEntry {
            queue: Queue::Park, ..
        }) => Cell::WaitToPark,
        // The end of a parked task is announced in due course.
        ParkDecision::Wait(QueueEntry {
            queue: Queue::Unpark,
            since,
        }) if since == NOON.plus(seconds(23 * 3600)) => Cell::Nothing,
        ParkDecision::InstallWebhook(task) if task == ours => Cell::InstallWebhook,
        ParkDecision::Park(task) if task == ours => Cell::Park,
        ParkDecision::Unpark(task) if task == ours => Cell::Unpark,
        other @ (ParkDecision::Wait(_)
        | ParkDecision::InstallWebhook(_)
        | ParkDecision::Park(_)
        | ParkDecision::Unpark(_)
        | ParkDecision::TellExpiry(_)) => panic!("{other:?}"),
    }
}

/// A channel whose task was accepted at noon. The agent spoke ten seconds later, the customer
/// five seconds after that if last, and by hand something was asked for a second after all.
fn channel(
    stage: Stage,
    last: Last,
    place: Where,
    request: Option<ManualRequest>,
    hearing: Hearing,
) -> Channel {
    let platform = match hearing {
        Hearing::Conversation => Platform::Conversations,
        Hearing::NotYet | Hearing::Open | Hearing::NoRoom => Platform::Chat,
    };
    let mut channel = Channel::new(sid("CH", 1), platform);
    channel.absorb(&fact(1, TaskState::Open(stage), platform, NOON));
    channel.absorb(&accepted(1, NOON));
    channel.absorb(&placed(1, place == Where::Parked, 1, NOON));
    if last != Last::Nobody {
        channel.absorb(&said(
            Author::AuthorDigest(AGENT),
            1,
            NOON.plus(seconds(10)),
        ));
    }
    if last == Last::Customer {
        channel.absorb(&said(Author::Customer, 2, NOON.plus(seconds(15))));
    }
    match hearing {
        Hearing::Conversation | Hearing::NotYet => {}
        Hearing::Open => channel.note_message_webhook(sid("WT", 1), MessageWebhook::Installed),
        Hearing::NoRoom => channel.note_message_webhook(sid("WT", 1), MessageWebhook::NoRoom),
    }
    if place == Where::BeingParked {
        channel.announce_parking(sid("WT", 1), 1);
    }
    if let Some(request) = request {
        channel.note_manual_request(sid("WT", 1), request, NOON.plus(seconds(16)));
    }
    channel
}

/// The table as a person would say it.
fn expected(
    stage: Stage,
    last: Last,
    place: Where,
    request: Option<ManualRequest>,
    hearing: Hearing,
    due: bool,
) -> Cell {
    let may_be_parked = place != Where::Active;
    // An agent who parks a chat by hand has read what the customer wrote before.
    if may_be_parked && last == Last::Customer && request != Some(ManualRequest::Park) {
        return Cell::Unpark;
    }
    if hearing == Hearing::NotYet {
        return Cell::InstallWebhook;
    }
    let parkable = place != Where::Parked && stage == Stage::Assigned && hearing != Hearing::NoRoom;
    match (parkable && last == Last::Agent, due) {
        (false, _) => Cell::Nothing,
        (true, false) => Cell::WaitToPark,
        (true, true) => Cell::Park,
    }
}

#[test]
fn every_cell_of_an_open_channel() {
    let policy = Policy::default();
    let mut cells = 0;
    for stage in [Stage::Waiting, Stage::Assigned, Stage::Wrapping] {
        for last in [Last::Nobody, Last::Customer, Last::Agent] {
            for place in [Where::Active, Where::BeingParked, Where::Parked] {
                for request in [None, Some(ManualRequest::Park), Some(ManualRequest::Resume)] {
                    for hearing in [
                        Hearing::Conversation,
                        Hearing::NotYet,
                        Hearing::Open,
                        Hearing::NoRoom,
                    ] {
                        // MessagePosition at :10; taken up again by hand at :16, which counts as :20.
                        let since = if request == Some(ManualRequest::Resume) {
                            20
                        } else {
                            10
                        };
                        let due_at = NOON.plus(seconds(since)).plus(policy.park_after);
                        for (now, due) in [
                            (due_at.minus(Duration::from_millis(1)), false),
                            (due_at, true),
                        ] {
                            let channel = channel(stage, last, place, request, hearing);
                            assert_eq!(
                                cell(decide_park(&channel, &policy, now)),
                                expected(stage, last, place, request, hearing, due),
                                "{stage:?} {last:?} {place:?} {request:?} {hearing:?} due={due}"
                            );
                            cells += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cells, 3 * 3 * 3 * 3 * 4 * 2, "a new case needs its cells");
}

fn talking() -> Channel {
    channel(
        Stage::Assigned,
        Last::Agent,
        Where::Active,
        None,
        Hearing::Open,
    )
}

#[test]
fn a_channel_waits_for_one_thing_at_a_time() {
    // Task 2 ended while task 1 stays open: a reason to inspect, which yields to parking.
    let mut channel = talking();
    let ended = NOON.plus(seconds(12));
    channel.absorb(&fact(
        2,
        TaskState::Ended(End::Completed),
        Platform::Chat,
        ended,
    ));
    assert_eq!(channel.queue_entry().unwrap().queue, Queue::Park);
    channel.note_placement(sid("WT", 1), 2, placement(true));
    assert_eq!(channel.queue_entry().unwrap().queue, Queue::Inspect);
    channel.absorb(&said(Author::Customer, 2, NOON.plus(seconds(800))));
    assert_eq!(channel.queue_entry().unwrap().queue, Queue::Unpark);

    // Of two tasks, the one whose customer waits comes first; when all have ended, closing.
    channel.absorb(&fact(
        3,
        TaskState::Open(Stage::Assigned),
        Platform::Chat,
        NOON,
    ));
    channel.absorb(&accepted(3, NOON));
    let decision = decide_park(&channel, &Policy::default(), NOON.plus(seconds(800)));
    assert_eq!(decision, ParkDecision::Unpark(sid("WT", 1)));
    for task in [1, 3] {
        let over = NOON.plus(seconds(900));
        channel.absorb(&fact(
            task,
            TaskState::Ended(End::Completed),
            Platform::Chat,
            over,
        ));
    }
    assert_eq!(channel.queue_entry().unwrap().queue, Queue::Ended);
    assert_eq!(channel.parking(sid("WT", 1)), None);
}

#[test]
fn what_is_announced_is_parked_again_unless_the_customer_was_faster() {
    let late = NOON.plus(seconds(700));
    let mut channel = talking();
    channel.announce_parking(sid("WT", 1), 1);
    let decision = decide_park(&channel, &Policy::default(), late);
    assert_eq!(cell(decision), Cell::Park, "a parker who died");
    channel.absorb(&said(Author::Customer, 2, late));
    let decision = decide_park(&channel, &Policy::default(), late);
    assert_eq!(cell(decision), Cell::Unpark);
}

#[test]
fn failures_wait_for_longer_and_never_for_ever() {
    let policy = Policy::default();
    let task = sid("WT", 1);
    let mut channel = talking();
    let now = NOON.plus(seconds(700));
    channel.note_not_parked(task, now);
    assert_eq!(channel.queue_entry().unwrap().since, now);
    let again = now.plus(policy.park_after);
    assert_eq!(cell(decide_park(&channel, &policy, again)), Cell::Park);

    channel.note_placement(task, 2, placement(true));
    channel.absorb(&said(Author::Customer, 2, again));
    let mut now = again;
    let mut waits = Vec::new();
    for _ in 0..8 {
        assert_eq!(cell(decide_park(&channel, &policy, now)), Cell::Unpark);
        channel.note_not_moved_back(task, now);
        let next = channel.queue_entry().unwrap().since;
        waits.push(next.since(now).as_secs());
        now = next;
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 600, 600]);
}
