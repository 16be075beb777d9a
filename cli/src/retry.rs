//! `janitor retry`: begins again with channels that were given up.

use std::pin::pin;

use clap::Args;
use domain::{Channel, ChannelSid, FailureReason, Platform};
use futures::StreamExt;
use serde::Serialize;
use store::StoreError;

use crate::consent::Consent;
use crate::exit::Outcome;
use crate::office::{Office, Place};
use crate::say;
use crate::sid::{ChannelArg, Wanted};

/// What to try again.
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
    consent: Consent,
    /// One JSON object per channel and line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// A channel that was given up.
#[derive(Debug, Serialize)]
struct GivenUp {
    channel_sid: ChannelSid,
    platform: Platform,
    trouble: FailureReason,
    given_up_at_ms: domain::Timestamp,
    /// Whether it is to be tried again now.
    begun_again: bool,
}

/// Lets the next sweep try again.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let office = Office::open(&options.place).await?;
    let mut found = match &options.channel {
        None => all(&office).await?,
        Some(channel) => {
            let channel = channel.resolve(office.table(), Wanted::ToWrite).await?;
            let Some(channel) = channel else {
                return Ok(Outcome::Unknown);
            };
            let Some(stored) = office.table().get(channel).await? else {
                say::aloud(&crate::explain::not_known(&office, channel));
                return Ok(Outcome::Unknown);
            };
            given_up(&stored.channel).into_iter().collect()
        }
    };
    if found.is_empty() {
        say::aloud("No channel was given up.");
        return Ok(Outcome::Good);
    }
    let ends_here = {
        say::aloud(&format!(
            "{} to be tried again by the next sweep.",
            channels(found.len())
        ));
        options.consent.ends_here()
    };
    if ends_here.is_none() {
        for channel in &mut found {
            let again = |record: &mut Channel| {
                if record.given_up().is_some() {
                    record.begin_cleanup_again();
                }
            };
            let table = office.table();
            table
                .fold(channel.channel_sid, channel.platform, again)
                .await?;
            channel.begun_again = true;
        }
    }
    print(&found, options.json)?;
    Ok(ends_here.unwrap_or(Outcome::Good))
}

fn channels(count: usize) -> String {
    match count {
        1 => "One channel is".to_owned(),
        many => format!("{many} channels are"),
    }
}

fn given_up(channel: &Channel) -> Option<GivenUp> {
    let (at, trouble) = channel.given_up()?;
    Some(GivenUp {
        channel_sid: channel.sid(),
        platform: channel.platform(),
        trouble,
        given_up_at_ms: at,
        begun_again: false,
    })
}

async fn all(office: &Office) -> anyhow::Result<Vec<GivenUp>> {
    let progress = say::Progress::counting("channels read");
    let mut channels = pin!(office.table().all(ChannelSid::PREFIX));
    let mut found = Vec::new();
    while let Some(channel) = channels.next().await {
        progress.one_more();
        match channel {
            Ok(channel) => found.extend(given_up(&channel)),
            Err(error @ (StoreError::Unreadable { .. } | StoreError::Foreign)) => {
                say::aloud(&error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    found.sort_by_key(|channel| channel.given_up_at_ms);
    Ok(found)
}

fn print(found: &[GivenUp], json: bool) -> anyhow::Result<()> {
    if json {
        return found.iter().try_for_each(say::json_line);
    }
    let mut table = say::table(["Channel", "Given up", "Why"]);
    for channel in found {
        table.add_row([
            channel.channel_sid.to_string(),
            say::moment(channel.given_up_at_ms),
            channel.trouble.to_string(),
        ]);
    }
    Ok(say::print(&table)?)
}
