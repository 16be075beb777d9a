//! Where tasks are moved, looked up and checked once.

use std::sync::Arc;

use domain::Timestamp;
use runtime::access::{self, FlexIds};
use tokio::sync::Mutex;
use twilio::rest::{Client, Transport, TwilioError};

use crate::error::ParkError;
use crate::settings::Settings;

/// How many requests are under way at a time, at most.
const IN_FLIGHT: usize = 10;

/// The place, once the pairs of TaskChannels were found to be its own.
#[derive(Debug, Default)]
pub(crate) struct Checked(Mutex<Option<FlexIds>>);

impl Checked {
    /// The place. It is looked up, and the pairs are checked, by the first who ask; after
    /// that it costs no request.
    pub(crate) async fn place(
        &self,
        twilio: &Client,
        settings: &Settings,
    ) -> Result<FlexIds, ParkError> {
        let mut checked = self.0.lock().await;
        if let Some(place) = *checked {
            return Ok(place);
        }
        let place = FlexIds::look_up(twilio, settings.workspace, settings.chat_service).await?;
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

/// Returns a client with the present credentials. Connections are the transport's and outlive
/// it.
pub(crate) async fn client(
    settings: &Settings,
    transport: &Arc<dyn Transport>,
    now: Timestamp,
) -> Result<Client, ParkError> {
    let Settings {
        secrets, account, ..
    } = settings;
    Ok(access::client(secrets, account, transport, IN_FLIGHT, now).await?)
}
