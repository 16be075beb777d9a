//! Making a task like an earlier one: as an invite on an interaction channel, or in TaskRouter.
//!
//! An invite inherits nothing from earlier tasks of its interaction
//! (<https://www.twilio.com/docs/flex/developer/conversations/interactions-api/invites-subresource>),
//! and neither does a task that TaskRouter makes. So the earlier task is read, from TaskRouter
//! or, which forgets tasks minutes after their end, from its log of events.

use std::fmt;
use std::time::Duration;

use domain::{
    ChannelSid, Interaction, TaskChannelSid, TaskQueueSid, TaskSid, Timestamp, WorkflowSid,
    WorkspaceSid,
};
use form_urlencoded::Serializer;
use serde::Serialize;
use serde_json::value::RawValue;

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;
use crate::events::{NoLink, TaskSeen, link_of, read_task};
use crate::json;
use crate::when::{moment, second};

/// The events of a task that are read at most. They are sorted by time here, since Twilio
/// promises no order.
const MAX_EVENTS: &str = "100";

/// The time for which TaskRouter keeps its log
/// (<https://www.twilio.com/docs/taskrouter/api/event>), less an hour, so that no question
/// begins before it.
const LOG_LIFE: Duration = Duration::from_secs((30 * 24 - 1) * 60 * 60);

/// The parts that a new task takes over from an earlier one. The attributes hold customers' names and
/// numbers: they are never stored and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct TaskModel {
    /// The attributes as written: a text that should be a JSON object.
    pub attributes: String,
    /// The workflow.
    pub workflow: Option<WorkflowSid>,
    /// The queue that the task was in last.
    pub queue: Option<TaskQueueSid>,
    /// The TaskChannel.
    pub task_channel: Option<TaskChannelSid>,
}

impl fmt::Debug for TaskModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskModel")
            .field("bytes", &self.attributes.len())
            .field("workflow", &self.workflow)
            .field("queue", &self.queue)
            .field("task_channel", &self.task_channel)
            .finish()
    }
}

/// Twilio's answer to what a task was like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskModelAnswer {
    /// This is what it was like.
    Known(TaskModel),
    /// Its attributes are no JSON object, so that nothing can be added to them.
    NotAnObject,
    /// Twilio knows no such task, or none that names the channel.
    Unknown,
}

/// The routing of an invite, as Twilio takes it.
#[derive(Serialize)]
struct Routing<'a> {
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Properties<'a> {
    workspace_sid: WorkspaceSid,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow_sid: Option<WorkflowSid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_sid: Option<TaskQueueSid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_channel_sid: Option<TaskChannelSid>,
    attributes: &'a RawValue,
}

impl Client {
    /// Reads what a task was like by TaskRouter's log: by the newest of its events since `from`
    /// whose attributes name this channel. It is unknown if the log has none, or if Twilio does
    /// not have the log.
    ///
    /// # Errors
    ///
    /// Fails when Twilio refuses, does not answer, or answers something else than a log.
    pub async fn task_model_in_log(
        &self,
        workspace: WorkspaceSid,
        task: TaskSid,
        channel: ChannelSid,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<TaskModelAnswer, TwilioError> {
        let query = events_query(task, from.max(now.minus(LOG_LIFE)), now);
        let path = format!("/v1/Workspaces/{workspace}/Events?{query}");
        let call = Call::get(Product::TaskRouter, path);
        match self
            .ask(call, |text| newest_model(text, task, channel))
            .await
        {
            Err(TwilioError::Gone) => Ok(TaskModelAnswer::Unknown),
            answer => answer,
        }
    }

    /// Reads what a task is or was like. It is unknown if TaskRouter does not know it, or if its
    /// attributes do not name this channel.
    ///
    /// # Errors
    ///
    /// Fails when Twilio refuses, does not answer, or answers something else than a task.
    pub async fn task_model(
        &self,
        workspace: WorkspaceSid,
        task: TaskSid,
        channel: ChannelSid,
    ) -> Result<TaskModelAnswer, TwilioError> {
        let path = format!("/v1/Workspaces/{workspace}/Tasks/{task}");
        let read = |text: &str| {
            read_task(text).ok().filter(|seen| seen.sid == task)?;
            let names = [
                "attributes",
                "workflow_sid",
                "task_queue_sid",
                "task_channel_sid",
            ];
            Some(model(json::members(text, names).ok()?, channel))
        };
        match self.ask(Call::get(Product::TaskRouter, path), read).await {
            Err(TwilioError::Gone) => Ok(TaskModelAnswer::Unknown),
            answer => answer,
        }
    }

    /// Invites agents to an interaction channel, which makes a task with these attributes, the
    /// text of a JSON object. Returns the task, where Twilio's answer names it. It is tried once:
    /// look at the open tasks before the next try.
    ///
    /// # Errors
    ///
    /// Fails when Twilio refuses or does not answer. Without an answer, a task may have been
    /// made.
    pub async fn invite(
        &self,
        interaction: Interaction,
        workspace: WorkspaceSid,
        model: &TaskModel,
    ) -> Result<Option<TaskSid>, TwilioError> {
        let attributes: &RawValue = serde_json::from_str(&model.attributes).map_err(unwritable)?;
        let routing = Routing {
            properties: Properties {
                workspace_sid: workspace,
                workflow_sid: model.workflow,
                queue_sid: model.queue,
                task_channel_sid: model.task_channel,
                attributes,
            },
        };
        let routing = serde_json::to_string(&routing).map_err(unwritable)?;
        let Interaction { sid, channel } = interaction;
        let path = format!("/v1/Interactions/{sid}/Channels/{channel}/Invites");
        let call = Call::post(Product::Flex, path, &[("Routing", &routing)]).once();
        self.ask(call, read_invite).await
    }

    /// Makes a task with these attributes in TaskRouter, for a Chat channel that they name. It is
    /// tried once: look at the open tasks before the next try.
    ///
    /// # Errors
    ///
    /// Fails when Twilio refuses or does not answer. Without an answer, a task may have been
    /// made.
    pub async fn create_task(
        &self,
        workspace: WorkspaceSid,
        model: &TaskModel,
    ) -> Result<TaskSeen, TwilioError> {
        let workflow = model
            .workflow
            .as_ref()
            .map(|sid| ("WorkflowSid", sid.as_str()));
        let task_channel = model.task_channel.as_ref();
        let task_channel = task_channel.map(|sid| ("TaskChannel", sid.as_str()));
        let attributes = ("Attributes", model.attributes.as_str());
        let form: Vec<_> = [attributes]
            .into_iter()
            .chain(workflow)
            .chain(task_channel)
            .collect();
        let path = format!("/v1/Workspaces/{workspace}/Tasks");
        let call = Call::post(Product::TaskRouter, path, &form).once();
        self.ask(call, |text| read_task(text).ok()).await
    }
}

/// Returns the question for a task's events, up to a minute after now: the clocks may differ.
fn events_query(task: TaskSid, from: Timestamp, now: Timestamp) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("TaskSid", task.as_str());
    query.append_pair("StartDate", &second(from));
    query.append_pair("EndDate", &second(now.plus(Duration::from_secs(60))));
    query.append_pair("PageSize", MAX_EVENTS).finish()
}

fn unwritable(_: serde_json::Error) -> TwilioError {
    TwilioError::Unreachable {
        why: super::client::error::Why::Request,
    }
}

/// Reads the newest event of a task that says what it was like. Events that do not name the
/// channel any more count only where none does.
fn newest_model(text: &str, task: TaskSid, channel: ChannelSid) -> Option<TaskModelAnswer> {
    let [events] = json::members(text, ["events"]).ok()?;
    let events: Vec<&RawValue> = serde_json::from_str(events?.get()).ok()?;
    let models = events.into_iter().filter_map(|event| {
        let names = ["event_date_ms", "event_date", "event_data"];
        let [millis, date, data] = json::members(event.get(), names).ok()?;
        let at = [millis, date].into_iter().flatten().find_map(moment)?;
        let data = json::object_text(data?)?;
        let names = [
            "task_attributes",
            "workflow_sid",
            "task_queue_sid",
            "task_channel_sid",
            "task_sid",
            "task_version",
        ];
        let [attributes, workflow, queue, task_channel, of, version] =
            json::members(&data, names).ok()?;
        if json::parsed::<TaskSid>(of)? != task {
            return None;
        }
        let model = model([attributes, workflow, queue, task_channel], channel);
        // Several events may carry one time; the version counts up at each change.
        let version = version.and_then(|version| version.get().trim_matches('"').parse().ok());
        let is_known = match model {
            TaskModelAnswer::Known(_) => true,
            TaskModelAnswer::NotAnObject => false,
            TaskModelAnswer::Unknown => return None,
        };
        let place: (bool, Timestamp, Option<u32>) = (is_known, at, version);
        Some((place, model))
    });
    let newest = models.max_by_key(|(place, _)| *place);
    Some(newest.map_or(TaskModelAnswer::Unknown, |(_, model)| model))
}

/// Reads what a task was like. It is unknown where its attributes are absent or name another
/// channel or none.
fn model(
    [attributes, workflow, queue, task_channel]: [Option<&RawValue>; 4],
    channel: ChannelSid,
) -> TaskModelAnswer {
    let Some(attributes) = attributes else {
        return TaskModelAnswer::Unknown;
    };
    match link_of(Some(attributes)) {
        Ok(link) if link.channel == channel => {}
        Ok(_) | Err(NoLink::NoChannel) => return TaskModelAnswer::Unknown,
        Err(NoLink::Unreadable) => return TaskModelAnswer::NotAnObject,
    }
    // A text that says no Unicode could not be written again as it is.
    let Ok(attributes) = serde_json::from_str::<String>(attributes.get()) else {
        return TaskModelAnswer::NotAnObject;
    };
    TaskModelAnswer::Known(TaskModel {
        attributes,
        workflow: json::parsed(workflow),
        queue: json::parsed(queue),
        task_channel: json::parsed(task_channel),
    })
}

/// Reads the answer to an invite, whose documentation says that its sample is not what Twilio
/// sends: the task may be missing in it.
fn read_invite(text: &str) -> Option<Option<TaskSid>> {
    let [sid, routing] = json::members(text, ["sid", "routing"]).ok()?;
    sid?;
    let task = routing.and_then(|routing| {
        let routing = json::object_text(routing)?;
        let [properties] = json::members(&routing, ["properties"]).ok()?;
        let properties = json::object_text(properties?)?;
        let [task] = json::members(&properties, ["sid"]).ok()?;
        json::parsed(task)
    });
    Some(task)
}
