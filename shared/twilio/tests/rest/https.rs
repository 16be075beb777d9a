//! The real transport, against a server of a few lines that says what it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use domain::AccountSid;
use http::{Request, Response};
use secrecy::SecretString;
use twilio::rest::{
    Client, Credentials, Hosts, Https, Limits, MAX_ANSWER, Transport, TransportError, TwilioError,
};

/// Answers one connection with these bytes, and brings what was asked.
fn serve(answer: impl Into<Vec<u8>>) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.into();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = vec![0; 64 * 1024];
        let length = stream.read(&mut asked).unwrap();
        // A client that has heard enough hangs up.
        let _ = stream.write_all(&answer);
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    (address, asked)
}

async fn get(url: String) -> Result<Response<Bytes>, TransportError> {
    let request = Request::get(url).body(Bytes::new()).unwrap();
    Https::new().unwrap().send(request).await
}

#[tokio::test]
async fn a_request_goes_out_and_its_answer_comes_back() {
    let body = r#"{"account_sid":"AC00000000000000000000000000000001"}"#;
    let length = body.len();
    let (address, asked) = serve(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nETag: \"7\"\r\n\r\n{body}"
    ));
    let account: AccountSid = "AC00000000000000000000000000000001".parse().unwrap();
    let client = Client::new(
        Credentials::auth_token(account, &SecretString::from("token")).unwrap(),
        Hosts::elsewhere(&format!("http://{address}")).unwrap(),
        Limits::default(),
        Arc::new(Https::new().unwrap()),
    );
    let configuration = client.flex_configuration().await.unwrap();
    assert_eq!(configuration.account, Some(account));
    let asked = asked.join().unwrap().to_lowercase();
    assert!(
        asked.starts_with("get /flex-api/v1/configuration http/1.1\r\n"),
        "{asked}"
    );
    assert!(asked.contains("\r\nauthorization: basic qumw"), "{asked}");
    assert!(
        asked.contains("\r\nuser-agent: channel-janitor/"),
        "{asked}"
    );
}

/// Answers each connection, the first ones together, until `ended` is set; from then on only
/// connections made later. A connection that ended is reset, or stays silent.
fn serve_until_they_end(ended: &Arc<AtomicBool>, silent: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let together = Arc::new(Barrier::new(SIDE_BY_SIDE));
    let ended = Arc::clone(ended);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (ended, together) = (Arc::clone(&ended), Arc::clone(&together));
            let early = !ended.load(Ordering::Relaxed);
            std::thread::spawn(move || {
                let mut bytes = [0; 16 * 1024];
                while stream.read(&mut bytes).is_ok_and(|length| length > 0) {
                    if early && ended.load(Ordering::Relaxed) {
                        if silent {
                            continue;
                        }
                        return;
                    }
                    if early {
                        together.wait();
                    }
                    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
                    stream.write_all(answer.as_bytes()).unwrap();
                }
            });
        }
    });
    address
}

const SIDE_BY_SIDE: usize = 5;

#[tokio::test]
async fn connections_that_ended_while_the_sandbox_was_frozen_do_not_use_up_all_tries() {
    for silent in [false, true] {
        let ended = Arc::new(AtomicBool::new(false));
        let address = serve_until_they_end(&ended, silent);
        let account: AccountSid = "AC00000000000000000000000000000001".parse().unwrap();
        let client = Client::new(
            Credentials::auth_token(account, &SecretString::from("token")).unwrap(),
            Hosts::elsewhere(&format!("http://{address}")).unwrap(),
            Limits {
                attempt_timeout: Duration::from_millis(300),
                ..Limits::default()
            },
            Arc::new(Https::new().unwrap()),
        );
        let calls = (0..SIDE_BY_SIDE).map(|_| client.flex_configuration());
        for answer in futures::future::join_all(calls).await {
            answer.unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        let answer = client.flex_configuration().await;
        assert!(answer.is_ok(), "silent: {silent}: {:?}", answer.err());
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (address, _asked) =
        serve("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(
        get(format!("http://{address}/")).await.unwrap().status(),
        302
    );
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    answer.resize(MAX_ANSWER + 1024, b'x');
    let (address, _asked) = serve(answer);
    let result = get(format!("http://{address}/")).await;
    assert_eq!(result.map(|_| ()), Err(TransportError::TooLong));
}

#[tokio::test]
async fn what_breaks_is_told_from_what_never_began_and_no_url_is_shown() {
    let (address, _asked) = serve("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    let broken = get(format!("http://{address}/secret")).await.unwrap_err();
    assert!(matches!(broken, TransportError::Broken(_)), "{broken:?}");

    let unused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = get(format!("http://{unused}/secret")).await.unwrap_err();
    assert!(
        matches!(refused, TransportError::NoConnection(_)),
        "{refused:?}"
    );

    // A server that does not speak TLS.
    let (address, _asked) = serve("HTTP/1.1 400 Bad Request\r\n\r\n");
    let no_tls = get(format!("https://{address}/secret")).await.unwrap_err();
    assert!(
        matches!(no_tls, TransportError::NoConnection(_)),
        "{no_tls:?}"
    );
    for error in [broken, refused, no_tls] {
        assert!(!error.to_string().contains("secret"), "{error}");
        let error = TwilioError::Unreachable { why: error.into() };
        assert!(error.to_string().starts_with("twilio gives no answer: "));
    }
}

#[test]
fn credentials_that_cannot_be_meant_are_refused_and_none_are_shown() {
    let secret = SecretString::from("s3cr3t");
    for sid in [
        "",
        "SK",
        "AC00000000000000000000000000000001",
        "SK:0000000000000000000000000000000",
    ] {
        assert!(Credentials::api_key(sid, &secret).is_err(), "{sid}");
    }
    let key = "SK00000000000000000000000000000001";
    assert!(Credentials::api_key(key, &SecretString::from("")).is_err());
    let shown = format!("{:?}", Credentials::api_key(key, &secret).unwrap());
    assert_eq!(shown, "Credentials");
}
