//! The sink's test event: that it arrived is remembered, so that the person who sent it can see the
//! whole way work, from Twilio to the table.
//!
//! The newest event replaces the one before. Its own id is the account's SID, the same for
//! every test, so only the test's id and the time of arrival tell two of them apart.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::table::ChannelTable;

/// The note's name.
const NOTE: &str = "sink-test-event";

/// Longer ids are cut: Twilio's are UUIDs.
const MAX_ID: usize = 64;

/// A test event that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestEvent {
    /// The test's id, as Twilio gave it.
    pub test_id: String,
    /// When it arrived.
    pub at: Timestamp,
}

impl ChannelTable {
    /// Remembers that a test event arrived.
    ///
    /// # Errors
    ///
    /// Fails if DynamoDB throttles, refuses or does not answer.
    pub async fn note_test_event(&self, test_id: &str, at: Timestamp) -> Result<(), StoreError> {
        let test_id = test_id.chars().take(MAX_ID).collect();
        self.set_note(NOTE, &TestEvent { test_id, at }, at).await
    }

    /// The test event that arrived last, if one did lately.
    ///
    /// # Errors
    ///
    /// Fails if DynamoDB throttles, refuses or does not answer.
    pub async fn last_test_event(&self) -> Result<Option<TestEvent>, StoreError> {
        self.note(NOTE).await
    }
}
