//! The schedules, and a journal of what they did.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::checkup::Checkup;
use ::park::Park;
use ::sweep::{Settings, Summary, Sweep, SweepError};
use domain::Timestamp;
use runtime::NoticeKind;
use serde::Serialize;

use super::{Here, Parts};
use crate::SWEEP_TIME as TIME;
use crate::transport;

/// However fast the clock runs, nothing is done more often than this by the machine's.
const LEAST_PAUSE: Duration = Duration::from_millis(250);

/// Time between two reconciliations, by the clock that is run.
const RECONCILE_EVERY: Duration = Duration::from_secs(3600);

/// Time between two polls for chats to park, by the clock that is run.
const PARK_EVERY: Duration = Duration::from_secs(10);

/// Time between two checkups, by the clock that is run.
const CHECKUP_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Time between two deletions of expired records, by the machine's clock as their time to live is.
const EXPIRE_EVERY: Duration = Duration::from_secs(600);

/// Most sweeps and most notices that are kept.
const KEPT: usize = 50;

/// Latest results of the schedules, newest first; a clone is the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    last_event: Option<Timestamp>,
    sweeps: VecDeque<Swept>,
    notices: VecDeque<Notice>,
}

/// A sweep.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Swept {
    at_ms: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A notice that was put on the bus.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Notice {
    at_ms: Timestamp,
    kind: String,
    channel_sid: Option<String>,
    detail: serde_json::Value,
}

impl Journal {
    pub(super) fn sweeps(&self) -> Vec<Swept> {
        self.entries().sweeps.iter().cloned().collect()
    }

    /// Returns the moment at which the webhook last took a request.
    pub(super) fn last_event(&self) -> Option<Timestamp> {
        self.entries().last_event
    }

    /// Notes that the webhook took a request.
    pub(super) fn note_event(&self, at: Timestamp) {
        self.entries().last_event = Some(at);
    }

    pub(super) fn notices(&self) -> Vec<Notice> {
        self.entries().notices.iter().cloned().collect()
    }

    fn note_sweep(&self, swept: Swept) {
        let mut entries = self.entries();
        entries.sweeps.push_front(swept);
        entries.sweeps.truncate(KEPT);
    }

    fn note_notices(&self, entries: Vec<embedded::Entry>, at: Timestamp) {
        let mut kept = self.entries();
        for entry in entries {
            let channel = entry.detail.get("channel_sid").and_then(|sid| sid.as_str());
            kept.notices.push_front(Notice {
                at_ms: at,
                kind: entry.detail_type,
                channel_sid: channel.map(ToOwned::to_owned),
                detail: entry.detail,
            });
        }
        kept.notices.truncate(KEPT);
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts every schedule. A further function gets a line here.
pub(super) fn start(
    here: &Here,
    settings: (Settings, ::checkup::Settings, Option<::park::Settings>),
    sweep_every: Duration,
    parts: &mut Parts,
) -> anyhow::Result<()> {
    let (sweep, checkup, park) = settings;
    let sweep = Arc::new(Sweep::new(sweep, transport()?));
    parts.spawn(sweeps(here.clone(), Arc::clone(&sweep), sweep_every));
    parts.spawn(reconciles(here.clone(), sweep));
    parts.spawn(expiry(here.clone()));
    parts.spawn(checkups(here.clone(), Checkup::new(checkup, transport()?)));
    let park = match park {
        Some(settings) => Some(Arc::new(Park::new(settings, transport()?))),
        None => None,
    };
    parts.spawn(bus(here.clone(), park.clone()));
    if let Some(park) = park {
        parts.spawn(parkings(here.clone(), park));
    }
    Ok(())
}

/// Converts a time by the clock that is run to one by the machine's.
fn by_machine(here: &Here, time: Duration) -> Duration {
    (time / here.clock.speed()).max(LEAST_PAUSE)
}

async fn sweeps(here: Here, sweep: Arc<Sweep>, every: Duration) -> anyhow::Result<()> {
    while here.end.comes_not_within(by_machine(&here, every)).await {
        let now = here.clock.now();
        let swept = match sweep.run_scheduled(now, TIME).await {
            Ok(summary) => Swept {
                at_ms: now,
                summary: Some(summary),
                error: None,
            },
            Err(SweepError::Stopped(summary)) => Swept {
                at_ms: now,
                error: Some(format!("stopped: {:?}", summary.stopped)),
                summary: Some(*summary),
            },
            Err(error) => Swept {
                at_ms: now,
                summary: None,
                error: Some(error.to_string()),
            },
        };
        // Noted first: what the line tells is on the page by then.
        here.journal.note_sweep(swept.clone());
        report(&swept);
    }
    Ok(())
}

/// One line for a sweep that had something to do.
fn report(swept: &Swept) {
    let at = output::moment(swept.at_ms);
    if let Some(error) = &swept.error {
        output::status(&format!("{at}  sweep failed: {error}"));
    } else if let Some(summary) = swept.summary.as_ref().filter(|summary| summary.due > 0) {
        output::status(&format!(
            "{at}  swept {} due: {}",
            summary.due,
            results(summary)
        ));
    }
}

/// Returns what became of the due channels: the counts that are not zero.
fn results(summary: &Summary) -> String {
    let mut counts = vec![
        (summary.closed, "closed"),
        (summary.released, "released"),
        (summary.already_clean, "clean"),
        (summary.left, "left"),
        (summary.open_again, "in use"),
        (summary.gone, "gone"),
        (summary.retried, "to be tried again"),
        (summary.failed, "given up"),
        (summary.would_write, "would be written to"),
    ];
    let named = counts.iter().map(|(count, _)| count).sum();
    counts.push((summary.due.saturating_sub(named), "put off or over"));
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    counts.join(", ")
}

async fn reconciles(here: Here, sweep: Arc<Sweep>) -> anyhow::Result<()> {
    let every = by_machine(&here, RECONCILE_EVERY);
    while here.end.comes_not_within(every).await {
        let now = here.clock.now();
        let job = sweep.reconcile_scheduled(now, TIME, &|_found| {});
        if let Err(error) = job.await {
            output::status(&format!(
                "{}  reconcile failed: {error}",
                output::moment(now)
            ));
        }
    }
    Ok(())
}

async fn parkings(here: Here, park: Arc<Park>) -> anyhow::Result<()> {
    let every = by_machine(&here, PARK_EVERY);
    while here.end.comes_not_within(every).await {
        let now = here.clock.now();
        // No time for a second look: the next turn is the next look.
        if let Err(error) = park.tick_scheduled(now, Duration::ZERO).await {
            output::status(&format!("{}  parking failed: {error}", output::moment(now)));
        }
    }
    Ok(())
}

/// The bus: notes what is on it, and wakes who waits for it.
async fn bus(here: Here, park: Option<Arc<Park>>) -> anyhow::Result<()> {
    while here.end.comes_not_within(LEAST_PAUSE).await {
        let now = here.clock.now();
        let entries = here.embedded.bus.take_entries();
        for entry in &entries {
            let event = serde_json::json!({
                "detail-type": entry.detail_type,
                "detail": entry.detail,
            });
            let replied = entry.detail_type == NoticeKind::ReplyReceived.name();
            if let Some(park) = park.as_ref().filter(|_| replied)
                && let Err(error) = park.handle(event, now, TIME).await
            {
                output::status(&format!("{}  parking failed: {error}", output::moment(now)));
            }
        }
        here.journal.note_notices(entries, now);
    }
    Ok(())
}

async fn checkups(here: Here, checkup: Checkup) -> anyhow::Result<()> {
    let every = by_machine(&here, CHECKUP_EVERY);
    while here.end.comes_not_within(every).await {
        let now = here.clock.now();
        let said = match checkup.run(now, TIME).await {
            Ok(found) if found.errors + found.warnings == 0 => continue,
            Ok(found) => format!(
                "checkup: {}, {}; `janitor checkup` names them",
                output::counted(found.errors, "error"),
                output::counted(found.warnings, "warning")
            ),
            Err(error) => format!("checkup failed: {error}"),
        };
        output::status(&format!("{}  {said}", output::moment(now)));
    }
    Ok(())
}

async fn expiry(here: Here) -> anyhow::Result<()> {
    while here.end.comes_not_within(EXPIRE_EVERY).await {
        here.embedded.dynamo.sweep_ttl()?;
    }
    Ok(())
}
