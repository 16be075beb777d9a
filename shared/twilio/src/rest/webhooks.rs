//! Programmable Chat: webhooks of single channels.
//!
//! The service has one webhook, and Flex needs it. A channel has room for [`MOST_WEBHOOKS`]
//! more, one of which Studio may have taken. They go with their channel.

use domain::{ChannelSid, ChatServiceSid};
use serde_json::value::RawValue;

use super::base::Product;
use super::client::{Call, Client};
use super::error::TwilioError;
use crate::json;

/// The most webhooks that a channel may have (Twilio, Chat channel webhooks).
pub const MOST_WEBHOOKS: usize = 5;

/// The event that ours tells.
const MESSAGE_SENT: &str = "onMessageSent";

/// How often Twilio repeats a call that failed, at most.
const RETRIES: &str = "3";

/// Whether a channel's messages are told to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// They were before.
    Found,
    /// They are from now on.
    Added,
    /// The channel has no room for another webhook.
    NoRoom,
    /// Twilio does not know the channel.
    NoChannel,
}

impl Client {
    /// Makes sure that a Chat channel's messages are told to this URL: at most two calls, and
    /// the same however often it is asked for.
    pub async fn listen_to_channel(
        &self,
        service: ChatServiceSid,
        channel: ChannelSid,
        url: &str,
    ) -> Result<Listener, TwilioError> {
        let path = format!("/v2/Services/{service}/Channels/{channel}/Webhooks");
        let list = Call::get(Product::Chat, format!("{path}?PageSize=50"));
        let found = match self.ask(list, |text| read_webhooks(text, url)).await {
            Ok(found) => found,
            Err(TwilioError::Gone) => return Ok(Listener::NoChannel),
            Err(error) => return Err(error),
        };
        if found.ours {
            return Ok(Listener::Found);
        }
        if found.all >= MOST_WEBHOOKS {
            return Ok(Listener::NoRoom);
        }
        let form = [
            ("Type", "webhook"),
            ("Configuration.Url", url),
            ("Configuration.Method", "POST"),
            ("Configuration.Filters", MESSAGE_SENT),
            ("Configuration.RetryCount", RETRIES),
        ];
        // Once: a second try whose first one had an effect would add a second webhook.
        let call = Call::post(Product::Chat, path, &form).once();
        match self.tell(call).await {
            Ok(()) => Ok(Listener::Added),
            Err(TwilioError::Gone) => Ok(Listener::NoChannel),
            Err(error) => Err(error),
        }
    }
}

struct Found {
    all: usize,
    ours: bool,
}

fn read_webhooks(text: &str, url: &str) -> Option<Found> {
    let [list] = json::members(text, ["webhooks"]).ok()?;
    let webhooks: Vec<&RawValue> = serde_json::from_str(list?.get()).ok()?;
    let is_ours = |webhook: &&RawValue| {
        let [configuration] = json::members(webhook.get(), ["configuration"]).ok()?;
        let [target, filters] = json::members(configuration?.get(), ["url", "filters"]).ok()?;
        let filters: Vec<String> = serde_json::from_str(filters?.get()).ok()?;
        let told = filters.iter().any(|filter| filter == MESSAGE_SENT);
        Some(told && json::text(target?)? == url)
    };
    Some(Found {
        all: webhooks.len(),
        ours: webhooks
            .iter()
            .any(|webhook| is_ours(webhook) == Some(true)),
    })
}
