//! Errors of the table, sorted by what the caller does next.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use domain::ChannelSid;

/// Why the table could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB is short of capacity: the same again, later.
    #[error("the table is throttled ({code})")]
    Throttled {
        /// DynamoDB's error code.
        code: String,
    },
    /// DynamoDB did not answer, or failed: the same again, later.
    #[error("the table cannot be reached: {why}")]
    Unreachable {
        /// The kind of failure, in the SDK's words.
        why: String,
    },
    /// DynamoDB refuses the request: the table's name, its region or our rights are wrong,
    /// and no repetition helps.
    #[error("the table refuses the request ({code}): {message}")]
    Refused {
        /// DynamoDB's error code.
        code: String,
        /// DynamoDB's explanation; it speaks of tables and rights, never of items.
        message: String,
    },
    /// Others kept writing the same channel at the same time.
    #[error("channel {channel} is written by too many at once")]
    Contended {
        /// The channel.
        channel: ChannelSid,
    },
    /// An item whose key only looks like a channel's.
    #[error("the table holds an item whose key is no channel's SID")]
    Foreign,
    /// The stored item is not one that this version can read.
    #[error("the record of channel {channel} cannot be read: {why}")]
    Unreadable {
        /// The channel.
        channel: ChannelSid,
        /// The fault.
        why: String,
    },
}

/// Codes by which DynamoDB asks for patience.
const THROTTLES: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

impl<E> From<SdkError<E>> for StoreError
where
    E: ProvideErrorMetadata + std::fmt::Debug,
{
    fn from(error: SdkError<E>) -> Self {
        let Some(service) = error.as_service_error() else {
            return Self::Unreachable {
                why: kind(&error).to_owned(),
            };
        };
        let code = service.code().unwrap_or("unknown").to_owned();
        let server_side = error
            .raw_response()
            .is_some_and(|response| response.status().is_server_error());
        if THROTTLES.contains(&code.as_str()) {
            Self::Throttled { code }
        } else if server_side {
            Self::Unreachable { why: code }
        } else {
            Self::Refused {
                code,
                message: service.message().unwrap_or("no explanation").to_owned(),
            }
        }
    }
}

fn kind<E>(error: &SdkError<E>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "the request could not be built",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "an answer that is none",
        SdkError::ServiceError(_) => "an error of the service",
        _ => "an unknown failure",
    }
}

impl StoreError {
    /// Returns true if it concerns one channel alone, so that others may fare better.
    pub fn is_of_one_channel(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::Contended { .. } | Self::Foreign => true,
            Self::Throttled { .. } | Self::Unreachable { .. } | Self::Refused { .. } => false,
        }
    }
}
