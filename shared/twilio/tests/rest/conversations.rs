//! Conversations and interaction channels: what is asked, and what is made of the answers.

use crate::scripted::{Script, Step, ok, refusal, status};
use domain::{
    ChannelSid, ChatServiceSid, ConversationState, Interaction, InteractionStatus, Timestamp,
};
use twilio::rest::{StateAnswer, TransportError, TwilioError, Why};

fn sid(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:032}")
}

fn service() -> ChatServiceSid {
    sid("IS", 1).parse().unwrap()
}

fn conversation() -> ChannelSid {
    sid("CH", 1).parse().unwrap()
}

fn interaction() -> Interaction {
    Interaction {
        sid: sid("KD", 1).parse().unwrap(),
        channel: sid("UO", 1).parse().unwrap(),
    }
}

fn shown(state: &str) -> Step {
    ok(format!(
        r#"{{"sid":"{}","chat_service_sid":"{}","state":{state},"unique_name":"+15550100123",
           "date_created":"2026-01-05T09:00:00Z","date_updated":null,"timers":{{}}}}"#,
        conversation(),
        service()
    ))
}

fn channel_shown(status: &str) -> Step {
    ok(format!(
        r#"{{"sid":"{}","interaction_sid":"{}","type":"sms","status":{status},"error_code":null}}"#,
        interaction().channel,
        interaction().sid
    ))
}

fn garbage() -> TwilioError {
    TwilioError::Unreachable { why: Why::Garbage }
}

const CONVERSATIONS: &str = "https://conversations.twilio.com/v1/Services";

#[tokio::test(start_paused = true)]
async fn a_conversation_is_read() {
    let cases = [
        ("\"active\"", ConversationState::Active),
        ("\"inactive\"", ConversationState::Inactive),
        ("\"closed\"", ConversationState::Closed),
        ("\"initializing\"", ConversationState::Initializing),
        ("\"archived\"", ConversationState::Undocumented),
        ("\"\"", ConversationState::Undocumented),
    ];
    for (word, state) in cases {
        let script = Script::new([shown(word)]);
        let seen = script
            .client()
            .conversation(service(), conversation())
            .await;
        let seen = seen.unwrap();
        assert_eq!((seen.sid, seen.state), (conversation(), state));
        let created = Timestamp::from_millis(1_767_603_600_000);
        assert_eq!((seen.created_at, seen.updated_at), (Some(created), None));
        assert!(!format!("{seen:?}").contains("555"));
        let url = format!(
            "{CONVERSATIONS}/{}/Conversations/{}",
            service(),
            conversation()
        );
        assert_eq!(script.asked(), [format!("GET {url}")]);
        assert!(!script.headers(0).contains_key("x-twilio-webhook-enabled"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_this_conversation_is_no_answer() {
    let (this, ours) = (conversation(), service());
    for body in [
        r#"{"state":"active"}"#.to_owned(),
        format!(r#"{{"sid":"{this}"}}"#),
        format!(r#"{{"sid":"{this}","state":null}}"#),
        format!(r#"{{"sid":"{this}","state":7}}"#),
        format!(r#"{{"sid":"{}","state":"closed"}}"#, sid("CH", 2)),
        format!(r#"{{"sid":"{}","state":"closed"}}"#, sid("CH", 0)),
        format!(
            r#"{{"sid":"{this}","state":"closed","chat_service_sid":"{}"}}"#,
            sid("IS", 2)
        ),
        format!(
            r#"{{"sid":"{this}","state":"closed","chat_service_sid":"{}"}}"#,
            sid("AC", 1)
        ),
        "[]".to_owned(),
        "<html>".to_owned(),
    ] {
        let script = Script::new((0..3).map(|_| ok(body.as_str())));
        let seen = script.client().conversation(ours, this).await;
        assert_eq!(seen, Err(garbage()), "{body}");
        script.finish();
        // A write is not made again for the sake of its answer.
        let script = Script::new([ok(body.as_str())]);
        let answer = script.client().close_conversation(ours, this).await;
        assert_eq!(answer, Err(garbage()), "{body}");
        script.finish();
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_closed_for_all_to_hear() {
    let script = Script::new([shown("\"closed\"")]);
    let answer = script
        .client()
        .close_conversation(service(), conversation())
        .await;
    assert_eq!(answer, Ok(StateAnswer::Now(ConversationState::Closed)));
    let url = format!(
        "{CONVERSATIONS}/{}/Conversations/{}",
        service(),
        conversation()
    );
    assert_eq!(script.asked(), [format!("POST {url} State=closed")]);
    assert_eq!(script.headers(0)["x-twilio-webhook-enabled"], "true");
    assert_eq!(
        script.headers(0)["content-type"],
        "application/x-www-form-urlencoded"
    );
}

#[tokio::test(start_paused = true)]
async fn each_refusal_of_a_closing_is_told_apart() {
    let refused = |status, code| {
        Err(TwilioError::Refused {
            status,
            code: Some(code),
        })
    };
    let transport = Why::Transport(TransportError::Broken("reset".to_owned()));
    let cases = [
        (refusal(400, 50377), Ok(StateAnswer::AlreadyClosed)),
        (refusal(403, 50377), Ok(StateAnswer::AlreadyClosed)),
        (refusal(409, 50377), Ok(StateAnswer::AlreadyClosed)),
        (refusal(400, 50386), Ok(StateAnswer::Initializing)),
        (
            shown("\"active\""),
            Ok(StateAnswer::Now(ConversationState::Active)),
        ),
        (refusal(400, 20001), refused(400, 20001)),
        (refusal(409, 20409), refused(409, 20409)),
        (refusal(404, 50350), Err(TwilioError::Gone)),
        (status(410), Err(TwilioError::Gone)),
        (
            refusal(401, 20003),
            Err(TwilioError::Unauthorized {
                status: 401,
                code: Some(20003),
            }),
        ),
        (
            refusal(403, 20003),
            Err(TwilioError::Unauthorized {
                status: 403,
                code: Some(20003),
            }),
        ),
        (
            status(429),
            Err(TwilioError::Throttled { retry_after: None }),
        ),
        (
            status(503),
            Err(TwilioError::Unreachable {
                why: Why::Status(503),
            }),
        ),
        // Without an answer the code of an older error means nothing.
        (
            refusal(500, 50377),
            Err(TwilioError::Unreachable {
                why: Why::Status(500),
            }),
        ),
        (
            Step::Break,
            Err(TwilioError::Unreachable { why: transport }),
        ),
        (
            Step::Hang,
            Err(TwilioError::Unreachable { why: Why::TimeUp }),
        ),
    ];
    for (step, expected) in cases {
        let script = Script::new([step]);
        let answer = script
            .client()
            .close_conversation(service(), conversation())
            .await;
        assert_eq!(answer, expected);
        assert!(!format!("{answer:?}").contains("555"));
        // It is worked out from what was read, so it is made once.
        assert_eq!(script.asked().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_is_asked_for_until_it_answered() {
    let shown = ok(format!(r#"{{"sid":"{}"}}"#, service()));
    let script = Script::new([refusal(404, 20404), ok("{}"), shown, refusal(404, 20404)]);
    let client = script.client();
    let gone = Err(TwilioError::Gone);
    assert_eq!(client.conversation_service_exists(service()).await, gone);
    for _ in 0..2 {
        assert_eq!(client.conversation_service_exists(service()).await, Ok(()));
    }
    assert_eq!(
        script.asked()[1],
        format!("GET {CONVERSATIONS}/{}", service())
    );
    // A Chat service of the same name says nothing of it.
    assert_eq!(client.chat_service_exists(service()).await, gone);
    script.finish();
}

#[tokio::test(start_paused = true)]
async fn an_interaction_channel_is_read() {
    let cases = [
        ("\"setup\"", InteractionStatus::Setup),
        ("\"active\"", InteractionStatus::Active),
        ("\"transfer\"", InteractionStatus::Transfer),
        ("\"inactive\"", InteractionStatus::Inactive),
        ("\"pause\"", InteractionStatus::Pause),
        ("\"closed\"", InteractionStatus::Closed),
        ("\"failed\"", InteractionStatus::Failed),
        ("\"paused\"", InteractionStatus::Undocumented),
    ];
    for (word, expected) in cases {
        let script = Script::new([channel_shown(word)]);
        let seen = script.client().interaction_channel(interaction()).await;
        let seen = seen.unwrap();
        assert_eq!(seen, expected);
        let Interaction { sid, channel } = interaction();
        let url = format!("https://flex-api.twilio.com/v1/Interactions/{sid}/Channels/{channel}");
        assert_eq!(script.asked(), [format!("GET {url}")]);
    }
    let script = Script::new([refusal(404, 20404)]);
    let seen = script.client().interaction_channel(interaction()).await;
    assert_eq!(seen, Ok(InteractionStatus::Gone));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_this_interaction_channel_is_no_answer() {
    let Interaction { sid: this, channel } = interaction();
    for body in [
        "{}".to_owned(),
        format!(r#"{{"sid":"{channel}","interaction_sid":"{this}","status":null}}"#),
        format!(r#"{{"sid":"{channel}","interaction_sid":"{this}","status":{{}}}}"#),
        format!(
            r#"{{"sid":"{}","interaction_sid":"{this}","status":"closed"}}"#,
            sid("UO", 2)
        ),
        format!(
            r#"{{"sid":"{channel}","interaction_sid":"{}","status":"closed"}}"#,
            sid("KD", 2)
        ),
        format!(r#"{{"sid":"{channel}","interaction_sid":7,"status":"closed"}}"#),
    ] {
        let script = Script::new((0..3).map(|_| ok(body.as_str())));
        let seen = script.client().interaction_channel(interaction()).await;
        assert_eq!(seen, Err(garbage()), "{body}");
        let script = Script::new([ok(body.as_str())]);
        let seen = script
            .client()
            .close_interaction_channel(interaction())
            .await;
        assert_eq!(seen, Err(garbage()), "{body}");
        script.finish();
    }
    // One sample of Twilio's misspells the interaction's name: absent is not wrong.
    let body = format!(r#"{{"sid":"{channel}","interaciton_sid":"{this}","status":"closed"}}"#);
    let script = Script::new([ok(body)]);
    let seen = script.client().interaction_channel(interaction()).await;
    assert_eq!(seen, Ok(InteractionStatus::Closed));
}

#[tokio::test(start_paused = true)]
async fn an_interaction_channel_is_closed_with_its_tasks() {
    let script = Script::new([channel_shown("\"closed\"")]);
    let seen = script
        .client()
        .close_interaction_channel(interaction())
        .await;
    assert_eq!(seen, Ok(InteractionStatus::Closed));
    let Interaction { sid, channel } = interaction();
    let url = format!("https://flex-api.twilio.com/v1/Interactions/{sid}/Channels/{channel}");
    let form = "Status=closed&Routing=%7B%22status%22%3A%22closed%22%7D";
    assert_eq!(script.asked(), [format!("POST {url} {form}")]);
    for step in [status(500), status(429), Step::Break, Step::Hang] {
        let script = Script::new([step]);
        let seen = script
            .client()
            .close_interaction_channel(interaction())
            .await;
        assert!(seen.is_err());
        assert_eq!(script.asked().len(), 1);
    }
}
