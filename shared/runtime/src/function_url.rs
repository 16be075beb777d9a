//! Requests as a Lambda function URL hands them over, and the answers that it takes.
//!
//! # Why not a library
//!
//! `lambda_http` builds an [`http::Uri`] of the event and panics where that fails: on a space,
//! a quote or a `<` in the query, which AWS decodes before it hands them over, on a long query
//! and on an odd `x-forwarded-proto`. It also writes host and path anew, and a signature counts
//! for the URL as it was sent. Here every field is kept as it came, and what is no request is
//! an error.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value, json};

/// A request as it was sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// `https`, or `http` where a proxy says so.
    pub scheme: &'static str,
    /// The host and perhaps its port, as the client sent them; empty if nothing names one.
    pub host: String,
    /// The host that the function URL belongs to, if the event says so.
    pub own_host: Option<String>,
    /// The path, raw.
    pub path: String,
    /// The query without its question mark, raw; empty if there is none.
    pub query: String,
    /// The headers. A header that HTTP does not allow is left out.
    pub headers: HeaderMap,
    /// The body, decoded from base64 where the event says so.
    pub body: Vec<u8>,
}

/// An event that is no request of a function URL. It never repeats the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARequest {
    /// The event names no HTTP method.
    #[error("the event names no HTTP method")]
    Method,
    /// The body is not text.
    #[error("the body is not text")]
    Body,
    /// The body is said to be base64 and is not.
    #[error("the body is not base64")]
    Base64,
}

impl Request {
    /// Reads an event of a function URL (payload format 2.0).
    ///
    /// # Errors
    ///
    /// Fails if the event has no method, or a body that cannot be read. Every other field may
    /// be absent.
    pub fn from_event(mut event: Value) -> Result<Self, NotARequest> {
        let text = |pointer| event.pointer(pointer).and_then(Value::as_str);
        let method = text("/requestContext/http/method").ok_or(NotARequest::Method)?;
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| NotARequest::Method)?;
        let path = text("/rawPath").unwrap_or("/").to_owned();
        let query = text("/rawQueryString").unwrap_or_default().to_owned();
        let own_host = text("/requestContext/domainName").map(str::to_owned);
        let headers = event.get("headers").and_then(Value::as_object);
        let headers = headers.map(read_headers).unwrap_or_default();
        let is_base64 = event.get("isBase64Encoded").and_then(Value::as_bool);
        let body = match event.get_mut("body").map(Value::take) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) if is_base64 == Some(true) => {
                BASE64.decode(text).map_err(|_| NotARequest::Base64)?
            }
            Some(Value::String(text)) => text.into_bytes(),
            Some(_) => return Err(NotARequest::Body),
        };
        Ok(Self {
            method,
            scheme: scheme(&headers),
            host: host(&headers)
                .or_else(|| own_host.clone())
                .unwrap_or_default(),
            own_host,
            path,
            query,
            headers,
            body,
        })
    }

    /// Returns the URL as it was called. Neither path nor query are encoded anew, so it may hold
    /// characters that no URL should.
    pub fn url(&self) -> String {
        let Self {
            scheme,
            host,
            path,
            query,
            ..
        } = self;
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{host}{path}{mark}{query}")
    }
}

/// Takes a request from an HTTP server.
impl<B: AsRef<[u8]>> From<http::Request<B>> for Request {
    fn from(request: http::Request<B>) -> Self {
        let (parts, body) = request.into_parts();
        let http::request::Parts {
            method,
            uri,
            headers,
            ..
        } = parts;
        let authority = uri.authority().map(http::uri::Authority::as_str);
        // Without the user and password that may stand before the host.
        let named = authority.and_then(|authority| authority.rsplit('@').next());
        Self {
            method,
            scheme: match uri.scheme_str() {
                Some("http") => "http",
                Some(_) => "https",
                None => scheme(&headers),
            },
            host: named
                .map(str::to_owned)
                .or_else(|| host(&headers))
                .unwrap_or_default(),
            own_host: None,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            headers,
            body: body.as_ref().to_vec(),
        }
    }
}

fn read_headers(fields: &Map<String, Value>) -> HeaderMap {
    let header = |(name, value): (&String, &Value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.as_str()?).ok()?))
    };
    fields.iter().filter_map(header).collect()
}

fn host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(host.to_owned())
}

fn scheme(headers: &HeaderMap) -> &'static str {
    let named = headers.get("x-forwarded-proto");
    if named.is_some_and(|scheme| scheme == "http") {
        "http"
    } else {
        "https"
    }
}

/// Returns an answer in the form that a function URL takes. Header values that are not text
/// are left out.
pub fn answer(status: StatusCode, headers: &HeaderMap, body: &str) -> Value {
    let headers = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.to_string(), Value::from(value)))
    });
    json!({
        "statusCode": status.as_u16(),
        "headers": headers.collect::<Map<_, _>>(),
        "body": body,
        "isBase64Encoded": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(path: &str, query: &str) -> Value {
        json!({
            "rawPath": path,
            "rawQueryString": query,
            "headers": { "host": "Fn.example", "x-forwarded-proto": "https" },
            "requestContext": {
                "domainName": "fn.example",
                "http": { "method": "POST" },
            },
            "body": "{}",
            "isBase64Encoded": false,
        })
    }

    #[test]
    fn every_byte_of_the_url_is_kept() {
        let long = "a".repeat(70_000);
        for (path, query) in [
            ("/x", "a b"),
            ("/x", "\"<>`{}|\\^"),
            ("/x", "é"),
            ("/x", long.as_str()),
            ("/a/../b", "a=%zz&a=+"),
            ("//x", ""),
            ("no slash", "#?"),
        ] {
            let request = Request::from_event(event(path, query)).unwrap();
            let mark = if query.is_empty() { "" } else { "?" };
            assert_eq!(
                request.url(),
                format!("https://Fn.example{path}{mark}{query}")
            );
        }
    }

    #[test]
    fn an_odd_header_is_left_out_and_the_rest_is_read() {
        let mut odd = event("/", "");
        odd["headers"] = json!({
            "x-forwarded-proto": "a b://",
            "no name": "x",
            "line": "a\nb",
            "number": 7,
            "": "x",
            "X-Kept": "é",
        });
        let request = Request::from_event(odd).unwrap();
        assert_eq!(request.url(), "https://fn.example/");
        assert_eq!(request.headers.len(), 2);
        assert_eq!(request.headers["x-kept"], "é".as_bytes());
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        let with = |pointer: &str, value: Value| {
            let mut event = event("/", "");
            *event.pointer_mut(pointer).unwrap() = value;
            Request::from_event(event).map(|request| request.body).err()
        };
        let method = "/requestContext/http/method";
        for event in [json!(null), json!([]), json!("x"), json!({})] {
            let read = Request::from_event(event);
            assert_eq!(read.err(), Some(NotARequest::Method));
        }
        assert_eq!(with(method, json!("")), Some(NotARequest::Method));
        assert_eq!(with(method, json!("a b")), Some(NotARequest::Method));
        assert_eq!(with("/body", json!({})), Some(NotARequest::Body));
        assert_eq!(
            with("/isBase64Encoded", json!(true)),
            Some(NotARequest::Base64)
        );
        assert_eq!(with("/isBase64Encoded", json!("true")), None);
        assert_eq!(with("/body", json!(null)), None);
    }
}
