//! A stand-in for the Lambda Runtime API: the protocol by which Lambda hands events to a
//! function's process (AWS Lambda developer guide, "using the Lambda runtime API").

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

/// The time for which a test waits for a function before it takes it for dead.
const PATIENCE: Duration = Duration::from_secs(60);

/// A function's binary that `cargo test --workspace` has built beside the test that runs.
///
/// # Panics
/// If it is not built.
pub fn built(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a test has a path");
    let folder = this.ancestors().nth(2).expect("a test is in a folder");
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is not built; run `cargo test --workspace`",
        path.display()
    );
    path
}

/// Returns the most memory that a process ever held, in bytes, as far as the system says.
pub fn peak_memory_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// A socket for a pretend service, and the URL under which it is reached.
///
/// # Panics
/// If there is none on loopback.
pub async fn socket() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a socket on loopback");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    (listener, format!("http://{address}"))
}

/// One function's process, and Lambda's side of the conversation with it.
pub struct Function {
    api: Arc<Api>,
    invocations: mpsc::UnboundedSender<Invocation>,
    process: Child,
    /// Its output, read as it comes: a full pipe would hold it up.
    output: [JoinHandle<Vec<u8>>; 2],
}

/// The failure that a function's process reported instead of an answer.
#[derive(Debug)]
pub enum Failure {
    /// It reported an error for the invocation.
    Reported(Value),
    /// It did not answer in time, or died.
    Silent,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

struct Invocation {
    id: String,
    event: Value,
    deadline_ms: i64,
}

struct Api {
    next: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    answers: Mutex<HashMap<String, oneshot::Sender<Result<Value, Value>>>>,
    init_errors: Mutex<Vec<Value>>,
    ready: Notify,
}

impl Function {
    /// Starts a function's binary with these variables and no others, as Lambda would.
    ///
    /// # Panics
    /// If there is no such binary.
    pub async fn start(binary: &Path, variables: &[(&str, String)]) -> Self {
        let (invocations, next) = mpsc::unbounded_channel();
        let api = Arc::new(Api {
            next: Mutex::new(next),
            answers: Mutex::default(),
            init_errors: Mutex::default(),
            ready: Notify::new(),
        });
        let (listener, url) = socket().await;
        let router = routes(Arc::clone(&api));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut process = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", url.trim_start_matches("http://"))
            .env("AWS_LAMBDA_FUNCTION_NAME", "under-test")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "log-group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "log-stream")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary.display()));
        let output = [heard(process.stdout.take()), heard(process.stderr.take())];
        Self {
            api,
            invocations,
            process,
            output,
        }
    }

    /// Invokes the function and waits for its answer. The deadline is a moment in
    /// milliseconds since the epoch.
    ///
    /// # Errors
    ///
    /// Fails if the function reports an error, or does not answer in time.
    pub async fn invoke(&self, event: Value, deadline_ms: i64) -> Result<Value, Failure> {
        let (answer, answered) = oneshot::channel();
        let mut answers = self.api.answers.lock().await;
        let id = format!("invocation-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        answers.insert(id.clone(), answer);
        drop(answers);
        let _ = self.invocations.send(Invocation {
            id,
            event,
            deadline_ms,
        });
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(Failure::Reported(error)),
            Ok(Err(_)) | Err(_) => Err(Failure::Silent),
        }
    }

    /// Waits until the function asks for its first event, which is the end of its start.
    pub async fn ready(&self) {
        self.api.ready.notified().await;
    }

    /// The most memory that the process ever held, in bytes, as far as the system says.
    pub fn peak_memory(&self) -> Option<u64> {
        peak_memory_of(self.process.id()?)
    }

    /// Returns the processor's time of the process, as far as the system says. A function has one
    /// thread.
    pub fn cpu_time(&self) -> Option<Duration> {
        let path = format!("/proc/{}/schedstat", self.process.id()?);
        let nanoseconds = std::fs::read_to_string(path).ok()?;
        let nanoseconds = nanoseconds.split_whitespace().next()?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    }

    /// Stops the process and gives back all that it wrote.
    pub async fn stop(mut self) -> String {
        let _ = self.process.kill().await;
        let mut text = String::new();
        for written in self.output {
            let bytes = written.await.unwrap_or_default();
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        text
    }
}

/// Reads what a process writes until it ends.
fn heard(stream: Option<impl AsyncRead + Send + Unpin + 'static>) -> JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What was read before the end counts, however it ended.
            let _ = stream.read_to_end(&mut bytes).await;
        }
        bytes
    })
}

/// The metrics that CloudWatch would make of a log: the sum of each, under the function's name.
///
/// # Panics
/// At a line that breaks the embedded metric format, which CloudWatch would drop.
pub fn figures(log: &str) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for line in lines.filter(|line| line.get("_aws").is_some()) {
        assert!(line["_aws"]["Timestamp"].as_i64().unwrap() > 1_600_000_000_000);
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], "ChannelJanitor");
            assert_eq!(directive["Dimensions"], json!([["FunctionName"]]));
            assert_eq!(line["FunctionName"], "under-test");
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                let value = line[name].as_u64().unwrap();
                *sums.entry(name.to_owned()).or_default() += value;
            }
        }
    }
    sums
}

fn routes(api: Arc<Api>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route(
            "/2018-06-01/runtime/invocation/{id}/response",
            post(response),
        )
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(api)
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    api.ready.notify_one();
    let Some(invocation) = api.next.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let mut headers = HeaderMap::new();
    let fields = [
        ("lambda-runtime-aws-request-id", invocation.id),
        (
            "lambda-runtime-deadline-ms",
            invocation.deadline_ms.to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:under-test".to_owned(),
        ),
        ("content-type", "application/json".to_owned()),
    ];
    for (name, value) in fields {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    (headers, invocation.event.to_string()).into_response()
}

async fn response(
    State(api): State<Arc<Api>>,
    UrlPath(id): UrlPath<String>,
    body: Bytes,
) -> StatusCode {
    answer(&api, &id, Ok(parsed(&body))).await
}

async fn error(
    State(api): State<Arc<Api>>,
    UrlPath(id): UrlPath<String>,
    body: Bytes,
) -> StatusCode {
    answer(&api, &id, Err(parsed(&body))).await
}

async fn init_error(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    api.init_errors.lock().await.push(parsed(&body));
    StatusCode::ACCEPTED
}

async fn answer(api: &Api, id: &str, answer: Result<Value, Value>) -> StatusCode {
    match api.answers.lock().await.remove(id) {
        Some(waiting) => {
            let _ = waiting.send(answer);
            StatusCode::ACCEPTED
        }
        None => StatusCode::BAD_REQUEST,
    }
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}
