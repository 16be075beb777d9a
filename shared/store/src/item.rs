//! A channel as an item: what is indexed, when it expires, and its digest.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Channel, ChannelSid, Progress, Step, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::partition;

/// An item of the table, as DynamoDB's client speaks of it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The number of bytes of the digest that make a version: enough that no two contents of one channel
/// ever share it.
const VERSION_BYTES: usize = 16;

#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    #[serde(flatten)]
    pub(crate) channel: Channel,
    /// The index partition that the channel waits in; absent when it waits for nothing, which
    /// keeps it out of the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_queue: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// Seconds since the epoch, as DynamoDB's time to live wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
}

impl Record {
    /// The record of a channel. A record that is done with is kept for `retention` longer, or
    /// as long as `kept_until` says where the retention is the caller's concern.
    pub(crate) fn new(
        channel: Channel,
        kept_until: Option<i64>,
        retention: Option<Duration>,
    ) -> Self {
        let waiting = channel.queue_entry();
        // A record that still waits for something never expires.
        let done_at = done_at(&channel).filter(|_| waiting.is_none());
        let expires_at = done_at.and_then(|at| {
            retention.map_or(kept_until, |kept| Some(at.plus(kept).as_millis() / 1000))
        });
        // Messages may be told before their task. Where none follows, they are not kept.
        let expires_at = expires_at.or_else(|| {
            let unused = channel.expires_without_task()?;
            Some(unused.as_millis() / 1000)
        });
        let mut record = Self {
            due_queue: waiting.map(|waiting| partition::partition_of(waiting.queue, channel.sid())),
            since: waiting.map(|waiting| waiting.since),
            expires_at,
            channel,
            version: String::new(),
        };
        record.version = record.digest();
        record
    }

    pub(crate) fn to_item(&self) -> Result<Item, StoreError> {
        serde_dynamo::to_item(self).map_err(|error| unreadable(self.channel.sid(), &error))
    }

    pub(crate) fn from_item(channel: ChannelSid, item: Item) -> Result<Self, StoreError> {
        serde_dynamo::from_item(item).map_err(|error| unreadable(channel, &error))
    }

    fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        // JSON of a struct with ordered maps is canonical; writing to a hasher cannot fail.
        if let Ok(text) = serde_json::to_vec(self) {
            hasher.update(&text);
        }
        hex::encode(&hasher.finalize()[..VERSION_BYTES])
    }
}

/// When a channel was closed or given up, if nothing has happened to it since.
fn done_at(channel: &Channel) -> Option<Timestamp> {
    match channel.cleanup()?.progress {
        Progress::Done {
            step: Step::Close,
            at,
            ..
        }
        | Progress::Failed { at, .. } => Some(at),
        Progress::Untouched | Progress::Left { .. } | Progress::Done { .. } => None,
    }
}

fn unreadable(channel: ChannelSid, error: &serde_dynamo::Error) -> StoreError {
    StoreError::Unreadable {
        channel,
        why: error.to_string(),
    }
}
