//! Requests that no client of ours sends, as a function URL hands them over: each is answered,
//! and no process ends.

use binaries::function_url::{self, Encoding};
use binaries::lambda_api::{Function, built};
use fastrand::Rng;
use serde_json::{Value, json};

use super::{Stage, in_a_minute};

/// Events for each function.
const EVENTS: usize = 10_000;

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

/// A text of a few odd pieces; now and then one that is longer than any URL.
fn odd_text(rng: &mut Rng) -> String {
    if rng.u8(..) == 0 {
        return rng.choice(ODD).unwrap().repeat(70_000);
    }
    let pieces = (0..rng.usize(..4)).map(|_| rng.choice(ODD.iter().copied()).unwrap());
    pieces.collect()
}

fn odd_value(rng: &mut Rng) -> Value {
    match rng.u8(..8) {
        0 => Value::Null,
        1 => json!(rng.i64(..)),
        2 => json!(rng.bool()),
        3 => json!([odd_text(rng)]),
        4 => json!({ odd_text(rng): odd_text(rng) }),
        _ => json!(odd_text(rng)),
    }
}

/// An event of which up to three fields are odd.
fn odd_event(rng: &mut Rng) -> Value {
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
        *event.pointer_mut(pointer).unwrap() = odd_value(rng);
        if rng.u8(..10) == 0 {
            event["headers"][odd_text(rng)] = odd_value(rng);
        }
    }
    event
}

async fn answers_all(function: Function, mut rng: Rng) {
    for number in 0..EVENTS {
        let event = odd_event(&mut rng);
        let answer = function.invoke(event.clone(), in_a_minute()).await;
        let status = answer
            .as_ref()
            .ok()
            .and_then(|it| it["statusCode"].as_u64());
        assert!(
            status.is_some_and(|status| (400..500).contains(&status)),
            "event {number}: {answer:?} to {event}"
        );
    }
    drop(function.stop().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_ends_the_webhook() {
    let stage = Stage::set(11).await;
    let Stage { ingest, aws, .. } = stage;
    answers_all(ingest, Rng::with_seed(1)).await;
    assert_eq!(aws.tally("PutItem").requests, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_ends_the_parking_function() {
    let stage = Stage::set(12).await;
    let mut variables = stage.variables.clone();
    let pair = "TC00000000000000000000000000000001:TC00000000000000000000000000000002";
    variables.push(("PARK_TASK_CHANNELS", pair.to_owned()));
    variables.push(("WEBHOOK_URL", super::WEBHOOK.to_owned()));
    let park = Function::start(&built("park"), &variables).await;
    answers_all(park, Rng::with_seed(2)).await;
}

/// Returns a form of as many parameters as fit into so many bytes, all different.
fn form_of_many_parameters(bytes: usize) -> String {
    let mut form = String::with_capacity(bytes + 16);
    for name in 0_u32.. {
        form.push_str(&name.to_string());
        form.push('&');
        if form.len() >= bytes {
            break;
        }
    }
    form.truncate(bytes);
    form
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_a_million_parameters_does_not_use_up_the_memory_of_the_webhook() {
    const MIB: usize = 1024 * 1024;
    let stage = Stage::set(10).await;
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-twilio-signature", "0/ab+c=="),
    ];
    // Lambda hands over 6 MB at most, with the escapes of base64.
    for (bytes, expected) in [(MIB, 403), (MIB + 1, 413), (4 * MIB, 413)] {
        let form = form_of_many_parameters(bytes);
        let event = function_url::post(URL, &headers, form.as_bytes(), Encoding::Base64);
        let answer = stage.ingest.invoke(event, in_a_minute()).await.unwrap();
        assert_eq!(answer["statusCode"], expected, "{bytes} bytes");
    }
    let Some(peak) = stage.ingest.peak_memory() else {
        return;
    };
    assert!(peak < 128 * MIB as u64, "{} MiB of 256", peak / MIB as u64);
}
