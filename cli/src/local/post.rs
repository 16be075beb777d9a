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

use crate::say;

/// How many events go in one request.
const BATCH: usize = 10;

/// How long an answer may take (Event Streams, webhook quickstart).
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a delivery is tried (Event Streams, "event delivery and duplication").
const TRIED_FOR: Duration = Duration::from_secs(4 * 60 * 60);

/// The first pause before another try; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Carries events from the simulated Twilio to its sinks.
pub(super) struct Postman {
    simulator: Simulator,
    transport: Arc<dyn Transport>,
    bag: Vec<Letter>,
}

/// A request to be made, perhaps not for the first time.
struct Letter {
    destination: String,
    content: Content,
    written: Timestamp,
    not_before: Timestamp,
    pause: Duration,
}

enum Content {
    /// Events, as JSON.
    Events(String),
    /// What a channel's own webhook tells, as a form.
    Form(Vec<(String, String)>),
}

impl Content {
    /// Whether it is tried again: Chat's webhooks are not, unless they say so.
    const fn is_kept(&self) -> bool {
        match self {
            Self::Events(_) => true,
            Self::Form(_) => false,
        }
    }
}

impl Postman {
    pub(super) fn new(simulator: Simulator, transport: Arc<dyn Transport>) -> Self {
        Self {
            simulator,
            transport,
            bag: Vec::new(),
        }
    }

    /// Delivers what there is to deliver.
    pub(super) async fn go(&mut self, now: Timestamp) {
        self.collect(now);
        let token = self.simulator.account().auth_token;
        for mut letter in std::mem::take(&mut self.bag) {
            if now < letter.not_before {
                self.bag.push(letter);
                continue;
            }
            let again = match self.deliver(&letter, &token).await {
                Some(status) if status.is_success() => false,
                Some(status) if status.is_server_error() => true,
                Some(StatusCode::TOO_MANY_REQUESTS) | None => true,
                Some(status) => {
                    say::aloud(&format!(
                        "the simulated Twilio drops events: {} answered {status}",
                        without_password(&letter.destination)
                    ));
                    false
                }
            };
            if again && letter.content.is_kept() && now.since(letter.written) < TRIED_FOR {
                letter.not_before = now.plus(letter.pause);
                letter.pause *= 2;
                self.bag.push(letter);
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
        self.bag.extend(posts.map(|call| Letter {
            destination: call.url,
            content: Content::Form(call.parameters),
            written: now,
            not_before: now,
            pause: FIRST_PAUSE,
        }));
        for (destination, events) in by_destination {
            self.bag.extend(events.chunks(BATCH).map(|batch| Letter {
                destination: destination.clone(),
                content: Content::Events(serde_json::Value::from(batch).to_string()),
                written: now,
                not_before: now,
                pause: FIRST_PAUSE,
            }));
        }
    }

    /// Makes the request; nothing where no answer came.
    async fn deliver(&self, letter: &Letter, token: &str) -> Option<StatusCode> {
        let mut url = Url::parse(&letter.destination).ok()?;
        let user = (!url.username().is_empty()).then(|| {
            let pair = format!("{}:{}", url.username(), url.password().unwrap_or_default());
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        });
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        let (signed, kind, body) = match &letter.content {
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
        let answer = tokio::time::timeout(PATIENCE, self.transport.send(request)).await;
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
