//! One channel that a person named, to be written to: found, looked at live, and left alone
//! where an agent is at work.

use crate::consent::Consent;
use crate::exit::Outcome;
use crate::explain::not_known;
use crate::office::{self, Office, Place};
use crate::say;
use crate::sid::{ChannelArg, Wanted};
use ::sweep::{Settings, Sweep};
use clap::Args;
use domain::UNTIL_RELEASED;
use domain::{Channel, ChannelSid};
use serde::Serialize;

/// Which channel, and whether to do it.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The channel
    #[arg(value_name = "CH…")]
    channel: ChannelArg,
    #[command(flatten)]
    pub(crate) consent: Consent,
    /// Prints what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    place: Place,
}

/// A channel that may be written to.
pub(crate) struct Named {
    pub(crate) office: Office,
    /// The record, with what the look at TaskRouter told.
    pub(crate) channel: Channel,
    pub(crate) settings: Settings,
}

/// What was done to a channel.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    pub(crate) channel_sid: ChannelSid,
    /// What was done: `closed`, `already-clean`, `gone`, `deleted`, `reopened`.
    pub(crate) done: &'static str,
}

impl Options {
    /// Finds the channel and looks at its tasks; or says why not, and how to end.
    pub(crate) async fn find(&self) -> anyhow::Result<Result<Named, Outcome>> {
        let office = Office::open(&self.place).await?;
        let table = office.table();
        let Some(sid) = self.channel.resolve(table, Wanted::ToWrite).await? else {
            return Ok(Err(Outcome::Unknown));
        };
        let settings = Settings::read_at(office.environment(), office.aws())?;
        let sweep = Sweep::new(settings, office::transport()?);
        let Some(channel) = sweep.look(sid, office.now()).await? else {
            say::aloud(&not_known(&office, sid));
            return Ok(Err(Outcome::Unknown));
        };
        let settings = Settings::read_at(office.environment(), office.aws())?;
        Ok(Ok(Named {
            office,
            channel,
            settings,
        }))
    }
}

impl Named {
    /// Refuses where an agent is at work, or a customer waits for one. There is no way around
    /// it: to close a chat under an agent is what all of this is there to prevent.
    pub(crate) fn refuse_if_live(&self) -> Option<Outcome> {
        let tasks = self.channel.open_task_sids();
        if tasks.is_empty() {
            return None;
        }
        let tasks: Vec<String> = tasks.iter().map(ToString::to_string).collect();
        say::aloud(&format!(
            "{} is in use: {} open at TaskRouter. Let the task end first.",
            self.channel.sid(),
            tasks.join(", ")
        ));
        Some(Outcome::HeldBack)
    }

    /// Refuses where a person holds the channel.
    pub(crate) fn refuse_if_held(&self) -> Option<Outcome> {
        let until = self.channel.held(self.office.now())?;
        let until = match until {
            UNTIL_RELEASED => "until it is released".to_owned(),
            until => format!("until {}", say::moment(until)),
        };
        let sid = self.channel.sid();
        say::aloud(&format!(
            "{sid} is held {until}: `janitor hold {sid} --release --yes` lets go of it."
        ));
        Some(Outcome::HeldBack)
    }

    /// The platform, how its last task ended and how long ago.
    pub(crate) fn describe(&self) -> String {
        let channel = &self.channel;
        match channel.idle() {
            Some(idle) => format!(
                "{}: {} ({}), and no open task names it.",
                channel.sid(),
                idle.cause,
                say::from_now(idle.since, self.office.now())
            ),
            None => format!("{}: no task of it is known.", channel.sid()),
        }
    }

    /// The settings of a sweep without patience.
    pub(crate) fn at_once(self) -> (Office, Channel, Settings) {
        let mut settings = self.settings;
        settings.plan.policy = settings.plan.policy.immediate();
        settings.plan.mode = ::sweep::Mode::Act;
        (self.office, self.channel, settings)
    }
}
