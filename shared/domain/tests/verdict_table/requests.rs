//! The questions of the rule before it decides, and the customers who are unheard.

use domain::{
    ChatState, ConversationState, End, Evidence, FactKind, InteractionStatus, Party, Platform,
    Policy, Question, Row, TaskState, Verdict, unheard, verdict,
};

use super::{
    Channel, END, ENDS, HOUR, MINUTE, MOMENTS, STATES, STATUSES, at, channel, fact, messages,
    webhooks,
};

/// Answers one question after the other and returns them.
fn questions(channel: &Channel, told: &Evidence, now: i64) -> (Vec<Question>, Verdict) {
    let mut evidence = Evidence::default();
    let mut asked = Vec::new();
    loop {
        let question = match verdict(channel, &evidence, &Policy::default(), at(now)) {
            Ok(verdict) => return (asked, verdict),
            Err(question) => question,
        };
        assert!(!asked.contains(&question), "{question:?} is asked twice");
        asked.push(question);
        match question {
            Question::Chat => evidence.chat = told.chat,
            Question::Interaction => evidence.interaction = told.interaction,
            Question::Conversation => evidence.conversation = told.conversation,
            Question::LastMessage => evidence.last_message = told.last_message,
            Question::Webhooks => evidence.webhooks = told.webhooks,
            Question::Participants => evidence.agent_present = told.agent_present,
        }
    }
}

/// With the write, a Chat channel takes three requests, four where webhooks decide, and a
/// Conversation five; a row never waits for evidence that would make no difference.
#[test]
fn no_cell_takes_more_requests_than_its_platform_may() {
    let mut most = [0, 0];
    for end in ENDS {
        let chat = channel(Platform::Chat, end, false);
        let conversations =
            [false, true].map(|with| channel(Platform::Conversations, end, with && end.is_some()));
        for message in messages() {
            for hooks in webhooks() {
                for now in MOMENTS {
                    for (long_lived, inactive) in [(false, false), (true, true)] {
                        let told = Evidence {
                            chat: Some(ChatState::Present {
                                long_lived,
                                inactive,
                            }),
                            last_message: Some(message),
                            webhooks: Some(hooks),
                            ..Evidence::default()
                        };
                        let (asked, verdict) = questions(&chat, &told, now);
                        let writes = usize::from(matches!(verdict, Verdict::Take { .. }));
                        let without = asked.iter().filter(|one| **one != Question::Webhooks);
                        assert!(without.count() + writes <= 3, "{asked:?} {verdict:?}");
                        most[0] = most[0].max(asked.len() + writes);
                    }
                    for status in STATUSES.into_iter().map(Some).chain([None]) {
                        for (state, agent_present) in STATES
                            .into_iter()
                            .flat_map(|state| [(state, false), (state, true)])
                        {
                            let told = Evidence {
                                chat: None,
                                interaction: status,
                                conversation: Some(state),
                                last_message: Some(message),
                                webhooks: Some(hooks),
                                agent_present: Some(agent_present),
                            };
                            let [without, with] = &conversations;
                            let channel = if status.is_some() { with } else { without };
                            let (asked, verdict) = questions(channel, &told, now);
                            let writes = usize::from(matches!(verdict, Verdict::Take { .. }));
                            most[1] = most[1].max(asked.len() + writes);
                        }
                    }
                }
            }
        }
    }
    assert_eq!(most, [4, 5]);
}

#[test]
fn a_customer_is_unheard_when_nothing_answers_the_newest_message() {
    let policy = Policy::default();
    let mut told = 0;
    for end in ENDS {
        for message in messages() {
            for hooks in webhooks() {
                for status in STATUSES.into_iter().map(Some).chain([None]) {
                    let with = status.is_some() && end.is_some();
                    let channel = channel(Platform::Conversations, end, with);
                    let evidence = Evidence {
                        chat: None,
                        interaction: status,
                        conversation: Some(ConversationState::Active),
                        last_message: Some(message),
                        webhooks: Some(hooks),
                        agent_present: Some(false),
                    };
                    let verdict =
                        verdict(&channel, &evidence, &policy, at(END + 16 * MINUTE)).unwrap();
                    let waits = message.is_some_and(|message| {
                        let later = match end {
                            // When it ended is not known: anything since it was opened counts.
                            Some(End::Vanished) => message.at > at(END - HOUR),
                            Some(_) => message.at > at(END),
                            None => true,
                        };
                        message.author == Party::Customer && later
                    });
                    let program = hooks.program || (hooks.studio && end.is_none());
                    let twilio_answers = with
                        && matches!(
                            status,
                            Some(
                                InteractionStatus::Setup
                                    | InteractionStatus::Transfer
                                    | InteractionStatus::Inactive
                                    | InteractionStatus::Pause
                            )
                        );
                    let found = unheard(&channel, &evidence, &verdict);
                    assert_eq!(
                        found.is_some(),
                        waits && !program && !twilio_answers,
                        "{end:?} {evidence:?}"
                    );
                    told += usize::from(found.is_some());
                }
            }
        }
    }
    assert!(told > 50, "{told}");
}

#[test]
fn each_unheard_message_is_told_once_and_a_task_ends_it() {
    let mut channel = channel(Platform::Chat, Some(End::Completed), false);
    assert_eq!(channel.unheard_since(), None);
    assert!(channel.note_unheard(at(END + MINUTE)));
    assert!(!channel.note_unheard(at(END + MINUTE)), "told once");
    assert!(
        channel.note_unheard(at(END + 2 * MINUTE)),
        "a newer one is news"
    );
    assert_eq!(channel.unheard_since(), Some(at(END + 2 * MINUTE)));
    let mut seen = fact(Platform::Chat, 2, END + HOUR, false, TaskState::SeenOpen);
    let FactKind::Task(told) = &mut seen.kind else {
        panic!("{seen:?}");
    };
    told.opened_at = Some(at(END + HOUR));
    channel.absorb(&seen);
    assert_eq!(channel.unheard_since(), None, "an agent has it now");
}

#[test]
fn every_row_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<&str> = Row::ALL.iter().map(|row| row.name()).collect();
    assert_eq!(names.len(), Row::ALL.len());
    for row in Row::ALL {
        let json = serde_json::to_value(row).unwrap();
        assert_eq!(json, row.name());
    }
}
