//! `taskrouter.twilio.com/v1`: the workspace and what stands in it.

mod events;
mod tasks;
mod workers;

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use crate::state::taskrouter::{TaskChannel, TaskQueue, Workflow, Workspace};
use serde_json::{Value, json};

/// The largest page: twilio_taskrouter_v1.json.
pub(crate) const MAX_PAGE: usize = 1_000;

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    let ["v1", "Workspaces", rest @ ..] = path else {
        return Err(call.no_route());
    };
    match (method, rest) {
        ("GET", []) => workspaces(call),
        ("POST", []) => create_workspace(call),
        (_, [workspace, rest @ ..]) => {
            let workspace = call.sid(workspace)?;
            if call.state.workspace(workspace).is_none() {
                return Err(call.no_route());
            }
            of_workspace(call, method, workspace, rest)
        }
        _ => Err(call.no_route()),
    }
}

fn of_workspace(call: &mut Call<'_>, method: &str, workspace: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => {
            call.bare()?;
            show_workspace(call, workspace).map(Answer::ok)
        }
        ("POST", []) => update_workspace(call, workspace),
        ("GET", ["Workflows"]) => workflows(call, workspace),
        ("POST", ["Workflows"]) => create_workflow(call, workspace),
        ("GET", ["Workflows", workflow]) => {
            call.bare()?;
            let sid = call.sid(workflow)?;
            let stored = call
                .state
                .router
                .workflows
                .get(sid)
                .filter(|stored| stored.workspace == workspace);
            stored
                .map(|stored| Answer::ok(workflow_json(call, stored)))
                .ok_or_else(|| call.no_route())
        }
        ("GET", ["TaskQueues"]) => queues(call, workspace),
        ("POST", ["TaskQueues"]) => create_queue(call, workspace),
        ("GET", ["TaskQueues", queue]) => {
            call.bare()?;
            let sid = call.sid(queue)?;
            let stored = call
                .state
                .router
                .queues
                .get(sid)
                .filter(|stored| stored.workspace == workspace);
            stored
                .map(|stored| Answer::ok(queue_json(call, stored)))
                .ok_or_else(|| call.no_route())
        }
        ("GET", ["TaskChannels"]) => task_channels(call, workspace),
        ("POST", ["TaskChannels"]) => create_task_channel(call, workspace),
        ("GET", ["TaskChannels", name]) => {
            call.bare()?;
            let stored = call.state.find_task_channel(workspace, name);
            stored
                .map(|stored| Answer::ok(task_channel_json(call, stored)))
                .ok_or_else(|| call.no_route())
        }
        (_, ["Tasks", ..]) => tasks::route(call, method, workspace, path),
        (_, ["Events", rest @ ..]) => events::route(call, method, workspace, rest),
        (_, ["Workers", rest @ ..]) => workers::route(call, method, workspace, rest),
        _ => Err(call.no_route()),
    }
}

fn workspaces(call: &Call<'_>) -> Outcome {
    let (query, paging) = call.list(&["FriendlyName"], MAX_PAGE)?;
    let entries = call
        .state
        .router
        .workspaces
        .after(paging.after())
        .filter(|(_, workspace)| {
            query
                .get("FriendlyName")
                .is_none_or(|name| name == workspace.friendly_name)
        })
        .map(|(at, workspace)| (place(at), workspace_json(call, workspace)));
    call.page("workspaces", &paging, entries)
}

fn create_workspace(call: &mut Call<'_>) -> Outcome {
    let form = call.form(&[
        "FriendlyName",
        "EventCallbackUrl",
        "EventsFilter",
        "MultiTaskEnabled",
        "Template",
        "PrioritizeQueueOrder",
    ])?;
    let multi = form.flag("MultiTaskEnabled")?;
    let workspace = call.state.create_workspace(form.need("FriendlyName")?);
    if let Some(stored) = call.state.router.workspaces.get_mut(workspace) {
        stored.multi_task_enabled = multi.unwrap_or(true);
        stored.event_callback_url = form.text("EventCallbackUrl");
        stored.events_filter = form.text("EventsFilter");
    }
    show_workspace(call, workspace).map(Answer::created)
}

fn update_workspace(call: &mut Call<'_>, workspace: Sid) -> Outcome {
    let form = call.form(&[
        "FriendlyName",
        "EventCallbackUrl",
        "EventsFilter",
        "MultiTaskEnabled",
        "PrioritizeQueueOrder",
    ])?;
    let (multi, now) = (form.flag("MultiTaskEnabled")?, call.state.now());
    let stored = call
        .state
        .router
        .workspaces
        .get_mut(workspace)
        .ok_or_else(|| Refusal::absent(workspace))?;
    stored.friendly_name = form
        .text("FriendlyName")
        .unwrap_or(std::mem::take(&mut stored.friendly_name));
    stored.event_callback_url = form
        .text("EventCallbackUrl")
        .or(stored.event_callback_url.take());
    stored.events_filter = form.text("EventsFilter").or(stored.events_filter.take());
    stored.multi_task_enabled = multi.unwrap_or(stored.multi_task_enabled);
    stored.updated = now;
    show_workspace(call, workspace).map(Answer::ok)
}

fn workflows(call: &Call<'_>, workspace: Sid) -> Outcome {
    let (query, paging) = call.list(&["FriendlyName"], MAX_PAGE)?;
    let entries = call
        .state
        .router
        .workflows
        .after(paging.after())
        .filter(|(_, workflow)| workflow.workspace == workspace)
        .filter(|(_, workflow)| {
            query
                .get("FriendlyName")
                .is_none_or(|name| name == workflow.friendly_name)
        })
        .map(|(at, workflow)| (place(at), workflow_json(call, workflow)));
    call.page("workflows", &paging, entries)
}

fn create_workflow(call: &mut Call<'_>, workspace: Sid) -> Outcome {
    let form = call.form(&[
        "FriendlyName",
        "Configuration",
        "AssignmentCallbackUrl",
        "FallbackAssignmentCallbackUrl",
        "TaskReservationTimeout",
    ])?;
    let timeout = form.integer("TaskReservationTimeout")?;
    let workflow = call.state.create_workflow(
        workspace,
        form.need("FriendlyName")?,
        form.need("Configuration")?,
    )?;
    let stored = call
        .state
        .router
        .workflows
        .get_mut(workflow)
        .ok_or_else(|| Refusal::absent(workflow))?;
    stored.task_reservation_timeout = timeout.unwrap_or(stored.task_reservation_timeout);
    let stored = call
        .state
        .router
        .workflows
        .get(workflow)
        .ok_or_else(|| Refusal::absent(workflow))?;
    Ok(Answer::created(workflow_json(call, stored)))
}

fn queues(call: &Call<'_>, workspace: Sid) -> Outcome {
    let (query, paging) = call.list(&["FriendlyName"], MAX_PAGE)?;
    let entries = call
        .state
        .router
        .queues
        .after(paging.after())
        .filter(|(_, queue)| queue.workspace == workspace)
        .filter(|(_, queue)| {
            query
                .get("FriendlyName")
                .is_none_or(|name| name == queue.friendly_name)
        })
        .map(|(at, queue)| (place(at), queue_json(call, queue)));
    call.page("task_queues", &paging, entries)
}

fn create_queue(call: &mut Call<'_>, workspace: Sid) -> Outcome {
    let form = call.form(&[
        "FriendlyName",
        "TargetWorkers",
        "MaxReservedWorkers",
        "TaskOrder",
    ])?;
    let most = form.integer("MaxReservedWorkers")?;
    let queue = call
        .state
        .create_task_queue(workspace, form.need("FriendlyName")?)?;
    let stored = call
        .state
        .router
        .queues
        .get_mut(queue)
        .ok_or_else(|| Refusal::absent(queue))?;
    stored.target_workers = form
        .text("TargetWorkers")
        .unwrap_or(std::mem::take(&mut stored.target_workers));
    stored.task_order = form
        .text("TaskOrder")
        .unwrap_or(std::mem::take(&mut stored.task_order));
    stored.max_reserved_workers = most.unwrap_or(stored.max_reserved_workers);
    let stored = call
        .state
        .router
        .queues
        .get(queue)
        .ok_or_else(|| Refusal::absent(queue))?;
    Ok(Answer::created(queue_json(call, stored)))
}

fn task_channels(call: &Call<'_>, workspace: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call
        .state
        .router
        .channels
        .after(paging.after())
        .filter(|(_, channel)| channel.workspace == workspace)
        .map(|(at, channel)| (place(at), task_channel_json(call, channel)));
    call.page("channels", &paging, entries)
}

fn create_task_channel(call: &mut Call<'_>, workspace: Sid) -> Outcome {
    let form = call.form(&["FriendlyName", "UniqueName", "ChannelOptimizedRouting"])?;
    let optimized = form.flag("ChannelOptimizedRouting")?;
    let channel = call.state.create_task_channel(
        workspace,
        form.need("FriendlyName")?,
        form.need("UniqueName")?,
    )?;
    let stored = call
        .state
        .router
        .channels
        .get_mut(channel)
        .ok_or_else(|| Refusal::absent(channel))?;
    stored.channel_optimized_routing = optimized.unwrap_or(false);
    let stored = call
        .state
        .router
        .channels
        .get(channel)
        .ok_or_else(|| Refusal::absent(channel))?;
    Ok(Answer::created(task_channel_json(call, stored)))
}

fn show_workspace(call: &Call<'_>, workspace: Sid) -> Result<Value, Failure> {
    Ok(workspace_json(
        call,
        call.state.workspace_or_refuse(workspace)?,
    ))
}

fn workspace_json(call: &Call<'_>, workspace: &Workspace) -> Value {
    let url = call.url(format_args!("taskrouter/v1/Workspaces/{}", workspace.sid));
    json!({
        "account_sid": call.state.account.sid,
        "date_created": seconds(workspace.created),
        "date_updated": seconds(workspace.updated),
        "default_activity_name": "Offline",
        "default_activity_sid": null,
        "event_callback_url": workspace.event_callback_url,
        "events_filter": workspace.events_filter,
        "friendly_name": workspace.friendly_name,
        "multi_task_enabled": workspace.multi_task_enabled,
        "sid": workspace.sid,
        "timeout_activity_name": "Offline",
        "timeout_activity_sid": null,
        "prioritize_queue_order": "FIFO",
        "links": {
            "activities": format!("{url}/Activities"),
            "events": format!("{url}/Events"),
            "task_channels": format!("{url}/TaskChannels"),
            "task_queues": format!("{url}/TaskQueues"),
            "tasks": format!("{url}/Tasks"),
            "workers": format!("{url}/Workers"),
            "workflows": format!("{url}/Workflows"),
        },
        "url": url,
    })
}

fn workflow_json(call: &Call<'_>, workflow: &Workflow) -> Value {
    let workspace = call.url(format_args!(
        "taskrouter/v1/Workspaces/{}",
        workflow.workspace
    ));
    json!({
        "account_sid": call.state.account.sid,
        "assignment_callback_url": null,
        "configuration": workflow.configuration,
        "date_created": seconds(workflow.created),
        "date_updated": seconds(workflow.updated),
        "document_content_type": "application/json",
        "fallback_assignment_callback_url": null,
        "friendly_name": workflow.friendly_name,
        "sid": workflow.sid,
        "task_reservation_timeout": workflow.task_reservation_timeout,
        "workspace_sid": workflow.workspace,
        "url": format!("{workspace}/Workflows/{}", workflow.sid),
        "links": { "workspace": workspace },
    })
}

fn queue_json(call: &Call<'_>, queue: &TaskQueue) -> Value {
    let workspace = call.url(format_args!("taskrouter/v1/Workspaces/{}", queue.workspace));
    json!({
        "account_sid": call.state.account.sid,
        "assignment_activity_sid": null,
        "assignment_activity_name": null,
        "date_created": seconds(queue.created),
        "date_updated": seconds(queue.updated),
        "friendly_name": queue.friendly_name,
        "max_reserved_workers": queue.max_reserved_workers,
        "reservation_activity_sid": null,
        "reservation_activity_name": null,
        "sid": queue.sid,
        "target_workers": queue.target_workers,
        "task_order": queue.task_order,
        "url": format!("{workspace}/TaskQueues/{}", queue.sid),
        "workspace_sid": queue.workspace,
        "links": { "workspace": workspace },
    })
}

fn task_channel_json(call: &Call<'_>, channel: &TaskChannel) -> Value {
    let workspace = call.url(format_args!(
        "taskrouter/v1/Workspaces/{}",
        channel.workspace
    ));
    json!({
        "account_sid": call.state.account.sid,
        "date_created": seconds(channel.created),
        "date_updated": seconds(channel.updated),
        "friendly_name": channel.friendly_name,
        "sid": channel.sid,
        "unique_name": channel.unique_name,
        "workspace_sid": channel.workspace,
        "channel_optimized_routing": channel.channel_optimized_routing,
        "url": format!("{workspace}/TaskChannels/{}", channel.sid),
        "links": { "workspace": workspace },
    })
}
