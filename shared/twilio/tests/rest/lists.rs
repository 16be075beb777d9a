//! Lists that are read page by page, and put aside in between. The list is that of the
//! conversations; any would do.

use crate::scripted::{Script, Step, ok, refusal, status};
use domain::{ChatServiceSid, ConversationState, ProxyServiceSid, Timestamp};
use proptest::prelude::*;
use twilio::rest::{ConversationFilter, Cursor, ListFailure, Page, StateFilter, TwilioError, Why};

pub(crate) fn sid(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:032}")
}

pub(crate) fn service() -> ChatServiceSid {
    sid("IS", 1).parse().unwrap()
}

pub(crate) fn proxy() -> ProxyServiceSid {
    sid("KS", 1).parse().unwrap()
}

pub(crate) fn page(key: &str, entries: &[String], next: Option<&str>) -> Step {
    let next = next.map_or("null".to_owned(), |next| format!("\"{next}\""));
    let entries = entries.join(",");
    ok(format!(
        r#"{{"{key}":[{entries}],"meta":{{"key":"{key}","next_page_url":{next}}}}}"#
    ))
}

fn conversation(number: usize, state: &str) -> String {
    let sid = sid("CH", number);
    format!(r#"{{"sid":"{sid}","state":"{state}","friendly_name":"+15550100123"}}"#)
}

fn conversations(entries: &[String], next: Option<&str>) -> Step {
    page("conversations", entries, next)
}

/// The list that these tests ask for where any would do.
async fn list(script: &std::sync::Arc<Script>, after: Option<&Cursor>) -> Listed {
    let client = script.client();
    let filter = ConversationFilter::default();
    client.conversations(service(), filter, after).await
}

type Listed = Result<Page<twilio::rest::ConversationSeen>, ListFailure>;

fn path() -> String {
    format!("/v1/Services/{}/Conversations", service())
}

fn next_page() -> String {
    let token = "PTclosed_2024-01-18T03:17:17.005Z_CH1";
    format!(
        "https://conversations.twilio.com{}?PageSize=100&Page=1&PageToken={token}",
        path()
    )
}

async fn cursor() -> Cursor {
    let script = Script::new([conversations(&[], Some(&next_page()))]);
    list(&script, None).await.unwrap().next.unwrap()
}

#[tokio::test(start_paused = true)]
async fn conversations_are_listed_page_by_page_and_resumed_elsewhere() {
    let first = [
        conversation(1, "active"),
        "{}".to_owned(),
        conversation(2, "inactive"),
    ];
    let script = Script::new([
        conversations(&first, Some(&next_page())),
        conversations(&[conversation(3, "archived")], None),
    ]);
    let filter = ConversationFilter {
        state: Some(StateFilter::Active),
        created_from: Some(Timestamp::from_millis(1_767_603_600_412)),
        created_to: Some(Timestamp::from_millis(1_767_690_000_412)),
    };
    let page = script
        .client()
        .conversations(service(), filter, None)
        .await
        .unwrap();
    let seen: Vec<_> = page.items.iter().map(|seen| seen.state).collect();
    assert_eq!(
        seen,
        [ConversationState::Active, ConversationState::Inactive]
    );
    assert_eq!(page.unreadable, 1);
    assert!(!format!("{page:?}").contains("555") && !format!("{page:?}").contains("PTclosed"));

    // Put aside, and gone on with by a client that knows nothing else.
    let written = serde_json::to_string(&page.next.unwrap()).unwrap();
    let cursor: Cursor = serde_json::from_str(&written).unwrap();
    let page = list(&script, Some(&cursor)).await.unwrap();
    assert_eq!(page.items[0].state, ConversationState::Undocumented);
    assert_eq!((page.items.len(), page.unreadable, page.next), (1, 0, None));
    let query = "State=active&StartDate=2026-01-05T00%3A00%3A00Z&EndDate=2026-01-06T23%3A59%3A59Z&PageSize=100";
    assert_eq!(
        script.asked(),
        [
            format!("GET https://conversations.twilio.com{}?{query}", path()),
            format!("GET {}", next_page()),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn another_host_is_never_called_and_another_path_fails() {
    let regional = next_page().replace("conversations.twilio.com", "evil.example");
    let script = Script::new([
        conversations(&[], Some(&regional)),
        conversations(&[], None),
    ]);
    let next = list(&script, None).await.unwrap().next;
    assert_eq!(list(&script, next.as_ref()).await.unwrap().next, None);
    assert_eq!(script.asked()[1], format!("GET {}", next_page()));

    let garbage = ListFailure::Twilio(TwilioError::Unreachable { why: Why::Garbage });
    for elsewhere in [
        next_page().replace("Conversations", "Users"),
        next_page().replace(&sid("IS", 1), &sid("IS", 2)),
        next_page().replace("?", "/../Users?"),
        next_page().replace("?", "/"),
        format!("https://conversations.twilio.com{}", path()),
        "nothing".to_owned(),
        String::new(),
        format!("{}{}", next_page(), "x".repeat(5000)),
    ] {
        let script = Script::new([conversations(&[], Some(&elsewhere))]);
        assert_eq!(
            list(&script, None).await,
            Err(garbage.clone()),
            "{elsewhere}"
        );
        script.finish();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_page_is_no_answer() {
    let garbage = ListFailure::Twilio(TwilioError::Unreachable { why: Why::Garbage });
    for body in [
        r#"{"conversations":[]}"#,
        r#"{"conversations":null,"meta":{}}"#,
        r#"{"conversations":{},"meta":{}}"#,
        r#"{"meta":{}}"#,
        r#"{"conversations":[],"meta":[]}"#,
        r#"{"conversations":[],"meta":{"next_page_url":7}}"#,
        "[]",
    ] {
        let script = Script::new((0..3).map(|_| ok(body)));
        assert_eq!(list(&script, None).await, Err(garbage.clone()), "{body}");
        script.finish();
    }
    // An end that is not even mentioned is one.
    let script = Script::new([ok(r#"{"conversations":[7,null,[]],"meta":{}}"#)]);
    let page = list(&script, None).await.unwrap();
    assert_eq!((page.items.len(), page.unreadable, page.next), (0, 3, None));
}

#[tokio::test(start_paused = true)]
async fn an_expired_cursor_is_told_from_a_bad_list() {
    let cursor = cursor().await;
    for step in [
        || refusal(400, 20001),
        || refusal(400, 21481),
        || status(400),
        || refusal(404, 20404),
        || status(410),
    ] {
        let script = Script::new([step()]);
        assert_eq!(
            list(&script, Some(&cursor)).await,
            Err(ListFailure::Expired)
        );
        // The first page has no cursor that could expire.
        let script = Script::new([step()]);
        let failure = list(&script, None).await;
        assert!(
            matches!(failure, Err(ListFailure::Twilio(_))),
            "{failure:?}"
        );
    }
    for (step, error) in [
        (
            refusal(401, 20003),
            TwilioError::Unauthorized {
                status: 401,
                code: Some(20003),
            },
        ),
        (
            refusal(403, 20003),
            TwilioError::Unauthorized {
                status: 403,
                code: Some(20003),
            },
        ),
        (
            status(404),
            TwilioError::Refused {
                status: 404,
                code: None,
            },
        ),
    ] {
        let script = Script::new([step]);
        let failure = list(&script, Some(&cursor)).await;
        assert_eq!(failure, Err(ListFailure::Twilio(error)));
    }
    for step in [
        || status(429),
        || status(500),
        || Step::Break,
        || Step::Hang,
    ] {
        let script = Script::new([step(), conversations(&[], None)]);
        assert!(list(&script, Some(&cursor)).await.is_ok());
        script.finish();
    }
    assert_eq!(
        ListFailure::Expired.to_string(),
        "twilio does not know this page any more: the list has to be started again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cursor_leads_nowhere_but_on_in_its_own_list() {
    let script = Script::new([]);
    let cursor = cursor().await;
    let after = Some(&cursor);
    let sessions = script.client().open_proxy_sessions(proxy(), after).await;
    assert_eq!(sessions, Err(ListFailure::OtherList));
    let other = sid("IS", 2).parse().unwrap();
    let filter = ConversationFilter::default();
    let listed = script.client().conversations(other, filter, after).await;
    assert_eq!(listed, Err(ListFailure::OtherList));
    let forged = format!(r#"{{"place":"{}/../../../Users?a=b","pages":0}}"#, path());
    let forged: Cursor = serde_json::from_str(&forged).unwrap();
    assert_eq!(
        list(&script, Some(&forged)).await,
        Err(ListFailure::OtherList)
    );

    // The same page again, or more pages than any list has.
    let endless = ListFailure::Twilio(TwilioError::Unreachable { why: Why::Endless });
    let script = Script::new([conversations(&[], Some(&next_page()))]);
    assert_eq!(list(&script, Some(&cursor)).await, Err(endless.clone()));
    let place = next_page().replace("https://conversations.twilio.com", "");
    let late = format!(r#"{{"place":"{place}x","pages":9999}}"#);
    let late: Cursor = serde_json::from_str(&late).unwrap();
    let script = Script::new([conversations(&[], Some(&next_page()))]);
    assert_eq!(list(&script, Some(&late)).await, Err(endless));
}

proptest! {
    /// However a list is cut into pages, and wherever it is put aside, it is the same list.
    #[test]
    fn a_list_is_the_sum_of_its_pages(sizes in prop::collection::vec(0_usize..5, 1..8), aside: u8) {
        let mut number = 0;
        let last = sizes.len() - 1;
        let steps: Vec<Step> = sizes
            .iter()
            .enumerate()
            .map(|(at, size)| {
                let entries: Vec<String> = (0..*size)
                    .map(|_| {
                        number += 1;
                        conversation(number, "active")
                    })
                    .collect();
                let next = format!("{}{at}", next_page());
                conversations(&entries, (at < last).then_some(next.as_str()))
            })
            .collect();
        let script = Script::new(steps);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let mut seen = Vec::new();
        let mut after: Option<Cursor> = None;
        let mut pages = 0_u32;
        loop {
            let page = runtime.block_on(list(&script, after.as_ref())).unwrap();
            seen.extend(page.items.iter().map(|seen| seen.sid.to_string()));
            after = page.next;
            if aside & (1 << (pages % 8)) != 0 {
                let written = serde_json::to_string(&after).unwrap();
                after = serde_json::from_str(&written).unwrap();
            }
            pages += 1;
            if after.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (1..=number).map(|number| sid("CH", number)).collect();
        prop_assert_eq!(seen, expected);
        script.finish();
    }

    /// No answer, be it ever so odd, brings a list or a closer to its knees.
    #[test]
    fn no_answer_is_too_odd(body in "[\\[\\]{}\":,a-z0-9 ]{0,60}", next in "\\PC{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let script = Script::new((0..3).map(|_| ok(body.as_str())));
        runtime.block_on(list(&script, None)).unwrap_err();
        let next = serde_json::to_string(&next).unwrap();
        let body = format!(r#"{{"conversations":[{body}],"meta":{{"next_page_url":{next}}}}}"#);
        let script = Script::new((0..3).map(|_| ok(body.as_str())));
        let listed = runtime.block_on(list(&script, None));
        prop_assert!(listed.is_err(), "{listed:?}");
    }
}
