//! The status page: one HTML file and the JSON that it shows. It reads, and changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use domain::{ChannelSid, Policy, Timestamp};
use futures::StreamExt;
use runtime::common;
use serde::Serialize;
use simulator::Simulator;
use store::ChannelTable;
use tokio::net::TcpListener;

use super::saved::Saved;
use super::schedule::{Notice, Swept};
use super::{Here, Parts, guard};
use crate::folder::Note;
use output::JSON_VERSION;
use output::{ChannelView, Explanation, State as ChannelState};

const HTML: &str = include_str!("page.html");

/// More channels than this are counted but not shown.
const SHOWN: usize = 200;

/// A page shows what it comes with, asks its own server for data, and nothing else; no other
/// site may frame it.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
     connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Everything that the page reads.
struct Page {
    here: Here,
    table: ChannelTable,
    policy: Policy,
    mode: sweep::Mode,
    note: Note,
    simulated: Option<(Simulator, Saved)>,
}

/// The JSON of the page. Times are milliseconds since 1970.
#[derive(Serialize)]
struct Shown {
    version: u32,
    now_ms: Timestamp,
    speed: u32,
    webhook: String,
    dynamodb: String,
    twilio: String,
    simulated: bool,
    /// `act` or `observe`.
    mode: &'static str,
    /// Seconds before each kind of close.
    cutoffs_seconds: BTreeMap<&'static str, u64>,
    /// The webhook's last accepted request.
    last_event_at_ms: Option<Timestamp>,
    /// Number of channels in each state.
    states: BTreeMap<&'static str, usize>,
    /// The channels of which most is to be said: those that wait, the first due first.
    channels: Vec<Row>,
    sweeps: Vec<Swept>,
    notices: Vec<Notice>,
    /// Customers' messages that no agent will ever read, in the simulation.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_messages: Option<usize>,
    /// Messages that reached an agent only because their channel was closed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_messages: Option<usize>,
    /// Records that cannot be read.
    unreadable: usize,
}

/// A channel, and the reason for its state.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    view: ChannelView,
    why: String,
}

/// Shows the page on this listener.
pub(super) fn start(
    here: &Here,
    listener: TcpListener,
    table: ChannelTable,
    note: Note,
    simulated: Option<(Simulator, Saved)>,
    parts: &mut Parts,
) {
    let page = Arc::new(Page {
        here: here.clone(),
        table,
        // The sweep has reported what is wrong with it.
        policy: common::policy(&mut here.environment.clone()),
        mode: here.environment.clone().or("SWEEP_MODE", sweep::Mode::Act),
        note,
        simulated,
    });
    let router = Router::new()
        .route("/", get(async || (HEADERS, HTML)))
        .route("/status.json", get(status))
        .layer(axum::middleware::from_fn(guard::only_local))
        .with_state(page);
    let end = here.end.comes();
    parts.spawn(async move {
        Ok(axum::serve(listener, router)
            .with_graceful_shutdown(end)
            .await?)
    });
}

async fn status(State(page): State<Arc<Page>>) -> Response {
    match page.read().await {
        Ok(shown) => Json(shown).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

impl Page {
    async fn read(&self) -> anyhow::Result<Shown> {
        let now = self.here.clock.now();
        let mut states: BTreeMap<&'static str, usize> =
            ChannelState::ALL.map(|state| (state.name(), 0)).into();
        let mut channels = Vec::new();
        let mut unreadable = 0;
        let mut all = std::pin::pin!(self.table.all(ChannelSid::PREFIX));
        while let Some(channel) = all.next().await {
            let Ok(channel) = channel else {
                unreadable += 1;
                continue;
            };
            let view = ChannelView::new(&channel, &self.policy, now);
            *states.entry(view.state.name()).or_default() += 1;
            channels.push((view, channel));
        }
        channels.sort_by_key(|(view, _)| {
            let closed = view.state == ChannelState::Closed;
            (
                closed,
                view.due_at_ms.is_none(),
                view.due_at_ms,
                view.channel_sid,
            )
        });
        channels.truncate(SHOWN);
        let rows = channels.into_iter().map(|(view, channel)| Row {
            why: Explanation::new(&channel, &self.policy, now).why,
            view,
        });
        let simulated = self.note.simulated.as_ref();
        Ok(Shown {
            version: JSON_VERSION,
            now_ms: now,
            speed: self.here.clock.speed(),
            webhook: self.note.webhook.clone(),
            dynamodb: self.note.aws.clone(),
            twilio: simulated.map_or_else(|| "twilio.com".to_owned(), |twilio| twilio.url.clone()),
            simulated: simulated.is_some(),
            mode: match self.mode {
                sweep::Mode::Act => "act",
                sweep::Mode::Observe => "observe",
            },
            cutoffs_seconds: [
                ("abandoned", self.policy.abandoned_cutoff),
                ("ended", self.policy.ended_cutoff),
                ("long-lived", self.policy.long_lived_cutoff),
            ]
            .map(|(name, cutoff)| (name, cutoff.as_secs()))
            .into(),
            last_event_at_ms: self.here.journal.last_event(),
            states,
            channels: rows.collect(),
            sweeps: self.here.journal.sweeps(),
            notices: self.here.journal.notices(),
            lost_messages: self
                .simulated
                .as_ref()
                .map(|(simulator, _)| simulator.state().lost_messages().count()),
            saved_messages: self.simulated.as_ref().map(|(_, saved)| saved.count()),
            unreadable,
        })
    }
}
