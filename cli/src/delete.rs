//! `janitor delete CH…`: deletes a channel at Twilio, and its history with it.

use std::time::Duration;

use anyhow::{Context, bail};
use domain::{Channel, ChannelSid, Platform, Progress, ProxyServiceSid, ProxySessionSid};
use store::{ChannelTable, Saved};
use twilio::rest::{Client, TwilioError};

use crate::exit::Outcome;
use crate::named::{Done, Options};
use crate::say;

/// How often the mark is tried while others write the record.
const MARK_ROUNDS: usize = 5;

/// Twilio says the same of every channel of a service that is not there.
const NO_SERVICE: &str =
    "the chat service cannot be read, so what Twilio says of its channels cannot be believed";

/// Deletes it.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let named = match options.find().await? {
        Ok(named) => named,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(outcome) = named.refuse_if_live().or_else(|| named.refuse_if_held()) {
        return Ok(outcome);
    }
    let sid = named.channel.sid();
    say::aloud(&named.describe());
    say::aloud(
        "Plan: it is deleted at Twilio with every message in it, and its Proxy session too. That cannot be undone.",
    );
    if let Some(outcome) = options.consent.ends_here() {
        return Ok(outcome);
    }
    let office = &named.office;
    let twilio = office.twilio().await?;
    let (_, service) = office.flex(&twilio).await?;
    let (outcome, session) = match named.channel.platform() {
        Platform::Chat => {
            let session = match twilio.chat_channel(service, sid).await {
                Ok(seen) => seen.attributes.ok().and_then(|read| read.proxy_session()),
                Err(TwilioError::Gone) => {
                    twilio
                        .chat_service_exists(service)
                        .await
                        .context(NO_SERVICE)?;
                    None
                }
                Err(error) => return Err(error).context("cannot read the channel"),
            };
            (
                deleted(twilio.delete_chat_channel(service, sid).await)?,
                session,
            )
        }
        Platform::Conversations => {
            twilio
                .conversation_service_exists(service)
                .await
                .context(NO_SERVICE)?;
            (
                deleted(twilio.delete_conversation(service, sid).await)?,
                None,
            )
        }
    };
    if let Some(session) = session {
        end_session(&twilio, named.settings.proxy_service, session).await?;
    }
    let progress = Progress::Closed {
        at: office.now(),
        outcome,
    };
    let retention = named.settings.plan.policy.retention;
    mark(office.table(), sid, &progress, retention, office.now()).await?;
    let value = Done {
        channel_sid: sid,
        done: match outcome {
            domain::Outcome::Gone => "gone",
            domain::Outcome::Deleted
            | domain::Outcome::Written
            | domain::Outcome::AlreadyClean
            | domain::Outcome::LeftAlone => "deleted",
        },
    };
    if options.json {
        say::json(&value)?;
    } else {
        say::aloud(&format!("{sid}: {}.", value.done));
    }
    Ok(Outcome::Good)
}

fn deleted(answer: Result<(), TwilioError>) -> anyhow::Result<domain::Outcome> {
    match answer {
        Ok(()) => Ok(domain::Outcome::Deleted),
        Err(TwilioError::Gone) => Ok(domain::Outcome::Gone),
        Err(error) => Err(error).context("cannot delete it"),
    }
}

async fn end_session(
    twilio: &Client,
    service: Option<ProxyServiceSid>,
    session: ProxySessionSid,
) -> anyhow::Result<()> {
    let Some(service) = service else {
        say::aloud(&format!(
            "Its Proxy session {session} is left to Flex: set PROXY_SERVICE_SID to have it deleted."
        ));
        return Ok(());
    };
    twilio
        .delete_proxy_session(service, session)
        .await
        .with_context(|| format!("the channel is deleted, but not its Proxy session {session}"))?;
    Ok(())
}

/// Remembers it, so that no sweep looks for the channel again.
async fn mark(
    table: &ChannelTable,
    sid: ChannelSid,
    progress: &Progress,
    retention: Duration,
    now: domain::Timestamp,
) -> anyhow::Result<()> {
    for _ in 0..MARK_ROUNDS {
        let Some(before) = table.get(sid).await? else {
            return Ok(());
        };
        let mut after: Channel = before.channel.clone();
        after.note_progress(progress.clone(), now);
        match table.save(&before, after, Some(retention)).await? {
            Saved::Written | Saved::Unchanged => return Ok(()),
            Saved::Conflict(_) => {}
        }
    }
    bail!("it is deleted, but its record is written by too many at once: run this again")
}
