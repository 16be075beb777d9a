//! A task, and the changes that a request may ask for.

use crate::state::sid::Sid;
use crate::state::snapshot::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Says where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaskStatus {
    /// Waits for an agent.
    Pending,
    /// Is offered to an agent.
    Reserved,
    /// An agent works on it.
    Assigned,
    /// The agent is done talking.
    Wrapping,
    /// Ended well.
    Completed,
    /// Ended before an agent took it.
    Canceled,
}

impl TaskStatus {
    /// Every status, in the order of a task's life.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Reserved,
        Self::Assigned,
        Self::Wrapping,
        Self::Completed,
        Self::Canceled,
    ];

    /// Returns Twilio's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Reserved => "reserved",
            Self::Assigned => "assigned",
            Self::Wrapping => "wrapping",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }

    /// Understands Twilio's word for it.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Returns true if a customer still waits or an agent still works.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Completed | Self::Canceled)
    }
}

/// Is a task, WT….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    /// The task's SID.
    pub sid: Sid,
    /// The workspace it belongs to.
    pub workspace: Sid,
    /// The workflow that routes it.
    pub workflow: Option<Sid>,
    /// The queue it waits in.
    pub queue: Option<Sid>,
    /// Its TaskChannel.
    pub task_channel: Sid,
    /// Its attributes, byte for byte as they were given.
    pub attributes: Text,
    /// The Chat channel or conversation that the attributes name.
    pub channel: Option<Sid>,
    /// Its priority, higher goes first.
    pub priority: i64,
    /// Where it stands.
    pub status: TaskStatus,
    /// Why it was canceled or completed.
    pub reason: Option<Text>,
    /// The time for which it may wait for an agent, in seconds.
    pub timeout: i64,
    /// Counts the changes; the ETag.
    pub version: u64,
    /// True if its agent put it aside, which frees capacity and stops the clock of assigned tasks.
    pub paused: bool,
    /// Whose task it is.
    pub worker: Option<Sid>,
    /// The reservation that made it so.
    pub reservation: Option<Sid>,
    /// The agent or queue that it was meant for.
    pub routing_target: Option<Text>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// The time by which it is ordered.
    pub virtual_start: Timestamp,
    /// When an agent took it.
    pub assigned: Option<Timestamp>,
}

impl Task {
    /// Returns the worker whose capacity it takes.
    pub(crate) fn takes_capacity_of(&self) -> Option<Sid> {
        self.worker.filter(|_| !self.paused)
    }
}

/// Lists what a new task is given.
#[derive(Debug, Clone, Default)]
pub struct NewTask {
    /// Its attributes; `{}` if absent.
    pub attributes: Option<String>,
    /// Its workflow; the workspace's only one if absent.
    pub workflow: Option<Sid>,
    /// Its queue; the workflow's default if absent.
    pub queue: Option<Sid>,
    /// Its TaskChannel; `default` if absent.
    pub task_channel: Option<Sid>,
    /// The time for which it may wait, in seconds.
    pub timeout: Option<i64>,
    /// Its priority.
    pub priority: Option<i64>,
    /// The time by which it is ordered.
    pub virtual_start: Option<Timestamp>,
    /// The agent or queue that it is meant for.
    pub routing_target: Option<String>,
}

/// Lists what one request may change.
#[derive(Debug, Clone, Default)]
pub struct TaskChange {
    /// The whole new attributes.
    pub attributes: Option<String>,
    /// Where it shall stand.
    pub status: Option<TaskStatus>,
    /// Why.
    pub reason: Option<String>,
    /// Its new priority.
    pub priority: Option<i64>,
    /// Its new TaskChannel.
    pub task_channel: Option<Sid>,
    /// The time by which it is ordered.
    pub virtual_start: Option<Timestamp>,
}

/// Says which version a writer wants to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Whatever is there: the last writer wins.
    Any,
    /// Only this one.
    Version(u64),
}
