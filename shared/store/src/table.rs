//! Reading, folding and writing channels.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use backon::{BackoffBuilder, ExponentialBuilder};
use domain::{Channel, ChannelSid, Platform, Policy, Queue, Timestamp};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::de::IgnoredAny;

use crate::error::StoreError;
use crate::item::{Item, Record};
use crate::partition::{self, Due};
use crate::schema::{DUE_INDEX, DUE_QUEUE, KEY, SINCE};

/// A record that does not exist yet must not have come into being meanwhile.
const STILL_ABSENT: &str = "attribute_not_exists(channel_sid)";

/// A record that was read must not have changed meanwhile.
const STILL_AS_READ: &str = "version = :as_read";

/// The number of times that a fold is repeated because others wrote the channel first. Each round lets at
/// least one writer through, so this bounds how many may write one channel at a time.
const MAX_ROUNDS: usize = 12;

/// The number of index partitions that are read side by side.
pub(crate) const QUERIES_AT_ONCE: usize = 10;

/// The number of due channels that are read from each end of an index partition in one run:
/// more than a run can close, and few enough to hold in memory at any backlog.
pub const MAX_FROM_EACH_END: usize = 2_000;

/// A client that is made when it is first needed.
type LazyClient = LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>;

/// The channel table.
#[derive(Clone, Debug)]
pub struct ChannelTable {
    client: Arc<LazyClient>,
    name: String,
}

/// A channel as it was read, with what a later write of it is conditional on.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The channel.
    pub channel: Channel,
    /// The digest of the item, absent if there is none yet.
    version: Option<String>,
    expires_at: Option<i64>,
}

/// The result of an attempt to write.
#[derive(Debug)]
pub enum Saved {
    /// The table already says so; nothing was sent.
    Unchanged,
    /// It is written, now or by an earlier try of ours whose answer was lost.
    Written,
    /// Another writer was first; this is what they left.
    Conflict(Box<Versioned>),
}

impl ChannelTable {
    /// The table of this name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self::reached_by(|| client, name)
    }

    /// The table of this name, by a client that is made when it is first needed: making one
    /// takes a third of a function's start, for the SDK parses a list of all AWS partitions.
    pub fn reached_by(
        make_client: impl FnOnce() -> Client + Send + 'static,
        name: impl Into<String>,
    ) -> Self {
        Self {
            client: Arc::new(LazyLock::new(Box::new(make_client))),
            name: name.into(),
        }
    }

    /// Looks whether the table can be read, and has the connection open from then on.
    ///
    /// # Errors
    ///
    /// Fails if DynamoDB throttles, refuses or does not answer.
    pub async fn look(&self) -> Result<(), StoreError> {
        self.note::<IgnoredAny>("start").await.map(drop)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads a channel consistently; nothing where there is no record of it.
    ///
    /// # Errors
    ///
    /// Fails if DynamoDB throttles, refuses or does not answer, or if the stored item cannot be
    /// read.
    pub async fn get(&self, channel: ChannelSid) -> Result<Option<Versioned>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key(KEY, AttributeValue::S(channel.to_string()))
            .consistent_read(true)
            .send()
            .await?;
        answer
            .item
            .map(|item| Versioned::from_item(channel, item))
            .transpose()
    }

    /// Folds something into a channel: reads it, changes it, and writes it if it changed and no
    /// other writer was faster; otherwise again from what the other left. Returns what the last
    /// call of `change` returned.
    ///
    /// One read; one write if there is something to write; more only where others write the
    /// same channel at the same time.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be read or written, or if other writers were faster in every
    /// round.
    pub async fn fold<R>(
        &self,
        channel: ChannelSid,
        platform: Platform,
        change: impl Fn(&mut Channel) -> R,
    ) -> Result<(Saved, R), StoreError> {
        let mut before = self
            .get(channel)
            .await?
            .unwrap_or_else(|| Versioned::absent(channel, platform));
        let mut waits = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(5))
            .with_max_delay(Duration::from_millis(200))
            .with_max_times(MAX_ROUNDS)
            .with_jitter()
            .build();
        loop {
            let mut after = before.channel.clone();
            let result = change(&mut after);
            match self.save(&before, after, None).await? {
                Saved::Conflict(newer) => before = *newer,
                saved @ (Saved::Unchanged | Saved::Written) => return Ok((saved, result)),
            }
            let Some(wait) = waits.next() else {
                return Err(StoreError::Contended { channel });
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Writes something that only one writer may go on from, and returns whether this one may.
    ///
    /// Unlike [`Self::save`], it takes an equal record in the table for another writer's: two
    /// that write the same at the same time are told apart, and a write of ours whose answer
    /// was lost counts as not made.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be written. The write may have had its effect.
    pub async fn claim(&self, before: &Versioned, after: Channel) -> Result<bool, StoreError> {
        let record = Record::new(after, before.expires_at, None);
        if before.version.as_ref() == Some(&record.version) {
            return Ok(false);
        }
        match self.put(before, record.to_item()?).await {
            Ok(()) => Ok(true),
            Err(error) if failed_condition(&error).is_some() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what became of a channel that was read, unless another writer did meanwhile.
    ///
    /// With a `retention`, a record that is done with expires so long after it was; without,
    /// it expires when it would have.
    ///
    /// # Errors
    ///
    /// Fails if DynamoDB throttles, refuses or does not answer, or if the record that another
    /// writer left there cannot be read. The other write itself is not an error, but a
    /// [`Saved::Conflict`].
    pub async fn save(
        &self,
        before: &Versioned,
        after: Channel,
        retention: Option<Duration>,
    ) -> Result<Saved, StoreError> {
        let record = Record::new(after, before.expires_at, retention);
        if before.version.as_ref() == Some(&record.version) {
            return Ok(Saved::Unchanged);
        }
        if before.version.is_none() && record.channel == before.channel {
            // A record of nothing is not worth its write.
            return Ok(Saved::Unchanged);
        }
        let channel = record.channel.sid();
        let error = match self.put(before, record.to_item()?).await {
            Ok(()) => return Ok(Saved::Written),
            Err(error) => error,
        };
        let Some(found) = failed_condition(&error) else {
            return Err(error.into());
        };
        let found = match found.filter(|item| !item.is_empty()) {
            Some(item) => Versioned::from_item(channel, item)?,
            // It expired under us; what we know is then all there is to know.
            None => Versioned::absent(channel, before.channel.platform()),
        };
        if found.version.as_ref() == Some(&record.version) {
            return Ok(Saved::Written);
        }
        Ok(Saved::Conflict(Box::new(found)))
    }

    /// Writes an item on the condition that the table still holds what was read.
    async fn put(&self, before: &Versioned, item: Item) -> Result<(), SdkError<PutItemError>> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match &before.version {
            None => put.condition_expression(STILL_ABSENT),
            Some(version) => put
                .condition_expression(STILL_AS_READ)
                .expression_attribute_values(":as_read", AttributeValue::S(version.clone())),
        };
        put.send().await.map(drop)
    }

    /// Reads the channels whose turn to be swept has come, those that are overdue longest
    /// first. Of a backlog, its oldest and its newest channels: [`MAX_FROM_EACH_END`] of each
    /// index partition.
    ///
    /// Reads grow with what is due, not with what is tracked. The index lags a little behind
    /// the table: what is listed may have changed.
    ///
    /// # Errors
    ///
    /// Fails if the index cannot be read.
    pub async fn due(&self, policy: &Policy, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        self.due_in(Queue::of_sweep(), policy, now).await
    }

    /// Reads the channels whose turn has come in these queues, as [`Self::due`] does.
    ///
    /// # Errors
    ///
    /// Fails if the index cannot be read.
    pub async fn due_in(
        &self,
        queues: impl IntoIterator<Item = Queue>,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Vec<Due>, StoreError> {
        let queries = queues.into_iter().flat_map(|queue| {
            let until = now.minus(policy.cutoff(queue));
            partition::partitions(queue).map(move |partition| (queue, partition, until))
        });
        let mut due: Vec<Due> = stream::iter(queries.collect::<Vec<_>>())
            .map(|(queue, partition, until)| self.both_ends(queue, partition, until))
            .buffer_unordered(QUERIES_AT_ONCE)
            .try_concat()
            .await?;
        due.sort_by_key(|due| (due.since.plus(policy.cutoff(due.queue)), due.channel));
        Ok(due)
    }

    /// Reads the oldest entries of a partition and, where there are more, the newest ones.
    async fn both_ends(
        &self,
        queue: Queue,
        partition: String,
        until: Timestamp,
    ) -> Result<Vec<Due>, StoreError> {
        let mut due = self
            .entries_in(queue, partition.clone(), until, End::Oldest)
            .await?;
        if due.len() == MAX_FROM_EACH_END {
            let oldest: BTreeSet<ChannelSid> = due.iter().map(|due| due.channel).collect();
            let newest = self
                .entries_in(queue, partition, until, End::Newest)
                .await?;
            due.extend(
                newest
                    .into_iter()
                    .filter(|due| !oldest.contains(&due.channel)),
            );
        }
        Ok(due)
    }

    pub(crate) async fn entries_in(
        &self,
        queue: Queue,
        partition: String,
        until: Timestamp,
        end: End,
    ) -> Result<Vec<Due>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(DUE_INDEX)
            .key_condition_expression(format!("{DUE_QUEUE} = :queue AND {SINCE} <= :until"))
            .expression_attribute_values(":queue", AttributeValue::S(partition))
            .expression_attribute_values(":until", AttributeValue::N(until.as_millis().to_string()))
            .scan_index_forward(end != End::Newest)
            .into_paginator()
            .items()
            .send();
        let most = match end {
            End::Oldest | End::Newest => MAX_FROM_EACH_END,
            End::All => usize::MAX,
        };
        let mut due = Vec::new();
        while due.len() < most {
            let Some(item) = pages.next().await else {
                break;
            };
            match serde_dynamo::from_item::<_, Entry>(item?) {
                Ok(entry) => due.push(Due {
                    channel: entry.channel_sid,
                    queue,
                    since: entry.since,
                }),
                // Only a person can have put it there, and it must not hold up the others.
                Err(error) => tracing::error!(%error, "an entry of the index cannot be read"),
            }
        }
        Ok(due)
    }
}

/// The end of a partition from which entries are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Oldest,
    Newest,
    All,
}

/// The projection of the index: keys only.
#[derive(serde::Deserialize)]
struct Entry {
    channel_sid: ChannelSid,
    since: Timestamp,
}

impl Versioned {
    /// A channel of which there is no record yet.
    pub fn absent(channel: ChannelSid, platform: Platform) -> Self {
        Self {
            channel: Channel::new(channel, platform),
            version: None,
            expires_at: None,
        }
    }

    pub(crate) fn from_item(channel: ChannelSid, item: Item) -> Result<Self, StoreError> {
        let record = Record::from_item(channel, item)?;
        Ok(Self {
            channel: record.channel,
            version: Some(record.version),
            expires_at: record.expires_at,
        })
    }
}

/// The item that stood in the way of a conditional write, if that is why it failed.
fn failed_condition(error: &SdkError<PutItemError>) -> Option<Option<Item>> {
    let PutItemError::ConditionalCheckFailedException(failed) = error.as_service_error()? else {
        return None;
    };
    Some(failed.item.clone())
}
