//! Why parking failed as a whole, under names that stay the same in logs and metrics.

use domain::PairFault;
use lambda_runtime::Diagnostic;
use runtime::AccessError;
use store::StoreError;
use twilio::rest::TwilioError;

/// Why parking failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum ParkError {
    /// Twilio cannot be called, or its Flex project is not known.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The table cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Twilio does not accept our credentials.
    #[error("Twilio does not accept our credentials: {0}")]
    Unauthorized(TwilioError),
    /// The workspace and its TaskChannels could not be looked up.
    #[error("cannot look up the workspace and its TaskChannels, so nothing was moved: {0}")]
    LookupFailed(TwilioError),
    /// The pairs of TaskChannels are not what the workspace has.
    #[error("PARK_TASK_CHANNELS: {}; nothing was moved", list(.0))]
    Pairs(Vec<PairFault>),
}

fn list(faults: &[PairFault]) -> String {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}

impl ParkError {
    /// Returns the failure's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Access(error) => error.name(),
            Self::Store(_) => "TableUnavailable",
            Self::Unauthorized(_) | Self::LookupFailed(TwilioError::Unauthorized { .. }) => {
                "Unauthorized"
            }
            Self::LookupFailed(_) => "TaskRouterUnavailable",
            Self::Pairs(_) => "TaskChannelsUnfit",
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
