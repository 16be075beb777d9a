//! The way to Twilio: the client's transport, in process, with everything that can go wrong.

mod answers;
mod effects;
mod moves;
mod mutations;
mod request;
mod rescues;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::Timestamp;
use futures::future::{BoxFuture, FutureExt as _};
use http::{Request, Response};
use simulator::Reply;
use tokio::time::sleep;
use twilio::rest::{Transport, TransportError};

use crate::borders::faults::TwilioOutcome;
use crate::report::Mutation;
use crate::report::{Law, Violation};
use crate::shared::{Caller, Shared, caller};

use mutations::Mutations;
use request::{Subject, Thing};

pub(crate) use effects::add_foreign_note;
pub(crate) use moves::add_to_task;

pub(crate) struct TwilioTransport {
    shared: Arc<Shared>,
    mutations: Mutations,
}

impl Transport for TwilioTransport {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.carry(request).boxed()
    }
}

impl TwilioTransport {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let mutations = Mutations::new(shared.mutation);
        Self { shared, mutations }
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let Some(run) = caller().run() else {
            panic!("the webhook calls Twilio");
        };
        let subject = Subject::of(&request, &self.shared.twilio.state());
        let (kind, which) = subject.counts_as();
        let checked = {
            let mut inner = self.shared.lock();
            inner.totals.requests += 1;
            let history = inner.oracle.runs.get_mut(&run);
            history.map_or(Ok(()), |history| history.asks(kind, which))
        };
        self.shared.check(checked);
        if self.mutations.halts(run) {
            return std::future::pending().await;
        }
        let (twilio_outcome, there, back) = {
            let faults = &mut self.shared.lock().faults;
            let poisoned = match &subject {
                Subject::Read(_, channel)
                | Subject::Write(_, channel)
                | Subject::NewTask(channel) => faults.poisons(channel),
                _ => false,
            };
            let twilio_outcome = faults.twilio_outcome(poisoned);
            (
                twilio_outcome,
                faults.way_to_twilio(),
                faults.way_to_twilio(),
            )
        };
        let twilio_outcome = if self.mutations.wastes(&request) {
            TwilioOutcome::Status(500)
        } else {
            twilio_outcome
        };
        sleep(there).await;
        let answer = self.meets(twilio_outcome, run, &subject, request).await;
        sleep(back).await;
        if let (Ok(answer), TwilioOutcome::Good) = (&answer, twilio_outcome) {
            self.delivered(run, &subject, answer);
        }
        if let TwilioOutcome::TooMany(retry) = twilio_outcome {
            self.patience(run, retry.asks_for());
        } else if let TwilioOutcome::Busy(seconds) = twilio_outcome {
            self.patience(run, Duration::from_secs(seconds));
        }
        answer
    }

    async fn meets(
        &self,
        twilio_outcome: TwilioOutcome,
        run: u32,
        subject: &Subject,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        if twilio_outcome != TwilioOutcome::Good {
            let mut inner = self.shared.lock();
            inner.totals.count(twilio_outcome.name());
            inner.trace(self.shared.now(), || {
                let (method, path) = (request.method(), request.uri().path());
                format!(
                    "  twilio request: {} ({method} {path})",
                    twilio_outcome.name()
                )
            });
        }
        let broken = || TransportError::Broken("reset (an injected fault)".to_owned());
        match twilio_outcome {
            TwilioOutcome::Good => self.reaches(run, subject, request).ok_or_else(broken),
            TwilioOutcome::TooMany(_) if self.shared.errs(Mutation::Unheeded429) => {
                Ok(answers::status(500, 20500, &[]))
            }
            TwilioOutcome::TooMany(retry) => Ok(answers::too_many(retry)),
            TwilioOutcome::Busy(seconds) => {
                let headers = [("retry-after", &*seconds.to_string())];
                Ok(answers::status(503, 20503, &headers))
            }
            TwilioOutcome::Status(code) => Ok(answers::status(code, 20500, &[])),
            TwilioOutcome::Refused => Ok(answers::status(400, 20001, &[])),
            TwilioOutcome::Unauthorized(code) => Ok(answers::status(code, 20003, &[])),
            TwilioOutcome::HangBefore => std::future::pending().await,
            TwilioOutcome::HangAfter => {
                self.reaches(run, subject, request);
                std::future::pending().await
            }
            TwilioOutcome::NoConnection => Err(TransportError::NoConnection("refused".to_owned())),
            TwilioOutcome::BrokenBefore => Err(broken()),
            TwilioOutcome::BrokenAfter => {
                self.reaches(run, subject, request);
                Err(broken())
            }
            TwilioOutcome::GarbageBefore => Ok(answers::garbage()),
            TwilioOutcome::GarbageAfter => {
                self.reaches(run, subject, request);
                Ok(answers::garbage())
            }
        }
    }

    /// The request has its effect at the simulated Twilio.
    fn reaches(
        &self,
        run: u32,
        subject: &Subject,
        request: Request<Bytes>,
    ) -> Option<Response<Bytes>> {
        self.shared.catch_up();
        let request = self.mutations.in_request(subject, request);
        if request.method() != http::Method::GET && matches!(caller(), Caller::Reconcile(_)) {
            let what = format!("a reconciliation writes to {}", request.uri().path());
            let checked = Violation::of(Law::NeverCloseLive, what);
            self.shared.check(Err(checked));
        }
        let parks = matches!(caller(), Caller::Park(_));
        if parks && matches!(subject, Subject::Write(..) | Subject::Session(_)) {
            let what = format!("the parking function writes to {}", request.uri().path());
            let checked = Violation::of(Law::NeverCloseLive, what);
            self.shared.check(Err(checked));
        }
        match subject {
            Subject::Write(Thing::ChatChannel, channel) => self.write(run, channel, &request),
            Subject::Write(thing, channel) => self.close(run, *thing, channel, &request),
            Subject::Session(session) => self.end_session(run, session),
            Subject::Move(task) | Subject::Webhook(task) if !parks => {
                let what = format!("a run moves or listens to {task}");
                let checked = Violation::of(Law::NeverCloseLive, what);
                self.shared.check(Err(checked));
            }
            Subject::Other if request.method() != http::Method::GET => {
                let what = format!("a run writes to {}", request.uri().path());
                let checked = Violation::of(Law::NeverCloseLive, what);
                self.shared.check(Err(checked));
            }
            Subject::Tasks(_) | Subject::Task(_) | Subject::Read(..) => {}
            Subject::Webhooks(_) | Subject::Messages(_) => {}
            Subject::NewTask(_) if !self.may_rescue() => {
                let what = format!("a run makes a task by {}", request.uri().path());
                let checked = Violation::of(Law::NeverCloseLive, what);
                self.shared.check(Err(checked));
            }
            Subject::Move(_) | Subject::Webhook(_) | Subject::NewTask(_) => {}
            Subject::Participants(_) | Subject::Service | Subject::Log | Subject::Other => {}
        }
        if let Some(feigned) = self.mutations.feigned(subject, &request) {
            return Some(feigned);
        }
        let before = self.task_now(subject);
        let waiting = self.waiting_now(subject);
        let reply = self.shared.twilio.handle(request);
        self.shared.catch_up();
        let answer = match reply {
            Reply::Answer(answer) => answer,
            Reply::Hang | Reply::Drop => return None,
        };
        if answer.status().is_success() {
            self.seen(run, subject, &answer);
            if let (Subject::Move(task), Some(before)) = (subject, before) {
                self.moved(run, task, &before);
            }
            if let (Subject::NewTask(channel), Some(waiting)) = (subject, waiting) {
                self.rescued(run, channel, &waiting);
            }
        }
        Some(self.mutations.in_answer(subject, answer))
    }

    /// Takes down what Twilio shows a sweep.
    fn seen(&self, run: u32, subject: &Subject, answer: &Response<Bytes>) {
        let mut inner = self.shared.lock();
        match subject {
            Subject::Tasks(channels) => {
                // This look cannot show what is created from now on.
                let order = inner.oracle.next();
                if let Some(history) = inner.oracle.runs.get_mut(&run) {
                    for channel in channels {
                        history.looked.insert(channel.clone(), order);
                    }
                }
            }
            Subject::Read(Thing::ChatChannel, channel) => {
                drop(inner);
                self.meddle(channel);
            }
            Subject::Read(Thing::InteractionChannel, conversation) => {
                let status = body(answer)["status"].as_str().map(str::to_owned);
                if let (Some(history), Some(status)) = (inner.oracle.runs.get_mut(&run), status) {
                    history.interactions.insert(conversation.clone(), status);
                }
            }
            Subject::Webhooks(channel) => {
                let program = self.has_program(channel);
                if let Some(history) = inner.oracle.runs.get_mut(&run) {
                    history.programs.insert(channel.clone(), program);
                }
            }
            Subject::Messages(channel) => {
                let newest = newest_message(&body(answer));
                if let (Some(history), Some(at)) = (inner.oracle.runs.get_mut(&run), newest) {
                    history.newest.insert(channel.clone(), at);
                }
            }
            Subject::Participants(conversation) => {
                let participants = answers::list(answer, "participants");
                let agent = participants.iter().any(|one| one["identity"].is_string());
                if let Some(history) = inner.oracle.runs.get_mut(&run) {
                    history.agents.insert(conversation.clone(), agent);
                }
            }
            Subject::Read(Thing::Conversation, conversation) => {
                if let Some(history) = inner.oracle.runs.get_mut(&run) {
                    history.conversations.insert(conversation.clone());
                }
            }
            Subject::Task(task) if matches!(caller(), Caller::Park(_)) => {
                drop(inner);
                self.meddle_with_task(task);
            }
            Subject::Task(_) | Subject::Write(..) | Subject::Session(_) => {}
            Subject::NewTask(_) | Subject::Move(_) | Subject::Webhook(_) => {}
            Subject::Service | Subject::Log | Subject::Other => {}
        }
    }

    /// An answer got to the sweep.
    fn delivered(&self, run: u32, subject: &Subject, answer: &Response<Bytes>) {
        let Subject::Read(Thing::ChatChannel, channel) = subject else {
            return;
        };
        let body = body(answer);
        let Some(text) = body["attributes"].as_str() else {
            return;
        };
        self.mutations.remember(run, channel, text);
        let mut inner = self.shared.lock();
        if let Some(history) = inner.oracle.runs.get_mut(&run) {
            history.texts.insert(channel.clone(), text.to_owned());
        }
    }

    fn patience(&self, run: u32, wait: Duration) {
        let mut inner = self.shared.lock();
        if let Some(history) = inner.oracle.runs.get_mut(&run) {
            history.is_asked_for_patience(wait);
        }
    }
}

fn body(answer: &Response<Bytes>) -> serde_json::Value {
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

/// Returns when the newest message of a list was written.
fn newest_message(body: &serde_json::Value) -> Option<Timestamp> {
    let messages = body["messages"].as_array()?.iter();
    let created = messages.filter_map(|message| message["date_created"].as_str()?.parse().ok());
    let newest: jiff::Timestamp = created.max()?;
    Some(Timestamp::from_millis(newest.as_millisecond()))
}
