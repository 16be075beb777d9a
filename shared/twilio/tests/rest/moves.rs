//! Moving tasks, and what goes with it.

use domain::{AccountSid, ChannelSid, ChatServiceSid, TaskSid, WorkerSid, WorkspaceSid};
use http::header;
use twilio::rest::{FlexUser, Load, Move, Role, TokenBearer, TwilioError, WebhookState};

use crate::scripted::{Script, Step, ok, refusal, status};

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

fn seen(attributes: &str, task_channel: usize) -> Step {
    const ETAG: &[(&str, &str)] = &[("etag", "\"3\"")];
    let attributes = serde_json::to_string(attributes).unwrap();
    let task_channel: domain::TaskChannelSid = sid("TC", task_channel);
    let task = task();
    Step::Answer(
        200,
        ETAG,
        format!(
            r#"{{"sid":"{task}","assignment_status":"assigned","attributes":{attributes},"task_channel_sid":"{task_channel}","date_updated":"2026-01-05T09:00:00Z"}}"#
        ),
    )
}

#[tokio::test(start_paused = true)]
async fn a_task_is_moved_with_the_version_that_was_seen_and_only_once() {
    let script = Script::new([seen(r#"{"a":1}"#, 5), status(503)]);
    let client = script.client();
    let version = client.task_version(workspace(), task()).await.unwrap();
    let version = version.unwrap();
    assert_eq!(version.number, Some(3));
    let change = Move {
        attributes: Some(r#"{"a":1,"inactive":1}"#),
        task_channel: sid("TC", 6),
    };
    let moved = client.move_task(workspace(), &version, change).await;
    assert!(matches!(moved, Err(TwilioError::Unreachable { .. })));
    let url = format!(
        "https://taskrouter.twilio.com/v1/Workspaces/{}/Tasks/{}",
        workspace(),
        task()
    );
    assert_eq!(
        script.asked(),
        [
            format!("GET {url}"),
            format!(
                "POST {url} Attributes=%7B%22a%22%3A1%2C%22inactive%22%3A1%7D&TaskChannel={}",
                change.task_channel
            ),
        ]
    );
    let headers = script.headers(1);
    assert_eq!(headers[header::IF_MATCH], "\"3\"", "as it was given");
    assert!(!headers.contains_key("x-twilio-webhook-enabled"));
    assert!(!script.headers(0).contains_key(header::IF_MATCH));

    let script = Script::new([seen("{}", 5), refusal(412, 20412)]);
    let client = script.client();
    let version = client.task_version(workspace(), task()).await.unwrap();
    let version = version.unwrap();
    let moved = client.move_task(workspace(), &version, change).await;
    assert_eq!(moved.unwrap_err(), TwilioError::Conflict);

    // The TaskChannel can move without the attributes.
    let script = Script::new([seen("nonsense", 6), seen("nonsense", 5)]);
    let client = script.client();
    let version = client.task_version(workspace(), task()).await.unwrap();
    let version = version.unwrap();
    let change = Move {
        attributes: None,
        task_channel: sid("TC", 5),
    };
    let moved = client.move_task(workspace(), &version, change);
    assert_eq!(moved.await.unwrap().task_channel, change.task_channel);
    let form = format!(" TaskChannel={}", change.task_channel);
    assert!(script.asked()[1].ends_with(&form), "{:?}", script.asked());
}

#[tokio::test(start_paused = true)]
async fn a_task_without_a_version_is_not_understood_and_one_that_is_gone_is_none() {
    let without = Step::Answer(200, &[], r#"{"sid":"WT","attributes":"{}"}"#.to_owned());
    let again = || {
        ok(format!(
            r#"{{"sid":"{}","task_channel_sid":"{}"}}"#,
            task(),
            sid::<domain::TaskChannelSid>("TC", 5)
        ))
    };
    let script = Script::new([without, again(), again()]);
    let seen = script.client().task_version(workspace(), task()).await;
    assert!(matches!(seen, Err(TwilioError::Unreachable { .. })));
    let script = Script::new([refusal(404, 20404)]);
    let seen = script.client().task_version(workspace(), task()).await;
    assert!(seen.unwrap().is_none());
    for broken in ["[]", "", "nonsense"] {
        let script = Script::new([self::seen(broken, 5)]);
        let seen = script.client().task_version(workspace(), task()).await;
        assert!(seen.unwrap().unwrap().attributes.is_err(), "{broken}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_holds_a_task_is_asked_by_worker() {
    let worker: WorkerSid = sid("WK", 9);
    let reservations = |status: &str, worker: WorkerSid| {
        ok(format!(
            r#"{{"reservations":[{{"worker_sid":"{worker}","reservation_status":"rejected"}},{{"worker_sid":"{worker}","reservation_status":"{status}"}}],"meta":{{"next_page_url":null}}}}"#
        ))
    };
    for (answer, holds) in [
        (reservations("accepted", worker), Some(true)),
        (reservations("wrapping", worker), Some(true)),
        (reservations("completed", worker), Some(false)),
        (reservations("accepted", sid("WK", 8)), Some(false)),
        (ok(r#"{"reservations":[]}"#), Some(false)),
        (refusal(404, 20404), None),
    ] {
        let script = Script::new([answer]);
        let client = script.client();
        let answer = client.holds_task(workspace(), task(), worker).await;
        assert_eq!(answer, Ok(holds));
        let query = format!("/Reservations?WorkerSid={worker}&PageSize=50");
        assert!(script.asked()[0].ends_with(&query), "{:?}", script.asked());
    }
}

#[tokio::test(start_paused = true)]
async fn a_workers_load_is_read() {
    let script = Script::new([ok(r#"{"configured_capacity":3,"assigned_tasks":"4"}"#)]);
    let client = script.client();
    let load = client.load(workspace(), sid("WK", 9), sid("TC", 5)).await;
    assert_eq!(
        load,
        Ok(Load {
            capacity: 3,
            assigned: 4
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_sent_as_json_and_never_in_a_url() {
    let account: AccountSid = sid("AC", 1);
    let worker: WorkerSid = sid("WK", 9);
    let script = Script::new([
        ok(format!(
            r#"{{"valid":true,"worker_sid":"{worker}","roles":["agent"]}}"#
        )),
        ok(r#"{"valid":false,"code":20101}"#),
        refusal(400, 20001),
    ]);
    let client = script.client();
    let user = FlexUser {
        worker,
        role: Role::Agent,
    };
    let token = "ey\"é";
    let bearer = client.flex_token(account, token).await;
    assert_eq!(bearer, Ok(TokenBearer::User(user)));
    let url = format!("https://iam.twilio.com/v1/Accounts/{account}/Tokens/validate");
    assert_eq!(
        script.asked(),
        [format!(r#"POST {url} {{"token":"ey\"é"}}"#)]
    );
    assert_eq!(script.headers(0)[header::CONTENT_TYPE], "application/json");
    for _ in 0..2 {
        let bearer = client.flex_token(account, token).await;
        assert_eq!(bearer, Ok(TokenBearer::Invalid));
    }
    for unasked in [String::new(), "x".repeat(twilio::rest::MAX_TOKEN + 1)] {
        let bearer = client.flex_token(account, &unasked).await;
        assert_eq!(bearer, Ok(TokenBearer::Invalid));
    }
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_channel_has_one_webhook_of_ours_at_the_present_url_and_is_never_crowded_out() {
    let service: ChatServiceSid = sid("IS", 3);
    let channel: ChannelSid = sid("CH", 4);
    let url = "https://user:new@janitor.example.com/twilio";
    let webhook = |number: usize, url: &str, filter: &str| {
        let sid = format!("WH{number:032}");
        format!(r#"{{"sid":"{sid}","configuration":{{"url":"{url}","filters":["{filter}"]}}}}"#)
    };
    let listed = |webhooks: &[String]| {
        let list = webhooks.join(",");
        ok(format!(
            r#"{{"webhooks":[{list}],"meta":{{"next_page_url":null}}}}"#
        ))
    };
    let theirs = || webhook(1, "https://studio.example.com", "onMessageSent");
    let studio = r#"{"sid":"WH","configuration":{"flow_sid":"FW"}}"#.to_owned();
    let ours = |number| webhook(number, url, "onMessageSent");
    let half = webhook(4, url, "onMemberAdded");
    let old = webhook(
        5,
        "https://user:old@janitor.example.com/twilio",
        "onMessageSent",
    );
    let added = || Step::Answer(201, &[], "{}".to_owned());
    let deleted = || Step::Answer(204, &[], String::new());
    let crowd = || vec![theirs(); 5];
    for (steps, state, verbs) in [
        (vec![listed(&[]), added()], WebhookState::Added, "GET POST"),
        (
            vec![listed(&[theirs(), ours(2)])],
            WebhookState::Found,
            "GET",
        ),
        (
            vec![listed(&[ours(2), theirs(), ours(3)]), deleted()],
            WebhookState::Found,
            "GET DELETE",
        ),
        (
            vec![
                listed(&[theirs(), studio, half, old]),
                deleted(),
                deleted(),
                added(),
            ],
            WebhookState::Added,
            "GET DELETE DELETE POST",
        ),
        (vec![listed(&crowd())], WebhookState::NoRoom, "GET"),
        (vec![refusal(404, 20404)], WebhookState::NoChannel, "GET"),
        (
            vec![listed(&[]), refusal(404, 50300)],
            WebhookState::NoChannel,
            "GET POST",
        ),
    ] {
        let script = Script::new(steps);
        let client = script.client();
        let answer = client.install_message_webhook(service, channel, url).await;
        assert_eq!(answer, Ok(state));
        let asked = script.asked();
        let asked_verbs: Vec<&str> = asked
            .iter()
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert_eq!(asked_verbs.join(" "), verbs);
        let path =
            format!("https://chat.twilio.com/v2/Services/{service}/Channels/{channel}/Webhooks");
        assert!(asked.iter().all(|line| line.contains(&path)), "{asked:?}");
        assert!(asked[0].ends_with("?PageSize=5"), "the most that it takes");
    }
}
