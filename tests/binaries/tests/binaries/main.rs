//! The real binaries under the Lambda runtime protocol, against the simulated Twilio and the
//! embedded AWS, over sockets.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod checkup;
mod flood;
mod odd_events;
mod park;
mod permissions;

use binaries::function_url::{self, Encoding};
use binaries::lambda_api::{Failure, Function, built, figures, socket};
use embedded::Embedded;
use serde_json::{Value, json};
use simulator::{Contact, Simulator};

const WEBHOOK: &str = "https://abcdefghij.lambda-url.us-east-1.on.aws/twilio/events";
const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

struct Stage {
    twilio: Simulator,
    aws: Embedded,
    ingest: Function,
    sweep: Function,
    variables: Vec<(&'static str, String)>,
}

impl Stage {
    async fn set(seed: u64) -> Self {
        let (twilio, project) = Simulator::with_flex(seed).unwrap();
        let (listener, twilio_url) = socket().await;
        tokio::spawn(simulator::serve(
            listener,
            twilio.clone(),
            std::future::pending::<()>(),
        ));
        let aws = Embedded::memory().unwrap();
        store::create_table(&aws.dynamodb(), "channels")
            .await
            .unwrap();
        let account = twilio.account();
        aws.secrets.put(
            "janitor/twilio",
            json!({
                "TWILIO_AUTH_TOKENS": format!("{},the-next-one", account.auth_token),
                "TWILIO_API_KEY": account.api_key.as_str(),
                "TWILIO_API_SECRET": account.api_secret,
            })
            .to_string(),
        );
        let (listener, aws_url) = socket().await;
        let served = aws.clone();
        tokio::spawn(async move { served.serve(listener, std::future::pending()).await });

        let shared = [
            ("AWS_ENDPOINT_URL", aws_url),
            ("CHANNELS_TABLE", "channels".to_owned()),
            ("NOTICE_BUS", "notices".to_owned()),
            ("TWILIO_ACCOUNT_SID", account.sid.to_string()),
            ("TWILIO_SECRET", "janitor/twilio".to_owned()),
        ];
        let mut for_sweep = shared.to_vec();
        for_sweep.push(("TWILIO_API_URL", twilio_url));
        for_sweep.push(("PROXY_SERVICE_SID", project.proxy_service.to_string()));
        Self {
            ingest: Function::start(&built("ingest"), &shared).await,
            sweep: Function::start(&built("sweep"), &for_sweep).await,
            twilio,
            aws,
            variables: for_sweep,
        }
    }

    /// Sends events as Twilio would, and returns the status of the answer.
    async fn post(&self, events: &[Value], encoding: Encoding) -> i64 {
        let body = Value::from(events).to_string();
        let token = self.twilio.account().auth_token;
        let signed = simulator::sign::json(&token, WEBHOOK, body.as_bytes());
        self.answer(&signed.url, &signed.signature, body.as_bytes(), encoding)
            .await
    }

    async fn answer(&self, url: &str, signature: &str, body: &[u8], encoding: Encoding) -> i64 {
        let headers = [(simulator::sign::HEADER, signature)];
        let event = function_url::post(url, &headers, body, encoding);
        let answer = self.ingest.invoke(event, in_a_minute()).await.unwrap();
        answer["statusCode"].as_i64().unwrap()
    }

    async fn sweep(&self) -> Result<Value, Failure> {
        let event = json!({ "schedule": "rate(5 minutes)" });
        self.sweep.invoke(event, in_a_minute()).await
    }

    async fn items(&self) -> Vec<Value> {
        let scanned = self.aws.dynamodb().scan().table_name("channels").send();
        let items = scanned.await.unwrap().items.unwrap_or_default();
        items
            .into_iter()
            .map(|item| serde_dynamo::from_item(item).unwrap())
            .collect()
    }

    /// The items of channels, without the notes.
    async fn records(&self) -> Vec<Value> {
        let is_channel = |item: &Value| item["channel_sid"].as_str().unwrap().starts_with("CH");
        let items = self.items().await.into_iter();
        items.filter(is_channel).collect()
    }
}

fn in_a_minute() -> i64 {
    runtime::clock::now().plus(MINUTE).as_millis()
}

/// A chat that was completed an hour ago with no browser there to clean up.
fn chat_left_behind(twilio: &Simulator) -> simulator::Sid {
    let an_hour_ago = runtime::clock::now().minus(90 * MINUTE).as_millis();
    twilio.set_now(jiff::Timestamp::from_millisecond(an_hour_ago).unwrap());
    let mut state = twilio.state();
    let workspace = state.project().unwrap().workspace;
    let agent = state.hire_agent(workspace, "agent").unwrap();
    let Contact::Started { channel, task } = state.customer_writes("+15550100123", "Hello?") else {
        panic!("a first message starts a chat");
    };
    state.advance(MINUTE);
    state.agent_accepts(task, agent).unwrap();
    state.advance(20 * MINUTE);
    state.task_completed_by_nobody(task).unwrap();
    channel
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_left_behind_is_closed_by_the_deployed_binaries() {
    let stage = Stage::set(7).await;
    let channel = chat_left_behind(&stage.twilio);
    let events = stage.twilio.take_events();

    assert_eq!(stage.post(&events, Encoding::Base64).await, 204);
    assert_eq!(
        stage.post(&events, Encoding::Text).await,
        204,
        "repeats are harmless"
    );
    let items = stage.records().await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["channel_sid"], channel.as_str());
    assert_eq!(
        stage.aws.tally("PutItem").requests,
        1,
        "the repeat costs no write"
    );

    let summary = stage.sweep().await.unwrap();
    assert_eq!(summary["due"], 1, "{summary}");
    assert_eq!(summary["closed"], 1, "{summary}");
    assert!(stage.twilio.state().channel(channel).unwrap().is_inactive());
    assert!(
        stage
            .twilio
            .state()
            .open_session_of("+15550100123")
            .is_none()
    );
    let notices = stage.aws.bus.entries();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].source, "channel-janitor");
    assert_eq!(notices[0].detail_type, "ChannelClosed");

    stage.twilio.reset_calls();
    let again = stage.sweep().await.unwrap();
    assert_eq!(again["due"], 0, "{again}");
    assert_eq!(stage.twilio.calls().total(), 0, "nothing due, no request");

    let (ingest, sweep) = (stage.ingest.stop().await, stage.sweep.stop().await);
    let told = figures(&ingest);
    let twice = events.len() as u64 * 2;
    assert_eq!(told.get("Received"), Some(&twice), "{told:?}");
    assert_eq!(told.get("Unchanged"), Some(&1), "{told:?}");
    assert!(told.contains_key("LagMilliseconds"), "{told:?}");
    let told = figures(&sweep);
    for figure in ["Due", "ClosedEnded"] {
        assert_eq!(told.get(figure), Some(&1), "{figure}: {told:?}");
    }
    assert!(
        told["OldestOverdueSeconds"] > 0 && told["Calls"] > 0,
        "{told:?}"
    );
    for figure in ["Raced", "Stopped", "ClosedLongLived"] {
        assert_eq!(
            told.get(figure),
            None,
            "{figure} is zero, and zero is not told"
        );
    }

    let started = format!(
        "\"message\":\"started\",\"version\":\"{}\"",
        env!("CARGO_PKG_VERSION")
    );
    for log in [&ingest, &sweep] {
        assert!(log.contains(&started), "the version is logged:\n{log}");
    }
    let logs = ingest + &sweep;
    let token = stage.twilio.account().auth_token;
    for secret in ["+15550100123", "Hello?", token.as_str(), "the-next-one"] {
        assert!(!logs.contains(secret), "{secret} is in the logs:\n{logs}");
    }
    assert!(logs.contains("\"swept\""), "the summary is logged:\n{logs}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_webhook_answers_as_twilio_understands_it() {
    let stage = Stage::set(8).await;
    chat_left_behind(&stage.twilio);
    let events = stage.twilio.take_events();
    let body = Value::from(events.clone()).to_string();
    let token = stage.twilio.account().auth_token;
    let signed = simulator::sign::json(&token, WEBHOOK, body.as_bytes());
    let forged = simulator::sign::json("not the token", WEBHOOK, body.as_bytes());
    let text = Encoding::Text;

    let url = signed.url.as_str();
    assert_eq!(
        stage
            .answer(url, &forged.signature, body.as_bytes(), text)
            .await,
        403
    );
    assert_eq!(stage.answer(url, "", body.as_bytes(), text).await, 403);
    assert_eq!(
        stage.answer(url, &signed.signature, b"[]", text).await,
        403,
        "tampered"
    );
    assert_eq!(stage.records().await.len(), 0, "nothing unproven is stored");

    let next = simulator::sign::json("the-next-one", WEBHOOK, body.as_bytes());
    assert_eq!(
        stage
            .answer(&next.url, &next.signature, body.as_bytes(), text)
            .await,
        204
    );
    assert_eq!(stage.records().await.len(), 1);

    // A table that is throttled is our affair, and Twilio is asked to try again.
    stage
        .aws
        .plan_faults(|call| (call.operation == "GetItem").then_some(embedded::Fault::Throttle));
    assert_eq!(stage.post(&events, text).await, 503);
    stage.aws.end_faults();

    // What is authentic and not readable goes to a person, and the rest is stored.
    let mut mixed = events;
    mixed.push(json!({ "type": "com.twilio.taskrouter.task.completed", "data": 7 }));
    assert_eq!(stage.post(&mixed, text).await, 204);
    let notices = stage.aws.bus.entries();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].detail_type, "EventRejected");
    let sealed = notices[0].detail["sealed"].as_str().unwrap();
    let original = runtime::seal::open(&[token.into()], sealed).unwrap();
    let original: Value = serde_json::from_slice(&original).unwrap();
    assert_eq!(
        Some(&original),
        mixed.last(),
        "an operator can open the original"
    );

    let told = figures(&stage.ingest.stop().await);
    // Forged, empty, and of another body.
    assert_eq!(told.get("BadSignature"), Some(&3), "{told:?}");
    assert_eq!(told.get("Rejected"), Some(&1), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_name_is_told_at_start_with_the_region() {
    let stage = Stage::set(10).await;
    stage.aws.bus.know_only(&["another-bus"]);
    let wrong = [
        ("TWILIO_SECRET", "no/such/secret".to_owned()),
        ("CHANNELS_TABLE", "no-such-table".to_owned()),
    ];
    for name in ["ingest", "sweep", "checkup"] {
        let variables: Vec<_> = stage
            .variables
            .iter()
            .cloned()
            .chain(wrong.clone())
            .collect();
        let function = Function::start(&built(name), &variables).await;
        function.ready().await;
        let logs = function.stop().await;
        for words in [
            "cannot read the secret no/such/secret in us-east-1",
            "cannot see the bus notices in us-east-1",
        ] {
            assert!(
                logs.contains(words),
                "{name} does not say {words:?}:\n{logs}"
            );
        }
        // No client waits for the others' first request.
        let looks = logs.contains("started without a table: see CHANNELS_TABLE");
        assert_eq!(looks, name == "ingest", "{name}:\n{logs}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_that_twilio_does_not_let_in_fails_loudly_and_marks_nothing() {
    let stage = Stage::set(9).await;
    chat_left_behind(&stage.twilio);
    let events = stage.twilio.take_events();
    assert_eq!(stage.post(&events, Encoding::Text).await, 204);
    let before = stage.records().await;

    stage.twilio.state().account.api_secret = "another".to_owned();
    let Err(Failure::Reported(error)) = stage.sweep().await else {
        panic!("the invocation succeeds");
    };
    assert_eq!(error["errorType"], "Unauthorized", "{error}");
    assert_eq!(stage.records().await, before);
}
