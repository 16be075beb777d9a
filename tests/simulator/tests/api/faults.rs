use crate::client::Client;
use simulator::{At, Fault, FaultKind, Reply, Storm};

fn fail(client: &Client, kind: FaultKind, times: Option<u32>) {
    client.simulator.fail(Fault {
        at: At::product("chat").method("POST").path("/Channels"),
        kind,
        times,
    });
}

#[test]
fn a_throttle_says_when_to_come_back_if_it_is_told_to() {
    let client = Client::new();
    fail(
        &client,
        FaultKind::TooManyRequests {
            retry_after: Some("7".to_owned()),
        },
        Some(1),
    );
    fail(
        &client,
        FaultKind::TooManyRequests { retry_after: None },
        Some(1),
    );
    let path = client.chat("/Channels");
    let first = client.post(&path, &[]);
    assert_eq!(
        (first.refusal(), first.headers["retry-after"].as_bytes()),
        ((429, 20429), b"7".as_slice())
    );
    let second = client.post(&path, &[]);
    assert_eq!(
        (second.refusal(), second.headers.get("retry-after")),
        ((429, 20429), None)
    );
    assert_eq!(client.post(&path, &[]).status, 201);
    assert_eq!(
        client.simulator.state().channels().count(),
        1,
        "a throttled request was not processed"
    );
}

#[test]
fn some_faults_strike_before_the_effect_and_some_after() {
    for (kind, made) in [
        (FaultKind::HangBefore, 0),
        (FaultKind::HangAfter, 1),
        (FaultKind::DropBefore, 0),
        (FaultKind::DropAfter, 1),
    ] {
        let client = Client::new();
        let hangs = matches!(kind, FaultKind::HangBefore | FaultKind::HangAfter);
        fail(&client, kind.clone(), Some(1));
        let reply = client.send("POST", &client.chat("/Channels"), &[], String::new());
        assert_eq!(
            (matches!(reply, Reply::Hang), matches!(reply, Reply::Drop)),
            (hangs, !hangs),
            "{kind:?}"
        );
        assert_eq!(
            client.simulator.state().channels().count(),
            made,
            "{kind:?}"
        );
    }
}

#[test]
fn garbage_is_no_json_and_has_no_effect() {
    let client = Client::new();
    fail(&client, FaultKind::Garbage, Some(1));
    let response = client
        .send("POST", &client.chat("/Channels"), &[], String::new())
        .answer()
        .unwrap();
    assert_eq!(response.status(), 200);
    assert!(serde_json::from_slice::<serde_json::Value>(response.body()).is_err());
    assert_eq!(client.simulator.state().channels().count(), 0);
}

#[test]
fn a_status_comes_with_a_proper_error() {
    let client = Client::new();
    fail(&client, FaultKind::Status(503), None);
    for _ in 0..3 {
        assert_eq!(
            client.post(&client.chat("/Channels"), &[]).refusal(),
            (503, 20503)
        );
    }
    assert_eq!(
        client.get(&client.chat("/Channels")).status,
        200,
        "only what matches"
    );
    client.simulator.clear_faults();
    assert_eq!(client.post(&client.chat("/Channels"), &[]).status, 201);
}

#[test]
fn a_storm_changes_neither_sids_nor_the_world() {
    let run = |chance| {
        let client = Client::new();
        client.simulator.storm(Storm {
            at: At::anything(),
            kinds: vec![FaultKind::Status(503), FaultKind::DropBefore],
            chance,
        });
        let path = client.chat("/Channels");
        let hits = (0..200)
            .filter(|_| {
                client
                    .send("GET", &path, &[], String::new())
                    .answer()
                    .is_none_or(|seen| seen.status() != 200)
            })
            .count();
        client.simulator.clear_faults();
        (hits, client.post(&path, &[]).sid())
    };
    let (hits, sid) = run(0.3);
    assert!((30..90).contains(&hits), "{hits}");
    assert_eq!(run(0.0), (0, sid));
}
