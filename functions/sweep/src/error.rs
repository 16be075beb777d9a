//! The failures of a whole sweep, under names that stay the same in logs and metrics.

use lambda_runtime::Diagnostic;
use runtime::AccessError;
use store::StoreError;
use twilio::rest::TwilioError;

use crate::summary::Summary;

/// A failure of a whole sweep.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// Twilio cannot be called, or its Flex project is not known.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The table cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// TaskRouter could not be looked at, so nothing may be closed.
    #[error("cannot look at the open tasks, so nothing was closed: {0}")]
    LookupFailed(TwilioError),
    /// A person's deletion failed.
    #[error("the channel was not deleted: {0}")]
    NotDeleted(String),
    /// A wrap-up was not ended.
    #[error("the task was not completed: {0}")]
    NotCompleted(String),
    /// A channel could not be read for the rescue of its customer.
    #[error("no task was made: {0}")]
    NotRescued(String),
    /// The schedule asks for a job that does not exist.
    #[error("there is no job {0}; it must be \"sweep\" or \"reconcile\"")]
    UnknownJob(String),
    /// The sweep stopped at something that a person must mend.
    #[error("the sweep stopped, and a person must look: {0:?}")]
    Stopped(Box<Summary>),
}

impl From<SweepError> for Diagnostic {
    fn from(error: SweepError) -> Self {
        let name = match &error {
            SweepError::Access(error) => error.name(),
            SweepError::LookupFailed(TwilioError::Unauthorized { .. }) => "Unauthorized",
            SweepError::Store(_) => "TableUnavailable",
            SweepError::LookupFailed(_) => "TaskRouterUnavailable",
            SweepError::NotDeleted(_) => "NotDeleted",
            SweepError::NotCompleted(_) => "NotCompleted",
            SweepError::NotRescued(_) => "NotRescued",
            SweepError::UnknownJob(_) => "UnknownJob",
            SweepError::Stopped(_) => "Stopped",
        };
        Self {
            error_type: name.to_owned(),
            error_message: error.to_string(),
        }
    }
}
