//! Flex Flows, which take the messages for which no Chat channel is open.

use domain::{ChatServiceSid, FlexFlowSid, StudioFlowSid, WorkflowSid, WorkspaceSid};
use serde::Deserialize;

use super::fields::{Contact, Ref, contact, flag, number, text, word};
use super::{Listed, record};
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::call::Call;
use crate::rest::client::error::TwilioError;

/// The path of the Flex Flows.
const PATH: &str = "/v1/FlexFlows";

/// The most that a page may hold (Twilio, OpenAPI of Flex).
const PAGE_SIZE: u16 = 1000;

/// The channel type of text messages.
const SMS: &str = "sms";

/// The name of a new Flex Flow, as in the Console.
const NAME: &str = "Flex SMS Channel Flow";

/// The number of times that a new Flex Flow tries its Studio flow again: Twilio's default.
const RETRIES: u8 = 3;

/// A Flex Flow, with everything of it that can be set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FlexFlow {
    /// The flow.
    pub sid: FlexFlowSid,
    /// Its name.
    #[serde(default, deserialize_with = "word")]
    pub friendly_name: String,
    /// The service that it makes channels in.
    #[serde(default, rename = "chat_service_sid")]
    pub chat_service: Ref<ChatServiceSid>,
    /// The type of the customers' address: `web`, `sms`, `whatsapp`, `facebook`, `line` or `custom`.
    #[serde(default, deserialize_with = "word")]
    pub channel_type: String,
    /// The address that customers write to; none for the web.
    #[serde(default, deserialize_with = "contact")]
    pub contact_identity: Option<Contact>,
    /// True if it takes messages.
    #[serde(default, deserialize_with = "flag")]
    pub enabled: bool,
    /// The kind of its target.
    #[serde(default, rename = "integration_type", deserialize_with = "kind")]
    pub kind: Option<Kind>,
    /// Its target.
    #[serde(default, deserialize_with = "integration")]
    pub integration: Integration,
    /// True if its channels outlive their tasks.
    #[serde(default, deserialize_with = "flag")]
    pub long_lived: bool,
    /// True if Twilio's own janitor ends the Proxy sessions of its channels.
    #[serde(default, deserialize_with = "flag")]
    pub janitor_enabled: bool,
}

/// The kind of target that a Flex Flow sends its messages to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a flow of Studio.
    Studio,
    /// To a URL outside Twilio.
    External,
    /// Straight into a task.
    Task,
}

/// The target that a Flex Flow sends its messages to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Integration {
    /// For Studio: the flow.
    #[serde(default, rename = "flow_sid")]
    pub flow: Ref<StudioFlowSid>,
    /// For a URL outside Twilio: that URL.
    #[serde(default, deserialize_with = "text")]
    pub url: Option<String>,
    /// For a task: the workspace.
    #[serde(default, rename = "workspace_sid")]
    pub workspace: Ref<WorkspaceSid>,
    /// For a task: the workflow.
    #[serde(default, rename = "workflow_sid")]
    pub workflow: Ref<WorkflowSid>,
    /// For a task: the TaskChannel's SID or unique name.
    #[serde(default, deserialize_with = "text")]
    pub channel: Option<String>,
    /// For a task: how long it may wait, in seconds.
    #[serde(default, deserialize_with = "number")]
    pub timeout: Option<i64>,
    /// For a task: how urgent it is.
    #[serde(default, deserialize_with = "number")]
    pub priority: Option<i64>,
    /// For an outbound message: whether the task waits for the customer's answer.
    #[serde(default, deserialize_with = "choice")]
    pub creation_on_message: Option<bool>,
    /// For Studio and a URL: how often it is tried again, 0 to 3.
    #[serde(default, deserialize_with = "number")]
    pub retry_count: Option<i64>,
}

/// A Flex Flow to be made for text messages, as Twilio sets up a new number: it leads to a
/// Studio flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFlexFlow {
    /// The number that customers write to.
    pub contact: Contact,
    /// The service that it makes channels in.
    pub chat_service: ChatServiceSid,
    /// The Studio flow that its messages go to.
    pub flow: StudioFlowSid,
    /// True if its channels outlive their tasks.
    pub long_lived: bool,
    /// True if Twilio's own janitor ends the Proxy sessions of its channels.
    pub janitor_enabled: bool,
}

impl NewFlexFlow {
    /// Returns true if a Flex Flow is the one that was to be made.
    pub fn is_made(&self, flow: &FlexFlow) -> bool {
        flow.enabled
            && flow.channel_type == SMS
            && flow.contact_identity.as_ref() == Some(&self.contact)
            && flow.chat_service == Ref::To(self.chat_service)
            && flow.kind == Some(Kind::Studio)
            && flow.integration.flow == Ref::To(self.flow)
            && flow.long_lived == self.long_lived
            && flow.janitor_enabled == self.janitor_enabled
    }

    fn form(&self) -> Vec<(&'static str, String)> {
        vec![
            ("FriendlyName", NAME.to_owned()),
            ("ChannelType", SMS.to_owned()),
            ("ContactIdentity", self.contact.expose().to_owned()),
            ("ChatServiceSid", self.chat_service.to_string()),
            ("Enabled", true.to_string()),
            ("IntegrationType", Kind::Studio.word().to_owned()),
            ("Integration.FlowSid", self.flow.to_string()),
            ("Integration.RetryCount", RETRIES.to_string()),
            ("LongLived", self.long_lived.to_string()),
            ("JanitorEnabled", self.janitor_enabled.to_string()),
        ]
    }
}

impl FlexFlow {
    /// Everything that can be set, as Twilio takes it. Whether an update that leaves out a part
    /// of the integration keeps that part is not documented, so nothing is left out. A
    /// reference that is no SID cannot be sent, and is.
    fn form(&self) -> Vec<(&'static str, String)> {
        let of = |there: bool| there.to_string();
        let mut form = vec![
            ("FriendlyName", self.friendly_name.clone()),
            ("ChannelType", self.channel_type.clone()),
            ("Enabled", of(self.enabled)),
            ("LongLived", of(self.long_lived)),
            ("JanitorEnabled", of(self.janitor_enabled)),
        ];
        let mut add = |name, value: Option<String>| {
            form.extend(value.map(|value| (name, value)));
        };
        let service = self.chat_service.target();
        add("ChatServiceSid", service.map(|sid| sid.to_string()));
        let contact = self.contact_identity.as_ref();
        add(
            "ContactIdentity",
            contact.map(|contact| contact.expose().to_owned()),
        );
        add(
            "IntegrationType",
            self.kind.map(|kind| kind.word().to_owned()),
        );
        let target = &self.integration;
        let flow = target.flow.target();
        add("Integration.FlowSid", flow.map(|sid| sid.to_string()));
        add("Integration.Url", target.url.clone());
        let workspace = target.workspace.target();
        add(
            "Integration.WorkspaceSid",
            workspace.map(|sid| sid.to_string()),
        );
        let workflow = target.workflow.target();
        add(
            "Integration.WorkflowSid",
            workflow.map(|sid| sid.to_string()),
        );
        add("Integration.Channel", target.channel.clone());
        add(
            "Integration.Timeout",
            target.timeout.map(|seconds| seconds.to_string()),
        );
        add(
            "Integration.Priority",
            target.priority.map(|level| level.to_string()),
        );
        add(
            "Integration.CreationOnMessage",
            target.creation_on_message.map(of),
        );
        add(
            "Integration.RetryCount",
            target.retry_count.map(|count| count.to_string()),
        );
        form
    }
}

impl Kind {
    /// Twilio's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Studio => "studio",
            Self::External => "external",
            Self::Task => "task",
        }
    }
}

impl Client {
    /// Lists all Flex Flows.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn flex_flows(&self) -> Result<Listed<FlexFlow>, TwilioError> {
        self.whole(Product::Flex, PATH.to_owned(), "flex_flows", PAGE_SIZE)
            .await
    }

    /// Reads a Flex Flow.
    ///
    /// # Errors
    ///
    /// Fails with [`TwilioError::Gone`] if it does not exist, and if Twilio refuses the request or
    /// gives no usable answer.
    pub async fn flex_flow(&self, flow: FlexFlowSid) -> Result<FlexFlow, TwilioError> {
        let call = Call::get(Product::Flex, format!("{PATH}/{flow}"));
        self.ask(call, |text| read_this(text, flow)).await
    }

    /// Sets everything about a Flex Flow that can be set, and returns the flow as Twilio shows it
    /// then. It is tried once.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn set_flex_flow(&self, flow: &FlexFlow) -> Result<FlexFlow, TwilioError> {
        let path = format!("{PATH}/{}", flow.sid);
        let call = Call::post(Product::Flex, path, &pairs(&flow.form())).once();
        self.ask(call, |text| read_this(text, flow.sid)).await
    }

    /// Makes a Flex Flow. It is tried once: after a lost answer, only the list shows if it was
    /// made.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn create_flex_flow(&self, flow: &NewFlexFlow) -> Result<FlexFlow, TwilioError> {
        let form = flow.form();
        let call = Call::post(Product::Flex, PATH.to_owned(), &pairs(&form)).once();
        self.ask(call, record).await
    }
}

fn pairs<'a>(form: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    let pair = |(name, value): &'a (&'static str, String)| (*name, value.as_str());
    form.iter().map(pair).collect()
}

fn read_this(text: &str, asked_for: FlexFlowSid) -> Option<FlexFlow> {
    record(text).filter(|flow: &FlexFlow| flow.sid == asked_for)
}

fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Kind>, D::Error> {
    let word = word(deserializer)?;
    let known = [Kind::Studio, Kind::External, Kind::Task];
    Ok(known.into_iter().find(|kind| kind.word() == word))
}

fn choice<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_bool())
}

/// An integration that is no object is an empty one.
fn integration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Integration, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
