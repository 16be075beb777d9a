//! A transport that answers from a script and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use secrecy::SecretString;
use twilio::rest::{Client, Credentials, Hosts, Limits, Transport, TransportError};

/// The fate of one request.
pub(crate) enum Step {
    /// It is answered, with this status, these headers and this body.
    Answer(u16, &'static [(&'static str, &'static str)], String),
    /// It is answered after a while.
    Later(Duration, u16),
    /// It breaks.
    Break,
    /// Nothing ever comes.
    Hang,
}

pub(crate) fn ok(body: impl Into<String>) -> Step {
    Step::Answer(200, &[], body.into())
}

pub(crate) fn status(status: u16) -> Step {
    Step::Answer(status, &[], String::new())
}

pub(crate) fn refusal(status: u16, code: u32) -> Step {
    let words = "+15550100123 was here";
    let body = format!(r#"{{"code":{code},"message":"{words}","status":{status}}}"#);
    Step::Answer(status, &[], body)
}

/// A client of Twilio's own hosts, over this transport.
pub(crate) fn client_over(transport: Arc<dyn Transport>, limits: Limits) -> Client {
    let key = format!("SK{}", "0".repeat(32));
    let credentials = Credentials::api_key(&key, &SecretString::from("s3cr3t")).unwrap();
    let limits = Limits {
        jitter_seed: Some(7),
        ..limits
    };
    Client::new(credentials, Hosts::default(), limits, transport)
}

/// The requests.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Method, URL and body.
    pub(crate) line: String,
    pub(crate) headers: http::HeaderMap,
}

#[derive(Default)]
pub(crate) struct Script {
    steps: Mutex<VecDeque<Step>>,
    asked: Mutex<Vec<Asked>>,
    /// Requests under way, now and at most.
    busy: Mutex<(usize, usize)>,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Arc::new(Self {
            steps: Mutex::new(steps.into_iter().collect()),
            ..Self::default()
        })
    }

    pub(crate) fn client(self: &Arc<Self>) -> Client {
        self.client_with(Limits::default())
    }

    pub(crate) fn client_with(self: &Arc<Self>, limits: Limits) -> Client {
        client_over(Arc::clone(self) as _, limits)
    }

    /// Returns the requests so far, one line each.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|asked| asked.line.clone()).collect()
    }

    pub(crate) fn headers(&self, of: usize) -> http::HeaderMap {
        self.asked.lock().unwrap()[of].headers.clone()
    }

    /// Returns the most requests that were under way at once.
    pub(crate) fn busiest(&self) -> usize {
        self.busy.lock().unwrap().1
    }

    /// Nothing of the script is left over.
    pub(crate) fn finish(&self) {
        assert_eq!(self.steps.lock().unwrap().len(), 0, "{:?}", self.asked());
    }
}

struct Busy<'a>(&'a Script);

impl<'a> Busy<'a> {
    fn new(script: &'a Script) -> Self {
        let mut busy = script.busy.lock().unwrap();
        busy.0 += 1;
        busy.1 = busy.1.max(busy.0);
        Self(script)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.lock().unwrap().0 -= 1;
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let line = format!("{} {} {body}", request.method(), request.uri());
        self.asked.lock().unwrap().push(Asked {
            line: line.trim_end().to_owned(),
            headers: request.headers().clone(),
        });
        let step = self.steps.lock().unwrap().pop_front();
        async move {
            let _busy = Busy::new(self);
            match step.unwrap_or_else(|| panic!("not in the script: {line}")) {
                Step::Answer(status, headers, body) => {
                    let mut response = Response::builder().status(status);
                    for (name, value) in headers {
                        response = response.header(*name, *value);
                    }
                    Ok(response.body(Bytes::from(body)).unwrap())
                }
                Step::Later(wait, status) => {
                    tokio::time::sleep(wait).await;
                    Ok(Response::builder()
                        .status(status)
                        .body(Bytes::from("{}"))
                        .unwrap())
                }
                Step::Break => Err(TransportError::Broken("reset".to_owned())),
                Step::Hang => std::future::pending().await,
            }
        }
        .boxed()
    }
}
