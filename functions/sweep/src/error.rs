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

impl SweepError {
    /// Returns the failure's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Access(error) => error.name(),
            Self::LookupFailed(TwilioError::Unauthorized { .. }) => "Unauthorized",
            Self::Store(_) => "TableUnavailable",
            Self::LookupFailed(_) => "TaskRouterUnavailable",
            Self::NotDeleted(_) => "NotDeleted",
            Self::NotCompleted(_) => "NotCompleted",
            Self::NotRescued(_) => "NotRescued",
            Self::UnknownJob(_) => "UnknownJob",
            Self::Stopped(_) => "Stopped",
        }
    }
}

impl From<SweepError> for Diagnostic {
    fn from(error: SweepError) -> Self {
        Self {
            error_type: error.name().to_owned(),
            error_message: error.to_string(),
        }
    }
}
