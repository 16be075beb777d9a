//! TaskRouter: the workspace and what stands in it. Tasks, workers and events have files of their own.

mod endings;
pub mod events;
mod expression;
pub mod task;
mod tasks;
pub mod workers;

use expression::Expression;

use crate::state::State;
use crate::state::clock::later;
use crate::state::refusal::Refusal;
use crate::state::shelf::Shelf;
use crate::state::sid::Sid;
use events::EventLog;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;
use task::Task;
use workers::{Worker, WorkerChannel};

/// The time for which a task can be read after its end: <https://www.twilio.com/docs/taskrouter/lifecycle-task-state>.
pub(crate) const FINISHED_TASK_LIFE: Duration = Duration::from_secs(5 * 60);
/// The time for which a task may be assigned: <https://www.twilio.com/docs/taskrouter/limits>.
pub(crate) const ASSIGNED_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// The time for which the log keeps an event: <https://www.twilio.com/docs/taskrouter/api/event>.
pub(crate) const LOG_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Holds what TaskRouter knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TaskRouter {
    pub(crate) workspaces: Shelf<Workspace>,
    pub(crate) workflows: Shelf<Workflow>,
    pub(crate) queues: Shelf<TaskQueue>,
    pub(crate) channels: Shelf<TaskChannel>,
    pub(crate) tasks: Shelf<Task>,
    pub(crate) workers: Shelf<Worker>,
    pub(crate) worker_channels: Shelf<WorkerChannel>,
    pub(crate) events: EventLog,
    /// The tasks that name a channel or conversation, oldest first.
    pub(crate) tasks_by_channel: HashMap<Sid, Vec<Sid>>,
    /// The channels and conversations that some task has named at some time.
    pub(crate) channels_with_tasks: HashSet<Sid>,
    /// When the last expressions were evaluated, oldest first, at most a second ago.
    evaluations: VecDeque<Timestamp>,
}

/// Is a workspace, WS….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Workspace {
    /// The workspace's SID.
    pub sid: Sid,
    /// Its name.
    pub friendly_name: String,
    /// True if a worker may have several tasks; TaskChannels need it.
    pub multi_task_enabled: bool,
    /// Where TaskRouter reports events.
    pub event_callback_url: Option<String>,
    /// Which events it reports there, as a comma list.
    pub events_filter: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Is a workflow, WW….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Workflow {
    /// The workflow's SID.
    pub sid: Sid,
    /// The workspace it belongs to.
    pub workspace: Sid,
    /// Its name.
    pub friendly_name: String,
    /// Its rules, a JSON text.
    pub configuration: String,
    /// The time for which an agent may think about a task, in seconds.
    pub task_reservation_timeout: i64,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Is a task queue, WQ….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskQueue {
    /// The queue's SID.
    pub sid: Sid,
    /// The workspace it belongs to.
    pub workspace: Sid,
    /// Its name.
    pub friendly_name: String,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Is a TaskChannel, TC….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskChannel {
    /// The TaskChannel's SID.
    pub sid: Sid,
    /// The workspace it belongs to.
    pub workspace: Sid,
    /// Its name for people.
    pub friendly_name: String,
    /// Its name for programs.
    pub unique_name: String,
    /// True if it prefers workers who work on this channel already.
    pub channel_optimized_routing: bool,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

impl State {
    /// Creates a workspace with its `default` TaskChannel.
    pub fn create_workspace(&mut self, friendly_name: &str) -> Sid {
        let (sid, now) = (self.sid(b"WS"), self.now);
        let workspace = Workspace {
            sid,
            friendly_name: friendly_name.to_owned(),
            multi_task_enabled: true,
            event_callback_url: None,
            events_filter: None,
            created: now,
            updated: now,
        };
        self.router.workspaces.insert(sid, workspace);
        self.add_task_channel(sid, "Default", "default");
        sid
    }

    /// Creates a task queue that every worker serves.
    ///
    /// # Errors
    ///
    /// Fails if the workspace does not exist.
    pub fn create_task_queue(
        &mut self,
        workspace: Sid,
        friendly_name: &str,
    ) -> Result<Sid, Refusal> {
        self.workspace_or_refuse(workspace)?;
        let (sid, now) = (self.sid(b"WQ"), self.now);
        let queue = TaskQueue {
            sid,
            workspace,
            friendly_name: friendly_name.to_owned(),
            created: now,
            updated: now,
        };
        self.router.queues.insert(sid, queue);
        Ok(sid)
    }

    /// Creates a workflow from its rules, a JSON text.
    ///
    /// # Errors
    ///
    /// Fails if the workspace does not exist, or if the configuration is not JSON.
    pub fn create_workflow(
        &mut self,
        workspace: Sid,
        friendly_name: &str,
        configuration: &str,
    ) -> Result<Sid, Refusal> {
        self.workspace_or_refuse(workspace)?;
        if !crate::state::attributes::is_json(configuration) {
            return Err(Refusal::invalid("Configuration is not a JSON text"));
        }
        let (sid, now) = (self.sid(b"WW"), self.now);
        let workflow = Workflow {
            sid,
            workspace,
            friendly_name: friendly_name.to_owned(),
            configuration: configuration.to_owned(),
            task_reservation_timeout: 120,
            created: now,
            updated: now,
        };
        self.router.workflows.insert(sid, workflow);
        Ok(sid)
    }

    /// Creates a TaskChannel; names with hyphens are refused, since no expression can read them.
    ///
    /// # Errors
    ///
    /// Fails if the workspace does not exist, a name has a hyphen, or the unique name is taken.
    pub fn create_task_channel(
        &mut self,
        workspace: Sid,
        friendly_name: &str,
        unique_name: &str,
    ) -> Result<Sid, Refusal> {
        self.workspace_or_refuse(workspace)?;
        if unique_name.contains('-') || friendly_name.contains('-') {
            return Err(Refusal::invalid(
                "TaskChannel names must not contain hyphens",
            ));
        }
        if self.find_task_channel(workspace, unique_name).is_some() {
            return Err(Refusal::invalid(format!(
                "TaskChannel with unique name {unique_name} already exists"
            )));
        }
        Ok(self.add_task_channel(workspace, friendly_name, unique_name))
    }

    /// Finds a TaskChannel of a workspace by SID or unique name.
    pub fn find_task_channel(&self, workspace: Sid, name: &str) -> Option<&TaskChannel> {
        self.router.channels.values().find(|channel| {
            channel.workspace == workspace && (channel.sid == name || channel.unique_name == name)
        })
    }

    /// Returns a workspace.
    pub fn workspace(&self, sid: Sid) -> Option<&Workspace> {
        self.router.workspaces.get(sid)
    }

    /// Opens a TaskChannel to be set up differently: older ones may have names that are refused today.
    pub fn task_channel_mut(&mut self, sid: Sid) -> Option<&mut TaskChannel> {
        self.router.channels.get_mut(sid)
    }

    /// Reads the expression of `EvaluateTaskAttributes`.
    ///
    /// # Errors
    ///
    /// Refuses too many of them in a second and whatever is no expression, as the knobs say.
    pub(crate) fn evaluate(&mut self, text: &str) -> Result<Expression, Refusal> {
        let (now, events) = (self.now, &mut self.router.evaluations);
        while events
            .front()
            .is_some_and(|at| later(*at, Duration::from_secs(1)) <= now)
        {
            events.pop_front();
        }
        if let Some(limit) = self.knobs.evaluations_per_second {
            if events.len() >= limit {
                return Err(Refusal::TooManyRequests);
            }
            events.push_back(now);
        }
        if !self.knobs.evaluates {
            return Err(Refusal::invalid("EvaluateTaskAttributes is not supported"));
        }
        Expression::parse(text, self.knobs.evaluates_in)
    }

    pub(crate) fn workspace_or_refuse(&self, sid: Sid) -> Result<&Workspace, Refusal> {
        self.workspace(sid).ok_or_else(|| Refusal::absent(sid))
    }

    /// Returns the queue into which a workflow puts a task that no filter matches.
    pub(crate) fn default_queue(&self, workflow: Sid) -> Option<Sid> {
        let workflow = self.router.workflows.get(workflow)?;
        let rules: serde_json::Value = serde_json::from_str(&workflow.configuration).ok()?;
        let named = rules
            .pointer("/task_routing/default_filter/queue")
            .and_then(serde_json::Value::as_str);
        named.and_then(|queue| queue.parse().ok()).or_else(|| {
            self.router
                .queues
                .values()
                .find(|queue| queue.workspace == workflow.workspace)
                .map(|queue| queue.sid)
        })
    }

    fn add_task_channel(&mut self, workspace: Sid, friendly_name: &str, unique_name: &str) -> Sid {
        let (sid, now) = (self.sid(b"TC"), self.now);
        let channel = TaskChannel {
            sid,
            workspace,
            friendly_name: friendly_name.to_owned(),
            unique_name: unique_name.to_owned(),
            channel_optimized_routing: false,
            created: now,
            updated: now,
        };
        self.router.channels.insert(sid, channel);
        let workers: Vec<Sid> = self
            .router
            .workers
            .values()
            .filter(|worker| worker.workspace == workspace)
            .map(|worker| worker.sid)
            .collect();
        for worker in workers {
            self.give_worker_channel(workspace, worker, sid);
        }
        sid
    }
}
