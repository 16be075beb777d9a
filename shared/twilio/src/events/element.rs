//! One event.

use std::borrow::Cow;

use domain::{Fact, FactKind, Stage, TaskFact, TaskSid, TaskState};
use serde_json::value::RawValue;

use super::message;
use super::outcome::{Element, Outcome, TaskFacts, names_another, plain_id};
use super::task::{self, NoLink, TaskStatus, opened_at};
use super::types::{Meaning, meaning};
use super::{Acceptance, Ignored, Scope, Unreadable};
use crate::json;
use crate::when::moment;

/// The type of the event that a sink's test sends (Twilio, Event Streams, "Sinks").
const TEST_EVENT: &str = "com.twilio.eventstreams.test-event";

/// The parts of an event that lie around its payload.
struct Around<'a> {
    payload: Option<&'a RawValue>,
    /// The type, without its prefix; the payload's own counts where this is absent.
    kind: Option<Cow<'a, str>>,
    accounts: [Option<&'a RawValue>; 2],
    workspace: Option<&'a RawValue>,
    /// When it happened, the best source first; the payload's own is better than all.
    times: [Option<&'a RawValue>; 2],
}

/// Reads an event as Event Streams sends it: an envelope, `data` in it, `payload` in that.
pub(super) fn of_stream(text: &str, scope: &Scope) -> Element {
    let names = ["id", "type", "time", "data", "account_sid"];
    let Ok([id, kind, time, data, envelope_account]) = json::members(text, names) else {
        return rejected(Unreadable::NotAnObject);
    };
    let data_text = data.and_then(json::object_text).unwrap_or_default();
    let names = ["sid", "timestamp", "account_sid", "payload", "test_id"];
    let [sid, timestamp, account, payload, test_id] =
        json::members(&data_text, names).unwrap_or_default();

    let kind = kind.and_then(json::text);
    let outcome = if kind.as_deref() == Some(TEST_EVENT) {
        id_of(test_id).map_or(Outcome::Ignored(Ignored::OtherType), Outcome::Test)
    } else if kind.as_deref().and_then(meaning) == Some(Meaning::Message) {
        message::of_conversation(&data_text, time, scope)
    } else {
        of_task(
            Around {
                payload,
                kind,
                accounts: [account, envelope_account],
                workspace: None,
                times: [timestamp, time],
            },
            scope,
        )
    };
    Element {
        event_id: id_of(id),
        sid: id_of(sid),
        outcome,
    }
}

/// Reads an entry of TaskRouter's own log of events.
pub(super) fn of_log(text: &str, scope: &Scope) -> Element {
    let names = [
        "sid",
        "event_type",
        "event_date_ms",
        "event_date",
        "event_data",
        "account_sid",
        "workspace_sid",
    ];
    let Ok([sid, kind, millis, date, payload, account, workspace]) = json::members(text, names)
    else {
        return rejected(Unreadable::NotAnObject);
    };
    let around = Around {
        payload,
        kind: kind.and_then(json::text),
        accounts: [account, None],
        workspace,
        times: [millis, date],
    };
    Element {
        event_id: None,
        sid: id_of(sid),
        outcome: of_task(around, scope),
    }
}

/// Reads a Sync document that holds an event's payload as `msg`, with its type and time beside
/// it; the document's attributes around `data` may have been left out of an export.
pub(super) fn of_document(text: &str, scope: &Scope) -> Element {
    let Ok([sid, data, account]) = json::members(text, ["sid", "data", "account_sid"]) else {
        return rejected(Unreadable::NotAnObject);
    };
    let data_text = data.map_or(Some(text.into()), json::object_text);
    let data_text = data_text.unwrap_or_default();
    let names = ["eventtype", "timestamp", "msg"];
    let [kind, timestamp, payload] = json::members(&data_text, names).unwrap_or_default();
    let outcome = match (kind, payload) {
        (None, None) => Outcome::Ignored(Ignored::OtherType),
        (kind, payload) => of_task(
            Around {
                payload,
                kind: kind.and_then(json::text),
                accounts: [account, None],
                workspace: None,
                times: [timestamp, None],
            },
            scope,
        ),
    };
    Element {
        event_id: None,
        sid: id_of(sid),
        outcome,
    }
}

fn rejected(reason: Unreadable) -> Element {
    Element {
        event_id: None,
        sid: None,
        outcome: Outcome::Rejected(reason),
    }
}

/// The text, if it looks like an id: short, and of letters, digits, hyphens and underscores.
fn id_of(value: Option<&RawValue>) -> Option<String> {
    plain_id(json::text(value?).as_deref())
}

fn of_task(around: Around<'_>, scope: &Scope) -> Outcome {
    match read_task(around, scope) {
        Ok(facts) => Outcome::Task(Box::new(facts)),
        Err(outcome) => outcome,
    }
}

/// The fields of a task's event that are read. Each may be absent or of any type.
#[derive(Default)]
struct TaskPayload<'a> {
    eventtype: Option<&'a RawValue>,
    timestamp: Option<&'a RawValue>,
    account: Option<&'a RawValue>,
    workspace: Option<&'a RawValue>,
    task: Option<&'a RawValue>,
    resource: Option<&'a RawValue>,
    attributes: Option<&'a RawValue>,
    created: Option<&'a RawValue>,
    status: Option<&'a RawValue>,
    task_channel: Option<&'a RawValue>,
    version: Option<&'a RawValue>,
    worker: Option<&'a RawValue>,
    worker_name: Option<&'a RawValue>,
    worker_attributes: Option<&'a RawValue>,
}

impl<'a> TaskPayload<'a> {
    /// Reads a payload's text. Returns nothing if it is not an object.
    fn read(text: &'a str) -> Option<Self> {
        let names = [
            "eventtype",
            "timestamp",
            "account_sid",
            "workspace_sid",
            "task_sid",
            "resource_sid",
            "task_attributes",
            "task_date_created",
            "task_assignment_status",
            "task_channel_sid",
            "task_version",
            "worker_sid",
            "worker_name",
            "worker_attributes",
        ];
        let [
            eventtype,
            timestamp,
            account,
            workspace,
            task,
            resource,
            attributes,
            created,
            status,
            task_channel,
            version,
            worker,
            worker_name,
            worker_attributes,
        ] = json::members(text, names).ok()?;
        Some(Self {
            eventtype,
            timestamp,
            account,
            workspace,
            task,
            resource,
            attributes,
            created,
            status,
            task_channel,
            version,
            worker,
            worker_name,
            worker_attributes,
        })
    }

    /// Returns the task that the event is about.
    fn task(&self) -> Option<TaskSid> {
        json::parsed(self.task).or_else(|| json::parsed(self.resource))
    }
}

impl Scope {
    /// Fails with the reason if an event names another account or workspace.
    fn admit(&self, payload: &TaskPayload<'_>, around: &Around<'_>) -> Result<(), Ignored> {
        let [data_account, envelope_account] = around.accounts;
        if let Some(ours) = self.account
            && names_another(
                ours.as_str(),
                &[payload.account, data_account, envelope_account],
            )
        {
            return Err(Ignored::OtherAccount);
        }
        if let Some(ours) = self.workspace
            && names_another(ours.as_str(), &[payload.workspace, around.workspace])
        {
            return Err(Ignored::OtherWorkspace);
        }
        Ok(())
    }
}

/// Reads a task's event.
///
/// # Errors
///
/// Fails with the outcome of an event that tells no fact.
fn read_task(around: Around<'_>, scope: &Scope) -> Result<TaskFacts, Outcome> {
    let text = around.payload.and_then(json::object_text);
    let read = text.as_deref().and_then(TaskPayload::read);
    let is_readable = read.is_some();
    let payload = read.unwrap_or_default();

    let kind = around.kind.as_deref().map(Cow::Borrowed);
    let kind = kind
        .or_else(|| payload.eventtype.and_then(json::text))
        .ok_or(Outcome::Rejected(Unreadable::NoType))?;
    let meaning = meaning(&kind).ok_or(Outcome::Ignored(Ignored::OtherType))?;
    let state = state(meaning, payload.status).ok_or(Outcome::Ignored(Ignored::OtherType))?;
    scope.admit(&payload, &around).map_err(Outcome::Ignored)?;
    if !is_readable {
        return Err(Outcome::Rejected(Unreadable::NoPayload));
    }
    let link = task::link(payload.attributes).map_err(|reason| {
        Outcome::Ignored(match reason {
            NoLink::NoChannel => Ignored::NoChannel,
            NoLink::Unreadable => Ignored::AttributesUnreadable,
        })
    })?;
    let no_task = Outcome::Rejected(Unreadable::NoTask);
    let task = payload.task().ok_or(no_task)?;
    let times = [payload.timestamp].into_iter().chain(around.times);
    let no_time = Outcome::Rejected(Unreadable::NoTime);
    let at = times.flatten().find_map(moment).ok_or(no_time)?;
    let parks = !scope.pairs.is_empty();
    let state = match state {
        TaskState::Open(stage) => TaskState::Open(if parks { stage } else { Stage::Waiting }),
        TaskState::Ended(_) | TaskState::SeenOpen => state,
    };
    let mut kinds = vec![FactKind::Task(TaskFact {
        task,
        state,
        opened_at: opened_at(payload.created, at),
        interaction: link.interaction,
    })];
    if parks {
        let (task_channel, version) = (payload.task_channel, payload.version);
        kinds.extend(message::placed(task, task_channel, version, &scope.pairs));
    }
    if parks && meaning == Meaning::Accepted {
        let agent = message::Agent {
            worker: payload.worker,
            name: payload.worker_name,
            attributes: payload.worker_attributes,
        };
        kinds.push(message::accepted(link.channel, task, agent));
    }
    let fact = |kind| Fact {
        channel: link.channel,
        platform: link.platform,
        at,
        kind,
    };
    Ok(TaskFacts {
        facts: kinds.into_iter().map(fact).collect(),
        torn: link.is_torn(),
        acceptance: (meaning == Meaning::Accepted).then_some(Acceptance {
            task,
            channel: link.channel,
            at,
        }),
    })
}

/// Returns the state of a task by its event, or nothing for an event that is about no task.
///
/// A snapshot in an event may be older or newer than the event, so where the type says it
/// all, the status does not count. `task.updated` says nothing by itself.
fn state(meaning: Meaning, status: Option<&RawValue>) -> Option<TaskState> {
    let status = task::status_of(status.and_then(json::text).as_deref());
    match (meaning, status) {
        (Meaning::Created | Meaning::Updated, TaskStatus::Open(stage)) => {
            Some(TaskState::Open(stage))
        }
        (Meaning::Created, TaskStatus::Ended(_)) => Some(TaskState::Open(Stage::Waiting)),
        (Meaning::Updated, TaskStatus::Ended(how)) => Some(TaskState::Ended(how)),
        (Meaning::Accepted, _) => Some(TaskState::Open(Stage::Assigned)),
        (Meaning::Reached(stage), _) => Some(TaskState::Open(stage)),
        (Meaning::Ended(how), _) => Some(TaskState::Ended(how)),
        (Meaning::Message, _) => None,
    }
}
