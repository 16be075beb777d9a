//! `janitor replay FILE`: takes in events that were recorded, by the webhook's own reading and
//! the table's own fold.
//!
//! To take in what is known already changes nothing, so a file may be replayed as often as one
//! likes.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use domain::{AccountSid, WorkspaceSid};
use runtime::common;
use serde::Serialize;
use store::{ChannelEvents, Parking, Saved};
use twilio::events::{Batch, Scope, read_recording};

use crate::consent::Consent;
use crate::exit::Outcome;
use crate::office::{Office, Place};
use crate::say;

/// What to replay.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events as Event Streams sends them: one, a JSON array, or one or more per line;
    /// standard input where it is -
    file: PathBuf,
    #[command(flatten)]
    consent: Consent,
    /// Prints the counts as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What taking events in came to.
#[derive(Debug, Default, Serialize)]
struct Replayed {
    /// Events, or documents that hold one each.
    events: usize,
    /// Events that are none of our business.
    ignored: usize,
    /// Events that cannot be read.
    rejected: usize,
    /// Channels that they speak of.
    channels: usize,
    /// Channels whose record changed, or would.
    changed: usize,
    /// Channels whose record says so already.
    unchanged: usize,
    /// Whether the changes were written.
    written: bool,
}

/// Replays.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let body = read(&options.file)?;
    let office = Office::open(&options.place).await?;
    let scope = scope(&office)?;
    let batches = batches(&body, |text| read_recording(text, &scope));
    take_in(&office, batches, options.consent, options.json).await
}

/// Reads the account and the workspace whose events count here. Without an account, events of
/// any would be taken in.
pub(crate) fn scope(office: &Office) -> anyhow::Result<Scope> {
    let (account, workspace) = office.read(|environment| {
        (
            environment.required::<AccountSid>("TWILIO_ACCOUNT_SID"),
            environment.optional::<WorkspaceSid>("TASKROUTER_WORKSPACE_SID"),
        )
    })?;
    Ok(Scope { account, workspace })
}

/// Says what batches of events would change, and with consent takes them in by the table's own
/// fold.
pub(crate) async fn take_in(
    office: &Office,
    batches: Vec<Batch>,
    consent: Consent,
    json: bool,
) -> anyhow::Result<Outcome> {
    let mut replayed = Replayed::default();
    let (mut facts, mut words) = (Vec::new(), Vec::new());
    for batch in batches {
        replayed.count(&batch);
        facts.extend(batch.facts);
        words.extend(batch.words);
    }
    let pairs = office.read(common::park_pairs)?;
    let parking = pairs.as_ref().map_or(Parking::Off, Parking::from);
    let channels = ChannelEvents::by_channel(facts, words, parking);
    replayed.channels = channels.len();
    let table = office.table();
    for events in &channels {
        if table.would_change(events).await? {
            replayed.changed += 1;
        } else {
            replayed.unchanged += 1;
        }
    }
    say::aloud(&format!(
        "{} events: {} ignored, {} unreadable. {} channels: {} change, {} say so already.",
        replayed.events,
        replayed.ignored,
        replayed.rejected,
        replayed.channels,
        replayed.changed,
        replayed.unchanged
    ));
    let ends_here = match replayed.changed {
        0 => Some(Outcome::Good),
        _ => consent.ends_here(),
    };
    if ends_here.is_none() {
        for events in &channels {
            let folded = table.fold_events(events).await?;
            if matches!(folded.saved, Saved::Written) {
                replayed.written = true;
            }
        }
    }
    if json {
        say::json(&replayed)?;
    }
    let outcome = ends_here.unwrap_or(Outcome::Good);
    let all_read = replayed.rejected == 0;
    Ok(if outcome == Outcome::Good && !all_read {
        Outcome::Broken
    } else {
        outcome
    })
}

/// Reads a file, or standard input where it is `-`.
pub(crate) fn read(file: &PathBuf) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    }
    let mut body = Vec::new();
    std::io::stdin()
        .read_to_end(&mut body)
        .context("cannot read standard input")?;
    Ok(body)
}

/// The file as one body, or line by line where it is not one JSON text.
pub(crate) fn batches(body: &[u8], read: impl Fn(&[u8]) -> Batch) -> Vec<Batch> {
    if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() {
        return vec![read(body)];
    }
    body.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .map(read)
        .collect()
}

impl Replayed {
    fn count(&mut self, batch: &Batch) {
        self.events += batch.received;
        self.ignored += batch.ignored.values().sum::<usize>() + batch.tests.len();
        self.rejected += batch.rejected.len();
        for rejected in &batch.rejected {
            say::aloud(&format!(
                "event {} ({}): {}",
                rejected.position + 1,
                rejected.event_id.as_deref().unwrap_or("without an id"),
                rejected.reason
            ));
        }
    }
}
