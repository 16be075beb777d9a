//! Mutations of requests to Twilio and of its answers.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{HeaderValue, IF_MATCH};
use http::{Request, Response};
use serde_json::{Value, json};
use simulator::state::attributes;

use crate::report::Mutation;

use super::answers;
use super::request::{Subject, Thing};

/// The state of a mutation.
#[derive(Default)]
pub(crate) struct Mutations {
    mutation: Option<Mutation>,
    /// The first text of each channel, for what repeats what was seen before.
    first_texts: Mutex<BTreeMap<String, String>>,
    /// The sweep that a damaged channel brought to a halt.
    halted: Mutex<Option<u32>>,
    /// The request that was tried once, where every first try fails.
    tried: Mutex<Option<String>>,
}

impl Mutations {
    pub(crate) fn new(mutation: Option<Mutation>) -> Self {
        Self {
            mutation,
            ..Self::default()
        }
    }

    /// Returns the request as the mutation changes it.
    pub(crate) fn in_request(
        &self,
        subject: &Subject,
        mut request: Request<Bytes>,
    ) -> Request<Bytes> {
        let Some(mutation) = self.mutation else {
            return request;
        };
        match (subject, mutation) {
            (Subject::Tasks(_), Mutation::HalfAQuestion) => {
                let uri = request.uri().to_string();
                let asks_one = uri.split("%20OR%20conversationSid").next();
                if let Some(uri) = asks_one.and_then(|uri| uri.parse().ok()) {
                    *request.uri_mut() = uri;
                }
                request
            }
            (Subject::Write(..), Mutation::SilentWrites) => {
                request.headers_mut().remove("x-twilio-webhook-enabled");
                request
            }
            (Subject::Move(_), Mutation::MovesAnyVersion) => {
                request.headers_mut().remove(IF_MATCH);
                request
            }
            (Subject::Move(_), Mutation::MovesInSilence) => {
                let body = String::from_utf8_lossy(request.body());
                let body = body.replace("%22inactive%22%3A1", "%22inactive%22%3A0");
                *request.body_mut() = Bytes::from(body);
                request
            }
            (Subject::Move(_), Mutation::NoWayBack) => {
                let body = String::from_utf8_lossy(request.body());
                if body.contains("%22inactive%22%3A0") {
                    let version = HeaderValue::from_static("\"0\"");
                    request.headers_mut().insert(IF_MATCH, version);
                }
                request
            }
            (Subject::Write(Thing::ChatChannel, channel), _) => {
                self.in_attributes(mutation, channel, request)
            }
            _ => request,
        }
    }

    fn in_attributes(
        &self,
        mutation: Mutation,
        channel: &str,
        mut request: Request<Bytes>,
    ) -> Request<Bytes> {
        let form: BTreeMap<String, String> = form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let Some(text) = form.get("Attributes") else {
            return request;
        };
        let texts = lock(&self.first_texts);
        let other = texts.iter().find(|(sid, _)| *sid != channel);
        let inactive = |text: &String| attributes::with(text, "status", "\"INACTIVE\"");
        let text = match mutation {
            Mutation::StaleText => texts.get(channel).map(inactive),
            Mutation::OtherChannelsText => other.map(|(_, text)| inactive(text)),
            Mutation::FloatText => serde_json::from_str::<serde_json::Value>(text)
                .ok()
                .map(|value| value.to_string()),
            _ => None,
        };
        if let Some(text) = text {
            let mut form = form_urlencoded::Serializer::new(String::new());
            *request.body_mut() = form.append_pair("Attributes", &text).finish().into();
        }
        request
    }

    /// The answer that is given instead, if the request is only said to have been done.
    pub(crate) fn feigned(
        &self,
        subject: &Subject,
        request: &Request<Bytes>,
    ) -> Option<Response<Bytes>> {
        let body = match (subject, self.mutation?) {
            (Subject::Write(Thing::InteractionChannel, _), Mutation::HalfClosed) => {
                let sid = request.uri().path().rsplit('/').next();
                json!({ "sid": sid, "status": "closed" })
            }
            (Subject::NewTask(_), Mutation::NothingRescued) => {
                let task = format!("WT{:032x}", 1);
                let properties = json!({ "sid": task });
                json!({ "sid": task, "routing": { "properties": properties } })
            }
            _ => return None,
        };
        Some(Response::new(body.to_string().into()))
    }

    /// Returns the answer as the mutation changes it.
    pub(crate) fn in_answer(&self, subject: &Subject, answer: Response<Bytes>) -> Response<Bytes> {
        match (subject, self.mutation) {
            (Subject::Task(_), Some(Mutation::ForgottenTasks)) => answers::status(404, 20404, &[]),
            (Subject::Tasks(_), Some(Mutation::BlindLook)) => {
                answers::with(&answer, "tasks", json!([]))
            }
            (Subject::Log, Some(Mutation::EmptyLog)) => answers::with(&answer, "events", json!([])),
            (Subject::Webhooks(_), Some(Mutation::UnseenBots)) => {
                answers::with(&answer, "webhooks", json!([]))
            }
            (Subject::Webhooks(_), Some(Mutation::OnlyStudioCounts)) => {
                let webhooks = answers::list(&answer, "webhooks");
                let is_studio = |one: &Value| one["type"] == "studio" || one["target"] == "studio";
                let shown = webhooks.into_iter().filter(is_studio).collect();
                answers::with(&answer, "webhooks", shown)
            }
            (Subject::Messages(_), Some(Mutation::UnreadMessages)) => {
                let mut messages = answers::list(&answer, "messages");
                for message in &mut messages {
                    message["date_created"] = "2025-01-01T00:00:00Z".into();
                }
                answers::with(&answer, "messages", messages.into())
            }
            (Subject::Participants(_), Some(Mutation::AgentEverywhere)) => {
                let mut present = answers::list(&answer, "participants");
                if let Some(mut agent) = present.first().cloned() {
                    agent["identity"] = "jo_40example_2Ecom".into();
                    agent["messaging_binding"] = Value::Null;
                    present.push(agent);
                }
                answers::with(&answer, "participants", present.into())
            }
            (Subject::Read(Thing::InteractionChannel, _), Some(Mutation::LeftIsOver))
                if answer.status().is_success() =>
            {
                answers::with(&answer, "status", json!("closed"))
            }
            _ => answer,
        }
    }

    /// A channel's attributes got to a sweep.
    pub(crate) fn remember(&self, run: u32, channel: &str, text: &str) {
        lock(&self.first_texts)
            .entry(channel.to_owned())
            .or_insert_with(|| text.to_owned());
        if text.starts_with('[') && self.mutation == Some(Mutation::PoisonSpreads) {
            *lock(&self.halted) = Some(run);
        }
    }

    pub(crate) fn halts(&self, run: u32) -> bool {
        *lock(&self.halted) == Some(run)
    }

    pub(crate) fn wastes(&self, request: &Request<Bytes>) -> bool {
        if self.mutation != Some(Mutation::WastefulCalls) || request.method() != http::Method::GET {
            return false;
        }
        let path = request.uri().to_string();
        let mut tried = lock(&self.tried);
        let again = tried.as_deref() == Some(&path);
        *tried = (!again).then_some(path);
        !again
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
