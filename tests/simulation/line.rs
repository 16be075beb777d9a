//! The line to Twilio: the client's transport, in process, with everything that can go wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use http::{Request, Response};
use simulator::state::attributes;
use simulator::state::chat::ChannelChange;
use simulator::{Reply, Sid, Webhooks};
use tokio::time::sleep;
use twilio::rest::{Transport, TransportError};

use super::books::{Race, Write};
use super::mutation::Mutation;
use super::stage::{Stage, Who, who};
use super::weather::{Fate, RetryAfter};

/// Where all of Twilio is, as far as the client knows. Nothing listens there.
pub(super) const BASE: &str = "http://twilio.invalid";

pub(super) struct Line {
    stage: Arc<Stage>,
    /// For mistakes that repeat what was seen before: the first text of each channel.
    first_texts: Mutex<BTreeMap<String, String>>,
    /// For the mistake by which a damaged channel brings everything to a halt.
    halted: Mutex<Option<u32>>,
    /// For the mistake by which every first try fails.
    tried: Mutex<Option<String>>,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    /// The open tasks; those of some channels if it names any.
    Tasks,
    /// One task.
    Task,
    /// A channel is read.
    Channel(String),
    /// A channel is written to or deleted.
    Write(String),
    /// A Proxy session is ended.
    Session(String),
    Other,
}

impl About {
    fn of(request: &Request<Bytes>) -> Self {
        let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
        let reads = request.method() == http::Method::GET;
        match path.as_slice() {
            ["taskrouter", _, _, _, "Tasks"] => Self::Tasks,
            ["taskrouter", _, _, _, "Tasks", _] => Self::Task,
            ["chat", _, _, _, "Channels", channel] if reads => Self::Channel((*channel).to_owned()),
            ["chat", _, _, _, "Channels", channel] => Self::Write((*channel).to_owned()),
            ["proxy", _, _, _, "Sessions", session] if !reads => {
                Self::Session((*session).to_owned())
            }
            _ => Self::Other,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Tasks => "lists",
            Self::Task => "tasks",
            Self::Channel(_) => "reads",
            Self::Write(_) => "writes",
            Self::Session(_) => "sessions",
            Self::Other => "others",
        }
    }
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
        Self {
            stage,
            first_texts: Mutex::default(),
            halted: Mutex::default(),
            tried: Mutex::default(),
        }
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let Who::Sweep(sweep) = who() else {
            panic!("only a sweep calls Twilio");
        };
        let about = About::of(&request);
        let verdict = {
            let mut inner = self.stage.lock();
            let book = inner.books.sweeps.get_mut(&sweep);
            book.map_or(Ok(()), |book| book.asks(about.kind()))
        };
        self.stage.judge(verdict);
        if self.halts(sweep) {
            return std::future::pending().await;
        }
        let (fate, there, back) = {
            let weather = &mut self.stage.lock().weather;
            let fate = weather.fate(request.uri().path());
            (fate, weather.way_to_twilio(), weather.way_to_twilio())
        };
        let fate = if self.wastes(&request) {
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
            let line = format!(
                "  line: {} ({} {})",
                fate.name(),
                request.method(),
                request.uri().path()
            );
            let mut inner = self.stage.lock();
            inner.totals.count(fate.name());
            inner.tell(self.stage.now(), || line);
        }
        let broken = || TransportError::Broken("reset (an injected fault)".to_owned());
        match fate {
            Fate::Good => self.reaches(sweep, about, request).ok_or_else(broken),
            Fate::TooMany(_) if self.stage.errs(Mutation::Unheeded429) => {
                Ok(status(500, 20500, &[]))
            }
            Fate::TooMany(retry) => Ok(too_many(retry)),
            Fate::Busy(seconds) => Ok(status(503, 20503, &[("retry-after", &seconds.to_string())])),
            Fate::Status(code) => Ok(status(code, 20500, &[])),
            Fate::Unauthorized => Ok(status(401, 20003, &[])),
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
            Fate::GarbageBefore => Ok(garbage()),
            Fate::GarbageAfter => {
                self.reaches(sweep, about, request);
                Ok(garbage())
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
        let request = self.mistaken(about, request);
        match about {
            About::Write(channel) => self.write(sweep, channel, &request),
            About::Session(session) => self.end_session(sweep, session),
            About::Tasks | About::Task | About::Channel(_) | About::Other => {}
        }
        let blind = match about {
            About::Tasks => self.stage.errs(Mutation::BlindLook),
            About::Task => self.stage.errs(Mutation::ForgottenTasks),
            _ => false,
        };
        let reply = self.stage.twilio.handle(request);
        self.stage.catch_up();
        let answer = match reply {
            Reply::Answer(_) if blind && *about == About::Task => status(404, 20404, &[]),
            Reply::Answer(answer) if blind => no_tasks(&answer),
            Reply::Answer(answer) => answer,
            Reply::Hang | Reply::Drop => return None,
        };
        let mut inner = self.stage.lock();
        if *about == About::Tasks && answer.status().is_success() {
            // What is created from now on, this look cannot show.
            let order = inner.books.next();
            if let Some(book) = inner.books.sweeps.get_mut(&sweep) {
                book.looked = Some(order);
            }
        }
        drop(inner);
        if let About::Channel(channel) = about
            && answer.status().is_success()
        {
            self.meddle(channel);
        }
        Some(answer)
    }

    /// An answer got to the sweep.
    fn delivered(&self, sweep: u32, about: &About, answer: &Response<Bytes>) {
        let About::Channel(channel) = about else {
            return;
        };
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(answer.body()) else {
            return;
        };
        let Some(text) = body["attributes"].as_str() else {
            return;
        };
        lock(&self.first_texts)
            .entry(channel.clone())
            .or_insert_with(|| text.to_owned());
        if text.starts_with('[') && self.stage.errs(Mutation::PoisonSpreads) {
            *lock(&self.halted) = Some(sweep);
        }
        let mut inner = self.stage.lock();
        if let Some(book) = inner.books.sweeps.get_mut(&sweep) {
            book.texts.insert(channel.clone(), text.to_owned());
        }
    }

    fn write(&self, sweep: u32, channel: &str, request: &Request<Bytes>) {
        let Ok(sid) = channel.parse::<Sid>() else {
            return;
        };
        let form: BTreeMap<String, String> = form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let (open, present) = {
            let state = self.stage.twilio.state();
            let open: Vec<String> = state
                .open_tasks_on(sid)
                .map(|task| task.sid.to_string())
                .collect();
            (
                open,
                state.channel(sid).map(|channel| channel.attributes.clone()),
            )
        };
        let header = request.headers().get("x-twilio-webhook-enabled");
        let write = Write {
            channel,
            attributes: form.get("Attributes").map(String::as_str),
            asks_for_webhooks: header.is_some_and(|value| value == "true"),
            open: &open,
            present: present.as_deref(),
        };
        let now = self.stage.now();
        let verdict = self.stage.lock().books.written(sweep, now, &write);
        let races = match verdict {
            Ok(races) => races,
            Err(violation) => return self.stage.judge(Err(violation)),
        };
        let mut inner = self.stage.lock();
        let totals = &mut inner.totals;
        for race in races {
            match race {
                Race::WithTask(age) => {
                    totals.count("race with a task");
                    totals.at_most("race with a task", age);
                }
                Race::WithWriter => totals.count("race with another writer"),
            }
        }
        let long_lived = write.attributes.is_some_and(|text| text.contains("true"));
        if long_lived {
            totals.releases += 1;
        } else {
            totals.closes += 1;
        }
        inner.tell(now, || {
            format!("sweep {sweep} writes to {channel}: {:?}", write.attributes)
        });
    }

    fn end_session(&self, sweep: u32, session: &str) {
        let Ok(sid) = session.parse::<Sid>() else {
            return;
        };
        let found = {
            let state = self.stage.twilio.state();
            let channel = state
                .session(sid)
                .and_then(|session| session.unique_name.clone());
            let channel = channel.and_then(|name| name.get(..34)?.parse::<Sid>().ok());
            channel.map(|channel| {
                let open = state
                    .open_tasks_on(channel)
                    .map(|task| task.sid.to_string());
                (channel.to_string(), open.collect::<Vec<_>>())
            })
        };
        let Some((channel, open)) = found else { return };
        let now = self.stage.now();
        let verdict = self.stage.lock().books.live(sweep, now, &channel, &open);
        self.stage
            .tell(|| format!("sweep {sweep} ends the session of {channel}"));
        match verdict {
            Ok(races) if races.is_empty() => self.stage.lock().totals.count("sessions ended"),
            Ok(_) => self
                .stage
                .lock()
                .totals
                .count("session ended under a new task"),
            Err(violation) => self.stage.judge(Err(violation)),
        }
    }

    /// Somebody else writes to the channel that was read just now.
    fn meddle(&self, channel: &str) {
        let chance = self.stage.script.meddling;
        let number = {
            let weather = &mut self.stage.lock().weather;
            if weather.calm || !weather.happens(chance) {
                return;
            }
            weather.rng.u32(..)
        };
        let Ok(sid) = channel.parse::<Sid>() else {
            return;
        };
        somebody_writes(&self.stage, sid, number);
    }

    fn patience(&self, sweep: u32, wait: Duration) {
        let mut inner = self.stage.lock();
        if let Some(book) = inner.books.sweeps.get_mut(&sweep) {
            book.is_asked_for_patience(wait);
        }
    }

    /// The request, with the mistake that is to be made.
    fn mistaken(&self, about: &About, mut request: Request<Bytes>) -> Request<Bytes> {
        let About::Write(channel) = about else {
            return request;
        };
        if self.stage.errs(Mutation::SilentWrites) {
            request.headers_mut().remove("x-twilio-webhook-enabled");
        }
        let form: BTreeMap<String, String> = form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let Some(text) = form.get("Attributes") else {
            return request;
        };
        let texts = lock(&self.first_texts);
        let other = texts
            .iter()
            .find(|(sid, _)| *sid != channel)
            .map(|(_, text)| text);
        let inactive = |text: &str| attributes::with(text, "status", "\"INACTIVE\"");
        let text = if self.stage.errs(Mutation::StaleText) {
            texts.get(channel).map(|text| inactive(text))
        } else if self.stage.errs(Mutation::OtherChannelsText) {
            other.map(|text| inactive(text))
        } else if self.stage.errs(Mutation::FloatText) {
            serde_json::from_str::<serde_json::Value>(text)
                .ok()
                .map(|value| value.to_string())
        } else {
            None
        };
        if let Some(text) = text {
            let mut form = form_urlencoded::Serializer::new(String::new());
            *request.body_mut() = form.append_pair("Attributes", &text).finish().into();
        }
        request
    }

    fn halts(&self, sweep: u32) -> bool {
        *lock(&self.halted) == Some(sweep)
    }

    fn wastes(&self, request: &Request<Bytes>) -> bool {
        if !self.stage.errs(Mutation::WastefulCalls) || request.method() != http::Method::GET {
            return false;
        }
        let path = request.uri().to_string();
        let mut tried = lock(&self.tried);
        let again = tried.as_deref() == Some(&path);
        *tried = (!again).then_some(path);
        !again
    }
}

/// Somebody's own software adds an attribute to a channel, reading and writing at once.
pub(super) fn somebody_writes(stage: &Stage, channel: Sid, number: u32) {
    let written = {
        let mut state = stage.twilio.state();
        let Some(text) = state
            .channel(channel)
            .map(|channel| channel.attributes.clone())
        else {
            return;
        };
        let change = ChannelChange {
            attributes: Some(attributes::with(&text, "crm_note", &number.to_string())),
            ..ChannelChange::default()
        };
        state.update_channel(channel, Webhooks::Disabled, change)
    };
    if written.is_ok() {
        let mut inner = stage.lock();
        inner.totals.count("writes by others");
        inner.tell(stage.now(), || {
            format!("somebody writes note {number} to {channel}")
        });
    }
}

fn status(code: u16, twilio: u32, headers: &[(&str, &str)]) -> Response<Bytes> {
    let mut response = Response::builder().status(code);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let body =
        serde_json::json!({ "code": twilio, "message": "an injected fault", "status": code });
    response.body(body.to_string().into()).unwrap()
}

fn too_many(retry: RetryAfter) -> Response<Bytes> {
    let date = |second: u64| {
        format!(
            "Sun, 06 Nov 1994 08:{:02}:{:02} GMT",
            second / 60,
            second % 60
        )
    };
    match retry {
        RetryAfter::Absent => status(429, 20429, &[]),
        RetryAfter::Seconds(seconds) => {
            status(429, 20429, &[("retry-after", &seconds.to_string())])
        }
        RetryAfter::Nonsense(text) => status(429, 20429, &[("retry-after", text)]),
        RetryAfter::Date(seconds) => status(
            429,
            20429,
            &[("retry-after", &date(seconds)), ("date", &date(0))],
        ),
    }
}

fn garbage() -> Response<Bytes> {
    Response::new(Bytes::from_static(b"<html>an injected fault</html>"))
}

fn no_tasks(answer: &Response<Bytes>) -> Response<Bytes> {
    let mut body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    body["tasks"] = serde_json::Value::Array(Vec::new());
    Response::new(body.to_string().into())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap()
}
