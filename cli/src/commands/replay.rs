//! `janitor replay FILE`: reads recorded events into the table, by the webhook's own parser and
//! the table's own fold. Events that are known already change nothing.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use domain::{AccountSid, WorkspaceSid};
use output::Outcome;
use serde::Serialize;
use store::{ChannelEvents, Saved};
use twilio::events::{Batch, Scope, read_recording};

use crate::confirm::Common;
use crate::context::Context;
use crate::stack::Override;

/// Most unreadable events that are named one by one.
const MAX_NAMED: usize = 10;

/// The events to replay.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events as Event Streams sends them: one, a JSON array, or one or more per line;
    /// standard input where it is -
    file: PathBuf,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    common: Common,
}

/// Counts of a replay or an import.
#[derive(Debug, Default, Serialize)]
struct Replayed {
    /// Events, or documents that hold one each.
    events: usize,
    /// Events that change nothing here.
    ignored: usize,
    /// The same by reason.
    ignored_by_reason: BTreeMap<&'static str, usize>,
    /// Events that cannot be read.
    rejected: usize,
    /// Channels that the events name.
    channels: usize,
    /// Channels whose record changed, or would change.
    changed: usize,
    /// Channels whose record holds all of it already.
    unchanged: usize,
    /// True if the changes were written.
    written: bool,
}

/// Events that were read together, and the number of their line where there is one per line.
pub(crate) struct Part {
    pub(crate) line: Option<usize>,
    pub(crate) batch: Batch,
}

/// Replays.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let body = read(&options.file)?;
    let context = Context::open(&options.common.place).await?;
    let context = context.by_stack(options.by).await?;
    let scope = scope(&context)?;
    let parts = parts(&body, |text| read_recording(text, &scope));
    take_in(&context, parts, &options.common).await
}

/// Returns whose events count. The account is required: a recording may hold those of several.
pub(crate) fn scope(context: &Context) -> anyhow::Result<Scope> {
    let mut environment = context.environment();
    let account = environment.required::<AccountSid>("TWILIO_ACCOUNT_SID");
    let workspace = environment.optional::<WorkspaceSid>("TASKROUTER_WORKSPACE_SID");
    let pairs = runtime::common::park_pairs(&mut environment);
    Ok(environment.finish(|| {
        Some(Scope {
            account: Some(account?),
            workspace,
            pairs: pairs?,
        })
    })?)
}

/// Prints what the events would change, and writes it once that is confirmed.
pub(crate) async fn take_in(
    context: &Context,
    parts: Vec<Part>,
    common: &Common,
) -> anyhow::Result<Outcome> {
    let mut replayed = Replayed::default();
    let mut facts = Vec::new();
    for part in parts {
        replayed.count(&part);
        facts.extend(part.batch.facts);
    }
    let channels = ChannelEvents::by_channel(facts);
    if let Some(more) = replayed.rejected.checked_sub(MAX_NAMED + 1) {
        output::status(&format!("… and {} more that cannot be read.", more + 1));
    }
    replayed.channels = channels.len();
    let table = context.table();
    for events in &channels {
        if table.would_change(events).await? {
            replayed.changed += 1;
        } else {
            replayed.unchanged += 1;
        }
    }
    output::status(&replayed.summary());
    let ends_here = match replayed.changed {
        0 => Some(Outcome::Good),
        _ => {
            let ends_here = common.confirm.ends_here();
            ends_here.or_else(|| context.refuse_unknown_stack())
        }
    };
    if ends_here.is_none() {
        let mut changed = 0;
        for events in &channels {
            let folded = table.fold_events(events).await?;
            changed += usize::from(matches!(folded.saved, Saved::Written));
        }
        replayed.written = changed > 0;
        output::success(&format!("{} written.", output::counted(changed, "channel")));
    }
    if common.json {
        output::json(&replayed)?;
    }
    let outcome = ends_here.unwrap_or(Outcome::Good);
    let all_read = replayed.rejected == 0;
    Ok(if outcome == Outcome::Good && !all_read {
        Outcome::CheckFailed
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

/// Reads the file as one body, or line by line where it is not one JSON text.
pub(crate) fn parts(body: &[u8], read: impl Fn(&[u8]) -> Batch) -> Vec<Part> {
    if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() {
        return vec![Part {
            line: None,
            batch: read(body),
        }];
    }
    body.split(|byte| *byte == b'\n')
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
        .map(|(line, text)| Part {
            line: Some(line),
            batch: read(text),
        })
        .collect()
}

impl Replayed {
    fn count(&mut self, part: &Part) {
        let batch = &part.batch;
        self.events += batch.received;
        self.ignored += batch.ignored.values().sum::<usize>() + batch.tests.len();
        for (reason, count) in &batch.ignored {
            *self.ignored_by_reason.entry(reason.name()).or_default() += count;
        }
        if !batch.tests.is_empty() {
            *self.ignored_by_reason.entry("test-event").or_default() += batch.tests.len();
        }
        for rejected in &batch.rejected {
            self.rejected += 1;
            if self.rejected <= MAX_NAMED {
                let event = format!("event {}", rejected.position + 1);
                let place = match part.line {
                    Some(line) if batch.received > 1 => format!("line {line}, {event}"),
                    Some(line) => format!("line {line}"),
                    None => event,
                };
                let id = rejected.event_id.as_deref().unwrap_or("without an id");
                output::status(&format!("{place} ({id}): {}", rejected.reason));
            }
        }
    }

    fn summary(&self) -> String {
        let reasons: Vec<String> = self
            .ignored_by_reason
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        let reasons = match reasons.is_empty() {
            true => String::new(),
            false => format!(" ({})", reasons.join(", ")),
        };
        format!(
            "{}: {} ignored{reasons}, {} unreadable. {}: {} to change, {} up to date.",
            output::counted(self.events, "event"),
            self.ignored,
            self.rejected,
            output::counted(self.channels, "channel"),
            self.changed,
            self.unchanged
        )
    }
}
