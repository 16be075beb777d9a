//! Closing a Chat channel: what is written, and what never is.

use crate::scripted::{Script, Step, ok, refusal};
use domain::{ChannelSid, ChatServiceSid, LastStep, Outcome, Policy, Progress, Remedy, Timestamp};
use twilio::attributes::NotAnObject;
use twilio::rest::chat_closer::{
    ChatClosed, ChatOrder, CloseFailure, ClosingAction, Reached, look_at_chat,
};
use twilio::rest::{Client, TransportError, TwilioError, Why};

const ACTIVE: &str = r#"{"status":"ACTIVE","from":"+15550100123"}"#;
const INACTIVE: &str = r#"{"status":"INACTIVE","from":"+15550100123"}"#;
const LONG_LIVED: &str =
    r#"{"long_lived":true,"status":"ACTIVE","proxySession":"KC00000000000000000000000000000001"}"#;
const RELEASED: &str = r#"{"long_lived":true,"status":"INACTIVE","proxySession":"KC00000000000000000000000000000001"}"#;
const RESET: &str = r#"{"long_lived":false,"status":"INACTIVE","proxySession":"KC00000000000000000000000000000001"}"#;

fn channel() -> ChannelSid {
    format!("CH{:032}", 1).parse().unwrap()
}

fn service() -> ChatServiceSid {
    format!("IS{:032}", 1).parse().unwrap()
}

fn order(last_step: LastStep, action: ClosingAction) -> ChatOrder {
    ChatOrder {
        service: service(),
        channel: channel(),
        last_step,
        action,
    }
}

async fn close_chat(
    client: &Client,
    order: ChatOrder,
    policy: &Policy,
) -> Result<ChatClosed, CloseFailure> {
    look_at_chat(client, order, policy)
        .await?
        .carry_out(client)
        .await
}

fn shown(attributes: &str) -> Step {
    let attributes = serde_json::to_string(attributes).unwrap();
    ok(format!(
        r#"{{"sid":"{}","attributes":{attributes}}}"#,
        channel()
    ))
}

fn service_shown() -> Step {
    ok(format!(r#"{{"sid":"{}"}}"#, service()))
}

fn deleted() -> Step {
    Step::Answer(204, &[], String::new())
}

/// The method of each request, and the attributes that it wrote.
fn asked(script: &Script) -> Vec<String> {
    let asked = script.asked();
    let short = asked.iter().map(|line| {
        let mut words = line.split(' ');
        let method = words.next().unwrap();
        let form = words.nth(1).unwrap_or_default();
        let written = form_urlencoded::parse(form.as_bytes()).map(|(_, value)| value);
        format!("{method} {}", written.collect::<String>())
    });
    short.map(|line| line.trim_end().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_step_writes_what_is_missing_and_no_more() {
    use ClosingAction::{Delete, Inactivate};
    use Reached::{Closed, Released};
    let cases = [
        (
            LastStep::No,
            Inactivate,
            ACTIVE,
            INACTIVE,
            (Closed, Outcome::Written),
        ),
        (
            LastStep::No,
            Inactivate,
            INACTIVE,
            "",
            (Closed, Outcome::AlreadyClean),
        ),
        (
            LastStep::No,
            Inactivate,
            LONG_LIVED,
            RELEASED,
            (Released, Outcome::Written),
        ),
        (
            LastStep::No,
            Inactivate,
            RELEASED,
            "",
            (Released, Outcome::AlreadyClean),
        ),
        (
            LastStep::Yes,
            Inactivate,
            LONG_LIVED,
            RESET,
            (Closed, Outcome::Written),
        ),
        (
            LastStep::Yes,
            Inactivate,
            RELEASED,
            RESET,
            (Closed, Outcome::Written),
        ),
        (
            LastStep::Yes,
            Inactivate,
            RESET,
            "",
            (Closed, Outcome::AlreadyClean),
        ),
        (
            LastStep::Yes,
            Inactivate,
            ACTIVE,
            INACTIVE,
            (Closed, Outcome::Written),
        ),
        // A channel that is only released is not deleted.
        (
            LastStep::No,
            Delete,
            LONG_LIVED,
            RELEASED,
            (Released, Outcome::Written),
        ),
        (
            LastStep::No,
            Delete,
            ACTIVE,
            "DELETE",
            (Closed, Outcome::Deleted),
        ),
        (
            LastStep::Yes,
            Delete,
            LONG_LIVED,
            "DELETE",
            (Closed, Outcome::Deleted),
        ),
        (
            LastStep::Yes,
            Delete,
            INACTIVE,
            "",
            (Closed, Outcome::AlreadyClean),
        ),
    ];
    for (last_step, action, before, written, (reached, outcome)) in cases {
        let mut steps = vec![shown(before)];
        let mut expected = vec!["GET".to_owned()];
        match written {
            "" => {}
            "DELETE" => {
                steps.push(deleted());
                expected.push("DELETE".to_owned());
            }
            text => {
                steps.push(shown(text));
                expected.push(format!("POST {text}"));
            }
        }
        let script = Script::new(steps);
        let closed = close_chat(
            &script.client(),
            order(last_step, action),
            &Policy::default(),
        )
        .await;
        let long_lived = before.contains("true");
        let named = before.contains("KC");
        let closed = closed.unwrap();
        assert_eq!(
            (closed.reached, closed.outcome),
            (reached, outcome),
            "{before}"
        );
        assert_eq!(closed.long_lived, Some(long_lived), "{before}");
        assert_eq!(closed.proxy_session.is_some(), named, "{before}");
        assert_eq!(asked(&script), expected, "{before}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_lived_channel_that_is_not_to_be_released_is_left_alone() {
    let policy = Policy {
        release_long_lived: false,
        ..Policy::default()
    };
    let script = Script::new([shown(LONG_LIVED)]);
    let order = order(LastStep::No, ClosingAction::Inactivate);
    let closed = close_chat(&script.client(), order, &policy).await.unwrap();
    let at = Timestamp::from_millis(7);
    let outcome = Outcome::LeftAlone;
    assert_eq!(closed.progress(at), Progress::Released { at, outcome });
    script.finish();
}

#[tokio::test(start_paused = true)]
async fn a_look_writes_nothing() {
    let script = Script::new([shown(LONG_LIVED)]);
    let order = order(LastStep::Yes, ClosingAction::Delete);
    let plan = look_at_chat(&script.client(), order, &Policy::default())
        .await
        .unwrap();
    assert_eq!(plan.remedy(), Some(Remedy::Reset));
    assert!(!format!("{plan:?}").contains("ACTIVE"));
    assert_eq!(asked(&script), ["GET"]);
}

#[tokio::test(start_paused = true)]
async fn attributes_that_are_no_object_are_never_written_over() {
    for attributes in ["", "[]", "null", "\"{}\"", "{", "INACTIVE"] {
        for action in [ClosingAction::Inactivate, ClosingAction::Delete] {
            let script = Script::new([shown(attributes)]);
            let order = order(LastStep::Yes, action);
            let failure = close_chat(&script.client(), order, &Policy::default()).await;
            assert_eq!(
                failure,
                Err(CloseFailure::NotAnObject(NotAnObject)),
                "{attributes}"
            );
            assert_eq!(asked(&script), ["GET"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_gone_is_closed_if_its_service_is_there() {
    let gone = ChatClosed {
        reached: Reached::Closed,
        outcome: Outcome::Gone,
        long_lived: None,
        proxy_session: None,
    };
    let order = order(LastStep::Yes, ClosingAction::Inactivate);
    let policy = Policy::default();
    // The service is asked for once.
    let script = Script::new([refusal(404, 50300), service_shown(), refusal(404, 20404)]);
    let client = script.client();
    assert_eq!(close_chat(&client, order, &policy).await, Ok(gone));
    assert_eq!(close_chat(&client, order, &policy).await, Ok(gone));
    script.finish();

    // A service that answered needs no asking.
    let script = Script::new([shown(RESET), refusal(404, 50300)]);
    let client = script.client();
    assert!(close_chat(&client, order, &policy).await.is_ok());
    assert_eq!(close_chat(&client, order, &policy).await, Ok(gone));

    // A page that is not Twilio's is no service.
    let unclear = [ok("{}"), ok("<html>"), ok("{\"sid\":null}")];
    let script = Script::new([refusal(404, 20404)].into_iter().chain(unclear));
    let failure = close_chat(&script.client(), order, &policy).await;
    let why = Why::Garbage;
    let error = TwilioError::Unreachable { why };
    assert_eq!(failure, Err(CloseFailure::Twilio(error)));

    // A wrong service, or a product that was switched off, makes no channel gone.
    let script = Script::new([refusal(404, 20404), refusal(404, 20404)]);
    let failure = close_chat(&script.client(), order, &policy).await;
    assert_eq!(failure, Err(CloseFailure::NoSuchService(service())));
    let script = Script::new([refusal(404, 20404), refusal(403, 20003)]);
    let failure = close_chat(&script.client(), order, &policy).await;
    let unauthorized = TwilioError::Unauthorized {
        status: 403,
        code: Some(20003),
    };
    assert_eq!(failure, Err(CloseFailure::Twilio(unauthorized)));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_fate_is_not_known_is_not_made_again_without_a_look() {
    let policy = Policy::default();
    let order_to = |action| order(LastStep::Yes, action);
    let script = Script::new([shown(ACTIVE), Step::Break]);
    let failure = close_chat(
        &script.client(),
        order_to(ClosingAction::Inactivate),
        &policy,
    )
    .await;
    let why = Why::Transport(TransportError::Broken("reset".to_owned()));
    assert_eq!(
        failure,
        Err(CloseFailure::Twilio(TwilioError::Unreachable { why }))
    );
    // A deletion is; the second finds that the first had come through.
    let script = Script::new([shown(ACTIVE), Step::Hang, refusal(404, 50300)]);
    let closed = close_chat(&script.client(), order_to(ClosingAction::Delete), &policy).await;
    assert_eq!(closed.unwrap().outcome, Outcome::Gone);
    script.finish();
}

#[tokio::test(start_paused = true)]
async fn one_look_serves_another_step_as_well() {
    let policy = Policy::default();
    let script = Script::new([shown(LONG_LIVED), shown(RESET)]);
    let client = script.client();
    let order = order(LastStep::No, ClosingAction::Inactivate);
    let plan = look_at_chat(&client, order, &policy).await.unwrap();
    assert_eq!(
        (plan.long_lived(), plan.remedy()),
        (Some(true), Some(Remedy::Release))
    );
    let plan = plan.for_step(LastStep::Yes, &policy);
    assert_eq!(plan.remedy(), Some(Remedy::Reset));
    assert_eq!(
        plan.carry_out(&client).await.unwrap().reached,
        Reached::Closed
    );
    assert_eq!(asked(&script), ["GET".to_owned(), format!("POST {RESET}")]);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_answer_does_not_show_was_not_kept() {
    let order = order(LastStep::Yes, ClosingAction::Inactivate);
    for answer in [LONG_LIVED, RELEASED, "[]"] {
        let script = Script::new([shown(LONG_LIVED), shown(answer)]);
        let failure = close_chat(&script.client(), order, &Policy::default()).await;
        assert_eq!(failure, Err(CloseFailure::NotKept), "{answer}");
    }
}
