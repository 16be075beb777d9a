//! Twilio's ways of delivering, over HTTP and signed: Event Streams' in small batches, and again
//! after a pause where the receiver asks for that; a channel's own webhook's once.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use domain::Timestamp;
use http::{Request, StatusCode};
use simulator::{Simulator, sign};
use twilio::rest::Transport;
use url::Url;
use url::form_urlencoded::Serializer;

/// Most events in one request.
const BATCH: usize = 10;

/// Longest time for an answer (Event Streams, webhook quickstart).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest time for which a delivery is repeated (Event Streams, "event delivery and duplication").
const MAX_DELIVERY_TIME: Duration = Duration::from_secs(4 * 60 * 60);

/// The first pause before another try; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Carries events from the simulated Twilio to its sinks.
pub(super) struct EventSender {
    simulator: Simulator,
    transport: Arc<dyn Transport>,
    queue: Vec<Outgoing>,
}

/// A request to be made, perhaps not for the first time.
struct Outgoing {
    destination: String,
    content: Content,
    written: Timestamp,
    not_before: Timestamp,
    pause: Duration,
}

enum Content {
    /// Events, as JSON.
    Events(String),
    /// A message by a channel's own webhook, as a form.
    Form(Vec<(String, String)>),
}

impl Content {
    /// Returns true if it is sent again after a failure: Chat's webhooks are not.
    const fn is_kept(&self) -> bool {
        match self {
            Self::Events(_) => true,
            Self::Form(_) => false,
        }
    }
}

impl EventSender {
    pub(super) fn new(simulator: Simulator, transport: Arc<dyn Transport>) -> Self {
        Self {
            simulator,
            transport,
            queue: Vec::new(),
        }
    }

    /// Delivers what there is to deliver.
    pub(super) async fn go(&mut self, now: Timestamp) {
        self.collect(now);
        let token = self.simulator.account().auth_token;
        for mut outgoing in std::mem::take(&mut self.queue) {
            if now < outgoing.not_before {
                self.queue.push(outgoing);
                continue;
            }
            let again = match self.deliver(&outgoing, &token).await {
                Some(status) if status.is_success() => false,
                Some(status) if status.is_server_error() => true,
                Some(StatusCode::TOO_MANY_REQUESTS) | None => true,
                Some(status) => {
                    output::status(&format!(
                        "the simulated Twilio drops events: {} answered {status}",
                        without_password(&outgoing.destination)
                    ));
                    false
                }
            };
            if again
                && outgoing.content.is_kept()
                && now.since(outgoing.written) < MAX_DELIVERY_TIME
            {
                outgoing.not_before = now.plus(outgoing.pause);
                outgoing.pause *= 2;
                self.queue.push(outgoing);
            }
        }
    }

    fn collect(&mut self, now: Timestamp) {
        let dispatches = self.simulator.state().take_dispatches();
        let mut by_destination: Vec<(String, Vec<serde_json::Value>)> = Vec::new();
        for dispatch in dispatches {
            match by_destination
                .iter_mut()
                .find(|(to, _)| *to == dispatch.destination)
            {
                Some((_, events)) => events.push(dispatch.event),
                None => by_destination.push((dispatch.destination, vec![dispatch.event])),
            }
        }
        let calls = self.simulator.state().take_webhook_calls();
        let posts = calls.into_iter().filter(|call| call.method == "POST");
        self.queue.extend(posts.map(|call| Outgoing {
            destination: call.url,
            content: Content::Form(call.parameters),
            written: now,
            not_before: now,
            pause: FIRST_PAUSE,
        }));
        for (destination, events) in by_destination {
            self.queue
                .extend(events.chunks(BATCH).map(|batch| Outgoing {
                    destination: destination.clone(),
                    content: Content::Events(serde_json::Value::from(batch).to_string()),
                    written: now,
                    not_before: now,
                    pause: FIRST_PAUSE,
                }));
        }
    }

    /// Makes the request; nothing where no answer came.
    async fn deliver(&self, outgoing: &Outgoing, token: &str) -> Option<StatusCode> {
        let mut url = Url::parse(&outgoing.destination).ok()?;
        let user = (!url.username().is_empty()).then(|| {
            let pair = format!("{}:{}", url.username(), url.password().unwrap_or_default());
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        });
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        let (signed, kind, body) = match &outgoing.content {
            Content::Events(body) => (
                sign::json(token, url.as_str(), body.as_bytes()),
                "application/json",
                body.clone(),
            ),
            Content::Form(parameters) => (
                sign::form(token, url.as_str(), parameters),
                "application/x-www-form-urlencoded",
                Serializer::new(String::new())
                    .extend_pairs(parameters)
                    .finish(),
            ),
        };
        let mut request = Request::post(&signed.url)
            .header("content-type", kind)
            .header(sign::HEADER, &signed.signature);
        if let Some(user) = user {
            request = request.header("authorization", user);
        }
        let request = request.body(Bytes::from(body)).ok()?;
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.transport.send(request)).await;
        Some(answer.ok()?.ok()?.status())
    }
}

fn without_password(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return "a sink".to_owned();
    };
    // What takes no password has none.
    url.set_username("").ok();
    url.set_password(None).ok();
    url.to_string()
}
