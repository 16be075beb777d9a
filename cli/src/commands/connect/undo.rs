//! `janitor disconnect`: no more events.

use anyhow::Context as _;
use clap::Args;
use domain::SinkSid;
use serde::Serialize;
use twilio::rest::setup::Destination;
use twilio::rest::{Client, TwilioError};

use super::plan::{Pair, pairs};
use super::sound;
use crate::confirm::Common;
use crate::context::Context;
use output::Outcome;

/// The sink to remove.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The webhook's URL; without it, the one sink that this program made
    url: Option<String>,
    #[command(flatten)]
    common: Common,
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
            output::status(&format!("error: the URL {why}"));
            return Ok(Outcome::Usage);
        }
    };
    let context = Context::open_with_twilio(&options.common.place).await?;
    let twilio = context.twilio().await?;
    let mut found = pairs(&twilio).await?;
    found.retain(|pair| match &wanted {
        Some(wanted) => pair.destination.as_ref() == Some(wanted),
        None => pair.ours,
    });
    for pair in &found {
        output::status(&format!("Remove: {}.", pair.in_words()));
    }
    if found.len() > 1 && wanted.is_none() {
        output::status("There is more than one: name the URL.");
        return Ok(Outcome::Unknown);
    }
    if found.is_empty() {
        output::status("There is nothing to disconnect.");
    } else if let Some(outcome) = options.common.confirm.ends_here() {
        return Ok(outcome);
    }
    for pair in &found {
        remove(&twilio, pair).await?;
    }
    if options.common.json {
        output::json(&Disconnected {
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
                output::success(&format!("subscription {subscription} removed"));
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("the subscription {subscription} stays"));
            }
        }
    }
    match twilio.delete_sink(pair.sink).await {
        Ok(()) | Err(TwilioError::Gone) => output::success(&format!("sink {} removed", pair.sink)),
        Err(error) => return Err(error).with_context(|| format!("the sink {} stays", pair.sink)),
    }
    Ok(())
}
