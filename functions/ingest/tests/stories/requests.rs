//! Requests that are broken, hostile, or signed by another key.

use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use world::{WEBHOOK, World};

use crate::MINUTE;

const OK: StatusCode = StatusCode::NO_CONTENT;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
const AGAIN: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// Returns the events of a customer's message, as Twilio would deliver them.
fn a_body(world: &World) -> String {
    world.customer_writes("+15550000001");
    Value::from(world.take_events()).to_string()
}

async fn is_empty(world: &World) -> bool {
    world.items().await.is_empty() && world.notices().is_empty()
}

#[tokio::test(start_paused = true)]
async fn row_22_a_body_that_is_no_json_goes_to_a_person_if_it_is_twilios_and_nowhere_if_not() {
    let world = World::new().await;
    for body in ["", "<html>", "[{\"id\":", "nul", "[", "{}x"] {
        assert_eq!(world.post(body).await, OK, "{body:?}");
        let told = world.notices();
        assert_eq!(told.len(), 1, "{body:?}");
        assert_eq!(told[0].kind, "EventRejected");

        let mut forged = world.request(body);
        *forged.body_mut() = b"[]".to_vec();
        assert_eq!(world.webhook(forged).await, FORBIDDEN);
        assert!(is_empty(&world).await);
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_22_an_unreadable_event_that_the_bus_does_not_take_is_asked_for_again() {
    let world = World::new().await;
    let body = a_body(&world).replacen('[', "[7,", 1);
    world
        .aws
        .bus
        .refuse_entries(|_| Some("NotAuthorizedForSourceException"));
    assert_eq!(world.post(body.clone()).await, AGAIN);
    assert_eq!(
        world.items().await.len(),
        1,
        "the others are stored all the same"
    );
    world.aws.bus.accept_entries();
    assert_eq!(world.post(body).await, OK);
    assert_eq!(world.notices().len(), 1);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_23_wrong_shapes_are_ignored_or_rejected_one_by_one() {
    let world = World::new().await;
    world.customer_writes("+15550000001");
    let good = world.take_events().remove(0);
    let mut dated = good.clone();
    dated["datacontenttype"] = "2026-01-05T09:00:00.412Z".into();
    dated["time"] = Value::Null;
    let batch = json!([
        null,
        "text",
        [good],
        { "type": "com.example.unknown", "data": 7 },
        { "type": "com.twilio.taskrouter.task.created", "data": null },
        { "type": "com.twilio.taskrouter.worker.created", "data": null },
        dated,
    ]);
    assert_eq!(world.post(batch.to_string()).await, OK);
    assert_eq!(world.items().await.len(), 1);
    // The null, the text, the list and the task event without data.
    assert_eq!(world.notices().len(), 4);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_25_absurd_bodies_cost_a_bounded_time() {
    let world = World::new().await;
    world.customer_writes("+15550000001");
    let event = world.take_events().remove(0);
    let with = |field: &str, value: &str| {
        let text = event.to_string();
        let marked = text.replacen("\"task_priority\":0", &format!("\"{field}\":{value}"), 1);
        assert_ne!(marked, text);
        format!("[{marked}]")
    };
    let deep = with(
        "task_priority",
        &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
    );
    let long = with("task_priority", &"9".repeat(1_000_000));
    let mut fat = event.clone();
    let attributes = fat["data"]["payload"]["task_attributes"].as_str().unwrap();
    let note = format!("{{\"note\":\"{}\",", "x".repeat(1_000_000));
    fat["data"]["payload"]["task_attributes"] = attributes.replacen('{', &note, 1).into();
    for body in [deep, long, Value::from(vec![fat]).to_string()] {
        assert_eq!(world.post(body).await, OK);
    }
    assert_eq!(world.items().await.len(), 1);

    // As many events as fit into a request, on a hundred channels.
    let channel = event["data"]["payload"]["task_attributes"]
        .as_str()
        .unwrap();
    let channel = &channel[channel.find("CH").unwrap()..][..34];
    let small = json!({
        "type": "com.twilio.taskrouter.task.completed",
        "data": { "payload": {
            "task_sid": event["data"]["payload"]["task_sid"],
            "task_attributes": format!("{{\"channelSid\":\"{channel}\"}}"),
            "timestamp": event["data"]["payload"]["timestamp"],
        }},
    });
    let small = small.to_string();
    let events = (0..10_000).map(|n| small.replace(channel, &format!("CH{:032x}", 1 + n % 100)));
    let body = format!("[{}]", events.collect::<Vec<_>>().join(","));
    assert_eq!(world.post(body).await, OK);
    assert_eq!(world.items().await.len(), 101);

    let too_much = " ".repeat(ingest::LARGEST_BODY + 1);
    assert_eq!(world.post(too_much).await, StatusCode::PAYLOAD_TOO_LARGE);

    // The longest message that Twilio takes, of letters that are escaped, and a form of no
    // message of Twilio's.
    let form = |body: String| world.form(&[("Body".to_owned(), body)]);
    assert_eq!(world.webhook(form("é".repeat(16 * 1024))).await, OK);
    let too_much = form("x".repeat(ingest::LARGEST_FORM));
    assert_eq!(world.webhook(too_much).await, StatusCode::PAYLOAD_TOO_LARGE);
    world.notices();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_26_and_27_what_is_not_signed_by_a_key_of_ours_writes_nothing() {
    let world = World::new().await;
    let body = a_body(&world);
    let header = simulator::sign::HEADER;
    let without = |request: Request<Vec<u8>>| {
        let mut request = request;
        request.headers_mut().remove(header);
        request
    };
    let twice = |request: Request<Vec<u8>>| {
        let mut request = request;
        let signature = request.headers()[header].clone();
        request.headers_mut().append(header, signature);
        request
    };
    let tampered = |request: Request<Vec<u8>>| {
        let (parts, _) = request.into_parts();
        Request::from_parts(parts, body.replace("pending", "assigned").into_bytes())
    };
    let elsewhere = |request: Request<Vec<u8>>| {
        let (mut parts, body) = request.into_parts();
        let url = parts.uri.to_string().replace("/events", "/other");
        parts.uri = url.parse().unwrap();
        Request::from_parts(parts, body)
    };
    let request = || world.request(body.clone());
    let forgeries = [
        without(request()),
        twice(request()),
        tampered(request()),
        elsewhere(request()),
        world.request_signed_with("another key", body.clone()),
    ];
    for forgery in forgeries {
        assert_eq!(world.webhook(forgery).await, FORBIDDEN);
        world.time_passes(2 * MINUTE).await;
    }
    assert!(is_empty(&world).await);
    assert_eq!(world.webhook(request()).await, OK);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_30_the_body_decides_and_not_what_it_says_it_is() {
    let world = World::new().await;
    let types = [
        None,
        Some("application/json; charset=utf-8"),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("???"),
    ];
    for (number, content_type) in types.into_iter().enumerate() {
        world.customer_writes(&format!("+1555{number:07}"));
        let mut request = world.request(Value::from(world.take_events()).to_string());
        request.headers_mut().remove("content-type");
        if let Some(content_type) = content_type {
            let value = content_type.parse().unwrap();
            request.headers_mut().insert("content-type", value);
        }
        assert_eq!(world.webhook(request).await, OK, "{content_type:?}");
        assert_eq!(world.items().await.len(), number + 1);
    }
    for method in [Method::GET, Method::PUT, Method::HEAD, Method::OPTIONS] {
        let request = Request::builder().method(method).uri(WEBHOOK);
        let status = world.webhook(request.body(Vec::new()).unwrap()).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_31_bytes_count_as_they_were_signed() {
    let world = World::new().await;
    let body = a_body(&world);
    let marked = [b"\xef\xbb\xbf", body.as_bytes()].concat();
    assert_eq!(world.post(marked).await, OK);
    assert_eq!(world.items().await.len(), 1);

    let utf_16: Vec<u8> = body.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x8b\x8e\x05\x00\x29\xbb\x4c\x0d".to_vec();
    for bytes in [utf_16, gzip, vec![0xff; 1_000]] {
        // As an API gateway hands it over, decoded from base64.
        assert_eq!(world.webhook(world.request(bytes)).await, OK);
        let told = world.notices();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].kind, "EventRejected");
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_32_attributes_that_name_no_channel_make_no_record() {
    let world = World::new().await;
    world.customer_writes("+15550000001");
    let event = world.take_events().remove(0);
    let odd = [
        json!("no JSON"),
        json!("[]"),
        json!("null"),
        json!(""),
        json!("{}"),
        json!(null),
        json!(7),
        json!(r#"{"channelSid":7}"#),
        json!(r#"{"channelSid":"undefined"}"#),
        json!(r#"{"channelSid":"CH00000000000000000000000000000000"}"#),
        json!(r#"{"conversationSid":"UO00000000000000000000000000000014"}"#),
    ];
    for attributes in odd {
        let mut event = event.clone();
        event["data"]["payload"]["task_attributes"] = attributes.clone();
        world.deliver_these(&[event]).await;
        assert!(is_empty(&world).await, "{attributes}");
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_38_a_rotation_of_the_signing_key_loses_nothing() {
    let world = World::new().await;
    let old = world.auth_token();
    let (next, stranger) = ("the-next-key", "a-strangers-key");
    let with = |key: &str| {
        world.customer_writes("+15550000001");
        world.request_signed_with(key, Value::from(world.take_events()).to_string())
    };
    assert_eq!(world.webhook(with(&old)).await, OK);
    world.time_passes(2 * MINUTE).await;
    assert_eq!(
        world.webhook(with(next)).await,
        FORBIDDEN,
        "not promised yet"
    );

    // Both keys are put in before the next one is promoted: either signs, at once.
    world.signing_keys(&[&old, next]);
    world.time_passes(2 * MINUTE).await;
    for key in [next, &old] {
        assert_eq!(world.webhook(with(key)).await, OK);
    }

    // Promoted before we were told: the first request of the new key finds it.
    world.signing_keys(&["another-key"]);
    world.time_passes(2 * MINUTE).await;
    assert_eq!(world.webhook(with("another-key")).await, OK);

    // A stranger knocks, and within the minute the key is changed. We may not read it again
    // so soon, and Twilio is asked to come back.
    world.time_passes(2 * MINUTE).await;
    assert_eq!(world.webhook(with(stranger)).await, FORBIDDEN);
    world.signing_keys(&["the-last-key"]);
    assert_eq!(world.webhook(with("the-last-key")).await, AGAIN);
    assert_eq!(world.webhook(with(stranger)).await, AGAIN);
    world.time_passes(MINUTE).await;
    assert_eq!(world.webhook(with("the-last-key")).await, OK);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn row_39_without_keys_everything_is_asked_for_again_and_nothing_accepted() {
    let world = World::new().await;
    let body = a_body(&world);
    world.lose_signing_keys();
    assert_eq!(world.post(body.clone()).await, AGAIN);
    let forged = world.request_signed_with("", body.clone());
    assert_eq!(world.webhook(forged).await, AGAIN);
    assert!(is_empty(&world).await);

    world.signing_keys(&[&world.auth_token()]);
    assert_eq!(world.post(body.clone()).await, OK);
    // Once they were read, an outage is outlived.
    world.lose_signing_keys();
    for _ in 0..10 {
        world.time_passes(10 * MINUTE).await;
        assert_eq!(world.post(body.clone()).await, OK);
    }
    // What they do not sign may be signed by their successor, whose keys cannot be asked for.
    let unknown = || world.request_signed_with("another key", body.clone());
    assert_eq!(world.webhook(unknown()).await, AGAIN);
    assert_eq!(world.webhook(unknown()).await, AGAIN);
    world.finish().await;
}

/// Returns how often the webhook could not serve a request, and how often it was sent a
/// signature of an unknown key, since the last call.
fn unserved_and_forged(world: &World) -> (u64, u64) {
    let figures = world.figures();
    let figure = |name| figures.get(name).copied().unwrap_or(0);
    (figure("Unavailable"), figure("BadSignature"))
}

#[tokio::test(start_paused = true)]
async fn strangers_never_make_the_webhook_count_as_unavailable_and_an_outage_does() {
    let world = World::new().await;
    let body = a_body(&world);
    let forged = || world.request_signed_with("a-strangers-key", body.clone());
    assert_eq!(world.post(body.clone()).await, OK);
    world.figures();

    // The first forged request has the keys read again. Within that minute, others are answered
    // 503, since a rotation looks the same.
    world.time_passes(2 * MINUTE).await;
    for answer in [FORBIDDEN, AGAIN, AGAIN] {
        assert_eq!(world.webhook(forged()).await, answer);
    }
    assert_eq!(unserved_and_forged(&world), (0, 3));

    // Nor while the keys cannot be read again: what Twilio signs is still served.
    world.lose_signing_keys();
    world.time_passes(2 * MINUTE).await;
    assert_eq!(world.webhook(forged()).await, AGAIN);
    assert_eq!(world.post(body.clone()).await, OK);
    assert_eq!(unserved_and_forged(&world), (0, 1));

    // A bus that refuses what cannot be read is our fault, with strangers about or without.
    world.aws.bus.refuse_entries(|_| Some("InternalFailure"));
    assert_eq!(world.post("[7]").await, AGAIN);
    assert_eq!(world.webhook(forged()).await, AGAIN);
    assert_eq!(unserved_and_forged(&world), (1, 1));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_never_had_a_key_counts_as_unavailable() {
    let world = World::new().await;
    world.lose_signing_keys();
    let body = a_body(&world);
    assert_eq!(world.post(body).await, AGAIN);
    assert_eq!(unserved_and_forged(&world), (1, 0));
}
