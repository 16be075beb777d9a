//! `janitor disconnect`: no more events.

use anyhow::Context;
use clap::Args;
use domain::SinkSid;
use serde::Serialize;
use twilio::rest::setup::Destination;
use twilio::rest::{Client, TwilioError};

use super::plan::{Pair, pairs};
use super::sound;
use crate::consent::Consent;
use crate::exit::Outcome;
use crate::office::{Office, Place};
use crate::say;

/// What to disconnect.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The webhook's URL; without it, the one sink that this program made
    url: Option<String>,
    #[command(flatten)]
    consent: Consent,
    /// Prints what was removed as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Serialize)]
struct Disconnected {
    removed_sink_sids: Vec<SinkSid>,
}

/// Disconnects. Twilio keeps no events for later: what happens from then on is never heard of.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let wanted = match options.url.as_deref().map(sound).transpose() {
        Ok(url) => url.and_then(|url| Destination::parse(url.as_str())),
        Err(why) => {
            say::aloud(&format!("error: the URL {why}"));
            return Ok(Outcome::Senseless);
        }
    };
    let office = Office::open(&options.place).await?;
    let twilio = office.twilio().await?;
    let mut found = pairs(&twilio).await?;
    found.retain(|pair| match &wanted {
        Some(wanted) => pair.destination.as_ref() == Some(wanted),
        None => pair.ours,
    });
    for pair in &found {
        say::aloud(&format!("Remove: {}.", pair.in_words()));
    }
    if found.len() > 1 && wanted.is_none() {
        say::aloud("There is more than one: name the URL.");
        return Ok(Outcome::Unknown);
    }
    if found.is_empty() {
        say::aloud("There is nothing to disconnect.");
    } else if let Some(outcome) = options.consent.ends_here() {
        return Ok(outcome);
    }
    for pair in &found {
        remove(&twilio, pair).await?;
    }
    if options.json {
        say::json(&Disconnected {
            removed_sink_sids: found.iter().map(|pair| pair.sink).collect(),
        })?;
    }
    Ok(Outcome::Good)
}

/// Removes a subscription and its sink. What is gone already is no failure.
pub(super) async fn remove(twilio: &Client, pair: &Pair) -> anyhow::Result<()> {
    if let Some(subscription) = pair.subscription {
        match twilio.delete_subscription(subscription).await {
            Ok(()) | Err(TwilioError::Gone) => {
                say::tick(&format!("subscription {subscription} removed"));
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("the subscription {subscription} stays"));
            }
        }
    }
    match twilio.delete_sink(pair.sink).await {
        Ok(()) | Err(TwilioError::Gone) => say::tick(&format!("sink {} removed", pair.sink)),
        Err(error) => return Err(error).with_context(|| format!("the sink {} stays", pair.sink)),
    }
    Ok(())
}
