//! `janitor rescue CH…`: gives the customer who waits unheard on a channel a task.

use std::time::Duration;

use ::sweep::{ManualRescue, Sweep};
use domain::{ChannelSid, TaskSid};
use output::Outcome;
use serde::Serialize;

use crate::commands::explain::not_known;
use crate::context;
use crate::target_channel::Options;

/// The longest that a rescue may take.
const TIME_LEFT: Duration = Duration::from_secs(120);

/// Result for the channel.
#[derive(Debug, Serialize)]
struct Done {
    channel_sid: ChannelSid,
    task_sid: TaskSid,
}

/// Makes the task.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let Some(target) = options.find().await? else {
        return Ok(Outcome::Unknown);
    };
    if let Some(outcome) = target.refuse_if_live().or_else(|| target.refuse_if_held()) {
        return Ok(outcome);
    }
    let sid = target.channel.sid();
    output::status(&target.describe());
    let context = target.context;
    let sweep = Sweep::new(target.settings, context::transport()?);
    let plan = sweep.rescue(sid, false, context.now(), TIME_LEFT).await?;
    let ManualRescue::WouldMake(since) = plan else {
        return Ok(no_task(plan, &not_known(&context, sid)));
    };
    output::status(&format!(
        "Plan: its customer, who wrote {}, gets a task like the last one, in the same queue.",
        output::from_now(since, context.now())
    ));
    if let Some(outcome) = options.ends_here(&context) {
        return Ok(outcome);
    }
    let result = sweep.rescue(sid, true, context.now(), TIME_LEFT).await?;
    let ManualRescue::Made(task) = result else {
        return Ok(no_task(result, &not_known(&context, sid)));
    };
    output::success(&format!("{sid}: its customer has the task {task}."));
    if options.common.json {
        output::json(&Done {
            channel_sid: sid,
            task_sid: task,
        })?;
    }
    Ok(Outcome::Good)
}

/// Tells why no task was made, and returns the outcome.
fn no_task(result: ManualRescue, unknown: &str) -> Outcome {
    let (why, outcome) = match result {
        ManualRescue::Unknown => (unknown.to_owned(), Outcome::Unknown),
        ManualRescue::OpenTask => (
            "A task is open on it, so its customer is heard.".to_owned(),
            Outcome::NotConfirmed,
        ),
        ManualRescue::NotUnheard => (
            "No customer waits unheard on it.".to_owned(),
            Outcome::NotConfirmed,
        ),
        ManualRescue::NotMade(why) => (format!("No task is made: {why}."), Outcome::NotConfirmed),
        ManualRescue::WouldMake(_) | ManualRescue::Made(_) | ManualRescue::Unsettled => (
            "It is not known yet if a task was made. Ask again in ten minutes.".to_owned(),
            Outcome::CheckFailed,
        ),
    };
    output::failure(&why);
    outcome
}
