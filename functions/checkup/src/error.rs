//! The failures of a checkup as a whole, under names that stay the same in logs and metrics.

use lambda_runtime::Diagnostic;
use runtime::SecretsError;
use store::StoreError;
use twilio::rest::{InvalidCredentials, InvalidHosts, TwilioError};

/// A failure of a checkup as a whole.
#[derive(Debug, thiserror::Error)]
pub enum CheckupError {
    /// The credentials for Twilio cannot be read.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The note of the last run cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The credentials are not of the form that Twilio's are.
    #[error("TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_AUTH_TOKENS: {0}")]
    Credentials(#[from] InvalidCredentials),
    /// Edge, region or address of Twilio's APIs are not valid.
    #[error("TWILIO_EDGE, TWILIO_REGION or TWILIO_API_URL: {0}")]
    Hosts(#[from] InvalidHosts),
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
            CheckupError::Secrets(_) => "SecretsUnavailable",
            CheckupError::Store(_) => "TableUnavailable",
            CheckupError::Credentials(_) | CheckupError::Hosts(_) => "SettingsInvalid",
            CheckupError::OutOfTime => "OutOfTime",
            CheckupError::PublishFailed(_) => "BusUnavailable",
        };
        Self {
            error_type: name.to_owned(),
            error_message: error.to_string(),
        }
    }
}
