//! TaskRouter: moving a task from one TaskChannel to another, and what must be known for it.
//!
//! A task is the one thing of Twilio's that can be changed with care: its answer names a
//! version (`ETag`), and a change that names it back (`If-Match`) has no effect if another
//! writer was faster (<https://www.twilio.com/docs/taskrouter/api/task>).

use bytes::Bytes;
use domain::{TaskChannelSid, TaskSid, WorkerSid, WorkspaceSid};
use http::{HeaderValue, Response, header};
use serde_json::value::RawValue;

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;
use crate::attributes::NotAnObject;
use crate::events::{TaskSeen, read_task};
use crate::json;
use crate::task_attributes::TaskAttributes;

/// One version of a task.
#[derive(Clone, Debug)]
pub struct TaskVersion {
    /// Its state, and when it changed last.
    pub seen: TaskSeen,
    /// The version as a number, the same that events call `task_version`; nothing where Twilio's
    /// name for the version is no number.
    pub number: Option<u32>,
    /// Its TaskChannel.
    pub task_channel: TaskChannelSid,
    /// Its attributes, as far as they can be understood.
    pub attributes: Result<TaskAttributes, NotAnObject>,
    /// Twilio's name for this version, as it was given.
    pub(super) etag: HeaderValue,
}

/// The changes of a move.
#[derive(Clone, Copy)]
pub struct Move<'a> {
    /// The whole new attributes; nothing where they are to stay as they are.
    pub attributes: Option<&'a str>,
    /// The new TaskChannel.
    pub task_channel: TaskChannelSid,
}

/// The load of one TaskChannel of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// The number of tasks that the worker may have.
    pub capacity: u32,
    /// The number of tasks that the worker has.
    pub assigned: u32,
}

impl Client {
    /// Reads a task with its version. Nothing if TaskRouter does not know it.
    ///
    /// # Errors
    ///
    /// Fails when Twilio refuses, does not answer, or answers something else than a task.
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

    /// Moves a task, if it still is this version, and returns it as it is then. The request is
    /// sent once: before another try the task has to be read again.
    ///
    /// # Errors
    ///
    /// [`TwilioError::Conflict`] where another writer changed it meanwhile; otherwise fails when
    /// Twilio refuses or does not answer.
    pub async fn move_task(
        &self,
        workspace: WorkspaceSid,
        version: &TaskVersion,
        change: Move<'_>,
    ) -> Result<TaskVersion, TwilioError> {
        let task = version.seen.sid;
        let channel = ("TaskChannel", change.task_channel.as_str());
        let attributes = change.attributes.map(|text| ("Attributes", text));
        let form: Vec<_> = attributes.into_iter().chain([channel]).collect();
        let call = Call::post(Product::TaskRouter, task_path(workspace, task), &form)
            .if_match(&version.etag)
            .once();
        self.ask_whole(call, |answer| read(answer, task)).await
    }

    /// Returns whether this worker holds the task: has accepted it and not given it away.
    /// Nothing if TaskRouter does not know the task.
    ///
    /// # Errors
    ///
    /// Fails when Twilio refuses, does not answer, or answers something else than a list.
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

    /// Returns how many tasks of a TaskChannel a worker may have, and has.
    ///
    /// # Errors
    ///
    /// Fails when Twilio refuses, does not answer, or answers something else.
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
    let etag = answer.headers().get(header::ETAG)?.clone();
    let number = etag
        .to_str()
        .ok()
        .map(|etag| etag.trim_matches('"').parse());
    Some(TaskVersion {
        seen,
        number: number.and_then(Result::ok),
        task_channel: json::parsed(task_channel)?,
        attributes: text.map_or(Err(NotAnObject), |text| TaskAttributes::parse(&text)),
        etag,
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
