//! `taskrouter.twilio.com/v1/Workspaces/{WS}/Tasks`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use crate::api::page::{place, seconds};
use crate::api::taskrouter::MAX_PAGE;
use crate::state::sid::Sid;
use crate::state::taskrouter::task::{Expect, NewTask, Task, TaskChange, TaskStatus};
use http::StatusCode;
use serde_json::{Value, json};

pub(crate) fn route(call: &mut Call<'_>, method: &str, workspace: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["Tasks"]) => tasks(call, workspace),
        ("POST", ["Tasks"]) => create(call, workspace),
        (_, ["Tasks", task, rest @ ..]) => {
            let sid = call.sid(task)?;
            if call
                .state
                .task(sid)
                .is_none_or(|task| task.workspace != workspace)
            {
                return Err(call.no_route());
            }
            match (method, rest) {
                (_, []) => of_task(call, method, sid),
                ("GET", ["Reservations"]) => reservations(call, sid),
                _ => Err(call.no_route()),
            }
        }
        _ => Err(call.no_route()),
    }
}

/// The one reservation that a task has here: the agent's who has it, had it or is asked.
fn reservations(call: &Call<'_>, task: Sid) -> Outcome {
    let (query, paging) = call.list(&["WorkerSid"], MAX_PAGE)?;
    let stored = call.state.task_or_refuse(task)?;
    let worker = query.sid("WorkerSid")?;
    let status = match stored.status {
        TaskStatus::Reserved => "pending",
        TaskStatus::Assigned => "accepted",
        TaskStatus::Wrapping => "wrapping",
        TaskStatus::Completed => "completed",
        TaskStatus::Pending | TaskStatus::Canceled => "rescinded",
    };
    let wanted = |holder: &Sid| worker.is_none_or(|worker| worker == *holder);
    let named = stored.worker.filter(wanted).zip(stored.reservation);
    let entries = named.filter(|_| paging.after() == 0).map(|(worker, sid)| {
        let name = call.state.worker(worker).map(|one| one.friendly_name.to_string());
        let entry = json!({
            "account_sid": call.state.account.sid,
            "date_created": stored.assigned.map(seconds),
            "date_updated": seconds(stored.updated),
            "reservation_status": status,
            "sid": sid,
            "task_sid": task,
            "worker_name": name,
            "worker_sid": worker,
            "workspace_sid": stored.workspace,
            "url": call.url(format_args!("taskrouter/v1/Workspaces/{}/Tasks/{task}/Reservations/{sid}", stored.workspace)),
        });
        (place(1), entry)
    });
    call.page("reservations", &paging, entries.into_iter())
}

fn of_task(call: &mut Call<'_>, method: &str, task: Sid) -> Outcome {
    match method {
        "GET" => {
            call.bare()?;
            show(call, task, Answer::ok)
        }
        "POST" => update(call, task),
        "DELETE" => {
            call.bare()?;
            call.state.delete_task(task, expected(call)?)?;
            Ok(Answer::nothing())
        }
        _ => Err(call.no_route()),
    }
}

fn create(call: &mut Call<'_>, workspace: Sid) -> Outcome {
    let form = call.form(&[
        "Timeout",
        "Priority",
        "TaskChannel",
        "WorkflowSid",
        "Attributes",
        "VirtualStartTime",
        "RoutingTarget",
        "IgnoreCapacity",
        "TaskQueueSid",
    ])?;
    let given = NewTask {
        attributes: form.text("Attributes"),
        workflow: form.sid("WorkflowSid")?,
        queue: form.sid("TaskQueueSid")?,
        task_channel: task_channel(call, workspace, &form)?,
        timeout: form.integer("Timeout")?,
        priority: form.integer("Priority")?,
        virtual_start: form.time("VirtualStartTime")?,
        routing_target: form.text("RoutingTarget"),
    };
    let task = call.state.create_task(workspace, given)?;
    show(call, task, Answer::created)
}

fn update(call: &mut Call<'_>, task: Sid) -> Outcome {
    let form = call.form(&[
        "Attributes",
        "AssignmentStatus",
        "Reason",
        "Priority",
        "TaskChannel",
        "VirtualStartTime",
    ])?;
    let workspace = call.state.task_or_refuse(task)?.workspace;
    // The Tasks resource requires a reason for both ends.
    if matches!(form.get("AssignmentStatus"), Some("completed" | "canceled")) {
        form.need("Reason")?;
    }
    let change = TaskChange {
        attributes: form.text("Attributes"),
        status: form.parsed("AssignmentStatus", "a task status", TaskStatus::parse)?,
        reason: form.text("Reason"),
        priority: form.integer("Priority")?,
        task_channel: task_channel(call, workspace, &form)?,
        virtual_start: form.time("VirtualStartTime")?,
    };
    call.state.update_task(task, expected(call)?, change)?;
    show(call, task, Answer::ok)
}

fn task_channel(call: &Call<'_>, workspace: Sid, form: &Params) -> Result<Option<Sid>, Failure> {
    form.parsed("TaskChannel", "a TaskChannel of the workspace", |name| {
        call.state
            .find_task_channel(workspace, name)
            .map(|found| found.sid)
    })
}

/// Clients echo the ETag with its quotes or without.
fn expected(call: &Call<'_>) -> Result<Expect, Failure> {
    let Some(given) = call.if_match.as_deref() else {
        return Ok(Expect::Any);
    };
    match given.trim_matches('"') {
        "*" => Ok(Expect::Any),
        version => version.parse().map(Expect::Version).map_err(|_| {
            Failure::new(
                StatusCode::PRECONDITION_FAILED,
                20412,
                format!("If-Match {given} is no version of this resource"),
            )
        }),
    }
}

fn tasks(call: &mut Call<'_>, workspace: Sid) -> Outcome {
    let filters = ["AssignmentStatus", "EvaluateTaskAttributes"];
    let (query, paging) = call.list(&filters, MAX_PAGE)?;
    let mut statuses = Vec::new();
    for word in query
        .all("AssignmentStatus")
        .flat_map(|words| words.split(','))
    {
        let status = TaskStatus::parse(word.trim());
        statuses.push(status.ok_or_else(|| {
            Failure::invalid(format!(
                "AssignmentStatus must be a task status, not {word:?}"
            ))
        })?);
    }
    let wanted = query
        .get("EvaluateTaskAttributes")
        .map(|text| call.state.evaluate(text))
        .transpose()?;
    let call = &*call;
    let router = &call.state.router;
    let fits = |task: &Task| {
        task.workspace == workspace
            && (statuses.is_empty() || statuses.contains(&task.status))
            && wanted
                .as_ref()
                .is_none_or(|wanted| wanted.holds(&task.attributes))
    };
    let listed = |task: &Task| {
        let mut json = task_json(call, task);
        if !call.state.knobs.list_attributes {
            json["attributes"] = Value::Null;
        }
        json
    };
    let entries = router
        .tasks
        .after(paging.after())
        .filter(|(_, task)| fits(task))
        .map(|(at, task)| (place(at), listed(task)));
    call.page("tasks", &paging, entries)
}

fn show(call: &Call<'_>, task: Sid, answer: impl Fn(Value) -> Answer) -> Outcome {
    let stored = call.state.task_or_refuse(task)?;
    Ok(answer(task_json(call, stored)).versioned(stored.version))
}

fn task_json(call: &Call<'_>, task: &Task) -> Value {
    let router = &call.state.router;
    let workspace = call.url(format_args!("taskrouter/v1/Workspaces/{}", task.workspace));
    let url = format!("{workspace}/Tasks/{}", task.sid);
    json!({
        "account_sid": call.state.account.sid,
        "age": call.state.now().duration_since(task.created).as_secs(),
        "assignment_status": task.status.as_str(),
        "attributes": &*task.attributes,
        "addons": "{}",
        "date_created": seconds(task.created),
        "date_updated": seconds(task.updated),
        "task_queue_entered_date": task.queue.map(|_| seconds(task.created)),
        "priority": task.priority,
        "reason": task.reason.as_deref(),
        "sid": task.sid,
        "task_queue_sid": task.queue,
        "task_queue_friendly_name": task.queue.and_then(|sid| router.queues.get(sid)).map(|queue| &queue.friendly_name),
        "task_channel_sid": task.task_channel,
        "task_channel_unique_name": router.channels.get(task.task_channel).map(|channel| &channel.unique_name),
        "timeout": task.timeout,
        "workflow_sid": task.workflow,
        "workflow_friendly_name": task.workflow.and_then(|sid| router.workflows.get(sid)).map(|workflow| &workflow.friendly_name),
        "workspace_sid": task.workspace,
        "virtual_start_time": seconds(task.virtual_start),
        "ignore_capacity": false,
        "routing_target": task.routing_target.as_deref(),
        "links": { "workspace": workspace, "reservations": format!("{url}/Reservations") },
        "url": url,
    })
}
