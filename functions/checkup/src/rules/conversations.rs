//! Conversations: its defaults, and the addresses that make conversations.

use std::time::Duration;

use twilio::rest::setup::{Address, Ref};

use super::entries::{Entry, choose_flow};
use super::{Repairer, Rule, Severity, Verdict};
use crate::draft::{Draft, VANISHED};
use crate::expectations::Expectations;
use crate::repair::Repair;
use crate::snapshot::{Snapshot, available};
use crate::subject::Subject;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "conversations/service",
        severity: Severity::Error,
        why: "conversations outside the chat service of Flex are seen by no agent",
        remedy: "make the chat service of Flex the default service of Conversations",
        repairer: Repairer::Person,
        check: service,
    },
    Rule {
        id: "conversations/close-timer",
        severity: Severity::Info,
        why: "the timer also closes conversations that an agent left or paused, or that a program parked: a late reply finds no history",
        remedy: "if agents leave or pause conversations, make the default closed timer 90 days or longer, or remove it: the sweep closes what has ended",
        repairer: Repairer::Person,
        check: close_timer,
    },
    Rule {
        id: "address/service",
        severity: Severity::Error,
        why: "conversations outside the chat service of Flex are seen by no agent",
        remedy: "let the address make its conversations in the chat service of Flex",
        repairer: Repairer::Person,
        check: address_service,
    },
    Rule {
        id: "address/studio-flow",
        severity: Severity::Error,
        why: "a conversation that leads to a missing Studio flow reaches no agent",
        remedy: "link the address to a Studio flow that takes conversations (--studio-flow chooses which)",
        repairer: Repairer::Named(link_address),
        check: address_studio_flow,
    },
    Rule {
        id: "address/disabled",
        severity: Severity::Warning,
        why: "messages to an address that makes no conversations are lost",
        remedy: "turn the auto-creation of the address on, or delete the address",
        repairer: Repairer::Person,
        check: address_disabled,
    },
];

/// Flex keeps a conversation that an agent left for this long:
/// <https://www.twilio.com/docs/flex/admin-guide/setup/conversations/leave-and-pause-for-conversations>.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

fn link_address(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let flow = choose_flow(draft, Entry::Conversation)?;
    let addresses = draft.snapshot.addresses.as_deref().unwrap_or_default();
    let before = addresses
        .iter()
        .find(|address| Subject::Address(address.sid) == *subject)
        .ok_or(VANISHED)?
        .clone();
    draft.add(Repair::Address { before, flow });
    Ok(())
}

fn service(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let defaults = available(&snapshot.defaults)?;
    let Some(ours) = snapshot.chat_service()? else {
        return Ok(Vec::new());
    };
    let wrong = defaults.service != Ref::To(ours);
    Ok(wrong
        .then(|| {
            let found = format!(
                "the default service is {}, and not {ours}",
                defaults.service
            );
            (Subject::Project, found)
        })
        .into_iter()
        .collect())
}

fn close_timer(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let timer = available(&snapshot.defaults)?.closed_timer;
    let short = timer.filter(|timer| *timer < KEPT);
    Ok(short
        .map(|timer| {
            let hours = timer.as_secs() / (60 * 60);
            let found = format!("the default closed timer is {hours} hours");
            (Subject::Project, found)
        })
        .into_iter()
        .collect())
}

/// Returns the addresses for which `say` has something to say, each with that.
fn each(snapshot: &Snapshot, say: impl Fn(&Address) -> Option<String>) -> Verdict {
    let addresses = available(&snapshot.addresses)?.iter();
    Ok(addresses
        .filter_map(|address| Some((Subject::Address(address.sid), say(address)?)))
        .collect())
}

fn address_service(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let Some(ours) = snapshot.chat_service()? else {
        return Ok(Vec::new());
    };
    each(snapshot, |address| match address.auto_creation.service {
        // The default service, of which another rule speaks.
        Ref::None => None,
        Ref::To(sid) if sid == ours => None,
        Ref::To(_) | Ref::Broken => {
            let service = address.auto_creation.service;
            Some(format!(
                "it makes conversations in {service}, and not in {ours}"
            ))
        }
    })
}

fn address_studio_flow(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let flows = available(&snapshot.studio_flows)?;
    each(snapshot, |address| {
        let creation = &address.auto_creation;
        match creation.flow {
            _ if creation.kind != "studio" => None,
            Ref::To(sid) if flows.contains_key(&sid) => None,
            Ref::To(sid) => Some(format!(
                "it leads to the Studio flow {sid}, which does not exist"
            )),
            Ref::None => Some("it leads to Studio, and names no flow".to_owned()),
            Ref::Broken => Some("it leads to something that is no Studio flow's SID".to_owned()),
        }
    })
}

fn address_disabled(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each(snapshot, |address| {
        let off = !address.auto_creation.enabled;
        off.then(|| "it makes no conversations".to_owned())
    })
}
