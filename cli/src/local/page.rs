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

use super::schedule::{Notice, Swept};
use super::{Here, Parts};
use crate::about::{About, State as ChannelState};
use crate::office::folder::Note;
use crate::say::JSON_VERSION;

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

/// What the page is made of.
struct Page {
    here: Here,
    table: ChannelTable,
    policy: Policy,
    note: Note,
    simulator: Option<Simulator>,
}

/// What the page shows. Times are milliseconds since 1970.
#[derive(Serialize)]
struct Shown {
    version: u32,
    now_ms: Timestamp,
    speed: u32,
    webhook: String,
    dynamodb: String,
    twilio: String,
    simulated: bool,
    /// How many channels are in each state.
    states: BTreeMap<&'static str, usize>,
    /// The channels of which most is to be said: those that wait, the first due first.
    channels: Vec<About>,
    sweeps: Vec<Swept>,
    notices: Vec<Notice>,
    /// Customers' messages that nobody will ever read, in the simulation.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_messages: Option<usize>,
    /// Records that cannot be read.
    unreadable: usize,
}

/// Shows it on this door.
pub(super) fn start(
    here: &Here,
    door: TcpListener,
    table: ChannelTable,
    note: Note,
    simulator: Option<Simulator>,
    parts: &mut Parts,
) {
    let page = Arc::new(Page {
        here: here.clone(),
        table,
        // What is wrong with it, the sweep has said.
        policy: common::policy(&mut here.environment.clone()),
        note,
        simulator,
    });
    let router = Router::new()
        .route("/", get(async || (HEADERS, HTML)))
        .route("/status.json", get(status))
        .with_state(page);
    let end = here.end.comes();
    parts.spawn(async move {
        Ok(axum::serve(door, router)
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
            let about = About::new(&channel, &self.policy, now);
            *states.entry(about.state.name()).or_default() += 1;
            channels.push(about);
        }
        channels.sort_by_key(|about| {
            let closed = about.state == ChannelState::Closed;
            (
                closed,
                about.due_at_ms.is_none(),
                about.due_at_ms,
                about.channel_sid,
            )
        });
        channels.truncate(SHOWN);
        let simulated = self.note.simulated.as_ref();
        Ok(Shown {
            version: JSON_VERSION,
            now_ms: now,
            speed: self.here.clock.speed(),
            webhook: self.note.webhook.clone(),
            dynamodb: self.note.aws.clone(),
            twilio: simulated.map_or_else(|| "twilio.com".to_owned(), |twilio| twilio.url.clone()),
            simulated: simulated.is_some(),
            states,
            channels,
            sweeps: self.here.journal.sweeps(),
            notices: self.here.journal.notices(),
            lost_messages: self
                .simulator
                .as_ref()
                .map(|simulator| simulator.state().lost_messages().count()),
            unreadable,
        })
    }
}
