//! `taskrouter.twilio.com/v1/Workspaces/{WS}/Events`.

use crate::api::answer::Outcome;
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::api::taskrouter::MAX_PAGE;
use crate::state::clock::earlier;
use crate::state::events::cloud_event;
use crate::state::sid::Sid;
use crate::state::taskrouter::events::TaskEvent;
use serde_json::{Value, json};
use std::time::Duration;

/// The time for which the Events list looks back where the request names none, in minutes.
const DEFAULT_MINUTES: i64 = 15;

pub(crate) fn route(call: &Call<'_>, method: &str, workspace: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => events(call, workspace),
        _ => Err(call.no_route()),
    }
}

fn events(call: &Call<'_>, workspace: Sid) -> Outcome {
    let filters = ["EndDate", "EventType", "Minutes", "StartDate", "TaskSid"];
    let (query, paging) = call.list(&filters, MAX_PAGE)?;
    let (from, to) = (query.time("StartDate")?, query.time("EndDate")?);
    let minutes = query.integer("Minutes")?;
    let from = match (from, to, minutes) {
        (None, Some(_), None) => None,
        (None, _, minutes) => {
            let minutes = minutes.unwrap_or(DEFAULT_MINUTES).unsigned_abs();
            Some(earlier(call.state.now(), Duration::from_secs(60 * minutes)))
        }
        (Some(from), _, _) => Some(from),
    };
    let task = query.sid("TaskSid")?;
    let oldest = call.state.oldest_event_kept();
    let fits = |event: &TaskEvent| {
        event.task.workspace == workspace
            && event.at >= oldest
            && from.is_none_or(|from| event.at >= from)
            && to.is_none_or(|to| event.at <= to)
            && query
                .get("EventType")
                .is_none_or(|wanted| event.kind.event_type() == wanted)
            && task.is_none_or(|sid| event.task.sid == sid)
    };
    let before = paging.after_place().map_or(u64::MAX, |_| paging.after());
    let entries = call
        .state
        .router
        .events
        .before(before)
        .filter(|(_, event)| fits(event));
    call.page(
        "events",
        &paging,
        entries.map(|(at, event)| (place(at), event_json(call, event))),
    )
}

fn event_json(call: &Call<'_>, event: &TaskEvent) -> Value {
    let task = &event.task;
    let workspace = call.url(format_args!("taskrouter/v1/Workspaces/{}", task.workspace));
    let reservation = task
        .reservation
        .filter(|_| event.kind.is_about_reservation());
    let task_url = format!("{workspace}/Tasks/{}", task.sid);
    json!({
        "account_sid": call.state.account.sid,
        "actor_sid": event.task.worker.unwrap_or(task.workspace),
        "actor_type": if task.worker.is_some() { "worker" } else { "workspace" },
        "actor_url": workspace,
        "description": event.description(),
        "event_data": cloud_event::payload(call.state, event),
        "event_date": seconds(event.at),
        "event_date_ms": event.at.as_millisecond(),
        "event_type": event.kind.event_type(),
        "resource_sid": reservation.unwrap_or(task.sid),
        "resource_type": if reservation.is_some() { "reservation" } else { "task" },
        "resource_url": reservation.map_or(task_url.clone(), |sid| format!("{task_url}/Reservations/{sid}")),
        "sid": event.sid,
        "source": "taskrouter",
        "source_ip_address": null,
        "url": format!("{workspace}/Events/{}", event.sid),
        "workspace_sid": task.workspace,
    })
}
