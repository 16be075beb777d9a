//! The rules of a task: who may change it how, and when it ends by itself.

use crate::state::State;
use crate::state::attributes;
use crate::state::clock::Due;
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use crate::state::taskrouter::events::EventKind;
use crate::state::taskrouter::task::{Expect, NewTask, Task, TaskChange, TaskStatus};
use std::time::Duration;

/// The most characters that the attributes of a task may have: <https://www.twilio.com/docs/taskrouter/limits>.
const MAX_ATTRIBUTES: usize = 4_096;
/// The time for which a task waits for an agent unless it says otherwise, in seconds: the Tasks resource's `Timeout`.
const DEFAULT_TIMEOUT: i64 = 86_400;
/// The longest time for which a task may wait for an agent, in seconds.
const MAX_TIMEOUT: i64 = 1_209_600;

impl State {
    /// Creates a task and tells of it.
    ///
    /// # Errors
    ///
    /// Fails if the workspace or the workflow does not exist, the attributes are not a JSON object,
    /// the timeout is out of range, or a TaskChannel is named in a workspace without multitasking.
    pub fn create_task(&mut self, workspace: Sid, given: NewTask) -> Result<Sid, Refusal> {
        let multi_tasking = self.workspace_or_refuse(workspace)?.multi_task_enabled;
        let attributes = given.attributes.unwrap_or_else(|| "{}".to_owned());
        check_attributes(&attributes)?;
        let timeout = given.timeout.unwrap_or(DEFAULT_TIMEOUT);
        if !(1..=MAX_TIMEOUT).contains(&timeout) {
            return Err(Refusal::invalid(format!(
                "Timeout must be between 1 and {MAX_TIMEOUT} seconds"
            )));
        }
        if given.task_channel.is_some() && !multi_tasking {
            return Err(Refusal::invalid(
                "TaskChannel needs a workspace with MultiTaskEnabled",
            ));
        }
        let workflow = self.workflow_for(workspace, given.workflow)?;
        let queue = given
            .queue
            .or_else(|| workflow.and_then(|workflow| self.default_queue(workflow)));
        let default_channel = self
            .find_task_channel(workspace, "default")
            .map(|channel| channel.sid);
        let task_channel = given
            .task_channel
            .or(default_channel)
            .ok_or_else(|| Refusal::absent("TaskChannels/default"))?;
        let (sid, now) = (self.sid(b"WT"), self.now);
        let task = Task {
            sid,
            workspace,
            workflow,
            queue,
            task_channel,
            channel: None,
            attributes: attributes.into(),
            priority: given.priority.unwrap_or(0),
            status: TaskStatus::Pending,
            reason: None,
            timeout,
            version: 0,
            paused: false,
            worker: None,
            reservation: None,
            routing_target: given.routing_target.map(Into::into),
            created: now,
            updated: now,
            virtual_start: given.virtual_start.unwrap_or(now),
            assigned: None,
        };
        self.router.tasks.insert(sid, task);
        self.file_under_channel(sid);
        self.due_in(
            Duration::from_secs(timeout.unsigned_abs()),
            Due::TaskTimeout(sid),
        );
        self.tell(sid, EventKind::TaskCreated, None);
        Ok(sid)
    }

    /// Changes a task as one request does: all of it or, if anything is against the rules, nothing.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist, has another version than expected, or cannot change in
    /// this way.
    pub fn update_task(
        &mut self,
        task: Sid,
        expect: Expect,
        change: TaskChange,
    ) -> Result<(), Refusal> {
        let stored = self.task_or_refuse(task)?;
        if let Expect::Version(version) = expect
            && version != stored.version
        {
            return Err(Refusal::VersionMismatch(task));
        }
        let (status, workspace) = (stored.status, stored.workspace);
        if let Some(attributes) = &change.attributes {
            check_attributes(attributes)?;
            if matches!(
                change.status,
                Some(TaskStatus::Wrapping | TaskStatus::Completed)
            ) {
                return Err(Refusal::invalid(
                    "Attributes and a move to wrapping or completed need two requests",
                ));
            }
        }
        if change.task_channel.is_some() && !self.workspace_or_refuse(workspace)?.multi_task_enabled
        {
            return Err(Refusal::invalid(
                "TaskChannel needs a workspace with MultiTaskEnabled",
            ));
        }
        if let Some(to) = change.status {
            check_move(task, status, to)?;
        }
        if change.attributes.is_some()
            || change.priority.is_some()
            || change.task_channel.is_some()
            || change.virtual_start.is_some()
        {
            self.apply(task, &change);
            self.tell(task, EventKind::TaskUpdated, None);
        }
        match change.status {
            Some(to) if to != status => self.move_task(task, to, change.reason.as_deref()),
            Some(_) | None => {}
        }
        Ok(())
    }

    /// Moves a task to a status, for a reason.
    ///
    /// # Errors
    ///
    /// Refuses a task that is absent and a move that TaskRouter does not know.
    pub(crate) fn set_task_status(
        &mut self,
        task: Sid,
        status: TaskStatus,
        reason: &str,
    ) -> Result<(), Refusal> {
        let change = TaskChange {
            status: Some(status),
            reason: Some(reason.to_owned()),
            ..Default::default()
        };
        self.update_task(task, Expect::Any, change)
    }

    /// Deletes a task through the API, which is told as `task.deleted`.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist, or has another version than expected.
    pub fn delete_task(&mut self, task: Sid, expect: Expect) -> Result<(), Refusal> {
        let stored = self.task_or_refuse(task)?;
        if let Expect::Version(version) = expect
            && version != stored.version
        {
            return Err(Refusal::VersionMismatch(task));
        }
        self.vanish(task, Some((EventKind::TaskDeleted, None)));
        Ok(())
    }

    /// Returns a task.
    pub fn task(&self, sid: Sid) -> Option<&Task> {
        self.router.tasks.get(sid)
    }

    /// Iterates over all tasks that can still be read, oldest first.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.router.tasks.values()
    }

    /// Iterates over the open tasks that name a channel, oldest first.
    pub fn open_tasks_on(&self, channel: Sid) -> impl DoubleEndedIterator<Item = &Task> {
        let filed = self
            .router
            .tasks_by_channel
            .get(&channel)
            .map(Vec::as_slice)
            .unwrap_or_default();
        filed
            .iter()
            .filter_map(|sid| self.task(*sid))
            .filter(|task| task.status.is_open())
    }

    pub(crate) fn task_or_refuse(&self, sid: Sid) -> Result<&Task, Refusal> {
        self.task(sid).ok_or_else(|| Refusal::absent(sid))
    }

    /// Gives a task to a worker, the way an agent accepts it.
    pub(crate) fn assign_to(&mut self, task: Sid, worker: Option<Sid>) -> Result<(), Refusal> {
        check_move(
            task,
            self.task_or_refuse(task)?.status,
            TaskStatus::Assigned,
        )?;
        let (reservation, now) = (self.sid(b"WR"), self.now);
        let Some(stored) = self.touch(task) else {
            return Err(Refusal::absent(task));
        };
        stored.status = TaskStatus::Assigned;
        stored.assigned = Some(now);
        stored.worker = worker;
        stored.reservation = stored.reservation.or(Some(reservation));
        let task_channel = stored.task_channel;
        self.count_for_worker(worker, task_channel, 1);
        self.watch_assigned(task);
        self.agent_joins(task);
        self.tell(task, EventKind::ReservationAccepted, None);
        Ok(())
    }

    fn apply(&mut self, task: Sid, change: &TaskChange) {
        let Some(stored) = self.touch(task) else {
            return;
        };
        let (old_channel, worker) = (stored.task_channel, stored.takes_capacity_of());
        if let Some(attributes) = &change.attributes {
            stored.attributes = attributes.as_str().into();
        }
        stored.priority = change.priority.unwrap_or(stored.priority);
        stored.virtual_start = change.virtual_start.unwrap_or(stored.virtual_start);
        stored.task_channel = change.task_channel.unwrap_or(old_channel);
        let new_channel = stored.task_channel;
        self.count_for_worker(worker, old_channel, -1);
        self.count_for_worker(worker, new_channel, 1);
        self.file_under_channel(task);
    }

    pub(super) fn move_task(&mut self, task: Sid, to: TaskStatus, reason: Option<&str>) {
        if to == TaskStatus::Assigned {
            let first = self.task(task).and_then(|task| {
                self.router
                    .workers
                    .values()
                    .find(|worker| worker.workspace == task.workspace)
            });
            let worker = first.map(|worker| worker.sid);
            self.assign_to(task, worker).ok();
            return;
        }
        let offer = self.sid(b"WR");
        let Some(stored) = self.touch(task) else {
            return;
        };
        stored.status = to;
        match to {
            TaskStatus::Pending => self.tell(task, EventKind::ReservationRescinded, None),
            TaskStatus::Reserved => {
                stored.reservation = Some(offer);
                self.tell(task, EventKind::ReservationCreated, None);
            }
            TaskStatus::Wrapping => {
                self.tell(task, EventKind::ReservationWrapup, None);
                self.tell(task, EventKind::TaskWrapup, None);
                if let Some(life) = self.knobs.wrap_up_life {
                    self.due_in(life, Due::WrapUpLife(task));
                }
            }
            TaskStatus::Completed | TaskStatus::Canceled => {
                stored.reason = reason.map(Into::into);
                let (worker, task_channel) = (stored.takes_capacity_of(), stored.task_channel);
                self.count_for_worker(worker, task_channel, -1);
                let kind = if to == TaskStatus::Completed {
                    EventKind::TaskCompleted
                } else {
                    EventKind::TaskCanceled
                };
                self.tell(task, kind, reason);
                self.due_in(self.knobs.finished_task_life, Due::TaskPurge(task));
            }
            TaskStatus::Assigned => {}
        }
    }

    pub(super) fn touch(&mut self, task: Sid) -> Option<&mut Task> {
        let now = self.now;
        let stored = self.router.tasks.get_mut(task)?;
        stored.version += 1;
        stored.updated = now;
        Some(stored)
    }

    fn file_under_channel(&mut self, task: Sid) {
        let Some(stored) = self.router.tasks.get_mut(task) else {
            return;
        };
        let old = stored.channel;
        let named =
            |key| attributes::text(&stored.attributes, key).and_then(|text| text.parse().ok());
        stored.channel = named("channelSid").or_else(|| named("conversationSid"));
        let new = stored.channel;
        if old != new {
            if let Some(old) = old {
                self.unfile(old, task);
            }
            if let Some(new) = new {
                self.router.channels_with_tasks.insert(new);
                self.router
                    .tasks_by_channel
                    .entry(new)
                    .or_default()
                    .push(task);
            }
        }
    }

    pub(super) fn unfile(&mut self, channel: Sid, task: Sid) {
        if let Some(filed) = self.router.tasks_by_channel.get_mut(&channel) {
            filed.retain(|sid| *sid != task);
            if filed.is_empty() {
                self.router.tasks_by_channel.remove(&channel);
            }
        }
    }

    fn workflow_for(&self, workspace: Sid, given: Option<Sid>) -> Result<Option<Sid>, Refusal> {
        let mut ours = self
            .router
            .workflows
            .values()
            .filter(|workflow| workflow.workspace == workspace)
            .map(|workflow| workflow.sid);
        match given {
            Some(sid) if ours.any(|ours| ours == sid) => Ok(Some(sid)),
            Some(sid) => Err(Refusal::invalid(format!("Workflow {sid} does not exist"))),
            None => match (ours.next(), ours.next()) {
                (only, None) => Ok(only),
                (_, Some(_)) => Err(Refusal::invalid(
                    "Missing required parameter WorkflowSid: the workspace has several workflows",
                )),
            },
        }
    }
}

fn check_attributes(text: &str) -> Result<(), Refusal> {
    if text.chars().count() > MAX_ATTRIBUTES {
        return Err(Refusal::invalid(format!(
            "Attributes must not exceed {MAX_ATTRIBUTES} characters"
        )));
    }
    if attributes::is_json(text) {
        Ok(())
    } else {
        Err(Refusal::invalid("Attributes are not a JSON text"))
    }
}

fn check_move(task: Sid, from: TaskStatus, to: TaskStatus) -> Result<(), Refusal> {
    use TaskStatus::{Assigned, Canceled, Completed, Pending, Reserved, Wrapping};
    let possible = match to {
        Pending => matches!(from, Pending | Reserved),
        Reserved | Assigned => matches!(from, Pending | Reserved),
        Wrapping => from == Assigned,
        Completed => matches!(from, Assigned | Wrapping),
        Canceled => matches!(from, Pending | Reserved),
    };
    if possible {
        Ok(())
    } else {
        let (from, to) = (from.as_str(), to.as_str());
        Err(Refusal::invalid(format!(
            "Task {task} is {from} and cannot become {to}"
        )))
    }
}
