//! Where tasks are moved, looked up and checked once.

use std::sync::Arc;

use domain::{ChatServiceSid, Timestamp, WorkspaceSid};
use tokio::sync::Mutex;
use twilio::rest::{
    Client, Credentials, Hosts, InvalidCredentials, Limits, Transport, TwilioError,
};

use crate::error::ParkError;
use crate::settings::Settings;

/// How many requests are under way at a time, at most.
const IN_FLIGHT: usize = 10;

/// Where tasks and channels are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) workspace: WorkspaceSid,
    pub(crate) chat_service: Option<ChatServiceSid>,
}

/// The place, once the pairs of TaskChannels were found to be its own.
#[derive(Debug, Default)]
pub(crate) struct Checked(Mutex<Option<Place>>);

impl Checked {
    /// The place. It is looked up, and the pairs are checked, by the first who ask; after
    /// that it costs no request.
    pub(crate) async fn place(
        &self,
        twilio: &Client,
        settings: &Settings,
    ) -> Result<Place, ParkError> {
        let mut checked = self.0.lock().await;
        if let Some(place) = *checked {
            return Ok(place);
        }
        let place = look_up(twilio, settings).await?;
        let workspace = twilio.workspace(place.workspace).await.map_err(blind)?;
        let listed = twilio.task_channels(place.workspace).await.map_err(blind)?;
        let named = listed.items.into_iter();
        let named = named.map(|channel| (channel.sid, channel.unique_name));
        let faults = settings
            .pairs
            .faults(workspace.multi_task_enabled, &named.collect());
        if !faults.is_empty() {
            return Err(ParkError::Pairs(faults));
        }
        *checked = Some(place);
        Ok(place)
    }
}

fn blind(error: TwilioError) -> ParkError {
    ParkError::Blind(error)
}

async fn look_up(twilio: &Client, settings: &Settings) -> Result<Place, ParkError> {
    if let (Some(workspace), chat_service @ Some(_)) = (settings.workspace, settings.chat_service) {
        return Ok(Place {
            workspace,
            chat_service,
        });
    }
    let flex = twilio.flex_configuration().await.map_err(blind)?;
    let workspace = settings.workspace.or(flex.workspace);
    Ok(Place {
        workspace: workspace.ok_or(ParkError::Homeless("TASKROUTER_WORKSPACE_SID"))?,
        chat_service: settings.chat_service.or(flex.chat_service),
    })
}

/// A client with the present credentials. Connections are the transport's and outlive it.
pub(crate) async fn client(
    settings: &Settings,
    transport: &Arc<dyn Transport>,
    now: Timestamp,
) -> Result<Client, ParkError> {
    let account = &settings.account;
    let secrets = settings.secrets.get(now).await?;
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
        in_flight: IN_FLIGHT,
        ..Limits::default()
    };
    Ok(Client::new(
        credentials,
        hosts,
        limits,
        Arc::clone(transport),
    ))
}
