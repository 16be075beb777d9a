//! The SIDs of the workspace and the chat service, looked up and checked once.

use runtime::access::FlexIds;
use tokio::sync::Mutex;
use twilio::rest::Client;

use crate::error::ParkError;
use crate::settings::Settings;

/// The SIDs, once the pairs of TaskChannels were found to be the workspace's own.
#[derive(Debug, Default)]
pub(crate) struct Checked(Mutex<Option<FlexIds>>);

impl Checked {
    /// Returns the SIDs. The first call looks them up and checks the pairs; later ones cost no
    /// request.
    pub(crate) async fn ids(
        &self,
        twilio: &Client,
        settings: &Settings,
    ) -> Result<FlexIds, ParkError> {
        let mut checked = self.0.lock().await;
        if let Some(ids) = *checked {
            return Ok(ids);
        }
        let ids = FlexIds::look_up(twilio, settings.workspace, settings.chat_service).await?;
        let workspace = twilio
            .workspace(ids.workspace)
            .await
            .map_err(ParkError::LookupFailed)?;
        let listed = twilio
            .task_channels(ids.workspace)
            .await
            .map_err(ParkError::LookupFailed)?;
        let named = listed.items.into_iter();
        let named = named.map(|channel| (channel.sid, channel.unique_name));
        let faults = settings
            .pairs
            .faults(workspace.multi_task_enabled, &named.collect());
        if !faults.is_empty() {
            return Err(ParkError::Pairs(faults));
        }
        *checked = Some(ids);
        Ok(ids)
    }
}
