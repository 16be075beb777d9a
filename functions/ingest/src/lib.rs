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

mod report;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{ChannelSid, Fact, Timestamp};
use futures::stream::{self, StreamExt};
use http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use runtime::secrets::{Refreshed, TwilioSecrets};
use runtime::{Notice, NoticeKind};
use serde_json::json;
use store::Saved;
use twilio::events::{Rejected, read_stream};
use twilio::signature::{self, Authentic, Refusal, SigningKeys, Verifier};

pub use report::Report;
pub use settings::Settings;

/// The largest body that is read: a Lambda's request limit, so that running elsewhere makes
/// no difference (AWS Lambda quotas, "invocation payload").
pub const LARGEST_BODY: usize = 6 * 1024 * 1024;

/// How long storing and handing on may take. Twilio waits 5 seconds for the whole answer
/// (Event Streams, webhook quickstart); what is not stored by then is sent again.
pub const PATIENCE: Duration = Duration::from_millis(4_300);

/// How many channels are read and written side by side.
const CHANNELS_AT_ONCE: usize = 64;

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
    /// is logged at start, and the first request needs not wait. A failure is no reason not to
    /// start: requests are answered 503 and try again.
    pub async fn warm_up(&self, now: Timestamp) {
        if let Err(error) = self.settings.secrets.get(now).await {
            tracing::error!(%error, "started without signing keys: every request is answered 503");
        }
    }

    /// Answers one request.
    pub async fn handle(&self, request: Request, now: Timestamp) -> Response<Body> {
        let mut report = Report::default();
        let status = self.answer(&request, now, &mut report).await;
        report.log(status);
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
        let batch = read_stream(&body, &self.settings.scope);
        report.of_batch(&batch, now);
        // Both in any case: what can be stored is, whatever becomes of the rest.
        let both = async {
            tokio::join!(
                self.store(batch.facts, report),
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

    /// Proves that the request is Twilio's. A signature of none of the known keys is what a
    /// rotation looks like, so the keys are read again before it is refused.
    async fn authenticate<'a>(
        &self,
        request: &'a Request,
        now: Timestamp,
    ) -> Result<Authentic<&'a [u8]>, Unproven> {
        let secrets = &self.settings.secrets;
        let keyless = |error: runtime::SecretsError| Unproven::Keyless(error.to_string());
        let known = secrets.get(now).await.map_err(keyless)?;
        let refusal = match self.verify(request, &known)? {
            Ok(body) => return Ok(body),
            Err(refusal) => refusal,
        };
        if refusal != Refusal::SignatureWrong {
            return Err(Unproven::Refused(refusal));
        }
        match secrets.refresh_after_unknown_signature(now).await {
            Ok(Refreshed::Changed(fresh)) => {
                self.verify(request, &fresh)?.map_err(Unproven::Refused)
            }
            Ok(Refreshed::Unchanged) => Err(Unproven::Refused(refusal)),
            Ok(Refreshed::TooSoon) => Err(Unproven::Undecided(refusal)),
            Err(error) => Err(keyless(error)),
        }
    }

    fn verify<'a>(
        &self,
        request: &'a Request,
        secrets: &Arc<TwilioSecrets>,
    ) -> Result<Result<Authentic<&'a [u8]>, Refusal>, Unproven> {
        let keys = SigningKeys::new(secrets.signing_keys.clone())
            .map_err(|error| Unproven::Keyless(error.to_string()))?;
        let mut verifier = Verifier::new(keys);
        if let Some(url) = &self.settings.public_url {
            verifier = verifier.with_public_url(url.clone());
        }
        if let Some(basic_auth) = &self.settings.basic_auth {
            verifier = verifier.with_basic_auth(basic_auth.clone());
        }
        Ok(verifier.json(signature::Request {
            url: request.uri(),
            headers: request.headers(),
            body: request.body().as_ref(),
        }))
    }

    /// Folds the facts into the table: channel by channel, one read and at most one write
    /// each, side by side. True if all are stored.
    async fn store(&self, facts: Vec<Fact>, report: &mut Report) -> bool {
        let mut channels: BTreeMap<ChannelSid, Vec<Fact>> = BTreeMap::new();
        for fact in facts {
            channels.entry(fact.channel).or_default().push(fact);
        }
        report.channels = channels.len();
        let table = &self.settings.table;
        let mut folded = stream::iter(channels)
            .map(|(channel, facts)| async move { table.absorb(channel, &facts).await })
            .buffer_unordered(CHANNELS_AT_ONCE);
        let mut all_stored = true;
        while let Some(result) = folded.next().await {
            match result {
                Ok(Saved::Written) => report.written += 1,
                Ok(Saved::Unchanged | Saved::Outrun(_)) => report.unchanged += 1,
                Err(error) => {
                    tracing::error!(%error, "not stored: the events are asked for again");
                    all_stored = false;
                }
            }
        }
        all_stored
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

/// Why a request is not proven to be Twilio's.
enum Unproven {
    Refused(Refusal),
    /// The keys were read again moments ago, for somebody else's sake, and a rotation may
    /// have come since. A forger learns nothing from being asked to come back.
    Undecided(Refusal),
    Keyless(String),
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
