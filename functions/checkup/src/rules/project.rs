//! The project itself: what everything else hangs on.

use super::flex_flows::then_link;
use super::{Repairer, Rule, Severity, Verdict};
use crate::expectations::Expectations;
use crate::snapshot::{Snapshot, available};
use crate::subject::Subject;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "project/configuration",
        severity: Severity::Error,
        why: "Flex does not know where its tasks or chats are",
        remedy: "run Flex System Checkup in the Twilio Console, which sets up what is missing",
        repairer: Repairer::PersonFirst(then_link),
        check: configuration,
    },
    Rule {
        id: "project/workspace",
        severity: Severity::Error,
        why: "without its workspace, Flex can make no task",
        remedy: "run Flex System Checkup in the Twilio Console: a deleted workspace cannot be restored, only made anew",
        repairer: Repairer::PersonFirst(then_name_workflows),
        check: workspace,
    },
    Rule {
        id: "project/chat-service",
        severity: Severity::Error,
        why: "without its chat service, no chat can begin",
        remedy: "run Flex System Checkup in the Twilio Console, which makes a new chat service and names it in the Flex configuration",
        repairer: Repairer::PersonFirst(then_link),
        check: chat_service,
    },
    Rule {
        id: "project/settings",
        severity: Severity::Error,
        why: "the sweep looks where Flex does not work",
        remedy: "correct TASKROUTER_WORKSPACE_SID, CHAT_SERVICE_SID or PROXY_SERVICE_SID, or leave it out where it may be",
        repairer: Repairer::Person,
        check: settings,
    },
    Rule {
        id: "project/unreadable",
        severity: Severity::Warning,
        why: "what cannot be read was not looked at",
        remedy: "look at the list in the Twilio Console; if nothing is wrong there, ask Twilio's support",
        repairer: Repairer::Person,
        check: unreadable,
    },
];

fn then_name_workflows(_: &Snapshot) -> String {
    "`janitor checkup` then says which Flex Flows and Studio widgets still name the old workflow"
        .to_owned()
}

fn configuration(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let flex = available(&snapshot.configuration)?;
    let lacking = [
        ("workspace", flex.workspace.is_none()),
        ("chat service", flex.chat_service.is_none()),
    ];
    let lacking = lacking.into_iter().filter(|(_, lacks)| *lacks);
    Ok(lacking
        .map(|(what, _)| {
            (
                Subject::Project,
                format!("the Flex configuration names no {what}"),
            )
        })
        .collect())
}

fn workspace(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let gone = available(&snapshot.workspace)?.is_none();
    let named = available(&snapshot.configuration)?
        .workspace
        .filter(|_| gone);
    Ok(named
        .map(|sid| {
            let found = "the workspace that the Flex configuration names does not exist";
            (Subject::Workspace(sid), found.to_owned())
        })
        .into_iter()
        .collect())
}

fn chat_service(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let services = available(&snapshot.chat_services)?;
    let gone = snapshot
        .chat_service()?
        .filter(|sid| !services.contains(sid));
    Ok(gone
        .map(|sid| {
            let found = "the chat service that the Flex configuration names does not exist";
            (Subject::ChatService(sid), found.to_owned())
        })
        .into_iter()
        .collect())
}

fn settings(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let flex = available(&snapshot.configuration)?;
    let mut found = Vec::new();
    if let (Some(ours), Some(theirs)) = (wanted.workspace, flex.workspace)
        && ours != theirs
    {
        let text = format!("TASKROUTER_WORKSPACE_SID is not the workspace of Flex, {theirs}");
        found.push((Subject::Workspace(ours), text));
    }
    if let (Some(ours), Some(theirs)) = (wanted.chat_service, flex.chat_service)
        && ours != theirs
    {
        let text = format!("CHAT_SERVICE_SID is not the chat service of Flex, {theirs}");
        found.push((Subject::ChatService(ours), text));
    }
    if let Some(ours) = wanted.proxy_service
        && let Some(theirs) = snapshot.linked_proxy()?
        && ours != theirs
    {
        let text = format!("PROXY_SERVICE_SID is not the Proxy service of Flex, {theirs}");
        found.push((Subject::Proxy(ours), text));
    }
    Ok(found)
}

fn unreadable(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let lists = snapshot.unreadable.iter();
    Ok(lists
        .map(|(list, count)| {
            let records = if *count == 1 {
                "record has"
            } else {
                "records have"
            };
            (
                Subject::List(list),
                format!("{count} {records} no valid SID"),
            )
        })
        .collect())
}
