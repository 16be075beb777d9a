//! The HTTP client beneath the AWS SDK: HTTP/1.1 over TLS, with Mozilla's roots bundled.
//!
//! The SDK's own (`aws-smithy-http-client`) takes roots as PEM only and parses them at each
//! cold start: 118 of them took 0.75 ms, half of a function's start; the operating system's
//! take three times as long. It also brings HTTP/2, proxies and a second certificate reader,
//! a tenth of a function's zip. Here the same `hyper` and `rustls` get roots that are parsed
//! already. What this file does itself is no more than to hand over requests and to tell the
//! SDK which failures are worth another try.
//!
//! A person's command keeps the SDK's client: their machine may need its own roots, or a
//! proxy.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http::Request;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{HttpConnector as Tcp, capture_connection};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The longest that a connection waits for its next use. A function's sandbox is frozen between
/// events, and the service or a router on the way ends idle connections meanwhile.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Idle connections per host. A frozen clock may hide how long they were idle, so that each of
/// them may cost a try of a call; with one, the second try of three is made over a new one.
const MAX_IDLE: usize = 1;

/// Returns Mozilla's root certificates, parsed already.
pub(super) fn bundled_roots() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

/// Reads the root certificates of a PEM file: that of a proxy that inspects TLS, for example.
///
/// # Errors
///
/// Fails if the file cannot be read or holds no certificate that can sign others.
pub(super) fn roots_of(path: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|why| why.to_string())?;
    for certificate in certificates {
        let certificate = certificate.map_err(|why| why.to_string())?;
        roots.add(certificate).map_err(|why| why.to_string())?;
    }
    if roots.is_empty() {
        return Err("the file holds no certificate".to_owned());
    }
    Ok(roots)
}

/// Returns a client that all services share, so that there is one TLS set-up.
///
/// # Errors
///
/// Fails if the protocol versions do not fit the cryptography.
pub(super) fn client(
    connect_timeout: Duration,
    roots: RootCertStore,
) -> Result<SharedHttpClient, rustls::Error> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        // An endpoint of one's own may be in the clear (AWS_ENDPOINT_URL).
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE)
        .build(connector);
    let connector = SharedHttpConnector::new(Hyper(client));
    Ok(http_client_fn(move |_, _| connector.clone()))
}

#[derive(Clone, Debug)]
struct Hyper(Client<HttpsConnector<Tcp>, SdkBody>);

impl HttpConnector for Hyper {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let_poison(&mut request);
        let sent = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = sent.await.map_err(sorted)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK end a connection over which it had an answer worth another try.
fn let_poison(request: &mut Request<SdkBody>) {
    let Some(capture) = request
        .extensions()
        .get::<CaptureSmithyConnection>()
        .cloned()
    else {
        return;
    };
    let connection = capture_connection(request);
    capture.set_connection_retriever(move || {
        let connection = connection.clone();
        let poison = move || {
            if let Some(connected) = connection.connection_metadata().as_ref() {
                connected.poison();
            }
        };
        let metadata = ConnectionMetadata::builder().proxied(false);
        Some(metadata.poison_fn(poison).build())
    });
}

/// Marks every failure of the connection as worth another try; the attempt's own time limit is
/// the SDK's.
fn sorted(error: Error) -> ConnectorError {
    ConnectorError::io(error.into())
}
