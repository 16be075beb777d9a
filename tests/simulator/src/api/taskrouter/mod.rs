//! `taskrouter.twilio.com/v1`: the workspace and what stands in it.

mod events;
mod tasks;
mod workers;

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use crate::state::taskrouter::{TaskChannel, Workflow, Workspace};
use serde_json::{Value, json};

/// The largest page: twilio_taskrouter_v1.json.
pub(crate) const MAX_PAGE: usize = 1_000;

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    let ["v1", "Workspaces", rest @ ..] = path else {
        return Err(call.no_route());
    };
    match (method, rest) {
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
        ("GET", ["Workflows"]) => workflows(call, workspace),
        ("GET", ["TaskChannels"]) => task_channels(call, workspace),
        ("POST", ["TaskChannels"]) => create_task_channel(call, workspace),
        (_, ["Tasks", ..]) => tasks::route(call, method, workspace, path),
        (_, ["Events", rest @ ..]) => events::route(call, method, workspace, rest),
        (_, ["Workers", rest @ ..]) => workers::route(call, method, workspace, rest),
        _ => Err(call.no_route()),
    }
}

fn workflows(call: &Call<'_>, workspace: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call
        .state
        .router
        .workflows
        .after(paging.after())
        .filter(|(_, workflow)| workflow.workspace == workspace)
        .map(|(at, workflow)| (place(at), workflow_json(call, workflow)));
    call.page("workflows", &paging, entries)
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
    let (friendly, unique) = (form.need("FriendlyName")?, form.need("UniqueName")?);
    let sid = call
        .state
        .create_task_channel(workspace, friendly, unique)?;
    let made = call.state.router.channels.get(sid);
    let made = made.ok_or_else(|| Refusal::absent(sid))?;
    Ok(Answer::created(task_channel_json(call, made)))
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
