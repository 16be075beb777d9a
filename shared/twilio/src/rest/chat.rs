//! Programmable Chat: channels and their attributes.

use domain::{ChannelSid, ChatServiceSid};

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;
use crate::attributes::{Attributes, NotAnObject};
use crate::json;

/// A Chat channel as Twilio shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatChannel {
    /// The channel.
    pub sid: ChannelSid,
    /// Its attributes, as far as they can be understood.
    pub attributes: Result<Attributes, NotAnObject>,
}

impl Client {
    /// Reads a channel.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. A
    /// channel that does not exist is [`TwilioError::Gone`].
    pub async fn chat_channel(
        &self,
        service: ChatServiceSid,
        channel: ChannelSid,
    ) -> Result<ChatChannel, TwilioError> {
        let call = Call::get(Product::Chat, channel_path(service, channel));
        let seen = self.ask(call, |text| read_channel(text, channel)).await?;
        self.chat_services().insert(service);
        Ok(seen)
    }

    /// Replaces a channel's attributes as a whole, and tells Flex by its webhook. What is
    /// returned is the channel as Twilio says it is now. It is tried once: read the channel
    /// again before the next try.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. It
    /// is not known then whether the attributes were replaced.
    pub async fn set_chat_attributes(
        &self,
        service: ChatServiceSid,
        channel: ChannelSid,
        attributes: &str,
    ) -> Result<ChatChannel, TwilioError> {
        let form = [("Attributes", attributes)];
        let call = Call::post(Product::Chat, channel_path(service, channel), &form)
            .with_webhooks()
            .once();
        self.ask(call, |text| read_channel(text, channel)).await
    }

    /// Deletes a channel with all its messages, and tells Flex by its webhook.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. A
    /// channel that does not exist is [`TwilioError::Gone`].
    pub async fn delete_chat_channel(
        &self,
        service: ChatServiceSid,
        channel: ChannelSid,
    ) -> Result<(), TwilioError> {
        let path = channel_path(service, channel);
        self.tell(Call::delete(Product::Chat, path).with_webhooks())
            .await
    }

    /// Makes sure that a service is there. It is asked for once: Twilio says the same of a
    /// channel that is gone and of any channel of a service that does not exist, or that was
    /// switched off with the product.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. A
    /// service that does not exist is [`TwilioError::Gone`].
    pub async fn chat_service_exists(&self, service: ChatServiceSid) -> Result<(), TwilioError> {
        if self.chat_services().contains(&service) {
            return Ok(());
        }
        let path = format!("/v2/Services/{service}");
        let call = Call::get(Product::Chat, path);
        self.ask(call, |text| read_service(text, service)).await?;
        self.chat_services().insert(service);
        Ok(())
    }
}

fn channel_path(service: ChatServiceSid, channel: ChannelSid) -> String {
    format!("/v2/Services/{service}/Channels/{channel}")
}

/// Makes sure that an answer shows this very service: whatever else answers with a success is
/// no proof that it is there. Chat and Conversations name it alike.
pub(super) fn read_service(text: &str, asked_for: ChatServiceSid) -> Option<()> {
    let [sid] = json::members(text, ["sid"]).ok()?;
    (json::parsed(sid) == Some(asked_for)).then_some(())
}

fn read_channel(text: &str, asked_for: ChannelSid) -> Option<ChatChannel> {
    let [sid, attributes] = json::members(text, ["sid", "attributes"]).ok()?;
    let sid: ChannelSid = json::parsed(sid)?;
    // They are a JSON text in a JSON string. A string that says no Unicode text could not be
    // written back as it is, so it is not understood.
    let text = attributes.and_then(|text| serde_json::from_str::<String>(text.get()).ok());
    (sid == asked_for).then(|| ChatChannel {
        sid,
        attributes: text.map_or(Err(NotAnObject), |text| Attributes::parse(&text)),
    })
}
