//! TaskRouter: moving a task from one TaskChannel to another, and what must be known for it.
//!
//! A task is the one thing of Twilio's that can be changed with care: its answer names a
//! version (`ETag`), and a change that names it back (`If-Match`) has no effect if somebody
//! else was faster.

use bytes::Bytes;
use domain::{TaskChannelSid, TaskPlacement, TaskSid, WorkerSid, WorkspaceSid};
use http::{HeaderValue, Response, header};
use serde_json::value::RawValue;

use super::base::Product;
use super::client::{Call, Client};
use super::error::TwilioError;
use crate::attributes::NotAnObject;
use crate::events::{TaskSeen, read_task};
use crate::json;
use crate::task_attributes::TaskAttributes;

/// One version of a task.
#[derive(Clone, Debug)]
pub struct TaskVersion {
    /// How it stands, and when it changed last.
    pub seen: TaskSeen,
    /// Its TaskChannel.
    pub task_channel: TaskChannelSid,
    /// Its attributes, as far as they can be understood.
    pub attributes: Result<TaskAttributes, NotAnObject>,
    /// Twilio's name for this version, as it was given.
    etag: HeaderValue,
}

impl TaskVersion {
    /// Where the task stands; nothing where its attributes do not say.
    pub fn stand(&self) -> Option<TaskPlacement> {
        let attributes = self.attributes.as_ref().ok()?;
        Some(TaskPlacement {
            task_channel: self.task_channel,
            inactive: attributes.is_inactive(),
        })
    }
}

/// What a move changes.
#[derive(Clone, Copy)]
pub struct Move<'a> {
    /// The whole new attributes.
    pub attributes: &'a str,
    /// The new TaskChannel.
    pub task_channel: TaskChannelSid,
}

/// How much of one TaskChannel a worker can take, and has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many tasks the worker may have.
    pub capacity: u32,
    /// How many the worker has.
    pub assigned: u32,
}

impl Client {
    /// Reads a task with its version. Nothing if TaskRouter does not know it.
    pub async fn task_version(
        &self,
        workspace: WorkspaceSid,
        task: TaskSid,
    ) -> Result<Option<TaskVersion>, TwilioError> {
        let call = Call::get(Product::TaskRouter, task_path(workspace, task));
        match self.ask_whole(call, |answer| read(answer, task)).await {
            Ok(version) => Ok(Some(version)),
            Err(TwilioError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Moves a task, if it still is this version. It is tried once: who tries again looks
    /// again. What is returned is the task as Twilio says it is now.
    ///
    /// # Errors
    ///
    /// [`TwilioError::Conflict`] where somebody else changed it meanwhile.
    pub async fn move_task(
        &self,
        workspace: WorkspaceSid,
        version: &TaskVersion,
        change: Move<'_>,
    ) -> Result<TaskVersion, TwilioError> {
        let task = version.seen.sid;
        let form = [
            ("Attributes", change.attributes),
            ("TaskChannel", change.task_channel.as_str()),
        ];
        let call = Call::post(Product::TaskRouter, task_path(workspace, task), &form)
            .if_match(&version.etag)
            .once();
        self.ask_whole(call, |answer| read(answer, task)).await
    }

    /// Whether this worker holds the task: has accepted it and not given it away. Nothing if
    /// TaskRouter does not know the task.
    pub async fn holds_task(
        &self,
        workspace: WorkspaceSid,
        task: TaskSid,
        worker: WorkerSid,
    ) -> Result<Option<bool>, TwilioError> {
        let path = task_path(workspace, task);
        // One worker has few reservations of one task, and the newest stand first.
        let path = format!("{path}/Reservations?WorkerSid={worker}&PageSize=50");
        let call = Call::get(Product::TaskRouter, path);
        match self.ask(call, |text| read_reservations(text, worker)).await {
            Ok(holds) => Ok(Some(holds)),
            Err(TwilioError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How much of a TaskChannel a worker can take, and has.
    pub async fn load(
        &self,
        workspace: WorkspaceSid,
        worker: WorkerSid,
        task_channel: TaskChannelSid,
    ) -> Result<Load, TwilioError> {
        let path = format!("/v1/Workspaces/{workspace}/Workers/{worker}/Channels/{task_channel}");
        self.ask(Call::get(Product::TaskRouter, path), read_load)
            .await
    }
}

fn task_path(workspace: WorkspaceSid, task: TaskSid) -> String {
    format!("/v1/Workspaces/{workspace}/Tasks/{task}")
}

fn read(answer: &Response<Bytes>, asked_for: TaskSid) -> Option<TaskVersion> {
    let text = std::str::from_utf8(answer.body()).ok()?;
    let seen = read_task(text).ok().filter(|seen| seen.sid == asked_for)?;
    let [task_channel, attributes] =
        json::members(text, ["task_channel_sid", "attributes"]).ok()?;
    // They are a JSON text in a JSON string. A string that says no Unicode text could not be
    // written back as it is, so it is not understood.
    let text = attributes.and_then(|text| serde_json::from_str::<String>(text.get()).ok());
    Some(TaskVersion {
        seen,
        task_channel: json::parsed(task_channel)?,
        attributes: text.map_or(Err(NotAnObject), |text| TaskAttributes::parse(&text)),
        etag: answer.headers().get(header::ETAG)?.clone(),
    })
}

fn read_reservations(text: &str, worker: WorkerSid) -> Option<bool> {
    let [list] = json::members(text, ["reservations"]).ok()?;
    let reservations: Vec<&RawValue> = serde_json::from_str(list?.get()).ok()?;
    let holds = |reservation: &&RawValue| {
        let names = ["worker_sid", "reservation_status"];
        let members = json::members(reservation.get(), names);
        members.is_ok_and(|[whose, status]| {
            let status = status.and_then(json::text);
            json::parsed(whose) == Some(worker)
                && matches!(status.as_deref(), Some("accepted" | "wrapping"))
        })
    };
    Some(reservations.iter().any(holds))
}

fn read_load(text: &str) -> Option<Load> {
    let names = ["configured_capacity", "assigned_tasks"];
    let [capacity, assigned] = json::members(text, names).ok()?;
    let number = |value: Option<&RawValue>| value?.get().trim_matches('"').parse().ok();
    Some(Load {
        capacity: number(capacity)?,
        assigned: number(assigned)?,
    })
}
