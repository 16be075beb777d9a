//! Why parking failed as a whole, under names that stay the same in logs and metrics.

use domain::PairFault;
use lambda_runtime::Diagnostic;
use runtime::SecretsError;
use store::StoreError;
use twilio::rest::{InvalidCredentials, InvalidHosts, TwilioError};

/// Why parking failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum ParkError {
    /// The credentials for Twilio cannot be read.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The table cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Twilio does not accept our credentials.
    #[error("Twilio does not accept our credentials: {0}")]
    Unauthorized(TwilioError),
    /// Where things are could not be looked up.
    #[error("cannot look at the workspace and its TaskChannels, so nothing was moved: {0}")]
    Blind(TwilioError),
    /// The pairs of TaskChannels are not what the workspace has.
    #[error("PARK_TASK_CHANNELS: {}; nothing was moved", list(.0))]
    Pairs(Vec<PairFault>),
    /// The credentials are not of the form that Twilio's are.
    #[error("TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_AUTH_TOKENS: {0}")]
    Credentials(#[from] InvalidCredentials),
    /// Edge, region or address of Twilio's APIs cannot be meant.
    #[error("TWILIO_EDGE, TWILIO_REGION or TWILIO_API_URL: {0}")]
    Hosts(#[from] InvalidHosts),
    /// The Flex configuration does not say where things are, nor do the settings.
    #[error("the Flex configuration names no {0}: set it")]
    Homeless(&'static str),
}

fn list(faults: &[PairFault]) -> String {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}

impl ParkError {
    /// The failure's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Secrets(_) => "SecretsUnavailable",
            Self::Store(_) => "TableUnavailable",
            Self::Unauthorized(_) | Self::Blind(TwilioError::Unauthorized { .. }) => "Unauthorized",
            Self::Blind(_) => "TaskRouterUnavailable",
            Self::Pairs(_) => "TaskChannelsUnfit",
            Self::Homeless(_) => "NotConfigured",
            Self::Credentials(_) | Self::Hosts(_) => "SettingsInvalid",
        }
    }
}

impl From<ParkError> for Diagnostic {
    fn from(error: ParkError) -> Self {
        Self {
            error_type: error.name().to_owned(),
            error_message: error.to_string(),
        }
    }
}
