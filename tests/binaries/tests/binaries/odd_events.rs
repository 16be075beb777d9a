//! Events that no client of ours sends: each is answered, and no process ends.

use binaries::function_url::{self, Encoding};
use binaries::lambda_api::{Function, built};
use binaries::odd_events::{send_events, send_requests};
use fastrand::Rng;
use serde_json::json;

use super::{Stage, in_a_minute};

/// Requests to each function with a URL. The benchmark sends five times as many to the functions as
/// they are deployed.
const REQUESTS: usize = 2_000;

/// Events of the others, which strangers do not reach.
const EVENTS: usize = 300;

const URL: &str = "https://abcdefghij.lambda-url.us-east-1.on.aws/twilio/events";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_ends_the_webhook() {
    let stage = Stage::set(11).await;
    send_requests(&stage.ingest, REQUESTS, &mut Rng::with_seed(1)).await;
    assert_eq!(stage.aws.tally("PutItem").requests, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_ends_the_parking_function() {
    let stage = Stage::set(12).await;
    let mut variables = stage.variables.clone();
    let pair = "TC00000000000000000000000000000001:TC00000000000000000000000000000002";
    variables.push(("PARK_TASK_CHANNELS", pair.to_owned()));
    variables.push(("WEBHOOK_URL", super::WEBHOOK.to_owned()));
    let park = Function::start(&built("park"), &variables).await;
    let mut rng = Rng::with_seed(2);
    send_requests(&park, REQUESTS, &mut rng).await;
    send_events(&park, EVENTS, &mut rng, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_ends_the_sweep() {
    let stage = Stage::set(13).await;
    send_events(
        &stage.sweep,
        EVENTS,
        &mut Rng::with_seed(3),
        &["UnknownJob"],
    )
    .await;
    let swept = stage.sweep.invoke(json!({}), in_a_minute()).await.unwrap();
    assert_eq!(swept["due"], 0, "{swept}");
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
