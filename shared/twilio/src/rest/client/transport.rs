//! The way of a request to Twilio and of its answer back: over TLS, or in process where a test or
//! the simulation hands requests to a pretend Twilio of its own.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::{Request, Response};
use rustls::crypto::ring;

/// The longest answer that is taken, in bytes: a page of 1,000 tasks with attributes of
/// 4,096 characters each (Twilio, TaskRouter limits) takes up to 6 million.
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// The time that a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest that a connection waits for its next use. A function's sandbox is frozen between
/// events, and the service or a router on the way ends idle connections meanwhile.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Idle connections per host. A frozen clock may hide how long they were idle, so that each of
/// them may cost one of the three tries of a call.
const MAX_IDLE: usize = 2;

/// A reason why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection came about, so the call had no effect.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// The connection broke. Whether the call had an effect is not known.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// More than [`MAX_ANSWER`].
    #[error("the answer is too long")]
    TooLong,
}

/// Hands a request over and brings the answer.
pub trait Transport: Send + Sync {
    /// Sends one request once. How long it may take is up to the caller, who drops it.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;
}

/// The real one: HTTP/1.1 over TLS, or in the clear where the URL says so.
#[derive(Clone, Debug)]
pub struct Https(reqwest::Client);

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTls {
    /// The protocol versions do not fit the cryptography.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The client does not take the settings.
    #[error("the HTTP client cannot be set up")]
    Client(#[from] reqwest::Error),
}

impl Https {
    /// Returns a client that trusts the bundled roots: reading the system's takes longer than
    /// all the rest of a Lambda's start.
    ///
    /// # Errors
    ///
    /// Fails if TLS or the HTTP client cannot be set up.
    pub fn new() -> Result<Self, InvalidTls> {
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            // The caller counts and makes retries.
            .retry(reqwest::retry::never())
            .referer(false)
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE)
            .user_agent(concat!("channel-janitor/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }
}

impl Transport for Https {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(sorted)?;
            let mut answer = self.0.execute(request).await.map_err(sorted)?;
            let mut body = BytesMut::new();
            while let Some(chunk) = answer.chunk().await.map_err(sorted)? {
                if body.len() + chunk.len() > MAX_ANSWER {
                    return Err(TransportError::TooLong);
                }
                body.extend_from_slice(&chunk);
            }
            let mut response = Response::new(body.freeze());
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}

/// Tells what lies at the bottom of an error. The layers above repeat the URL and say less.
fn sorted(error: reqwest::Error) -> TransportError {
    let no_connection = error.is_connect() || error.is_builder();
    let error = error.without_url();
    let mut source = error.source();
    let mut bottom = None;
    while let Some(below) = source {
        bottom = Some(below);
        source = below.source();
    }
    let why = bottom.map_or_else(|| error.to_string(), ToString::to_string);
    if no_connection {
        TransportError::NoConnection(why)
    } else {
        TransportError::Broken(why)
    }
}
