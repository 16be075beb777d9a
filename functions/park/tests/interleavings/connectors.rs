//! The connectors between the parking function and the outside. They go straight through, or
//! they play a script: the answers so far, up to the first request that has none.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::task::Poll;

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
use futures::future::BoxFuture;
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
}

thread_local! {
    /// Nothing where requests go straight through.
    static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
    /// The way to the embedded AWS that the SDK was given.
    static AWS: RefCell<Option<SharedHttpConnector>> = const { RefCell::new(None) };
}

/// Runs an actor over the answers that it got so far. Returns its next request; nothing if it
/// came to its end.
pub(crate) async fn play(
    actor: impl Future<Output = ()>,
    answers: impl IntoIterator<Item = Answer>,
) -> Option<Asked> {
    let script = Script {
        answers: answers.into_iter().collect(),
        asked: None,
    };
    SCRIPT.set(Some(script));
    let asked = poll_fn(|_| {
        let asked = SCRIPT.with_borrow_mut(|script| script.as_mut()?.asked.take());
        asked.map_or(Poll::Pending, Poll::Ready)
    });
    let next = tokio::select! {
        biased;
        () = actor => None,
        asked = asked => Some(asked),
    };
    SCRIPT.set(None);
    next
}

/// Returns the scripted answer; nothing where there is no script. Waits for ever once the script
/// is over.
async fn scripted(asked: impl FnOnce() -> Asked) -> Option<Answer> {
    let answer = SCRIPT.with_borrow_mut(|script| {
        let script = script.as_mut()?;
        let answer = script.answers.pop_front();
        if answer.is_none() {
            script.asked = Some(asked());
        }
        Some(answer)
    })?;
    match answer {
        Some(answer) => Some(answer),
        None => pending().await,
    }
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
            match scripted(|| Asked::Twilio(Box::new(request.clone()))).await {
                None => Ok(ask_twilio(&twilio, request)),
                Some(Answer::Twilio(answer)) => Ok(answer),
                Some(Answer::Broken | Answer::Aws { .. }) => {
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
            match scripted(asked).await {
                None => inner.call(request).await,
                Some(Answer::Aws { status, body }) => {
                    let status = AwsStatus::try_from(status).unwrap();
                    let mut answer = HttpResponse::new(status, SdkBody::from(body));
                    let kind = "application/x-amz-json-1.0";
                    answer.headers_mut().insert("content-type", kind);
                    Ok(answer)
                }
                Some(Answer::Twilio(_) | Answer::Broken) => panic!("no answer of AWS"),
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
