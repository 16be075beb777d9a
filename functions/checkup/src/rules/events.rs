//! Event Streams: every event that the webhook reads must be sent to it, and no other.

use std::collections::BTreeMap;

use domain::{SinkSid, SubscriptionSid};
use twilio::rest::setup::{MESSAGE_ADDED, Sink, SubscribedEvent, TypeStatus, needed_events};

use super::{Repairer, Rule, Severity, Verdict};
use crate::draft::{Draft, VANISHED};
use crate::expectations::Expectations;
use crate::repair::Repair;
use crate::snapshot::{Snapshot, Unavailable, available};
use crate::subject::Subject;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "events/sink",
        severity: Severity::Error,
        why: "without a sink that leads to our webhook, this system receives no event",
        remedy: "run `janitor connect`, which makes the sink and its subscription",
        repairer: Repairer::Person,
        check: sink,
    },
    Rule {
        id: "events/sink-status",
        severity: Severity::Error,
        why: "a sink that is not active receives no event",
        remedy: "run `janitor disconnect` and `janitor connect`: a sink cannot be revived",
        repairer: Repairer::Person,
        check: sink_status,
    },
    Rule {
        id: "events/sink-method",
        severity: Severity::Error,
        why: "a request without a body carries no event",
        remedy: "run `janitor disconnect` and `janitor connect`: the method of a sink cannot be changed",
        repairer: Repairer::Person,
        check: sink_method,
    },
    Rule {
        id: "events/sink-batching",
        severity: Severity::Warning,
        why: "one request for each event costs more, and throttles sooner",
        remedy: "run `janitor disconnect` and `janitor connect`: the batching of a sink cannot be changed",
        repairer: Repairer::Person,
        check: sink_batching,
    },
    Rule {
        id: "events/subscription",
        severity: Severity::Error,
        why: "a sink without a subscription receives no event",
        remedy: "run `janitor connect`, which makes the subscription",
        repairer: Repairer::PersonFirst(then_subscribe),
        check: subscription,
    },
    Rule {
        id: "events/types",
        severity: Severity::Error,
        why: "a task whose end is not reported leaves its chat open",
        remedy: "add the type to the subscription, with its schema version pinned",
        repairer: Repairer::Default(subscribe),
        check: types,
    },
    Rule {
        id: "events/schema-version",
        severity: Severity::Warning,
        why: "another version of an event's schema may lack what we read of it",
        remedy: "pin the schema version that this system was written for",
        repairer: Repairer::Default(pin_version),
        check: schema_version,
    },
    Rule {
        id: "events/type-status",
        severity: Severity::Warning,
        why: "Twilio takes this type of event out of service",
        remedy: "look for a newer version of this system",
        repairer: Repairer::Person,
        check: type_status,
    },
    Rule {
        id: "events/messages",
        severity: Severity::Warning,
        why: "without parking, every word of every customer is sent to us, and paid for, for nothing",
        remedy: "remove com.twilio.conversations.message.added from the subscription",
        repairer: Repairer::Person,
        check: messages,
    },
    Rule {
        id: "events/error-logs",
        severity: Severity::Warning,
        why: "Twilio's error log, sent to a webhook that may fail, feeds itself",
        remedy: "remove com.twilio.error-logs.error.logged from the subscription",
        repairer: Repairer::Person,
        check: error_logs,
    },
];

/// The type of event that must never be sent to our webhook.
const ERROR_LOGS: &str = "com.twilio.error-logs.error.logged";

fn then_subscribe(_: &Snapshot) -> String {
    "`janitor checkup --fix` then adds each type that is still missing".to_owned()
}

fn subscribe(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let (subscription, event, version) = needed(draft, subject)?;
    draft.add(Repair::Subscribe {
        subscription,
        event,
        version,
    });
    Ok(())
}

fn pin_version(draft: &mut Draft<'_>, subject: &Subject) -> Result<(), &'static str> {
    let (subscription, event, version) = needed(draft, subject)?;
    draft.add(Repair::Version {
        subscription,
        event,
        version,
    });
    Ok(())
}

/// Returns the subscription and the type that a finding is about, and the version that is needed.
fn needed(
    draft: &Draft<'_>,
    subject: &Subject,
) -> Result<(SubscriptionSid, &'static str, u8), &'static str> {
    let Subject::Event(subscription, event) = *subject else {
        return Err(VANISHED);
    };
    let mut types = types_for(draft.wanted);
    let (_, version) = types.find(|(name, _)| *name == event).ok_or(VANISHED)?;
    Ok((subscription, event, version))
}

/// Returns the types that are needed, each with the version of its schema.
fn types_for(wanted: &Expectations) -> impl Iterator<Item = (&'static str, u8)> {
    needed_events(!wanted.parking.is_empty())
}

/// A subscription, and what it holds.
type Held<'a> = (SubscriptionSid, &'a [SubscribedEvent]);

/// Returns the subscription of a sink, and its types. One sink feeds one subscription.
fn held(snapshot: &Snapshot, sink: SinkSid) -> Result<Option<Held<'_>>, Unavailable> {
    let subscriptions = available(&snapshot.subscriptions)?.values();
    let mut ours = subscriptions.filter(|(one, _)| one.sink.target() == Some(sink));
    Ok(ours.next().map(|(one, types)| (one.sid, types.as_slice())))
}

/// Returns the sinks that lead to our webhook: by its URL, or, where that is not known, those
/// that receive events of tasks.
fn ours<'a>(snapshot: &'a Snapshot, wanted: &Expectations) -> Result<Vec<&'a Sink>, Unavailable> {
    let mut ours = Vec::new();
    for sink in available(&snapshot.sinks)? {
        let destination = sink.webhook.destination.as_ref();
        let leads_to_us = sink.kind == "webhook"
            && match &wanted.webhook {
                Some(webhook) => destination == Some(webhook),
                None => held(snapshot, sink.sid)?.is_some_and(|(_, types)| {
                    let mut names = types.iter().map(|one| one.name.as_str());
                    names.any(|name| name.starts_with("com.twilio.taskrouter.task."))
                }),
            };
        if leads_to_us {
            ours.push(sink);
        }
    }
    Ok(ours)
}

/// Returns the sinks of ours for which `say` has something to say, each with that.
fn each(
    snapshot: &Snapshot,
    wanted: &Expectations,
    say: impl Fn(&Sink) -> Option<String>,
) -> Verdict {
    let ours = ours(snapshot, wanted)?.into_iter();
    Ok(ours
        .filter_map(|sink| Some((Subject::Sink(sink.sid), say(sink)?)))
        .collect())
}

fn sink(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    if !ours(snapshot, wanted)?.is_empty() {
        return Ok(Vec::new());
    }
    let found = match &wanted.webhook {
        Some(webhook) => format!("no sink leads to {webhook}"),
        None => "no webhook sink receives events of tasks".to_owned(),
    };
    Ok(vec![(Subject::Project, found)])
}

fn sink_status(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    each(snapshot, wanted, |sink| {
        let text = match sink.status.as_str() {
            "active" => return None,
            "initialized" => "it is not validated yet",
            "validating" => "it is being validated",
            "failed" => "it failed",
            _ => "it is not active",
        };
        Some(text.to_owned())
    })
}

fn sink_method(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    each(snapshot, wanted, |sink| {
        let method = &sink.webhook.method;
        let wrong = !method.is_empty() && !method.eq_ignore_ascii_case("post");
        wrong.then(|| "it is not called by POST".to_owned())
    })
}

fn sink_batching(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    each(snapshot, wanted, |sink| {
        let off = !sink.webhook.batch_events;
        off.then(|| "it is sent each event by itself".to_owned())
    })
}

fn subscription(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let mut found = Vec::new();
    for sink in ours(snapshot, wanted)? {
        if held(snapshot, sink.sid)?.is_none() {
            let text = "it has no subscription".to_owned();
            found.push((Subject::Sink(sink.sid), text));
        }
    }
    Ok(found)
}

/// The version in which each type is held.
type Versions<'a> = BTreeMap<&'a str, Option<i64>>;

/// Returns our subscriptions, each with the types that it holds.
fn all_held<'a>(
    snapshot: &'a Snapshot,
    wanted: &Expectations,
) -> Result<Vec<(SubscriptionSid, Versions<'a>)>, Unavailable> {
    let mut all = Vec::new();
    for sink in ours(snapshot, wanted)? {
        if let Some((sid, types)) = held(snapshot, sink.sid)? {
            let types = types.iter();
            let types = types.map(|one| (one.name.as_str(), one.schema_version));
            all.push((sid, types.collect()));
        }
    }
    Ok(all)
}

fn types(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let held = all_held(snapshot, wanted)?;
    let Some((first, _)) = held.first() else {
        return Ok(Vec::new());
    };
    let missing = types_for(wanted)
        .filter(|(name, _)| !held.iter().any(|(_, types)| types.contains_key(name)));
    Ok(missing
        .map(|(name, _)| {
            let found = "the type is not subscribed".to_owned();
            (Subject::Event(*first, name), found)
        })
        .collect())
}

fn schema_version(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let mut found = Vec::new();
    for (sid, types) in all_held(snapshot, wanted)? {
        for (name, version) in types_for(wanted) {
            let text = match types.get(name) {
                None => continue,
                Some(Some(held)) if *held == i64::from(version) => continue,
                // Both versions of a message's event are read.
                Some(Some(2)) if name == MESSAGE_ADDED => continue,
                Some(Some(held)) => format!("its schema version is {held}, and not {version}"),
                Some(None) => "it has no schema version".to_owned(),
            };
            found.push((Subject::Event(sid, name), text));
        }
    }
    Ok(found)
}

fn type_status(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    let known: BTreeMap<&str, TypeStatus> = available(&snapshot.event_types)?
        .iter()
        .map(|one| (one.name.as_str(), one.status))
        .collect();
    let held = all_held(snapshot, wanted)?;
    let Some((first, _)) = held.first() else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for (name, _) in types_for(wanted) {
        let text = match known.get(name) {
            Some(TypeStatus::Available) => continue,
            Some(TypeStatus::Deprecated) => "the type is deprecated",
            Some(TypeStatus::Restricted) => "the type is restricted",
            Some(TypeStatus::Discontinued) => "the type is discontinued",
            None => "the type is not known to Twilio",
        };
        found.push((Subject::Event(*first, name), text.to_owned()));
    }
    Ok(found)
}

fn messages(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    if !wanted.parking.is_empty() {
        return Ok(Vec::new());
    }
    subscribed(snapshot, wanted, MESSAGE_ADDED)
}

fn error_logs(snapshot: &Snapshot, wanted: &Expectations) -> Verdict {
    subscribed(snapshot, wanted, ERROR_LOGS)
}

/// Returns our subscriptions that hold a type which they should not.
fn subscribed(snapshot: &Snapshot, wanted: &Expectations, name: &'static str) -> Verdict {
    let held = all_held(snapshot, wanted)?.into_iter();
    Ok(held
        .filter(|(_, types)| types.contains_key(name))
        .map(|(sid, _)| {
            let found = "the type is subscribed".to_owned();
            (Subject::Event(sid, name), found)
        })
        .collect())
}
