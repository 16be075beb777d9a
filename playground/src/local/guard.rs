//! Keeps other web sites out: a page that a browser shows on this machine could otherwise call
//! these ports, under a name that its owner points to this machine (DNS rebinding).

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers 403 to a request that was not addressed to this machine by its own name, or that a
/// page of another origin sends.
pub(super) async fn only_local(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let Some(host) = text(header::HOST) else {
        return false;
    };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let same_origin = match text(header::ORIGIN) {
        Some(origin) => origin.strip_prefix("http://") == Some(host),
        None => true,
    };
    matches!(name, "127.0.0.1" | "localhost") && same_origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_by_its_own_name_is_answered() {
        for (host, origin, answered) in [
            (Some("127.0.0.1:4021"), None, true),
            (Some("localhost:4021"), Some("http://localhost:4021"), true),
            (Some("localhost"), None, true),
            (Some("evil.example.com:4021"), None, false),
            (Some("127.0.0.1.evil.example.com"), None, false),
            (
                Some("127.0.0.1:4021"),
                Some("https://evil.example.com"),
                false,
            ),
            (Some("127.0.0.1:4021"), Some("http://127.0.0.1:4010"), false),
            (Some("127.0.0.1:4021"), Some("null"), false),
            (None, None, false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            assert_eq!(is_local(&headers), answered, "{host:?} {origin:?}");
        }
    }
}
