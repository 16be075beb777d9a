//! `janitor hold CH…`: keeps the sweep away from a channel, or lets it back.

use std::time::Duration;

use clap::Args;
use domain::UNTIL_RELEASED;
use domain::{ChannelSid, Timestamp};
use serde::Serialize;

use crate::channel_arg::{ChannelArg, Purpose};
use crate::commands::explain::not_known;
use crate::confirm::Common;
use crate::context::Context;
use output::Outcome;

/// The channel, and the length of the hold.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The channel
    #[arg(value_name = "CH…")]
    channel: ChannelArg,
    /// So long, such as 2h or 3d; without it, until it is released
    #[arg(long = "for", value_name = "DURATION", value_parser = output::parse_duration)]
    length: Option<Duration>,
    /// Ends the hold
    #[arg(long, conflicts_with = "length")]
    release: bool,
    #[command(flatten)]
    common: Common,
}

/// Result of the command.
#[derive(Debug, Serialize)]
struct Held {
    channel_sid: ChannelSid,
    held_until_ms: Option<Timestamp>,
    changed: bool,
}

/// Holds or releases.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let context = Context::open(&options.common.place).await?;
    let Some(channel) = options.channel.resolve(&context, Purpose::Write).await? else {
        return Ok(Outcome::Unknown);
    };
    let table = context.table();
    let Some(stored) = table.get(channel).await? else {
        output::status(&not_known(&context, channel));
        return Ok(Outcome::Unknown);
    };
    let now = context.now();
    let until = match (options.release, options.length) {
        (true, _) => None,
        (false, Some(length)) => Some(now.plus(length)),
        (false, None) => Some(UNTIL_RELEASED),
    };
    let before = stored.channel.held(now);
    let end = match until {
        Some(UNTIL_RELEASED) => "until it is released".to_owned(),
        Some(until) => format!("until {}", output::moment(until)),
        None => String::new(),
    };
    let changed = before != until;
    if changed {
        output::status(&match until {
            None => format!("Plan: the hold of {channel} ends, and the sweep may work on it."),
            Some(_) => format!("Plan: no sweep works on {channel} {end}."),
        });
        if let Some(outcome) = options.common.confirm.ends_here() {
            return Ok(outcome);
        }
        let change = |channel: &mut domain::Channel| match until {
            Some(until) => channel.hold(until),
            None => channel.release_hold(),
        };
        table
            .fold(channel, stored.channel.platform(), change)
            .await?;
        output::success(&match until {
            None => format!("{channel}: the hold was released."),
            Some(_) => format!("{channel} was held {end}."),
        });
    } else {
        output::status(&match until {
            None => format!("{channel} is not held."),
            Some(_) => format!("{channel} is held {end} already."),
        });
    }
    if options.common.json {
        output::json(&Held {
            channel_sid: channel,
            held_until_ms: until,
            changed,
        })?;
    }
    Ok(Outcome::Good)
}
