//! Closing a Conversation when something is in the way: what is not there, and what fails.

use crate::conversation_closer::{asked, ch, close_it, gone, interaction, is, order, service, uo};
use crate::scripted::{Script, Step, ok, refusal, status};
use domain::{Interaction, LastStep, Outcome};
use twilio::rest::conversation_closer::ConversationFailure;
use twilio::rest::{TwilioError, Why};

#[tokio::test(start_paused = true)]
async fn a_conversation_is_gone_only_if_its_service_is_there() {
    // The service is asked for once.
    let script = Script::new([gone(), is(), gone(), uo("active"), uo("closed"), gone()]);
    let client = script.client();
    for with in [None, None, Some(interaction())] {
        let closed = close_it(&client, order(with, LastStep::Yes)).await;
        assert_eq!(closed.unwrap().outcome, Outcome::Gone);
    }
    script.finish();
    // A wrong service, or a product that was switched off, makes no conversation gone.
    for with in [None, Some(interaction())] {
        for (step, expected) in [
            (
                refusal(404, 20404),
                ConversationFailure::NoSuchService(service()),
            ),
            (status(410), ConversationFailure::NoSuchService(service())),
            (
                refusal(403, 20003),
                ConversationFailure::Twilio(TwilioError::Unauthorized {
                    status: 403,
                    code: Some(20003),
                }),
            ),
        ] {
            let mut steps = vec![gone(), step];
            if with.is_some() {
                steps.insert(0, uo("closed"));
            }
            let script = Script::new(steps);
            let closed = close_it(&script.client(), order(with, LastStep::Yes)).await;
            assert_eq!(closed, Err(expected));
            script.finish();
        }
    }
    // Nor does a page that is not Twilio's.
    let script = Script::new([status(404)]);
    let closed = close_it(&script.client(), order(None, LastStep::Yes)).await;
    let error = TwilioError::Refused {
        status: 404,
        code: None,
    };
    assert_eq!(closed, Err(ConversationFailure::Twilio(error)));
}

/// An interaction, and the answers if nothing fails.
type Path = (Option<Interaction>, Vec<fn() -> Step>);

#[tokio::test(start_paused = true)]
async fn what_fails_at_any_call_stops_there() {
    let failures: [(fn() -> Step, TwilioError); 5] = [
        (
            || refusal(401, 20003),
            TwilioError::Unauthorized {
                status: 401,
                code: Some(20003),
            },
        ),
        (
            || refusal(403, 20403),
            TwilioError::Unauthorized {
                status: 403,
                code: Some(20403),
            },
        ),
        (|| status(429), TwilioError::Throttled { retry_after: None }),
        (
            || status(502),
            TwilioError::Unreachable {
                why: Why::Status(502),
            },
        ),
        (
            || ok("<html>"),
            TwilioError::Unreachable { why: Why::Garbage },
        ),
    ];
    for (step, error) in failures {
        let paths: [Path; 3] = [
            (None, vec![|| ch("active"), || ch("closed")]),
            (
                Some(interaction()),
                vec![|| uo("active"), || uo("closed"), || ch("closed")],
            ),
            (
                Some(interaction()),
                vec![|| uo("closed"), || ch("active"), || ch("closed")],
            ),
        ];
        for (with, path) in paths {
            for fails in 0..path.len() {
                let before = path.iter().take(fails).map(|step| step());
                // A read is tried three times, a write once.
                let script = Script::new(before.chain((0..3).map(|_| step())));
                let client = script.client();
                let closed = close_it(&client, order(with, LastStep::Yes)).await;
                assert_eq!(closed, Err(ConversationFailure::Twilio(error.clone())));
                assert_eq!(
                    client.stats().calls as usize,
                    fails + 1,
                    "{}",
                    asked(&script)
                );
                let writes = script
                    .asked()
                    .iter()
                    .filter(|line| line.starts_with("POST"))
                    .count();
                assert!(writes <= 2);
            }
        }
    }
}
