//! The decision table of an open channel's agent, written out: every cell of (how far the task
//! is, who spoke last, where it stands, what was asked for by hand, whether we hear, age).
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

use domain::activity::POLL_GRID;
use domain::{
    Author, AuthorDigest, Channel, End, Fact, Heard, News, Pair, PairFault, Pairs, ParkDecision,
    Platform, Policy, Queue, QueueEntry, Stage, TaskPlacement, TaskSid, Timestamp, Word,
    decide_park,
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

fn fact(task: u8, news: News, platform: Platform, at: Timestamp) -> Fact {
    Fact {
        channel: sid("CH", 1),
        platform,
        at,
        task: sid("WT", task),
        opened_at: None,
        interaction: None,
        news,
    }
}

fn word(at: Timestamp, heard: Heard) -> Word {
    Word {
        channel: sid("CH", 1),
        platform: Platform::Chat,
        at,
        heard,
    }
}

fn said(author: Author, index: u32, at: Timestamp) -> Word {
    word(at, Heard::Message { author, index })
}

fn accepted(task: u8, at: Timestamp) -> Word {
    let heard = Heard::Accepted {
        task: sid("WT", task),
        worker: Some(sid("WK", 1)),
        identities: [Some(AGENT), None],
    };
    word(at, heard)
}

fn stand(inactive: bool) -> TaskPlacement {
    TaskPlacement {
        task_channel: sid("TC", if inactive { 2 } else { 1 }),
        inactive,
    }
}

fn stands(task: u8, inactive: bool, at: Timestamp) -> Word {
    let heard = Heard::Placed {
        task: sid("WT", task),
        version: 1,
        placement: stand(inactive),
    };
    word(at, heard)
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
    Deaf,
}

/// What is decided about task 1.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Nothing,
    WaitToPark,
    Listen,
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
        ParkDecision::InstallWebhook => Cell::Listen,
        ParkDecision::Park(task) if task == ours => Cell::Park,
        ParkDecision::Unpark(task) if task == ours => Cell::Unpark,
        other @ (ParkDecision::Wait(_) | ParkDecision::Park(_) | ParkDecision::Unpark(_)) => {
            panic!("{other:?}")
        }
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
        Hearing::NotYet | Hearing::Open | Hearing::Deaf => Platform::Chat,
    };
    let mut channel = Channel::new(sid("CH", 1), platform);
    channel.absorb(&fact(1, News::Open(stage), platform, NOON));
    channel.hear(&accepted(1, NOON));
    channel.hear(&stands(1, place == Where::Parked, NOON));
    if last != Last::Nobody {
        channel.hear(&said(
            Author::AuthorDigest(AGENT),
            1,
            NOON.plus(seconds(10)),
        ));
    }
    if last == Last::Customer {
        channel.hear(&said(Author::Customer, 2, NOON.plus(seconds(15))));
    }
    match hearing {
        Hearing::Conversation | Hearing::NotYet => {}
        Hearing::Open => channel.note_message_webhook(MessageWebhook::Installed),
        Hearing::Deaf => channel.note_message_webhook(MessageWebhook::NoRoom),
    }
    if place == Where::BeingParked {
        channel.note_parking(sid("WT", 1), NOON.plus(seconds(15)));
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
        return Cell::Listen;
    }
    let parkable = place != Where::Parked && stage == Stage::Assigned && hearing != Hearing::Deaf;
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
                        Hearing::Deaf,
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
    channel.absorb(&fact(2, News::Ended(End::Completed), Platform::Chat, ended));
    assert_eq!(channel.queue_entry().unwrap().queue, Queue::Park);
    channel.note_placement(sid("WT", 1), NOON.plus(seconds(700)), stand(true));
    assert_eq!(channel.queue_entry().unwrap().queue, Queue::Inspect);
    channel.hear(&said(Author::Customer, 2, NOON.plus(seconds(800))));
    assert_eq!(channel.queue_entry().unwrap().queue, Queue::Unpark);

    // Of two tasks, the one whose customer waits comes first; when all have ended, closing.
    channel.absorb(&fact(3, News::Open(Stage::Assigned), Platform::Chat, NOON));
    channel.hear(&accepted(3, NOON));
    let moved = channel.task_to_move();
    assert_eq!(moved, Some(sid("WT", 1)));
    for task in [1, 3] {
        let over = NOON.plus(seconds(900));
        channel.absorb(&fact(
            task,
            News::Ended(End::Completed),
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
    channel.note_parking(sid("WT", 1), late);
    let decision = decide_park(&channel, &Policy::default(), late);
    assert_eq!(cell(decision), Cell::Park, "a parker who died");
    channel.hear(&said(Author::Customer, 2, late));
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

    channel.note_placement(task, again, stand(true));
    channel.hear(&said(Author::Customer, 2, again));
    let mut now = again;
    let mut waits = Vec::new();
    for _ in 0..7 {
        assert_eq!(cell(decide_park(&channel, &policy, now)), Cell::Unpark);
        channel.note_not_moved_back(task, now);
        let next = channel.queue_entry().unwrap().since;
        waits.push(next.since(now).as_secs() / 60);
        now = next;
    }
    assert_eq!(waits, [1, 2, 4, 8, 10, 10, 10]);
}

#[test]
fn our_own_echoes_change_nothing() {
    let task = sid("WT", 1);
    let parked_at = NOON.plus(seconds(700));
    let mut channel = talking();
    channel.note_placement(task, parked_at, stand(true));
    let before = channel.clone();
    let echo_at = parked_at.plus(Duration::from_millis(400));
    channel.absorb_activity(&[stands(1, true, echo_at)]);
    assert_eq!(channel, before, "and cost no write");

    // The way back, seen in the same second by another clock, is not undone by the echo.
    channel.note_placement(task, parked_at, stand(false));
    assert_eq!(channel.parked_tasks().count(), 0);
    let mut again = channel.clone();
    again.note_placement(task, parked_at, stand(true));
    assert_eq!(again.parked_tasks().count(), 1);
}

#[test]
fn words_cost_a_write_only_when_they_change_something() {
    let said_at = |author, index, second| said(author, index, NOON.plus(seconds(second)));
    let (agent, customer) = (Author::AuthorDigest(AGENT), Author::Customer);
    let writes = |before: &Channel, word: Word| {
        let mut after = before.clone();
        after.absorb_activity(&[word]);
        after != *before
    };
    let asked = talking();
    assert!(!writes(&asked, said_at(agent, 2, 10)), "in the same breath");
    assert!(writes(&asked, said_at(agent, 2, 21)), "it waits anew");
    assert!(!writes(&asked, said_at(customer, 0, 5)), "an older word");
    assert!(writes(&asked, said_at(customer, 2, 11)), "an answer");

    let mut answered = asked.clone();
    answered.absorb_activity(&[said_at(customer, 2, 11)]);
    assert!(
        !writes(&answered, said_at(customer, 3, 500)),
        "its next line"
    );
    assert!(!writes(&answered, said_at(customer, 9, 41)), "in one burst");
    assert!(
        writes(&answered, said_at(customer, 9, 42)),
        "or perhaps an answer lies between"
    );
    assert!(writes(&answered, said_at(agent, 3, 12)));
    assert_eq!(POLL_GRID, seconds(10), "the numbers above are made for it");

    let mut closed = Channel::new(sid("CH", 1), Platform::Chat);
    assert!(
        !writes(&closed, said_at(customer, 1, 1)),
        "no task, no record"
    );
    closed.absorb(&fact(1, News::Ended(End::Completed), Platform::Chat, NOON));
    assert!(
        !writes(&closed, said_at(customer, 1, 1)),
        "nobody is parked"
    );
}

#[test]
fn pairs_lead_one_way_there_and_one_way_back() {
    let pair = |text: &str| text.parse::<Pair>();
    let tc = |n| sid::<domain::TaskChannelSid>("TC", n);
    let one = pair(&format!("{}:{}", tc(1), tc(2))).unwrap();
    let other = pair(&format!(" {} : {} ", tc(3), tc(4))).unwrap();
    for wrong in [
        "",
        "TC:TC",
        &tc(1).to_string(),
        &format!("{}:{}:{}", tc(1), tc(2), tc(3)),
    ] {
        assert!(pair(wrong).is_err(), "{wrong}");
    }
    let pairs = Pairs::new(vec![one, other]).unwrap();
    assert_eq!(pairs.of_active(tc(1)), Some(one));
    assert_eq!(pairs.of_active(tc(2)), None);
    assert_eq!(pairs.of_inactive(tc(4)), Some(other));

    let back_to_two = Pair {
        active: tc(5),
        inactive: tc(2),
    };
    let onto_itself = Pair {
        active: tc(6),
        inactive: tc(6),
    };
    assert_eq!(
        Pairs::new(vec![one, back_to_two, onto_itself]),
        Err(vec![PairFault::Repeated(tc(2)), PairFault::Repeated(tc(6))])
    );

    let names = |names: &[(u8, &str)]| {
        let named = names.iter().map(|(n, name)| (tc(*n), (*name).to_owned()));
        named.collect()
    };
    let all = [
        (1, "chat"),
        (2, "inactive"),
        (3, "sms"),
        (4, "inactive_sms"),
    ];
    assert_eq!(pairs.faults(true, &names(&all)), []);
    let broken = [(1, "chat"), (2, "chat-inactive"), (3, "sms")];
    assert_eq!(
        pairs.faults(false, &names(&broken)),
        [
            PairFault::SingleTasking,
            PairFault::Hyphen(tc(2)),
            PairFault::Unknown(tc(4))
        ]
    );
}
