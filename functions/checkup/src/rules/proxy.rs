//! Proxy: the service that carries messages between numbers and Chat, and its numbers.

use std::collections::BTreeSet;

use super::chat::{ChatEntries, Role, role_of};
use super::{Repairer, Rule, Severity, Verdict};
use crate::expectations::Expectations;
use crate::snapshot::{Snapshot, Unavailable, available};
use crate::subject::Subject;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "proxy/service",
        severity: Severity::Error,
        why: "without the Proxy service no message to a number reaches a chat",
        remedy: "run Flex System Checkup in the Twilio Console, which makes a new Proxy service; a deleted one cannot be restored",
        repairer: Repairer::PersonFirst(then_point),
        check: service,
    },
    Rule {
        id: "proxy/chat-service",
        severity: Severity::Error,
        why: "a Proxy service delivers into the one chat service that it is linked to",
        remedy: "run Flex System Checkup in the Twilio Console, or link the Proxy service to the chat service of Flex",
        repairer: Repairer::PersonFirst(then_point),
        check: chat_service,
    },
    Rule {
        id: "proxy/pool",
        severity: Severity::Error,
        why: "an agent's answer to a number outside the pool fails (error 80620)",
        remedy: "add the number to the number pool of the Proxy service",
        repairer: Repairer::Person,
        check: pool,
    },
    Rule {
        id: "proxy/pool-stranger",
        severity: Severity::Warning,
        why: "a number that the account has lost can send nothing",
        remedy: "remove the number from the pool of the Proxy service",
        repairer: Repairer::Person,
        check: pool_stranger,
    },
];

/// Says what a checkup does after there is a Proxy service again.
fn then_point(snapshot: &Snapshot) -> String {
    let numbers = snapshot.numbers.as_deref().unwrap_or_default().iter();
    let count = numbers
        .filter(|number| role_of(snapshot, number) == Ok(Role::Chat))
        .count();
    format!(
        "after the numbers are in its pool, `janitor checkup --fix` lets the messages of the numbers of Chat ({count}) go to it"
    )
}

/// Returns true if messages to numbers are carried by Proxy here.
fn is_needed(snapshot: &Snapshot, wanted: &Expectations) -> Result<bool, Unavailable> {
    let entries = ChatEntries::of(snapshot)?;
    let by_number = available(&snapshot.flex_flows)?
        .iter()
        .any(|flow| flow.enabled && flow.contact_identity.is_some() && entries.lead_to(flow));
    Ok(by_number || wanted.proxy_service.is_some())
}

fn service(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let services = available(&snapshot.proxy_services)?;
    if let Some(named) = wanted.proxy_service {
        let gone = services.iter().all(|service| service.sid != named);
        let found = "the Proxy service that PROXY_SERVICE_SID names does not exist";
        return Ok(gone
            .then(|| (Subject::Proxy(named), found.to_owned()))
            .into_iter()
            .collect());
    }
    if services.is_empty() && is_needed(snapshot, wanted)? {
        let found = "there is no Proxy service".to_owned();
        return Ok(vec![(Subject::Project, found)]);
    }
    Ok(Vec::new())
}

fn chat_service(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let services = available(&snapshot.proxy_services)?;
    let Some(chat_service) = snapshot.chat_service()? else {
        return Ok(Vec::new());
    };
    if let Some(named) = wanted.proxy_service {
        let wrong = services
            .iter()
            .find(|one| one.sid == named && one.chat_service.target() != Some(chat_service));
        return Ok(wrong
            .map(|one| {
                let found = format!(
                    "it is linked to {} and not to {chat_service}",
                    one.chat_service
                );
                (Subject::Proxy(named), found)
            })
            .into_iter()
            .collect());
    }
    if services.is_empty() || snapshot.linked_proxy()?.is_some() || !is_needed(snapshot, wanted)? {
        return Ok(Vec::new());
    }
    let found = format!("no Proxy service is linked to the chat service {chat_service}");
    // Where there is but one, it is the one.
    let subject = match services.as_slice() {
        [only] => Subject::Proxy(only.sid),
        _ => Subject::Project,
    };
    Ok(vec![(subject, found)])
}

fn pool(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let pool = available(&snapshot.pool)?;
    let numbers = available(&snapshot.numbers)?;
    // Of the pool of a service that is not there, another rule speaks.
    let named = wanted.proxy_service;
    let there = |sid| {
        snapshot
            .proxy_services
            .as_ref()
            .is_ok_and(|all| all.iter().any(|one| one.sid == sid))
    };
    if snapshot.linked_proxy()?.is_none() && !named.is_some_and(there) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for number in numbers {
        let of_chat = role_of(snapshot, number)? == Role::Chat;
        if of_chat && !pool.contains(&number.sid) {
            let text = format!("the number {} is not in the pool", number.contact);
            found.push((Subject::Number(number.sid), text));
        }
    }
    Ok(found)
}

fn pool_stranger(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let numbers = available(&snapshot.numbers)?;
    if !ChatEntries::of(snapshot)?.are_in_use() {
        return Ok(Vec::new());
    }
    let owned: BTreeSet<_> = numbers.iter().map(|number| number.sid).collect();
    let strangers = available(&snapshot.pool)?.difference(&owned);
    Ok(strangers
        .map(|sid| {
            let found = "it is in the pool, and not a number of the account".to_owned();
            (Subject::Number(*sid), found)
        })
        .collect())
}
