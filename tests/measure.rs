//! Measures the built functions and prints ratios: what they cost beside a function that does
//! nothing, and beside the time that Twilio gives.
//!
//! Run it after `cargo build --release -p ingest -p sweep -p bare`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints, and stops at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use acceptance::function_url::{self, Encoding};
use acceptance::lambda_api::Function;
use embedded::Embedded;
use serde_json::{Value, json};
use simulator::{Contact, Simulator};
use tokio::time::Instant;

const WEBHOOK: &str = "https://abcdefghij.lambda-url.us-east-1.on.aws/twilio/events";

/// How often each start is measured, in turn with the others.
const STARTS: usize = 21;

/// How long Twilio waits for an answer (Event Streams, webhook quickstart).
const TWILIO_WAITS: Duration = Duration::from_secs(5);

type Variables = Vec<(&'static str, String)>;

#[tokio::main]
async fn main() {
    let release = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or("target/release".to_owned()),
    );
    let functions = [
        ("bare", release.join("bare")),
        ("ingest", release.join("ingest")),
        ("sweep", release.join("sweep")),
    ];
    let (twilio, aws, variables) = stage().await;

    println!("binary size");
    for (name, path) in &functions {
        let size = std::fs::metadata(path).unwrap().len();
        println!("  {name:8} {:6.2} MB", megabytes(size));
    }

    println!("exec to first /next, median of {STARTS}");
    let mut starts: Vec<Vec<Duration>> = vec![Vec::new(); functions.len()];
    let mut memory = vec![0; functions.len()];
    for _ in 0..STARTS {
        for (index, (_, path)) in functions.iter().enumerate() {
            let (took, peak) = start(path, &variables).await;
            starts[index].push(took);
            memory[index] = memory[index].max(peak);
        }
    }
    let bare = median(&mut starts[0]);
    for (index, (name, _)) in functions.iter().enumerate() {
        let took = median(&mut starts[index]);
        println!(
            "  {name:8} {:6.2} ms  {:.2} x bare  {:.1} MB at its peak",
            1000.0 * took.as_secs_f64(),
            took.as_secs_f64() / bare.as_secs_f64(),
            megabytes(memory[index]),
        );
    }

    println!("ingest, by batch, against the embedded engine");
    let ingest = Function::start(&functions[1].1, &variables).await;
    for size in [1, 10, 100, 1_000] {
        let events = events(&twilio, size);
        let took = post(&ingest, &twilio, &events).await;
        println!(
            "  {size:5} events {:8.1} ms  {:5.1} % of the time that Twilio waits",
            1000.0 * took.as_secs_f64(),
            100.0 * took.as_secs_f64() / TWILIO_WAITS.as_secs_f64(),
        );
    }
    let peak = ingest.peak_memory().unwrap_or(0);
    println!("  {:.1} MB at its peak", megabytes(peak));
    let reads = aws.tally("GetItem").requests;
    let writes = aws.tally("PutItem").requests;
    println!("  {reads} reads and {writes} writes in all");
}

async fn stage() -> (Simulator, Embedded, Variables) {
    let (twilio, _) = Simulator::with_flex(1).unwrap();
    let aws = Embedded::memory().unwrap();
    store::create_table(&aws.dynamodb(), "channels")
        .await
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = aws.clone();
    tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
    let account = twilio.account();
    // Neither a secret nor a bus: what the start asks of AWS is AWS's time.
    let variables = vec![
        ("AWS_ENDPOINT_URL", format!("http://{address}")),
        ("CHANNELS_TABLE", "channels".to_owned()),
        ("TWILIO_ACCOUNT_SID", account.sid.to_string()),
        ("TWILIO_AUTH_TOKENS", account.auth_token),
        ("AWS_LAMBDA_LOG_LEVEL", "warn".to_owned()),
    ];
    (twilio, aws, variables)
}

async fn start(binary: &Path, variables: &Variables) -> (Duration, u64) {
    let began = Instant::now();
    let function = Function::start(binary, variables).await;
    function.ready().await;
    let took = began.elapsed();
    let peak = function.peak_memory().unwrap_or(0);
    function.stop().await;
    (took, peak)
}

/// Events of so many chats that begin: one channel each, which is the worst case.
fn events(twilio: &Simulator, count: usize) -> Vec<Value> {
    let mut state = twilio.state();
    for number in 0..count {
        let address = format!("+1555{:07}", 10_000 * count + number);
        assert!(matches!(
            state.customer_writes(&address, "Hello"),
            Contact::Started { .. }
        ));
    }
    drop(state);
    twilio.take_events()
}

async fn post(ingest: &Function, twilio: &Simulator, events: &[Value]) -> Duration {
    let body = Value::from(events).to_string();
    let token = twilio.account().auth_token;
    let signed = simulator::sign::json(&token, WEBHOOK, body.as_bytes());
    let headers = [(simulator::sign::HEADER, signed.signature.as_str())];
    let event = function_url::post(&signed.url, &headers, body.as_bytes(), Encoding::Base64);
    let deadline = runtime::clock::now()
        .plus(Duration::from_secs(60))
        .as_millis();
    let began = Instant::now();
    let answer = ingest.invoke(event, deadline).await.unwrap();
    let took = began.elapsed();
    assert_eq!(answer["statusCode"], json!(204), "{answer}");
    took
}

fn median(durations: &mut [Duration]) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
