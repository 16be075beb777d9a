//! Why an audit could not begin, in one line with the remedy.

use runtime::AccessError;
use twilio::rest::TwilioError;

/// A reason why nothing could be audited.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The account has no Flex project.
    #[error(
        "this account has no Flex project, so there is nothing to audit; if it has one, set TASKROUTER_WORKSPACE_SID and CHAT_SERVICE_SID"
    )]
    NoFlex,
    /// The credentials are wrong.
    #[error(
        "Twilio refuses the credentials: check TWILIO_ACCOUNT_SID with TWILIO_API_KEY and TWILIO_API_SECRET, or with TWILIO_AUTH_TOKEN; a key of another region needs TWILIO_REGION"
    )]
    Unauthorized,
    /// The key may not read the Flex configuration.
    #[error(
        "this key may not read the Flex configuration (status 403): use a Standard API key or TWILIO_AUTH_TOKEN, or set TASKROUTER_WORKSPACE_SID and CHAT_SERVICE_SID"
    )]
    Forbidden,
    /// Twilio cannot be reached.
    #[error(
        "{0}: check the network, HTTPS_PROXY, and TWILIO_REGION and TWILIO_EDGE if they are set"
    )]
    Unreachable(TwilioError),
    /// Whatever answers is not Twilio.
    #[error("{0}: check TWILIO_REGION, TWILIO_EDGE and TWILIO_API_URL")]
    WrongPlace(TwilioError),
    /// Anything else that keeps Twilio from being called.
    #[error(transparent)]
    Access(AccessError),
}

impl From<AccessError> for AuditError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::LookupFailed(error) => match error {
                TwilioError::Gone => Self::NoFlex,
                TwilioError::Unauthorized { status: 401, .. } => Self::Unauthorized,
                TwilioError::Unauthorized { .. } => Self::Forbidden,
                TwilioError::Unreachable { .. } | TwilioError::Throttled { .. } => {
                    Self::Unreachable(error)
                }
                TwilioError::Refused { .. } | TwilioError::Conflict => Self::WrongPlace(error),
            },
            other @ (AccessError::Secrets(_)
            | AccessError::Credentials(_)
            | AccessError::Hosts(_)
            | AccessError::SettingMissing(_)) => Self::Access(other),
        }
    }
}

/// Returns in words why a part of the audit says nothing.
pub(crate) fn why(error: &TwilioError) -> String {
    match error {
        TwilioError::Unauthorized { status, .. } => {
            format!("Twilio does not let this key read it (status {status})")
        }
        TwilioError::Gone => "Twilio does not know it".to_owned(),
        TwilioError::Throttled { .. } => "Twilio asks to slow down: try again later".to_owned(),
        TwilioError::Refused { status, .. } => format!("Twilio refuses it (status {status})"),
        TwilioError::Conflict => "it changed while it was read".to_owned(),
        TwilioError::Unreachable { why } => format!("Twilio gives no answer: {why}"),
    }
}
