//! Ends of tasks by the passing of time, and tasks that an agent puts aside.

use crate::state::State;
use crate::state::clock::{Due, later};
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use crate::state::taskrouter::events::EventKind;
use crate::state::taskrouter::task::{Task, TaskStatus};

/// The words of an end that was not asked for.
const TTL_EXCEEDED: &str = "Task TTL Exceeded";

impl State {
    pub(crate) fn task_times_out(&mut self, task: Sid) {
        let waits = |task: &Task| matches!(task.status, TaskStatus::Pending | TaskStatus::Reserved);
        if self.task(task).is_some_and(waits) {
            self.move_task(task, TaskStatus::Canceled, Some(TTL_EXCEEDED));
        }
    }

    pub(crate) fn assigned_task_expires(&mut self, task: Sid) {
        let (now, Some(life)) = (self.now, self.knobs.assigned_life) else {
            return;
        };
        let expired = |task: &Task| {
            let since = task.assigned.map(|since| later(since, life));
            task.status == TaskStatus::Assigned
                && !task.paused
                && since.is_some_and(|end| end <= now)
        };
        if self.task(task).is_some_and(expired) {
            self.vanish(
                task,
                Some((EventKind::TaskSystemDeleted, Some(TTL_EXCEEDED))),
            );
        }
    }

    pub(crate) fn wrap_up_expires(&mut self, task: Sid) {
        let wraps_up = |task: &Task| task.status == TaskStatus::Wrapping;
        if self.task(task).is_some_and(wraps_up) {
            self.move_task(task, TaskStatus::Completed, Some(TTL_EXCEEDED));
        }
    }

    pub(crate) fn task_is_purged(&mut self, task: Sid) {
        self.vanish(task, None);
    }

    /// Puts an assigned task aside or takes it up again, which starts its clock anew.
    pub(crate) fn put_aside(&mut self, task: Sid, aside: bool) -> Result<(), Refusal> {
        let stored = self.task_or_refuse(task)?;
        if stored.status != TaskStatus::Assigned || stored.paused == aside {
            return Err(Refusal::invalid(format!(
                "Task {task} cannot be paused or resumed now"
            )));
        }
        let (worker, task_channel, now) = (stored.worker, stored.task_channel, self.now);
        if let Some(stored) = self.touch(task) {
            stored.paused = aside;
            stored.assigned = Some(now);
        }
        self.count_for_worker(worker, task_channel, if aside { -1 } else { 1 });
        self.watch_assigned(task);
        Ok(())
    }

    pub(super) fn watch_assigned(&mut self, task: Sid) {
        if let Some(life) = self.knobs.assigned_life {
            self.due_in(life, Due::AssignedLife(task));
        }
    }

    pub(super) fn vanish(&mut self, task: Sid, told: Option<(EventKind, Option<&str>)>) {
        let Some(gone) = self.router.tasks.remove(task) else {
            return;
        };
        if let Some(channel) = gone.channel {
            self.unfile(channel, task);
        }
        if gone.status.is_open() {
            self.count_for_worker(gone.takes_capacity_of(), gone.task_channel, -1);
        }
        if let Some((kind, reason)) = told {
            self.tell_of(gone, kind, reason);
        }
    }
}
