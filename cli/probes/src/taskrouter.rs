//! Questions about TaskRouter.

use std::time::Duration;

use serde_json::Value;
use twilio::rest::TwilioError;

use crate::answer::{Answer, Judged};
use crate::fetch::COMPLETED;
use crate::readings::{Read, object, text, time};
use crate::{Probe, Readings};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A task that has been assigned for this long has outlived the limit of 24 hours, whatever the
/// delay with which TaskRouter looks.
const BEYOND_THE_LIMIT: Duration = Duration::from_secs(26 * 60 * 60);

const NO_OPEN_TASK: &str = "no task is open";

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        id: "taskrouter/list-without-attributes",
        beliefs: &["B10"],
        question: "Does a list of tasks leave the attributes out?",
        judge: list_without_attributes,
    },
    Probe {
        id: "taskrouter/in",
        beliefs: &["B49"],
        question: "Does EvaluateTaskAttributes understand IN?",
        judge: |readings| {
            let changes = "TaskRouter is asked with == and OR, in twice as many requests";
            understood(&readings.router.question_in, changes)
        },
    },
    Probe {
        id: "taskrouter/equals",
        beliefs: &["B49"],
        question: "Does EvaluateTaskAttributes understand == and OR?",
        judge: |readings| {
            let router = &readings.router;
            let changes = match router.question_in {
                Ok(()) => "nothing as long as IN is understood",
                Err(_) => "the sweep closes nothing: it cannot know which tasks are open",
            };
            understood(&router.question_equals, changes)
        },
    },
    Probe {
        id: "taskrouter/names-channel",
        beliefs: &["B9"],
        question: "Do the tasks of chats name their channel?",
        judge: names_channel,
    },
    Probe {
        id: "taskrouter/forgets",
        beliefs: &["B11"],
        question: "Does TaskRouter forget a task within 15 minutes after its end?",
        judge: forgets,
    },
    Probe {
        id: "taskrouter/log-of-30-days",
        beliefs: &["B15"],
        question: "Does TaskRouter keep its log for 30 days?",
        judge: log_of_30_days,
    },
    Probe {
        id: "taskrouter/assigned-for-a-day",
        beliefs: &["B12"],
        question: "Does TaskRouter delete a task that has been assigned for 24 hours?",
        judge: assigned_for_a_day,
    },
    Probe {
        id: "taskrouter/endless-wrap-up",
        beliefs: &["B13"],
        question: "Can a task stay in wrap-up for more than a day?",
        judge: endless_wrap_up,
    },
];

fn list_without_attributes(readings: &Readings) -> Judged {
    let tasks = readings.router.open_tasks.as_ref()?;
    let left_out = tasks.iter().map(|task| text(task, "attributes").is_none());
    let changes = "the list itself says which task belongs to which channel; nothing is lost";
    Ok(Answer::of(left_out, changes, NO_OPEN_TASK))
}

fn understood(answer: &Read<()>, changes: &'static str) -> Judged {
    let is_understood = match answer {
        Ok(()) => true,
        Err(TwilioError::Refused { status: 400, .. }) => false,
        Err(error) => return Err(error.into()),
    };
    Ok(Answer::of([is_understood], changes, ""))
}

fn names_channel(readings: &Readings) -> Judged {
    let tasks = readings.router.tasks.iter().flatten();
    let named = tasks.map(|task| {
        let attributes = object(task, "attributes").unwrap_or_default();
        let names = |field| text(&attributes, field).is_some_and(|sid| sid.starts_with("CH"));
        names("conversationSid") || names("channelSid")
    });
    let changes = "events of such tasks are ignored and counted, and their channels are found by what is held open";
    Ok(Answer::of(named, changes, "no task of a chat is open"))
}

fn forgets(readings: &Readings) -> Judged {
    let mut forgotten = Vec::new();
    for task in &readings.router.ended_tasks {
        match task {
            Ok(()) => forgotten.push(false),
            Err(TwilioError::Gone) => forgotten.push(true),
            Err(error) => return Err(error.into()),
        }
    }
    let changes = "a task that is kept longer says itself how it ended";
    let nothing = "no task was completed in the last 30 days";
    Ok(Answer::of(forgotten, changes, nothing))
}

fn log_of_30_days(readings: &Readings) -> Judged {
    let router = &readings.router;
    // A question about a time that the log does not reach may be refused.
    let is_older_kept = router.older.as_ref().is_ok_and(|events| !events.is_empty());
    if is_older_kept {
        let changes = "the log is kept for longer; no more than 30 days of it are read";
        return Ok(Answer::of([false], changes, ""));
    }
    if !router.month_old.as_ref()?.is_empty() {
        return Ok(Answer::AsExpected { seen: 1 });
    }
    let created = router.workspace.as_ref().ok();
    let created = created.and_then(|workspace| time(workspace, "date_created"));
    let is_old = created.is_some_and(|at| readings.now.since(at) > DAY * 45);
    let is_busy = router.completed.as_ref()?.len() >= usize::from(COMPLETED);
    if is_old && is_busy {
        let changes =
            "the log seems to be kept for less: what it lacks is found by what is held open";
        return Ok(Answer::of([false], changes, ""));
    }
    Err(Answer::no_data(
        "the workspace has no event of four weeks ago",
    ))
}

fn assigned_for_a_day(readings: &Readings) -> Judged {
    let tasks = readings.router.open_tasks.as_ref()?;
    let assigned = tasks.iter().filter(|task| is_in(task, "assigned"));
    let outlived = assigned.filter(|task| age(readings, task) > BEYOND_THE_LIMIT);
    let outlived = outlived.count();
    let deleted = readings.router.system_deleted.as_ref()?.len();
    let things = std::iter::repeat_n(false, outlived).chain(std::iter::repeat_n(true, deleted));
    let changes = "a task may be open for longer: its channel is left for as long";
    let nothing = "no task has been assigned for 24 hours";
    Ok(Answer::of(things, changes, nothing))
}

fn endless_wrap_up(readings: &Readings) -> Judged {
    let tasks = readings.router.open_tasks.as_ref()?;
    let wrapping = tasks.iter().filter(|task| is_in(task, "wrapping"));
    let long = wrapping.filter(|task| age(readings, task) > DAY);
    let nothing = "no task has been in wrap-up for a day";
    Ok(Answer::of(long.map(|_| true), "", nothing))
}

fn is_in(task: &Value, status: &str) -> bool {
    text(task, "assignment_status") == Some(status)
}

/// The time since the task changed last, which is no longer than it has been in its state.
fn age(readings: &Readings, task: &Value) -> Duration {
    let updated = time(task, "date_updated");
    updated.map_or(Duration::ZERO, |at| readings.now.since(at))
}
