//! Conversations: its defaults, its services, and the addresses that make conversations.

use std::time::Duration;

use domain::{AddressSid, ChatServiceSid, StudioFlowSid};
use serde::Deserialize;

use super::fields::{Contact, Ref, contact, flag, iso_8601_duration, word};
use super::{Listed, record};
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::call::Call;
use crate::rest::client::error::TwilioError;

/// The most addresses that a page may hold (Twilio, OpenAPI of Conversations).
const ADDRESSES: u16 = 50;

/// The most services that a page may hold (the same).
const SERVICES: u16 = 100;

/// The path of the addresses.
const PATH: &str = "/v1/Configuration/Addresses";

/// The defaults of new conversations.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ConversationDefaults {
    /// The service that they are made in.
    #[serde(default, rename = "default_chat_service_sid")]
    pub service: Ref<ChatServiceSid>,
    /// The silence after which Twilio closes them; `None` if it never does.
    #[serde(
        default,
        rename = "default_closed_timer",
        deserialize_with = "iso_8601_duration"
    )]
    pub closed_timer: Option<Duration>,
}

/// An address that makes conversations.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Address {
    /// The configuration.
    pub sid: AddressSid,
    /// `sms`, `whatsapp`, `messenger` and so on.
    #[serde(default, rename = "type", deserialize_with = "word")]
    pub kind: String,
    /// The address itself.
    #[serde(default, rename = "address", deserialize_with = "contact")]
    pub contact: Option<Contact>,
    /// The reaction to a message.
    #[serde(default, deserialize_with = "auto_creation")]
    pub auto_creation: AutoCreation,
}

/// The reaction to a message that belongs to no conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct AutoCreation {
    /// True if a conversation is made.
    #[serde(default, deserialize_with = "flag")]
    pub enabled: bool,
    /// `studio`, `webhook` or `default`.
    #[serde(default, rename = "type", deserialize_with = "word")]
    pub kind: String,
    /// The service that the conversation is made in; the default one where there is none.
    #[serde(default, rename = "conversation_service_sid")]
    pub service: Ref<ChatServiceSid>,
    /// For `studio`: the flow.
    #[serde(default, rename = "studio_flow_sid")]
    pub flow: Ref<StudioFlowSid>,
}

#[derive(Deserialize)]
struct Service {
    sid: ChatServiceSid,
}

impl Client {
    /// Reads the defaults of new conversations.
    ///
    /// # Errors
    ///
    /// Fails with [`TwilioError::Gone`] if it does not exist, and if Twilio refuses the request or
    /// gives no usable answer.
    pub async fn conversation_defaults(&self) -> Result<ConversationDefaults, TwilioError> {
        let call = Call::get(Product::Conversations, "/v1/Configuration".to_owned());
        self.ask(call, record).await
    }

    /// Lists the services, which Chat and Conversations share.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn every_chat_service(&self) -> Result<Listed<ChatServiceSid>, TwilioError> {
        let path = "/v1/Services".to_owned();
        let listed: Listed<Service> = self
            .whole(Product::Conversations, path, "services", SERVICES)
            .await?;
        Ok(Listed {
            items: listed.items.into_iter().map(|one| one.sid).collect(),
            unreadable: listed.unreadable,
        })
    }

    /// Lists the addresses that make conversations.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn addresses(&self) -> Result<Listed<Address>, TwilioError> {
        let path = PATH.to_owned();
        self.whole(
            Product::Conversations,
            path,
            "address_configurations",
            ADDRESSES,
        )
        .await
    }

    /// Reads an address.
    ///
    /// # Errors
    ///
    /// Fails with [`TwilioError::Gone`] if it does not exist, and if Twilio refuses the request or
    /// gives no usable answer.
    pub async fn address(&self, address: AddressSid) -> Result<Address, TwilioError> {
        let call = Call::get(Product::Conversations, format!("{PATH}/{address}"));
        self.ask(call, |text| read_this(text, address)).await
    }

    /// Lets an address hand its conversations to a Studio flow, and returns the address as Twilio
    /// shows it then.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn link_address(
        &self,
        address: AddressSid,
        flow: StudioFlowSid,
    ) -> Result<Address, TwilioError> {
        let form = [
            ("AutoCreation.Type", "studio"),
            ("AutoCreation.StudioFlowSid", flow.as_str()),
        ];
        let path = format!("{PATH}/{address}");
        let call = Call::post(Product::Conversations, path, &form).once();
        self.ask(call, |text| read_this(text, address)).await
    }
}

fn read_this(text: &str, asked_for: AddressSid) -> Option<Address> {
    record(text).filter(|seen: &Address| seen.sid == asked_for)
}

/// Reads an object; anything else makes nothing.
fn auto_creation<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<AutoCreation, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
