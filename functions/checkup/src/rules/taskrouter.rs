//! TaskRouter: workflows, TaskChannels, room for parked chats, and tasks that were forgotten.

use domain::PairFault;

use super::entries::{Entry, takes};
use super::{Repairer, Rule, Severity, Verdict};
use crate::expectations::Expectations;
use crate::snapshot::{CAPACITIES, Snapshot, available};
use crate::subject::Subject;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "taskrouter/workflow",
        severity: Severity::Error,
        why: "a task without a workflow reaches no agent",
        remedy: "make a workflow in the workspace, or name one that exists in the Flex configuration",
        repairer: Repairer::Person,
        check: workflow,
    },
    Rule {
        id: "taskrouter/multi-tasking",
        severity: Severity::Error,
        why: "without it an agent has one task at a time, and no task can change its TaskChannel",
        remedy: "turn multi-tasking on in the workspace's settings; it cannot be turned off again",
        repairer: Repairer::Person,
        check: multi_tasking,
    },
    Rule {
        id: "taskrouter/task-channel",
        severity: Severity::Error,
        why: "Flex shows a task as a chat or a call by its TaskChannel",
        remedy: "run Flex System Checkup in the Twilio Console, or make the TaskChannel with this unique name",
        repairer: Repairer::Person,
        check: task_channel,
    },
    Rule {
        id: "taskrouter/parking-channel",
        severity: Severity::Error,
        why: "a chat cannot be parked without the TaskChannel that it is to move to",
        remedy: "run `janitor park --set-up`, which makes one without a hyphen in its unique name, and correct PARK_TASK_CHANNELS",
        repairer: Repairer::Person,
        check: parking_channel,
    },
    Rule {
        id: "taskrouter/parking-capacity",
        severity: Severity::Error,
        why: "a worker without capacity for parked chats cannot keep one",
        remedy: "run `janitor park --set-up`, which gives every worker capacity on the inactive TaskChannel; --capacity says how many chats may wait",
        repairer: Repairer::Person,
        check: parking_capacity,
    },
    Rule {
        id: "taskrouter/workers-not-read",
        severity: Severity::Info,
        why: "a worker without capacity for parked chats may be among them",
        remedy: "look at their capacity on the inactive TaskChannels in TaskRouter",
        repairer: Repairer::Person,
        check: workers_not_read,
    },
    Rule {
        id: "taskrouter/parked",
        severity: Severity::Error,
        why: "with parking switched off, no reply of a customer brings a parked chat back to its agent",
        remedy: "set PARK_TASK_CHANNELS again and run `janitor unpark --all` before parking is switched off",
        repairer: Repairer::Person,
        check: parked,
    },
    Rule {
        id: "taskrouter/wrap-up",
        severity: Severity::Warning,
        why: "a wrap-up that no agent ends keeps its channel open for ever, and agents' capacity taken",
        remedy: "let the agent complete the task, or run `janitor complete` with its SID",
        repairer: Repairer::Person,
        check: wrap_up,
    },
];

fn workflow(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let workflows = available(&snapshot.workflows)?;
    let Some(workspace) = available(&snapshot.workspace)? else {
        return Ok(Vec::new());
    };
    if workflows.is_empty() {
        let found = "the workspace has no workflow".to_owned();
        return Ok(vec![(Subject::Workspace(workspace.sid), found)]);
    }
    let named = available(&snapshot.configuration)?.workflow;
    let gone = named.filter(|workflow| !workflows.contains(workflow));
    Ok(gone
        .map(|sid| {
            let found = "the workflow that the Flex configuration names is not in the workspace";
            (Subject::Workflow(sid), found.to_owned())
        })
        .into_iter()
        .collect())
}

fn multi_tasking(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let workspace =
        available(&snapshot.workspace)?.filter(|workspace| !workspace.multi_task_enabled);
    Ok(workspace
        .map(|workspace| {
            let found = "multi-tasking is off".to_owned();
            (Subject::Workspace(workspace.sid), found)
        })
        .into_iter()
        .collect())
}

fn task_channel(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let channels = available(&snapshot.task_channels)?;
    let Some(workspace) = available(&snapshot.workspace)? else {
        return Ok(Vec::new());
    };
    let mut flows = available(&snapshot.studio_flows)?.values();
    let mut needed = vec!["chat"];
    if flows.any(|flow| takes(flow, Entry::Call)) {
        needed.push("voice");
    }
    let there = |name: &&str| channels.iter().any(|channel| channel.unique_name == **name);
    let missing = needed.iter().filter(|name| !there(name));
    Ok(missing
        .map(|name| {
            let found = format!("there is no TaskChannel of the unique name {name}");
            (Subject::Workspace(workspace.sid), found)
        })
        .collect())
}

fn parking_channel(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let channels = available(&snapshot.task_channels)?.iter();
    if available(&snapshot.workspace)?.is_none() {
        return Ok(Vec::new());
    }
    let names = channels.map(|channel| (channel.sid, channel.unique_name.clone()));
    // Of multi-tasking, another rule speaks.
    let faults = wanted.parking.faults(true, &names.collect());
    Ok(faults
        .into_iter()
        .filter_map(|fault| match fault {
            PairFault::Unknown(sid) => Some((sid, "the TaskChannel is not in the workspace")),
            PairFault::Hyphen(sid) => Some((
                sid,
                "its unique name has a hyphen, which expressions take for a minus",
            )),
            PairFault::Repeated(sid) => Some((sid, "it stands in the pairs twice")),
            PairFault::SingleTasking => None,
        })
        .map(|(sid, found)| (Subject::TaskChannel(sid), found.to_owned()))
        .collect())
}

fn parking_capacity(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let capacities = &available(&snapshot.capacities)?.by_worker;
    let channels = available(&snapshot.task_channels)?;
    let mut found = Vec::new();
    for pair in wanted.parking.iter() {
        // Of a TaskChannel that is not there, another rule speaks.
        if !channels.iter().any(|channel| channel.sid == pair.inactive) {
            continue;
        }
        for (worker, has) in capacities {
            let mine = has
                .iter()
                .find(|one| one.task_channel.target() == Some(pair.inactive));
            let text = match mine {
                Some(one) if !one.available => "the worker is not available for",
                Some(one) if one.capacity.is_some_and(|capacity| capacity > 0) => continue,
                Some(_) | None => "the worker has no capacity on",
            };
            let text = format!("{text} the inactive TaskChannel {}", pair.inactive);
            found.push((Subject::Worker(*worker), text));
        }
    }
    Ok(found)
}

fn workers_not_read(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let not_read = available(&snapshot.capacities)?.not_read;
    let found = || format!("the capacity of {not_read} workers was not read");
    Ok((not_read > 0)
        .then(|| (Subject::List(CAPACITIES), found()))
        .into_iter()
        .collect())
}

fn parked(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let tasks = available(&snapshot.parked)?.iter();
    Ok(tasks
        .map(|task| {
            let found = "it is parked, and PARK_TASK_CHANNELS is empty".to_owned();
            (Subject::Task(*task), found)
        })
        .collect())
}

fn wrap_up(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let wrap_ups = available(&snapshot.wrap_ups)?.iter();
    Ok(wrap_ups
        .filter_map(|one| {
            let age = snapshot.at.since(one.changed_at?);
            let found = || format!("it has been wrapped up for {} hours", age.as_secs() / 3_600);
            (age > wanted.wrap_up_limit).then(|| (Subject::Task(one.task), found()))
        })
        .collect())
}
