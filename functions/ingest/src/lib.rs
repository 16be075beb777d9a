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
//!   request. It is logged by cause and is worth an alarm: a wrong public URL or a rotated
//!   key of our own looks the same as a forgery, and loses events.

mod proof;
mod report;
mod settings;
mod take_in;

use std::mem::take;
use std::time::Duration;

use domain::Timestamp;
use http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use runtime::{Notice, NoticeKind};
use serde_json::json;
use twilio::events::{Rejected, read_chat_webhook, read_stream};

use crate::proof::{Proven, Unproven};

pub use report::Report;
pub use settings::{Settings, Talk};

/// The largest body that is read: a Lambda's request limit, so that running elsewhere makes
/// no difference (AWS Lambda quotas, "invocation payload").
pub const LARGEST_BODY: usize = 6 * 1024 * 1024;

/// How long storing and handing on may take. Twilio waits 5 seconds for the whole answer
/// (Event Streams, webhook quickstart); what is not stored by then is sent again.
pub const PATIENCE: Duration = Duration::from_millis(4_300);

/// The webhook.
#[derive(Debug)]
pub struct Ingest {
    settings: Settings,
}

impl Ingest {
    /// A webhook with these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
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

    /// Answers one request.
    pub async fn handle(&self, request: Request, now: Timestamp) -> Response<Body> {
        let mut report = Report::default();
        let status = self.answer(&request, now, &mut report).await;
        report.log(status, now);
        respond(status)
    }

    async fn answer(&self, request: &Request, now: Timestamp, report: &mut Report) -> StatusCode {
        if request.method() != Method::POST {
            return StatusCode::METHOD_NOT_ALLOWED;
        }
        if request.body().as_ref().len() > LARGEST_BODY {
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        let body = match self.authenticate(request, now).await {
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
        let (facts, words) = (take(&mut batch.facts), take(&mut batch.words));
        // Both in any case: what can be stored is, whatever becomes of the rest.
        let both = async {
            tokio::join!(
                self.take_in(facts, words, report, now),
                self.hand_on(&batch.rejected, now),
                self.note_test(batch.tests.last(), now)
            )
        };
        match tokio::time::timeout(PATIENCE, both).await {
            Ok((true, true, true)) => StatusCode::NO_CONTENT,
            Ok(_) => StatusCode::SERVICE_UNAVAILABLE,
            Err(_elapsed) => {
                tracing::error!("out of time: the events are asked for again");
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Remembers the sink's test event, which somebody is waiting for. True if that is done.
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
        // Sealed with the key that signs now: whoever may call Twilio for the account may read it.
        let secrets = self.settings.secrets.get(now).await.ok();
        let token = secrets
            .as_ref()
            .and_then(|secrets| secrets.signing_keys.first());
        let notices: Vec<Notice> = rejected
            .iter()
            .map(|rejected| {
                let seal = |token| runtime::seal::seal(token, rejected.original.expose());
                notice(rejected, token.and_then(seal), now)
            })
            .collect();
        let published = self.settings.bus.publish(&notices).await;
        for (index, why) in &published.failed {
            tracing::error!(index, why, "a rejected event could not be handed on");
        }
        published.failed.is_empty()
    }
}

/// What is said of an event that cannot be read: what it takes to find it at Twilio, the
/// original under seal, and nothing that a customer said.
fn notice(rejected: &Rejected, sealed: Option<String>, now: Timestamp) -> Notice {
    tracing::warn!(
        reason = %rejected.reason,
        event_id = rejected.event_id,
        event_sid = rejected.sid,
        sha256 = rejected.sha256,
        "an authentic event is not readable"
    );
    Notice {
        id: format!("rejected:{}", rejected.sha256),
        at: now,
        kind: NoticeKind::EventRejected,
        detail: json!({
            "reason": rejected.reason.to_string(),
            "event_id": rejected.event_id,
            "event_sid": rejected.sid,
            "sha256": rejected.sha256,
            "sealed": sealed,
        }),
    }
}

fn respond(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(header::ALLOW, http::HeaderValue::from_static("POST"));
    }
    response
}
