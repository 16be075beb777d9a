//! `taskrouter.twilio.com/v1/Workspaces/{WS}/Workers`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::api::taskrouter::MAX_PAGE;
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use crate::state::taskrouter::workers::{Worker, WorkerChannel};
use serde_json::{Value, json};

pub(crate) fn route(call: &mut Call<'_>, method: &str, workspace: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => list(call, workspace),
        (_, [worker, rest @ ..]) => {
            let sid = call.sid(worker)?;
            if call
                .state
                .worker(sid)
                .is_none_or(|worker| worker.workspace != workspace)
            {
                return Err(call.no_route());
            }
            of_worker(call, method, sid, rest)
        }
        _ => Err(call.no_route()),
    }
}

fn of_worker(call: &mut Call<'_>, method: &str, worker: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["Channels"]) => channels(call, worker),
        ("GET", ["Channels", name]) => {
            call.bare()?;
            let channel = find(call, worker, name)?;
            show_channel(call, channel)
        }
        ("POST", ["Channels", name]) => {
            let channel = find(call, worker, name)?;
            change_channel(call, channel)
        }
        _ => Err(call.no_route()),
    }
}

fn list(call: &Call<'_>, workspace: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call
        .state
        .router
        .workers
        .after(paging.after())
        .filter(|(_, worker)| worker.workspace == workspace)
        .map(|(at, worker)| (place(at), worker_json(call, worker)));
    call.page("workers", &paging, entries)
}

fn channels(call: &Call<'_>, worker: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call
        .state
        .router
        .worker_channels
        .after(paging.after())
        .filter(|(_, channel)| channel.worker == worker)
        .map(|(at, channel)| (place(at), channel_json(call, channel)));
    call.page("channels", &paging, entries)
}

fn find(call: &Call<'_>, worker: Sid, name: &str) -> Result<Sid, Failure> {
    let router = &call.state.router;
    let named = |channel: &&WorkerChannel| {
        let unique = router
            .channels
            .get(channel.task_channel)
            .is_some_and(|stored| stored.unique_name == name);
        channel.worker == worker && (channel.sid == name || channel.task_channel == name || unique)
    };
    router
        .worker_channels
        .values()
        .find(named)
        .map(|channel| channel.sid)
        .ok_or_else(|| call.no_route())
}

fn change_channel(call: &mut Call<'_>, channel: Sid) -> Outcome {
    let form = call.form(&["Capacity", "Available"])?;
    let (capacity, available) = (form.integer("Capacity")?, form.flag("Available")?);
    let now = call.state.now();
    let stored = call.state.router.worker_channels.get_mut(channel);
    let stored = stored.ok_or_else(|| Refusal::absent(channel))?;
    stored.capacity = capacity.unwrap_or(stored.capacity);
    stored.available = available.unwrap_or(stored.available);
    stored.updated = now;
    show_channel(call, channel)
}

fn show_channel(call: &Call<'_>, channel: Sid) -> Outcome {
    let stored = call
        .state
        .router
        .worker_channels
        .get(channel)
        .ok_or_else(|| Refusal::absent(channel))?;
    Ok(Answer::ok(channel_json(call, stored)))
}

fn worker_json(call: &Call<'_>, worker: &Worker) -> Value {
    let workspace = call.url(format_args!(
        "taskrouter/v1/Workspaces/{}",
        worker.workspace
    ));
    let url = format!("{workspace}/Workers/{}", worker.sid);
    json!({
        "account_sid": call.state.account.sid,
        "activity_name": "Available",
        "activity_sid": null,
        "attributes": &*worker.attributes,
        "available": true,
        "date_created": seconds(worker.created),
        "date_status_changed": seconds(worker.created),
        "date_updated": seconds(worker.updated),
        "friendly_name": &*worker.friendly_name,
        "sid": worker.sid,
        "workspace_sid": worker.workspace,
        "links": { "workspace": workspace, "channels": format!("{url}/Channels"), "reservations": format!("{url}/Reservations") },
        "url": url,
    })
}

fn channel_json(call: &Call<'_>, channel: &WorkerChannel) -> Value {
    let workspace = call.url(format_args!(
        "taskrouter/v1/Workspaces/{}",
        channel.workspace
    ));
    let free = (channel.capacity - channel.assigned_tasks).max(0);
    json!({
        "account_sid": call.state.account.sid,
        "assigned_tasks": channel.assigned_tasks,
        "available": channel.available,
        "available_capacity_percentage": if channel.capacity == 0 { 0 } else { 100 * free / channel.capacity },
        "configured_capacity": channel.capacity,
        "date_created": seconds(channel.created),
        "date_updated": seconds(channel.updated),
        "sid": channel.sid,
        "task_channel_sid": channel.task_channel,
        "task_channel_unique_name": call.state.router.channels.get(channel.task_channel).map(|stored| &stored.unique_name),
        "worker_sid": channel.worker,
        "workspace_sid": channel.workspace,
        "url": format!("{workspace}/Workers/{}/Channels/{}", channel.worker, channel.sid),
    })
}
