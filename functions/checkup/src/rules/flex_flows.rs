//! Flex Flows, which take the messages for which no chat is open.

use std::collections::{BTreeMap, BTreeSet};

use twilio::rest::setup::{Contact, FlexFlow, Kind, NewFlexFlow, PhoneNumber, Ref};

use super::chat::{ChatEntries, Role, role_of};
use super::entries::{Entry, choose_flow};
use super::studio::named;
use super::{Repairer, Rule, Severity, Verdict};
use crate::draft::Draft;
use crate::expectations::Expectations;
use crate::repair::Repair;
use crate::snapshot::{Snapshot, Unavailable, available};
use crate::subject::Subject;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "flex-flow/chat-service",
        severity: Severity::Error,
        why: "its chats begin in a service where no agent sees them, or not at all",
        remedy: "link the Flex Flow to the chat service of Flex",
        repairer: Repairer::Default(link_to_chat_service),
        check: chat_service,
    },
    Rule {
        id: "flex-flow/integration",
        severity: Severity::Error,
        why: "a message that leads nowhere is lost",
        remedy: "give the Flex Flow a Studio flow, a URL, or a workspace and a workflow to lead to",
        repairer: Repairer::Person,
        check: integration,
    },
    Rule {
        id: "flex-flow/studio-flow",
        severity: Severity::Error,
        why: "a message that leads to a missing Studio flow is lost",
        remedy: "link the Flex Flow to a Studio flow that takes messages (--studio-flow chooses which)",
        repairer: Repairer::Named(lead_to_studio),
        check: studio_flow,
    },
    Rule {
        id: "flex-flow/workspace",
        severity: Severity::Error,
        why: "its tasks are made where no agent works",
        remedy: "let the Flex Flow make its tasks in the workspace of Flex",
        repairer: Repairer::Person,
        check: workspace,
    },
    Rule {
        id: "flex-flow/workflow",
        severity: Severity::Error,
        why: "no task can be made without its workflow",
        remedy: "choose a workflow of the workspace for the Flex Flow",
        repairer: Repairer::Person,
        check: workflow,
    },
    Rule {
        id: "flex-flow/task-channel",
        severity: Severity::Error,
        why: "Flex shows a task as a chat only on a TaskChannel for chats",
        remedy: "choose the TaskChannel chat or sms for the Flex Flow",
        repairer: Repairer::Person,
        check: task_channel,
    },
    Rule {
        id: "flex-flow/disabled",
        severity: Severity::Warning,
        why: "the messages to an address whose Flex Flows are all disabled are lost",
        remedy: "enable one Flex Flow of the address, or delete them",
        repairer: Repairer::Person,
        check: disabled,
    },
    Rule {
        id: "flex-flow/doubled",
        severity: Severity::Error,
        why: "only one enabled Flex Flow of an address acts, and which one is chance",
        remedy: "disable all but one Flex Flow of the address",
        repairer: Repairer::Person,
        check: doubled,
    },
    Rule {
        id: "flex-flow/missing",
        severity: Severity::Error,
        why: "the first message to a number without a Flex Flow is lost",
        remedy: "make a Flex Flow for the number, like those that there are",
        repairer: Repairer::Named(make),
        check: missing,
    },
    Rule {
        id: "flex-flow/janitor",
        severity: Severity::Warning,
        why: "Twilio's own janitor ends Proxy sessions that a closed browser leaves open; post-chat surveys need it off",
        remedy: "turn JanitorEnabled on or off, as FLEX_JANITOR wants it",
        repairer: Repairer::Named(set_janitor),
        check: janitor,
    },
    Rule {
        id: "flex-flow/long-lived",
        severity: Severity::Warning,
        why: "it decides whether a customer who comes back finds the old chat",
        remedy: "set LongLived as FLEX_LONG_LIVED wants it; it counts for new chats",
        repairer: Repairer::Named(set_long_lived),
        check: long_lived,
    },
];

fn link_to_chat_service(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let service = draft.snapshot.living_chat_service().ok().flatten();
    let service = service.ok_or(NO_CHAT_SERVICE)?;
    let does = format!("link it to the chat service {service}");
    draft.change_flex_flow(subject, does, |flow| flow.chat_service = Ref::To(service))
}

fn lead_to_studio(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let studio = choose_flow(draft, Entry::Message)?;
    let does = format!("lead it to the Studio flow {studio}");
    draft.change_flex_flow(subject, does, |flow| {
        flow.integration.flow = Ref::To(studio);
    })
}

fn set_janitor(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let on = draft.wanted.janitor.wanted();
    let on = on.ok_or("FLEX_JANITOR does not say")?;
    let does = format!("set JanitorEnabled to {on}");
    draft.change_flex_flow(subject, does, |flow| flow.janitor_enabled = on)
}

fn set_long_lived(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let wanted = draft.wanted.long_lived.as_ref();
    let wanted = wanted.ok_or("FLEX_LONG_LIVED does not say")?;
    draft.change_flex_flow(subject, "set LongLived as wanted".to_owned(), |flow| {
        flow.long_lived = wanted.includes(&flow.channel_type);
    })
}

/// Makes a Flex Flow for a number of Chat, to a Studio flow, as Twilio sets up a new number.
fn make(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let service = draft.snapshot.living_chat_service().ok().flatten();
    let service = service.ok_or(NO_CHAT_SERVICE)?;
    let number = draft.number(subject)?;
    let studio = choose_flow(draft, Entry::Message)?;
    let long_lived = draft.wanted.long_lived.as_ref();
    let flow = NewFlexFlow {
        contact: number.contact.clone(),
        chat_service: service,
        flow: studio,
        long_lived: long_lived.is_some_and(|wanted| wanted.includes("sms")),
        janitor_enabled: draft.wanted.janitor.wanted().unwrap_or(true),
    };
    draft.add(Repair::NewFlexFlow {
        number: number.sid,
        flow,
    });
    Ok(())
}

const NO_CHAT_SERVICE: &str = "Flex has no chat service that exists";

/// Says what a checkup does after Flex has a new chat service.
pub(super) fn then_link(snapshot: &Snapshot) -> String {
    let linked = flows(snapshot).map_or(0, |flows| flows.len());
    format!("`janitor checkup --fix` then links the Flex Flows ({linked}) to the new chat service")
}

/// Returns the flows by which messages can arrive, enabled or not: a disabled one may be there
/// for outbound messages.
fn flows(snapshot: &Snapshot) -> Result<Vec<&FlexFlow>, Unavailable> {
    let entries = ChatEntries::of(snapshot)?;
    let flows = available(&snapshot.flex_flows)?.iter();
    Ok(flows.filter(|flow| entries.lead_to(flow)).collect())
}

/// Returns the flows for which `say` has something to say, each with that.
fn each(snapshot: &Snapshot, say: impl Fn(&FlexFlow) -> Option<String>) -> Verdict {
    let flows = flows(snapshot)?.into_iter();
    Ok(flows
        .filter_map(|flow| Some((Subject::FlexFlow(flow.sid), say(flow)?)))
        .collect())
}

fn chat_service(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let services = available(&snapshot.chat_services)?;
    let Some(ours) = snapshot.chat_service()? else {
        return Ok(Vec::new());
    };
    each(snapshot, |flow| match flow.chat_service {
        Ref::To(sid) if sid == ours => None,
        Ref::To(sid) if services.contains(&sid) => Some(format!(
            "it is linked to {sid}, which is not the chat service of Flex"
        )),
        Ref::To(sid) => Some(format!("it is linked to {sid}, which does not exist")),
        Ref::None | Ref::Broken => Some(format!("it is linked to {}", flow.chat_service)),
    })
}

fn integration(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each(snapshot, |flow| {
        let target = &flow.integration;
        let lacking = match flow.kind {
            None => "it leads to nothing that is known",
            Some(Kind::Studio) if target.flow == Ref::None => {
                "it leads to Studio, and names no flow"
            }
            Some(Kind::External) => match target.url.as_deref() {
                None => "it leads to a URL, and names none",
                Some(url) if !url.starts_with("https://") && !url.starts_with("http://") => {
                    "it leads to something that is no URL"
                }
                Some(_) => return None,
            },
            Some(Kind::Task) if target.workspace == Ref::None => {
                "it makes tasks, and names no workspace"
            }
            Some(Kind::Task) if target.workflow == Ref::None => {
                "it makes tasks, and names no workflow"
            }
            Some(Kind::Studio | Kind::Task) => return None,
        };
        Some(lacking.to_owned())
    })
}

fn studio_flow(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let flows = available(&snapshot.studio_flows)?;
    each(snapshot, |flow| match flow.integration.flow {
        _ if flow.kind != Some(Kind::Studio) => None,
        Ref::None => None,
        Ref::To(sid) if flows.contains_key(&sid) => None,
        Ref::To(sid) => Some(format!(
            "it leads to the Studio flow {sid}, which does not exist"
        )),
        Ref::Broken => Some("it leads to something that is no Studio flow's SID".to_owned()),
    })
}

fn workspace(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let Some(ours) = available(&snapshot.configuration)?.workspace else {
        return Ok(Vec::new());
    };
    each(snapshot, |flow| match flow.integration.workspace {
        _ if flow.kind != Some(Kind::Task) => None,
        Ref::None => None,
        Ref::To(sid) if sid == ours => None,
        Ref::To(sid) => Some(format!(
            "it makes tasks in {sid}, which is not the workspace of Flex"
        )),
        Ref::Broken => Some("it makes tasks in something that is no workspace's SID".to_owned()),
    })
}

fn workflow(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let workflows = available(&snapshot.workflows)?;
    let Some(workspace) = available(&snapshot.workspace)? else {
        return Ok(Vec::new());
    };
    each(snapshot, |flow| match flow.integration.workflow {
        _ if flow.kind != Some(Kind::Task) => None,
        // Of another workspace's workflows we know nothing.
        _ if flow.integration.workspace != Ref::To(workspace.sid) => None,
        Ref::None => None,
        Ref::To(sid) if workflows.contains(&sid) => None,
        Ref::To(sid) => Some(format!("its workflow {sid} is not in the workspace")),
        Ref::Broken => Some("its workflow is no workflow's SID".to_owned()),
    })
}

fn task_channel(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let channels = available(&snapshot.task_channels)?;
    if available(&snapshot.workspace)?.is_none() {
        return Ok(Vec::new());
    }
    each(snapshot, |flow| {
        if flow.kind != Some(Kind::Task) {
            return None;
        }
        let found = flow.integration.channel.as_deref();
        let found = found.map(|text| named(channels, text));
        let wrong = match found {
            None => "its tasks have the TaskChannel default",
            Some(None) => "its TaskChannel is not in the workspace",
            Some(Some(channel)) => match channel.unique_name.as_str() {
                "default" => "its tasks have the TaskChannel default",
                "voice" => "its tasks have the TaskChannel voice",
                _ => return None,
            },
        };
        Some(wrong.to_owned())
    })
}

/// Returns the flows of each address. Web chats have no address, and as many flows as web sites.
fn by_address(snapshot: &Snapshot) -> Result<Vec<Vec<&FlexFlow>>, Unavailable> {
    let mut groups: BTreeMap<(&str, &Contact), Vec<&FlexFlow>> = BTreeMap::new();
    for flow in flows(snapshot)? {
        if let Some(contact) = &flow.contact_identity {
            let group = groups.entry((&flow.channel_type, contact)).or_default();
            group.push(flow);
        }
    }
    Ok(groups.into_values().collect())
}

fn disabled(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let web = flows(snapshot)?.into_iter();
    let web: Vec<&FlexFlow> = web.filter(|flow| flow.contact_identity.is_none()).collect();
    let groups = by_address(snapshot)?.into_iter().chain([web]);
    let silent = groups.filter(|group| group.iter().all(|flow| !flow.enabled));
    Ok(silent
        .flatten()
        .map(|flow| {
            let found = "it is disabled, and no other takes its place".to_owned();
            (Subject::FlexFlow(flow.sid), found)
        })
        .collect())
}

fn doubled(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let mut found = Vec::new();
    for group in by_address(snapshot)? {
        let enabled: Vec<&FlexFlow> = group.into_iter().filter(|flow| flow.enabled).collect();
        let Some((first, others)) = enabled.split_first() else {
            continue;
        };
        for flow in others {
            let text = format!(
                "it serves the same address as {}, and both are enabled",
                first.sid
            );
            found.push((Subject::FlexFlow(flow.sid), text));
        }
    }
    Ok(found)
}

/// Returns the numbers of Chat that no Flex Flow listens on.
fn contacts_without_flow(snapshot: &Snapshot) -> Result<Vec<&PhoneNumber>, Unavailable> {
    let flows = available(&snapshot.flex_flows)?.iter();
    let served: BTreeSet<&Contact> = flows
        .filter(|flow| flow.channel_type == "sms")
        .filter_map(|flow| flow.contact_identity.as_ref())
        .collect();
    let mut lonely = Vec::new();
    for number in available(&snapshot.numbers)? {
        if role_of(snapshot, number)? == Role::Chat && !served.contains(&number.contact) {
            lonely.push(number);
        }
    }
    Ok(lonely)
}

fn missing(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let lonely = contacts_without_flow(snapshot)?.into_iter();
    Ok(lonely
        .map(|number| {
            let found = format!("no Flex Flow listens on the number {}", number.contact);
            (Subject::Number(number.sid), found)
        })
        .collect())
}

fn janitor(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let Some(on) = wanted.janitor.wanted() else {
        return Ok(Vec::new());
    };
    each(snapshot, |flow| {
        (flow.janitor_enabled != on).then(|| switch("JanitorEnabled", flow.janitor_enabled))
    })
}

fn long_lived(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let Some(long_lived) = &wanted.long_lived else {
        return Ok(Vec::new());
    };
    each(snapshot, |flow| {
        let on = long_lived.includes(&flow.channel_type);
        (flow.long_lived != on).then(|| switch("LongLived", flow.long_lived))
    })
}

fn switch(name: &str, is_on: bool) -> String {
    let (is, wanted) = if is_on { ("on", "off") } else { ("off", "on") };
    format!("{name} is {is}, and is wanted {wanted}")
}
