//! Why a sweep failed as a whole, under names that stay the same in logs and metrics.

use lambda_runtime::Diagnostic;
use runtime::SecretsError;
use store::StoreError;
use twilio::rest::{InvalidCredentials, InvalidHosts, TwilioError};

use crate::summary::Summary;

/// Why a sweep failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The credentials for Twilio cannot be read.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The table cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// TaskRouter could not be looked at, so nothing may be closed.
    #[error("cannot look at the open tasks, so nothing was closed: {0}")]
    LookupFailed(TwilioError),
    /// The Flex configuration could not be read, and the settings do not say it all.
    #[error(
        "cannot read the Flex configuration, which TASKROUTER_WORKSPACE_SID and CHAT_SERVICE_SID would replace: {0}"
    )]
    Unconfigured(TwilioError),
    /// The credentials are not of the form that Twilio's are.
    #[error("TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_AUTH_TOKENS: {0}")]
    Credentials(#[from] InvalidCredentials),
    /// Edge, region or address of Twilio's APIs cannot be meant.
    #[error("TWILIO_EDGE, TWILIO_REGION or TWILIO_API_URL: {0}")]
    Hosts(#[from] InvalidHosts),
    /// The Flex configuration does not say where things are, nor do the settings.
    #[error("the Flex configuration names no {0}: set it")]
    SettingMissing(&'static str),
    /// A person's deletion failed.
    #[error("the channel was not deleted: {0}")]
    NotDeleted(String),
    /// The schedule asks for something that nobody knows.
    #[error("there is no job {0}; it must be \"sweep\" or \"reconcile\"")]
    UnknownJob(String),
    /// The sweep stopped at something that a person must mend.
    #[error("the sweep stopped, and a person must look: {0:?}")]
    Stopped(Box<Summary>),
}

impl From<SweepError> for Diagnostic {
    fn from(error: SweepError) -> Self {
        let name = match &error {
            SweepError::LookupFailed(TwilioError::Unauthorized { .. })
            | SweepError::Unconfigured(TwilioError::Unauthorized { .. }) => "Unauthorized",
            SweepError::Secrets(_) => "SecretsUnavailable",
            SweepError::Store(_) => "TableUnavailable",
            SweepError::LookupFailed(_) => "TaskRouterUnavailable",
            SweepError::Unconfigured(_) | SweepError::SettingMissing(_) => "NotConfigured",
            SweepError::Credentials(_) | SweepError::Hosts(_) => "SettingsInvalid",
            SweepError::NotDeleted(_) => "NotDeleted",
            SweepError::UnknownJob(_) => "UnknownJob",
            SweepError::Stopped(_) => "Stopped",
        };
        Self {
            error_type: name.to_owned(),
            error_message: error.to_string(),
        }
    }
}
