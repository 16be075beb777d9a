//! The whole webhook, with the real handler and the embedded AWS behind it.

use std::cell::RefCell;

use domain::Timestamp;
use embedded::Embedded;
use http::{Request, StatusCode};
use ingest::{Ingest, Settings};
use lambda_http::Body;
use runtime::secrets::{Secrets, TwilioSecrets};
use runtime::{Aws, Bus};
use store::ChannelTable;
use tokio::runtime::Runtime;
use twilio::events::{Scope, read_recording};

use super::lines;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const URL: &str = "https://janitor.example.com/twilio/events";
const TABLE: &str = "channels";
const NOW: Timestamp = Timestamp::from_millis(1_767_603_600_412);

/// How many inputs meet the same table, so that what earlier ones left behind is part of it.
const INPUTS_PER_TABLE: usize = 500;

/// Method, URL, three headers and body of a request that Twilio did not sign, any bytes.
pub fn ingest_forged(data: &[u8]) {
    let ([method, url, header, other, another], body) = lines(data);
    let mut builder = Request::builder().method(method).uri(url);
    for line in [header, other, another] {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next());
        let name = http::HeaderName::from_bytes(name);
        let value = http::HeaderValue::from_bytes(value.unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            builder = builder.header(name, value);
        }
    }
    let Ok(request) = builder.body(Body::from(body.to_vec())) else {
        return;
    };
    let post = request.method() == http::Method::POST;
    stage(async |stage| {
        let status = stage.ingest.handle(request, NOW).await.status();
        let expected = if post {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::METHOD_NOT_ALLOWED
        };
        assert_eq!(status, expected);
        assert!(stage.aws.calls().is_empty(), "nothing was read or written");
    });
}

/// The body of a request that Twilio signed, any bytes.
pub fn ingest_signed(data: &[u8]) {
    let signed = simulator::sign::json(KEY, URL, data);
    let request = Request::post(signed.url)
        .header(simulator::sign::HEADER, signed.signature)
        .body(Body::from(data.to_vec()))
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
            assert_eq!(entry.detail["sha256"], rejected.sha256.as_str());
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
            scope: Scope::default(),
            public_url: None,
            basic_auth: None,
            talk: ingest::Talk::Ignored,
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
