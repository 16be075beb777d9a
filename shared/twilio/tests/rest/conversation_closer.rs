//! Closing a Conversation: what is written in which order. Every path is counted: three calls
//! with an interaction, two without.

use crate::scripted::{Script, Step, ok, refusal};
use domain::{ChannelSid, ChatServiceSid, Interaction, LastStep, Outcome, Progress, Timestamp};
use twilio::rest::chat_closer::Reached;
use twilio::rest::conversation_closer::{
    ConversationClosed, ConversationFailure, ConversationOrder, ConversationRemedy, StillActive,
    look_at_conversation,
};
use twilio::rest::{Client, TwilioError};

pub(crate) fn service() -> ChatServiceSid {
    format!("IS{:032}", 1).parse().unwrap()
}

pub(crate) fn conversation() -> ChannelSid {
    format!("CH{:032}", 1).parse().unwrap()
}

pub(crate) fn interaction() -> Interaction {
    Interaction {
        sid: format!("KD{:032}", 1).parse().unwrap(),
        channel: format!("UO{:032}", 1).parse().unwrap(),
    }
}

pub(crate) fn order(interaction: Option<Interaction>, last_step: LastStep) -> ConversationOrder {
    ConversationOrder {
        service: service(),
        conversation: conversation(),
        interaction,
        still_active: StillActive::Forgotten,
        last_step,
    }
}

pub(crate) async fn close_it(
    client: &Client,
    order: ConversationOrder,
) -> Result<ConversationClosed, ConversationFailure> {
    look_at_conversation(client, order)
        .await?
        .carry_out(client)
        .await
}

/// An interaction channel with this status.
pub(crate) fn uo(status: &str) -> Step {
    ok(format!(
        r#"{{"sid":"{}","status":"{status}"}}"#,
        interaction().channel
    ))
}

/// A conversation in this state.
pub(crate) fn ch(state: &str) -> Step {
    ok(format!(
        r#"{{"sid":"{}","state":"{state}"}}"#,
        conversation()
    ))
}

/// The service.
pub(crate) fn is() -> Step {
    ok(format!(r#"{{"sid":"{}"}}"#, service()))
}

pub(crate) fn gone() -> Step {
    refusal(404, 50350)
}

/// What was asked: method, and `UO`, `CH` or `IS`.
pub(crate) fn asked(script: &Script) -> String {
    let asked = script.asked();
    let short = asked.iter().map(|line| {
        let mut words = line.split(' ');
        let (method, url) = (words.next().unwrap(), words.next().unwrap());
        let resource = url.rsplit('/').next().unwrap();
        format!("{method} {}", &resource[..2])
    });
    short.collect::<Vec<_>>().join(", ")
}

type Expected = Result<(Reached, Outcome, Option<bool>), ConversationFailure>;

/// Closes by script, and checks outcome, calls, and that their number is within bounds.
async fn check(order: ConversationOrder, steps: Vec<Step>, calls: &str, expected: Expected) {
    let script = Script::new(steps);
    let client = script.client();
    let closed = close_it(&client, order).await;
    let closed = closed.map(|closed| (closed.reached, closed.outcome, closed.parked));
    assert_eq!(asked(&script), calls, "{closed:?}");
    assert_eq!(closed, expected, "{calls}");
    script.finish();
    let most = if order.interaction.is_some() { 3 } else { 2 };
    // A client asks once whether the service is there.
    let most = most + u64::from(calls.ends_with("GET IS"));
    assert!(client.stats().calls <= most, "{calls}");
}

const fn closed(outcome: Outcome, parked: Option<bool>) -> Expected {
    Ok((Reached::Closed, outcome, parked))
}

fn refused(status: u16, code: u32) -> ConversationFailure {
    let code = Some(code);
    ConversationFailure::Twilio(TwilioError::Refused { status, code })
}

#[tokio::test(start_paused = true)]
async fn without_an_interaction_the_conversation_is_read_and_closed() {
    use ConversationFailure::{NotNow, NotShown};
    let open = Some(false);
    for last_step in [LastStep::No, LastStep::Yes] {
        let cases: Vec<(Vec<Step>, &str, Expected)> = vec![
            (
                vec![ch("active"), ch("closed")],
                "GET CH, POST CH",
                closed(Outcome::Written, open),
            ),
            (
                vec![ch("inactive"), ch("closed")],
                "GET CH, POST CH",
                closed(Outcome::Written, open),
            ),
            (
                vec![ch("closed")],
                "GET CH",
                closed(Outcome::AlreadyClean, open),
            ),
            (vec![ch("initializing")], "GET CH", Err(NotNow)),
            (vec![ch("archived")], "GET CH", Err(NotNow)),
            (
                vec![gone(), is()],
                "GET CH, GET IS",
                closed(Outcome::Gone, None),
            ),
            (
                vec![ch("active"), refusal(400, 50377)],
                "GET CH, POST CH",
                closed(Outcome::AlreadyClean, open),
            ),
            (
                vec![ch("active"), refusal(400, 50386)],
                "GET CH, POST CH",
                Err(NotNow),
            ),
            (
                vec![ch("active"), gone()],
                "GET CH, POST CH",
                closed(Outcome::Gone, open),
            ),
            (
                vec![ch("active"), ch("active")],
                "GET CH, POST CH",
                Err(NotShown),
            ),
            (
                vec![ch("active"), ch("archived")],
                "GET CH, POST CH",
                Err(NotShown),
            ),
            (
                vec![ch("active"), refusal(400, 20001)],
                "GET CH, POST CH",
                Err(refused(400, 20001)),
            ),
        ];
        for (steps, calls, expected) in cases {
            check(order(None, last_step), steps, calls, expected).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_interaction_channel_is_closed_before_its_conversation() {
    use ConversationFailure::{NotNow, NotShown};
    let order = order(Some(interaction()), LastStep::No);
    let open = Some(false);
    let all = "GET UO, POST UO, POST CH";
    for status in ["setup", "active", "transfer"] {
        let steps = vec![uo(status), uo("closed"), ch("closed")];
        check(order, steps, all, closed(Outcome::Written, open)).await;
    }
    let cases: Vec<(Vec<Step>, &str, Expected)> = vec![
        // Flex closed the conversation along with its channel.
        (
            vec![uo("active"), uo("closed"), refusal(400, 50377)],
            all,
            closed(Outcome::Written, open),
        ),
        (
            vec![uo("active"), uo("failed"), ch("closed")],
            all,
            closed(Outcome::Written, open),
        ),
        // The channel vanished after the look.
        (
            vec![uo("active"), gone(), ch("closed")],
            all,
            closed(Outcome::Written, open),
        ),
        (
            vec![uo("active"), gone(), refusal(400, 50377)],
            all,
            closed(Outcome::AlreadyClean, open),
        ),
        (
            vec![uo("active"), uo("closed"), refusal(400, 50386)],
            all,
            Err(NotNow),
        ),
        (
            vec![uo("active"), uo("closed"), ch("active")],
            all,
            Err(NotShown),
        ),
        // No service has answered yet, so that it is asked for.
        (
            vec![uo("active"), uo("closed"), gone(), is()],
            "GET UO, POST UO, POST CH, GET IS",
            closed(Outcome::Gone, open),
        ),
        (
            vec![uo("active"), uo("active")],
            "GET UO, POST UO",
            Err(NotShown),
        ),
        (
            vec![uo("active"), uo("closing")],
            "GET UO, POST UO",
            Err(NotShown),
        ),
        // Refused: the conversation is not closed without its channel.
        (
            vec![uo("active"), refusal(400, 45360), ch("active")],
            "GET UO, POST UO, GET CH",
            Err(refused(400, 45360)),
        ),
        (
            vec![uo("active"), refusal(400, 20001), ch("closed")],
            "GET UO, POST UO, GET CH",
            closed(Outcome::AlreadyClean, open),
        ),
        (
            vec![uo("active"), refusal(400, 20001), gone(), is()],
            "GET UO, POST UO, GET CH, GET IS",
            closed(Outcome::Gone, open),
        ),
    ];
    for (steps, calls, expected) in cases {
        check(order, steps, calls, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_interaction_channel_that_is_over_or_gone_leaves_the_conversation() {
    for last_step in [LastStep::No, LastStep::Yes] {
        let order = order(Some(interaction()), last_step);
        for before in [|| uo("closed"), || uo("failed"), gone] {
            let cases: Vec<(Vec<Step>, &str, Expected)> = vec![
                (
                    vec![before(), ch("inactive"), ch("closed")],
                    "GET UO, GET CH, POST CH",
                    closed(Outcome::Written, Some(false)),
                ),
                (
                    vec![before(), ch("closed")],
                    "GET UO, GET CH",
                    closed(Outcome::AlreadyClean, Some(false)),
                ),
                (
                    vec![before(), gone(), is()],
                    "GET UO, GET CH, GET IS",
                    closed(Outcome::Gone, None),
                ),
                (
                    vec![before(), ch("initializing")],
                    "GET UO, GET CH",
                    Err(ConversationFailure::NotNow),
                ),
            ];
            for (steps, calls, expected) in cases {
                check(order, steps, calls, expected).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_left_paused_or_parked_waits_for_its_last_step() {
    let left_alone = Ok((Reached::Released, Outcome::LeftAlone, Some(true)));
    for status in ["inactive", "pause", "on-hold"] {
        let first = order(Some(interaction()), LastStep::No);
        check(first, vec![uo(status)], "GET UO", left_alone.clone()).await;
        let last = order(Some(interaction()), LastStep::Yes);
        let steps = vec![uo(status), uo("closed"), ch("closed")];
        let expected = closed(Outcome::Written, Some(true));
        check(last, steps, "GET UO, POST UO, POST CH", expected).await;
    }
    // Parking leaves the channel active: the caller, who knows how the task ended, says so.
    let mut parked = order(Some(interaction()), LastStep::No);
    parked.still_active = StillActive::MayBeParked;
    check(parked, vec![uo("active")], "GET UO", left_alone).await;
    for status in ["setup", "transfer"] {
        let steps = vec![uo(status), uo("closed"), ch("closed")];
        let expected = closed(Outcome::Written, Some(false));
        check(parked, steps, "GET UO, POST UO, POST CH", expected).await;
    }
    let at = Timestamp::from_millis(7);
    let outcome = Outcome::LeftAlone;
    let closed = ConversationClosed {
        reached: Reached::Released,
        outcome,
        parked: Some(true),
    };
    assert_eq!(closed.progress(at), Progress::Released { at, outcome });
}

#[tokio::test(start_paused = true)]
async fn one_look_serves_another_step_and_writes_nothing() {
    let script = Script::new([uo("pause"), uo("closed"), ch("closed")]);
    let client = script.client();
    let first = order(Some(interaction()), LastStep::No);
    let plan = look_at_conversation(&client, first).await.unwrap();
    assert_eq!(plan.remedy(), ConversationRemedy::LeaveParked);
    assert!(!plan.remedy().writes());
    let plan = plan.for_step(LastStep::Yes);
    assert_eq!(plan.remedy(), ConversationRemedy::CloseBoth);
    assert!(plan.remedy().writes());
    assert_eq!(plan.parked(), Some(true));
    assert_eq!(asked(&script), "GET UO");
    let closed = plan.carry_out(&client).await.unwrap();
    assert_eq!(closed.reached, Reached::Closed);
    script.finish();
}
