//! A function that makes two requests over TLS, to two hosts, before its first answer: what the
//! connections of a cold start cost, without an SDK and without our own work.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

#[expect(
    clippy::disallowed_methods,
    reason = "it has no settings but the two addresses"
)]
fn variable(name: &str) -> Result<String, std::env::VarError> {
    std::env::var(name)
}

async fn ask(url: &str) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(variable("AWS_CA_BUNDLE")?)? {
        roots.add(certificate?)?;
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_only()
        .enable_http1()
        .build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(connector);
    let request = http::Request::post(url).body(Full::from("{}"))?;
    client.request(request).await?.into_body().collect().await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    ask(&variable("AWS_ENDPOINT_URL_SECRETS_MANAGER")?).await?;
    run(service_fn(
        |event: LambdaEvent<serde_json::Value>| async move {
            ask(&variable("AWS_ENDPOINT_URL_DYNAMODB")?).await?;
            Ok::<_, Error>(event.payload)
        },
    ))
    .await
}
