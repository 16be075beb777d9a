//! Who takes part in a channel, apart from what is said there.

use domain::{ChannelSid, ChatServiceSid};

use super::base::Product;
use super::client::Client;
use super::page::{Entry, List, ListFailure};
use crate::json;

/// A channel has five webhooks at most (Twilio, Chat and Conversations), and a page holds more.
const WEBHOOKS: &str = "PageSize=50";

/// The most that a page may hold (Twilio, OpenAPI of Conversations).
const PARTICIPANTS: &str = "PageSize=100";

impl Client {
    /// Whether a Studio flow is told of a Chat channel's messages, as it is while a bot or a
    /// menu talks to the customer.
    pub async fn chat_channel_has_flow(
        &self,
        service: ChatServiceSid,
        channel: ChannelSid,
    ) -> Result<bool, ListFailure> {
        let list = List {
            product: Product::Chat,
            path: format!("/v2/Services/{service}/Channels/{channel}/Webhooks"),
            query: WEBHOOKS.to_owned(),
        };
        self.any(list, "webhooks", |text| is_studio(text, "type"))
            .await
    }

    /// Whether a Studio flow is told of a Conversation's messages.
    pub async fn conversation_has_flow(
        &self,
        service: ChatServiceSid,
        conversation: ChannelSid,
    ) -> Result<bool, ListFailure> {
        let list = List {
            product: Product::Conversations,
            path: format!("/v1/Services/{service}/Conversations/{conversation}/Webhooks"),
            query: WEBHOOKS.to_owned(),
        };
        self.any(list, "webhooks", |text| is_studio(text, "target"))
            .await
    }

    /// Whether a customer's address, such as a phone number, is bound to a Conversation. The
    /// address itself is not kept.
    pub async fn conversation_has_address(
        &self,
        service: ChatServiceSid,
        conversation: ChannelSid,
    ) -> Result<bool, ListFailure> {
        let list = List {
            product: Product::Conversations,
            path: format!("/v1/Services/{service}/Conversations/{conversation}/Participants"),
            query: PARTICIPANTS.to_owned(),
        };
        self.any(list, "participants", has_address).await
    }

    /// Whether an entry of a list is wanted. What cannot be read is nobody we could tell
    /// apart, so the list as a whole is not believed.
    async fn any(
        &self,
        list: List,
        key: &str,
        is_wanted: impl Fn(&str) -> Option<bool>,
    ) -> Result<bool, ListFailure> {
        let read = |text: &str| match is_wanted(text) {
            Some(true) => Entry::Wanted(()),
            Some(false) => Entry::Unwanted,
            None => Entry::Unreadable,
        };
        let mut next = None;
        loop {
            let page = self
                .entries(list.clone(), key, next.as_ref(), &read)
                .await?;
            if page.unreadable > 0 {
                return Err(super::error::TwilioError::garbage().into());
            }
            if !page.items.is_empty() {
                return Ok(true);
            }
            next = page.next;
            if next.is_none() {
                return Ok(false);
            }
        }
    }
}

fn is_studio(webhook: &str, kind: &str) -> Option<bool> {
    let [kind] = json::members(webhook, [kind]).ok()?;
    Some(json::text(kind?)? == "studio")
}

fn has_address(participant: &str) -> Option<bool> {
    let [sid, binding] = json::members(participant, ["sid", "messaging_binding"]).ok()?;
    sid?;
    let Some(binding) = binding else {
        return Some(false);
    };
    let [address] = json::members(binding.get(), ["address"]).ok()?;
    Some(address.is_some())
}
