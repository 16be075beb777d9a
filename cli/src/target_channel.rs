//! One channel that a person named in order to write to it: found, compared with TaskRouter's
//! open tasks, and refused where an agent is at work.

use ::sweep::{Settings, Sweep};
use clap::Args;
use domain::UNTIL_RELEASED;
use domain::{Channel, ChannelSid};
use output::Outcome;
use serde::Serialize;

use crate::channel_arg::{ChannelArg, Purpose};
use crate::commands::explain::not_known;
use crate::confirm::Common;
use crate::context::{self, Context};
use crate::stack::Override;

/// The channel, and the confirmation.
#[derive(Debug, Args)]
// Commands take these options into their own, which have the same name.
#[group(skip)]
pub(crate) struct Options {
    /// The channel
    #[arg(value_name = "CH…")]
    channel: ChannelArg,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A channel that may be written to.
pub(crate) struct Target {
    pub(crate) context: Context,
    /// The record, with the open tasks that TaskRouter has now.
    pub(crate) channel: Channel,
    pub(crate) settings: Settings,
}

/// Result of a command on one channel.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    pub(crate) channel_sid: ChannelSid,
    /// `closed`, `already-clean`, `gone`, `deleted`, `reopened` or `already-open`.
    pub(crate) done: &'static str,
}

impl Options {
    /// Finds the channel and reads its open tasks. Prints the reason where it is not known.
    pub(crate) async fn find(&self) -> anyhow::Result<Option<Target>> {
        let context = Context::open_with_twilio(&self.common.place).await?;
        let context = context.by_stack(self.by).await?;
        let Some(sid) = self.channel.resolve(&context, Purpose::Write).await? else {
            return Ok(None);
        };
        let settings = Settings::read_at(context.environment(), context.aws())?;
        let sweep = Sweep::new(settings, context::transport()?);
        let Some(channel) = sweep.look(sid, context.now()).await? else {
            output::status(&not_known(&context, sid));
            return Ok(None);
        };
        let settings = Settings::read_at(context.environment(), context.aws())?;
        Ok(Some(Target {
            context,
            channel,
            settings,
        }))
    }

    /// Returns the outcome where nothing is to be written: the plan was only to be shown, or the
    /// stack only observes.
    pub(crate) fn ends_here(&self, context: &Context) -> Option<Outcome> {
        let ends_here = self.common.confirm.ends_here();
        ends_here.or_else(|| context.refuse_observing_stack())
    }

    /// Prints the result: as JSON, or as a sentence.
    pub(crate) fn done(
        &self,
        channel_sid: ChannelSid,
        done: &'static str,
    ) -> anyhow::Result<Outcome> {
        if self.common.json {
            output::json(&Done { channel_sid, done })?;
        } else {
            output::success(&format!("{channel_sid}: {}.", done.replace('-', " ")));
        }
        Ok(Outcome::Good)
    }
}

impl Target {
    /// Refuses where a task is open. No option overrides it: closing a chat that an agent works
    /// on is the harm that this program exists to prevent.
    pub(crate) fn refuse_if_live(&self) -> Option<Outcome> {
        let tasks = self.channel.open_task_sids();
        if tasks.is_empty() {
            return None;
        }
        let tasks: Vec<String> = tasks.iter().map(ToString::to_string).collect();
        output::status(&format!(
            "{} is in use: {} open at TaskRouter. Let the task end first.",
            self.channel.sid(),
            tasks.join(", ")
        ));
        Some(Outcome::NotConfirmed)
    }

    /// Refuses where a person holds the channel.
    pub(crate) fn refuse_if_held(&self) -> Option<Outcome> {
        let until = self.channel.held(self.context.now())?;
        let until = match until {
            UNTIL_RELEASED => "until it is released".to_owned(),
            until => format!("until {}", output::moment(until)),
        };
        let sid = self.channel.sid();
        output::status(&format!(
            "{sid} is held {until}: `janitor hold {sid} --release --yes` lets go of it."
        ));
        Some(Outcome::NotConfirmed)
    }

    /// Returns a sentence: how its last task ended, and how long ago.
    pub(crate) fn describe(&self) -> String {
        let channel = &self.channel;
        match channel.idle() {
            Some(idle) => format!(
                "{}: {} ({}), and no open task names it.",
                channel.sid(),
                idle.cause,
                output::from_now(idle.since, self.context.now())
            ),
            None => format!("{}: no task of it is known.", channel.sid()),
        }
    }

    /// Returns the settings of a sweep that waits for no cutoff.
    pub(crate) fn at_once(self) -> (Context, Channel, Settings) {
        let mut settings = self.settings;
        settings.plan.policy = settings.plan.policy.immediate();
        settings.plan.mode = ::sweep::Mode::Act;
        (self.context, self.channel, settings)
    }
}
