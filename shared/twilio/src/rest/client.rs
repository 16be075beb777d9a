//! The client: one call, made patiently.
//!
//! Almost every call is safe to repeat: reads anyway, and what is deleted may be deleted again.
//! So a call whose fate is not known, because the time was up or the connection broke, is
//! simply made again. The exception is a write that was worked out from what was read: by the
//! time of a second attempt another writer may have written too, and our older text would
//! undo it. Such a call is made once, and its caller reads again before it tries again.
//!
//! Two clocks bound a call: one for each attempt, and one for all of them with the waits in
//! between. A wait that does not fit into what is left of it is not begun; the caller learns
//! at once what Twilio asked for. All time is `tokio`'s, so that tests can pause it.

pub(super) mod base;
pub(super) mod call;
pub(super) mod error;
mod pace;
pub(super) mod page;
pub(super) mod transport;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use domain::{AccountSid, ChatServiceSid};
use http::{HeaderValue, Request, Response, header};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use base::Hosts;
use call::{Call, Repeat, Webhooks};
use error::{TwilioError, Why, judge};
use pace::{Pace, Slot, Spacing};
use transport::Transport;

/// The wait before the second attempt is anything up to this, before each further one up to
/// twice as much.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest that the waits grow to by themselves.
const MAX_WAIT: Duration = Duration::from_secs(8);

/// The pause of all calls after a 429 that does not name one.
const PAUSE: Duration = Duration::from_millis(500);

/// The time between two calls that evaluate the attributes of tasks. Twilio takes three of them
/// in a second (<https://www.twilio.com/docs/taskrouter/limits>).
const EVALUATION_GAP: Duration = Duration::from_millis(400);

/// The caller's credentials. They hide themselves when printed.
#[derive(Clone)]
pub struct Credentials(HeaderValue);

/// Credentials that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredentials {
    /// An API key's SID is `SK` and 32 hexadecimal digits.
    #[error("not the SID of an API key")]
    Key,
    /// No secret.
    #[error("the secret is empty")]
    Secret,
}

impl Credentials {
    /// An API key and its secret: preferred, as it survives a new Auth Token.
    ///
    /// # Errors
    ///
    /// Fails if the SID is not a key's, or if the secret cannot stand in an HTTP header.
    pub fn api_key(sid: &str, secret: &SecretString) -> Result<Self, InvalidCredentials> {
        let digits = sid.strip_prefix("SK").ok_or(InvalidCredentials::Key)?;
        if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidCredentials::Key);
        }
        Self::basic(sid, secret)
    }

    /// An account and its Auth Token.
    ///
    /// # Errors
    ///
    /// Fails if the token cannot stand in an HTTP header.
    pub fn auth_token(
        account: AccountSid,
        token: &SecretString,
    ) -> Result<Self, InvalidCredentials> {
        Self::basic(account.as_str(), token)
    }

    fn basic(user: &str, secret: &SecretString) -> Result<Self, InvalidCredentials> {
        let secret = secret.expose_secret();
        if secret.is_empty() {
            return Err(InvalidCredentials::Secret);
        }
        let pair = BASE64.encode(format!("{user}:{secret}"));
        let mut value = HeaderValue::try_from(format!("Basic {pair}"))
            .map_err(|_| InvalidCredentials::Secret)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// Limits of time, of attempts and of calls at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time that one attempt may take.
    pub attempt_timeout: Duration,
    /// The time that a call may take, with all attempts and waits.
    pub call_timeout: Duration,
    /// The most times that a call is attempted.
    pub attempts: usize,
    /// The most calls that may be under way at a time.
    pub in_flight: usize,
    /// Where the waits' randomness starts, for runs that are to be repeated exactly.
    pub jitter_seed: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(30),
            attempts: 3,
            in_flight: 8,
            jitter_seed: None,
        }
    }
}

/// The number of requests to Twilio so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Calls, each page of a list counted.
    pub calls: u64,
    /// Requests that were sent for them.
    pub attempts: u64,
    /// Requests that Twilio answered with "too many".
    pub throttled: u64,
    /// Requests that were sent again.
    pub retries: u64,
}

/// A client of Twilio's APIs. Clones share everything: connections, pace and counts.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    credentials: Credentials,
    hosts: Hosts,
    limits: Limits,
    transport: Arc<dyn Transport>,
    pace: Pace,
    evaluations: Spacing,
    random: Mutex<fastrand::Rng>,
    chat_services: Mutex<BTreeSet<ChatServiceSid>>,
    conversation_services: Mutex<BTreeSet<ChatServiceSid>>,
    calls: AtomicU64,
    attempts: AtomicU64,
    throttled: AtomicU64,
    retries: AtomicU64,
}

impl Client {
    /// A client that sends its requests by this transport.
    pub fn new(
        credentials: Credentials,
        hosts: Hosts,
        limits: Limits,
        transport: Arc<dyn Transport>,
    ) -> Self {
        let random = limits.jitter_seed.map(fastrand::Rng::with_seed);
        Self(Arc::new(Inner {
            credentials,
            hosts,
            transport,
            pace: Pace::new(limits.in_flight),
            evaluations: Spacing::new(EVALUATION_GAP),
            random: Mutex::new(random.unwrap_or_default()),
            chat_services: Mutex::default(),
            conversation_services: Mutex::default(),
            calls: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            limits,
        }))
    }

    /// Returns the number of requests to Twilio so far, by this client and its clones.
    pub fn stats(&self) -> Stats {
        Stats {
            calls: self.0.calls.load(Ordering::Relaxed),
            attempts: self.0.attempts.load(Ordering::Relaxed),
            throttled: self.0.throttled.load(Ordering::Relaxed),
            retries: self.0.retries.load(Ordering::Relaxed),
        }
    }

    pub(super) fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    /// The Chat services that have answered this client.
    pub(super) fn chat_services(&self) -> MutexGuard<'_, BTreeSet<ChatServiceSid>> {
        locked(&self.0.chat_services)
    }

    /// The Conversations services that have answered this client.
    pub(super) fn conversation_services(&self) -> MutexGuard<'_, BTreeSet<ChatServiceSid>> {
        locked(&self.0.conversation_services)
    }

    /// Makes a call whose answer is of no interest, as long as it is Twilio's: what stands in
    /// between may answer with a page and a 200.
    pub(super) async fn tell(&self, call: Call) -> Result<(), TwilioError> {
        let is_twilios = |text: &str| {
            let text = text.trim_start();
            (text.is_empty() || text.starts_with('{')).then_some(())
        };
        self.ask(call, is_twilios).await
    }

    /// Makes a call and reads its answer; an answer that cannot be read is asked for again.
    pub(super) async fn ask<T>(
        &self,
        call: Call,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, TwilioError> {
        let text = |answer: &Response<Bytes>| read(std::str::from_utf8(answer.body()).ok()?);
        self.ask_whole(call, text).await
    }

    /// The same, with the headers.
    pub(super) async fn ask_whole<T>(
        &self,
        call: Call,
        read: impl Fn(&Response<Bytes>) -> Option<T>,
    ) -> Result<T, TwilioError> {
        let limits = &self.0.limits;
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + limits.call_timeout;
        let waits = ExponentialBuilder::new()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(MAX_WAIT)
            .with_max_times(limits.attempts.saturating_sub(1));
        (|| self.attempt(&call, deadline, &read))
            .retry(waits)
            .when(|error| call.repeat == Repeat::Safe && error.may_pass())
            .adjust(|error, wait| self.wait(error, wait?, deadline))
            .notify(|_, _| {
                self.0.retries.fetch_add(1, Ordering::Relaxed);
            })
            .await
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        deadline: Instant,
        read: impl Fn(&Response<Bytes>) -> Option<T>,
    ) -> Result<T, TwilioError> {
        let request = self.request(call)?;
        if call.is_evaluation {
            self.0.evaluations.turn(deadline).await?;
        }
        let slot = self.0.pace.slot(deadline).await?;
        self.0.attempts.fetch_add(1, Ordering::Relaxed);
        let until = deadline.min(Instant::now() + self.0.limits.attempt_timeout);
        let answer = match timeout_at(until, self.0.transport.send(request)).await {
            Ok(Ok(response)) => judge(response),
            Ok(Err(error)) => Err(TwilioError::Unreachable { why: error.into() }),
            Err(_) => Err(TwilioError::Unreachable { why: Why::TimeUp }),
        };
        self.keep_pace(&slot, &answer);
        read(&answer?).ok_or_else(TwilioError::garbage)
    }

    fn request(&self, call: &Call) -> Result<Request<Bytes>, TwilioError> {
        let base = self.0.hosts.base(call.product);
        let mut request = Request::builder()
            .method(&call.method)
            .uri(format!("{base}{}", call.path))
            .header(header::AUTHORIZATION, &self.0.credentials.0)
            .header(header::ACCEPT, "application/json");
        if call.webhooks == Webhooks::Fire {
            request = request.header("x-twilio-webhook-enabled", "true");
        }
        if let Some(version) = &call.if_match {
            request = request.header(header::IF_MATCH, version);
        }
        if let Some(body) = &call.body {
            request = request.header(header::CONTENT_TYPE, body.content_type);
        }
        let body = call.body.as_ref().map(|body| body.text.clone());
        request
            .body(Bytes::from(body.unwrap_or_default()))
            .map_err(|_| TwilioError::Unreachable { why: Why::Request })
    }

    fn keep_pace(&self, slot: &Slot<'_>, answer: &Result<Response<Bytes>, TwilioError>) {
        match answer {
            Err(TwilioError::Throttled { retry_after }) => {
                self.0.throttled.fetch_add(1, Ordering::Relaxed);
                // Half of it at random, so that several of us do not come back as one.
                let pause = PAUSE / 2 + self.at_random(PAUSE / 2);
                slot.throttled(pause.max(retry_after.unwrap_or_default()));
            }
            // Neither says whether Twilio can take more.
            Err(TwilioError::Unreachable { .. }) => {}
            Ok(_)
            | Err(
                TwilioError::Gone
                | TwilioError::Unauthorized { .. }
                | TwilioError::Conflict
                | TwilioError::Refused { .. },
            ) => slot.succeeded(),
        }
    }

    /// Returns the time to wait before the next attempt, or nothing if it would come too late.
    fn wait(&self, error: &TwilioError, wait: Duration, deadline: Instant) -> Option<Duration> {
        let own = self.at_random(wait);
        let asked = match error {
            TwilioError::Throttled { retry_after } => retry_after.unwrap_or_default(),
            TwilioError::Gone
            | TwilioError::Unauthorized { .. }
            | TwilioError::Conflict
            | TwilioError::Refused { .. }
            | TwilioError::Unreachable { .. } => Duration::ZERO,
        };
        let wait = own.max(asked);
        (Instant::now() + wait < deadline).then_some(wait)
    }

    /// Anything from nothing to this.
    fn at_random(&self, longest: Duration) -> Duration {
        longest.mul_f64(locked(&self.0.random).f64())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("hosts", &self.0.hosts)
            .field("limits", &self.0.limits)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
