//! The connectors between the parking function and the outside: each request waits at a gate
//! until the explorer lets it through, with the fate that the explorer gives it.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hasher as _};
use std::task::{Poll, Waker};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use simulator::{Reply, Simulator};
use twilio::rest::{Transport, TransportError};

/// A request that waits at its gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    /// A read of the record.
    Get,
    /// A conditional write of the record.
    Put,
    /// A look at Twilio.
    Look,
    /// A conditional write of the task.
    Write,
}

/// The fate of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has its effect, and its answer arrives.
    #[default]
    Answered,
    /// It has its effect, and its answer is lost.
    AnswerLost,
    /// It is lost.
    Lost,
    /// Its answer is lost, and its effect comes at any later time.
    Late,
    /// It is answered 412, without an effect.
    Refused,
}

/// The gates of all actors. One actor runs at a time.
#[derive(Default)]
struct Control {
    is_closed: bool,
    fate: Fate,
    arrived: Option<(Op, Waker)>,
    last: Option<Op>,
    seen: Vec<u64>,
    late: Vec<Request<Bytes>>,
}

thread_local! {
    static CONTROL: RefCell<Control> = RefCell::default();
}

/// Starts anew with open gates.
pub(crate) fn reset() {
    CONTROL.with_borrow_mut(|control| *control = Control::default());
}

/// Closes the gates, or opens them.
pub(crate) fn close(is_closed: bool) {
    CONTROL.with_borrow_mut(|control| control.is_closed = is_closed);
}

/// Gives the next request that passes its gate this fate.
pub(crate) fn give(fate: Fate) {
    CONTROL.with_borrow_mut(|control| control.fate = fate);
}

/// Sets the last request of the actor that runs next, and returns that of the one before.
///
/// A conditional write that follows a read at once passes with it: it has an effect only if
/// nothing came between.
pub(crate) fn last(op: Option<Op>) -> Option<Op> {
    CONTROL.with_borrow_mut(|control| std::mem::replace(&mut control.last, op))
}

/// Takes the request that has arrived at its gate since the last call.
pub(crate) fn arrived() -> Option<(Op, Waker)> {
    CONTROL.with_borrow_mut(|control| control.arrived.take())
}

/// Takes the answers that arrived since the last call, as hashes.
pub(crate) fn seen() -> Vec<u64> {
    CONTROL.with_borrow_mut(|control| std::mem::take(&mut control.seen))
}

/// Takes the requests whose effect is still to come.
pub(crate) fn late() -> Vec<Request<Bytes>> {
    CONTROL.with_borrow_mut(|control| std::mem::take(&mut control.late))
}

/// Waits until the explorer lets the request through.
async fn pass(op: Op) -> Fate {
    let mut has_arrived = false;
    std::future::poll_fn(|context| {
        CONTROL.with_borrow_mut(|control| {
            let follows = control.last == Some(Op::Get) && op == Op::Put && !has_arrived;
            if !control.is_closed || follows {
                control.last = Some(op);
                return Poll::Ready(Fate::Answered);
            }
            if !std::mem::replace(&mut has_arrived, true) {
                control.arrived = Some((op, context.waker().clone()));
                return Poll::Pending;
            }
            control.last = Some(op);
            Poll::Ready(std::mem::take(&mut control.fate))
        })
    })
    .await
}

fn note(answer: &impl std::hash::Hash) {
    let mut hasher = DefaultHasher::new();
    answer.hash(&mut hasher);
    CONTROL.with_borrow_mut(|control| control.seen.push(hasher.finish()));
}

/// The way to Twilio.
pub(crate) struct ToTwilio(pub(crate) Simulator);

impl ToTwilio {
    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let is_write = request.method() == Method::POST;
        let fate = pass(if is_write { Op::Write } else { Op::Look }).await;
        let broken = || Err(TransportError::Broken("reset".to_owned()));
        let answer = match fate {
            Fate::Answered => self.handle(request),
            Fate::AnswerLost => {
                drop(self.handle(request));
                broken()
            }
            Fate::Lost => broken(),
            Fate::Late => {
                CONTROL.with_borrow_mut(|control| control.late.push(request));
                broken()
            }
            Fate::Refused => {
                let body = Bytes::from_static(br#"{"code":20412,"status":412}"#);
                let answer = Response::builder().status(StatusCode::PRECONDITION_FAILED);
                Ok(answer.body(body).unwrap())
            }
        };
        let seen = answer.as_ref().ok();
        note(&seen.map(|answer| (answer.status().as_u16(), answer.body().clone())));
        answer
    }

    pub(crate) fn handle(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        match self.0.handle(request) {
            Reply::Answer(answer) => Ok(answer),
            Reply::Hang | Reply::Drop => Err(TransportError::Broken("reset".to_owned())),
        }
    }
}

impl Transport for ToTwilio {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.answer(request).boxed()
    }
}

/// The way to AWS.
#[derive(Clone, Debug)]
pub(crate) struct ToAws(pub(crate) SharedHttpClient);

#[derive(Clone, Debug)]
struct Connector(SharedHttpConnector);

impl HttpClient for ToAws {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.0.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let op = match target.rsplit('.').next() {
                Some("GetItem") => Some(Op::Get),
                Some("PutItem") => Some(Op::Put),
                Some(_) | None => None,
            };
            if let Some(op) = op {
                pass(op).await;
            }
            let answer = inner.call(request).await?;
            // The order of an item's attributes says nothing.
            let body = answer.body().bytes().unwrap_or_default();
            let body: Option<serde_json::Value> = serde_json::from_slice(body).ok();
            note(&body.map(|body| body.to_string()));
            Ok(answer)
        })
    }
}
