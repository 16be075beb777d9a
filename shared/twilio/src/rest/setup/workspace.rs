//! TaskRouter's workspace and what work is divided into.

use domain::{TaskChannelSid, WorkerSid, WorkflowSid, WorkspaceSid};
use serde::Deserialize;

use super::fields::{Ref, flag, number, word};
use super::{Listed, record};
use crate::rest::base::Product;
use crate::rest::client::{Call, Client};
use crate::rest::error::TwilioError;

/// The most that a page may hold (Twilio, OpenAPI of TaskRouter).
const PAGE_SIZE: u16 = 1000;

/// A workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Workspace {
    /// The workspace.
    pub sid: WorkspaceSid,
    /// Whether a worker may have tasks of several TaskChannels, and a task may move between
    /// them.
    #[serde(default, deserialize_with = "flag")]
    pub multi_task_enabled: bool,
}

/// A TaskChannel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TaskChannel {
    /// The TaskChannel.
    pub sid: TaskChannelSid,
    /// The name that expressions and events know it by.
    #[serde(default, deserialize_with = "word")]
    pub unique_name: String,
}

/// How much of a TaskChannel a worker can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct WorkerChannel {
    /// Of which TaskChannel.
    #[serde(default, rename = "task_channel_sid")]
    pub task_channel: Ref<TaskChannelSid>,
    /// How many tasks.
    #[serde(default, rename = "configured_capacity", deserialize_with = "number")]
    pub capacity: Option<i64>,
    /// Whether the worker takes tasks of it at all.
    #[serde(default, deserialize_with = "flag")]
    pub available: bool,
}

#[derive(Deserialize)]
struct Workflow {
    sid: WorkflowSid,
}

#[derive(Deserialize)]
struct Worker {
    sid: WorkerSid,
}

impl Client {
    /// Reads a workspace.
    pub async fn workspace(&self, workspace: WorkspaceSid) -> Result<Workspace, TwilioError> {
        let call = Call::get(Product::TaskRouter, format!("/v1/Workspaces/{workspace}"));
        let read = |text: &str| record(text).filter(|seen: &Workspace| seen.sid == workspace);
        self.ask(call, read).await
    }

    /// Lists the workflows of a workspace.
    pub async fn workflows(
        &self,
        workspace: WorkspaceSid,
    ) -> Result<Listed<WorkflowSid>, TwilioError> {
        let listed: Listed<Workflow> = self.of(workspace, "Workflows", "workflows").await?;
        Ok(Listed {
            items: listed.items.into_iter().map(|flow| flow.sid).collect(),
            unreadable: listed.unreadable,
        })
    }

    /// Lists the TaskChannels of a workspace.
    pub async fn task_channels(
        &self,
        workspace: WorkspaceSid,
    ) -> Result<Listed<TaskChannel>, TwilioError> {
        self.of(workspace, "TaskChannels", "channels").await
    }

    /// Lists the workers of a workspace.
    pub async fn workers(&self, workspace: WorkspaceSid) -> Result<Listed<WorkerSid>, TwilioError> {
        let listed: Listed<Worker> = self.of(workspace, "Workers", "workers").await?;
        Ok(Listed {
            items: listed.items.into_iter().map(|worker| worker.sid).collect(),
            unreadable: listed.unreadable,
        })
    }

    /// Lists how much a worker can take of each TaskChannel.
    pub async fn worker_channels(
        &self,
        workspace: WorkspaceSid,
        worker: WorkerSid,
    ) -> Result<Listed<WorkerChannel>, TwilioError> {
        let rest = format!("Workers/{worker}/Channels");
        self.of(workspace, &rest, "channels").await
    }

    async fn of<T: serde::de::DeserializeOwned>(
        &self,
        workspace: WorkspaceSid,
        rest: &str,
        key: &str,
    ) -> Result<Listed<T>, TwilioError> {
        let path = format!("/v1/Workspaces/{workspace}/{rest}");
        self.whole(Product::TaskRouter, path, key, PAGE_SIZE).await
    }
}
