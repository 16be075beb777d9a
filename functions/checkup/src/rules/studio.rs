//! Studio: the flows that contacts take must end in Flex, on the right TaskChannel.

use std::collections::{BTreeMap, BTreeSet};

use domain::{StudioFlowSid, TaskChannelSid, WorkflowSid};
use twilio::rest::setup::{Kind, SendToFlex, StudioFlow, TaskChannel, Widget};

use super::chat::ChatEntries;
use super::routes::{Way, follows_url};
use super::templates::{ChannelSid, is_template};
use super::{Repairer, Rule, Severity, Verdict};
use crate::draft::Draft;
use crate::expectations::Expectations;
use crate::snapshot::{Snapshot, Unavailable, available};
use crate::subject::Subject;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "studio/unpublished",
        severity: Severity::Error,
        why: "contacts take the last published revision of a flow, or none at all",
        remedy: "publish the flow in Studio, or undo the draft",
        repairer: Repairer::Person,
        check: unpublished,
    },
    Rule {
        id: "studio/invalid",
        severity: Severity::Error,
        why: "an invalid flow ends somewhere on the way",
        remedy: "open the flow in Studio, which marks the errors, correct them and publish it",
        repairer: Repairer::Person,
        check: invalid,
    },
    Rule {
        id: "studio/trigger",
        severity: Severity::Error,
        why: "a flow does nothing with contacts that its trigger leads nowhere",
        remedy: "connect the trigger's event in Studio and publish the flow",
        repairer: Repairer::Person,
        check: trigger,
    },
    Rule {
        id: "studio/no-flex",
        severity: Severity::Warning,
        why: "contacts never reach an agent",
        remedy: "lead the flow to a Send to Flex widget, if agents are to answer",
        repairer: Repairer::Person,
        check: no_flex,
    },
    Rule {
        id: "studio/workflow",
        severity: Severity::Error,
        why: "Send to Flex fails with a workflow that the workspace does not have",
        remedy: "choose a workflow of the workspace in the widget and publish the flow",
        repairer: Repairer::Person,
        check: workflow,
    },
    Rule {
        id: "studio/task-channel",
        severity: Severity::Error,
        why: "Send to Flex fails with a TaskChannel that the workspace does not have",
        remedy: "choose a TaskChannel of the workspace in the widget and publish the flow",
        repairer: Repairer::Person,
        check: task_channel,
    },
    Rule {
        id: "studio/channel-kind",
        severity: Severity::Error,
        why: "a call on a chat's TaskChannel, or a chat on the voice channel, is shown wrongly and counted against the wrong capacity",
        remedy: "choose the TaskChannel voice for calls and chat or sms for messages, and publish the flow",
        repairer: Repairer::Person,
        check: channel_kind,
    },
    Rule {
        id: "studio/channel-sid",
        severity: Severity::Error,
        why: "without channelSid no program can tell which chat a task is about: neither Flex nor this system closes it",
        remedy: "add \"channelSid\": \"{{trigger.message.ChannelSid}}\" to the widget's attributes and publish the flow",
        repairer: Repairer::Person,
        check: channel_sid,
    },
    Rule {
        id: "studio/channel-sid-fixed",
        severity: Severity::Error,
        why: "every task names the same chat, so that the end of one closes another",
        remedy: "replace the fixed channelSid by \"{{trigger.message.ChannelSid}}\" and publish the flow",
        repairer: Repairer::Person,
        check: channel_sid_fixed,
    },
];

/// The kinds of widgets that keep a contact in the flow. Any other may hand the contact over to
/// an agent by a way of its own, such as a function or a request.
const KEEPING: [&str; 8] = [
    "trigger",
    "gather-input-on-call",
    "say-play",
    "send-and-reply",
    "send-message",
    "send-and-wait-for-reply",
    "set-variables",
    "split-based-on",
];

/// A way into a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// A message of Programmable Chat.
    Message,
    /// A message of a Conversation.
    Conversation,
    /// A call.
    Call,
}

impl Entry {
    /// Returns the trigger's event.
    const fn event(self) -> &'static str {
        match self {
            Self::Message => "incomingMessage",
            Self::Conversation => "incomingConversationMessage",
            Self::Call => "incomingCall",
        }
    }
}

/// Returns the flows that contacts take, and the ways by which they come in.
fn used(snapshot: &Snapshot) -> Result<BTreeMap<StudioFlowSid, BTreeSet<Entry>>, Unavailable> {
    let mut used: BTreeMap<StudioFlowSid, BTreeSet<Entry>> = BTreeMap::new();
    let mut add = |flow: Option<StudioFlowSid>, entry| {
        if let Some(flow) = flow {
            used.entry(flow).or_default().insert(entry);
        }
    };
    let entries = ChatEntries::of(snapshot)?;
    for flow in available(&snapshot.flex_flows)? {
        if flow.enabled && flow.kind == Some(Kind::Studio) && entries.lead_to(flow) {
            add(flow.integration.flow.target(), Entry::Message);
        }
    }
    for address in available(&snapshot.addresses)? {
        let creation = &address.auto_creation;
        if creation.enabled && creation.kind == "studio" {
            add(creation.flow.target(), Entry::Conversation);
        }
    }
    for number in available(&snapshot.numbers)? {
        if follows_url(number)
            && let Way::Studio(flow) = Way::of(number.voice_url.as_deref(), snapshot.account)
        {
            add(Some(flow), Entry::Call);
        }
    }
    Ok(used)
}

/// Returns the flows that exist and that contacts take.
fn in_use(snapshot: &Snapshot) -> Result<Vec<(&StudioFlow, BTreeSet<Entry>)>, Unavailable> {
    let flows = available(&snapshot.studio_flows)?;
    let used = used(snapshot)?.into_iter();
    Ok(used
        .filter_map(|(flow, entries)| Some((flows.get(&flow)?, entries)))
        .collect())
}

/// Returns the widgets that a contact who comes in by this way may meet.
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

/// Returns the Studio flow that contacts of this kind are to take: the one that the operator
/// chose, or the only one that takes them.
pub(super) fn choose_flow(draft: &Draft<'_>, entry: Entry) -> Result<StudioFlowSid, &'static str> {
    let flows = draft.snapshot.studio_flows.as_ref();
    let flows = flows.map_err(|_| "the Studio flows could not be read")?;
    let fits =
        |flow: &&StudioFlow| flow.is_published() && flow.valid != Some(false) && takes(flow, entry);
    let mut fitting = flows.values().filter(fits).map(|flow| flow.sid);
    let (chosen, none, many) = match entry {
        Entry::Message | Entry::Conversation => (
            draft.message_flow,
            "no published Studio flow takes them to Flex",
            "several Studio flows take them to Flex: choose one with --studio-flow",
        ),
        Entry::Call => (
            draft.voice_flow,
            "no published Studio flow takes calls to Flex",
            "several Studio flows take calls to Flex: choose one with --voice-flow",
        ),
    };
    match chosen {
        Some(chosen) if fitting.any(|sid| sid == chosen) => Ok(chosen),
        Some(_) => Err(
            "the chosen Studio flow does not exist, is not published, or does not take them to Flex",
        ),
        None => match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(many),
            (None, _) => Err(none),
        },
    }
}

/// Returns true if a flow hands contacts that come in by this way over to Flex.
pub(super) fn takes(flow: &StudioFlow, entry: Entry) -> bool {
    let mut widgets = reached(flow, entry).into_iter();
    widgets.any(|widget| widget.send_to_flex.is_some())
}

/// A Send to Flex widget, and the ways by which it is met.
type Handover<'a> = (Subject, &'a SendToFlex, BTreeSet<Entry>);

/// Returns the Send to Flex widgets that contacts meet. What is wrong with a flow that no contact
/// takes does no harm.
fn handovers(snapshot: &Snapshot) -> Result<Vec<Handover<'_>>, Unavailable> {
    let mut handovers = Vec::new();
    for (flow, entries) in in_use(snapshot)? {
        let met: Vec<(Entry, Vec<&Widget>)> = entries
            .iter()
            .map(|entry| (*entry, reached(flow, *entry)))
            .collect();
        for widget in &flow.widgets {
            let Some(handover) = &widget.send_to_flex else {
                continue;
            };
            let by: BTreeSet<Entry> = met
                .iter()
                .filter(|(_, widgets)| widgets.iter().any(|one| one.name == widget.name))
                .map(|(entry, _)| *entry)
                .collect();
            if !by.is_empty() {
                handovers.push((Subject::widget(flow.sid, &widget.name), handover, by));
            }
        }
    }
    Ok(handovers)
}

fn unpublished(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let flows = in_use(snapshot)?.into_iter();
    Ok(flows
        .filter(|(flow, _)| !flow.is_published())
        .map(|(flow, _)| {
            let found = "contacts take it, and its newest revision is not published";
            (Subject::Studio(flow.sid), found.to_owned())
        })
        .collect())
}

fn invalid(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let flows = in_use(snapshot)?.into_iter();
    Ok(flows
        .filter(|(flow, _)| flow.valid == Some(false))
        .map(|(flow, _)| {
            let found = "contacts take it, and Studio finds it invalid";
            (Subject::Studio(flow.sid), found.to_owned())
        })
        .collect())
}

fn trigger(snapshot: &Snapshot, _: &Expectations) -> Verdict {
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

fn no_flex(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let mut found = Vec::new();
    for (flow, entries) in in_use(snapshot)? {
        for entry in entries {
            let widgets = reached(flow, entry);
            let stays = |widget: &&Widget| KEEPING.contains(&widget.kind.as_str());
            // A call may end in a menu that answers it; a message that only a flow reads is lost.
            if entry != Entry::Call && !widgets.is_empty() && widgets.iter().all(stays) {
                let event = entry.event();
                let text =
                    format!("contacts that come in by {event} reach nothing that hands over");
                found.push((Subject::Studio(flow.sid), text));
            }
        }
    }
    Ok(found)
}

fn workflow(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let workflows = available(&snapshot.workflows)?;
    if available(&snapshot.workspace)?.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (subject, handover, _) in handovers(snapshot)? {
        let text = match handover.workflow.as_deref() {
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

/// Returns the TaskChannel that a widget or an integration names, by SID or by unique name.
pub(super) fn named<'a>(channels: &'a [TaskChannel], text: &str) -> Option<&'a TaskChannel> {
    let sid = text.parse::<TaskChannelSid>().ok();
    channels
        .iter()
        .find(|channel| Some(channel.sid) == sid || channel.unique_name == text)
}

fn task_channel(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let channels = available(&snapshot.task_channels)?;
    if available(&snapshot.workspace)?.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (subject, handover, _) in handovers(snapshot)? {
        let text = match handover.channel.as_deref() {
            None => "it names no TaskChannel",
            Some(text) if is_template(text) || named(channels, text).is_some() => continue,
            Some(_) => "its TaskChannel is not in the workspace",
        };
        found.push((subject, text.to_owned()));
    }
    Ok(found)
}

fn channel_kind(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let channels = available(&snapshot.task_channels)?;
    let mut found = Vec::new();
    for (subject, handover, by) in handovers(snapshot)? {
        let channel = handover
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

/// Returns the widgets that hand a chat over, and how they name its channel. For a Conversation
/// the widget adds what is needed by itself.
fn chats(snapshot: &Snapshot) -> Result<Vec<(Subject, ChannelSid)>, Unavailable> {
    let handovers = handovers(snapshot)?.into_iter();
    Ok(handovers
        .filter(|(_, _, by)| by.contains(&Entry::Message))
        .map(|(subject, handover, _)| {
            let attributes = handover.attributes.as_deref().unwrap_or_default();
            (subject, ChannelSid::of(attributes))
        })
        .collect())
}

fn channel_sid(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let chats = chats(snapshot)?.into_iter();
    Ok(chats
        .filter(|(_, named)| *named == ChannelSid::Missing)
        .map(|(subject, _)| (subject, "its attributes have no channelSid".to_owned()))
        .collect())
}

fn channel_sid_fixed(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let chats = chats(snapshot)?.into_iter();
    Ok(chats
        .filter(|(_, named)| *named == ChannelSid::Fixed)
        .map(|(subject, _)| {
            let found = "its channelSid is the same for every contact".to_owned();
            (subject, found)
        })
        .collect())
}
