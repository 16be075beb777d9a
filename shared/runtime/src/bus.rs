//! The notice bus: what happened, for other systems, on EventBridge.
//!
//! A notice carries an id that its publisher derives from the fact itself, so that one that
//! is published again after a crash can be recognised.

use std::time::Duration;

use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use domain::Timestamp;
use serde_json::{Map, Value};

use crate::aws::reason;

/// The source of every notice.
pub const SOURCE: &str = "channel-janitor";

/// The version of the notices' detail, in its field `version`.
pub const VERSION: u32 = 1;

/// EventBridge takes this many entries in one call:
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
const MAX_ENTRIES: usize = 10;

/// EventBridge takes this many bytes in one call:
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
const MAX_BYTES: usize = 256 * 1024;

/// The bytes of an entry beside its texts: its time.
const ENTRY_BYTES: usize = 14;

/// Something that happened and that others may want to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The same for the same fact, whenever it is published.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// The kind of fact.
    pub kind: NoticeKind,
    /// More about it: an object, whose fields stand beside `id`, `version` and `at`.
    pub detail: Value,
}

/// The kinds of facts that are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// A long-lived channel was released; its reset follows.
    ChannelReleased,
    /// A channel was closed.
    ChannelClosed,
    /// A channel was closed while a task was being opened on it.
    CloseRaced,
    /// Sweeps closed too many channels within an hour, and only observe from now on.
    FuseBlown,
    /// A channel could not be closed and will not be tried again.
    ChannelFailed,
    /// A customer wrote after the last task's end, and neither an agent nor a program heard.
    CustomerUnheard,
    /// A customer who was not heard was given a task.
    CustomerRescued,
    /// An event of Twilio's could not be understood.
    EventRejected,
    /// A customer wrote on a parked channel.
    ReplyReceived,
    /// TaskRouter deletes a parked task soon.
    ParkedTaskExpires,
    /// The audit found the configuration other than it should be.
    ConfigurationDrifted,
}

impl NoticeKind {
    /// The notice's `detail-type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChannelReleased => "ChannelReleased",
            Self::ChannelClosed => "ChannelClosed",
            Self::CloseRaced => "CloseRaced",
            Self::FuseBlown => "FuseBlown",
            Self::ChannelFailed => "ChannelFailed",
            Self::CustomerUnheard => "CustomerUnheard",
            Self::CustomerRescued => "CustomerRescued",
            Self::EventRejected => "EventRejected",
            Self::ReplyReceived => "ReplyReceived",
            Self::ParkedTaskExpires => "ParkedTaskExpires",
            Self::ConfigurationDrifted => "ConfigurationDrifted",
        }
    }
}

/// The result of publishing notices, by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Those that EventBridge accepted, in ascending order.
    pub sent: Vec<usize>,
    /// Those that it did not, and why, in ascending order.
    pub failed: Vec<(usize, String)>,
    /// The number that was dropped because there is no bus.
    pub dropped: usize,
}

/// The bus cannot be seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot see the bus {bus} in {region}: {reason}")]
pub struct BusError {
    /// The bus's name or ARN.
    pub bus: String,
    /// The region in which it was looked for.
    pub region: String,
    /// The answer of EventBridge.
    pub reason: String,
}

/// The notice bus.
#[derive(Clone, Debug)]
pub struct Bus(Option<Destination>);

#[derive(Clone, Debug)]
struct Destination {
    client: aws_sdk_eventbridge::Client,
    name: String,
}

impl Bus {
    /// The bus of that name, or of that ARN.
    pub fn new(client: aws_sdk_eventbridge::Client, name: String) -> Self {
        Self(Some(Destination { client, name }))
    }

    /// No bus: notices are dropped and counted, which is what a local run wants.
    pub fn none() -> Self {
        Self(None)
    }

    /// Returns the bus's name or ARN; nothing if there is none.
    pub fn name(&self) -> Option<&str> {
        self.0.as_ref().map(|bus| bus.name.as_str())
    }

    /// Looks whether the bus is there; true where there is to be none.
    ///
    /// # Errors
    ///
    /// Says by name which bus EventBridge does not know, or why it does not answer.
    pub async fn look(&self) -> Result<(), BusError> {
        let Some(bus) = &self.0 else { return Ok(()) };
        let described = bus.client.describe_event_bus().name(&bus.name).send().await;
        described.map(drop).map_err(|error| BusError {
            bus: bus.name.clone(),
            region: crate::aws::region_name(bus.client.config().region()),
            reason: reason(&error),
        })
    }

    /// Publishes notices, as many per call as EventBridge takes. Entries that it refuses for
    /// a passing reason are tried again; a call that fails is tried again by the SDK, and
    /// then fails its own entries only.
    pub async fn publish(&self, notices: &[Notice]) -> Published {
        let Some(bus) = &self.0 else {
            return Published {
                dropped: notices.len(),
                ..Published::default()
            };
        };
        let mut published = Published::default();
        let entries: Vec<PutEventsRequestEntry> =
            notices.iter().map(|notice| bus.entry(notice)).collect();
        for batch in batches(&entries) {
            bus.put(batch, &mut published).await;
        }
        published.sent.sort_unstable();
        published.failed.sort_unstable();
        published
    }
}

/// The pauses before refused entries are tried again.
fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_millis(500))
        .with_max_times(3)
        .with_jitter()
        .build()
}

type Batch = Vec<(usize, PutEventsRequestEntry)>;

fn batches(entries: &[PutEventsRequestEntry]) -> Vec<Batch> {
    let mut batches: Vec<(usize, Batch)> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let texts = [entry.source(), entry.detail_type(), entry.detail()];
        let bytes = ENTRY_BYTES + texts.iter().flatten().map(|text| text.len()).sum::<usize>();
        match batches.last_mut() {
            Some((filled, batch)) if batch.len() < MAX_ENTRIES && *filled + bytes <= MAX_BYTES => {
                *filled += bytes;
                batch.push((index, entry.clone()));
            }
            _ => batches.push((bytes, vec![(index, entry.clone())])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

impl Destination {
    fn entry(&self, notice: &Notice) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(notice.kind.name())
            .time(DateTime::from_millis(notice.at.as_millis()))
            .detail(notice.to_json().to_string())
            .build()
    }

    async fn put(&self, mut batch: Batch, published: &mut Published) {
        let mut pauses = pauses();
        loop {
            let entries = batch.iter().map(|(_, entry)| entry.clone()).collect();
            let call = self.client.put_events().set_entries(Some(entries));
            let answer = match call.send().await {
                Ok(answer) => answer,
                Err(error) => {
                    let reason = reason(&error);
                    let failed = batch.into_iter().map(|(index, _)| (index, reason.clone()));
                    published.failed.extend(failed);
                    return;
                }
            };
            let mut refused = Vec::new();
            let mut results = answer.entries().iter();
            for (index, entry) in batch {
                // One result per entry, in the same order.
                let code = results.next().map_or(Some("no answer"), |r| r.error_code());
                match code {
                    None => published.sent.push(index),
                    Some(code) => refused.push((index, entry, code.to_owned())),
                }
            }
            let pause = refused
                .iter()
                .any(|(_, _, code)| passes(code))
                .then(|| pauses.next())
                .flatten();
            let (again, given_up): (Vec<_>, Vec<_>) = refused
                .into_iter()
                .partition(|(_, _, code)| pause.is_some() && passes(code));
            published
                .failed
                .extend(given_up.into_iter().map(|(index, _, code)| (index, code)));
            let Some(pause) = pause else { return };
            batch = again
                .into_iter()
                .map(|(index, entry, _)| (index, entry))
                .collect();
            tokio::time::sleep(pause).await;
        }
    }
}

/// Returns true if an entry's error is worth another try. The others say that the entry itself, or
/// our permission, is at fault.
fn passes(code: &str) -> bool {
    matches!(
        code,
        "ThrottlingException" | "InternalFailure" | "InternalException"
    )
}

impl Notice {
    /// The notice's detail as it goes on the bus.
    pub fn to_json(&self) -> Value {
        let mut detail = match &self.detail {
            Value::Object(fields) => fields.clone(),
            Value::Null => Map::new(),
            other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                Map::from_iter([("detail".to_owned(), other.clone())])
            }
        };
        let at = jiff::Timestamp::from_millisecond(self.at.as_millis())
            .map_or_else(|_| self.at.to_string(), |at| at.to_string());
        detail.insert("id".to_owned(), self.id.as_str().into());
        detail.insert("version".to_owned(), VERSION.into());
        detail.insert("at".to_owned(), at.into());
        Value::Object(detail)
    }
}
