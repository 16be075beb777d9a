//! The real EventBridge and Secrets Manager clients, and real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_smithy_async::rt::sleep::TokioSleep;
use embedded::{Embedded, Fault, Service};

macro_rules! client {
    ($sdk:ident, $aws:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version($sdk::config::BehaviorVersion::v2026_01_12())
                .region($sdk::config::Region::from_static(embedded::REGION))
                .credentials_provider(aws_credential_types::Credentials::from_keys("a", "b", None))
                .sleep_impl(TokioSleep::new())
                .http_client($aws.http_client())
                .build(),
        )
    };
}

fn entry(number: usize) -> PutEventsRequestEntry {
    PutEventsRequestEntry::builder()
        .event_bus_name("notices")
        .source("test")
        .detail_type("Numbered")
        .detail(format!("{{\"number\":{number}}}"))
        .build()
}

#[tokio::test]
async fn the_bus_remembers_what_it_accepts() {
    let aws = Embedded::memory().unwrap();
    let client = client!(aws_sdk_eventbridge, aws);
    aws.bus
        .refuse_entries(|entry| (entry.detail["number"] == 1).then_some("ThrottlingException"));
    let bad = PutEventsRequestEntry::builder().detail("not json").build();
    let call = client
        .put_events()
        .entries(entry(0))
        .entries(entry(1))
        .entries(bad)
        .entries(entry(3));
    let answer = call.send().await.unwrap();
    assert_eq!(answer.failed_entry_count(), 2);
    let codes: Vec<_> = answer.entries().iter().map(|e| e.error_code()).collect();
    assert_eq!(
        codes,
        [
            None,
            Some("ThrottlingException"),
            Some("MalformedDetail"),
            None
        ]
    );
    assert!(answer.entries()[0].event_id().is_some());
    let accepted = aws.bus.take_entries();
    assert_eq!(accepted.len(), 2);
    assert_eq!(accepted[1].bus, "notices");
    assert_eq!(accepted[1].detail_type, "Numbered");
    assert_eq!(accepted[1].detail["number"], 3);
    assert!(aws.bus.entries().is_empty());
}

#[tokio::test]
async fn the_bus_takes_ten_entries_a_call() {
    let aws = Embedded::memory().unwrap();
    let client = client!(aws_sdk_eventbridge, aws);
    let call = client
        .put_events()
        .set_entries(Some((0..11).map(entry).collect()));
    assert!(call.send().await.is_err());
    assert!(aws.bus.entries().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_read_unless_the_store_is_down() {
    let aws = Embedded::memory().unwrap();
    let client = client!(aws_sdk_secretsmanager, aws);
    let get = || client.get_secret_value().secret_id("twilio").send();
    let unknown = get().await.unwrap_err().into_service_error();
    assert!(unknown.is_resource_not_found_exception());
    aws.secrets.put("twilio", "{}");
    assert_eq!(get().await.unwrap().secret_string(), Some("{}"));
    aws.plan_faults(|call| {
        (call.service == Service::SecretsManager).then_some(Fault::InternalError)
    });
    let down = get().await.unwrap_err().into_service_error();
    assert!(down.is_internal_service_error());
}

#[tokio::test]
async fn the_same_services_stand_behind_a_socket() {
    let aws = Embedded::memory().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn({
        let aws = aws.clone();
        async move { aws.serve(listener, async { drop(stopped.await) }).await }
    });

    let config = client!(aws_sdk_eventbridge, aws)
        .config()
        .to_builder()
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(url);
    let client = aws_sdk_eventbridge::Client::from_conf(config.build());
    aws.plan_faults(|call| (call.nth == 0).then_some(Fault::LoseResponse));
    client
        .put_events()
        .entries(entry(7))
        .send()
        .await
        .expect("the client tries again when the connection breaks");
    // Its first try had its effect too.
    assert_eq!(aws.bus.entries().len(), 2);
    assert_eq!(aws.tally("PutEvents").lost, 1);

    drop(client);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}
