//! The webhook over HTTP: the real `ingest` behind a server, instead of behind a function URL.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, Uri, header};
use ingest::{Ingest, LARGEST_BODY, Settings};
use tokio::net::TcpListener;

use super::schedule::Journal;
use super::{Here, Parts};
use crate::clock::Clock;

/// The function behind the server.
#[derive(Clone)]
struct Webhook {
    ingest: Arc<Ingest>,
    clock: Clock,
    journal: Journal,
}

/// Answers on this listener.
pub(super) fn start(here: &Here, settings: Settings, listener: TcpListener, parts: &mut Parts) {
    let webhook = Webhook {
        ingest: Arc::new(Ingest::new(settings)),
        clock: here.clock,
        journal: here.journal.clone(),
    };
    let router = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::disable())
        .with_state(webhook);
    let end = here.end.comes();
    parts.spawn(async move {
        Ok(axum::serve(listener, router)
            .with_graceful_shutdown(end)
            .await?)
    });
}

async fn answer(State(webhook): State<Webhook>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    // One byte more than is taken, so that `ingest` itself says that it is too much.
    let body = match axum::body::to_bytes(body, LARGEST_BODY + 1).await {
        Ok(body) => body,
        Err(_too_long) => return empty(StatusCode::PAYLOAD_TOO_LARGE),
    };
    match as_called(&parts) {
        Ok(uri) => parts.uri = uri,
        Err(_no_host) => return empty(StatusCode::BAD_REQUEST),
    }
    let request = http::Request::from_parts(parts, body);
    let now = webhook.clock.now();
    let answer = webhook.ingest.handle(request, now).await;
    if answer.status() == StatusCode::NO_CONTENT {
        webhook.journal.note_event(now);
    }
    answer.map(|()| Body::empty())
}

/// The URL as it was called: a function URL gives the whole of it, a server only its path. A
/// tunnel in front says by which scheme it was called.
fn as_called(parts: &http::request::Parts) -> anyhow::Result<Uri> {
    let text = |name: &str| parts.headers.get(name).map(HeaderValue::to_str);
    let host = text(header::HOST.as_str()).context("no host")??;
    let scheme = match text("x-forwarded-proto") {
        Some(Ok("https")) => "https",
        Some(_) | None => "http",
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(format!("{scheme}://{host}{path}").parse()?)
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
