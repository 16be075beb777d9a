//! Workers and how much of each TaskChannel they can take.

use crate::state::State;
use crate::state::attributes;
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use crate::state::snapshot::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Is a worker, WK….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Worker {
    /// The worker's SID.
    pub sid: Sid,
    /// The workspace the worker belongs to.
    pub workspace: Sid,
    /// The worker's name.
    pub friendly_name: Text,
    /// The worker's attributes, byte for byte as they were given.
    pub attributes: Text,
    /// When the worker was created.
    pub created: Timestamp,
    /// When the worker was changed last.
    pub updated: Timestamp,
}

/// Says how much of one TaskChannel a worker can take, WC….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorkerChannel {
    /// The worker channel's SID.
    pub sid: Sid,
    /// The workspace it belongs to.
    pub workspace: Sid,
    /// Whose capacity it is.
    pub worker: Sid,
    /// Of which TaskChannel.
    pub task_channel: Sid,
    /// The number of tasks that the worker may have.
    pub capacity: i64,
    /// The number of tasks that the worker has; moving tasks may exceed the capacity.
    pub assigned_tasks: i64,
    /// True if the worker takes this kind of task at all.
    pub available: bool,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// The number of tasks of a TaskChannel that a worker can take by default.
const DEFAULT_CAPACITY: i64 = 1;

impl State {
    /// Creates the worker of an agent whose identity in chats is the worker's name.
    ///
    /// # Errors
    ///
    /// Refuses a workspace that is absent and a name that is taken.
    pub fn hire_agent(&mut self, workspace: Sid, name: &str) -> Result<Sid, Refusal> {
        self.hire_agent_as(workspace, name, name)
    }

    /// Creates the worker of an agent whose identity in chats, such as `jo_40example_2Ecom`, differs from the
    /// worker's name.
    ///
    /// # Errors
    ///
    /// Refuses a workspace that is absent and a name that is taken.
    pub fn hire_agent_as(
        &mut self,
        workspace: Sid,
        name: &str,
        identity: &str,
    ) -> Result<Sid, Refusal> {
        let attributes = serde_json::json!({ "contact_uri": format!("client:{identity}"), "full_name": name, "roles": ["agent"] });
        self.create_worker(workspace, name, &attributes.to_string())
    }

    /// Returns the identity under which a worker takes part in chats: that of `contact_uri`, or else the name.
    pub fn agent_identity(&self, worker: Sid) -> Option<String> {
        let worker = self.worker(worker)?;
        let uri = attributes::text(&worker.attributes, "contact_uri");
        let identity = uri
            .as_deref()
            .and_then(|uri| uri.strip_prefix("client:"))
            .unwrap_or(&worker.friendly_name);
        Some(identity.to_owned())
    }

    /// Creates a worker.
    ///
    /// # Errors
    ///
    /// Fails if the workspace does not exist, the attributes are not JSON, or the friendly name is
    /// taken.
    pub fn create_worker(
        &mut self,
        workspace: Sid,
        friendly_name: &str,
        attributes: &str,
    ) -> Result<Sid, Refusal> {
        self.workspace_or_refuse(workspace)?;
        if !attributes::is_json(attributes) {
            return Err(Refusal::invalid("Attributes are not a JSON text"));
        }
        if self
            .router
            .workers
            .values()
            .any(|worker| worker.workspace == workspace && *worker.friendly_name == *friendly_name)
        {
            return Err(Refusal::invalid(format!(
                "Worker with friendly name {friendly_name} already exists"
            )));
        }
        let (sid, now) = (self.sid(b"WK"), self.now);
        let worker = Worker {
            sid,
            workspace,
            friendly_name: friendly_name.into(),
            attributes: attributes.into(),
            created: now,
            updated: now,
        };
        self.router.workers.insert(sid, worker);
        let channels: Vec<Sid> = self
            .router
            .channels
            .values()
            .filter(|channel| channel.workspace == workspace)
            .map(|channel| channel.sid)
            .collect();
        for channel in channels {
            self.give_worker_channel(workspace, sid, channel);
        }
        Ok(sid)
    }

    /// Returns a worker.
    pub fn worker(&self, sid: Sid) -> Option<&Worker> {
        self.router.workers.get(sid)
    }

    /// Sets how many tasks of a TaskChannel a worker can take.
    ///
    /// # Errors
    ///
    /// Fails if the worker does not exist or has no such TaskChannel.
    pub fn set_capacity(
        &mut self,
        worker: Sid,
        task_channel: Sid,
        capacity: i64,
    ) -> Result<(), Refusal> {
        let now = self.now;
        let sid = self
            .worker_channel(worker, task_channel)
            .ok_or_else(|| Refusal::absent(task_channel))?
            .sid;
        let stored = self
            .router
            .worker_channels
            .get_mut(sid)
            .ok_or_else(|| Refusal::absent(sid))?;
        stored.capacity = capacity;
        stored.updated = now;
        Ok(())
    }

    /// Returns how much of a TaskChannel a worker can take and has.
    pub fn worker_channel(&self, worker: Sid, task_channel: Sid) -> Option<&WorkerChannel> {
        self.router
            .worker_channels
            .values()
            .find(|channel| channel.worker == worker && channel.task_channel == task_channel)
    }

    pub(super) fn give_worker_channel(&mut self, workspace: Sid, worker: Sid, task_channel: Sid) {
        let (sid, now) = (self.sid(b"WC"), self.now);
        let channel = WorkerChannel {
            sid,
            workspace,
            worker,
            task_channel,
            capacity: DEFAULT_CAPACITY,
            assigned_tasks: 0,
            available: true,
            created: now,
            updated: now,
        };
        self.router.worker_channels.insert(sid, channel);
    }

    pub(super) fn count_for_worker(&mut self, worker: Option<Sid>, task_channel: Sid, change: i64) {
        let channel = worker
            .and_then(|worker| self.worker_channel(worker, task_channel))
            .map(|channel| channel.sid);
        if let Some(stored) =
            channel.and_then(|channel| self.router.worker_channels.get_mut(channel))
        {
            stored.assigned_tasks += change;
        }
    }
}
