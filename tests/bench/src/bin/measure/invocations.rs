//! The time of an invocation, by the built functions over sockets: the first one, a warm one,
//! and batches.

use std::path::Path;
use std::time::Duration;

use binaries::function_url::{self, Encoding};
use binaries::lambda_api::{Function, socket};
use embedded::Embedded;
use serde_json::{Value, json};
use simulator::{Contact, Simulator};
use tokio::time::Instant;

use crate::functions::{Variables, variables};
use crate::{median, megabytes, milliseconds, print as table, real_time, times};

const WEBHOOK: &str = "https://abcdefghij.lambda-url.us-east-1.on.aws/twilio/events";

/// The number of times that a warm invocation is measured.
const WARM: usize = 300;

/// The time for which Twilio waits for an answer (Event Streams, webhook quickstart).
const TWILIO_WAITS: Duration = Duration::from_secs(5);

const BATCHES: [usize; 4] = [1, 10, 100, 1_000];

/// The pretend services, over sockets, and what a function is told of them.
pub(crate) struct Stage {
    pub(crate) twilio: Simulator,
    pub(crate) aws: Embedded,
    aws_url: String,
    pub(crate) variables: Variables,
}

pub(crate) fn print(folder: &Path) {
    real_time().block_on(async {
        let stage = Stage::set().await;
        one_at_a_time(&stage, folder).await;
        batches(&stage, folder).await;
    });
}

async fn one_at_a_time(stage: &Stage, folder: &Path) {
    let nothing = json!({ "detail-type": "Scheduled Event", "source": "aws.scheduler" });
    let reply = json!({
        "detail-type": "ReplyReceived",
        "source": "channel-janitor",
        "detail": { "channel_sid": format!("CH{}", "0123456789abcdef".repeat(2)) },
    });
    let mut rows = Vec::new();
    let mut of_bare = None;
    for (name, what) in [
        ("bare", "nothing"),
        ("ingest", "one event that is new"),
        ("sweep", "nothing is due"),
        ("park", "a reply that moves nothing"),
        ("checkup", "a small project"),
    ] {
        let function = Function::start(&folder.join(name), &stage.variables).await;
        function.ready().await;
        let event = || match name {
            "ingest" => stage.request(1),
            "park" => reply.clone(),
            _ => nothing.clone(),
        };
        let first = invoke(&function, event()).await;
        let cpu = function.cpu_time();
        let mut warm = Vec::new();
        for _ in 0..WARM {
            warm.push(invoke(&function, event()).await);
        }
        let runs = u32::try_from(WARM).unwrap();
        let cpu = (function.cpu_time().unwrap_or_default() - cpu.unwrap_or_default()) / runs;
        let peak = function.peak_memory().unwrap_or(0);
        let warm = median(&mut warm);
        let (bare_first, bare_warm, bare_cpu) = *of_bare.get_or_insert((first, warm, cpu));
        rows.push([
            format!("{name}, {what}"),
            milliseconds(first),
            times(first, bare_first),
            milliseconds(warm),
            times(warm, bare_warm),
            milliseconds(cpu.saturating_sub(bare_cpu)),
            megabytes(peak),
        ]);
        function.stop().await;
    }
    table(
        &format!(
            "Invocations over sockets, the services on the same machine; warm: median of {WARM}"
        ),
        [
            "",
            "first",
            "bare's",
            "warm",
            "bare's",
            "own CPU, warm",
            "peak memory",
        ],
        rows,
    );
}

async fn batches(stage: &Stage, folder: &Path) {
    let function = Function::start(&folder.join("ingest"), &stage.variables).await;
    function.ready().await;
    invoke(&function, stage.request(1)).await;
    let mut rows = Vec::new();
    for size in BATCHES {
        let request = stage.request(size);
        stage.aws.forget_calls();
        let cpu = function.cpu_time().unwrap_or_default();
        let took = invoke(&function, request).await;
        let cpu = function.cpu_time().unwrap_or_default() - cpu;
        rows.push([
            format!("{size} events of as many new channels"),
            milliseconds(took),
            format!(
                "{:.1} %",
                100.0 * took.as_secs_f64() / TWILIO_WAITS.as_secs_f64()
            ),
            milliseconds(cpu / u32::try_from(size).unwrap()),
            stage.aws.tally("GetItem").requests.to_string(),
            stage.aws.tally("PutItem").requests.to_string(),
            megabytes(function.peak_memory().unwrap_or(0)),
        ]);
    }
    table(
        "Ingest by batch, against the embedded engine",
        [
            "",
            "took",
            "of Twilio's 5 s",
            "CPU an event",
            "reads",
            "writes",
            "peak memory",
        ],
        rows,
    );
    function.stop().await;
}

/// Invokes the function and waits for an answer that says that all went well.
pub(crate) async fn invoke(function: &Function, event: Value) -> Duration {
    let deadline = runtime::clock::now().plus(Duration::from_secs(60));
    let began = Instant::now();
    let answer = function.invoke(event, deadline.as_millis()).await;
    let answer = answer.unwrap();
    let took = began.elapsed();
    let status = answer.get("statusCode");
    assert!(status.is_none_or(|status| status == 204), "{answer}");
    took
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let (twilio, project) = Simulator::with_flex(1).unwrap();
        let aws = Embedded::memory().unwrap();
        store::create_table(&aws.dynamodb(), "channels")
            .await
            .unwrap();
        let (listener, aws_url) = socket().await;
        let served = aws.clone();
        tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
        let (listener, twilio_url) = socket().await;
        tokio::spawn(simulator::serve(
            listener,
            twilio.clone(),
            std::future::pending::<()>(),
        ));
        let variables = variables(&twilio, project, &aws_url, &twilio_url);
        Self {
            twilio,
            aws,
            aws_url,
            variables,
        }
    }

    /// Host and port of the embedded AWS.
    pub(crate) fn aws_address(&self) -> String {
        self.aws_url.trim_start_matches("http://").to_owned()
    }

    /// A request with events of so many chats that begin: one channel each, which is the worst
    /// case.
    pub(crate) fn request(&self, events: usize) -> Value {
        let mut state = self.twilio.state();
        for _ in 0..events {
            let address = format!("+1555{:07}", fastrand::u32(..10_000_000));
            let contact = state.customer_writes(&address, "Hello");
            assert!(!matches!(contact, Contact::Lost { .. }));
        }
        drop(state);
        let body = Value::from(self.twilio.take_events()).to_string();
        let token = self.twilio.account().auth_token;
        let signed = simulator::sign::json(&token, WEBHOOK, body.as_bytes());
        let headers = [(simulator::sign::HEADER, signed.signature.as_str())];
        function_url::post(&signed.url, &headers, body.as_bytes(), Encoding::Base64)
    }
}
