//! Moves of tasks, held against the oracle by what they changed.

use simulator::Sid;
use simulator::state::taskrouter::task::{Expect, TaskChange};

use crate::oracle::{Moved, TaskNow};
use crate::shared::Shared;

use super::TwilioTransport;
use super::request::Subject;

impl TwilioTransport {
    /// Returns a task as it is now, if the request is to move it.
    pub(super) fn task_now(&self, subject: &Subject) -> Option<TaskNow> {
        let Subject::Move(task) = subject else {
            return None;
        };
        let state = self.shared.twilio.state();
        let task = state.task(task.parse().ok()?)?;
        let pair = [
            (self.shared.project.chat_task_channel, false),
            (self.shared.inactive?, true),
        ];
        let found = pair.iter().find(|(sid, _)| *sid == task.task_channel);
        Some(TaskNow {
            attributes: task.attributes.to_string(),
            parked: found.map(|(_, parked)| *parked),
            version: u32::try_from(task.version).unwrap_or(u32::MAX),
        })
    }

    /// Checks a move that had its effect.
    pub(super) fn moved(&self, run: u32, task: &str, before: &TaskNow) {
        let Some(after) = self.task_now(&Subject::Move(task.to_owned())) else {
            return;
        };
        let channel = {
            let state = self.shared.twilio.state();
            let found = task.parse().ok().and_then(|task: Sid| state.task(task));
            found
                .and_then(|task| task.channel)
                .map(|sid| sid.to_string())
        };
        let moved = Moved {
            task,
            channel: channel.as_deref(),
            before,
            after: &after,
        };
        let now = self.shared.now();
        let checked = self.shared.lock().oracle.moved(run, now, &moved);
        self.shared.check(checked);
        let mut inner = self.shared.lock();
        match (before.parked, after.parked) {
            (Some(false), Some(true)) => inner.totals.parked += 1,
            (Some(true), Some(false)) => inner.totals.returned += 1,
            _ => inner.totals.count("moves that changed nothing"),
        }
        inner.trace(now, || {
            format!("run {run} moves {task}: {:?}", after.parked)
        });
    }

    /// Lets other software write to the task that was read just now.
    pub(super) fn meddle_with_task(&self, task: &str) {
        let chance = self.shared.script.meddling;
        let number = {
            let faults = &mut self.shared.lock().faults;
            if faults.faultless || !faults.happens(chance) {
                return;
            }
            faults.rng.u32(..)
        };
        if let Ok(task) = task.parse() {
            add_to_task(&self.shared, task, number);
        }
    }
}

/// Lets other software add an attribute to a task, reading and writing at once.
pub(crate) fn add_to_task(shared: &Shared, task: Sid, number: u32) {
    let written = {
        let mut state = shared.twilio.state();
        let Some(found) = state.task(task).filter(|task| task.status.is_open()) else {
            return;
        };
        let note = format!("{{\"note{number}\":1e400,");
        let change = TaskChange {
            attributes: Some(found.attributes.replacen('{', &note, 1)),
            ..TaskChange::default()
        };
        state.update_task(task, Expect::Any, change)
    };
    if written.is_ok() {
        shared.lock().totals.count("writes to tasks by others");
        shared.trace(|| format!("other software writes note {number} to {task}"));
    }
}
