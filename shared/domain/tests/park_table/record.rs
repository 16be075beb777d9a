//! A parked task, its messages and its webhook in the record.

use super::*;

#[test]
fn a_task_is_where_its_latest_version_was() {
    let task = sid("WT", 1);
    let late = NOON.plus(seconds(700));
    let mut channel = talking();
    channel.note_placement(task, 2, placement(true));
    let before = channel.clone();
    channel.absorb_useful(&[placed(1, true, 2, late)]);
    assert_eq!(channel, before, "our own echo costs no write");

    // The way back is not undone by an echo of the way there, whenever it is told.
    channel.note_placement(task, 3, placement(false));
    channel.absorb_useful(&[placed(1, true, 2, late.plus(seconds(9)))]);
    assert_eq!(channel.parked_tasks().count(), 0);
    // A version of a parked task is written, so that an older one cannot make it look active.
    channel.note_placement(task, 4, placement(true));
    channel.absorb_useful(&[placed(1, true, 7, late)]);
    channel.absorb_useful(&[placed(1, false, 6, late)]);
    assert_eq!(channel.parked_tasks().count(), 1);
}

#[test]
fn an_announcement_is_over_once_the_task_has_a_later_version() {
    let task = sid("WT", 1);
    let mut channel = talking();
    channel.announce_parking(task, 1);
    assert!(channel.parking(task).unwrap().is_being_parked());
    channel.note_placement(task, 2, placement(false));
    assert!(!channel.parking(task).unwrap().is_being_parked());
    channel.absorb(&said(Author::Customer, 2, NOON.plus(seconds(11))));
    assert_eq!(channel.queue_entry(), None);
    // One that names the version that is known is not.
    channel.announce_parking(task, 2);
    assert!(channel.has_waiting_customer());
}

#[test]
fn a_person_who_parks_a_chat_has_read_what_was_written_before() {
    let task = sid("WT", 1);
    let manual = NOON.plus(seconds(60));
    for (second, known, is_read) in [
        (30, true, true),
        (30, false, true),
        (55, true, true),
        (55, false, false),
        (60, true, false),
        (61, false, false),
    ] {
        let message = said(Author::Customer, 2, NOON.plus(seconds(second)));
        let mut channel = talking();
        if known {
            channel.absorb(&message);
        }
        channel.note_manual_request(task, ManualRequest::Park, manual);
        channel.note_placement(task, 2, placement(true));
        channel.absorb(&message);
        assert_eq!(channel.has_waiting_customer(), !is_read, "{second} {known}");
    }
}

#[test]
fn each_task_has_its_own_look_at_the_webhook() {
    let mut channel = channel(
        Stage::Assigned,
        Last::Agent,
        Where::Active,
        None,
        Hearing::NoRoom,
    );
    assert_eq!(channel.queue_entry(), None);
    let ended = NOON.plus(seconds(20));
    channel.absorb(&fact(
        1,
        TaskState::Ended(End::Completed),
        Platform::Chat,
        ended,
    ));
    let next = NOON.plus(seconds(30));
    channel.absorb(&fact(
        2,
        TaskState::Open(Stage::Assigned),
        Platform::Chat,
        next,
    ));
    channel.absorb(&accepted(2, next));
    let decision = decide_park(&channel, &Policy::default(), next);
    assert_eq!(decision, ParkDecision::InstallWebhook(sid("WT", 2)));
}

#[test]
fn the_end_of_a_parked_task_is_announced_once_an_hour_before() {
    let task = sid("WT", 1);
    let policy = Policy::default();
    let mut channel = talking();
    channel.note_placement(task, 2, placement(true));
    let due = NOON.plus(seconds(23 * 3600));
    let before = due.minus(Duration::from_millis(1));
    assert_eq!(cell(decide_park(&channel, &policy, before)), Cell::Nothing);
    let decision = decide_park(&channel, &policy, due);
    assert_eq!(decision, ParkDecision::TellExpiry(task));
    assert_eq!(
        channel.parking(task).unwrap().expires_at(),
        Some(NOON.plus(seconds(24 * 3600)))
    );
    channel.note_expiry_told(task, due);
    assert_eq!(decide_park(&channel, &policy, due), ParkDecision::Nothing);
    assert_eq!(channel.queue_entry(), None);
}

#[test]
fn facts_cost_a_write_only_when_they_change_something() {
    let said_at = |author, index, second| said(author, index, NOON.plus(seconds(second)));
    let (agent, customer) = (Author::AuthorDigest(AGENT), Author::Customer);
    let visitor = Author::AuthorDigest(AuthorDigest::from_digest([8; 8]));
    let writes = |before: &Channel, fact: Fact| {
        let mut after = before.clone();
        after.absorb_useful(&[fact]);
        after != *before
    };
    let asked = talking();
    assert!(!writes(&asked, said_at(agent, 2, 10)), "at once");
    assert!(writes(&asked, said_at(agent, 3, 10)), "one may lie between");
    assert!(writes(&asked, said_at(agent, 2, 21)), "it waits anew");
    assert!(!writes(&asked, said_at(customer, 0, 5)), "an older message");
    assert!(writes(&asked, said_at(customer, 2, 11)), "an answer");

    let mut answered = asked.clone();
    answered.absorb_useful(&[said_at(customer, 2, 11)]);
    assert!(!writes(&answered, said_at(customer, 3, 500)), "the next");
    assert!(
        writes(&answered, said_at(customer, 4, 12)),
        "an agent's may lie between"
    );
    assert!(writes(&answered, said_at(agent, 3, 12)));
    assert!(writes(&answered, said_at(visitor, 3, 12)));
    let mut visited = asked.clone();
    visited.absorb_useful(&[said_at(visitor, 2, 11)]);
    assert!(!writes(&visited, said_at(visitor, 3, 20)));
    assert!(
        writes(&visited, said_at(visitor, 3, 21)),
        "it may prove to be an agent's"
    );
    assert_eq!(POLL_GRID, seconds(10), "the numbers above are made for it");
}

#[test]
fn a_message_before_its_task_is_kept_and_expires_without_one() {
    let mut channel = Channel::new(sid("CH", 1), Platform::Conversations);
    let at = NOON.plus(seconds(5));
    channel.absorb_useful(&[said(Author::Customer, 1, at)]);
    let day = seconds(24 * 3600);
    assert_eq!(channel.expires_without_task(), Some(at.plus(day)));
    assert_eq!(channel.queue_entry(), None);
    let open = TaskState::Open(Stage::Assigned);
    channel.absorb(&fact(1, open, Platform::Conversations, NOON));
    channel.absorb(&placed(1, true, 3, NOON));
    assert_eq!(channel.expires_without_task(), None);
    assert!(channel.has_waiting_customer());
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
