//! The authors of messages, and the places of tasks.

use domain::{
    Author, Channel, ChannelSid, Fact, FactKind, Party, Platform, Stage, TaskPlacement, TaskState,
};
use serde_json::{Value, json};
use twilio::events::{Batch, Ignored, Scope, Unreadable, author_digest};

use crate::{at, everything, read, state};

const CONVERSATION: &str = "CH00000000000000000000000000000012";

fn channel() -> ChannelSid {
    CONVERSATION.parse().unwrap()
}

/// A message as Event Streams tells it, with these members of its data changed.
fn message(changes: Value) -> Value {
    let mut data = json!({
        "EventType": "onMessageAdded",
        "AccountSid": "AC00000000000000000000000000000001",
        "ChatServiceSid": "IS00000000000000000000000000000003",
        "ConversationSid": CONVERSATION,
        "MessageSid": "IM00000000000000000000000000000030",
        "ParticipantSid": "MB00000000000000000000000000000031",
        "Index": 7,
        "Author": "visitor-17",
        "MessageBody": "Where is my parcel?",
        "Attributes": "{}",
        "DateCreated": "2026-01-05T10:05:00.250Z",
        "Source": "SDK",
    });
    for (name, value) in changes.as_object().unwrap() {
        data[name] = value.clone();
    }
    json!({
        "specversion": "1.0",
        "type": "com.twilio.conversations.message.added",
        "id": "EZ00000000000000000000000000000032",
        "time": "2026-01-05T10:05:01.000Z",
        "data": data,
    })
}

fn batch(changes: Value) -> Batch {
    read(message(changes).to_string())
}

fn author_of(changes: Value) -> Option<Author> {
    let batch = batch(changes);
    match &batch.facts[..] {
        [
            Fact {
                kind: FactKind::Message { author, .. },
                ..
            },
        ] => Some(*author),
        [] => {
            assert_eq!(
                batch.ignored.get(&Ignored::NotFromPerson),
                Some(&1),
                "{batch:?}"
            );
            None
        }
        other => panic!("{other:?}"),
    }
}

fn of(identity: &str) -> Option<Author> {
    Some(Author::AuthorDigest(author_digest(channel(), identity)))
}

#[test]
fn a_message_tells_who_wrote_when() {
    let told = batch(json!({}));
    assert_eq!((told.received, told.messages, told.tasks), (1, 1, 0));
    let [fact] = &told.facts[..] else {
        panic!("{told:?}");
    };
    assert_eq!(fact.channel, channel());
    assert_eq!(fact.platform, Platform::Conversations);
    assert_eq!(fact.at, at("2026-01-05T10:05:00.250Z"));
    let FactKind::Message { index, .. } = fact.kind else {
        panic!("{fact:?}");
    };
    assert_eq!(index, 7);
    assert!(!format!("{told:?}").contains("visitor"));

    let mut as_text = message(json!({ "Index": "7" }));
    as_text["data"] = as_text["data"].to_string().into();
    assert_eq!(read(json!([as_text]).to_string()).facts, told.facts);

    // Where nothing is parked, a message is counted and tells nothing.
    let body = message(json!({})).to_string();
    let unparked = twilio::events::read_recording(body.as_bytes(), &Scope::default());
    assert_eq!((unparked.messages, unparked.facts.len()), (1, 0));
}

#[test]
fn customers_agents_and_programs_are_told_apart() {
    let from = |author: &str, source: &str| json!({ "Author": author, "Source": source });
    for address in [
        "+15550100123",
        "15550100123",
        "whatsapp:+15550100123",
        "messenger:4711",
    ] {
        assert_eq!(
            author_of(from(address, "API")),
            Some(Author::Customer),
            "{address}"
        );
    }
    for network in ["SMS", "WhatsApp", "EMAIL"] {
        let author = from("anna@example.com", network);
        assert_eq!(author_of(author), Some(Author::Customer), "{network}");
    }
    for program in ["system", "System", "Bot", "bot", "", " "] {
        assert_eq!(author_of(from(program, "SDK")), None, "{program:?}");
    }
    // An author that is no participant is a program, whatever the schema's version says of a
    // source; an address and an SDK are people's.
    let mut event = json!({ "Author": "autopilot", "Source": null });
    assert_eq!(author_of(event.clone()), of("autopilot"));
    for participant in [Value::Null, "".into()] {
        event["ParticipantSid"] = participant;
        assert_eq!(author_of(event.clone()), None);
        for person in ["+15550100123", "whatsapp:+15550100123"] {
            event["Author"] = person.into();
            assert_eq!(author_of(event.clone()), Some(Author::Customer));
        }
        event["Author"] = "anna@example.com".into();
        assert_eq!(author_of(event.clone()), of("anna@example.com"));
        event["Author"] = "autopilot".into();
    }
    let visitor = json!({ "ParticipantSid": null, "Author": "visitor-17", "Source": "SDK" });
    assert_eq!(author_of(visitor), of("visitor-17"));
}

#[test]
fn an_identity_has_one_digest_however_it_is_written() {
    let plain = author_digest(channel(), "Agent.Smith@example.com");
    for written in [
        "agent.smith@example.com",
        "Agent_2ESmith_40example_2Ecom",
        "Agent_2eSmith_40example_2ecom",
        "client:Agent_2ESmith_40example_2Ecom",
        " agent.smith@example.com ",
    ] {
        assert_eq!(author_digest(channel(), written), plain, "{written}");
    }
    let another: ChannelSid = "CH00000000000000000000000000000013".parse().unwrap();
    assert_ne!(author_digest(another, "agent.smith@example.com"), plain);
    for other in ["agent_smith@example.com", "agent_", "_", "_2", "_2E", "_zz"] {
        assert_ne!(author_digest(channel(), other), plain, "{other}");
    }
}

#[test]
fn an_acceptance_names_its_agent_by_the_identity_or_the_name() {
    let accept = |attributes: Value, name: &str| {
        let mut event: Value = serde_json::from_str(payload!("reservation-accepted")).unwrap();
        let event = if event.is_array() {
            event[0].take()
        } else {
            event
        };
        let mut event = event;
        let payload = &mut event["data"]["payload"];
        payload["worker_sid"] = "WK00000000000000000000000000000040".into();
        payload["worker_name"] = name.into();
        payload["worker_attributes"] = attributes;
        let batch = read(event.to_string());
        assert_eq!(state(&batch.facts[0]), TaskState::Open(Stage::Assigned));
        let channel = batch.facts[0].channel;
        let accepted = batch.facts.iter().find_map(|fact| match fact.kind {
            FactKind::Accepted {
                worker, identity, ..
            } => Some((worker, identity)),
            FactKind::Task(_) | FactKind::Message { .. } | FactKind::Placed { .. } => None,
        });
        let (worker, identity) = accepted.unwrap();
        assert_eq!(
            worker.unwrap().as_str(),
            "WK00000000000000000000000000000040"
        );
        (identity, move |name: &str| {
            Some(author_digest(channel, name))
        })
    };
    let uri = json!({ "contact_uri": "client:smith_40example_2Ecom", "full_name": "Smith" });
    for attributes in [uri.clone(), uri.to_string().into()] {
        let (identity, named) = accept(attributes, "Smith");
        assert_eq!(identity, named("smith@example.com"));
    }
    for useless in [
        Value::Null,
        "".into(),
        "[]".into(),
        "{".into(),
        json!({ "contact_uri": 7 }),
        json!({ "contact_uri": "" }),
    ] {
        let (identity, named) = accept(useless, "Smith");
        assert_eq!(identity, named("Smith"));
    }
}

#[test]
fn events_of_a_task_tell_where_its_version_is() {
    let placed = |from: &str, to: &str| {
        let event = crate::completed(from, to);
        read(event).facts.iter().find_map(|fact| match fact.kind {
            FactKind::Placed {
                version, placement, ..
            } => Some((version, placement)),
            FactKind::Task(_) | FactKind::Message { .. } | FactKind::Accepted { .. } => None,
        })
    };
    let chat = "TC00000000000000000000000000000005";
    let inactive = "TC00000000000000000000000000000006";
    let placement = |task_channel: &str, parked| TaskPlacement {
        task_channel: task_channel.parse().unwrap(),
        parked,
    };
    let active = (6, placement(chat, false));
    assert_eq!(placed("resolved", "resolved"), Some(active));
    let parked = (6, placement(inactive, true));
    assert_eq!(placed(chat, inactive), Some(parked));
    assert_eq!(placed("TC0000", "TX0000"), None, "nothing is made of it");
    assert_eq!(placed("task_version", "task_edition"), None);
}

#[test]
fn what_cannot_be_read_is_kept_for_a_person_and_what_is_others_is_ignored() {
    for (sid, reason) in [
        (json!(null), Ignored::OtherType),
        (json!("CHx"), Ignored::NoChannel),
        (json!(7), Ignored::NoChannel),
    ] {
        let batch = batch(json!({ "ConversationSid": sid }));
        assert_eq!(batch.ignored.get(&reason), Some(&1), "{sid}");
    }
    let timeless = json!({ "DateCreated": "soon" });
    assert_eq!(batch(timeless).facts[0].at, at("2026-01-05T10:05:01.000Z"));
    let mut event = message(json!({ "DateCreated": null }));
    event["time"] = Value::Null;
    assert_eq!(
        read(event.to_string()).rejected[0].reason,
        Unreadable::NoTime
    );

    let scope = Scope {
        account: "AC00000000000000000000000000000002".parse().ok(),
        ..everything()
    };
    let body = message(json!({})).to_string();
    let batch = twilio::events::read_recording(body.as_bytes(), &scope);
    assert_eq!(batch.ignored.get(&Ignored::OtherAccount), Some(&1));
    assert!(batch.facts.is_empty());
}

#[test]
fn a_message_before_its_authors_acceptance_is_the_agents_all_the_same() {
    let identity = "smith_40example_2Ecom";
    let message = batch(json!({ "Author": identity })).facts.remove(0);
    let accepted = Fact {
        kind: FactKind::Accepted {
            task: "WT00000000000000000000000000000020".parse().unwrap(),
            worker: None,
            identity: Some(author_digest(channel(), "smith@example.com")),
        },
        ..message.clone()
    };
    let mut one = Channel::new(channel(), Platform::Conversations);
    one.absorb(&message);
    assert_eq!(one.activity().last_message().unwrap().0, Party::Customer);
    one.absorb(&accepted);
    assert_eq!(one.activity().last_message().unwrap().0, Party::Agent);
    let mut other = Channel::new(channel(), Platform::Conversations);
    other.absorb(&accepted);
    other.absorb(&message);
    assert_eq!(one, other);
}
