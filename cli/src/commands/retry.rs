//! `janitor retry`: begins again with channels that were given up.

use std::pin::pin;

use clap::Args;
use domain::{Channel, ChannelSid, FailureReason, Platform};
use futures::StreamExt;
use serde::Serialize;
use store::StoreError;

use crate::channel_arg::{ChannelArg, Purpose};
use crate::confirm::Common;
use crate::context::Context;
use output::Outcome;

/// The channels to try again.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(crate) struct Options {
    /// Every channel that was given up
    #[arg(long, group = "which")]
    failed: bool,
    /// This channel
    #[arg(value_name = "CH…", group = "which")]
    channel: Option<ChannelArg>,
    #[command(flatten)]
    common: Common,
}

/// A channel that was given up.
#[derive(Debug, Serialize)]
struct GivenUp {
    channel_sid: ChannelSid,
    platform: Platform,
    failure_reason: FailureReason,
    given_up_at_ms: domain::Timestamp,
    /// True if the next sweep tries it again; false in a plan.
    retried: bool,
}

/// Lets the next sweep try again.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let context = Context::open(&options.common.place).await?;
    let mut found = match &options.channel {
        None => all(&context).await?,
        Some(channel) => {
            let channel = channel.resolve(&context, Purpose::Write).await?;
            let Some(channel) = channel else {
                return Ok(Outcome::Unknown);
            };
            let Some(stored) = context.table().get(channel).await? else {
                output::status(&crate::commands::explain::not_known(&context, channel));
                return Ok(Outcome::Unknown);
            };
            given_up(&stored.channel).into_iter().collect()
        }
    };
    if found.is_empty() {
        output::status("No channel was given up.");
        return Ok(Outcome::Good);
    }
    let ends_here = {
        output::status(&format!(
            "Plan: the next sweep tries {} again.",
            output::counted(found.len(), "channel")
        ));
        options.common.confirm.ends_here()
    };
    if ends_here.is_none() {
        for channel in &mut found {
            let again = |record: &mut Channel| {
                if record.given_up().is_some() {
                    record.begin_cleanup_again();
                }
            };
            let table = context.table();
            table
                .fold(channel.channel_sid, channel.platform, again)
                .await?;
            channel.retried = true;
        }
        output::success(&format!(
            "The next sweep tries {} again.",
            output::counted(found.len(), "channel")
        ));
    }
    print(&found, options.common.json)?;
    Ok(ends_here.unwrap_or(Outcome::Good))
}

fn given_up(channel: &Channel) -> Option<GivenUp> {
    let (at, failure_reason) = channel.given_up()?;
    Some(GivenUp {
        channel_sid: channel.sid(),
        platform: channel.platform(),
        failure_reason,
        given_up_at_ms: at,
        retried: false,
    })
}

async fn all(context: &Context) -> anyhow::Result<Vec<GivenUp>> {
    let progress = output::Progress::counting("channels read");
    let mut channels = pin!(context.table().all(ChannelSid::PREFIX));
    let mut found = Vec::new();
    while let Some(channel) = channels.next().await {
        progress.one_more();
        match channel {
            Ok(channel) => found.extend(given_up(&channel)),
            Err(error @ (StoreError::Unreadable { .. } | StoreError::Foreign)) => {
                output::status(&error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    found.sort_by_key(|channel| channel.given_up_at_ms);
    Ok(found)
}

fn print(found: &[GivenUp], json: bool) -> anyhow::Result<()> {
    if json {
        return Ok(found.iter().try_for_each(output::json_line)?);
    }
    let mut table = output::Table::new(["Channel", "Given up", "Why"]);
    for channel in found {
        table.add_row([
            channel.channel_sid.to_string(),
            output::moment(channel.given_up_at_ms),
            channel.failure_reason.to_string(),
        ]);
    }
    Ok(output::print(&table)?)
}
