//! `janitor list`: the channels of the table.

use std::pin::pin;

use clap::{Args, ValueEnum};
use domain::{Channel, Policy, Queue, Timestamp};
use futures::StreamExt;
use runtime::common;
use store::StoreError;

use crate::about::About;
use crate::exit::Outcome;
use crate::office::{Office, Place};
use crate::say;

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only the channels that wait for this, which reads no more than those
    #[arg(long, value_name = "WORK")]
    queue: Option<QueueArg>,
    /// Only the channels with a parked task
    #[arg(long, conflicts_with = "queue")]
    parked: bool,
    /// One JSON object per channel and line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What a channel can wait for, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueArg(pub(crate) Queue);

impl ValueEnum for QueueArg {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [QueueArg; Queue::ALL.len()] = {
            let mut all = [QueueArg(Queue::Abandoned); Queue::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = QueueArg(Queue::ALL[at]);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

/// Lists the channels: on AWS this reads the whole table, unless a queue is named.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let office = Office::open(&options.place).await?;
    let policy = office.read(common::policy)?;
    let now = office.now();
    let mut listing = Listing {
        json: options.json,
        parked: options.parked,
        policy,
        now,
        rows: Vec::new(),
    };
    let mut outcome = Outcome::Good;
    match options.queue {
        Some(queue) => {
            for due in office.table().entries(queue.0).await? {
                match office.table().get(due.channel).await {
                    Ok(Some(stored)) => listing.add(&stored.channel)?,
                    Ok(None) => {}
                    Err(error) => outcome = unreadable(error)?,
                }
            }
        }
        None => {
            let progress = say::Progress::counting("channels");
            let mut channels = pin!(office.table().all(domain::ChannelSid::PREFIX));
            while let Some(channel) = channels.next().await {
                match channel {
                    Ok(channel) => listing.add(&channel)?,
                    Err(error) => outcome = unreadable(error)?,
                }
                progress.one_more();
            }
        }
    }
    listing.end(&office)?;
    Ok(outcome)
}

/// One bad record is said and hides no other.
fn unreadable(error: StoreError) -> anyhow::Result<Outcome> {
    match error {
        StoreError::Unreadable { .. } | StoreError::Foreign => {
            say::aloud(&error);
            Ok(Outcome::Broken)
        }
        StoreError::Throttled { .. }
        | StoreError::Unreachable { .. }
        | StoreError::Refused { .. }
        | StoreError::Contended { .. } => Err(error.into()),
    }
}

struct Listing {
    json: bool,
    /// Whether only channels with a parked task are wanted.
    parked: bool,
    policy: Policy,
    now: Timestamp,
    rows: Vec<About>,
}

impl Listing {
    fn add(&mut self, channel: &Channel) -> anyhow::Result<()> {
        let about = About::new(channel, &self.policy, self.now);
        if self.parked && about.parked_tasks == 0 {
            return Ok(());
        }
        if self.json {
            return say::json_line(&about);
        }
        self.rows.push(about);
        Ok(())
    }

    fn end(mut self, office: &Office) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        if self.rows.is_empty() {
            let what = if self.parked {
                "parked chat"
            } else {
                "channel"
            };
            say::aloud(&format!("No {what} in {}.", office.place()));
            return Ok(());
        }
        // What is due first comes first, what waits for nothing last.
        self.rows
            .sort_by_key(|row| (row.due_at_ms.is_none(), row.due_at_ms, row.channel_sid));
        let mut table = say::table(["Channel", "Platform", "State", "Open tasks", "Due"]);
        for row in &self.rows {
            let due = row.due_at_ms.map(|at| say::from_now(at, self.now));
            table.add_row([
                row.channel_sid.to_string(),
                row.platform_name().to_owned(),
                row.state.name().to_owned(),
                row.open_tasks.to_string(),
                due.unwrap_or_default(),
            ]);
        }
        Ok(say::print(&table)?)
    }
}
