//! `janitor connect URL`: subscribes the webhook to Twilio's events, and waits for a test event.
//!
//! Twilio sends events to a *sink*, which knows a URL, and which events it is sent is the
//! *subscription*'s affair. A sink's URL cannot be changed and it feeds one subscription, so a
//! new URL is a new pair of them. The order of the steps follows: the new sink proves itself by
//! a test event before it is subscribed, and an old pair goes only when the new one works;
//! meanwhile events come twice, which changes nothing.
//!
//! A new sink whose test event does not arrive is removed again.

mod plan;
mod undo;

pub(crate) use undo::{Options as DisconnectOptions, run as disconnect};

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use domain::{SinkSid, SubscriptionSid, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use store::ChannelTable;
use twilio::rest::Client;
use twilio::rest::setup::needed_events;
use twilio::signature::BasicAuth;
use url::Url;

use crate::confirm::Common;
use crate::context::Context;
use output::Outcome;
use plan::{DESCRIPTION, Plan, SinkPlan, SubscriptionPlan, Version};

/// Pause between two reads of the table for the test event.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The webhook to connect.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The webhook's public URL: the output WebhookUrl of the stack
    url: String,
    /// Lets Twilio show a user and a password: WEBHOOK_BASIC_AUTH, or asked for at the terminal
    #[arg(long)]
    basic_auth: bool,
    /// Makes a new sink even where one with this URL is, as for another password
    #[arg(long)]
    renew: bool,
    /// Removes this program's sinks with other URLs, once the new one works
    #[arg(long)]
    replace: bool,
    /// Longest wait for the test event
    #[arg(long, value_name = "DURATION", value_parser = output::parse_duration, default_value = "30s")]
    wait: Duration,
    #[command(flatten)]
    common: Common,
}

/// Result of the command.
#[derive(Debug, Serialize)]
struct Connected {
    url: String,
    sink_sid: SinkSid,
    subscription_sid: SubscriptionSid,
    /// True if anything had to be made or changed.
    changed: bool,
    /// Arrival of the test event.
    test_event_at_ms: Timestamp,
    removed_sink_sids: Vec<SinkSid>,
}

/// Connects.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let url = match sound(&options.url) {
        Ok(url) => url,
        Err(why) => {
            // Not repeated: a password may stand in it.
            output::status(&format!("error: the URL {why}"));
            return Ok(Outcome::Usage);
        }
    };
    let context = Context::open_with_twilio(&options.common.place).await?;
    let secret_url = match credentials(options, &context)? {
        Some(credentials) => with_credentials(&url, &credentials)?,
        None => SecretString::from(url.to_string()),
    };
    let twilio = context.twilio().await?;
    // Without parking no customer's message is sent here at all.
    let parking = context.environment().is_set("PARK_TASK_CHANNELS");
    let types: Vec<Version> = needed_events(parking).collect();
    let plan = Plan::make(&twilio, &url, types, options.renew, options.replace).await?;
    for line in plan.in_words(&url) {
        output::status(&line);
    }
    if let Some(outcome) = options.common.confirm.ends_here() {
        // A plan without a change is no plan: only the test would be left.
        return Ok(if plan.changes() {
            outcome
        } else {
            Outcome::Good
        });
    }

    let sink = match plan.sink {
        SinkPlan::Adopt(sink) => {
            output::success(&format!("sink {sink} adopted"));
            sink
        }
        SinkPlan::Create => {
            let sink = twilio.create_webhook_sink(DESCRIPTION, &secret_url).await;
            let sink = sink.context("the sink cannot be created")?.sid;
            output::success(&format!("sink {sink} created"));
            sink
        }
    };
    let rest = prove_and_subscribe(options, &context, &twilio, &plan, sink).await;
    let (subscription, arrived) = match rest {
        Ok(done) => done,
        Err(error) => {
            output::failure(&format!("{error:#}"));
            if plan.sink == SinkPlan::Create {
                take_back(&twilio, sink).await;
            }
            return Ok(Outcome::CheckFailed);
        }
    };
    for old in &plan.remove {
        undo::remove(&twilio, old).await?;
    }
    if options.common.json {
        output::json(&Connected {
            url: url.to_string(),
            sink_sid: sink,
            subscription_sid: subscription,
            changed: plan.changes(),
            test_event_at_ms: arrived,
            removed_sink_sids: plan.remove.iter().map(|old| old.sink).collect(),
        })?;
    }
    Ok(Outcome::Good)
}

async fn prove_and_subscribe(
    options: &Options,
    context: &Context,
    twilio: &Client,
    plan: &Plan,
    sink: SinkSid,
) -> anyhow::Result<(SubscriptionSid, Timestamp)> {
    let arrived = prove(context.table(), twilio, sink, options.wait).await?;
    output::success("a test event went from Twilio through the webhook into the table");
    let subscription = match &plan.subscription {
        SubscriptionPlan::Adopt { sid, add, pin } => {
            for (name, version) in add {
                twilio
                    .subscribe_also(*sid, name, *version)
                    .await
                    .with_context(|| format!("the type {name} cannot be added"))?;
            }
            for (name, version) in pin {
                twilio
                    .set_schema_version(*sid, name, *version)
                    .await
                    .with_context(|| format!("the version of {name} cannot be set"))?;
            }
            output::success(&format!("subscription {sid} adopted"));
            *sid
        }
        SubscriptionPlan::Create => {
            let made = twilio
                .create_subscription(DESCRIPTION, sink, &plan.types)
                .await
                .context("the sink cannot be subscribed")?;
            output::success(&format!("subscription {} created", made.sid));
            made.sid
        }
    };
    plan::verify(twilio, subscription, &plan.types).await?;
    output::success("every type is subscribed, in its version");
    Ok((subscription, arrived))
}

/// Sends a test event and waits until the webhook has written into the table that it came.
async fn prove(
    table: &ChannelTable,
    twilio: &Client,
    sink: SinkSid,
    wait: Duration,
) -> anyhow::Result<Timestamp> {
    let before = table.last_test_event().await?;
    twilio
        .test_sink(sink)
        .await
        .context("Twilio does not send a test event")?;
    let look = async {
        loop {
            let last = table.last_test_event().await?;
            if let Some(last) = last.filter(|last| Some(last) != before.as_ref()) {
                return anyhow::Ok(last.at);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(wait, look).await {
        Ok(arrived) => arrived,
        Err(_elapsed) => bail!(
            "no test event in {} within {}. Twilio's Debugger says what the webhook answered: 91305 is a refusal (another auth token, or WEBHOOK_URL is to be set, or the password differs), 91306 to 91308 an outage. Or the webhook writes into another table",
            table.name(),
            output::duration(wait)
        ),
    }
}

async fn take_back(twilio: &Client, sink: SinkSid) {
    match twilio.delete_sink(sink).await {
        Ok(()) => output::status(&format!("The sink {sink} was taken back.")),
        Err(error) => output::status(&format!("The sink {sink} stays: {error}")),
    }
}

/// A URL that Twilio can call, without a password in it: the command line is no place for one.
fn sound(text: &str) -> Result<Url, &'static str> {
    let url =
        Url::parse(text).map_err(|_| "is not a URL: it must begin with https:// and a host")?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("must begin with https:// and a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "must not hold a user or password, which others could read here: use --basic-auth",
        );
    }
    if url.fragment().is_some() {
        return Err("must not have a fragment (#…): Event Streams does not send it");
    }
    Ok(url)
}

/// The user and password that Twilio is to show, if it is to show any.
fn credentials(options: &Options, context: &Context) -> anyhow::Result<Option<SecretString>> {
    if !options.basic_auth {
        return Ok(None);
    }
    let known = context.read(|environment| environment.secret("WEBHOOK_BASIC_AUTH"))?;
    let typed = match known {
        Some(known) => known,
        None if std::io::stdin().is_terminal() => {
            let prompt = "user:password that Twilio is to show: ";
            SecretString::from(rpassword::prompt_password(prompt)?)
        }
        None => bail!("set WEBHOOK_BASIC_AUTH to user:password; there is no terminal to ask at"),
    };
    if let Err(why) = BasicAuth::parse(typed.expose_secret()) {
        bail!("user and password: {why}");
    }
    Ok(Some(typed))
}

fn with_credentials(url: &Url, credentials: &SecretString) -> anyhow::Result<SecretString> {
    let (user, password) = credentials
        .expose_secret()
        .split_once(':')
        .context("user and password are separated by a colon")?;
    let mut url = url.clone();
    let set = url
        .set_username(user)
        .and_then(|()| url.set_password(Some(password)));
    if set.is_err() {
        bail!("this URL takes no user and password");
    }
    Ok(SecretString::from(url.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_sound_or_is_refused_without_being_repeated() {
        assert!(sound("https://x.lambda-url.eu-west-1.on.aws/").is_ok());
        assert!(sound("http://127.0.0.1:4020/twilio/events?tenant=a").is_ok());
        for url in [
            "",
            "x.example.com/hook",
            "ftp://x.example.com",
            "https://user:secret@x.example.com/",
            "https://user@x.example.com/",
            "https://x.example.com/#rc=2",
        ] {
            assert!(!sound(url).unwrap_err().contains("secret"), "{url}");
        }
    }

    #[test]
    fn a_password_is_written_so_that_a_url_can_hold_it() {
        let url = sound("https://x.example.com/hook").unwrap();
        let secret = SecretString::from("janitor:a/b@c:d");
        let full = with_credentials(&url, &secret).unwrap();
        assert_eq!(
            full.expose_secret(),
            "https://janitor:a%2Fb%40c%3Ad@x.example.com/hook"
        );
    }
}
