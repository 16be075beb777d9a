//! The one place where a client of Twilio is built, and where the account's Flex project is
//! looked up.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::{ChatServiceSid, Timestamp, WorkspaceSid};
use futures::future::{BoxFuture, FutureExt as _};
use http::{Request, Response, StatusCode};
use twilio::rest::{
    Client, Credentials, Hosts, InvalidCredentials, InvalidHosts, Limits, Transport,
    TransportError, TwilioError,
};

use crate::common::TwilioAccount;
use crate::lock;
use crate::secrets::{Refusal, Secrets, SecretsError, TwilioSecrets};

/// A reason why Twilio cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The credentials for Twilio cannot be read.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The credentials are not of the form that Twilio's are.
    #[error("TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_AUTH_TOKENS: {0}")]
    Credentials(#[from] InvalidCredentials),
    /// Edge, region or address of Twilio's APIs cannot be meant.
    #[error("TWILIO_EDGE, TWILIO_REGION or TWILIO_API_URL: {0}")]
    Hosts(#[from] InvalidHosts),
    /// The Flex configuration could not be read, and the settings do not say it all.
    #[error(
        "cannot read the Flex configuration, which TASKROUTER_WORKSPACE_SID and CHAT_SERVICE_SID would replace: {0}"
    )]
    LookupFailed(TwilioError),
    /// The Flex configuration does not name a resource, nor do the settings.
    #[error("the Flex configuration names no {0}: set it")]
    SettingMissing(&'static str),
}

impl AccessError {
    /// Returns the failure's name, which stays the same in logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Secrets(_) => "SecretsUnavailable",
            Self::Credentials(_) | Self::Hosts(_) => "SettingsInvalid",
            Self::LookupFailed(TwilioError::Unauthorized { .. }) => "Unauthorized",
            Self::LookupFailed(_) | Self::SettingMissing(_) => "NotConfigured",
        }
    }
}

/// Returns a client with the present credentials, for at most `in_flight` calls at a time.
/// Connections are the transport's and outlive it. Where Twilio refuses the credentials, they
/// are read again before the next client is built.
///
/// # Errors
///
/// Fails if the credentials cannot be read, or if they or the settings are not of Twilio's
/// form.
pub async fn client(
    secrets: &Secrets,
    account: &TwilioAccount,
    transport: &Arc<dyn Transport>,
    in_flight: usize,
    now: Timestamp,
) -> Result<Client, AccessError> {
    let known = secrets.get(now).await?;
    watched_client(&known, secrets, account, transport, in_flight)
}

/// A client that is kept from one run of a process to the next, so that a wait which Twilio asked
/// for is kept too. It is built anew when the credentials change.
#[derive(Debug, Default)]
pub struct KeptClient(Mutex<Option<(Arc<TwilioSecrets>, Client)>>);

impl KeptClient {
    /// Returns the client, as [`client`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`client`] does.
    pub async fn get(
        &self,
        secrets: &Secrets,
        account: &TwilioAccount,
        transport: &Arc<dyn Transport>,
        in_flight: usize,
        now: Timestamp,
    ) -> Result<Client, AccessError> {
        let known = secrets.get(now).await?;
        let mut kept = lock(&self.0);
        if let Some((of, client)) = &*kept
            && Arc::ptr_eq(of, &known)
        {
            return Ok(client.clone());
        }
        let client = watched_client(&known, secrets, account, transport, in_flight)?;
        *kept = Some((known, client.clone()));
        Ok(client)
    }
}

fn watched_client(
    known: &TwilioSecrets,
    secrets: &Secrets,
    account: &TwilioAccount,
    transport: &Arc<dyn Transport>,
    in_flight: usize,
) -> Result<Client, AccessError> {
    let transport = Watched {
        transport: Arc::clone(transport),
        refusal: secrets.refusal(),
    };
    client_of(known, account, Arc::new(transport), in_flight)
}

/// Returns a client with these credentials, for at most `in_flight` calls at a time: with the
/// API key, or else with the first auth token.
///
/// # Errors
///
/// Fails if the credentials or the settings are not of Twilio's form.
pub fn client_of(
    secrets: &TwilioSecrets,
    account: &TwilioAccount,
    transport: Arc<dyn Transport>,
    in_flight: usize,
) -> Result<Client, AccessError> {
    let credentials = match (&secrets.api_key, secrets.signing_keys.first()) {
        (Some((key, secret)), _) => Credentials::api_key(key, secret)?,
        (None, Some(token)) => Credentials::auth_token(account.sid, token)?,
        (None, None) => return Err(InvalidCredentials::Secret.into()),
    };
    let hosts = match &account.api_url {
        Some(url) => Hosts::elsewhere(url)?,
        None => Hosts::at_twilio(account.edge.as_deref(), account.region.as_deref())?,
    };
    let limits = Limits {
        in_flight,
        ..Limits::default()
    };
    Ok(Client::new(credentials, hosts, limits, transport))
}

/// A transport that marks the credentials when Twilio refuses them.
struct Watched {
    transport: Arc<dyn Transport>,
    refusal: Refusal,
}

impl Transport for Watched {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let sent = self.transport.send(request);
        async move {
            let answer = sent.await;
            if let Ok(answer) = &answer
                && answer.status() == StatusCode::UNAUTHORIZED
            {
                self.refusal.set();
            }
            answer
        }
        .boxed()
    }
}

/// The SIDs of the account's Flex project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlexIds {
    /// The workspace of its tasks.
    pub workspace: WorkspaceSid,
    /// The chat service of its channels, if it has one.
    pub chat_service: Option<ChatServiceSid>,
}

impl FlexIds {
    /// Takes the SIDs that the settings name, and the rest from the Flex configuration. Where
    /// the settings name both, Twilio is not asked.
    ///
    /// # Errors
    ///
    /// Fails if the Flex configuration cannot be read, or if nothing names the workspace.
    pub async fn look_up(
        twilio: &Client,
        workspace: Option<WorkspaceSid>,
        chat_service: Option<ChatServiceSid>,
    ) -> Result<Self, AccessError> {
        if let (Some(workspace), Some(_)) = (workspace, chat_service) {
            return Ok(Self {
                workspace,
                chat_service,
            });
        }
        let flex = twilio.flex_configuration().await;
        let flex = flex.map_err(AccessError::LookupFailed)?;
        let workspace = workspace.or(flex.workspace);
        Ok(Self {
            workspace: workspace.ok_or(AccessError::SettingMissing("TASKROUTER_WORKSPACE_SID"))?,
            chat_service: chat_service.or(flex.chat_service),
        })
    }

    /// Returns the chat service.
    ///
    /// # Errors
    ///
    /// Fails if nothing names it.
    pub fn chat_service(&self) -> Result<ChatServiceSid, AccessError> {
        self.chat_service
            .ok_or(AccessError::SettingMissing("CHAT_SERVICE_SID"))
    }
}
