//! TaskRouter: making a TaskChannel, and giving workers capacity on it.

use domain::{TaskChannelSid, WorkerSid, WorkspaceSid};

use super::record;
use super::workspace::{TaskChannel, WorkerChannel};
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::call::Call;
use crate::rest::client::error::TwilioError;

impl Client {
    /// Creates a TaskChannel. Twilio refuses a unique name that is taken or that has a hyphen
    /// (<https://www.twilio.com/docs/taskrouter/api/task-channel>).
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn create_task_channel(
        &self,
        workspace: WorkspaceSid,
        friendly_name: &str,
        unique_name: &str,
    ) -> Result<TaskChannel, TwilioError> {
        let path = format!("/v1/Workspaces/{workspace}/TaskChannels");
        let form = [("FriendlyName", friendly_name), ("UniqueName", unique_name)];
        let call = Call::post(Product::TaskRouter, path, &form).once();
        let read =
            |text: &str| record(text).filter(|made: &TaskChannel| made.unique_name == unique_name);
        self.ask(call, read).await
    }

    /// Lets a worker have so many tasks of a TaskChannel at a time
    /// (<https://www.twilio.com/docs/taskrouter/api/worker/workerchannel>).
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request, gives no usable answer, or shows another capacity.
    pub async fn set_capacity(
        &self,
        workspace: WorkspaceSid,
        worker: WorkerSid,
        task_channel: TaskChannelSid,
        capacity: u16,
    ) -> Result<(), TwilioError> {
        let path = format!("/v1/Workspaces/{workspace}/Workers/{worker}/Channels/{task_channel}");
        let value = capacity.to_string();
        let form = [("Capacity", value.as_str()), ("Available", "true")];
        let call = Call::post(Product::TaskRouter, path, &form);
        let read = |text: &str| {
            record(text).filter(|shown: &WorkerChannel| {
                shown.task_channel.target() == Some(task_channel)
                    && shown.available
                    && shown.capacity == Some(i64::from(capacity))
            })
        };
        self.ask(call, read).await.map(drop)
    }
}
