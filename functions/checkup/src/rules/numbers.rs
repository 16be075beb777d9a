//! Phone numbers: where their messages and calls go.

use twilio::rest::setup::{Contact, MessagingService, PhoneNumber, StudioFlow};

use super::routes::Way;
use super::studio::{Entry, takes};
use super::{Fix, Rule, Severity, Verdict};
use crate::report::Subject;
use crate::snapshot::{Snapshot, Unseen, see};
use crate::wanted::Wanted;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "number/two-platforms",
        severity: Severity::Error,
        why: "one message starts a chat and a conversation, and both are answered",
        remedy: "decide for one: delete the address configuration, or take the number out of the Proxy pool and delete its Flex Flow",
        fix: Fix::Person,
        check: two_platforms,
    },
    Rule {
        id: "number/messages",
        severity: Severity::Error,
        why: "messages to a number of Chat reach Flex through the Proxy service alone",
        remedy: "let the number's messages go to the Proxy service of Flex",
        fix: Fix::Default,
        check: messages,
    },
    Rule {
        id: "number/message-handler",
        severity: Severity::Error,
        why: "a handler on a number of Conversations answers as well: the customer gets two answers",
        remedy: "empty the number's message handler",
        fix: Fix::Default,
        check: message_handler,
    },
    Rule {
        id: "number/message-application",
        severity: Severity::Error,
        why: "an application takes the messages away from Flex, whatever the number's URL says",
        remedy: "remove the application from the number's messages",
        fix: Fix::Named,
        check: message_application,
    },
    Rule {
        id: "number/messaging-service",
        severity: Severity::Error,
        why: "a messaging service takes the messages away from Flex, whatever the number's URL says",
        remedy: "take the number out of the messaging service, or let the service defer to the sender's webhook (Chat only)",
        fix: Fix::Person,
        check: messaging_service,
    },
    Rule {
        id: "number/nowhere",
        severity: Severity::Warning,
        why: "messages to this number are lost",
        remedy: "let the number lead to Flex, or make sure that nobody writes to it",
        fix: Fix::Person,
        check: nowhere,
    },
    Rule {
        id: "number/voice-flow",
        severity: Severity::Error,
        why: "calls to this number fail",
        remedy: "let the number's calls go to the voice flow (--voice-flow chooses which)",
        fix: Fix::Named,
        check: voice_flow,
    },
    Rule {
        id: "number/voice",
        severity: Severity::Warning,
        why: "customers who call the number of a chat do not reach an agent",
        remedy: "let the number's calls go to the voice flow (--voice-flow chooses which)",
        fix: Fix::Named,
        check: voice,
    },
    Rule {
        id: "number/voice-application",
        severity: Severity::Warning,
        why: "an application takes the calls away from the voice flow, whatever the number's URL says",
        remedy: "remove the application from the number's calls",
        fix: Fix::Named,
        check: voice_application,
    },
    Rule {
        id: "number/trunk",
        severity: Severity::Warning,
        why: "a SIP trunk takes the calls away from the voice flow, whatever the number's URL says",
        remedy: "take the number out of the trunk, if calls are to reach Flex",
        fix: Fix::Person,
        check: trunk,
    },
];

/// What a number is to Flex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A number of Programmable Chat.
    Chat,
    /// A number of Conversations.
    Conversations,
    /// Both, which cannot be.
    Both,
    /// Nothing.
    Neither,
}

/// What a number is to Flex: a number of Chat is in the Proxy pool, or a Flex Flow listens on
/// it, or its messages go to some Proxy service; one of Conversations has an address
/// configuration.
pub(crate) fn role_of(snapshot: &Snapshot, number: &PhoneNumber) -> Result<Role, Unseen> {
    let way = Way::of(number.sms_url.as_deref(), snapshot.account);
    let listens = |contact: Option<&Contact>| contact == Some(&number.contact);
    let chat = matches!(way, Way::Proxy(_))
        || see(&snapshot.pool)?.contains(&number.sid)
        || see(&snapshot.flex_flows)?
            .iter()
            .any(|flow| flow.channel_type == "sms" && listens(flow.contact_identity.as_ref()));
    let conversations = see(&snapshot.addresses)?
        .iter()
        .any(|address| address.kind == "sms" && listens(address.contact.as_ref()));
    Ok(match (chat, conversations) {
        (true, true) => {
            // What is left of Chat in a handler alone is a handler that answers as well.
            let pooled = see(&snapshot.pool)?.contains(&number.sid);
            let flows = see(&snapshot.flex_flows)?.iter();
            let mut enabled = flows.filter(|flow| flow.enabled && flow.channel_type == "sms");
            let served = enabled.any(|flow| listens(flow.contact_identity.as_ref()));
            if pooled || served {
                Role::Both
            } else {
                Role::Conversations
            }
        }
        (true, false) => Role::Chat,
        (false, true) => Role::Conversations,
        (false, false) => Role::Neither,
    })
}

/// The numbers of which something can be said, with what is to be said of each.
fn each(
    snapshot: &Snapshot,
    say: impl Fn(&PhoneNumber, Role) -> Result<Option<String>, Unseen>,
) -> Verdict {
    let mut found = Vec::new();
    for number in see(&snapshot.numbers)? {
        let role = role_of(snapshot, number)?;
        if let Some(text) = say(number, role)? {
            let text = format!("number {}: {text}", number.contact);
            found.push((Subject::Number(number.sid), text));
        }
    }
    Ok(found)
}

fn two_platforms(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    each(snapshot, |_, role| {
        let text = "it is a number of Chat and of Conversations at once";
        Ok((role == Role::Both).then(|| text.to_owned()))
    })
}

fn messages(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    if snapshot.chat_service()?.is_none() {
        // Which Proxy service is that of Flex, nobody can say.
        return Ok(Vec::new());
    }
    let proxy = snapshot.linked_proxy()?;
    each(snapshot, |number, role| {
        let way = Way::of(number.sms_url.as_deref(), snapshot.account);
        let right = proxy.is_some_and(|proxy| way == Way::Proxy(proxy));
        let wrong = role == Role::Chat && !right;
        // With no Proxy service to lead to, a number that leads to one leads to a deleted one.
        Ok(wrong.then(|| format!("its messages go {}", way.words())))
    })
}

fn message_handler(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    each(snapshot, |number, role| {
        let way = Way::of(number.sms_url.as_deref(), snapshot.account);
        let answers = role == Role::Conversations && number.sms_url.is_some();
        Ok(answers.then(|| match way {
            Way::Nowhere => "its handler answers with Twilio's greeting".to_owned(),
            Way::Studio(_) | Way::Proxy(_) | Way::Broken | Way::Elsewhere => {
                format!("its handler leads {}", way.words())
            }
        }))
    })
}

fn message_application(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    each(snapshot, |number, role| {
        let taken = role != Role::Neither && number.sms_application_sid.is_some();
        Ok(taken.then(|| "an application takes its messages".to_owned()))
    })
}

fn messaging_service(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let services = see(&snapshot.messaging)?;
    each(snapshot, |number, role| {
        // A number of Conversations must be in none, whatever the service does.
        let takes = |service: &&MessagingService| match role {
            Role::Chat => !service.defers_to_number,
            Role::Conversations | Role::Both => true,
            Role::Neither => false,
        };
        let taker = services.get(&number.sid).filter(takes);
        Ok(taker.map(|service| format!("it is in the messaging service {}", service.sid)))
    })
}

fn nowhere(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let services = see(&snapshot.messaging)?;
    let flows = see(&snapshot.studio_flows)?;
    each(snapshot, |number, role| {
        let taker = services.get(&number.sid);
        let follows_url = role == Role::Neither
            && number.capabilities.sms
            && number.sms_application_sid.is_none()
            && taker.is_none_or(|service| service.defers_to_number);
        if !follows_url {
            return Ok(None);
        }
        Ok(match Way::of(number.sms_url.as_deref(), snapshot.account) {
            Way::Nowhere => Some("it takes messages, and they go nowhere".to_owned()),
            Way::Broken => Some("its messages go to nothing of this account".to_owned()),
            Way::Studio(sid) if !flows.contains_key(&sid) => Some(format!(
                "its messages go to the Studio flow {sid}, which does not exist"
            )),
            Way::Studio(_) | Way::Proxy(_) | Way::Elsewhere => None,
        })
    })
}

/// Whether calls follow the number's URL.
fn follows_url(number: &PhoneNumber) -> bool {
    number.capabilities.voice
        && number.voice_application_sid.is_none()
        && number.trunk_sid.is_none()
}

fn voice_flow(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let flows = see(&snapshot.studio_flows)?;
    each(snapshot, |number, _| {
        if !follows_url(number) {
            return Ok(None);
        }
        Ok(
            match Way::of(number.voice_url.as_deref(), snapshot.account) {
                Way::Studio(sid) => match flows.get(&sid) {
                    None => Some(format!(
                        "its calls go to the Studio flow {sid}, which does not exist"
                    )),
                    Some(flow) if !answers_calls(flow) => Some(format!(
                        "its calls go to the Studio flow {sid}, which takes no calls"
                    )),
                    Some(_) => None,
                },
                Way::Broken => Some("its calls go to nothing of this account".to_owned()),
                Way::Nowhere | Way::Proxy(_) | Way::Elsewhere => None,
            },
        )
    })
}

/// Whether a flow does anything with calls; whether it does so well, the rules of Studio say.
fn answers_calls(flow: &StudioFlow) -> bool {
    let trigger = flow.widgets.iter().find(|widget| widget.kind == "trigger");
    trigger.is_none_or(|trigger| {
        let mut ways = trigger.transitions.iter();
        ways.any(|way| way.event == "incomingCall" && way.next.is_some())
    })
}

fn voice(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    let mut flows = see(&snapshot.studio_flows)?.values();
    if !flows.any(|flow| takes(flow, Entry::Call)) {
        return Ok(Vec::new());
    }
    each(snapshot, |number, role| {
        let way = Way::of(number.voice_url.as_deref(), snapshot.account);
        let elsewhere = matches!(way, Way::Nowhere | Way::Proxy(_) | Way::Elsewhere);
        let astray = role != Role::Neither && follows_url(number) && elsewhere;
        Ok(astray.then(|| format!("its calls go {}, and not to the voice flow", way.words())))
    })
}

fn voice_application(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    each(snapshot, |number, role| {
        let taken = role != Role::Neither && number.voice_application_sid.is_some();
        Ok(taken.then(|| "an application takes its calls".to_owned()))
    })
}

fn trunk(snapshot: &Snapshot, _: &Wanted) -> Verdict {
    each(snapshot, |number, role| {
        let taken = role != Role::Neither && number.trunk_sid.is_some();
        Ok(taken.then(|| "a SIP trunk takes its calls".to_owned()))
    })
}
