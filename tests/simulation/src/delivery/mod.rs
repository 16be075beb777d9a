//! Event Streams: how what happened is told to the webhook, or is not.
//!
//! An event is sent at least once, in no order, alone or with others, seconds or hours late;
//! it is sent again for four hours while it is answered with 429, 5xx or nothing, and is
//! dropped for ever on any other 4xx. Some events are lost altogether.

mod forgery;
mod messages;
mod mutations;

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use fastrand::Rng;
use http::Request;
use serde_json::Value;
use simulator::stream::{self, Delivery, Order, Shapes};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use world::WEBHOOK;

use crate::functions::{Death, Deployment, End, invoke};
use crate::oracle::Message;
use crate::report::Mutation;
use crate::report::{Law, Violation};
use crate::shared::Caller;

/// The time for which Twilio waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The time for which Twilio sends an event again.
const GIVES_UP_AFTER: Duration = Duration::from_secs(4 * 3600);

/// The longest invocation of the webhook, as deployed.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct EventStreams {
    pub(crate) rng: Rng,
    /// Events that are sent later, with the time.
    late: Vec<(Timestamp, Value)>,
    /// The events that are never sent, by task.
    silences: std::collections::BTreeMap<String, Silence>,
    pub(crate) under_way: JoinSet<()>,
}

/// The events of a task that are never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    None,
    /// Its creation.
    Created,
    /// All but its end.
    AllButEnd,
    /// Its end.
    End,
    /// Everything.
    All,
}

impl Silence {
    fn covers(self, kind: &str) -> bool {
        let ends = ["completed", "canceled", "deleted"]
            .iter()
            .any(|end| kind.ends_with(end));
        match self {
            Self::None => false,
            Self::Created => kind.ends_with("task.created"),
            Self::AllButEnd => !ends,
            Self::End => ends,
            Self::All => true,
        }
    }
}

impl EventStreams {
    pub(crate) fn new(rng: Rng) -> Self {
        Self {
            rng,
            late: Vec::new(),
            silences: std::collections::BTreeMap::new(),
            under_way: JoinSet::new(),
        }
    }

    /// Sends what happened since the last time, and what was late and is due.
    pub(crate) fn pump(&mut self, deployment: &Arc<Deployment>) {
        deployment.shared.catch_up();
        while self.under_way.try_join_next().is_some() {}
        let now = deployment.shared.now();
        let (happened, faultless) = {
            let mut inner = deployment.shared.lock();
            (std::mem::take(&mut inner.outbox), inner.faults.faultless)
        };
        self.call_webhooks(deployment);
        let mut due = Vec::new();
        for event in happened {
            if !faultless && self.is_lost(deployment, &event) {
                let mut inner = deployment.shared.lock();
                inner.totals.count("events lost");
                inner.oracle.sent(&event);
                drop(inner);
                deployment
                    .shared
                    .trace(|| format!("lost: {}", subject(&event)));
                continue;
            }
            self.posted(deployment, now, event, faultless, &mut due);
        }
        let (arrived, late) = self
            .late
            .drain(..)
            .partition(|(at, _)| faultless || *at <= now);
        self.late = late;
        due.extend(Vec::into_iter(arrived).map(|(_, event): (_, Value)| event));
        if due.is_empty() {
            return;
        }
        let script = &deployment.shared.script;
        let delivery = Delivery {
            max_batch: script.batch,
            duplicates: if faultless { 0.0 } else { script.duplicates },
            order: Order::Shuffled,
            shapes: Shapes::Mixed,
        };
        // The bodies are shuffled and shaped; the events in them are told apart by their id.
        for body in stream::batches(&due, &mut self.rng, &delivery) {
            let ids: Vec<String> = ids_in(&body);
            let found = |id: &String| due.iter().find(|event| event["id"] == id.as_str()).cloned();
            let events = ids.iter().filter_map(found).collect();
            let post = Post {
                deployment: Arc::clone(deployment),
                events,
                body,
                rng: self.rng.fork(),
            };
            self.under_way.spawn(post.deliver());
        }
    }

    fn is_lost(&mut self, deployment: &Deployment, event: &Value) -> bool {
        let script = &deployment.shared.script;
        let kind = event["type"].as_str().unwrap_or_default();
        let task = event["data"]["payload"]["task_sid"]
            .as_str()
            .unwrap_or_default();
        if task.is_empty() {
            return self.rng.f64() < script.loss;
        }
        let rng = &mut self.rng;
        let silence = *self.silences.entry(task.to_owned()).or_insert_with(|| {
            let silences = [
                Silence::Created,
                Silence::AllButEnd,
                Silence::End,
                Silence::All,
            ];
            if rng.f64() < script.silence {
                silences[rng.usize(..4)]
            } else {
                Silence::None
            }
        });
        silence.covers(kind) || self.rng.f64() < script.loss
    }

    /// Decides when an event is sent, and how often.
    fn posted(
        &mut self,
        deployment: &Deployment,
        now: Timestamp,
        event: Value,
        faultless: bool,
        due: &mut Vec<Value>,
    ) {
        let script = &deployment.shared.script;
        if faultless || self.rng.f64() >= script.lateness {
            due.push(event.clone());
        } else {
            let late = now.plus(Duration::from_secs(self.rng.u64(60..4 * 3600)));
            self.late.push((late, event.clone()));
        }
        if !faultless && self.rng.f64() < script.duplicates / 4.0 {
            let again = now.plus(Duration::from_secs(self.rng.u64(1..4 * 3600)));
            self.late.push((again, event));
        }
    }
}

/// One body on its way.
struct Post {
    deployment: Arc<Deployment>,
    /// The events in it, as they happened.
    events: Vec<Value>,
    body: Value,
    rng: Rng,
}

impl Post {
    async fn deliver(mut self) {
        let first = Instant::now();
        let mut pause = Duration::from_secs(1);
        sleep(Duration::from_millis(self.rng.u64(20..3_000))).await;
        loop {
            match self.post().await {
                Some(200..300) => return,
                Some(status @ 400..500) if status != 429 => {
                    // Twilio drops the events for ever, and they were its own.
                    let what = format!("an authentic request is answered {status}");
                    let checked = Violation::of(Law::AckMeansStored, what);
                    return self.deployment.shared.check(Err(checked));
                }
                Some(_) | None => {}
            }
            self.deployment
                .shared
                .lock()
                .totals
                .count("webhooks sent again");
            if first.elapsed() + pause > GIVES_UP_AFTER {
                self.deployment
                    .shared
                    .lock()
                    .totals
                    .count("webhooks given up by twilio");
                self.deployment
                    .shared
                    .trace(|| "twilio gives a webhook up".to_owned());
                return;
            }
            sleep(pause.mul_f64(0.5 + self.rng.f64())).await;
            pause = (pause * 2).min(Duration::from_secs(1200));
        }
    }

    /// Sends it once. Nothing, if Twilio gets no answer.
    async fn post(&mut self) -> Option<u16> {
        let deployment = Arc::clone(&self.deployment);
        let shared = &deployment.shared;
        let since = shared.now();
        let told = || {
            let events: Vec<String> = self.events.iter().map(subject).collect();
            format!("twilio sends {}", events.join(", "))
        };
        shared.trace(told);
        let (death, loses_answer) = {
            let mut inner = shared.lock();
            inner.totals.webhooks += 1;
            for event in &self.events {
                inner.oracle.sent(event);
                if let Some(message) = Message::of_event(event) {
                    inner.oracle.sent_message(&message);
                }
            }
            let faultless = inner.faults.faultless;
            let crashes = if faultless {
                0.0
            } else {
                shared.script.crashes
            };
            let death = match self.rng.f64() < crashes {
                false => Death::Never,
                true if self.rng.bool() => Death::AtPoll(self.rng.u32(1..40)),
                true => Death::After(Duration::from_millis(self.rng.u64(0..80))),
            };
            (death, !faultless && self.rng.f64() < shared.script.faults)
        };
        let body = match shared.mutation {
            Some(Mutation::ArrivalTime) => arriving(&self.body, since),
            _ => mutations::in_body(shared, &self.body).to_string(),
        };
        let signed = simulator::sign::json(
            &shared.twilio.account().auth_token,
            WEBHOOK,
            body.as_bytes(),
        );
        let request = Request::post(signed.url)
            .header("content-type", "application/json")
            .header(simulator::sign::HEADER, signed.signature)
            .body(body.into_bytes())
            .unwrap();
        let events = self.events.clone();
        // The invocation goes on when Twilio has stopped waiting.
        let answered = tokio::spawn({
            let deployment = Arc::clone(&deployment);
            async move {
                let end = ask(&deployment, request, death).await;
                if let End::Done(204) = end {
                    let checked = deployment.shared.lock().oracle.acknowledged(&events, since);
                    deployment.shared.check(checked);
                }
                end
            }
        });
        match timeout(PATIENCE, answered).await {
            Ok(Ok(End::Done(status))) if !loses_answer => Some(status),
            Ok(_) | Err(_) => None,
        }
    }
}

/// Hands a request to the webhook.
pub(crate) async fn ask(
    deployment: &Arc<Deployment>,
    request: Request<Vec<u8>>,
    death: Death,
) -> End<u16> {
    let now = deployment.shared.functions_clock();
    let function = Arc::clone(deployment);
    let work = async move { function.ingest.handle(request, now).await.status().as_u16() };
    let end = invoke(&deployment.shared, Caller::Ingest, death, LIMIT, work).await;
    let shared = &deployment.shared;
    let mut inner = shared.lock();
    match end {
        End::Done(503) => inner.totals.count("webhooks answered 503"),
        End::Died => inner.totals.count("webhooks that died"),
        End::Killed => inner.totals.count("webhooks out of time"),
        End::Done(_) | End::Panicked => {}
    }
    inner.trace(shared.now(), || format!("the webhook: {end:?}"));
    match end {
        End::Done(503) if shared.errs(Mutation::AnsweredAnyway) => End::Done(204),
        End::Done(503) if shared.errs(Mutation::TurnedAway) => End::Done(400),
        end => end,
    }
}

fn ids_in(body: &Value) -> Vec<String> {
    let id = |event: &Value| event["id"].as_str().unwrap_or_default().to_owned();
    match body {
        Value::Array(events) => events.iter().map(id).collect(),
        event => vec![id(event)],
    }
}

/// The body, with every time in it replaced by that of its arrival.
fn arriving(body: &Value, now: Timestamp) -> String {
    let now = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap();
    let text = body.to_string();
    let mut changed = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("timestamp") {
        changed.push_str(before);
        changed.push_str("timestamp");
        // `":"2026-01-05T09:00:00.000Z"`, its quotes escaped or not.
        let Some(year) = after.find("2026-") else {
            break;
        };
        changed.push_str(&after[..year]);
        changed.push_str(&format!("{now:.3}"));
        rest = &after[year + "2026-01-05T09:00:00.000Z".len()..];
    }
    changed + rest
}

fn subject(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap_or_default();
    let task = event["data"]["payload"]["task_sid"]
        .as_str()
        .unwrap_or_default();
    format!(
        "{} {task}",
        kind.trim_start_matches("com.twilio.taskrouter.")
    )
}
