//! The rule by which a channel is closed or left, cell by cell: every combination of how the
//! last task ended, what Twilio shows, who wrote last, who else has the channel, and how long
//! ago that was, against a table that is written in another way than the rule.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod requests;

use std::time::Duration;

use domain::{
    Channel, ChannelSid, ChatState, ConversationState, End, Evidence, Fact, FactKind, HeldOpenBy,
    Interaction, InteractionStatus, LastMessage, Orphan, Outcome, Party, Platform, Policy,
    ProgramWebhooks, Row, Step, TaskFact, TaskState, Timestamp, Verdict, verdict,
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The end of the last task, or the moment at which the channel was found without one.
const END: i64 = 1_000 * DAY;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn sid() -> ChannelSid {
    format!("CH{:032x}", 1).parse().unwrap()
}

fn interaction() -> Interaction {
    Interaction {
        sid: format!("KD{:032x}", 1).parse().unwrap(),
        channel: format!("UO{:032x}", 1).parse().unwrap(),
    }
}

fn task(number: u8) -> domain::TaskSid {
    format!("WT{number:032x}").parse().unwrap()
}

fn fact(platform: Platform, number: u8, at_ms: i64, with: bool, state: TaskState) -> Fact {
    Fact {
        channel: sid(),
        platform,
        at: at(at_ms),
        kind: FactKind::Task(TaskFact {
            task: task(number),
            state,
            opened_at: Some(at(END - HOUR)),
            interaction: with.then(interaction),
        }),
    }
}

/// A channel whose last task ended in this way; none is known without one.
fn channel(platform: Platform, end: Option<End>, with_interaction: bool) -> Channel {
    let mut channel = Channel::new(sid(), platform);
    match end {
        Some(end) => channel.absorb(&fact(
            platform,
            1,
            END,
            with_interaction,
            TaskState::Ended(end),
        )),
        None => channel.adopt(Orphan {
            found_at: at(END),
            held_by: match platform {
                Platform::Chat => HeldOpenBy::Session,
                Platform::Conversations => HeldOpenBy::Conversation,
            },
            session: None,
        }),
    }
    channel
}

const ENDS: [Option<End>; 6] = [
    None,
    Some(End::Completed),
    Some(End::Vanished),
    Some(End::Canceled),
    Some(End::Deleted),
    Some(End::SystemDeleted),
];

/// When the newest message was written, against the end, and by which party.
fn messages() -> impl Iterator<Item = Option<LastMessage>> {
    let times = [END - HOUR, END + MINUTE, END + 10 * HOUR];
    let parties = [Party::Customer, Party::Agent, Party::Program];
    let all = times.into_iter().flat_map(move |time| {
        parties.into_iter().map(move |author| {
            Some(LastMessage {
                author,
                at: at(time),
                index: 7,
            })
        })
    });
    all.chain([None])
}

fn webhooks() -> impl Iterator<Item = ProgramWebhooks> {
    [(false, false), (true, false), (false, true), (true, true)]
        .into_iter()
        .map(|(program, studio)| ProgramWebhooks { program, studio })
}

/// Moments around every cutoff of the default policy.
const MOMENTS: [i64; 13] = [
    END - MINUTE,
    END,
    END + 4 * MINUTE,
    END + 6 * MINUTE,
    END + 14 * MINUTE,
    END + 16 * MINUTE,
    END + 23 * HOUR,
    END + 25 * HOUR,
    END + 35 * HOUR,
    END + 47 * HOUR,
    END + 49 * HOUR,
    END + 89 * DAY,
    END + 92 * DAY,
];

/// A verdict, as the table writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Release,
    Close,
    Done(Step, Outcome),
    Leave,
}

fn cell(verdict: Verdict) -> Cell {
    match verdict {
        Verdict::Take {
            step: Step::Release,
            ..
        } => Cell::Release,
        Verdict::Take {
            step: Step::Close, ..
        } => Cell::Close,
        Verdict::Settled { step, outcome, .. } => Cell::Done(step, outcome),
        Verdict::Leave { .. } => Cell::Leave,
    }
}

fn quiet_since(end: Option<End>, message: Option<LastMessage>) -> i64 {
    match (message, end) {
        (Some(message), None) => message.at.as_millis(),
        (Some(message), Some(_)) => message.at.as_millis().max(END),
        (None, _) => END,
    }
}

const fn is_abandoned(end: End) -> bool {
    matches!(end, End::Canceled | End::Deleted | End::SystemDeleted)
}

#[test]
fn every_cell_of_a_chat_channel() {
    let policy = Policy::default();
    let mut cells = 0;
    for end in ENDS {
        for (long_lived, inactive) in [(false, false), (false, true), (true, false), (true, true)] {
            for message in messages() {
                for hooks in webhooks() {
                    for now in MOMENTS {
                        let evidence = Evidence {
                            chat: Some(ChatState::Present {
                                long_lived,
                                inactive,
                            }),
                            last_message: Some(message),
                            webhooks: Some(hooks),
                            ..Evidence::default()
                        };
                        let channel = channel(Platform::Chat, end, false);
                        let verdict = verdict(&channel, &evidence, &policy, at(now)).unwrap();
                        let quiet = quiet_since(end, message);
                        let programs_word = message.is_some_and(|message| {
                            message.author == Party::Program && message.at > at(END)
                        });
                        let due_at = match end {
                            None if hooks.program || hooks.studio => quiet + 90 * DAY,
                            None => quiet + DAY,
                            Some(end) if is_abandoned(end) => END + 5 * MINUTE,
                            // Already INACTIVE: no program can have it.
                            Some(_) if inactive => END + 15 * MINUTE,
                            Some(_) if programs_word || hooks.program => quiet + DAY,
                            Some(_) => END + 15 * MINUTE,
                        };
                        let reset = now >= END + 48 * HOUR;
                        let expected = match (now >= due_at, long_lived, inactive) {
                            (false, _, _) => Cell::Leave,
                            (true, false, true) => Cell::Done(Step::Close, Outcome::AlreadyClean),
                            (true, false, false) => Cell::Close,
                            (true, true, _) if reset => Cell::Close,
                            (true, true, true) => Cell::Done(Step::Release, Outcome::AlreadyClean),
                            (true, true, false) => Cell::Release,
                        };
                        assert_eq!(
                            cell(verdict),
                            expected,
                            "{end:?} long_lived {long_lived} inactive {inactive} {message:?} {hooks:?} {} min after",
                            (now - END) / MINUTE
                        );
                        cells += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cells, 6 * 4 * 10 * 4 * 13);
}

const STATUSES: [InteractionStatus; 9] = [
    InteractionStatus::Setup,
    InteractionStatus::Active,
    InteractionStatus::Transfer,
    InteractionStatus::Inactive,
    InteractionStatus::Pause,
    InteractionStatus::Closed,
    InteractionStatus::Failed,
    InteractionStatus::Gone,
    InteractionStatus::Undocumented,
];

const STATES: [ConversationState; 6] = [
    ConversationState::Active,
    ConversationState::Inactive,
    ConversationState::Closed,
    ConversationState::Initializing,
    ConversationState::Gone,
    ConversationState::Undocumented,
];

/// Returns the cell of the table for a Conversation.
fn of_conversation(
    policy: &Policy,
    end: Option<End>,
    status: Option<InteractionStatus>,
    evidence: &Evidence,
    now: i64,
) -> Cell {
    let message = evidence.last_message.unwrap();
    let hooks = evidence.webhooks.unwrap();
    let quiet = quiet_since(end, message);
    let after = |cutoff: i64, since: i64| match now >= since + cutoff {
        true => Cell::Close,
        false => Cell::Leave,
    };
    let put_aside = || match policy.put_aside_cutoff {
        Some(cutoff) => after(i64::try_from(cutoff.as_millis()).unwrap(), quiet),
        None => Cell::Leave,
    };
    let itself = match evidence.conversation.unwrap() {
        ConversationState::Active | ConversationState::Inactive => None,
        ConversationState::Closed => Some(Cell::Done(Step::Close, Outcome::AlreadyClean)),
        ConversationState::Gone => Some(Cell::Done(Step::Close, Outcome::Gone)),
        ConversationState::Initializing | ConversationState::Undocumented => Some(Cell::Leave),
    };
    let active = |agent_present: bool| match end {
        Some(end) if is_abandoned(end) => after(5 * MINUTE, END),
        _ if hooks.program => put_aside(),
        _ if agent_present => after(DAY, quiet),
        // Quiet for a day, it is closed, with any parties in it.
        _ => after(15 * MINUTE, END),
    };
    match (status, end) {
        (Some(InteractionStatus::Closed | InteractionStatus::Failed), _) => {
            itself.unwrap_or_else(|| match end {
                Some(end) if is_abandoned(end) => after(5 * MINUTE, END),
                _ => after(15 * MINUTE, END),
            })
        }
        (Some(InteractionStatus::Active), _) => active(evidence.agent_present.unwrap()),
        (Some(InteractionStatus::Inactive), _) => put_aside(),
        (
            Some(
                InteractionStatus::Pause
                | InteractionStatus::Setup
                | InteractionStatus::Transfer
                | InteractionStatus::Undocumented,
            ),
            _,
        ) => Cell::Leave,
        // Forgotten by Twilio after months: it waits as if an agent were there.
        (Some(InteractionStatus::Gone), Some(_)) => itself.unwrap_or_else(|| active(true)),
        (None, Some(_)) => itself.unwrap_or_else(|| active(evidence.agent_present.unwrap())),
        (None | Some(InteractionStatus::Gone), None) => itself.unwrap_or_else(|| {
            if hooks.program || hooks.studio {
                return Cell::Leave;
            }
            match (policy.orphan_cutoff, message) {
                (Some(cutoff), Some(_)) => after(i64::try_from(cutoff.as_millis()).unwrap(), quiet),
                // Without a message, nothing shows that it is a customer's.
                (None, _) | (_, None) => Cell::Leave,
            }
        }),
    }
}

fn every_conversation(policy: &Policy) -> usize {
    let mut cells = 0;
    let statuses = STATUSES.into_iter().map(Some).chain([None]);
    for status in statuses {
        // Without a task there is no interaction to be known.
        for end in ENDS
            .into_iter()
            .filter(|end| end.is_some() || status.is_none())
        {
            let channel = channel(Platform::Conversations, end, status.is_some());
            for state in STATES {
                for message in messages() {
                    for hooks in webhooks() {
                        for agent_present in [false, true] {
                            for now in MOMENTS {
                                let evidence = Evidence {
                                    chat: None,
                                    interaction: status,
                                    conversation: Some(state),
                                    last_message: Some(message),
                                    webhooks: Some(hooks),
                                    agent_present: Some(agent_present),
                                };
                                let verdict =
                                    verdict(&channel, &evidence, policy, at(now)).unwrap();
                                let expected = of_conversation(policy, end, status, &evidence, now);
                                assert_eq!(
                                    cell(verdict),
                                    expected,
                                    "{end:?} {evidence:?} {} min after",
                                    (now - END) / MINUTE
                                );
                                cells += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    cells
}

#[test]
fn every_cell_of_a_conversation() {
    let cells = every_conversation(&Policy::default());
    assert_eq!(cells, (9 * 5 + 6) * 6 * 10 * 4 * 2 * 13);
}

#[test]
fn every_cell_of_a_conversation_where_what_is_put_aside_has_an_end() {
    let policy = Policy {
        put_aside_cutoff: Some(Duration::from_secs(60 * 60 * 24 * 30)),
        orphan_cutoff: None,
        ..Policy::default()
    };
    every_conversation(&policy);
}

#[test]
fn an_open_task_blocks_everything() {
    for platform in [Platform::Chat, Platform::Conversations] {
        for end in ENDS {
            let mut channel = channel(platform, end, true);
            channel.absorb(&fact(platform, 2, END, true, TaskState::SeenOpen));
            let evidence = Evidence {
                chat: Some(ChatState::Gone),
                conversation: Some(ConversationState::Gone),
                ..Evidence::default()
            };
            for now in MOMENTS {
                let verdict = verdict(&channel, &evidence, &Policy::default(), at(now)).unwrap();
                assert_eq!(verdict.row(), Row::OpenTask);
            }
        }
    }
}
