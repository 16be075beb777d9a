//! The API on a socket.

use crate::api::Reply;
use crate::simulator::Simulator;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::extract::connect_info::Connected;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use axum::{Extension, Router};
use http::{Request, StatusCode};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The largest body that is read, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Serves a pretend Twilio until the shutdown completes; a client that hangs then is cut off.
///
/// # Errors
///
/// Fails if the listener does.
pub async fn serve<F>(listener: TcpListener, simulator: Simulator, shutdown: F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (closing, closed) = watch::channel(());
    let router = Router::new()
        .fallback(answer)
        .layer(Extension(closed))
        .with_state(simulator);
    let service = router.into_make_service_with_connect_info::<Cut>();
    axum::serve(Lines(listener), service)
        .with_graceful_shutdown(async move {
            shutdown.await;
            drop(closing);
        })
        .await
}

async fn answer(
    axum::extract::State(simulator): axum::extract::State<Simulator>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Extension(mut closed): Extension<watch::Receiver<()>>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return empty(StatusCode::PAYLOAD_TOO_LARGE);
    };
    match simulator.handle(Request::from_parts(parts, body)) {
        Reply::Answer(response) => return response.map(Body::from),
        Reply::Hang => {
            // Nothing is ever sent: the wait ends with an error when the server closes.
            closed.changed().await.ok();
        }
        Reply::Drop => {}
    }
    cut.0.store(true, Ordering::Relaxed);
    empty(StatusCode::SERVICE_UNAVAILABLE)
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Accepts connections that answer at once and can be cut.
struct Lines(TcpListener);

impl Listener for Lines {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Without it, Nagle's algorithm and delayed acknowledgements cost 40 ms a request; a socket that refuses is only slow.
        stream.set_nodelay(true).ok();
        (
            Line {
                stream,
                cut: Cut::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// Cuts a connection: whatever would be written next closes it instead.
#[derive(Debug, Clone, Default)]
struct Cut(Arc<AtomicBool>);

impl Connected<IncomingStream<'_, Lines>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().cut.clone()
    }
}

struct Line {
    stream: TcpStream,
    cut: Cut,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cut.0.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
