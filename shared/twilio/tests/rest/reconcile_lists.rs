//! The lists that reconcile reads: TaskRouter's log, Proxy sessions and services.

use crate::lists::{page, proxy, service, sid};
use crate::scripted::{Script, ok, refusal};
use domain::{ChannelSid, Timestamp, WorkspaceSid};
use twilio::events::{Ignored, Scope};
use twilio::rest::{ListFailure, LogQuery, TwilioError, Why};

fn workspace() -> WorkspaceSid {
    sid("WS", 2).parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn sync_documents_are_read_page_by_page() {
    let service = sid("IS", 9).parse().unwrap();
    let documents = include_str!("../payloads/sync-documents.json");
    let url = format!("https://sync.twilio.com/v1/Services/{service}/Documents");
    let next = format!("{url}?PageToken=x");
    let script = Script::new([
        page("documents", &["{\"data\":{}}".to_owned()], Some(&next)),
        ok(documents.to_owned()),
    ]);
    let client = script.client();
    let scope = Scope::default();
    let first = client.sync_documents(service, &scope, None).await.unwrap();
    assert_eq!(first.batch.received, 1);
    let after = first.next.as_ref();
    let second = client.sync_documents(service, &scope, after).await.unwrap();
    assert_eq!(second.batch.facts.len(), 2);
    assert_eq!(second.next, None);
    assert!(!format!("{second:?}").contains("555"));
}

#[tokio::test(start_paused = true)]
async fn the_log_of_events_is_read_page_by_page() {
    let path = format!(
        "https://taskrouter.twilio.com/v1/Workspaces/{}/Events",
        workspace()
    );
    let next = format!("{path}?PageToken=x");
    let script = Script::new([
        ok(include_str!("../payloads/log-page.json").replace(
            "\"next_page_url\": null",
            &format!("\"next_page_url\": \"{next}\""),
        )),
        page("events", &["7".to_owned(), "{}".to_owned()], None),
        page("events", &[], None),
    ]);
    let client = script.client();
    let query = LogQuery {
        from: Timestamp::from_millis(1_767_603_600_412),
        to: Timestamp::from_millis(1_767_607_200_000),
        event_type: Some("task.completed"),
    };
    let scope = Scope {
        account: None,
        workspace: Some(workspace()),
        ..Scope::default()
    };
    let first = client
        .event_log(workspace(), query, &scope, None)
        .await
        .unwrap();
    assert_eq!(first.batch.facts.len(), 1);
    assert!(!format!("{first:?}").contains("555"));
    let after = first.next.as_ref();
    let second = client
        .event_log(workspace(), query, &scope, after)
        .await
        .unwrap();
    assert_eq!((second.batch.rejected.len(), second.next), (2, None));
    let everything = LogQuery {
        event_type: None,
        ..query
    };
    let empty = client
        .event_log(workspace(), everything, &scope, None)
        .await
        .unwrap();
    assert_eq!((empty.batch.received, empty.next), (0, None));
    let range = "StartDate=2026-01-05T09%3A00%3A00Z&EndDate=2026-01-05T10%3A00%3A00Z";
    assert_eq!(
        script.asked(),
        [
            format!("GET {path}?{range}&EventType=task.completed&PageSize=1000"),
            format!("GET {next}"),
            format!("GET {path}?{range}&PageSize=1000"),
        ]
    );
    // Another workspace's events are none of ours.
    let script = Script::new([ok(include_str!("../payloads/log-page.json"))]);
    let scope = Scope {
        account: None,
        workspace: Some(sid("WS", 9).parse().unwrap()),
        ..Scope::default()
    };
    let page = script
        .client()
        .event_log(workspace(), query, &scope, None)
        .await
        .unwrap();
    assert_eq!(page.batch.ignored[&Ignored::OtherWorkspace], 1);
    // A page without events is none.
    for body in [
        r#"{"meta":{}}"#,
        r#"{"events":{},"meta":{}}"#,
        r#"{"events":[]}"#,
    ] {
        let script = Script::new((0..3).map(|_| ok(body)));
        let page = script
            .client()
            .event_log(workspace(), query, &scope, None)
            .await;
        let garbage = TwilioError::Unreachable { why: Why::Garbage };
        assert_eq!(page, Err(ListFailure::Twilio(garbage)), "{body}");
    }
}

fn session(number: usize, status: &str, name: &str) -> String {
    let sid = sid("KC", number);
    let (created, last) = ("2026-01-05T09:00:00Z", "null");
    format!(
        r#"{{"sid":"{sid}","status":"{status}","unique_name":{name},"date_created":"{created}","date_last_interaction":{last}}}"#
    )
}

#[tokio::test(start_paused = true)]
async fn open_proxy_sessions_are_listed_with_their_channels() {
    let url = format!("https://proxy.twilio.com/v1/Services/{}/Sessions", proxy());
    let plain = format!("\"{}\"", sid("CH", 1));
    let suffixed = format!("\"{}_2\"", sid("CH", 2));
    let placeholder = format!("\"{}\"", sid("CH", 0));
    let sessions = [
        session(1, "open", &plain),
        session(2, "in-progress", &suffixed),
        session(3, "closed", &plain),
        session(4, "failed", &plain),
        session(5, "unknown", &placeholder),
        session(6, "open", "null"),
        session(7, "open", "\"Order #1234\""),
        session(8, "open", "\"CH-is-not-a-channel-é-é-é-é-é-é-é-é\""),
        r#"{"sid":"KC1","status":"open"}"#.to_owned(),
        format!(r#"{{"sid":"{}","status":null}}"#, sid("KC", 9)),
        "null".to_owned(),
    ];
    let next = format!("{url}?PageToken=x");
    let script = Script::new([
        page("sessions", &sessions, Some(&next)),
        page("sessions", &[session(10, "closed", &plain)], None),
    ]);
    let client = script.client();
    let first = client.open_proxy_sessions(proxy(), None).await.unwrap();
    let found: Vec<(String, Option<ChannelSid>)> = first
        .items
        .iter()
        .map(|session| (session.sid.to_string(), session.channel))
        .collect();
    let channel = |number| Some(sid("CH", number).parse().unwrap());
    let expected = [
        (1, channel(1)),
        (2, channel(2)),
        (5, None),
        (6, None),
        (7, None),
        (8, None),
    ];
    assert_eq!(
        found,
        expected.map(|(number, channel)| (sid("KC", number), channel))
    );
    assert_eq!(first.unreadable, 3);
    let created = Timestamp::from_millis(1_767_603_600_000);
    assert_eq!(first.items[0].created_at, Some(created));
    assert_eq!(first.items[0].last_interaction_at, None);
    let last = client
        .open_proxy_sessions(proxy(), first.next.as_ref())
        .await
        .unwrap();
    assert_eq!((last.items.len(), last.unreadable, last.next), (0, 0, None));
    assert_eq!(
        script.asked(),
        [format!("GET {url}?PageSize=1000"), format!("GET {next}")]
    );
}

#[tokio::test(start_paused = true)]
async fn the_proxy_service_is_found_by_its_chat_service() {
    let url = "https://proxy.twilio.com/v1/Services";
    let listed = |number, chat: &str| {
        let sid = sid("KS", number);
        format!(
            r#"{{"sid":"{sid}","chat_instance_sid":{chat},"unique_name":"Flex Proxy Service"}}"#
        )
    };
    let ours = format!("\"{}\"", service());
    let other = format!("\"{}\"", sid("IS", 2));
    let next = format!("{url}?PageToken=x");
    let script = Script::new([
        page(
            "services",
            &[listed(3, &other), listed(4, "null")],
            Some(&next),
        ),
        page(
            "services",
            &[listed(1, &ours)],
            Some(&format!("{url}?PageToken=y")),
        ),
        page("services", &[listed(3, &other)], None),
        page("services", &[], None),
        refusal(401, 20003),
    ]);
    let client = script.client();
    assert_eq!(client.proxy_service_of(service()).await, Ok(Some(proxy())));
    for _ in 0..2 {
        assert_eq!(client.proxy_service_of(service()).await, Ok(None));
    }
    let failure = client.proxy_service_of(service()).await;
    assert!(matches!(
        failure,
        Err(ListFailure::Twilio(TwilioError::Unauthorized { .. }))
    ));
    assert_eq!(
        script.asked()[..2],
        [format!("GET {url}?PageSize=1000"), format!("GET {next}")]
    );
    script.finish();
}
