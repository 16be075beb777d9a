//! Studio: the flows that contacts take must end in Flex, on the right TaskChannel.

use domain::{TaskChannelSid, WorkflowSid};
use twilio::rest::setup::{TaskChannel, Widget};

use super::entries::{Entry, handovers, in_use, reached};
use super::templates::{ChannelSid, is_template};
use super::{Repairer, Rule, Severity, Verdict};
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
