//! TaskRouter's events about tasks: to Event Streams at once, to its own log for 30 days.

use crate::state::State;
use crate::state::clock::earlier;
use crate::state::events::cloud_event::Emission;
use crate::state::sid::Sid;
use crate::state::snapshot::{Shared, Text};
use crate::state::taskrouter::task::Task;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Names what happened to a task or to the reservation of an agent for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// A task entered its queue.
    TaskCreated,
    /// Attributes, priority or TaskChannel changed.
    TaskUpdated,
    /// The agent is done talking.
    TaskWrapup,
    /// The task ended well.
    TaskCompleted,
    /// The task ended before an agent took it.
    TaskCanceled,
    /// A client deleted the task through the API.
    TaskDeleted,
    /// TaskRouter deleted a task that was assigned for too long.
    TaskSystemDeleted,
    /// An agent was offered the task.
    ReservationCreated,
    /// The agent took the task.
    ReservationAccepted,
    /// The offer was withdrawn.
    ReservationRescinded,
    /// The agent is done talking.
    ReservationWrapup,
}

impl EventKind {
    /// Returns the type without prefix, as the event log and `payload.eventtype` write it.
    pub fn event_type(self) -> &'static str {
        match self {
            Self::TaskCreated => "task.created",
            Self::TaskUpdated => "task.updated",
            Self::TaskWrapup => "task.wrapup",
            Self::TaskCompleted => "task.completed",
            Self::TaskCanceled => "task.canceled",
            Self::TaskDeleted => "task.deleted",
            Self::TaskSystemDeleted => "task.system-deleted",
            Self::ReservationCreated => "reservation.created",
            Self::ReservationAccepted => "reservation.accepted",
            Self::ReservationRescinded => "reservation.rescinded",
            Self::ReservationWrapup => "reservation.wrapup",
        }
    }

    /// Returns the Pascal-case name, as `data.name` writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskCreated => "TaskCreated",
            Self::TaskUpdated => "TaskUpdated",
            Self::TaskWrapup => "TaskWrapup",
            Self::TaskCompleted => "TaskCompleted",
            Self::TaskCanceled => "TaskCanceled",
            Self::TaskDeleted => "TaskDeleted",
            Self::TaskSystemDeleted => "TaskSystemDeleted",
            Self::ReservationCreated => "ReservationCreated",
            Self::ReservationAccepted => "ReservationAccepted",
            Self::ReservationRescinded => "ReservationRescinded",
            Self::ReservationWrapup => "ReservationWrapup",
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::TaskCreated => "Task created",
            Self::TaskUpdated => "Task updated",
            Self::TaskWrapup => "Task moved to wrapup",
            Self::TaskCompleted => "Task completed",
            Self::TaskCanceled => "Task canceled",
            Self::TaskDeleted => "Task deleted",
            Self::TaskSystemDeleted => "Task deleted via the system after TTL",
            Self::ReservationCreated => "Reservation created",
            Self::ReservationAccepted => "Reservation accepted",
            Self::ReservationRescinded => "Reservation rescinded",
            Self::ReservationWrapup => "Reservation moved to wrapup",
        }
    }

    pub(crate) fn is_about_reservation(self) -> bool {
        self.event_type().starts_with("reservation.")
    }
}

/// Is one event, with the task as it was then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskEvent {
    /// The event's SID, EV…: the same in the log and in the stream's `data.sid`.
    pub sid: Sid,
    /// The CloudEvent's `id`.
    pub id: Sid,
    /// The event.
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    /// Why, if there is a reason.
    pub reason: Option<String>,
    /// The task as it was then.
    pub task: Task,
    /// The name and attributes of the task's worker as they were then.
    pub worker: Option<(Text, Text)>,
}

impl TaskEvent {
    pub(crate) fn description(&self) -> &str {
        match &self.reason {
            Some(reason) if self.kind == EventKind::TaskCanceled => reason,
            Some(_) | None => self.kind.description(),
        }
    }
}

/// Keeps the events of 30 days in order of entry.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct EventLog {
    entries: BTreeMap<u64, Shared<TaskEvent>>,
    next: u64,
}

impl EventLog {
    /// Iterates over the events before a place, newest first.
    pub(crate) fn before(&self, place: u64) -> impl Iterator<Item = (u64, &TaskEvent)> {
        self.entries
            .range(..place)
            .rev()
            .map(|(place, event)| (*place, &**event))
    }

    fn add(&mut self, event: Shared<TaskEvent>, life: Duration) {
        let oldest = earlier(event.at, life);
        while let Some(entry) = self.entries.first_entry()
            && entry.get().at < oldest
        {
            entry.remove();
        }
        self.next += 1;
        self.entries.insert(self.next, event);
    }
}

impl State {
    /// Iterates over TaskRouter's own log, newest first.
    pub fn logged_events(&self) -> impl Iterator<Item = &TaskEvent> {
        let oldest = self.oldest_event_kept();
        self.router
            .events
            .before(u64::MAX)
            .map(|(_, event)| event)
            .filter(move |event| event.at >= oldest)
    }

    pub(crate) fn oldest_event_kept(&self) -> Timestamp {
        earlier(self.now, self.knobs.log_life)
    }

    pub(super) fn tell(&mut self, task: Sid, kind: EventKind, reason: Option<&str>) {
        if let Some(task) = self.task(task).cloned() {
            self.tell_of(task, kind, reason);
        }
    }

    pub(super) fn tell_of(&mut self, task: Task, kind: EventKind, reason: Option<&str>) {
        let worker = task
            .worker
            .and_then(|sid| self.worker(sid))
            .map(|worker| (worker.friendly_name.clone(), worker.attributes.clone()));
        let event = Shared::from(TaskEvent {
            sid: self.sid(b"EV"),
            id: self.sid(b"NO"),
            kind,
            at: self.now,
            reason: reason.map(str::to_owned),
            task,
            worker,
        });
        self.router.events.add(event.clone(), self.knobs.log_life);
        self.outbox.push(Emission::Task(event));
    }
}
