//! `janitor list`: the channels of the table.

use std::pin::pin;
use std::time::Duration;

use clap::{Args, ValueEnum};
use domain::{Channel, Platform, Policy, Queue, Timestamp};
use futures::StreamExt;
use runtime::common;
use store::StoreError;

use crate::context::{Context, Place};
use crate::stack::Override;
use output::{ChannelView, Outcome, Table};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The channels to list.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only the channels of this queue, which reads no others
    #[arg(long, value_name = "QUEUE")]
    queue: Option<QueueArg>,
    /// Only the parked chats, with the time until TaskRouter deletes their task
    #[arg(long, conflicts_with = "queue")]
    parked: bool,
    /// Only the channels on which a customer waits whom no agent sees
    #[arg(long, conflicts_with_all = ["queue", "parked"])]
    unheard: bool,
    /// One JSON object per channel and line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    place: Place,
}

/// A queue, as it is typed.
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
    let context = Context::open(&options.place).await?;
    let context = context.by_stack(options.by).await?;
    let policy = context.read(common::policy)?;
    let now = context.now();
    let mut listing = Listing {
        json: options.json,
        parked: options.parked,
        unheard: options.unheard,
        policy,
        now,
        rows: Vec::new(),
    };
    let mut outcome = Outcome::Good;
    match options.queue {
        Some(queue) => {
            for due in context.table().entries(queue.0).await? {
                match context.table().get(due.channel).await {
                    Ok(Some(stored)) => listing.add(&stored.channel)?,
                    Ok(None) => {}
                    Err(error) => outcome = unreadable(error)?,
                }
            }
        }
        None => {
            let progress = output::Progress::counting("channels");
            let mut channels = pin!(context.table().all(domain::ChannelSid::PREFIX));
            while let Some(channel) = channels.next().await {
                match channel {
                    Ok(channel) => listing.add(&channel)?,
                    Err(error) => outcome = unreadable(error)?,
                }
                progress.one_more();
            }
        }
    }
    listing.end(&context)?;
    Ok(outcome)
}

/// Prints that a record cannot be read; it hides no other.
fn unreadable(error: StoreError) -> anyhow::Result<Outcome> {
    match error {
        StoreError::Unreadable { .. } | StoreError::Foreign => {
            output::status(&error);
            Ok(Outcome::CheckFailed)
        }
        StoreError::Throttled { .. }
        | StoreError::Unreachable { .. }
        | StoreError::Refused { .. }
        | StoreError::Contended { .. } => Err(error.into()),
    }
}

struct Listing {
    json: bool,
    /// True if only channels with a parked task are wanted.
    parked: bool,
    /// True if only channels with an unheard customer are wanted.
    unheard: bool,
    policy: Policy,
    now: Timestamp,
    rows: Vec<ChannelView>,
}

impl Listing {
    fn add(&mut self, channel: &Channel) -> anyhow::Result<()> {
        let view = ChannelView::new(channel, &self.policy, self.now);
        if self.parked && view.parked_tasks.is_empty() {
            return Ok(());
        }
        if self.unheard && view.unheard_since_ms.is_none() {
            return Ok(());
        }
        if self.json {
            return Ok(output::json_line(&view)?);
        }
        self.rows.push(view);
        Ok(())
    }

    fn end(mut self, context: &Context) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        if self.rows.is_empty() {
            let what = match (self.parked, self.unheard) {
                (true, _) => "parked chat",
                (false, true) => "unheard customer",
                (false, false) => "channel",
            };
            output::status(&format!("No {what} in {}.", context.place()));
            return Ok(());
        }
        if self.unheard {
            return Ok(output::print(&self.unheard_customers())?);
        }
        // What is due first comes first, what waits for nothing last.
        self.rows
            .sort_by_key(|row| (row.due_at_ms.is_none(), row.due_at_ms, row.channel_sid));
        let table = match self.parked {
            true => self.parked_tasks(),
            false => self.channels(),
        };
        Ok(output::print(&table)?)
    }

    /// Those who wait longest come first.
    fn unheard_customers(&mut self) -> Table {
        self.rows.sort_by_key(|row| row.unheard_since_ms);
        let since = self.rows.iter().filter_map(|row| row.unheard_since_ms);
        let recent = since.filter(|at| self.now.since(*at) <= DAY).count();
        output::status(&format!(
            "{} whose message no agent sees; {recent} in the last 24 hours.",
            output::counted(self.rows.len(), "customer")
        ));
        let mut table = Table::new(["Channel", "Wrote", "State"]);
        for row in &self.rows {
            let wrote = row.unheard_since_ms;
            table.add_row([
                row.channel_sid.to_string(),
                wrote
                    .map(|at| output::from_now(at, self.now))
                    .unwrap_or_default(),
                row.state.name().to_owned(),
            ]);
        }
        table.leave_out_first(&[2]);
        table
    }

    fn channels(&self) -> Table {
        let mut table = Table::new(["Channel", "Kind", "State", "Tasks", "Due"]);
        for row in &self.rows {
            let due = row.due_at_ms.map(|at| output::from_now(at, self.now));
            table.add_row([
                row.channel_sid.to_string(),
                match row.platform {
                    Platform::Chat => "chat".to_owned(),
                    Platform::Conversations => "conv.".to_owned(),
                },
                row.state.name().to_owned(),
                row.open_tasks.to_string(),
                due.unwrap_or_default(),
            ]);
        }
        table.align_right(&[3]);
        table.leave_out_first(&[3, 1]);
        table
    }

    /// Two SIDs are wider than many terminals, so the channel stands below its task.
    fn parked_tasks(&self) -> Table {
        let mut table = Table::new(["Task and channel", "Deleted"]);
        for row in &self.rows {
            for task in &row.parked_tasks {
                table.add_row([
                    format!("{}\n{}", task.task_sid, row.channel_sid),
                    output::from_now(task.deleted_after_ms, self.now),
                ]);
            }
        }
        table
    }
}
