//! The whole webhook, with the real handler and the embedded AWS behind it.

use std::cell::RefCell;

use domain::Timestamp;
use embedded::Embedded;
use http::StatusCode;
use ingest::{Ingest, Settings};
use runtime::function_url::Request;
use runtime::secrets::{Secrets, TwilioSecrets};
use runtime::{Aws, Bus};
use serde_json::{Map, Value, json};
use store::ChannelTable;
use tokio::runtime::Runtime;
use twilio::events::{Scope, read_recording};

use super::lines;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const URL: &str = "https://janitor.example.com/twilio/events";
const TABLE: &str = "channels";
const NOW: Timestamp = Timestamp::from_millis(1_767_603_600_412);

/// The number of inputs that meet the same table, so that what earlier ones left behind is part of it.
const INPUTS_PER_TABLE: usize = 500;

/// Method, path with its query, three headers and body of a request that Twilio did not sign,
/// any bytes, as a function URL hands them over.
pub fn ingest_forged(data: &[u8]) {
    let ([method, url, header, other, another], body) = lines(data);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let url = text(url);
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let headers = [header, other, another].map(|line| {
        let line = text(line);
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        (name.to_lowercase(), Value::from(value.trim()))
    });
    let method = text(method);
    let event = json!({
        "rawPath": path,
        "rawQueryString": query,
        "headers": Map::from_iter(headers),
        "requestContext": {
            "domainName": "janitor.example.com",
            "http": { "method": method },
        },
        "body": text(body),
        "isBase64Encoded": body.first() == Some(&b'='),
    });
    let is_request = Request::from_event(event.clone()).is_ok();
    stage(async |stage| {
        let answer = stage.ingest.handle_event(event, NOW).await;
        let expected = match method.as_str() {
            _ if !is_request => StatusCode::BAD_REQUEST,
            "POST" => StatusCode::FORBIDDEN,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        assert_eq!(answer["statusCode"], expected.as_u16());
        assert!(stage.aws.calls().is_empty(), "nothing was read or written");
    });
}

/// An event as Lambda hands it over, any JSON. It is answered, and never believed.
pub fn ingest_event(data: &[u8]) {
    // The runtime itself refuses what is not JSON.
    let Ok(event) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    stage(async |stage| {
        let answer = stage.ingest.handle_event(event, NOW).await;
        let status = answer["statusCode"].as_u64().unwrap();
        assert!([400, 403, 405].contains(&status), "{status}");
        assert!(stage.aws.calls().is_empty(), "nothing was read or written");
    });
}

/// The body of a request that Twilio signed, any bytes.
pub fn ingest_signed(data: &[u8]) {
    let signed = simulator::sign::json(KEY, URL, data);
    let request = http::Request::post(signed.url)
        .header(simulator::sign::HEADER, signed.signature)
        .body(data.to_vec())
        .unwrap();
    let batch = read_recording(data, &Scope::default());
    stage(async |stage| {
        let status = stage.ingest.handle(request, NOW).await.status();
        assert_eq!(status, StatusCode::NO_CONTENT);
        for fact in &batch.facts {
            let stored = stage.table.get(fact.channel).await.unwrap().unwrap();
            let mut again = stored.channel.clone();
            again.absorb(fact);
            assert_eq!(
                again, stored.channel,
                "an answer of 204 means that it is stored"
            );
        }
        let told = stage.aws.bus.take_entries();
        assert_eq!(told.len(), batch.rejected.len());
        for (entry, rejected) in told.iter().zip(&batch.rejected) {
            assert_eq!(entry.detail_type, "EventRejected");
            let digest = runtime::seal::digest(&KEY.into(), rejected.original.expose());
            assert_eq!(entry.detail["digest"], digest.unwrap());
        }
    });
}

struct Stage {
    aws: Embedded,
    table: ChannelTable,
    ingest: Ingest,
    inputs: usize,
}

impl Stage {
    async fn new() -> Self {
        let aws = Embedded::memory().unwrap();
        let clients = Aws::with_http_client(aws.http_client());
        store::create_table(&clients.dynamodb(), TABLE)
            .await
            .unwrap();
        let table = ChannelTable::new(clients.dynamodb(), TABLE);
        let ingest = Ingest::new(Settings {
            table: table.clone(),
            bus: Bus::new(clients.eventbridge(), "notices".to_owned()),
            secrets: Secrets::fixed(TwilioSecrets {
                signing_keys: vec![KEY.to_owned().into()],
                api_key: None,
            }),
            scope: Scope {
                pairs: crate::events::pairs(),
                ..Scope::default()
            },
            public_url: None,
            basic_auth: None,
        });
        Self {
            aws,
            table,
            ingest,
            inputs: 0,
        }
    }
}

/// Runs one input; a stage is as expensive as hundreds of them.
fn stage(run: impl AsyncFnOnce(&Stage)) {
    thread_local! {
        static STAGE: RefCell<Option<(Runtime, Stage)>> = const { RefCell::new(None) };
    }
    STAGE.with_borrow_mut(|kept| {
        let (runtime, mut stage) = kept
            .take()
            .filter(|(_, stage)| stage.inputs < INPUTS_PER_TABLE)
            .unwrap_or_else(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .start_paused(true)
                    .build()
                    .unwrap();
                let stage = runtime.block_on(Stage::new());
                (runtime, stage)
            });
        stage.inputs += 1;
        stage.aws.forget_calls();
        runtime.block_on(run(&stage));
        *kept = Some((runtime, stage));
    });
}
