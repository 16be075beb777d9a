//! The facts that Twilio's own shapes become.

use std::collections::BTreeMap;

use domain::{End, Platform, Stage, TaskState};
use twilio::events::{self, Batch, Ignored, Scope, Unreadable};

use crate::{at, completed, everything, ignored, only, read, rejected, state, states, told};

#[test]
fn the_samples_become_the_facts_that_they_tell() {
    let created = only(payload!("s1-created"));
    assert_eq!(
        created.channel.as_str(),
        "CH00000000000000000000000000000010"
    );
    assert_eq!(
        told(&created).task.as_str(),
        "WT00000000000000000000000000000020"
    );
    assert_eq!(created.platform, Platform::Chat);
    assert_eq!(state(&created), TaskState::Open(Stage::Waiting));
    assert_eq!(created.at, at("2026-01-05T09:00:00.412Z"));
    assert_eq!(
        told(&created).opened_at,
        Some(at("2026-01-05T09:00:00.000Z"))
    );
    assert_eq!(told(&created).interaction, None);

    let completed = only(payload!("s2-completed"));
    assert_eq!(state(&completed), TaskState::Ended(End::Completed));
    assert_eq!(
        (completed.channel, completed.task()),
        (created.channel, created.task())
    );

    let canceled = only(payload!("s3-canceled-object-with-data-as-text"));
    assert_eq!(state(&canceled), TaskState::Ended(End::Canceled));
    assert_eq!(
        canceled.channel.as_str(),
        "CH00000000000000000000000000000011"
    );

    let two = read(payload!("s4-conversations-wrapup-completed"));
    let two = states(&two);
    let states: Vec<TaskState> = two.iter().map(state).collect();
    assert_eq!(
        states,
        [
            TaskState::Open(Stage::Wrapping),
            TaskState::Ended(End::Completed)
        ]
    );
    for fact in &two {
        assert_eq!(fact.platform, Platform::Conversations);
        let interaction = told(fact).interaction.unwrap();
        assert_eq!(
            interaction.sid.as_str(),
            "KD00000000000000000000000000000013"
        );
        assert_eq!(
            interaction.channel.as_str(),
            "UO00000000000000000000000000000014"
        );
    }
}

#[test]
fn the_variants_of_the_samples_become_what_they_mean() {
    let completed = only(payload!("s2-completed"));
    assert_eq!(only(payload!("integers-as-text")), completed);
    assert_eq!(only(payload!("without-time")), completed);
    assert_eq!(
        states(&read(payload!("same-id-twice"))),
        [completed.clone(), completed.clone()]
    );
    let backwards = states(&read(payload!("completed-before-created")));
    assert_eq!(backwards, [completed, only(payload!("s1-created"))]);
    for (body, expected) in [
        (
            payload!("system-deleted"),
            TaskState::Ended(End::SystemDeleted),
        ),
        (payload!("deleted"), TaskState::Ended(End::Deleted)),
        (
            payload!("reservation-accepted"),
            TaskState::Open(Stage::Assigned),
        ),
    ] {
        assert_eq!(state(&only(body)), expected);
    }
    for (body, reason) in [
        (payload!("completed-without-channel"), Ignored::NoChannel),
        (
            payload!("completed-placeholder-channel"),
            Ignored::NoChannel,
        ),
        (
            payload!("attributes-empty-text"),
            Ignored::AttributesUnreadable,
        ),
        (
            payload!("attributes-null-text"),
            Ignored::AttributesUnreadable,
        ),
        (
            payload!("attributes-list-text"),
            Ignored::AttributesUnreadable,
        ),
    ] {
        assert_eq!(ignored(body), BTreeMap::from([(reason, 1)]));
    }
    assert_eq!(
        ignored(payload!("other-types")),
        BTreeMap::from([(Ignored::OtherType, 3)])
    );
    let test = read(payload!("sink-test"));
    assert_eq!(test.tests, ["00000000-0000-4000-8000-000000000000"]);
    assert_eq!(
        (test.received, test.facts.len(), test.rejected.len()),
        (1, 0, 0)
    );
}

#[test]
fn the_log_of_taskrouter_reads_like_the_stream() {
    let read = |page: &str| events::read_log(page.as_bytes(), &everything());
    assert_eq!(
        states(&read(payload!("log-page"))),
        [only(payload!("s2-completed"))]
    );
    assert_eq!(read("{\"events\":[],\"meta\":{}}"), Batch::default());
    assert_eq!(read("{}").rejected.len() + read("{}").ignored.len(), 1);
}

#[test]
fn a_status_tells_how_far_an_updated_task_got() {
    for (status, expected) in [
        ("pending", TaskState::Open(Stage::Waiting)),
        ("reserved", TaskState::Open(Stage::Waiting)),
        ("assigned", TaskState::Open(Stage::Assigned)),
        ("wrapping", TaskState::Open(Stage::Wrapping)),
        ("canceled", TaskState::Ended(End::Canceled)),
        ("completed", TaskState::Ended(End::Completed)),
        ("of 2030", TaskState::Open(Stage::Waiting)),
    ] {
        let event = completed("task.completed", "task.updated").replace(
            "\"task_assignment_status\": \"completed\"",
            &format!("\"task_assignment_status\": \"{status}\""),
        );
        assert_eq!(state(&only(&event)), expected, "{status}");
    }
    let created = completed("task.completed", "task.created");
    assert_eq!(state(&only(&created)), TaskState::Open(Stage::Waiting));
}

#[test]
fn the_type_may_be_told_by_the_payload_alone() {
    let envelope = "\"type\": \"com.twilio.taskrouter.task.completed\",";
    let expected = only(payload!("s2-completed"));
    assert_eq!(only(&completed(envelope, "")), expected);
    assert_eq!(only(&completed(envelope, "\"type\": null,")), expected);
    let neither = completed(envelope, "").replace("\"eventtype\"", "\"event\"");
    assert_eq!(rejected(neither), [(0, Unreadable::NoType)]);
}

#[test]
fn the_best_usable_time_counts() {
    let time = "2026-01-05T09:41:17.093Z";
    let payload_time = "\"event_description\": \"Task completed\",\n    \"timestamp\": \"2026-01-05T09:41:17.093Z\"";
    let payload_with = |value: &str| completed(payload_time, &format!("\"timestamp\": {value}"));
    for value in [
        "1767606077094",
        "\"1767606077094\"",
        "\"2026-01-05T09:41:17.094Z\"",
    ] {
        assert_eq!(
            only(&payload_with(value)).at,
            at("2026-01-05T09:41:17.094Z")
        );
    }
    for value in ["null", "\"soon\"", "{}", "0", "\"9999-01-01T00:00:00Z\""] {
        assert_eq!(only(&payload_with(value)).at, at(time), "{value}");
    }
    for useless in ["", "1999-12-31T23:59:59Z", "2200-01-01T00:00:00Z"] {
        assert_eq!(
            rejected(completed(time, useless)),
            [(0, Unreadable::NoTime)]
        );
    }
}

#[test]
fn a_creation_that_cannot_be_meant_is_left_out() {
    for created in [
        "2026-01-05T09:41:17.094Z",
        "2025-09-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "",
    ] {
        let fact = only(&completed("2026-01-05T09:00:00.000Z", created));
        assert_eq!(told(&fact).opened_at, None, "{created}");
    }
}

#[test]
fn events_of_others_are_ignored() {
    let body = payload!("s2-completed");
    let account = "AC00000000000000000000000000000001".parse().unwrap();
    let workspace = "WS00000000000000000000000000000002".parse().unwrap();
    let ours = Scope {
        account: Some(account),
        workspace: Some(workspace),
        ..Scope::default()
    };
    let ignored = |body: &str| events::read_recording(body.as_bytes(), &ours).ignored;
    assert_eq!(
        events::read_recording(body.as_bytes(), &ours).facts.len(),
        1
    );
    assert_eq!(
        ignored(&body.replacen(account.as_str(), "AC00000000000000000000000000000009", 1)),
        BTreeMap::from([(Ignored::OtherAccount, 1)])
    );
    assert_eq!(
        ignored(&body.replace(workspace.as_str(), "WS00000000000000000000000000000009")),
        BTreeMap::from([(Ignored::OtherWorkspace, 1)])
    );
    let silent = body
        .replace("\"account_sid\"", "\"x\"")
        .replace("\"workspace_sid\"", "\"y\"");
    assert_eq!(
        events::read_recording(silent.as_bytes(), &ours).facts.len(),
        1
    );
}

#[test]
fn a_channel_is_known_by_a_valid_sid_alone() {
    let with = |attributes: &str| {
        let mut event: serde_json::Value = serde_json::from_str(payload!("s2-completed")).unwrap();
        event[0]["data"]["payload"]["task_attributes"] = serde_json::from_str(attributes).unwrap();
        read(event.to_string())
    };
    let zeros = "CH00000000000000000000000000000000";
    let (chat, conversation) = (
        "CH000000000000000000000000000000c1",
        "CH000000000000000000000000000000c2",
    );
    for (attributes, channel, platform, torn) in [
        (
            format!(r#"{{"channelSid":"{chat}"}}"#),
            chat,
            Platform::Chat,
            0,
        ),
        (
            format!(r#"{{"conversationSid":"{conversation}"}}"#),
            conversation,
            Platform::Conversations,
            0,
        ),
        (
            format!(r#"{{"channelSid":"{chat}","conversationSid":"{conversation}"}}"#),
            conversation,
            Platform::Conversations,
            1,
        ),
        (
            format!(r#"{{"channelSid":"{chat}","conversationSid":"{chat}"}}"#),
            chat,
            Platform::Conversations,
            0,
        ),
        (
            format!(
                r#"{{"channelSid":"{chat}","conversationSid":"UO{}"}}"#,
                &chat[2..]
            ),
            chat,
            Platform::Chat,
            0,
        ),
        (
            format!(r#"{{"channelSid":"{zeros}","conversationSid":"{conversation}"}}"#),
            conversation,
            Platform::Conversations,
            0,
        ),
        (
            format!(r#"{{"channelSid":"x","channel\u0053id":"{chat}"}}"#),
            chat,
            Platform::Chat,
            0,
        ),
        (
            format!(r#"{{"name":"\ud83d","channelSid":"{chat}","n":1e999}}"#),
            chat,
            Platform::Chat,
            0,
        ),
    ] {
        // As the string that it is documented to be, and as an object.
        for written in [
            serde_json::to_string(&attributes).unwrap(),
            attributes.clone(),
        ] {
            if serde_json::from_str::<serde_json::Value>(&written).is_err() {
                continue;
            }
            let batch = with(&written);
            assert_eq!(batch.tasks, 1, "{written}: {batch:?}");
            let fact = &batch.facts[0];
            assert_eq!(
                (fact.channel.as_str(), fact.platform, batch.torn),
                (channel, platform, torn),
                "{written}"
            );
        }
    }
    for (attributes, reason) in [
        ("null".to_owned(), Ignored::NoChannel),
        (
            format!(r#"{{"channelSid":["{chat}"]}}"#),
            Ignored::NoChannel,
        ),
        (
            r#"{"channelSid":"undefined"}"#.to_owned(),
            Ignored::NoChannel,
        ),
        (
            r#"{"channelSid":7,"conversationSid":null}"#.to_owned(),
            Ignored::NoChannel,
        ),
        ("7".to_owned(), Ignored::AttributesUnreadable),
        ("[]".to_owned(), Ignored::AttributesUnreadable),
        (
            r#""{\"channelSid\":""#.to_owned(),
            Ignored::AttributesUnreadable,
        ),
    ] {
        assert_eq!(
            with(&attributes).ignored,
            BTreeMap::from([(reason, 1)]),
            "{attributes}"
        );
    }
}
