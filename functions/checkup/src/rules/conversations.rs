//! Conversations: its defaults, and the addresses that make conversations.

use twilio::rest::setup::{Address, Ref};

use super::{Fix, Rule, Severity, Verdict};
use crate::report::Subject;
use crate::snapshot::{Snapshot, see};
use crate::wanted::Wanted;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "conversations/service",
        severity: Severity::Error,
        why: "conversations outside the chat service of Flex are seen by no agent",
        remedy: "make the chat service of Flex the default service of Conversations",
        fix: Fix::Person,
        check: service,
    },
    Rule {
        id: "conversations/close-timer",
        severity: Severity::Warning,
        why: "conversations that nobody closes pile up, and an identity can be in 1,000 at most",
        remedy: "set a default closed timer in the defaults of Conversations, longer than LONG_LIVED_CUTOFF",
        fix: Fix::Person,
        check: close_timer,
    },
    Rule {
        id: "address/service",
        severity: Severity::Error,
        why: "conversations outside the chat service of Flex are seen by no agent",
        remedy: "let the address make its conversations in the chat service of Flex",
        fix: Fix::Person,
        check: address_service,
    },
    Rule {
        id: "address/studio-flow",
        severity: Severity::Error,
        why: "a conversation that leads to a missing Studio flow reaches nobody",
        remedy: "link the address to a Studio flow that takes conversations (--studio-flow chooses which)",
        fix: Fix::Named,
        check: address_studio_flow,
    },
    Rule {
        id: "address/disabled",
        severity: Severity::Warning,
        why: "messages to an address that makes no conversations are lost",
        remedy: "turn the auto-creation of the address on, or delete the address",
        fix: Fix::Person,
        check: address_disabled,
    },
];

fn service(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let defaults = see(&snapshot.defaults)?;
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

fn close_timer(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let timer = see(&snapshot.defaults)?.closed_timer.as_deref();
    let none = timer.is_none_or(|timer| !timer.bytes().any(|digit| (b'1'..=b'9').contains(&digit)));
    Ok(none
        .then(|| {
            (
                Subject::Project,
                "there is no default closed timer".to_owned(),
            )
        })
        .into_iter()
        .collect())
}

/// The addresses of which something can be said, with what is to be said of each.
fn each(snapshot: &Snapshot, say: impl Fn(&Address) -> Option<String>) -> Verdict {
    let addresses = see(&snapshot.addresses)?.iter();
    Ok(addresses
        .filter_map(|address| Some((Subject::Address(address.sid), say(address)?)))
        .collect())
}

fn address_service(snapshot: &Snapshot, _: &Wanted) -> Verdict {
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

fn address_studio_flow(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let flows = see(&snapshot.studio_flows)?;
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

fn address_disabled(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    each(snapshot, |address| {
        let off = !address.auto_creation.enabled;
        off.then(|| "it makes no conversations".to_owned())
    })
}
