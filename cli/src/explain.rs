//! `janitor explain CH…`: what is remembered of a channel, and what follows from it.

use clap::Args;
use domain::UNTIL_RELEASED;
use domain::{
    Channel, ParkDecision, Policy, Progress, Queue, QueueEntry, Stage, Step, SweepDecision, Task,
    TaskSid, Timestamp, decide_park, decide_sweep,
};
use runtime::common;
use serde::Serialize;

use crate::about::About;
use crate::exit::Outcome;
use crate::office::{Office, Place};
use crate::say;
use crate::sid::{ChannelArg, Wanted};

/// What to explain.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The channel, or the beginning of its SID
    #[arg(value_name = "CH…")]
    channel: ChannelArg,
    /// Prints it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// All that is known of a channel, and what follows.
#[derive(Debug, Serialize)]
struct Explained {
    #[serde(flatten)]
    about: About,
    tasks: Vec<TaskTold>,
    /// What was done about it last, be it for this idle period or an earlier one.
    last_cleanup: Option<domain::Cleanup>,
    /// What the sweep would do now.
    decision: &'static str,
    /// The same in words, with what it waits for or what blocks it.
    why: String,
}

/// What is known of a task.
#[derive(Debug, Serialize)]
struct TaskTold {
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
    let office = Office::open(&options.place).await?;
    let table = office.table();
    let Some(sid) = options.channel.resolve(table, Wanted::ToRead).await? else {
        return Ok(Outcome::Unknown);
    };
    let Some(stored) = table.get(sid).await? else {
        say::aloud(&not_known(&office, sid));
        return Ok(Outcome::Unknown);
    };
    let policy = office.read(common::policy)?;
    let now = office.now();
    let explained = explain(&stored.channel, &policy, now);
    if options.json {
        say::json(&explained)?;
    } else {
        say::print(&in_words(&explained, now))?;
    }
    Ok(Outcome::Good)
}

/// What to say of a channel without a record.
pub(crate) fn not_known(office: &Office, channel: domain::ChannelSid) -> String {
    format!(
        "{} holds no record of {channel}: no task event that names it ever arrived, or it was \
         closed so long ago that its record has expired.\n`janitor list` shows what is known; \
         `janitor replay` takes in recorded events.",
        office.place()
    )
}

fn explain(channel: &Channel, policy: &Policy, now: Timestamp) -> Explained {
    let mut tasks: Vec<TaskTold> = channel
        .tasks()
        .iter()
        .map(|(sid, task)| told(*sid, task))
        .collect();
    tasks.sort_by_key(|task| (task.opened_at_ms, task.task_sid));
    let (decision, why) = decision(channel, policy, now);
    Explained {
        about: About::new(channel, policy, now),
        tasks,
        last_cleanup: channel.last_cleanup().cloned(),
        decision,
        why,
    }
}

fn told(sid: TaskSid, task: &domain::Task) -> TaskTold {
    TaskTold {
        task_sid: sid,
        opened_at_ms: task.opened_at,
        stage: reached(task),
        ended_at_ms: task.ended.map(|ended| ended.at),
        end: task.ended.map(|ended| ended.how),
        seen_open_at_ms: task.seen_open_at,
        interaction_sid: task.interaction.map(|interaction| interaction.sid),
    }
}

/// What follows, as a word and as a sentence.
fn decision(channel: &Channel, policy: &Policy, now: Timestamp) -> (&'static str, String) {
    if let Some(until) = channel.held(now) {
        let end = match until {
            UNTIL_RELEASED => "until it is released".to_owned(),
            until => format!(
                "until {}, {}",
                say::moment(until),
                say::from_now(until, now)
            ),
        };
        return (
            "wait",
            format!("A person holds it {end}: the sweep leaves it alone."),
        );
    }
    match decide_park(channel, policy, now) {
        ParkDecision::Nothing | ParkDecision::Wait(_) => {}
        ParkDecision::InstallWebhook => {
            return (
                "install-webhook",
                "Due: an agent has its task. The next poll adds a webhook that tells its messages."
                    .to_owned(),
            );
        }
        ParkDecision::Park(task) => {
            return (
                "park",
                format!(
                    "Due: its agent spoke last and its customer is silent. The next poll parks {task}."
                ),
            );
        }
        ParkDecision::Unpark(task) => {
            return (
                "unpark",
                format!(
                    "Due: its customer wrote on a parked chat. The next poll brings {task} back."
                ),
            );
        }
    }
    match decide_sweep(channel, policy, now) {
        SweepDecision::Nothing => match channel.queue_entry() {
            Some(entry) => waits(channel, entry, policy, now),
            None => ("nothing", nothing(channel, now)),
        },
        SweepDecision::Wait(entry) => waits(channel, entry, policy, now),
        SweepDecision::Look => (
            "look",
            match channel.idle() {
                Some(idle) => format!(
                    "Due: {}. The next sweep reads it at Twilio and closes or leaves it by the rule.",
                    idle.cause
                ),
                None => "Due: the next sweep reads it at Twilio.".to_owned(),
            },
        ),
        SweepDecision::EndSession(session) => (
            "end-session",
            format!(
                "It is closed. The next sweep makes sure that its Proxy session {session} is gone."
            ),
        ),
        SweepDecision::Inspect(since) => (
            "inspect",
            format!(
                "Due: one of its tasks ended while another stays open and silent since {}. The next sweep asks TaskRouter which of them are open.",
                say::moment(since)
            ),
        ),
    }
}

fn waits(
    channel: &Channel,
    entry: QueueEntry,
    policy: &Policy,
    now: Timestamp,
) -> (&'static str, String) {
    let due = entry.since.plus(policy.cutoff(entry.queue));
    let left = match channel.cleanup().map(|cleanup| &cleanup.progress) {
        Some(Progress::Left { row, .. }) => Some(*row),
        _ => None,
    };
    let why = match (entry.queue, left) {
        (Queue::Retry, Some(row)) => format!("It is left: {row}. It is looked at again."),
        (Queue::Abandoned, _) => {
            "Its last task was canceled, timed out or deleted, so no browser cleans it.".to_owned()
        }
        (Queue::Ended, _) => {
            "Its last task has ended; the agent's browser has its time to clean up.".to_owned()
        }
        (Queue::LongLived, _) => "It is long-lived and released; then it is reset.".to_owned(),
        (Queue::Inspect, _) => {
            "One of its tasks ended while another stays open and silent; then TaskRouter is asked."
                .to_owned()
        }
        (Queue::InstallWebhook, _) => "Its messages are not told to us yet.".to_owned(),
        (Queue::Park, _) => "Its agent spoke last; then the chat is parked.".to_owned(),
        (Queue::Unpark, _) => {
            "Its customer wrote, and the chat could not be brought back.".to_owned()
        }
        (Queue::Retry, None) => {
            "Twilio refused, did not answer, or has a moment to end the Proxy session.".to_owned()
        }
    };
    let when = say::from_now(due, now);
    (
        "wait",
        format!("{why} Due {when}, at {}.", say::moment(due)),
    )
}

fn nothing(channel: &Channel, now: Timestamp) -> String {
    if channel.tasks().is_empty() {
        return "No task of it is known.".to_owned();
    }
    if channel.idle().is_none() {
        return "A task of it is open, so nothing is to be done.".to_owned();
    }
    match channel.last_cleanup().map(|cleanup| &cleanup.progress) {
        Some(Progress::Done {
            step: Step::Close,
            at,
            outcome,
        }) => {
            format!("It was closed {} ({outcome}).", say::from_now(*at, now))
        }
        Some(Progress::Failed { at, reason }) => format!(
            "It was given up {}: {reason}. A person has to look; `janitor retry --failed` tries again.",
            say::from_now(*at, now)
        ),
        Some(Progress::Untouched | Progress::Left { .. } | Progress::Done { .. }) | None => {
            "Nothing is waited for.".to_owned()
        }
    }
}

fn in_words(explained: &Explained, now: Timestamp) -> String {
    let about = &explained.about;
    let long_lived = match about.long_lived {
        Some(true) => "long-lived",
        Some(false) => "not long-lived",
        None => "whether it is long-lived was never read",
    };
    let mut lines = vec![
        format!("{}  {}", about.channel_sid, about.state.name()),
        format!("{}, {long_lived}", about.platform_name()),
        String::new(),
    ];
    for task in &explained.tasks {
        let opened = say::moment(task.opened_at_ms);
        let rest = match (task.ended_at_ms, task.end, task.stage) {
            (Some(at), Some(end), _) => {
                format!("{end} {}, {}", say::from_now(at, now), say::moment(at))
            }
            (_, _, Some(stage)) => format!("open, {}", stage_name(stage)),
            (_, _, None) => "open".to_owned(),
        };
        lines.push(format!("  {}  opened {opened}; {rest}", task.task_sid));
    }
    if let Some(cleanup) = &explained.last_cleanup {
        lines.push(format!("  last cleaning: {}", cleaned(cleanup, now)));
    }
    lines.push(String::new());
    lines.push(explained.why.clone());
    lines.join("\n")
}

/// How far an open task has got, where that was told: without parking it is not remembered.
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
        Progress::Left { at, row } => format!("left {}: {row}", say::from_now(*at, now)),
        Progress::Done {
            step: Step::Release,
            at,
            outcome,
        } => {
            format!("released {} ({outcome})", say::from_now(*at, now))
        }
        Progress::Done {
            step: Step::Close,
            at,
            outcome,
        } => {
            format!("closed {} ({outcome})", say::from_now(*at, now))
        }
        Progress::Failed { at, reason } => {
            format!("given up {} ({reason})", say::from_now(*at, now))
        }
    };
    let tries = match cleanup.failures {
        0 => String::new(),
        1 => ", one failed try".to_owned(),
        many => format!(", {many} failed tries"),
    };
    format!(
        "{progress}{tries}, idle since {}",
        say::moment(cleanup.idle_since)
    )
}
