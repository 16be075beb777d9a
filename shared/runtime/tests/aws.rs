//! The real clients over real sockets, as a function's binary has them.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedded::{Embedded, Fault};
use runtime::{Aws, Environment};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// Returns the environment of binaries in tests, with the services behind these addresses.
fn aws<const N: usize>(endpoints: [(&str, &str); N]) -> Aws {
    let mut environment: Environment = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_SESSION_TOKEN", "test"),
    ]
    .into_iter()
    .chain(endpoints)
    .collect();
    let aws = Aws::from_environment(&mut environment);
    environment.finish(|| aws).unwrap()
}

async fn serve() -> (Embedded, String) {
    let services = Embedded::memory().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = services.clone();
    tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
    (services, url)
}

#[tokio::test]
async fn one_variable_points_every_client_at_another_place() {
    let (services, url) = serve().await;
    let aws = aws([("AWS_ENDPOINT_URL", url.as_str())]);
    let tables = aws.dynamodb().list_tables().send().await.unwrap();
    assert!(tables.table_names().is_empty());
    services.secrets.put("twilio", "{}");
    let secret = aws.secrets_manager().get_secret_value().secret_id("twilio");
    assert_eq!(secret.send().await.unwrap().secret_string(), Some("{}"));
    // An empty call is refused, by the service and not by the connection.
    let refused = aws.eventbridge().put_events().send().await.unwrap_err();
    assert_eq!(
        runtime::aws::reason(&refused),
        "ValidationException: entries must have a length between 1 and 10"
    );
}

#[tokio::test]
async fn a_services_own_variable_comes_first() {
    let (services, url) = serve().await;
    let aws = aws([
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &url),
    ]);
    aws.dynamodb().list_tables().send().await.unwrap();
    assert_eq!(services.tally("ListTables").requests, 1);
    let nobody = aws.eventbridge().put_events().send().await.unwrap_err();
    let reason = runtime::aws::reason(&nobody);
    assert!(reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_anew() {
    let (services, url) = serve().await;
    let client = aws([("AWS_ENDPOINT_URL", url.as_str())]).dynamodb();
    for fault in [
        Fault::LoseRequest,
        Fault::LoseResponse,
        Fault::InternalError,
    ] {
        services.forget_calls();
        services.plan_faults(move |call| (call.nth == 0).then_some(fault));
        client.list_tables().send().await.unwrap();
        assert_eq!(services.tally("ListTables").requests, 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_connection_over_which_a_failure_came_is_not_used_again() {
    let callers = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&callers);
    let answer = move |ConnectInfo(caller): ConnectInfo<SocketAddr>| async move {
        let mut callers = heard.lock().unwrap();
        callers.push(caller);
        match callers.len() {
            2 => (StatusCode::INTERNAL_SERVER_ERROR, "{}"),
            _ => (StatusCode::OK, r#"{"TableNames":[]}"#),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().fallback(answer);
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });

    let client = aws([("AWS_ENDPOINT_URL", url.as_str())]).dynamodb();
    client.list_tables().send().await.unwrap();
    // The second call fails once, and is tried again.
    client.list_tables().send().await.unwrap();
    let callers = callers.lock().unwrap();
    assert_eq!(callers[0], callers[1], "one connection for both calls");
    assert_ne!(callers[1], callers[2], "and a new one after the failure");
}

/// The end of a connection while the function's sandbox was frozen.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Nothing comes back any more.
    Silent,
    /// The next request is answered by a reset.
    Reset,
}

/// Answers every connection until `ended` is set; from then on only connections made later.
async fn serve_until_they_end(listener: TcpListener, ended: Arc<AtomicBool>, end: End) {
    // The first requests are answered together, so that each comes over its own connection.
    let together = Arc::new(Barrier::new(SIDE_BY_SIDE));
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (ended, together) = (Arc::clone(&ended), Arc::clone(&together));
        let early = !ended.load(Ordering::Relaxed);
        tokio::spawn(async move {
            let mut bytes = vec![0; 64 * 1024];
            while stream.read(&mut bytes).await.is_ok_and(|length| length > 0) {
                match (early && ended.load(Ordering::Relaxed), end) {
                    (true, End::Silent) => std::future::pending().await,
                    (true, End::Reset) => {
                        stream.set_zero_linger().unwrap();
                        return;
                    }
                    (false, _) => {}
                }
                if early {
                    together.wait().await;
                }
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"TableNames\":[]}";
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
    }
}

const SIDE_BY_SIDE: usize = 5;

#[tokio::test]
async fn connections_that_ended_while_the_sandbox_was_frozen_do_not_use_up_all_tries() {
    for end in [End::Reset, End::Silent] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ended = Arc::new(AtomicBool::new(false));
        tokio::spawn(serve_until_they_end(listener, Arc::clone(&ended), end));
        let client = aws([("AWS_ENDPOINT_URL", url.as_str())]).dynamodb();
        let calls = (0..SIDE_BY_SIDE).map(|_| client.list_tables().send());
        for answer in futures::future::join_all(calls).await {
            answer.unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        let answer = client.list_tables().send().await;
        assert!(answer.is_ok(), "{end:?}: {:?}", answer.err());
    }
}

#[tokio::test]
async fn where_tls_is_asked_for_nothing_is_said_in_the_clear() {
    let (services, url) = serve().await;
    let url = url.replace("http://", "https://");
    let client = aws([("AWS_ENDPOINT_URL", url.as_str())]).dynamodb();
    let refused = client.list_tables().send().await.unwrap_err();
    let reason = runtime::aws::reason(&refused);
    assert!(reason.contains("corrupt message"), "{reason}");
    assert_eq!(services.tally("ListTables").requests, 0);
}

/// A certificate for `localhost` that no public root signed, and a server's side of it.
fn private_certificate() -> (String, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let certificate = STANDARD.encode(made.cert.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
    (pem, TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn a_server_with_a_certificate_of_an_unknown_root_is_told_nothing() {
    let (_, acceptor) = private_certificate();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        for _try in 0..3 {
            let (stream, _) = listener.accept().await.unwrap();
            // It is the client that hangs up, in the middle of the handshake.
            assert!(acceptor.accept(stream).await.is_err());
        }
    });
    let url = format!("https://localhost:{port}");
    let client = aws([("AWS_ENDPOINT_URL", url.as_str())]).dynamodb();
    let refused = client.list_tables().send().await.unwrap_err();
    let reason = runtime::aws::reason(&refused);
    assert!(reason.contains("UnknownIssuer"), "{reason}");
    server.await.unwrap();
}

#[tokio::test]
async fn a_bundle_of_ones_own_roots_is_believed() {
    let (certificate, acceptor) = private_certificate();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (_, plain) = serve().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut inside = acceptor.accept(stream).await.unwrap();
        let address = plain.trim_start_matches("http://");
        let mut service = TcpStream::connect(address).await.unwrap();
        let _ = copy_bidirectional(&mut inside, &mut service).await;
    });
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("roots.pem");
    std::fs::write(&bundle, certificate).unwrap();
    let url = format!("https://localhost:{port}");
    let client = aws([
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_CA_BUNDLE", bundle.to_str().unwrap()),
    ]);
    client.dynamodb().list_tables().send().await.unwrap();
}

#[test]
fn a_bundle_without_a_certificate_is_a_fault_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("roots.pem");
    std::fs::write(&bundle, "no certificate").unwrap();
    for path in [bundle.to_str().unwrap(), "/no/such/file"] {
        let mut environment: Environment = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_CA_BUNDLE", path),
        ]
        .into_iter()
        .collect();
        let _ = Aws::from_environment(&mut environment);
        let faults = environment.faults();
        assert!(
            faults.len() == 1 && faults[0].to_string().contains("AWS_CA_BUNDLE"),
            "{faults:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_tried_three_times() {
    let services = Embedded::memory().unwrap();
    let client = Aws::with_http_client(services.http_client()).dynamodb();
    services.plan_faults(|call| (call.nth < 2).then_some(Fault::Throttle));
    client.list_tables().send().await.unwrap();
    services.forget_calls();
    services.plan_faults(|_| Some(Fault::LoseRequest));
    client.list_tables().send().await.unwrap_err();
    assert_eq!(services.tally("ListTables").requests, 3);
}

#[tokio::test(start_paused = true)]
async fn each_set_of_clients_has_its_own_budget_for_retries() {
    let services = Embedded::memory().unwrap();
    services.plan_faults(|_| Some(Fault::InternalError));
    let spent = Aws::with_http_client(services.http_client()).dynamodb();
    for _ in 0..100 {
        spent.list_tables().send().await.unwrap_err();
    }
    services.forget_calls();
    spent.list_tables().send().await.unwrap_err();
    assert_eq!(services.tally("ListTables").requests, 1);
    let fresh = Aws::with_http_client(services.http_client()).dynamodb();
    services.forget_calls();
    fresh.list_tables().send().await.unwrap_err();
    assert_eq!(services.tally("ListTables").requests, 3);
}
