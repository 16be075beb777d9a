//! The sink's test event: that it arrived is remembered, so that whoever sent it can see the
//! whole way work, from Twilio to the table.
//!
//! It is one item, under a key that no channel can have; the newest event replaces the one
//! before. Its own id is the account's SID, the same for every test, so only the test's id and
//! the time of arrival tell two of them apart.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

use crate::error::StoreError;
use crate::schema::{KEY, TTL_ATTRIBUTE};
use crate::table::ChannelTable;

/// The item's key.
const TEST_EVENT: &str = "sink-test-event";

/// How long a test is of interest.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Longer ids are cut: Twilio's are UUIDs.
const LONGEST_ID: usize = 64;

/// A test event that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestEvent {
    /// What Twilio called the test.
    pub test_id: String,
    /// When it arrived.
    pub at: Timestamp,
}

impl ChannelTable {
    /// Remembers that a test event arrived.
    pub async fn note_test_event(&self, test_id: &str, at: Timestamp) -> Result<(), StoreError> {
        let test_id: String = test_id.chars().take(LONGEST_ID).collect();
        let expires_at = at.plus(KEPT).as_millis() / 1000;
        self.client()
            .put_item()
            .table_name(self.name())
            .item(KEY, AttributeValue::S(TEST_EVENT.to_owned()))
            .item("test_id", AttributeValue::S(test_id))
            .item("arrived_at", AttributeValue::N(at.as_millis().to_string()))
            .item(TTL_ATTRIBUTE, AttributeValue::N(expires_at.to_string()))
            .send()
            .await?;
        Ok(())
    }

    /// The test event that arrived last, if one did lately.
    pub async fn last_test_event(&self) -> Result<Option<TestEvent>, StoreError> {
        let answer = self
            .client()
            .get_item()
            .table_name(self.name())
            .key(KEY, AttributeValue::S(TEST_EVENT.to_owned()))
            .consistent_read(true)
            .send()
            .await?;
        Ok(answer.item.and_then(|item| read(&item)))
    }
}

fn read(item: &HashMap<String, AttributeValue>) -> Option<TestEvent> {
    let at = item.get("arrived_at")?.as_n().ok()?.parse().ok()?;
    Some(TestEvent {
        test_id: item.get("test_id")?.as_s().ok()?.clone(),
        at: Timestamp::from_millis(at),
    })
}
