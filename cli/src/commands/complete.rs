//! `janitor complete WT…`: ends one wrap-up that an agent left open.

use ::sweep::{Settings, Sweep, WrapUp};
use clap::Args;
use domain::TaskSid;
use output::Outcome;
use serde::Serialize;

use crate::confirm::Common;
use crate::context::{self, Context};
use crate::stack::Override;

/// The task to complete.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The task that is stuck in wrap-up
    #[arg(value_name = "WT…")]
    task: TaskSid,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    common: Common,
}

/// Result for the task.
#[derive(Debug, Serialize)]
struct Done {
    task_sid: TaskSid,
    completed: bool,
}

/// Completes the task.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let Options { task, by, common } = options;
    let context = Context::open_with_twilio(&common.place).await?;
    let context = context.by_stack(*by).await?;
    let settings = Settings::read_at(context.environment(), context.aws())?;
    let sweep = Sweep::new(settings, context::transport()?);
    match plan(*task, sweep.wrap_up(*task, context.now()).await?) {
        Ok(plan) => output::status(&format!("Plan: {plan}")),
        Err(outcome) => return Ok(outcome),
    }
    let ends_here = common.confirm.ends_here();
    if let Some(outcome) = ends_here.or_else(|| context.refuse_observing_stack()) {
        return Ok(outcome);
    }
    // The task is looked at again before it is written to: its agent may have completed it.
    if let Err(outcome) = plan(*task, sweep.complete(*task, context.now()).await?) {
        return Ok(outcome);
    }
    output::success(&format!("{task} was completed."));
    if common.json {
        output::json(&Done {
            task_sid: *task,
            completed: true,
        })?;
    }
    Ok(Outcome::Good)
}

/// Returns the plan in words, or tells why there is none and returns the outcome.
fn plan(task: TaskSid, wrap_up: WrapUp) -> Result<String, Outcome> {
    let (why, outcome) = match wrap_up {
        WrapUp::Task => return Ok(format!("{task} is completed in TaskRouter.")),
        WrapUp::Participant(agent) => {
            return Ok(format!(
                "{task} is completed by ending the part of its agent, {agent}. The Conversation and its other tasks go on."
            ));
        }
        WrapUp::Unknown => ("TaskRouter does not know it.", Outcome::Unknown),
        WrapUp::NotWrapping => (
            "It is not in wrap-up, so it is left as it is.",
            Outcome::NotConfirmed,
        ),
        WrapUp::Unclear => (
            "It names neither a Chat channel nor an interaction in which one agent has it. Complete it in Flex.",
            Outcome::NotConfirmed,
        ),
    };
    output::failure(&format!("{task}: {why}"));
    Err(outcome)
}
