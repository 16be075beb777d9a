//! Making a task like an earlier one.

use std::time::Duration;

use domain::{
    Interaction, TaskChannelSid, TaskQueueSid, TaskSid, Timestamp, WorkflowSid, WorkspaceSid,
};
use twilio::rest::{TaskModel, TaskModelAnswer, TwilioError};

use crate::scripted::{Script, Step, ok, refusal, status};

const ATTRIBUTES: &str =
    r#"{"channelSid":"CH00000000000000000000000000000001","from":"+15550100123","n":1e400}"#;

fn sid<T: std::str::FromStr>(prefix: &str, number: usize) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("{prefix}{number:032}").parse().unwrap()
}

fn workspace() -> WorkspaceSid {
    sid("WS", 2)
}

fn task() -> TaskSid {
    sid("WT", 1)
}

fn interaction() -> Interaction {
    Interaction {
        sid: sid("KD", 3),
        channel: sid("UO", 4),
    }
}

fn model() -> TaskModel {
    TaskModel {
        attributes: ATTRIBUTES.to_owned(),
        workflow: Some(sid::<WorkflowSid>("WW", 5)),
        queue: Some(sid::<TaskQueueSid>("WQ", 6)),
        task_channel: Some(sid::<TaskChannelSid>("TC", 7)),
    }
}

fn bare() -> TaskModel {
    TaskModel {
        workflow: None,
        queue: None,
        task_channel: None,
        ..model()
    }
}

/// The fields of a request's form.
fn form(line: &str) -> Vec<(String, String)> {
    let (_, body) = line.rsplit_once(' ').unwrap();
    form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_task_takes_over_the_attributes_byte_for_byte_the_workflow_and_the_task_channel() {
    let answer = format!(
        r#"{{"sid":"{}","assignment_status":"pending","attributes":"{{}}","date_updated":"2026-01-05T09:00:00Z"}}"#,
        task()
    );
    let script = Script::new([ok(answer.clone()), ok(answer)]);
    let client = script.client();
    let made = client.create_task(workspace(), &model()).await.unwrap();
    assert_eq!(made.sid, task());
    client.create_task(workspace(), &bare()).await.unwrap();
    let asked = script.asked();
    let url = format!(
        "POST https://taskrouter.twilio.com/v1/Workspaces/{}/Tasks ",
        workspace()
    );
    assert!(asked.iter().all(|line| line.starts_with(&url)), "{asked:?}");
    assert_eq!(
        form(&asked[0]),
        [
            field("Attributes", ATTRIBUTES),
            field("WorkflowSid", "WW00000000000000000000000000000005"),
            field("TaskChannel", "TC00000000000000000000000000000007"),
        ],
        "the queue follows from the workflow"
    );
    assert_eq!(form(&asked[1]), [field("Attributes", ATTRIBUTES)]);
    script.finish();
}

#[tokio::test(start_paused = true)]
async fn an_invite_names_the_queue_too_and_its_answer_may_leave_the_task_out() {
    let named = format!(
        r#"{{"sid":"KG1","routing":{{"properties":{{"sid":"{}"}}}}}}"#,
        task()
    );
    let script = Script::new([
        ok(named),
        ok(r#"{"sid":"KG1","routing":{}}"#),
        ok(r#"{"sid":"KG1"}"#),
    ]);
    let client = script.client();
    let mut made = Vec::new();
    for model in [model(), bare(), bare()] {
        made.push(client.invite(interaction(), workspace(), &model).await);
    }
    assert_eq!(made, [Ok(Some(task())), Ok(None), Ok(None)]);
    let asked = script.asked();
    let url = format!(
        "POST https://flex-api.twilio.com/v1/Interactions/{}/Channels/{}/Invites ",
        interaction().sid,
        interaction().channel
    );
    assert!(asked.iter().all(|line| line.starts_with(&url)), "{asked:?}");
    let routing = |properties: &str| {
        let workspace = workspace();
        let text = format!(
            r#"{{"properties":{{"workspace_sid":"{workspace}",{properties}"attributes":{ATTRIBUTES}}}}}"#
        );
        [field("Routing", &text)]
    };
    let rest = concat!(
        r#""workflow_sid":"WW00000000000000000000000000000005","#,
        r#""queue_sid":"WQ00000000000000000000000000000006","#,
        r#""task_channel_sid":"TC00000000000000000000000000000007","#,
    );
    assert_eq!(form(&asked[0]), routing(rest));
    assert_eq!(form(&asked[1]), routing(""));

    // Attributes that are no JSON are not sent at all.
    let script = Script::new([]);
    let broken = TaskModel {
        attributes: "{\"a\":".to_owned(),
        ..bare()
    };
    let refused = script
        .client()
        .invite(interaction(), workspace(), &broken)
        .await;
    assert!(
        matches!(refused, Err(TwilioError::Unreachable { .. })),
        "{refused:?}"
    );
    assert!(script.asked().is_empty());
}

/// A task may have been made whatever came back, so that each request goes out once.
#[tokio::test(start_paused = true)]
async fn a_task_is_asked_for_once_and_each_refusal_is_told_apart() {
    type Expected = fn(&TwilioError) -> bool;
    let answers: [(fn() -> Step, Expected); 11] = [
        (
            || refusal(400, 20001),
            |error| {
                *error
                    == TwilioError::Refused {
                        status: 400,
                        code: Some(20001),
                    }
            },
        ),
        (
            || refusal(409, 45002),
            |error| matches!(error, TwilioError::Refused { .. } | TwilioError::Conflict),
        ),
        (|| refusal(404, 20404), |error| *error == TwilioError::Gone),
        (
            || refusal(401, 20003),
            |error| matches!(error, TwilioError::Unauthorized { status: 401, .. }),
        ),
        (
            || refusal(403, 20403),
            |error| matches!(error, TwilioError::Unauthorized { status: 403, .. }),
        ),
        (
            || refusal(429, 20429),
            |error| matches!(error, TwilioError::Throttled { .. }),
        ),
        (|| status(500), is_unreachable),
        (|| status(503), is_unreachable),
        (|| ok("<html>"), is_unreachable),
        (|| Step::Break, is_unreachable),
        (|| Step::Hang, is_unreachable),
    ];
    for (number, (answer, is_expected)) in answers.iter().enumerate() {
        let script = Script::new([answer()]);
        let made = script.client().create_task(workspace(), &model()).await;
        let error = made.unwrap_err();
        assert!(is_expected(&error), "task, answer {number}: {error:?}");
        assert_eq!(script.asked().len(), 1, "task, answer {number}");

        let script = Script::new([answer()]);
        let client = script.client();
        let made = client.invite(interaction(), workspace(), &model()).await;
        let error = made.unwrap_err();
        assert!(is_expected(&error), "invite, answer {number}: {error:?}");
        assert_eq!(script.asked().len(), 1, "invite, answer {number}");
        let told = format!("{error} {error:?}");
        assert!(!told.contains("+1555"), "{told}");
    }
}

fn is_unreachable(error: &TwilioError) -> bool {
    matches!(error, TwilioError::Unreachable { .. })
}

#[tokio::test(start_paused = true)]
async fn a_model_is_the_newest_event_that_names_the_channel_and_shows_nothing_personal() {
    let event = |second: u32, attributes: &str, of: usize| {
        let attributes = serde_json::to_string(attributes).unwrap();
        let of: TaskSid = sid("WT", of);
        format!(
            r#"{{"event_date":"2026-01-05T09:00:{second:02}Z","event_data":{{"task_sid":"{of}","task_attributes":{attributes},"workflow_sid":"WW00000000000000000000000000000005"}}}}"#
        )
    };
    let log = |events: &[String]| ok(format!(r#"{{"events":[{}]}}"#, events.join(",")));
    let other = ATTRIBUTES.replace("01\"", "09\"");
    let newer = ATTRIBUTES.replace("1e400", "2");
    let (now, from) = (
        Timestamp::from_millis(1_767_603_700_000),
        Timestamp::from_millis(1_767_603_600_000),
    );
    let script = Script::new([
        log(&[
            event(3, &newer, 1),
            event(1, ATTRIBUTES, 1),
            event(4, &other, 1),
            event(5, "[]", 1),
            event(6, ATTRIBUTES, 2),
        ]),
        log(&[event(5, "[]", 1)]),
        log(&[event(4, &other, 1)]),
        log(&[]),
        refusal(404, 20404),
    ]);
    let client = script.client();
    let mut read = Vec::new();
    for _ in 0..5 {
        let channel = sid("CH", 1);
        let model = client.task_model_in_log(workspace(), task(), channel, from, now);
        read.push(model.await.unwrap());
    }
    let TaskModelAnswer::Known(found) = &read[0] else {
        panic!("{read:?}");
    };
    assert_eq!(found.attributes, newer);
    assert_eq!(found.workflow, model().workflow);
    assert!(!format!("{found:?}").contains("+1555"), "{found:?}");
    assert_eq!(read[1], TaskModelAnswer::NotAnObject);
    for answer in &read[2..] {
        assert_eq!(*answer, TaskModelAnswer::Unknown);
    }
    let asked = &script.asked()[0];
    for part in [
        "TaskSid=WT00000000000000000000000000000001",
        "StartDate=2026-01-05T09%3A00%3A00Z",
        "EndDate=2026-01-05T09%3A02%3A40Z",
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }

    // No question begins before the log does.
    let script = Script::new([log(&[])]);
    let long_ago = now.minus(Duration::from_secs(90 * 24 * 60 * 60));
    let channel = sid("CH", 1);
    let client = script.client();
    let model = client.task_model_in_log(workspace(), task(), channel, long_ago, now);
    assert_eq!(model.await.unwrap(), TaskModelAnswer::Unknown);
    let asked = &script.asked()[0];
    assert!(
        asked.contains("StartDate=2025-12-06T10%3A01%3A40Z"),
        "{asked}"
    );
}
