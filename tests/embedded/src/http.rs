//! Requests in this process, as the SDK's HTTP client, and over a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::serve::ListenerExt as _;

use crate::answer::Answer;
use crate::dispatch::{Dispatch, Lost};

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Returns an id for each answer, as AWS does; counted, so that a run with one seed
/// looks the same each time.
fn request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("embedded-{:012}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn client(dispatch: Arc<Dispatch>) -> SharedHttpClient {
    SharedHttpClient::new(InProcess(dispatch))
}

#[derive(Clone, Debug)]
struct InProcess(Arc<Dispatch>);

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let dispatch = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let body = request.body().bytes().unwrap_or_default();
            let body = std::str::from_utf8(body).map_err(|e| ConnectorError::user(e.into()))?;
            let answer = dispatch.answer(target, body).await;
            response(answer.map_err(|lost| ConnectorError::io(lost.into()))?)
        })
    }
}

fn response(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let status =
        StatusCode::try_from(answer.status).map_err(|e| ConnectorError::other(e.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    let headers = response.headers_mut();
    headers.insert("content-type", CONTENT_TYPE);
    headers.insert("x-amzn-requestid", request_id());
    Ok(response)
}

pub(crate) async fn serve(
    dispatch: Arc<Dispatch>,
    listener: tokio::net::TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new().fallback(handle).with_state(dispatch);
    // Small answers must not wait for the other side's acknowledgement. A socket that
    // refuses is only slower.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}

/// Tells an SDK on this machine from a page of a web site that a browser shows here: the page
/// sends its origin, or names a host that its owner points to this machine.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    matches!(name, Some("127.0.0.1" | "localhost")) && !headers.contains_key("origin")
}

fn refused() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = axum::http::StatusCode::FORBIDDEN;
    response
}

async fn handle(
    State(dispatch): State<Arc<Dispatch>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if !is_local(&headers) {
        return refused();
    }
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let body = String::from_utf8_lossy(&body);
    let mut response = match dispatch.answer(target, &body).await {
        Ok(answer) => {
            let mut response = Response::new(Body::from(answer.body));
            if let Ok(status) = axum::http::StatusCode::from_u16(answer.status) {
                *response.status_mut() = status;
            }
            response
        }
        // The server can only break a connection while it sends a body.
        Err(lost) => Response::new(Body::from_stream(futures::stream::once(async {
            Err::<Bytes, Lost>(lost)
        }))),
    };
    let headers = response.headers_mut();
    headers.insert(
        "content-type",
        axum::http::HeaderValue::from_static(CONTENT_TYPE),
    );
    if let Ok(id) = request_id().try_into() {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
