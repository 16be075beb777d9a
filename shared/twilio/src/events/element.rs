//! One event.

use std::borrow::Cow;

use domain::{End, Fact, News, Stage, TaskSid, Timestamp, Word};
use serde_json::value::RawValue;

use super::talk;
use super::task::{self, NoLink, TaskState};
use super::{Ignored, Scope, Unreadable};
use crate::json;
use crate::when::moment;

/// The type of the event that a sink's test sends (Twilio, Event Streams, "Sinks").
const TEST_EVENT: &str = "com.twilio.eventstreams.test-event";

/// What the types of TaskRouter's events begin with in Event Streams, and nowhere else.
const TASKROUTER: &str = "com.twilio.taskrouter.";

/// The event of an agent who takes a task.
const ACCEPTED: &str = "reservation.accepted";

/// An id is no longer than this; Twilio's are 34 or 36 characters.
const LONGEST_ID: usize = 64;

/// An event and what becomes of it.
pub(super) struct Element {
    pub(super) event_id: Option<String>,
    pub(super) sid: Option<String>,
    pub(super) outcome: Outcome,
}

/// What becomes of an event.
pub(super) enum Outcome {
    /// What a task's event tells.
    Task(Box<TaskNews>),
    /// What a message tells.
    Word(Box<Word>),
    Ignored(Ignored),
    Rejected(Unreadable),
    Test(String),
}

/// What a task's event tells.
pub(super) struct TaskNews {
    pub(super) fact: Fact,
    /// What it tells of its agent and of where it stands.
    pub(super) words: Vec<Word>,
    /// Whether its task names two different channels.
    pub(super) torn: bool,
}

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
    } else if kind.as_deref() == Some(talk::MESSAGE_ADDED) {
        talk::of_conversation(&data_text, time, scope)
    } else {
        outcome(
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
        outcome: outcome(around, scope),
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
        (kind, payload) => outcome(
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

/// The text, if it looks like an id: see [`id_of`].
pub(super) fn plain_id(text: Option<&str>) -> Option<String> {
    let text = text?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_id = (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(plain);
    is_id.then(|| text.to_owned())
}

fn outcome(around: Around<'_>, scope: &Scope) -> Outcome {
    match judge(around, scope) {
        Ok(news) => Outcome::Task(Box::new(news)),
        Err(Verdict::Ignored(reason)) => Outcome::Ignored(reason),
        Err(Verdict::Rejected(reason)) => Outcome::Rejected(reason),
    }
}

enum Verdict {
    Ignored(Ignored),
    Rejected(Unreadable),
}

fn judge(around: Around<'_>, scope: &Scope) -> Result<TaskNews, Verdict> {
    let payload = around.payload.and_then(json::object_text);
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
    let read = payload.as_deref().map(|text| json::members(text, names));
    let readable = matches!(read, Some(Ok(_)));
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
    ] = read.and_then(Result::ok).unwrap_or_default();

    let kind = around
        .kind
        .or_else(|| eventtype.and_then(json::text))
        .ok_or(Verdict::Rejected(Unreadable::NoType))?;
    let kind = kind.strip_prefix(TASKROUTER).unwrap_or(&kind);
    let accepted = kind == ACCEPTED;
    let news = news(kind, status).ok_or(Verdict::Ignored(Ignored::OtherType))?;

    let [data_account, envelope_account] = around.accounts;
    if let Some(ours) = scope.account
        && names_another(ours.as_str(), &[account, data_account, envelope_account])
    {
        return Err(Verdict::Ignored(Ignored::OtherAccount));
    }
    if let Some(ours) = scope.workspace
        && names_another(ours.as_str(), &[workspace, around.workspace])
    {
        return Err(Verdict::Ignored(Ignored::OtherWorkspace));
    }
    if !readable {
        return Err(Verdict::Rejected(Unreadable::NoPayload));
    }
    let link = task::link(attributes).map_err(|reason| {
        Verdict::Ignored(match reason {
            NoLink::NoChannel => Ignored::NoChannel,
            NoLink::Unreadable => Ignored::AttributesUnreadable,
        })
    })?;
    let task: TaskSid = json::parsed(task)
        .or_else(|| json::parsed(resource))
        .ok_or(Verdict::Rejected(Unreadable::NoTask))?;
    let at = [timestamp]
        .into_iter()
        .chain(around.times)
        .flatten()
        .find_map(moment)
        .ok_or(Verdict::Rejected(Unreadable::NoTime))?;
    let fact = Fact {
        channel: link.channel,
        platform: link.platform,
        at,
        task,
        opened_at: opened_at(created, at),
        interaction: link.interaction,
        news,
    };
    let stands = talk::stands(&fact, task_channel, attributes, version);
    let agent = talk::Agent {
        worker,
        name: worker_name,
        attributes: worker_attributes,
    };
    let accepted = accepted.then(|| talk::accepted(&fact, agent));
    Ok(TaskNews {
        words: stands.into_iter().chain(accepted).collect(),
        torn: link.is_torn(),
        fact,
    })
}

/// Whether any of the values that are there is another one.
pub(super) fn names_another(ours: &str, values: &[Option<&RawValue>]) -> bool {
    let mut named = values
        .iter()
        .flatten()
        .filter_map(|value| json::text(value));
    named.any(|sid| sid != ours)
}

/// What an event says of its task, or nothing if it is of no type that counts.
///
/// A snapshot in an event may be older or newer than the event, so where the type says it
/// all, the status does not count. `task.updated` says nothing by itself.
fn news(kind: &str, status: Option<&RawValue>) -> Option<News> {
    let state = || task::state(status.and_then(json::text).as_deref());
    Some(match kind {
        "task.created" => match state() {
            TaskState::Open(stage) => News::Open(stage),
            TaskState::Ended(_) => News::Open(Stage::Waiting),
        },
        "task.updated" => match state() {
            TaskState::Open(stage) => News::Open(stage),
            TaskState::Ended(how) => News::Ended(how),
        },
        ACCEPTED => News::Open(Stage::Assigned),
        "task.wrapup" | "reservation.wrapup" => News::Open(Stage::Wrapping),
        "task.completed" => News::Ended(End::Completed),
        "task.canceled" => News::Ended(End::Canceled),
        "task.deleted" => News::Ended(End::Deleted),
        "task.system-deleted" => News::Ended(End::SystemDeleted),
        _ => return None,
    })
}

/// When the task was created, unless that is after the event or absurdly long before.
pub(super) fn opened_at(created: Option<&RawValue>, at: Timestamp) -> Option<Timestamp> {
    moment(created?).filter(|created| *created <= at && at.since(*created) <= task::LONGEST_LIFE)
}
