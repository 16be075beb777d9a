use crate::client::basic;
use simulator::{At, Fault, FaultKind, Simulator};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Serves a simulator on a thread of its own for as long as the test runs.
fn serving(test: impl FnOnce(&Simulator, SocketAddr, &str)) {
    let (simulator, _) = Simulator::with_flex(7).unwrap();
    let account = simulator.account();
    let authorization = basic(account.sid.as_str(), &account.auth_token);
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, address) = std::sync::mpsc::channel();
    let served = simulator.clone();
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            let shutdown = async {
                stopped.await.ok();
            };
            simulator::serve(listener, served, shutdown).await.unwrap();
        });
    });
    test(&simulator, address.recv().unwrap(), &authorization);
    stop.send(()).unwrap();
    server.join().unwrap();
}

fn ask(address: SocketAddr, authorization: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n").unwrap();
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    // A connection that was cut may end in a reset instead of an end.
    stream.read_to_string(&mut text).ok();
    text
}

#[test]
fn a_real_connection_gets_a_real_answer() {
    serving(|_, address, authorization| {
        let text = answer(ask(address, authorization, "/conversations/v1/Services"));
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        assert!(
            text.contains(&format!(
                "\"first_page_url\":\"http://{address}/conversations/v1/Services?"
            )),
            "{text}"
        );
        assert!(
            answer(ask(address, "Basic eA==", "/conversations/v1/Services"))
                .starts_with("HTTP/1.1 401")
        );
    });
}

#[test]
fn a_dropped_connection_closes_without_a_word() {
    serving(|simulator, address, authorization| {
        simulator.fail(Fault {
            at: At::anything(),
            kind: FaultKind::DropAfter,
            times: Some(1),
        });
        assert_eq!(
            answer(ask(address, authorization, "/conversations/v1/Services")),
            ""
        );
        assert!(
            answer(ask(address, authorization, "/conversations/v1/Services"))
                .starts_with("HTTP/1.1 200")
        );
    });
}

#[test]
fn a_hanging_connection_says_nothing_until_the_server_closes() {
    let mut hanging = None;
    serving(|simulator, address, authorization| {
        simulator.fail(Fault {
            at: At::anything(),
            kind: FaultKind::HangBefore,
            times: Some(1),
        });
        let mut stream = ask(address, authorization, "/conversations/v1/Services");
        while simulator.calls().total() == 0 {
            std::thread::yield_now();
        }
        stream.set_nonblocking(true).unwrap();
        let silence = stream.read(&mut [0; 16]).unwrap_err();
        assert_eq!(silence.kind(), std::io::ErrorKind::WouldBlock);
        stream.set_nonblocking(false).unwrap();
        hanging = Some(stream);
    });
    assert_eq!(answer(hanging.unwrap()), "");
}
