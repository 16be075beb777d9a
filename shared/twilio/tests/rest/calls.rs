//! The calls: what is asked for, and what is made of the answers.

use crate::scripted::{Script, Step, ok, refusal, status};
use domain::{ChannelSid, TaskSid, WorkspaceSid};
use twilio::attributes::NotAnObject;
use twilio::events::{About, TaskStatus};
use twilio::rest::{
    CHANNELS_PER_QUESTION, RefusedOperators, Removed, SessionStatus, TwilioError, Why,
};

const ROOT: &str = "https://taskrouter.twilio.com";

fn zeros(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:032}")
}

fn workspace() -> WorkspaceSid {
    zeros("WS", 2).parse().unwrap()
}

fn task(number: usize) -> TaskSid {
    zeros("WT", number).parse().unwrap()
}

fn channel(number: usize) -> ChannelSid {
    zeros("CH", number).parse().unwrap()
}

fn listed(number: usize, status: &str) -> String {
    format!(
        r#"{{"sid":"{}","assignment_status":"{status}","attributes":null}}"#,
        task(number)
    )
}

fn page(tasks: &[String], next: &str) -> Step {
    let next = if next.is_empty() {
        "null".to_owned()
    } else {
        format!("\"{next}\"")
    };
    ok(format!(
        r#"{{"tasks":[{}],"meta":{{"page":0,"next_page_url":{next}}}}}"#,
        tasks.join(",")
    ))
}

fn garbage() -> TwilioError {
    TwilioError::Unreachable { why: Why::Garbage }
}

#[tokio::test(start_paused = true)]
async fn open_tasks_are_listed_page_by_page() {
    let path = format!("/v1/Workspaces/{}/Tasks", workspace());
    let next = format!("https://taskrouter.twilio.com{path}?PageToken=x%2Fy&PageSize=1000");
    let script = Script::new([
        page(&[listed(1, "pending"), listed(2, "completed")], &next),
        page(&[listed(3, "wrapping")], ""),
    ]);
    let tasks = script.client().open_tasks(workspace()).await.unwrap();
    let sids: Vec<TaskSid> = tasks.iter().map(|task| task.sid).collect();
    assert_eq!(sids, [task(1), task(3)]);
    assert_eq!(tasks[0].about, About::NotTold);
    assert_eq!(
        script.asked(),
        [
            format!(
                "GET {ROOT}{path}?AssignmentStatus=pending%2Creserved%2Cassigned%2Cwrapping&PageSize=1000"
            ),
            format!("GET {ROOT}{path}?PageToken=x%2Fy&PageSize=1000"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn another_host_is_never_called_and_another_path_fails() {
    let path = format!("/v1/Workspaces/{}/Tasks", workspace());
    let regional = format!("https://taskrouter.example{path}?PageToken=x");
    let script = Script::new([page(&[], &regional), page(&[], "")]);
    assert_eq!(script.client().open_tasks(workspace()).await, Ok(vec![]));
    assert_eq!(script.asked()[1], format!("GET {ROOT}{path}?PageToken=x"));
    for elsewhere in [
        "https://taskrouter.twilio.com/v1/Workspaces".to_owned(),
        format!("https://taskrouter.twilio.com{path}/../Workers"),
        "nothing".to_owned(),
    ] {
        let script = Script::new([page(&[], &elsewhere)]);
        assert_eq!(
            script.client().open_tasks(workspace()).await,
            Err(garbage())
        );
        script.finish();
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_whole_or_an_error() {
    for page in [
        r#"{"tasks":[{"sid":"x"}],"meta":{}}"#,
        r#"{"tasks":[7],"meta":{}}"#,
        r#"{"tasks":null,"meta":{}}"#,
        r#"{"tasks":[]}"#,
        r#"{"tasks":[],"meta":{"next_page_url":7}}"#,
    ] {
        let script = Script::new([ok(page), ok(page), ok(page)]);
        assert_eq!(
            script.client().open_tasks(workspace()).await,
            Err(garbage()),
            "{page}"
        );
        script.finish();
    }
    // Pages without end.
    let path = format!("/v1/Workspaces/{}/Tasks?PageToken=x", workspace());
    let endless = (0..200).map(|_| page(&[], &format!("{ROOT}{path}")));
    let script = Script::new(endless);
    let why = Why::Endless;
    let error = TwilioError::Unreachable { why };
    assert_eq!(script.client().open_tasks(workspace()).await, Err(error));
    script.finish();
    // A workspace that is not there has no list.
    let script = Script::new([refusal(404, 20404)]);
    assert_eq!(
        script.client().open_tasks(workspace()).await,
        Err(TwilioError::Gone)
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_of_channels_are_asked_for_in_urls_of_a_bounded_length() {
    let channels: Vec<ChannelSid> = (1..=CHANNELS_PER_QUESTION + 1).map(channel).collect();
    let script = Script::new([page(&[listed(1, "assigned")], ""), page(&[], "")]);
    let client = script.client();
    let refused = RefusedOperators::default();
    let tasks = client.open_tasks_on(workspace(), &channels, &refused).await;
    assert_eq!(tasks.unwrap().len(), 1);
    let asked = script.asked();
    assert!(
        asked.iter().all(|line| line.len() < 4096),
        "{}",
        asked[0].len()
    );
    let last = channels[CHANNELS_PER_QUESTION];
    let last = format!(
        "channelSid%20IN%20%5B%22{last}%22%5D%20OR%20conversationSid%20IN%20%5B%22{last}%22%5D"
    );
    assert!(asked[1].ends_with(&last), "{}", asked[1]);
    let script = Script::new([]);
    let client = script.client();
    let none = client.open_tasks_on(workspace(), &[], &refused).await;
    assert_eq!(none, Ok(vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_task_is_looked_up() {
    let script = Script::new([
        ok(include_str!("../payloads/task-resource.json")),
        refusal(404, 20404),
        status(404),
        ok(listed(1, "pending")),
        ok(listed(1, "pending")),
        ok(listed(1, "pending")),
    ]);
    let client = script.client();
    let seen = client.task(workspace(), task(20)).await.unwrap().unwrap();
    assert!(matches!(seen.about, About::Channel(link) if link.channel == channel(10)));
    assert!(matches!(seen.status, TaskStatus::Open(_)));
    assert_eq!(client.task(workspace(), task(20)).await, Ok(None));
    // A page of another server's is not Twilio's word that a task is gone.
    let refused = TwilioError::Refused {
        status: 404,
        code: None,
    };
    assert_eq!(client.task(workspace(), task(20)).await, Err(refused));
    // Nor is an answer about another task an answer.
    assert_eq!(client.task(workspace(), task(20)).await, Err(garbage()));
    let first = format!(
        "GET {ROOT}/v1/Workspaces/{}/Tasks/{}",
        workspace(),
        task(20)
    );
    assert_eq!(script.asked()[0], first);
}

#[tokio::test(start_paused = true)]
async fn a_chat_channel_is_read_and_written() {
    let service = zeros("IS", 1).parse().unwrap();
    let answer = |attributes: &str| {
        ok(format!(
            r#"{{"sid":"{}","attributes":{attributes}}}"#,
            channel(1)
        ))
    };
    let script = Script::new([
        answer(r#""{\"status\":\"ACTIVE\",\"n\":1e400}""#),
        answer(r#""{\"status\":\"INACTIVE\",\"n\":1e400}""#),
        Step::Answer(204, &[], String::new()),
    ]);
    let client = script.client();
    let seen = client.chat_channel(service, channel(1)).await.unwrap();
    let text = seen.attributes.unwrap().with_status_inactive();
    let answer_of = client
        .set_chat_attributes(service, channel(1), &text)
        .await
        .unwrap();
    assert!(answer_of.attributes.unwrap().is_inactive());
    assert_eq!(
        client.delete_chat_channel(service, channel(1)).await,
        Ok(())
    );
    let url = format!(
        "https://chat.twilio.com/v2/Services/{service}/Channels/{}",
        channel(1)
    );
    assert_eq!(
        script.asked(),
        [
            format!("GET {url}"),
            format!("POST {url} Attributes=%7B%22status%22%3A%22INACTIVE%22%2C%22n%22%3A1e400%7D"),
            format!("DELETE {url}"),
        ]
    );
    // Flex hears of a change by its webhook alone.
    assert!(!script.headers(0).contains_key("x-twilio-webhook-enabled"));
    assert_eq!(script.headers(1)["x-twilio-webhook-enabled"], "true");
    assert_eq!(
        script.headers(1)["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(script.headers(2)["x-twilio-webhook-enabled"], "true");

    // What is no object, or no text that could be written back.
    for attributes in [
        "null",
        "7",
        "{}",
        r#""""#,
        r#""[]""#,
        r#""{\"a\":\"\ud800\"}""#,
    ] {
        let script = Script::new([answer(attributes)]);
        let seen = script
            .client()
            .chat_channel(service, channel(1))
            .await
            .unwrap();
        assert_eq!(seen.attributes, Err(NotAnObject), "{attributes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_session_that_is_gone_is_removed() {
    let service = zeros("KS", 1).parse().unwrap();
    let session = zeros("KC", 1).parse().unwrap();
    let shown = |status: &str| ok(format!(r#"{{"sid":"{session}","status":"{status}"}}"#));
    let script = Script::new([
        shown("in-progress"),
        shown("closed"),
        refusal(404, 20404),
        Step::Break,
        refusal(404, 20404),
        // A proxy's page in between has deleted nothing.
        ok("<html>".to_owned()),
        Step::Answer(204, &[], String::new()),
    ]);
    let client = script.client();
    for expected in [Some(SessionStatus::Live), Some(SessionStatus::Ended), None] {
        assert_eq!(client.proxy_session(service, session).await, Ok(expected));
    }
    for expected in [Removed::AlreadyGone, Removed::Deleted] {
        assert_eq!(
            client.delete_proxy_session(service, session).await,
            Ok(expected)
        );
    }
    script.finish();
    let url = format!("https://proxy.twilio.com/v1/Services/{service}/Sessions/{session}");
    assert_eq!(script.asked()[3], format!("DELETE {url}"));
}

#[tokio::test(start_paused = true)]
async fn flex_says_where_things_are() {
    let script = Script::new([ok(format!(
        r#"{{"account_sid":"{}","taskrouter_workspace_sid":"{}","chat_service_instance_sid":null}}"#,
        zeros("AC", 1),
        workspace()
    ))]);
    let configuration = script.client().flex_configuration().await.unwrap();
    assert_eq!(configuration.workspace, Some(workspace()));
    assert_eq!(configuration.chat_service, None);
}
