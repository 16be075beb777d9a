//! The webhook: an authentic request in, facts folded into the channels' records, an answer
//! that Twilio understands.
//!
//! # What the answer means
//!
//! Twilio forgets an event for ever at any 4xx but 429, and repeats it for four hours at a
//! 5xx, at a 429 and when five seconds pass (Event Streams, errors 91302 to 91308). So:
//!
//! * **204** only when every event is stored, deliberately ignored, or handed to a person.
//! * **503** for whatever may be our own fault and may be mended within four hours: no keys,
//!   no table, too little time. Part of the batch may be stored by then; repeats are
//!   harmless.
//! * **403** only when the keys are at hand, were read again, and none of them signs this
//!   request. It is logged by cause and counted. A wrong public URL or a rotated key of our own
//!   looks the same as a forgery and loses events, but strangers can cause it too. So no alarm
//!   watches it; that no events come does set one off.

mod proof;
mod report;
mod settings;
mod take_in;

use std::mem::take;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use runtime::function_url::{self, Request};
use runtime::{Notice, NoticeKind, seal};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::{ChannelEvents, Job, LastRun};
use twilio::events::{Rejected, read_chat_webhook, read_stream};

use crate::proof::{Proven, Unproven};

pub use report::Report;
pub use settings::Settings;

/// The largest body that is read: a Lambda's request limit, so that running elsewhere makes
/// no difference (AWS Lambda quotas, "invocation payload").
pub const LARGEST_BODY: usize = 6 * 1024 * 1024;

/// The largest form that is read, in bytes. Twilio's hold one message of a Chat channel, of 32 KiB
/// at most before it is escaped (<https://www.twilio.com/docs/api/errors/50504>). A form is taken
/// apart before its signature can be checked, and each of its parameters takes hundreds of bytes:
/// a larger form of a stranger would use up the memory.
pub const LARGEST_FORM: usize = 1024 * 1024;

/// The longest that storing and publishing may take. Twilio waits 5 seconds for the whole answer
/// (Event Streams, webhook quickstart); what is not stored by then is sent again.
pub const PATIENCE: Duration = Duration::from_millis(4_300);

/// The time between two notes of the last event, in each process.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// The webhook.
#[derive(Debug)]
pub struct Ingest {
    settings: Settings,
    /// When the last event was noted, in milliseconds since 1970.
    noted_at: AtomicI64,
}

impl Ingest {
    /// A webhook with these settings.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            noted_at: AtomicI64::new(0),
        }
    }

    /// Does what can be done before the first request: reads the keys, so that a wrong name
    /// is logged at start, and the first request needs not wait. Without keys, requests are
    /// answered 503 and try again.
    ///
    /// Where the keys must be fetched, the connection to the table is opened beside that: at
    /// start a function has the whole processor for the handshake, afterwards a share of it.
    /// Where nothing must be waited for, nothing is.
    pub async fn warm_up(&self, now: Timestamp) {
        let Settings { secrets, bus, .. } = &self.settings;
        tokio::join!(runtime::start::look(secrets, bus, now), self.open_table());
    }

    async fn open_table(&self) {
        if !self.settings.secrets.are_fetched() {
            return;
        }
        if let Err(error) = self.settings.table.look().await {
            tracing::error!(%error, "started without a table: see CHANNELS_TABLE and AWS_REGION");
        }
    }

    /// Answers an event of the function URL, in the form that Lambda takes. An event that is no
    /// request is answered 400: Twilio sends none.
    pub async fn handle_event(&self, event: Value, now: Timestamp) -> Value {
        let request = match Request::from_event(event) {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(%error, "the event is no request");
                return function_url::answer(StatusCode::BAD_REQUEST, &HeaderMap::new(), "");
            }
        };
        let response = self.handle(request, now).await;
        function_url::answer(response.status(), response.headers(), "")
    }

    /// Answers one request. The answer has no body.
    pub async fn handle(&self, request: impl Into<Request>, now: Timestamp) -> Response<()> {
        let request = request.into();
        let mut report = Report::default();
        let status = self.answer(&request, now, &mut report).await;
        report.log(status, now);
        respond(status)
    }

    async fn answer(&self, request: &Request, now: Timestamp, report: &mut Report) -> StatusCode {
        if request.method != Method::POST {
            return StatusCode::METHOD_NOT_ALLOWED;
        }
        let largest = match proof::is_form(request) {
            true => LARGEST_FORM,
            false => LARGEST_BODY,
        };
        if request.body.len() > largest {
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        let url = request.url();
        let body = match self.authenticate(request, &url, now).await {
            Ok(body) => body,
            Err(Unproven::Refused(cause)) => {
                report.refused = Some(cause.name());
                return StatusCode::FORBIDDEN;
            }
            Err(Unproven::Undecided(cause)) => {
                report.refused = Some(cause.name());
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            Err(Unproven::Keyless(why)) => {
                tracing::error!(why, "cannot verify: the event is asked for again");
                return StatusCode::SERVICE_UNAVAILABLE;
            }
        };
        let mut batch = match &body {
            Proven::Stream(body) => read_stream(body, &self.settings.scope),
            Proven::Form(form) => read_chat_webhook(form, &self.settings.scope),
        };
        report.of_batch(&batch, now);
        let channels = ChannelEvents::by_channel(take(&mut batch.facts));
        // Both in any case: what can be stored is, whatever becomes of the rest.
        let both = async {
            tokio::join!(
                self.take_in(channels, report, now),
                self.hand_on(&batch.rejected, now),
                self.note_test(batch.tests.last(), now)
            )
        };
        let stored = tokio::time::timeout(PATIENCE, both).await;
        self.note_event(now);
        match stored {
            Ok((true, true, true)) => StatusCode::NO_CONTENT,
            Ok(_) => StatusCode::SERVICE_UNAVAILABLE,
            Err(_elapsed) => {
                tracing::error!("out of time: the events are asked for again");
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Notes that an authentic event came, once a minute at most. It is written beside the
    /// answer, which neither waits for it nor fails with it.
    fn note_event(&self, now: Timestamp) {
        let noted_at = self.noted_at.load(Ordering::Relaxed);
        if now.since(Timestamp::from_millis(noted_at)) < NOTE_EVERY {
            return;
        }
        self.noted_at.store(now.as_millis(), Ordering::Relaxed);
        let table = self.settings.table.clone();
        let run = LastRun::new(now, self.settings.variables(), json!({}));
        tokio::spawn(async move { table.note_run(Job::Ingest, &run).await });
    }

    /// Stores the sink's test event, which `janitor connect` waits for. True if that is done.
    async fn note_test(&self, test_id: Option<&String>, now: Timestamp) -> bool {
        let Some(test_id) = test_id else { return true };
        match self.settings.table.note_test_event(test_id, now).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the sink's test event is asked for again");
                false
            }
        }
    }

    /// Hands events that cannot be read to a person, by way of the bus. True if all got there.
    async fn hand_on(&self, rejected: &[Rejected], now: Timestamp) -> bool {
        if rejected.is_empty() {
            return true;
        }
        // Sealed with the key that signs now: its holder may read every message of the account.
        let secrets = self.settings.secrets.get(now).await.ok();
        let key = secrets
            .as_ref()
            .and_then(|secrets| secrets.signing_keys.first());
        let notices: Option<Vec<Notice>> = key.and_then(|key| {
            let notices = rejected.iter().map(|rejected| notice(rejected, key, now));
            notices.collect()
        });
        let Some(notices) = notices else {
            tracing::error!("rejected events cannot be sealed: they are asked for again");
            return false;
        };
        let published = self.settings.bus.publish(&notices).await;
        for (index, why) in &published.failed {
            tracing::error!(index, why, "a rejected event could not be handed on");
        }
        published.failed.is_empty()
    }
}

/// Returns the notice of an event that cannot be read: the ids by which Twilio finds it, the
/// original under seal, and no word of a customer in the clear.
fn notice(rejected: &Rejected, token: &SecretString, now: Timestamp) -> Option<Notice> {
    let original = rejected.original.expose();
    let digest = seal::digest(token, original)?;
    tracing::warn!(
        reason = %rejected.reason,
        event_id = rejected.event_id,
        event_sid = rejected.sid,
        digest,
        "an authentic event is not readable"
    );
    Some(Notice {
        id: format!("rejected:{digest}"),
        at: now,
        kind: NoticeKind::EventRejected,
        detail: json!({
            "reason": rejected.reason.to_string(),
            "event_id": rejected.event_id,
            "event_sid": rejected.sid,
            "digest": digest,
            "sealed": seal::seal(token, original),
        }),
    })
}

fn respond(status: StatusCode) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let headers = response.headers_mut();
        headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
