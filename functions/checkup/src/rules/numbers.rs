//! Phone numbers: where their messages and calls go.

use twilio::rest::setup::{MessagingService, NumberChange, PhoneNumber, StudioFlow};

use super::chat::{Role, handles_messages, role_of};
use super::entries::{Entry, choose_flow, takes};
use super::routes::{Way, follows_url};
use super::{Repairer, Rule, Severity, Verdict};
use crate::draft::Draft;
use crate::expectations::Expectations;
use crate::snapshot::{Snapshot, Unavailable, available};
use crate::subject::Subject;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "number/two-platforms",
        severity: Severity::Error,
        why: "one message starts a chat and a conversation, and both are answered",
        remedy: "decide for one: delete the address configuration, or take the number out of the Proxy pool and delete its Flex Flow",
        repairer: Repairer::Person,
        check: two_platforms,
    },
    Rule {
        id: "number/messages",
        severity: Severity::Error,
        why: "messages to a number of Chat reach Flex through the Proxy service alone",
        remedy: "let the number's messages go to the Proxy service of Flex",
        repairer: Repairer::Default(lead_to_proxy),
        check: messages,
    },
    Rule {
        id: "number/greeting",
        severity: Severity::Error,
        why: "Twilio's greeting for new numbers answers beside the conversation",
        remedy: "empty the number's message handler",
        repairer: Repairer::Default(empty_handler),
        check: greeting,
    },
    Rule {
        id: "number/message-handler",
        severity: Severity::Error,
        why: "a handler on a number of Conversations answers as well: the customer gets two answers",
        remedy: "empty the number's message handler, unless it only listens",
        repairer: Repairer::Named(empty_handler),
        check: message_handler,
    },
    Rule {
        id: "number/message-application",
        severity: Severity::Error,
        why: "an application takes the messages away from Flex, whatever the number's URL says",
        remedy: "remove the application from the number's messages",
        repairer: Repairer::Named(|draft, subject| {
            draft.change_number(subject, NumberChange::NoMessageApplication)
        }),
        check: message_application,
    },
    Rule {
        id: "number/messaging-service",
        severity: Severity::Error,
        why: "a messaging service takes the messages of a number of Chat away from Flex, whatever the number's URL says",
        remedy: "let the messaging service defer to the sender's webhook",
        repairer: Repairer::Person,
        check: messaging_service,
    },
    Rule {
        id: "number/message-flow",
        severity: Severity::Warning,
        why: "messages to this number fail",
        remedy: "let the number's messages go to something that exists, or empty its message handler",
        repairer: Repairer::Person,
        check: message_flow,
    },
    Rule {
        id: "number/nowhere",
        severity: Severity::Info,
        why: "messages to this number are lost; that is right for a number that only calls or sends",
        remedy: "let the number lead to Flex, if customers write to it",
        repairer: Repairer::Person,
        check: nowhere,
    },
    Rule {
        id: "number/voice-flow",
        severity: Severity::Error,
        why: "calls to this number fail",
        remedy: "let the number's calls go to the voice flow (--voice-flow chooses which)",
        repairer: Repairer::Named(lead_to_voice_flow),
        check: voice_flow,
    },
    Rule {
        id: "number/voice",
        severity: Severity::Info,
        why: "customers who call the number that they write to do not reach an agent of Flex",
        remedy: "let the number's calls go to the voice flow (--voice-flow chooses which), if agents are to answer them",
        repairer: Repairer::Named(lead_to_voice_flow),
        check: voice,
    },
    Rule {
        id: "number/voice-application",
        severity: Severity::Info,
        why: "an application takes the calls away from the voice flow, whatever the number's URL says",
        remedy: "remove the application from the number's calls, if agents are to answer them",
        repairer: Repairer::Named(|draft, subject| {
            draft.change_number(subject, NumberChange::NoCallApplication)
        }),
        check: voice_application,
    },
    Rule {
        id: "number/trunk",
        severity: Severity::Info,
        why: "a SIP trunk takes the calls away from the voice flow, whatever the number's URL says",
        remedy: "take the number out of the trunk, if agents are to answer its calls",
        repairer: Repairer::Person,
        check: trunk,
    },
];

fn lead_to_proxy(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let proxy = draft.snapshot.linked_proxy().ok().flatten();
    let proxy = proxy.ok_or("no Proxy service is linked to the chat service of Flex")?;
    let url = Way::proxy_url(draft.snapshot.account, proxy);
    draft.change_number(subject, NumberChange::MessagesTo(url))
}

fn empty_handler(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    draft.change_number(subject, NumberChange::MessagesTo(String::new()))
}

fn lead_to_voice_flow(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let flow = choose_flow(draft, Entry::Call)?;
    let url = Way::studio_url(draft.snapshot.account, flow);
    draft.change_number(subject, NumberChange::CallsTo(url))
}

/// Returns the numbers for which `say` has something to say, each with that.
fn each(
    snapshot: &Snapshot,
    say: impl Fn(&PhoneNumber, Role) -> Result<Option<String>, Unavailable>,
) -> Verdict {
    let mut found = Vec::new();
    for number in available(&snapshot.numbers)? {
        let role = role_of(snapshot, number)?;
        if let Some(text) = say(number, role)? {
            let text = format!("number {}: {text}", number.contact);
            found.push((Subject::Number(number.sid), text));
        }
    }
    Ok(found)
}

fn two_platforms(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each(snapshot, |_, role| {
        let text = "it is a number of Chat and of Conversations at once";
        Ok((role == Role::Both).then(|| text.to_owned()))
    })
}

fn messages(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    if snapshot.chat_service()?.is_none() {
        // Without it, the Proxy service of Flex cannot be told from others.
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

/// Returns where the handler of a number of Conversations leads, if it is called beside them.
fn handler_beside(
    snapshot: &Snapshot,
    number: &PhoneNumber,
    role: Role,
) -> Result<Option<Way>, Unavailable> {
    let is_set = number.sms_url.is_some() && number.sms_application_sid.is_none();
    if role != Role::Conversations || !is_set || !handles_messages(snapshot, number)? {
        return Ok(None);
    }
    Ok(Some(Way::of(number.sms_url.as_deref(), snapshot.account)))
}

fn greeting(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each(snapshot, |number, role| {
        let way = handler_beside(snapshot, number, role)?;
        let greets = way == Some(Way::Nowhere);
        Ok(greets.then(|| "its handler answers with Twilio's greeting".to_owned()))
    })
}

fn message_handler(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each(snapshot, |number, role| {
        let way = handler_beside(snapshot, number, role)?;
        let way = way.filter(|way| *way != Way::Nowhere);
        Ok(way.map(|way| format!("its handler leads {}", way.words())))
    })
}

fn message_application(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each(snapshot, |number, role| {
        if number.sms_application_sid.is_none() || role == Role::Neither {
            return Ok(None);
        }
        let taken = role != Role::Conversations || handles_messages(snapshot, number)?;
        Ok(taken.then(|| "an application takes its messages".to_owned()))
    })
}

fn messaging_service(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let services = available(&snapshot.messaging)?;
    each(snapshot, |number, role| {
        // A number of Conversations may be in a messaging service, and in the USA it must be:
        // https://www.twilio.com/docs/messaging/compliance/a2p-10dlc
        let takes = |service: &&MessagingService| role == Role::Chat && !service.defers_to_number;
        let taker = services.get(&number.sid).filter(takes);
        Ok(taker.map(|service| format!("it is in the messaging service {}", service.sid)))
    })
}

/// Returns where the messages of a number go that has no part in Flex, if its handler is called.
fn way_of_others(
    snapshot: &Snapshot,
    number: &PhoneNumber,
    role: Role,
) -> Result<Option<Way>, Unavailable> {
    let follows_url = role == Role::Neither
        && number.capabilities.sms
        && number.sms_application_sid.is_none()
        && handles_messages(snapshot, number)?;
    Ok(follows_url.then(|| Way::of(number.sms_url.as_deref(), snapshot.account)))
}

fn message_flow(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let flows = available(&snapshot.studio_flows)?;
    each(snapshot, |number, role| {
        Ok(match way_of_others(snapshot, number, role)? {
            Some(Way::Broken) => Some("its messages go to nothing of this account".to_owned()),
            Some(Way::Studio(sid)) if !flows.contains_key(&sid) => Some(format!(
                "its messages go to the Studio flow {sid}, which does not exist"
            )),
            Some(Way::Studio(_) | Way::Proxy(_) | Way::Elsewhere | Way::Nowhere) | None => None,
        })
    })
}

fn nowhere(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each(snapshot, |number, role| {
        let lost = way_of_others(snapshot, number, role)? == Some(Way::Nowhere);
        Ok(lost.then(|| "it takes messages, and they go nowhere".to_owned()))
    })
}

fn voice_flow(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    let flows = available(&snapshot.studio_flows)?;
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

/// Returns true if a flow does anything with calls. The rules of Studio judge what it does.
fn answers_calls(flow: &StudioFlow) -> bool {
    let trigger = flow.widgets.iter().find(|widget| widget.kind == "trigger");
    trigger.is_none_or(|trigger| {
        let mut ways = trigger.transitions.iter();
        ways.any(|way| way.event == "incomingCall" && way.next.is_some())
    })
}

/// Returns the numbers of Flex for which `say` has something to say about their calls; none in
/// a project that takes no calls.
fn each_that_may_call(
    snapshot: &Snapshot,
    say: impl Fn(&PhoneNumber) -> Option<String>,
) -> Verdict {
    let mut flows = available(&snapshot.studio_flows)?.values();
    if !flows.any(|flow| takes(flow, Entry::Call)) {
        return Ok(Vec::new());
    }
    each(snapshot, |number, role| {
        Ok(say(number).filter(|_| role != Role::Neither))
    })
}

fn voice(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each_that_may_call(snapshot, |number| {
        let way = Way::of(number.voice_url.as_deref(), snapshot.account);
        let elsewhere = matches!(way, Way::Nowhere | Way::Proxy(_) | Way::Elsewhere);
        let astray = follows_url(number) && elsewhere;
        astray.then(|| format!("its calls go {}, and not to the voice flow", way.words()))
    })
}

fn voice_application(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each_that_may_call(snapshot, |number| {
        let taken = number.voice_application_sid.is_some();
        taken.then(|| "an application takes its calls".to_owned())
    })
}

fn trunk(snapshot: &Snapshot, _: &Expectations) -> Verdict {
    each_that_may_call(snapshot, |number| {
        let taken = number.trunk_sid.is_some();
        taken.then(|| "a SIP trunk takes its calls".to_owned())
    })
}
