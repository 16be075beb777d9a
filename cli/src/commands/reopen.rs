//! `janitor reopen CH…`: takes a closing back, where the platform lets one.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use domain::UNTIL_RELEASED;
use domain::{ChatServiceSid, ConversationState, Platform};
use twilio::rest::{Client, SessionStatus, TwilioError};

use crate::target_channel::{self, Target};
use output::Outcome;

/// The channel to open again.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Holds the channel for so long; then the sweep may close it again
    #[arg(long = "for", value_name = "DURATION", value_parser = output::parse_duration, default_value = "1h")]
    length: Duration,
    #[command(flatten)]
    target: target_channel::Options,
}

/// Opens it again.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let Some(target) = options.target.find().await? else {
        return Ok(Outcome::Unknown);
    };
    let twilio = target.context.twilio().await?;
    let (_, service) = target.context.flex(&twilio).await?;
    match target.channel.platform() {
        Platform::Chat => chat(options, target, &twilio, service).await,
        Platform::Conversations => conversation(options, &target, &twilio, service).await,
    }
}

async fn chat(
    options: &Options,
    target: Target,
    twilio: &Client,
    service: ChatServiceSid,
) -> anyhow::Result<Outcome> {
    let sid = target.channel.sid();
    let attributes = match twilio.chat_channel(service, sid).await {
        Ok(seen) => seen.attributes?,
        Err(TwilioError::Gone) => bail!("Twilio does not know {sid} any more: it was deleted"),
        Err(error) => return Err(error).context("cannot read the channel"),
    };
    if !attributes.is_inactive() {
        output::status(&format!(
            "{sid} is not INACTIVE: there is nothing to take back."
        ));
        return options.target.done(sid, "already-open");
    }
    // A longer hold that a person has set stays.
    let now = target.context.now();
    let until = now
        .plus(options.length)
        .max(target.channel.held(now).unwrap_or(now));
    let held = match until {
        UNTIL_RELEASED => "until its hold is released".to_owned(),
        until => format!("until {}", output::moment(until)),
    };
    output::status(&format!(
        "Plan: `status` of {sid} becomes ACTIVE, and no sweep closes it {held}."
    ));
    if target.channel.open_tasks().next().is_none() {
        output::status(
            "Mind: no task is open on it, and Flex makes none for an ACTIVE channel. Until it is INACTIVE again, what its customer writes is read only by people whom you send there.",
        );
    }
    if let (Some(service), Some(session)) =
        (target.settings.proxy_service, attributes.proxy_session())
    {
        let live = twilio.proxy_session(service, session).await?;
        if live != Some(SessionStatus::Live) {
            output::status(&format!(
                "Mind: its Proxy session {session} has ended. A customer on SMS or WhatsApp no longer reaches this channel."
            ));
        }
    }
    if let Some(outcome) = options.target.ends_here(&target.context) {
        return Ok(outcome);
    }
    // The record first: a crash in between leaves a channel that the sweep finds clean, and
    // never one that is open and forgotten.
    let arm = |record: &mut domain::Channel| {
        record.begin_cleanup_again();
        record.hold(until);
    };
    let table = target.context.table();
    table.fold(sid, Platform::Chat, arm).await?;
    let text = attributes.with_status_active();
    let answer = twilio
        .set_chat_attributes(service, sid, &text)
        .await
        .context("cannot write to the channel")?;
    if answer.attributes.map_or(true, |now| now.is_inactive()) {
        bail!("Twilio did not keep the change: another program wrote at the same time");
    }
    options.target.done(sid, "reopened")
}

async fn conversation(
    options: &Options,
    target: &Target,
    twilio: &Client,
    service: ChatServiceSid,
) -> anyhow::Result<Outcome> {
    let sid = target.channel.sid();
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
                output::status(&format!(
                    "{sid} is not closed: there is nothing to take back."
                ));
                options.target.done(sid, "already-open")
            }
        },
        Err(TwilioError::Gone) => bail!("Twilio does not know {sid} any more: it was deleted"),
        Err(error) => Err(error).context("cannot read the conversation"),
    }
}
