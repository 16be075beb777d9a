//! Requests as a Lambda function URL hands them to the function (AWS Lambda developer guide,
//! "request payload format").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The form in which the body is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As text.
    Text,
    /// In base64, as for content types that may be binary.
    Base64,
}

/// A POST of a body to this URL, with these headers.
///
/// # Panics
/// If the URL has no scheme or no host.
pub fn post(url: &str, headers: &[(&str, &str)], body: &[u8], encoding: Encoding) -> Value {
    let (_, rest) = url.split_once("://").expect("a URL with a scheme");
    let (host, path_and_query) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (path, query) = path_and_query
        .split_once('?')
        .unwrap_or((path_and_query, ""));
    let mut all = serde_json::Map::from_iter([
        ("host".to_owned(), json!(host)),
        ("x-forwarded-proto".to_owned(), json!("https")),
        ("content-type".to_owned(), json!("application/json")),
    ]);
    for (name, value) in headers {
        all.insert((*name).to_lowercase(), json!(value));
    }
    let (body, is_base64_encoded) = match encoding {
        Encoding::Text => (String::from_utf8_lossy(body).into_owned(), false),
        Encoding::Base64 => (STANDARD.encode(body), true),
    };
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": all,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abcdefghij",
            "domainName": host,
            "domainPrefix": "abcdefghij",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "35.90.102.130",
                "userAgent": "TwilioProxy/1.1"
            },
            "requestId": "request",
            "routeKey": "$default",
            "stage": "$default",
            "time": "05/Jan/2026:09:00:00 +0000",
            "timeEpoch": 1_767_603_600_000_i64
        },
        "body": body,
        "isBase64Encoded": is_base64_encoded
    })
}
