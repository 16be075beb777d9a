//! `janitor hold CH…`: keeps the sweep away from a channel, or lets it back.

use std::time::Duration;

use clap::Args;
use domain::UNTIL_RELEASED;
use domain::{ChannelSid, Timestamp};
use serde::Serialize;

use crate::consent::Consent;
use crate::exit::Outcome;
use crate::explain::not_known;
use crate::office::{Office, Place};
use crate::say;
use crate::sid::{ChannelArg, Wanted};

/// What to hold, and how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The channel
    #[arg(value_name = "CH…")]
    channel: ChannelArg,
    /// So long, such as 2h or 3d; without it, until it is released
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    length: Option<Duration>,
    /// Ends the hold
    #[arg(long, conflicts_with = "length")]
    release: bool,
    #[command(flatten)]
    consent: Consent,
    /// Prints what was done as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Held {
    channel_sid: ChannelSid,
    held_until_ms: Option<Timestamp>,
    changed: bool,
}

/// Reads a duration such as `2h`, `90m` or `PT2H`, for a command's option.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    let span: jiff::Span = text
        .parse()
        .map_err(|_| "not a duration like 2h, 90m, 3d or PT2H")?;
    // A day of a hold is 24 hours, whatever the clocks do meanwhile.
    let duration = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| "months and years have no fixed length: say it in days")?;
    match Duration::try_from(duration) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be longer than nothing"),
    }
}

/// Holds or releases.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let office = Office::open(&options.place).await?;
    let table = office.table();
    let Some(channel) = options.channel.resolve(table, Wanted::ToWrite).await? else {
        return Ok(Outcome::Unknown);
    };
    let Some(stored) = table.get(channel).await? else {
        say::aloud(&not_known(&office, channel));
        return Ok(Outcome::Unknown);
    };
    let now = office.now();
    let until = match (options.release, options.length) {
        (true, _) => None,
        (false, Some(length)) => Some(now.plus(length)),
        (false, None) => Some(UNTIL_RELEASED),
    };
    let before = stored.channel.held(now);
    say::aloud(&match until {
        None if before.is_none() => format!("{channel} is not held."),
        None => format!("{channel}: the sweep may work on it again."),
        Some(UNTIL_RELEASED) => format!("{channel}: no sweep touches it until it is released."),
        Some(until) => format!(
            "{channel}: no sweep touches it until {}.",
            say::moment(until)
        ),
    });
    let changed = before != until;
    if changed {
        if let Some(outcome) = options.consent.ends_here() {
            return Ok(outcome);
        }
        let change = |channel: &mut domain::Channel| match until {
            Some(until) => channel.hold(until),
            None => channel.release_hold(),
        };
        table
            .fold(channel, stored.channel.platform(), change)
            .await?;
    }
    if options.json {
        say::json(&Held {
            channel_sid: channel,
            held_until_ms: until,
            changed,
        })?;
    }
    Ok(Outcome::Good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("2h", 7_200),
            ("90m", 5_400),
            ("3d", 259_200),
            ("PT2H", 7_200),
            ("1w", 604_800),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "2", "soon", "-2h", "0s", "1mo", "9999999999999999y"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
