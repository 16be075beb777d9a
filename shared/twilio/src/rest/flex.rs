//! Flex: where an account keeps its things.

use domain::{AccountSid, ChatServiceSid, WorkflowSid, WorkspaceSid};

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;
use crate::json;

/// The part of a Flex configuration that says where things are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlexConfiguration {
    /// The account.
    pub account: Option<AccountSid>,
    /// TaskRouter's workspace.
    pub workspace: Option<WorkspaceSid>,
    /// The Chat or Conversations service.
    pub chat_service: Option<ChatServiceSid>,
    /// The workflow that tasks go to by default.
    pub workflow: Option<WorkflowSid>,
}

impl Client {
    /// Reads the account's Flex configuration. It does not name the Proxy service.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used.
    pub async fn flex_configuration(&self) -> Result<FlexConfiguration, TwilioError> {
        let call = Call::get(Product::Flex, "/v1/Configuration".to_owned());
        self.ask(call, read_configuration).await
    }
}

fn read_configuration(text: &str) -> Option<FlexConfiguration> {
    let names = [
        "account_sid",
        "taskrouter_workspace_sid",
        "chat_service_instance_sid",
        "taskrouter_target_workflow_sid",
    ];
    let [account, workspace, chat_service, workflow] = json::members(text, names).ok()?;
    Some(FlexConfiguration {
        account: json::parsed(account),
        workspace: json::parsed(workspace),
        chat_service: json::parsed(chat_service),
        workflow: json::parsed(workflow),
    })
}
