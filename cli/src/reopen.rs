//! `janitor reopen CH…`: takes a closing back, where the platform lets one.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use domain::ConversationState;
use domain::{ChannelSid, ChatServiceSid, Platform};
use twilio::rest::{Client, SessionStatus, TwilioError};

use crate::exit::Outcome;
use crate::hold::duration;
use crate::named::{self, Done, Named};
use crate::say;

/// What to open again.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Keeps the sweep away so long, then it closes the channel as ever
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "1h")]
    length: Duration,
    #[command(flatten)]
    named: named::Options,
}

/// Opens it again.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let named = match options.named.find().await? {
        Ok(named) => named,
        Err(outcome) => return Ok(outcome),
    };
    let twilio = named.office.twilio().await?;
    let (_, service) = named.office.flex(&twilio).await?;
    match named.channel.platform() {
        Platform::Chat => chat(options, named, &twilio, service).await,
        Platform::Conversations => conversation(options, &named, &twilio, service).await,
    }
}

async fn chat(
    options: &Options,
    named: Named,
    twilio: &Client,
    service: ChatServiceSid,
) -> anyhow::Result<Outcome> {
    let sid = named.channel.sid();
    let attributes = match twilio.chat_channel(service, sid).await {
        Ok(seen) => seen.attributes?,
        Err(TwilioError::Gone) => bail!("Twilio does not know {sid} any more: it was deleted"),
        Err(error) => return Err(error).context("cannot read the channel"),
    };
    if !attributes.is_inactive() {
        say::aloud(&format!(
            "{sid} is not INACTIVE: there is nothing to take back."
        ));
        return done(options, sid, "already-open");
    }
    say::aloud(&format!(
        "Plan: `status` of {sid} becomes ACTIVE, and no sweep closes it for {}.",
        say::duration(options.length)
    ));
    if named.channel.open_tasks().next().is_none() {
        say::aloud(
            "Mind: no task is open on it, and Flex makes none for an ACTIVE channel. Until it is INACTIVE again, what its customer writes is read by whoever you send there.",
        );
    }
    if let (Some(service), Some(session)) =
        (named.settings.proxy_service, attributes.proxy_session())
    {
        let live = twilio.proxy_session(service, session).await?;
        if live != Some(SessionStatus::Live) {
            say::aloud(&format!(
                "Mind: its Proxy session {session} has ended. A customer on SMS or WhatsApp no longer reaches this channel."
            ));
        }
    }
    if let Some(outcome) = options.named.consent.ends_here() {
        return Ok(outcome);
    }
    // The record first: a crash in between leaves a channel that the sweep finds clean, and
    // never one that is open and forgotten.
    let until = named.office.now().plus(options.length);
    let arm = |record: &mut domain::Channel| {
        record.begin_cleanup_again();
        record.hold(until);
    };
    let table = named.office.table();
    table.fold(sid, Platform::Chat, arm).await?;
    let text = attributes.with_status_active();
    let answer = twilio
        .set_chat_attributes(service, sid, &text)
        .await
        .context("cannot write to the channel")?;
    if answer.attributes.map_or(true, |now| now.is_inactive()) {
        bail!("Twilio did not keep the change: somebody else wrote at the same time");
    }
    done(options, sid, "reopened")
}

async fn conversation(
    options: &Options,
    named: &Named,
    twilio: &Client,
    service: ChatServiceSid,
) -> anyhow::Result<Outcome> {
    let sid = named.channel.sid();
    match twilio.conversation(service, sid).await {
        Ok(seen) => match seen.state {
            ConversationState::Closed => bail!(
                "{sid} is a closed Conversation, and Twilio makes that final. The customer's next message starts a new one; to write first, send an outbound message from Flex, which makes a new Conversation and task"
            ),
            ConversationState::Active
            | ConversationState::Inactive
            | ConversationState::Initializing
            | ConversationState::Gone
            | ConversationState::Undocumented => {
                say::aloud(&format!(
                    "{sid} is not closed: there is nothing to take back."
                ));
                done(options, sid, "already-open")
            }
        },
        Err(TwilioError::Gone) => bail!("Twilio does not know {sid} any more: it was deleted"),
        Err(error) => Err(error).context("cannot read the conversation"),
    }
}

fn done(options: &Options, sid: ChannelSid, done: &'static str) -> anyhow::Result<Outcome> {
    let value = Done {
        channel_sid: sid,
        done,
    };
    if options.named.json {
        say::json(&value)?;
    } else if done == "reopened" {
        say::aloud(&format!("{sid}: reopened."));
    }
    Ok(Outcome::Good)
}
