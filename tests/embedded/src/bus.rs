//! EventBridge: a bus that remembers what was put on it.

use std::fmt;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{Answer, lock};

/// EventBridge takes this many entries in one call.
const MAX_ENTRIES: usize = 10;

/// One entry that was put on a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The bus's name; the default bus if none was given.
    pub bus: String,
    /// The source that put it there.
    pub source: String,
    /// The detail type.
    pub detail_type: String,
    /// The entry's own JSON.
    pub detail: Value,
}

type Refusals = Box<dyn FnMut(&Entry) -> Option<&'static str> + Send>;

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    refusals: Option<Refusals>,
    /// The only buses there are; any where none is set.
    known: Option<Vec<String>>,
    ids: u64,
}

/// The pretend EventBridge; a clone is the same one.
#[derive(Clone, Default)]
pub struct PretendBus(Arc<Mutex<State>>);

impl fmt::Debug for PretendBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PretendBus").finish_non_exhaustive()
    }
}

impl PretendBus {
    /// Returns everything that was accepted so far, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        lock(&self.0).entries.clone()
    }

    /// Takes out everything that was accepted so far, oldest first.
    pub fn take_entries(&self) -> Vec<Entry> {
        std::mem::take(&mut lock(&self.0).entries)
    }

    /// Asks `plan` about each entry from now on; an entry for which it names an error code,
    /// such as `ThrottlingException`, is refused while the rest of its call is accepted.
    pub fn refuse_entries(
        &self,
        plan: impl FnMut(&Entry) -> Option<&'static str> + Send + 'static,
    ) {
        lock(&self.0).refusals = Some(Box::new(plan));
    }

    /// Accepts every entry from now on.
    pub fn accept_entries(&self) {
        lock(&self.0).refusals = None;
    }

    /// Knows these buses and no others when it is asked for one.
    pub fn know_only(&self, names: &[&str]) {
        lock(&self.0).known = Some(names.iter().map(ToString::to_string).collect());
    }

    pub(crate) fn answer(&self, operation: &str, body: &str) -> Answer {
        match operation {
            "PutEvents" => self.answer_put(body),
            "DescribeEventBus" => self.answer_describe(body),
            _ => Answer::error(
                400,
                "UnknownOperationException",
                "the pretend bus only offers PutEvents and DescribeEventBus",
            ),
        }
    }

    fn answer_describe(&self, body: &str) -> Answer {
        let Ok(call) = serde_json::from_str::<DescribeEventBus>(body) else {
            return Answer::error(400, "SerializationException", "not a DescribeEventBus");
        };
        let state = lock(&self.0);
        let known = state.known.as_ref();
        if known.is_some_and(|known| !known.contains(&call.name)) {
            let why = format!("Event bus {} does not exist.", call.name);
            return Answer::error(400, "ResourceNotFoundException", &why);
        }
        Answer::ok(serde_json::json!({ "Name": call.name }).to_string())
    }

    fn answer_put(&self, body: &str) -> Answer {
        match serde_json::from_str::<PutEvents>(body) {
            Ok(call) if (1..=MAX_ENTRIES).contains(&call.entries.len()) => self.put(call.entries),
            Ok(_) => Answer::error(
                400,
                "ValidationException",
                "entries must have a length between 1 and 10",
            ),
            Err(error) => Answer::error(400, "SerializationException", &error.to_string()),
        }
    }

    fn put(&self, entries: Vec<PutEntry>) -> Answer {
        let mut state = lock(&self.0);
        let results: Vec<PutResult> = entries
            .into_iter()
            .map(|entry| state.put_one(entry))
            .collect();
        let answer = PutEventsAnswer {
            failed_entry_count: results.iter().filter(|r| r.error_code.is_some()).count(),
            entries: results,
        };
        match serde_json::to_string(&answer) {
            Ok(body) => Answer::ok(body),
            Err(error) => Answer::error(500, "InternalException", &error.to_string()),
        }
    }
}

impl State {
    fn put_one(&mut self, entry: PutEntry) -> PutResult {
        let Ok(detail @ Value::Object(_)) = serde_json::from_str(&entry.detail) else {
            return PutResult::refused("MalformedDetail");
        };
        let entry = Entry {
            bus: entry.event_bus_name.unwrap_or_else(|| "default".to_owned()),
            source: entry.source,
            detail_type: entry.detail_type,
            detail,
        };
        if let Some(code) = self.refusals.as_mut().and_then(|plan| plan(&entry)) {
            return PutResult::refused(code);
        }
        self.entries.push(entry);
        self.ids += 1;
        PutResult {
            event_id: Some(format!("embedded-{:08}", self.ids)),
            ..PutResult::default()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeEventBus {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    #[serde(default)]
    entries: Vec<PutEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEntry {
    event_bus_name: Option<String>,
    #[serde(default)]
    source: String,
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutEventsAnswer {
    failed_entry_count: usize,
    entries: Vec<PutResult>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'static str>,
}

impl PutResult {
    fn refused(code: &'static str) -> Self {
        Self {
            event_id: None,
            error_code: Some(code),
            error_message: Some("refused by the pretend bus"),
        }
    }
}
