//! `janitor explain CH…` or `WT…`: the record of a channel, and the decision that follows from it.

use clap::Args;
use domain::{Channel, Platform, Policy, Progress, Stage, Step, Task, TaskSid, Timestamp};
use runtime::common;
use serde::Serialize;

use crate::channel_arg::{ChannelArg, Purpose};
use crate::context::{Context, Place};
use crate::stack::Override;
use output::{ChannelView, Explanation, Outcome};

/// The channel to explain.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The channel, or the beginning of its SID, or a task of it
    #[arg(value_name = "CH…|WT…")]
    channel: ChannelArg,
    /// Prints it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    place: Place,
}

/// The record of a channel, and the decision that follows.
#[derive(Debug, Serialize)]
struct Explained {
    #[serde(flatten)]
    view: ChannelView,
    tasks: Vec<TaskView>,
    /// Last cleanup, be it for this idle period or an earlier one.
    last_cleanup: Option<domain::Cleanup>,
    /// Next step of the sweep, in one word.
    decision: &'static str,
    /// The same in words, with what it waits for or what blocks it.
    why: String,
}

/// A task of the record.
#[derive(Debug, Serialize)]
struct TaskView {
    task_sid: TaskSid,
    opened_at_ms: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at_ms: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<domain::End>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_open_at_ms: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interaction_sid: Option<domain::InteractionSid>,
}

/// Explains a channel from its record alone: Twilio is not asked.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let context = Context::open(&options.place).await?;
    let context = context.by_stack(options.by).await?;
    let Some(sid) = options.channel.resolve(&context, Purpose::Read).await? else {
        return Ok(Outcome::Unknown);
    };
    let table = context.table();
    let Some(stored) = table.get(sid).await? else {
        output::status(&not_known(&context, sid));
        return Ok(Outcome::Unknown);
    };
    let policy = context.read(common::policy)?;
    let now = context.now();
    let explained = explain(&stored.channel, &policy, now);
    if options.json {
        output::json(&explained)?;
    } else {
        output::print(&in_words(&explained, now))?;
    }
    Ok(Outcome::Good)
}

/// Returns the message for a channel without a record.
pub(crate) fn not_known(context: &Context, channel: domain::ChannelSid) -> String {
    format!(
        "{} holds no record of {channel}: no task event that names it ever arrived, or it was \
         closed so long ago that its record has expired.\n`janitor list` shows what is known; \
         `janitor replay` reads recorded events.",
        context.place()
    )
}

fn explain(channel: &Channel, policy: &Policy, now: Timestamp) -> Explained {
    let mut tasks: Vec<TaskView> = channel
        .tasks()
        .iter()
        .map(|(sid, task)| task_view(*sid, task))
        .collect();
    tasks.sort_by_key(|task| (task.opened_at_ms, task.task_sid));
    let Explanation { decision, why } = Explanation::new(channel, policy, now);
    Explained {
        view: ChannelView::new(channel, policy, now),
        tasks,
        last_cleanup: channel.last_cleanup().cloned(),
        decision,
        why,
    }
}

fn task_view(sid: TaskSid, task: &domain::Task) -> TaskView {
    TaskView {
        task_sid: sid,
        opened_at_ms: task.opened_at,
        stage: reached(task),
        ended_at_ms: task.ended.map(|ended| ended.at),
        end: task.ended.map(|ended| ended.how),
        seen_open_at_ms: task.seen_open_at,
        interaction_sid: task.interaction.map(|interaction| interaction.sid),
    }
}

fn in_words(explained: &Explained, now: Timestamp) -> String {
    let view = &explained.view;
    let kind = match (view.platform, view.long_lived) {
        // A Conversation has no such attribute.
        (Platform::Conversations, _) => view.platform_name().to_owned(),
        (Platform::Chat, Some(true)) => "chat, long-lived".to_owned(),
        (Platform::Chat, Some(false)) => "chat, not long-lived".to_owned(),
        (Platform::Chat, None) => "chat; `long_lived` was never read".to_owned(),
    };
    let mut lines = vec![
        format!("{}  {}", view.channel_sid, view.state.name()),
        kind,
        String::new(),
    ];
    for task in &explained.tasks {
        let opened = output::moment(task.opened_at_ms);
        let rest = match (task.ended_at_ms, task.end, task.stage) {
            (Some(at), Some(end), _) => {
                format!(
                    "{end} {}, {}",
                    output::from_now(at, now),
                    output::moment(at)
                )
            }
            (_, _, Some(stage)) => format!("open, {}", stage_name(stage)),
            (_, _, None) => "open".to_owned(),
        };
        let mut parked = view.parked_tasks.iter();
        let parked = parked.find(|parked| parked.task_sid == task.task_sid);
        let rest = match parked {
            Some(parked) => format!(
                "{rest}; parked, and deleted by TaskRouter {}",
                output::from_now(parked.deleted_after_ms, now)
            ),
            None => rest,
        };
        lines.push(format!("  {}  opened {opened}; {rest}", task.task_sid));
    }
    if let Some(since) = view.unheard_since_ms {
        lines.push(format!(
            "  its customer wrote {}, and no agent sees it",
            output::from_now(since, now)
        ));
    }
    if let Some(cleanup) = &explained.last_cleanup {
        lines.push(format!("  last cleaning: {}", cleaned(cleanup, now)));
    }
    lines.push(String::new());
    lines.push(explained.why.clone());
    lines.join("\n")
}

/// Returns the stage of an open task, where it is known: without parking it is not stored.
fn reached(task: &Task) -> Option<Stage> {
    (task.ended.is_none() && task.stage > Stage::Waiting).then_some(task.stage)
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "no agent has it",
        Stage::Assigned => "an agent has it",
        Stage::Wrapping => "the agent is writing up",
    }
}

fn cleaned(cleanup: &domain::Cleanup, now: Timestamp) -> String {
    let progress = match &cleanup.progress {
        Progress::Untouched => "not done".to_owned(),
        Progress::Left { at, row } => format!("left {}: {row}", output::from_now(*at, now)),
        Progress::Done {
            step: Step::Release,
            at,
            outcome,
        } => {
            format!("released {} ({outcome})", output::from_now(*at, now))
        }
        Progress::Done {
            step: Step::Close,
            at,
            outcome,
        } => {
            format!("closed {} ({outcome})", output::from_now(*at, now))
        }
        Progress::Failed { at, reason } => {
            format!("given up {} ({reason})", output::from_now(*at, now))
        }
    };
    let tries = match cleanup.failures {
        0 => String::new(),
        1 => ", one failed try".to_owned(),
        many => format!(", {many} failed tries"),
    };
    format!(
        "{progress}{tries}, idle since {}",
        output::moment(cleanup.idle_since)
    )
}
