//! The line to Twilio: the client's transport, in process, with everything that can go wrong.

mod about;
mod answers;
mod effects;
mod mistakes;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use http::{Request, Response};
use simulator::Reply;
use tokio::time::sleep;
use twilio::rest::{Transport, TransportError};

use super::law::{Law, Violation};
use super::mutation::Mutation;
use super::stage::{Stage, Who, who};
use super::weather::Fate;

use about::{About, Thing};
use mistakes::Mistakes;

pub(super) use effects::somebody_writes;

/// Where all of Twilio is, as far as the client knows. Nothing listens there.
pub(super) const BASE: &str = "http://twilio.invalid";

pub(super) struct Line {
    stage: Arc<Stage>,
    mistakes: Mistakes,
}

impl Transport for Line {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.carry(request).boxed()
    }
}

impl Line {
    pub(super) fn new(stage: Arc<Stage>) -> Self {
        let mistakes = Mistakes::new(stage.mutation);
        Self { stage, mistakes }
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let Some(sweep) = who().run() else {
            panic!("only a sweep or a reconciliation calls Twilio");
        };
        let about = About::of(&request, &self.stage.twilio.state());
        let (kind, which) = about.counts_as();
        let verdict = {
            let mut inner = self.stage.lock();
            inner.totals.requests += 1;
            let book = inner.books.sweeps.get_mut(&sweep);
            book.map_or(Ok(()), |book| book.asks(kind, which))
        };
        self.stage.judge(verdict);
        if self.mistakes.halts(sweep) {
            return std::future::pending().await;
        }
        let (fate, there, back) = {
            let weather = &mut self.stage.lock().weather;
            let poisoned = match &about {
                About::Read(_, channel) | About::Write(_, channel) => weather.poisons(channel),
                _ => false,
            };
            let fate = weather.fate(poisoned);
            (fate, weather.way_to_twilio(), weather.way_to_twilio())
        };
        let fate = if self.mistakes.wastes(&request) {
            Fate::Status(500)
        } else {
            fate
        };
        sleep(there).await;
        let answer = self.meets(fate, sweep, &about, request).await;
        sleep(back).await;
        if let (Ok(answer), Fate::Good) = (&answer, fate) {
            self.delivered(sweep, &about, answer);
        }
        if let Fate::TooMany(retry) = fate {
            self.patience(sweep, retry.asks_for());
        } else if let Fate::Busy(seconds) = fate {
            self.patience(sweep, Duration::from_secs(seconds));
        }
        answer
    }

    async fn meets(
        &self,
        fate: Fate,
        sweep: u32,
        about: &About,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        if fate != Fate::Good {
            let mut inner = self.stage.lock();
            inner.totals.count(fate.name());
            inner.tell(self.stage.now(), || {
                let (method, path) = (request.method(), request.uri().path());
                format!("  line: {} ({method} {path})", fate.name())
            });
        }
        let broken = || TransportError::Broken("reset (an injected fault)".to_owned());
        match fate {
            Fate::Good => self.reaches(sweep, about, request).ok_or_else(broken),
            Fate::TooMany(_) if self.stage.errs(Mutation::Unheeded429) => {
                Ok(answers::status(500, 20500, &[]))
            }
            Fate::TooMany(retry) => Ok(answers::too_many(retry)),
            Fate::Busy(seconds) => {
                let headers = [("retry-after", &*seconds.to_string())];
                Ok(answers::status(503, 20503, &headers))
            }
            Fate::Status(code) => Ok(answers::status(code, 20500, &[])),
            Fate::Refused => Ok(answers::status(400, 20001, &[])),
            Fate::Unauthorized(code) => Ok(answers::status(code, 20003, &[])),
            Fate::HangBefore => std::future::pending().await,
            Fate::HangAfter => {
                self.reaches(sweep, about, request);
                std::future::pending().await
            }
            Fate::NoConnection => Err(TransportError::NoConnection("refused".to_owned())),
            Fate::BrokenBefore => Err(broken()),
            Fate::BrokenAfter => {
                self.reaches(sweep, about, request);
                Err(broken())
            }
            Fate::GarbageBefore => Ok(answers::garbage()),
            Fate::GarbageAfter => {
                self.reaches(sweep, about, request);
                Ok(answers::garbage())
            }
        }
    }

    /// The request has its effect at the pretend Twilio.
    fn reaches(
        &self,
        sweep: u32,
        about: &About,
        request: Request<Bytes>,
    ) -> Option<Response<Bytes>> {
        self.stage.catch_up();
        let request = self.mistakes.in_request(about, request);
        if request.method() != http::Method::GET && matches!(who(), Who::Reconcile(_)) {
            let what = format!("a reconciliation writes to {}", request.uri().path());
            let verdict = Violation::of(Law::NeverCloseLive, what);
            self.stage.judge(Err(verdict));
        }
        match about {
            About::Write(Thing::ChatChannel, channel) => self.write(sweep, channel, &request),
            About::Write(thing, channel) => self.close(sweep, *thing, channel, &request),
            About::Session(session) => self.end_session(sweep, session),
            About::Other if request.method() != http::Method::GET => {
                let what = format!("a sweep writes to {}", request.uri().path());
                let verdict = Violation::of(Law::NeverCloseLive, what);
                self.stage.judge(Err(verdict));
            }
            About::Tasks | About::Task(_) | About::Read(..) => {}
            About::Service | About::Log | About::Flows | About::Other => {}
        }
        if let Some(feigned) = self.mistakes.feigned(about, request.uri().path()) {
            return Some(feigned);
        }
        let reply = self.stage.twilio.handle(request);
        self.stage.catch_up();
        let answer = match reply {
            Reply::Answer(answer) => answer,
            Reply::Hang | Reply::Drop => return None,
        };
        if answer.status().is_success() {
            self.seen(sweep, about, &answer);
        }
        Some(self.mistakes.in_answer(about, answer))
    }

    /// Takes down what Twilio shows a sweep.
    fn seen(&self, sweep: u32, about: &About, answer: &Response<Bytes>) {
        let mut inner = self.stage.lock();
        match about {
            About::Tasks => {
                // What is created from now on, this look cannot show.
                let order = inner.books.next();
                if let Some(book) = inner.books.sweeps.get_mut(&sweep) {
                    book.looked = Some(order);
                }
            }
            About::Read(Thing::ChatChannel, channel) => {
                drop(inner);
                self.meddle(channel);
            }
            About::Read(Thing::InteractionChannel, conversation) => {
                let status = body(answer)["status"].as_str().map(str::to_owned);
                if let (Some(book), Some(status)) = (inner.books.sweeps.get_mut(&sweep), status) {
                    book.interactions.insert(conversation.clone(), status);
                }
            }
            About::Read(Thing::Conversation, conversation) => {
                if let Some(book) = inner.books.sweeps.get_mut(&sweep) {
                    book.conversations.insert(conversation.clone());
                }
            }
            About::Task(_) | About::Write(..) | About::Session(_) => {}
            About::Service | About::Log | About::Flows | About::Other => {}
        }
    }

    /// An answer got to the sweep.
    fn delivered(&self, sweep: u32, about: &About, answer: &Response<Bytes>) {
        let About::Read(Thing::ChatChannel, channel) = about else {
            return;
        };
        let body = body(answer);
        let Some(text) = body["attributes"].as_str() else {
            return;
        };
        self.mistakes.remember(sweep, channel, text);
        let mut inner = self.stage.lock();
        if let Some(book) = inner.books.sweeps.get_mut(&sweep) {
            book.texts.insert(channel.clone(), text.to_owned());
        }
    }

    fn patience(&self, sweep: u32, wait: Duration) {
        let mut inner = self.stage.lock();
        if let Some(book) = inner.books.sweeps.get_mut(&sweep) {
            book.is_asked_for_patience(wait);
        }
    }
}

fn body(answer: &Response<Bytes>) -> serde_json::Value {
    serde_json::from_slice(answer.body()).unwrap_or_default()
}
