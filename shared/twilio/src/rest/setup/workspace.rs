//! TaskRouter's workspace: workflows, TaskChannels, workers and tasks.

use domain::{Stage, TaskChannelSid, TaskSid, Timestamp, WorkerSid, WorkflowSid, WorkspaceSid};
use form_urlencoded::Serializer;
use serde::Deserialize;

use super::fields::{Ref, flag, number, word};
use super::{Listed, record};
use crate::events::{TaskSeen, TaskStatus, read_task};
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::call::Call;
use crate::rest::client::error::TwilioError;
use crate::rest::client::page::List;

/// The most that a page may hold (Twilio, OpenAPI of TaskRouter).
const PAGE_SIZE: u16 = 1000;

/// A workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Workspace {
    /// The workspace.
    pub sid: WorkspaceSid,
    /// True if a worker may have tasks of several TaskChannels, and a task may move between them.
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

/// The capacity of a worker on a TaskChannel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct WorkerChannel {
    /// The TaskChannel.
    #[serde(default, rename = "task_channel_sid")]
    pub task_channel: Ref<TaskChannelSid>,
    /// The number of tasks.
    #[serde(default, rename = "configured_capacity", deserialize_with = "number")]
    pub capacity: Option<i64>,
    /// True if the worker takes tasks of it at all.
    #[serde(default, deserialize_with = "flag")]
    pub available: bool,
}

/// A task that is being wrapped up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrapUp {
    /// The task.
    pub task: TaskSid,
    /// The time of the task's last change: the begin of its wrap-up, or later.
    pub changed_at: Option<Timestamp>,
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
    ///
    /// # Errors
    ///
    /// Fails with [`TwilioError::Gone`] if it does not exist, and if Twilio refuses the request or
    /// gives no usable answer.
    pub async fn workspace(&self, workspace: WorkspaceSid) -> Result<Workspace, TwilioError> {
        let call = Call::get(Product::TaskRouter, format!("/v1/Workspaces/{workspace}"));
        let read = |text: &str| record(text).filter(|seen: &Workspace| seen.sid == workspace);
        self.ask(call, read).await
    }

    /// Lists the workflows of a workspace.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
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
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn task_channels(
        &self,
        workspace: WorkspaceSid,
    ) -> Result<Listed<TaskChannel>, TwilioError> {
        self.of(workspace, "TaskChannels", "channels").await
    }

    /// Lists the workers of a workspace.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn workers(&self, workspace: WorkspaceSid) -> Result<Listed<WorkerSid>, TwilioError> {
        let listed: Listed<Worker> = self.of(workspace, "Workers", "workers").await?;
        Ok(Listed {
            items: listed.items.into_iter().map(|worker| worker.sid).collect(),
            unreadable: listed.unreadable,
        })
    }

    /// Lists the capacities of a worker on the TaskChannels.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn worker_channels(
        &self,
        workspace: WorkspaceSid,
        worker: WorkerSid,
    ) -> Result<Listed<WorkerChannel>, TwilioError> {
        let rest = format!("Workers/{worker}/Channels");
        self.of(workspace, &rest, "channels").await
    }

    /// Lists the tasks of a workspace that are being wrapped up.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn wrap_ups(&self, workspace: WorkspaceSid) -> Result<Listed<WrapUp>, TwilioError> {
        let filter = [("AssignmentStatus", "wrapping")];
        let listed = self.tasks(workspace, &filter).await?;
        // The filter is not trusted: a task that has ended is not reported.
        let wrapping = |task: &TaskSeen| task.status == TaskStatus::Open(Stage::Wrapping);
        let tasks = listed.items.into_iter().filter(wrapping);
        Ok(Listed {
            items: tasks
                .map(|task| WrapUp {
                    task: task.sid,
                    changed_at: task.updated_at,
                })
                .collect(),
            unreadable: listed.unreadable,
        })
    }

    /// Lists the open tasks of a workspace that their attributes call parked (`inactive` is 1).
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn parked_tasks(
        &self,
        workspace: WorkspaceSid,
    ) -> Result<Listed<TaskSid>, TwilioError> {
        let filter = [
            ("AssignmentStatus", "pending,reserved,assigned,wrapping"),
            ("EvaluateTaskAttributes", "inactive == 1"),
        ];
        let listed = self.tasks(workspace, &filter).await?;
        let open = |task: &TaskSeen| matches!(task.status, TaskStatus::Open(_));
        let tasks = listed.items.into_iter().filter(open);
        Ok(Listed {
            items: tasks.map(|task| task.sid).collect(),
            unreadable: listed.unreadable,
        })
    }

    async fn tasks(
        &self,
        workspace: WorkspaceSid,
        filter: &[(&str, &str)],
    ) -> Result<Listed<TaskSeen>, TwilioError> {
        let list = List {
            product: Product::TaskRouter,
            path: format!("/v1/Workspaces/{workspace}/Tasks"),
            query: tasks_query(filter),
        };
        self.whole_list(&list, "tasks", |text| read_task(text).ok())
            .await
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

fn tasks_query(filter: &[(&str, &str)]) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(filter);
    query.append_pair("PageSize", &PAGE_SIZE.to_string());
    // Both ways of writing a space are right in a query; this one is right everywhere.
    query.finish().replace('+', "%20")
}
