//! Events that no client of ours sends, as Lambda hands them over: each is answered, and no process
//! ends.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::function_url::{self, Encoding};
use crate::lambda_api::{Failure, Function};

/// The time that each event has. A run of `park` then looks around once.
const TIME: Duration = Duration::from_secs(15);

/// Sends so many odd requests as the function's URL would.
///
/// # Panics
/// At a request that is not answered with a status from 400 to 499.
pub async fn send_requests(function: &Function, number: usize, rng: &mut Rng) {
    for index in 0..number {
        let event = request(rng);
        let answer = function.invoke(event.clone(), deadline()).await;
        let status = answer
            .as_ref()
            .ok()
            .and_then(|it| it["statusCode"].as_u64());
        assert!(
            status.is_some_and(|status| (400..500).contains(&status)),
            "request {index}: {answer:?} to {event}"
        );
    }
}

/// Sends so many odd events as a schedule or the bus would.
///
/// # Panics
/// At an event to which the function does not answer, or reports an error that is not named.
pub async fn send_events(function: &Function, number: usize, rng: &mut Rng, errors: &[&str]) {
    for index in 0..number {
        let event = event(rng);
        let answer = function.invoke(event.clone(), deadline()).await;
        let is_expected = match &answer {
            Ok(_) => true,
            Err(Failure::Reported(error)) => {
                let kind = error["errorType"].as_str();
                kind.is_some_and(|kind| errors.contains(&kind))
            }
            Err(Failure::Silent) => false,
        };
        assert!(is_expected, "event {index}: {answer:?} to {event}");
    }
}

fn deadline() -> i64 {
    runtime::clock::now().plus(TIME).as_millis()
}

const URL: &str = "https://abcdefghij.lambda-url.us-east-1.on.aws/set-chat-to-active";

/// Texts that have ended processes, or look as if they could.
const ODD: [&str; 20] = [
    "",
    " ",
    "a b",
    "\"",
    "<x>",
    "é",
    "\u{0}",
    "\n",
    "\r\n\r\n",
    "%",
    "%zz",
    "%00",
    "://",
    "//",
    "[::1",
    "user@host:99999",
    "?#",
    "{}",
    "\u{fffd}\u{202e}",
    "=",
];

/// A request to a function's URL of which up to three fields are odd.
fn request(rng: &mut Rng) -> Value {
    let signature = [("x-twilio-signature", "0/ab+c==")];
    let mut event = function_url::post(URL, &signature, b"[]", Encoding::Text);
    for _ in 0..rng.usize(1..=3) {
        let pointer = match rng.u8(..12) {
            0..=2 => "/rawQueryString",
            3 | 4 => "/rawPath",
            5 => "/headers/host",
            6 => "/headers/x-forwarded-proto",
            7 => "/requestContext/http/method",
            8 => "/requestContext/stage",
            9 => "/requestContext/domainName",
            10 => "/isBase64Encoded",
            _ => "/body",
        };
        if let Some(field) = event.pointer_mut(pointer) {
            *field = value(rng);
        }
        if rng.u8(..10) == 0 {
            event["headers"][text(rng)] = value(rng);
        }
    }
    event
}

/// An event as a schedule or the bus hands it over: any JSON, often with a field that the functions
/// read.
fn event(rng: &mut Rng) -> Value {
    match rng.u8(..6) {
        0 => value(rng),
        1 => json!({ "job": value(rng) }),
        2 => json!({ "job": "sweep", text(rng): value(rng) }),
        3 => json!({ "detail-type": value(rng), "detail": value(rng) }),
        4 => json!({ "detail-type": "ReplyReceived", "detail": { "channel_sid": value(rng) } }),
        _ => json!({ "detail-type": "ReplyReceived", "detail": value(rng), text(rng): value(rng) }),
    }
}

/// A text of a few odd pieces; now and then one that is longer than any URL.
fn text(rng: &mut Rng) -> String {
    let one = |rng: &mut Rng| rng.choice(ODD).unwrap_or_default();
    if rng.u8(..) == 0 {
        return one(rng).repeat(70_000);
    }
    (0..rng.usize(..4)).map(|_| one(rng)).collect()
}

fn value(rng: &mut Rng) -> Value {
    match rng.u8(..8) {
        0 => Value::Null,
        1 => json!(rng.i64(..)),
        2 => json!(rng.bool()),
        3 => json!([text(rng)]),
        4 => json!({ text(rng): text(rng) }),
        _ => json!(text(rng)),
    }
}
