//! Answers that Twilio never gave.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use crate::borders::faults::RetryAfter;

pub(crate) fn status(code: u16, twilio: u32, headers: &[(&str, &str)]) -> Response<Bytes> {
    let mut response = Response::builder().status(code);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let body = json!({ "code": twilio, "message": "an injected fault", "status": code });
    response.body(body.to_string().into()).unwrap()
}

pub(crate) fn too_many(retry: RetryAfter) -> Response<Bytes> {
    let date = |second: u64| {
        let (minute, second) = (second / 60, second % 60);
        format!("Sun, 06 Nov 1994 08:{minute:02}:{second:02} GMT")
    };
    match retry {
        RetryAfter::Absent => status(429, 20429, &[]),
        RetryAfter::Seconds(seconds) => {
            status(429, 20429, &[("retry-after", &seconds.to_string())])
        }
        RetryAfter::Nonsense(text) => status(429, 20429, &[("retry-after", text)]),
        RetryAfter::Date(seconds) => {
            let headers = [("retry-after", &*date(seconds)), ("date", &*date(0))];
            status(429, 20429, &headers)
        }
    }
}

pub(crate) fn garbage() -> Response<Bytes> {
    Response::new(Bytes::from_static(b"<html>an injected fault</html>"))
}

/// The entries of a list.
pub(crate) fn list(answer: &Response<Bytes>, name: &str) -> Vec<Value> {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    body[name].as_array().cloned().unwrap_or_default()
}

/// The answer, with a member of its body replaced.
pub(crate) fn with(answer: &Response<Bytes>, member: &str, value: Value) -> Response<Bytes> {
    let mut body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    body[member] = value;
    let mut changed = Response::new(Bytes::from(body.to_string()));
    *changed.status_mut() = answer.status();
    changed
}
