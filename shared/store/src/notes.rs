//! Small notes of the functions' own, kept beside the channels.
//!
//! A note has a key that no channel can have and no index attributes, so that no queue ever
//! lists it. The last writer wins. Most notes may be lost without harm, such as how far a long
//! job got, and expire. A person's stop and the fuse do not.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::schema::{KEY, TTL_ATTRIBUTE};
use crate::table::ChannelTable;

/// The beginning of a note's key; a channel's begins with `CH`.
pub const NOTE_PREFIX: &str = "note:";

/// Where a note keeps its text.
const TEXT: &str = "text";

/// The time for which a note is kept after it was written.
const KEPT: Duration = Duration::from_secs(40 * 24 * 60 * 60);

impl ChannelTable {
    /// Reads a note; nothing if there is none, or if it was written by another version of us
    /// in a form that cannot be read.
    ///
    /// # Errors
    ///
    /// Fails if DynamoDB throttles, refuses or does not answer. A note that cannot be read is not
    /// an error.
    pub async fn note<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let answer = self
            .client()
            .get_item()
            .table_name(self.name())
            .key(KEY, key(name))
            .consistent_read(true)
            .send()
            .await?;
        let text = answer.item.as_ref().and_then(|item| item.get(TEXT));
        let text = text.and_then(|text| text.as_s().ok());
        Ok(text.and_then(|text| serde_json::from_str(text).ok()))
    }

    /// Writes a note over whatever was there. It is kept for 40 days.
    ///
    /// # Errors
    ///
    /// Fails if the note cannot be written as JSON, or if DynamoDB throttles, refuses or does not
    /// answer.
    pub async fn set_note<T: Serialize>(
        &self,
        name: &str,
        note: &T,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.set_note_until(name, note, now.plus(KEPT)).await
    }

    /// Writes a note over whatever was there. It is kept until this moment, and may be read for
    /// some days more.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be written.
    pub async fn set_note_until<T: Serialize>(
        &self,
        name: &str,
        note: &T,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let expires_at = until.as_millis() / 1000;
        self.put_note(name, note, Some(expires_at)).await
    }

    /// Writes a note that never expires over whatever was there.
    pub(crate) async fn keep_note<T: Serialize>(
        &self,
        name: &str,
        note: &T,
    ) -> Result<(), StoreError> {
        self.put_note(name, note, None).await
    }

    async fn put_note<T: Serialize>(
        &self,
        name: &str,
        note: &T,
        expires_at: Option<i64>,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(note).map_err(|error| StoreError::Unreachable {
            why: error.to_string(),
        })?;
        let put = self
            .client()
            .put_item()
            .table_name(self.name())
            .item(KEY, key(name))
            .item(TEXT, AttributeValue::S(text));
        let put = match expires_at {
            Some(at) => put.item(TTL_ATTRIBUTE, AttributeValue::N(at.to_string())),
            None => put,
        };
        put.send().await?;
        Ok(())
    }
}

pub(crate) fn key(name: &str) -> AttributeValue {
    AttributeValue::S(format!("{NOTE_PREFIX}{name}"))
}
