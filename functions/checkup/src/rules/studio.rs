//! Studio: whether the flows that contacts take end in Flex, at the right desk.

use std::collections::{BTreeMap, BTreeSet};

use domain::{StudioFlowSid, TaskChannelSid, WorkflowSid};
use twilio::rest::setup::{Kind, SendToFlex, StudioFlow, TaskChannel, Widget};

use super::routes::Way;
use super::templates::{ChannelSid, is_template};
use super::{Fix, Rule, Severity, Verdict};
use crate::report::Subject;
use crate::snapshot::{Snapshot, Unseen, see};
use crate::wanted::Wanted;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "studio/unpublished",
        severity: Severity::Error,
        why: "contacts take the last published revision of a flow, or none at all",
        remedy: "publish the flow in Studio, or undo the draft",
        fix: Fix::Person,
        check: unpublished,
    },
    Rule {
        id: "studio/invalid",
        severity: Severity::Error,
        why: "an invalid flow ends somewhere on the way",
        remedy: "open the flow in Studio, which marks the errors, correct them and publish it",
        fix: Fix::Person,
        check: invalid,
    },
    Rule {
        id: "studio/trigger",
        severity: Severity::Error,
        why: "a flow does nothing with contacts that its trigger leads nowhere",
        remedy: "connect the trigger's event in Studio and publish the flow",
        fix: Fix::Person,
        check: trigger,
    },
    Rule {
        id: "studio/no-flex",
        severity: Severity::Warning,
        why: "contacts never reach an agent",
        remedy: "lead the flow to a Send to Flex widget, if agents are to answer",
        fix: Fix::Person,
        check: no_flex,
    },
    Rule {
        id: "studio/workflow",
        severity: Severity::Error,
        why: "Send to Flex fails with a workflow that the workspace does not have",
        remedy: "choose a workflow of the workspace in the widget and publish the flow",
        fix: Fix::Person,
        check: workflow,
    },
    Rule {
        id: "studio/task-channel",
        severity: Severity::Error,
        why: "Send to Flex fails with a TaskChannel that the workspace does not have",
        remedy: "choose a TaskChannel of the workspace in the widget and publish the flow",
        fix: Fix::Person,
        check: task_channel,
    },
    Rule {
        id: "studio/channel-kind",
        severity: Severity::Error,
        why: "a call on a chat's TaskChannel, or a chat on the voice channel, is shown wrongly and counted against the wrong capacity",
        remedy: "choose the TaskChannel voice for calls and chat or sms for messages, and publish the flow",
        fix: Fix::Person,
        check: channel_kind,
    },
    Rule {
        id: "studio/channel-sid",
        severity: Severity::Error,
        why: "without channelSid nobody can tell which chat a task is about: neither Flex nor this system closes it",
        remedy: "add \"channelSid\": \"{{trigger.message.ChannelSid}}\" to the widget's attributes and publish the flow",
        fix: Fix::Person,
        check: channel_sid,
    },
    Rule {
        id: "studio/channel-sid-fixed",
        severity: Severity::Error,
        why: "every task names the same chat, so that the end of one closes another",
        remedy: "replace the fixed channelSid by \"{{trigger.message.ChannelSid}}\" and publish the flow",
        fix: Fix::Person,
        check: channel_sid_fixed,
    },
];

/// A way into a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    /// A message of Programmable Chat.
    Message,
    /// A message of a Conversation.
    Conversation,
    /// A call.
    Call,
}

impl Entry {
    const ALL: [Self; 3] = [Self::Message, Self::Conversation, Self::Call];

    /// The trigger's event.
    const fn event(self) -> &'static str {
        match self {
            Self::Message => "incomingMessage",
            Self::Conversation => "incomingConversationMessage",
            Self::Call => "incomingCall",
        }
    }
}

/// The flows that contacts take, and by which way they come in.
fn used(snapshot: &Snapshot) -> Result<BTreeMap<StudioFlowSid, BTreeSet<Entry>>, Unseen> {
    let mut used: BTreeMap<StudioFlowSid, BTreeSet<Entry>> = BTreeMap::new();
    let mut add = |flow: Option<StudioFlowSid>, entry| {
        if let Some(flow) = flow {
            used.entry(flow).or_default().insert(entry);
        }
    };
    for flow in see(&snapshot.flex_flows)? {
        if flow.enabled && flow.kind == Some(Kind::Studio) {
            add(flow.integration.flow.target(), Entry::Message);
        }
    }
    for address in see(&snapshot.addresses)? {
        let creation = &address.auto_creation;
        if creation.enabled && creation.kind == "studio" {
            add(creation.flow.target(), Entry::Conversation);
        }
    }
    for number in see(&snapshot.numbers)? {
        if let Way::Studio(flow) = Way::of(number.voice_url.as_deref(), snapshot.account) {
            add(Some(flow), Entry::Call);
        }
    }
    Ok(used)
}

/// The flows that exist and that contacts take.
fn in_use(snapshot: &Snapshot) -> Result<Vec<(&StudioFlow, BTreeSet<Entry>)>, Unseen> {
    let flows = see(&snapshot.studio_flows)?;
    let used = used(snapshot)?.into_iter();
    Ok(used
        .filter_map(|(flow, entries)| Some((flows.get(&flow)?, entries)))
        .collect())
}

/// The widgets that a contact who comes in by this way may meet.
fn reached(flow: &StudioFlow, entry: Entry) -> Vec<&Widget> {
    let trigger = flow.widgets.iter().find(|widget| widget.kind == "trigger");
    let by_name: BTreeMap<&str, &Widget> = flow
        .widgets
        .iter()
        .map(|widget| (widget.name.as_str(), widget))
        .collect();
    let transitions = trigger.map(|trigger| trigger.transitions.as_slice());
    let mut next: Vec<&str> = transitions
        .unwrap_or_default()
        .iter()
        .filter(|way| way.event == entry.event())
        .filter_map(|way| way.next.as_deref())
        .collect();
    let mut met: BTreeMap<&str, &Widget> = BTreeMap::new();
    while let Some(name) = next.pop() {
        let Some(widget) = by_name.get(name) else {
            continue;
        };
        if met.insert(name, widget).is_none() {
            next.extend(
                widget
                    .transitions
                    .iter()
                    .filter_map(|way| way.next.as_deref()),
            );
        }
    }
    met.into_values().collect()
}

/// Whether a flow hands contacts that come in by this way over to Flex.
pub(crate) fn takes(flow: &StudioFlow, entry: Entry) -> bool {
    let mut widgets = reached(flow, entry).into_iter();
    widgets.any(|widget| widget.send_to_flex.is_some())
}

/// A Send to Flex widget, and the ways by which it is met.
type Desk<'a> = (Subject, &'a SendToFlex, BTreeSet<Entry>);

/// The Send to Flex widgets of flows that contacts take, or that wait for it published.
fn desks(snapshot: &Snapshot) -> Result<Vec<Desk<'_>>, Unseen> {
    let used = used(snapshot)?;
    let mut desks = Vec::new();
    for flow in see(&snapshot.studio_flows)?.values() {
        let entries = match used.get(&flow.sid) {
            Some(entries) => entries.clone(),
            None if flow.is_published() => BTreeSet::from(Entry::ALL),
            None => continue,
        };
        let met: Vec<(Entry, Vec<&Widget>)> = entries
            .iter()
            .map(|entry| (*entry, reached(flow, *entry)))
            .collect();
        for widget in &flow.widgets {
            let Some(desk) = &widget.send_to_flex else {
                continue;
            };
            let by: BTreeSet<Entry> = met
                .iter()
                .filter(|(_, widgets)| widgets.iter().any(|one| one.name == widget.name))
                .map(|(entry, _)| *entry)
                .collect();
            if !by.is_empty() {
                desks.push((Subject::widget(flow.sid, &widget.name), desk, by));
            }
        }
    }
    Ok(desks)
}

fn unpublished(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let flows = in_use(snapshot)?.into_iter();
    Ok(flows
        .filter(|(flow, _)| !flow.is_published())
        .map(|(flow, _)| {
            let found = "contacts take it, and its newest revision is not published";
            (Subject::Studio(flow.sid), found.to_owned())
        })
        .collect())
}

fn invalid(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let flows = in_use(snapshot)?.into_iter();
    Ok(flows
        .filter(|(flow, _)| flow.valid == Some(false))
        .map(|(flow, _)| {
            let found = "contacts take it, and Studio finds it invalid";
            (Subject::Studio(flow.sid), found.to_owned())
        })
        .collect())
}

fn trigger(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let mut found = Vec::new();
    for (flow, entries) in in_use(snapshot)? {
        for entry in entries {
            // Of calls to a flow that takes none, the rule about the number speaks.
            if entry != Entry::Call && reached(flow, entry).is_empty() {
                let event = entry.event();
                let text = format!("contacts come in by {event}, which leads nowhere");
                found.push((Subject::Studio(flow.sid), text));
            }
        }
    }
    Ok(found)
}

fn no_flex(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let mut found = Vec::new();
    for (flow, entries) in in_use(snapshot)? {
        for entry in entries {
            let widgets = reached(flow, entry);
            // What becomes of a contact in another flow is that flow's affair.
            let goes_on =
                |widget: &&Widget| widget.send_to_flex.is_some() || widget.kind == "run-subflow";
            if !widgets.is_empty() && !widgets.iter().any(goes_on) {
                let event = entry.event();
                let text = format!("contacts that come in by {event} reach no Send to Flex widget");
                found.push((Subject::Studio(flow.sid), text));
            }
        }
    }
    Ok(found)
}

fn workflow(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let workflows = see(&snapshot.workflows)?;
    if see(&snapshot.workspace)?.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (subject, desk, _) in desks(snapshot)? {
        let text = match desk.workflow.as_deref() {
            None => "it names no workflow",
            Some(text) if is_template(text) => continue,
            Some(text) => match text.parse::<WorkflowSid>() {
                Ok(sid) if workflows.contains(&sid) => continue,
                Ok(_) => "its workflow is not in the workspace",
                Err(_) => "its workflow is no workflow's SID",
            },
        };
        found.push((subject, text.to_owned()));
    }
    Ok(found)
}

/// The TaskChannel that a widget or an integration names, by SID or by unique name.
pub(super) fn named<'a>(channels: &'a [TaskChannel], text: &str) -> Option<&'a TaskChannel> {
    let sid = text.parse::<TaskChannelSid>().ok();
    channels
        .iter()
        .find(|channel| Some(channel.sid) == sid || channel.unique_name == text)
}

fn task_channel(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let channels = see(&snapshot.task_channels)?;
    if see(&snapshot.workspace)?.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (subject, desk, _) in desks(snapshot)? {
        let text = match desk.channel.as_deref() {
            None => "it names no TaskChannel",
            Some(text) if is_template(text) || named(channels, text).is_some() => continue,
            Some(_) => "its TaskChannel is not in the workspace",
        };
        found.push((subject, text.to_owned()));
    }
    Ok(found)
}

fn channel_kind(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let channels = see(&snapshot.task_channels)?;
    let mut found = Vec::new();
    for (subject, desk, by) in desks(snapshot)? {
        let channel = desk
            .channel
            .as_deref()
            .and_then(|text| named(channels, text));
        let Some(channel) = channel else {
            continue;
        };
        let is_voice = channel.unique_name == "voice";
        let sid = channel.sid;
        if by.contains(&Entry::Call) && !is_voice {
            let text = format!("it hands calls over on the TaskChannel {sid}, which is not voice");
            found.push((subject, text));
        } else if by.iter().any(|entry| *entry != Entry::Call) && is_voice {
            let text = "it hands messages over on the TaskChannel voice".to_owned();
            found.push((subject, text));
        }
    }
    Ok(found)
}

/// The widgets that hand a chat over, and how they name its channel. For a Conversation the
/// widget adds what is needed by itself.
fn chats(snapshot: &Snapshot) -> Result<Vec<(Subject, ChannelSid)>, Unseen> {
    let desks = desks(snapshot)?.into_iter();
    Ok(desks
        .filter(|(_, _, by)| by.contains(&Entry::Message))
        .map(|(subject, desk, _)| {
            let attributes = desk.attributes.as_deref().unwrap_or_default();
            (subject, ChannelSid::of(attributes))
        })
        .collect())
}

fn channel_sid(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let chats = chats(snapshot)?.into_iter();
    Ok(chats
        .filter(|(_, named)| *named == ChannelSid::Missing)
        .map(|(subject, _)| (subject, "its attributes have no channelSid".to_owned()))
        .collect())
}

fn channel_sid_fixed(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let chats = chats(snapshot)?.into_iter();
    Ok(chats
        .filter(|(_, named)| *named == ChannelSid::Fixed)
        .map(|(subject, _)| {
            let found = "its channelSid is the same for every contact".to_owned();
            (subject, found)
        })
        .collect())
}
