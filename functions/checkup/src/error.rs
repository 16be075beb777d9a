//! Why a checkup failed as a whole, under names that stay the same in logs and metrics.

use lambda_runtime::Diagnostic;
use runtime::SecretsError;
use store::StoreError;
use twilio::rest::{InvalidCredentials, InvalidHosts, TwilioError};

/// Why a checkup failed as a whole.
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
    /// Edge, region or address of Twilio's APIs cannot be meant.
    #[error("TWILIO_EDGE, TWILIO_REGION or TWILIO_API_URL: {0}")]
    Hosts(#[from] InvalidHosts),
    /// Nothing could be looked at.
    #[error("cannot look at anything: {0}")]
    Blind(TwilioError),
    /// The time was up before everything was looked at.
    #[error("the time was up before everything was looked at")]
    OutOfTime,
    /// What was found could not be told.
    #[error("cannot publish what was found: {0}")]
    Untold(String),
}

impl From<CheckupError> for Diagnostic {
    fn from(error: CheckupError) -> Self {
        let name = match &error {
            CheckupError::Blind(TwilioError::Unauthorized { .. }) => "Unauthorized",
            CheckupError::Blind(_) => "TwilioUnavailable",
            CheckupError::Secrets(_) => "SecretsUnavailable",
            CheckupError::Store(_) => "TableUnavailable",
            CheckupError::Credentials(_) | CheckupError::Hosts(_) => "SettingsInvalid",
            CheckupError::OutOfTime => "OutOfTime",
            CheckupError::Untold(_) => "BusUnavailable",
        };
        Self {
            error_type: name.to_owned(),
            error_message: error.to_string(),
        }
    }
}
