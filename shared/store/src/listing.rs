//! Reading many channels at once, for a person: the functions never do.
//!
//! A table is read as a whole by a Scan, which costs as much as the table is large and needs a
//! right that only the operator has. A queue is read by the index and costs what waits in it.

use std::collections::VecDeque;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Channel, ChannelSid, Queue, Timestamp};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::error::StoreError;
use crate::item::Item;
use crate::partition::{self, Due};
use crate::schema::KEY;
use crate::table::{ChannelTable, End, QUERIES_AT_ONCE, Versioned};

impl ChannelTable {
    /// Every channel whose SID begins so, in no order, as the pages come. `CH` is every
    /// channel: what else is kept in the table is left out.
    ///
    /// A record that cannot be read is one [`StoreError::Unreadable`] among the others; any
    /// other error is the last item.
    pub fn all(&self, prefix: &str) -> impl Stream<Item = Result<Channel, StoreError>> + use<> {
        let pages = self
            .client()
            .scan()
            .table_name(self.name())
            .filter_expression(format!("begins_with({KEY}, :prefix)"))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .into_paginator()
            .send();
        stream::unfold(
            (Some(pages), VecDeque::new()),
            |(mut pages, mut items)| async move {
                loop {
                    if let Some(item) = items.pop_front() {
                        return Some((channel_of(item), (pages, items)));
                    }
                    match pages.as_mut()?.next().await? {
                        Ok(page) => items.extend(page.items.unwrap_or_default()),
                        Err(error) => return Some((Err(error.into()), (None, items))),
                    }
                }
            },
        )
    }

    /// Everything that waits in a queue, due or not, in no order.
    ///
    /// # Errors
    ///
    /// Fails if DynamoDB throttles, refuses or does not answer.
    pub async fn entries(&self, queue: Queue) -> Result<Vec<Due>, StoreError> {
        let until = Timestamp::from_millis(i64::MAX);
        stream::iter(partition::partitions(queue))
            .map(|partition| self.entries_in(queue, partition, until, End::All))
            .buffer_unordered(QUERIES_AT_ONCE)
            .try_concat()
            .await
    }
}

fn channel_of(item: Item) -> Result<Channel, StoreError> {
    let sid = item.get(KEY).and_then(|key| key.as_s().ok());
    let Some(Ok(sid)) = sid.map(|sid| sid.parse::<ChannelSid>()) else {
        return Err(StoreError::Foreign);
    };
    Versioned::from_item(sid, item).map(|stored| stored.channel)
}
