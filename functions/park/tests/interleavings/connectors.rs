//! The connectors between the parking function and the outside. They go straight through, or
//! they play a script: the answers so far, up to the first request that has none.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode as AwsStatus;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{BoxFuture, LocalBoxFuture};
use http::{Method, Request, Response, StatusCode};
use simulator::{Reply, Simulator};
use twilio::rest::{Transport, TransportError};

/// A request of an actor.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Twilio(Box<Request<Bytes>>),
    Aws { target: String, body: String },
}

/// The kind of a request.
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

impl Asked {
    pub(crate) fn is_of_twilio(&self) -> bool {
        matches!(self, Self::Twilio(_))
    }

    /// Returns whether this is about the task itself.
    pub(crate) fn is_of_task(&self) -> bool {
        match self {
            Self::Twilio(request) => request.uri().path().contains("/Tasks/"),
            Self::Aws { .. } => false,
        }
    }

    pub(crate) fn op(&self) -> Op {
        match self {
            Self::Twilio(request) if request.method() == Method::POST => Op::Write,
            Self::Twilio(_) => Op::Look,
            Self::Aws { target, .. } if target.ends_with(".GetItem") => Op::Get,
            Self::Aws { target, .. } => {
                assert!(target.ends_with(".PutItem"), "{target}");
                Op::Put
            }
        }
    }
}

/// An answer to a request. A broken connection is one, too.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Twilio(Response<Bytes>),
    Broken,
    Aws { status: u16, body: String },
}

impl Answer {
    /// Returns whether the request had its effect, as far as the answer says so.
    pub(crate) fn is_ok(&self) -> bool {
        match self {
            Self::Twilio(answer) => answer.status().is_success(),
            Self::Broken => false,
            Self::Aws { status, .. } => *status == 200,
        }
    }

    /// Twilio's answer to a write of an old version.
    pub(crate) fn refused() -> Self {
        let body = Bytes::from_static(br#"{"code":20412,"status":412}"#);
        let answer = Response::builder().status(StatusCode::PRECONDITION_FAILED);
        Self::Twilio(answer.body(body).unwrap())
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    asked: Option<Asked>,
    waits: Option<Waker>,
}

thread_local! {
    /// The script of the actor that runs now. Requests of all others go straight through.
    static SCRIPT: RefCell<Option<Rc<RefCell<Script>>>> = const { RefCell::new(None) };
    /// The way to the embedded AWS that the SDK was given.
    static AWS: RefCell<Option<SharedHttpConnector>> = const { RefCell::new(None) };
}

/// An actor that waits for the answer to its request.
pub(crate) struct Paused {
    actor: LocalBoxFuture<'static, ()>,
    script: Rc<RefCell<Script>>,
}

impl Paused {
    /// Makes an actor that has not begun.
    pub(crate) fn new(actor: impl Future<Output = ()> + 'static) -> Self {
        Self {
            actor: actor.boxed_local(),
            script: Rc::default(),
        }
    }

    /// Hands over answers, and lets the actor go on. Returns it with the first request that has
    /// no answer; nothing if it came to its end.
    pub(crate) async fn go_on(
        mut self,
        answers: impl IntoIterator<Item = Answer>,
    ) -> Option<(Self, Asked)> {
        let waits = {
            let mut script = self.script.borrow_mut();
            script.answers.extend(answers);
            script.waits.take()
        };
        if let Some(waker) = waits {
            waker.wake();
        }
        let asked = poll_fn(|context| {
            SCRIPT.set(Some(Rc::clone(&self.script)));
            let end = self.actor.poll_unpin(context);
            SCRIPT.set(None);
            match (end, self.script.borrow_mut().asked.take()) {
                (Poll::Ready(()), _) => Poll::Ready(None),
                (Poll::Pending, Some(asked)) => Poll::Ready(Some(asked)),
                (Poll::Pending, None) => Poll::Pending,
            }
        });
        let asked = asked.await?;
        Some((self, asked))
    }
}

/// Waits for the scripted answer to a request. Nothing where there is no script.
fn scripted(asked: impl FnOnce() -> Asked) -> Option<BoxFuture<'static, Answer>> {
    if SCRIPT.with_borrow(Option::is_none) {
        return None;
    }
    let mut asked = Some(asked());
    let answer = poll_fn(move |context| {
        SCRIPT.with_borrow(|script| {
            let Some(script) = script else {
                return Poll::Pending;
            };
            let mut script = script.borrow_mut();
            if let Some(answer) = script.answers.pop_front() {
                return Poll::Ready(answer);
            }
            script.asked = asked.take().or(script.asked.take());
            script.waits = Some(context.waker().clone());
            Poll::Pending
        })
    });
    Some(answer.boxed())
}

/// The way to Twilio.
pub(crate) struct ToTwilio(pub(crate) Simulator);

/// Hands a request to the simulator.
pub(crate) fn ask_twilio(twilio: &Simulator, request: Request<Bytes>) -> Response<Bytes> {
    match twilio.handle(request) {
        Reply::Answer(answer) => answer,
        Reply::Hang | Reply::Drop => panic!("the simulator has no faults here"),
    }
}

impl Transport for ToTwilio {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let twilio = self.0.clone();
        async move {
            let Some(answer) = scripted(|| Asked::Twilio(Box::new(request.clone()))) else {
                return Ok(ask_twilio(&twilio, request));
            };
            match answer.await {
                Answer::Twilio(answer) => Ok(answer),
                Answer::Broken | Answer::Aws { .. } => {
                    Err(TransportError::Broken("reset".to_owned()))
                }
            }
        }
        .boxed()
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
        let inner = self.0.http_connector(settings, components);
        AWS.set(Some(inner.clone()));
        SharedHttpConnector::new(Connector(inner))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.0.clone();
        HttpConnectorFuture::new(async move {
            let asked = || {
                let body = request.body().bytes().unwrap_or_default();
                Asked::Aws {
                    target: request.headers().get("x-amz-target").unwrap().to_owned(),
                    body: String::from_utf8(body.to_vec()).unwrap(),
                }
            };
            let Some(answer) = scripted(asked) else {
                return inner.call(request).await;
            };
            match answer.await {
                Answer::Aws { status, body } => {
                    let status = AwsStatus::try_from(status).unwrap();
                    let mut answer = HttpResponse::new(status, SdkBody::from(body));
                    let kind = "application/x-amz-json-1.0";
                    answer.headers_mut().insert("content-type", kind);
                    Ok(answer)
                }
                Answer::Twilio(_) | Answer::Broken => panic!("no answer of AWS"),
            }
        })
    }
}

/// Hands a request to the embedded DynamoDB.
pub(crate) async fn ask_aws(target: &str, body: &str) -> (u16, String) {
    let connector = AWS.with_borrow(Clone::clone).unwrap();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request
        .headers_mut()
        .insert("x-amz-target", target.to_owned());
    let answer = connector.call(request).await.unwrap();
    let text = answer.body().bytes().unwrap_or_default().to_vec();
    (answer.status().as_u16(), String::from_utf8(text).unwrap())
}
