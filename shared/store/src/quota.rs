//! A count that all processes of a function share: so many times in each span of time.
//!
//! A process that only counted for itself would let through as many more as there are processes.
//! The count is an item beside the channels, one for each span, changed in one conditional
//! request. It has no index attributes, so that no queue ever lists it, and expires by itself.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

use crate::error::StoreError;
use crate::notes::key;
use crate::schema::{KEY, TTL_ATTRIBUTE};
use crate::table::ChannelTable;

/// The attribute that holds the count.
const TAKEN: &str = "taken";

/// The time for which a count is kept after its span.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// A number of times in each span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Its name among the notes.
    pub name: &'static str,
    /// The span, in whole seconds. Spans stand on the clock's own grid.
    pub span: Duration,
    /// The most times in one span.
    pub limit: u32,
}

impl Quota {
    /// Returns the moment at which the span that holds this moment is over.
    pub fn span_end(&self, now: Timestamp) -> Timestamp {
        let span = i64::try_from(self.span.as_millis())
            .unwrap_or(i64::MAX)
            .max(1);
        let into = now.as_millis().rem_euclid(span);
        Timestamp::from_millis(now.as_millis().saturating_sub(into).saturating_add(span))
    }

    fn key(&self, now: Timestamp) -> AttributeValue {
        let end = self.span_end(now).as_millis() / 1000;
        key(&format!("{}:{end}", self.name))
    }
}

impl ChannelTable {
    /// Takes one of a quota, and returns whether there was one left in the present span.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be written.
    pub async fn take(&self, quota: &Quota, now: Timestamp) -> Result<bool, StoreError> {
        let number = |value: i64| AttributeValue::N(value.to_string());
        let expires_at = quota.span_end(now).plus(KEPT).as_millis() / 1000;
        let taken = self
            .client()
            .update_item()
            .table_name(self.name())
            .key(KEY, quota.key(now))
            .update_expression(format!("ADD {TAKEN} :one SET {TTL_ATTRIBUTE} = :expires"))
            .condition_expression(format!("attribute_not_exists({TAKEN}) OR {TAKEN} < :limit"))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(quota.limit.into()))
            .expression_attribute_values(":expires", number(expires_at))
            .send()
            .await;
        match taken {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives one back that was taken at this moment and is not to count.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be written.
    pub async fn give_back(&self, quota: &Quota, taken_at: Timestamp) -> Result<(), StoreError> {
        self.client()
            .update_item()
            .table_name(self.name())
            .key(KEY, quota.key(taken_at))
            .update_expression(format!("ADD {TAKEN} :back"))
            .expression_attribute_values(":back", AttributeValue::N("-1".to_owned()))
            .send()
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stand_on_the_grid_of_the_clock() {
        let quota = Quota {
            name: "test",
            span: Duration::from_secs(10),
            limit: 1,
        };
        let end = |millis| quota.span_end(Timestamp::from_millis(millis)).as_millis();
        assert_eq!((end(0), end(9_999), end(10_000)), (10_000, 10_000, 20_000));
    }
}
