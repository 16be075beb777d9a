//! The items of the table, and their expiry.

use std::collections::BTreeMap;

use domain::{Channel, ChannelSid};
use serde_json::Value;
use simulator::Sid;

use super::{TABLE, World};

impl World {
    /// The record of a channel.
    pub async fn record(&self, channel: Sid) -> Option<Channel> {
        let channel: ChannelSid = channel.as_str().parse().unwrap();
        let stored = self.table.get(channel).await.unwrap()?;
        Some(stored.channel)
    }

    /// The items of all channels, as they are stored.
    pub async fn items(&self) -> BTreeMap<String, String> {
        let mut items = self.items_and_notes().await;
        items.retain(|key, _| !key.starts_with(store::NOTE_PREFIX));
        items
    }

    /// All items of the table, by their keys, as they are stored.
    pub async fn items_and_notes(&self) -> BTreeMap<String, String> {
        let client = self.aws.dynamodb();
        let mut pages = client
            .scan()
            .table_name(TABLE)
            .into_paginator()
            .items()
            .send();
        let mut items = BTreeMap::new();
        while let Some(item) = pages.next().await {
            let item: Value = serde_dynamo::from_item(item.unwrap()).unwrap();
            let channel = item["channel_sid"].as_str().unwrap().to_owned();
            items.insert(channel, item.to_string());
        }
        items
    }

    /// Forgets a channel's record, as its time to live does.
    pub async fn record_expires(&self, channel: Sid) {
        let key = serde_dynamo::to_attribute_value(channel.as_str()).unwrap();
        let client = self.aws.dynamodb();
        let deletion = client.delete_item().table_name(TABLE).key(store::KEY, key);
        deletion.send().await.unwrap();
    }

    /// Changes a record into one that only a later version can read.
    pub async fn record_is_written_by_a_later_version(&self, channel: Sid) {
        let value = |value: &str| serde_dynamo::to_attribute_value(value).unwrap();
        let update = self.aws.dynamodb().update_item().table_name(TABLE);
        let update = update
            .key(store::KEY, value(channel.as_str()))
            .update_expression("SET platform = :platform")
            .expression_attribute_values(":platform", value("a-third-one"));
        update.send().await.unwrap();
    }
}
