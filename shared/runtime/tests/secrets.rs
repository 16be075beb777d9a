//! Credentials in Secrets Manager: cached, rotated, and kept through an outage.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use domain::Timestamp;
use embedded::{Embedded, Fault};
use runtime::secrets::{Need, REFRESH_INTERVAL, TIME_TO_LIVE};
use runtime::{Aws, Refreshed, Secrets, SecretsError};
use secrecy::ExposeSecret as _;

const NOON: Timestamp = Timestamp::from_millis(43_200_000);
const INSTANT: Duration = Duration::from_millis(1);

fn store(need: Need) -> (Embedded, Secrets) {
    let aws = Embedded::memory().unwrap();
    let client = Aws::with_http_client(aws.http_client()).secrets_manager();
    (aws, Secrets::stored(client, "twilio".to_owned(), need))
}

fn put(aws: &Embedded, tokens: &str) {
    let text = serde_json::json!({ "TWILIO_AUTH_TOKENS": tokens, "OTHER": [1] });
    aws.secrets.put("twilio", text.to_string());
}

async fn first_key(secrets: &Secrets, now: Timestamp) -> String {
    let secrets = secrets.get(now).await.unwrap();
    secrets.signing_keys[0].expose_secret().to_owned()
}

#[tokio::test]
async fn credentials_are_read_once_in_a_while() {
    let (aws, secrets) = store(Need::SigningKeys);
    put(&aws, "first");
    assert_eq!(first_key(&secrets, NOON).await, "first");
    put(&aws, "second");
    let later = NOON.plus(TIME_TO_LIVE);
    assert_eq!(first_key(&secrets, later.minus(INSTANT)).await, "first");
    assert_eq!(aws.tally("GetSecretValue").requests, 1);
    assert_eq!(first_key(&secrets, later).await, "second");
}

#[tokio::test(start_paused = true)]
async fn the_last_good_ones_are_used_while_the_store_is_down() {
    let (aws, secrets) = store(Need::SigningKeys);
    put(&aws, "first");
    assert_eq!(first_key(&secrets, NOON).await, "first");
    aws.plan_faults(|_| Some(Fault::InternalError));
    let due = NOON.plus(TIME_TO_LIVE);
    assert_eq!(first_key(&secrets, due).await, "first");
    // Three tries of one call, and no more for each request that follows.
    let tries = aws.tally("GetSecretValue").requests;
    assert_eq!(first_key(&secrets, due.plus(INSTANT)).await, "first");
    assert_eq!(aws.tally("GetSecretValue").requests, tries);
    aws.end_faults();
    put(&aws, "second");
    let soon = due.plus(Duration::from_secs(30));
    assert_eq!(first_key(&secrets, soon).await, "second");
}

#[tokio::test(start_paused = true)]
async fn a_cold_start_without_the_store_fails_and_tries_again() {
    let (aws, secrets) = store(Need::SigningKeys);
    put(&aws, "first");
    aws.plan_faults(|_| Some(Fault::Throttle));
    let error = secrets.get(NOON).await.unwrap_err();
    assert!(matches!(error, SecretsError::Unavailable { .. }));
    assert_eq!(
        error.to_string(),
        "cannot read the secret twilio in us-east-1: ThrottlingException: rate exceeded (an injected fault)"
    );
    aws.plan_faults(|_| Some(Fault::LoseRequest));
    let error = secrets.get(NOON).await.unwrap_err().to_string();
    assert!(error.contains("the connection was lost"), "{error}");
    aws.end_faults();
    assert_eq!(first_key(&secrets, NOON).await, "first");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_signature_has_them_read_again_once_a_minute() {
    let (aws, secrets) = store(Need::SigningKeys);
    put(&aws, "first");
    assert_eq!(first_key(&secrets, NOON).await, "first");
    let refresh = |now| secrets.refresh_after_unknown_signature(now);
    assert!(matches!(refresh(NOON).await, Ok(Refreshed::Unchanged)));
    put(&aws, "second,first");
    let minute = NOON.plus(REFRESH_INTERVAL);
    let early = refresh(minute.minus(INSTANT)).await;
    assert!(matches!(early, Ok(Refreshed::TooSoon)));
    let Ok(Refreshed::Changed(new)) = refresh(minute).await else {
        panic!("the new key is not seen")
    };
    assert_eq!(new.signing_keys.len(), 2);
    assert_eq!(first_key(&secrets, minute).await, "second");

    aws.plan_faults(|_| Some(Fault::InternalError));
    let down = minute.plus(REFRESH_INTERVAL);
    assert!(refresh(down).await.is_err());
    assert_eq!(first_key(&secrets, down).await, "second");
}

#[tokio::test]
async fn credentials_that_twilio_refuses_are_read_again_once_a_minute() {
    let (aws, secrets) = store(Need::Rest);
    put(&aws, "revoked");
    assert_eq!(first_key(&secrets, NOON).await, "revoked");
    secrets.refusal().set();
    put(&aws, "mended");
    assert_eq!(first_key(&secrets, NOON.plus(INSTANT)).await, "mended");
    // Refused again: no more than one read in a minute.
    secrets.refusal().set();
    let minute = NOON.plus(INSTANT).plus(REFRESH_INTERVAL);
    assert_eq!(first_key(&secrets, minute.minus(INSTANT)).await, "mended");
    assert_eq!(aws.tally("GetSecretValue").requests, 2);
    put(&aws, "mended again");
    assert_eq!(first_key(&secrets, minute).await, "mended again");
    assert_eq!(
        first_key(&secrets, minute.plus(INSTANT)).await,
        "mended again"
    );
    assert_eq!(aws.tally("GetSecretValue").requests, 3);
}

#[tokio::test]
async fn a_secret_that_will_not_do_is_named_and_never_shown() {
    let (aws, secrets) = store(Need::SigningKeys);
    for text in [
        "planted",
        "[\"planted\"]",
        "{\"TWILIO_AUTH_TOKENS\":{\"planted\":1}}",
    ] {
        aws.secrets.put("twilio", text);
        let error = secrets.get(NOON).await.unwrap_err();
        let malformed = SecretsError::Malformed {
            secret: "twilio".to_owned(),
        };
        assert_eq!(error, malformed);
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
    for text in ["{}", "{\"TWILIO_AUTH_TOKENS\":\" \"}"] {
        aws.secrets.put("twilio", text);
        let error = secrets.get(NOON).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the secret twilio lacks TWILIO_AUTH_TOKENS"
        );
    }
}

#[tokio::test]
async fn an_api_key_is_enough_for_calls_but_not_for_signatures() {
    let text = "{\"TWILIO_API_KEY\":\"SK1\",\"TWILIO_API_SECRET\":\"s\"}";
    let (aws, secrets) = store(Need::Rest);
    aws.secrets.put("twilio", text);
    let read = secrets.get(NOON).await.unwrap();
    assert_eq!(read.api_key.as_ref().unwrap().0, "SK1");
    let (aws, secrets) = store(Need::SigningKeys);
    aws.secrets.put("twilio", text);
    assert!(secrets.get(NOON).await.is_err());
}
