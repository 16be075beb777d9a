//! `janitor park WT…` and `janitor unpark WT…`: parks a chat, or moves it back, by hand.
//! `janitor park --set-up` makes the TaskChannel for that.

mod set_up;

use std::pin::pin;

use ::park::{ManualMove, MoveError, Park, Settings};
use clap::Args;
use domain::{ChannelSid, ManualRequest, TaskSid};
use futures::StreamExt;
use output::Outcome;
use serde::Serialize;

use crate::confirm::Common;
use crate::context::{self, Context};
use crate::stack::Override;

/// The number of parked chats that an agent may have, unless an option says.
const CAPACITY: u16 = 50;

/// The chat to park, or the TaskChannel to set up.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub(crate) struct Options {
    /// The task in which an agent has the chat
    #[arg(value_name = "WT…", group = "what")]
    task: Option<TaskSid>,
    /// Makes the second TaskChannel for the one of this unique name, and gives every worker
    /// capacity on it; needs Twilio's credentials alone
    #[arg(
        long,
        value_name = "NAME",
        num_args = 0..=1,
        default_missing_value = "chat",
        group = "what"
    )]
    set_up: Option<String>,
    /// The parked chats that each worker may have at a time, instead of 50
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..),
        requires = "set_up"
    )]
    capacity: Option<u16>,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    common: Common,
}

/// The chats to move back.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(crate) struct UnparkOptions {
    /// The parked task
    #[arg(value_name = "WT…", group = "which")]
    task: Option<TaskSid>,
    /// Every task that the table shows as parked
    #[arg(long, group = "which")]
    all: bool,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    common: Common,
}

/// Result for one task.
#[derive(Debug, Serialize)]
struct Done {
    task_sid: TaskSid,
    parked: bool,
    changed: bool,
}

/// Parks one chat, in the way that the agent's button does. `PARK_TASK_CHANNELS` names the
/// pairs of TaskChannels.
pub(crate) async fn park(options: &Options) -> anyhow::Result<Outcome> {
    if let Some(active) = &options.set_up {
        let order = set_up::Order {
            active,
            capacity: options.capacity.unwrap_or(CAPACITY),
        };
        return set_up::run(order, &options.common).await;
    }
    let context = Context::open_with_twilio(&options.common.place).await?;
    let context = context.by_stack(options.by).await?;
    let tasks: Vec<TaskSid> = options.task.into_iter().collect();
    move_tasks(&context, &tasks, ManualRequest::Park, &options.common).await
}

/// Moves one chat back, or all of them.
pub(crate) async fn unpark(options: &UnparkOptions) -> anyhow::Result<Outcome> {
    let context = Context::open_with_twilio(&options.common.place).await?;
    let context = context.by_stack(options.by).await?;
    let tasks = match options.task {
        Some(task) => vec![task],
        None => parked(&context).await?,
    };
    if tasks.is_empty() {
        output::status(&format!("No parked chat in {}.", context.place()));
        return Ok(Outcome::Good);
    }
    move_tasks(&context, &tasks, ManualRequest::Resume, &options.common).await
}

async fn parked(context: &Context) -> anyhow::Result<Vec<TaskSid>> {
    let progress = output::Progress::counting("channels read");
    let mut channels = pin!(context.table().all(ChannelSid::PREFIX));
    let mut tasks = Vec::new();
    while let Some(channel) = channels.next().await {
        progress.one_more();
        tasks.extend(channel?.parked_tasks());
    }
    Ok(tasks)
}

async fn move_tasks(
    context: &Context,
    tasks: &[TaskSid],
    request: ManualRequest,
    common: &Common,
) -> anyhow::Result<Outcome> {
    let settings = Settings::read_at(context.environment(), context.aws())?;
    let park = Park::new(settings, context::transport()?);
    let (to, done, already) = match request {
        ManualRequest::Park => (
            "to the inactive TaskChannel",
            "was parked",
            "was parked already",
        ),
        ManualRequest::Resume => (
            "back to the TaskChannel that it came from",
            "was moved back",
            "was not parked",
        ),
    };
    for task in tasks {
        output::status(&format!("Plan: {task} moves {to}."));
    }
    let ends_here = common.confirm.ends_here();
    if let Some(outcome) = ends_here.or_else(|| context.refuse_unknown_stack()) {
        return Ok(outcome);
    }
    let mut outcome = Outcome::Good;
    for task in tasks {
        let changed = match park.manual(*task, request, context.now()).await {
            Ok(ManualMove::Moved) => true,
            Ok(ManualMove::Already) => false,
            Err(error @ MoveError::Gone) => {
                output::failure(&format!("{task}: {error}"));
                outcome = Outcome::Unknown;
                continue;
            }
            // One task that cannot be moved must not keep the others where they are.
            Err(error) if tasks.len() > 1 => {
                output::failure(&format!("{task}: {error}"));
                outcome = Outcome::CheckFailed;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let done = if changed { done } else { already };
        output::success(&format!("{task} {done}."));
        if common.json {
            let parked = request == ManualRequest::Park;
            print(
                &Done {
                    task_sid: *task,
                    parked,
                    changed,
                },
                tasks.len(),
            )?;
        }
    }
    Ok(outcome)
}

/// One object, or one per line where there are several tasks.
fn print(done: &Done, tasks: usize) -> anyhow::Result<()> {
    let printed = match tasks {
        1 => output::json(done),
        _ => output::json_line(done),
    };
    Ok(printed?)
}
