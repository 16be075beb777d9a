//! The failures of a checkup as a whole, under names that stay the same in logs and metrics.

use lambda_runtime::Diagnostic;
use runtime::AccessError;
use store::StoreError;
use twilio::rest::TwilioError;

/// A failure of a checkup as a whole.
#[derive(Debug, thiserror::Error)]
pub enum CheckupError {
    /// Twilio cannot be called.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The note of the last run cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing could be read at Twilio.
    #[error("cannot read anything at Twilio: {0}")]
    LookupFailed(TwilioError),
    /// The time was up before everything was read.
    #[error("the time was up before everything was read")]
    OutOfTime,
    /// The findings could not be published.
    #[error("cannot publish the findings: {0}")]
    PublishFailed(String),
}

impl From<CheckupError> for Diagnostic {
    fn from(error: CheckupError) -> Self {
        let name = match &error {
            CheckupError::LookupFailed(TwilioError::Unauthorized { .. }) => "Unauthorized",
            CheckupError::LookupFailed(_) => "TwilioUnavailable",
            CheckupError::Access(error) => error.name(),
            CheckupError::Store(_) => "TableUnavailable",
            CheckupError::OutOfTime => "OutOfTime",
            CheckupError::PublishFailed(_) => "BusUnavailable",
        };
        Self {
            error_type: name.to_owned(),
            error_message: error.to_string(),
        }
    }
}
