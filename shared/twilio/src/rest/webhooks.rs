//! Programmable Chat: webhooks of single channels.
//!
//! The service has one webhook, and Flex needs it. A channel has room for [`MAX_WEBHOOKS`]
//! more, one of which Studio may have taken. They go with their channel
//! (<https://www.twilio.com/docs/chat/rest/channel-webhook-resource>).

use domain::{ChannelSid, ChatServiceSid};
use serde_json::value::RawValue;

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;
use crate::json;

/// The most webhooks that a channel may have, and the largest page of their list.
pub const MAX_WEBHOOKS: usize = 5;

/// The event that our webhook tells.
const MESSAGE_SENT: &str = "onMessageSent";

/// The most times that Twilio repeats a call that failed.
const RETRIES: &str = "3";

/// The state of our webhook of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookState {
    /// The channel had it before.
    Found,
    /// The channel has it from now on.
    Added,
    /// The channel has no room for another webhook.
    NoRoom,
    /// Twilio does not know the channel.
    NoChannel,
}

impl Client {
    /// Makes sure that a Chat channel has one webhook that tells its messages to this URL, and
    /// no other one of ours: two calls where it has none, one where it has it.
    ///
    /// A webhook is ours if it leads to the same place, with whatever user and password.
    ///
    /// # Errors
    ///
    /// Fails when Twilio refuses, does not answer, or answers something else than a list.
    pub async fn install_message_webhook(
        &self,
        service: ChatServiceSid,
        channel: ChannelSid,
        url: &str,
    ) -> Result<WebhookState, TwilioError> {
        match self.install(service, channel, url).await {
            Err(TwilioError::Gone) => Ok(WebhookState::NoChannel),
            answer => answer,
        }
    }

    async fn install(
        &self,
        service: ChatServiceSid,
        channel: ChannelSid,
        url: &str,
    ) -> Result<WebhookState, TwilioError> {
        let path = format!("/v2/Services/{service}/Channels/{channel}/Webhooks");
        let list = Call::get(Product::Chat, format!("{path}?PageSize={MAX_WEBHOOKS}"));
        let found = self.ask(list, |text| read_webhooks(text, url)).await?;
        for left_over in &found.left_over {
            let call = Call::delete(Product::Chat, format!("{path}/{left_over}"));
            match self.tell(call).await {
                Ok(()) | Err(TwilioError::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        if found.installed {
            return Ok(WebhookState::Found);
        }
        if found.others >= MAX_WEBHOOKS {
            return Ok(WebhookState::NoRoom);
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
        self.tell(call).await.map(|()| WebhookState::Added)
    }
}

/// The webhooks of a channel.
struct Found {
    /// True if one of them is ours as it should be.
    installed: bool,
    /// The SIDs of ours that should not be there: they are doubles, or their URL is old.
    left_over: Vec<String>,
    /// Returns the number of webhooks that are not ours.
    others: usize,
}

fn read_webhooks(text: &str, url: &str) -> Option<Found> {
    let [list] = json::members(text, ["webhooks"]).ok()?;
    let webhooks: Vec<&RawValue> = serde_json::from_str(list?.get()).ok()?;
    let mut found = Found {
        installed: false,
        left_over: Vec::new(),
        others: 0,
    };
    for webhook in webhooks {
        match read_ours(webhook, url) {
            None => found.others += 1,
            Some(ours) if ours.is_right && !found.installed => found.installed = true,
            Some(ours) => found.left_over.push(ours.sid),
        }
    }
    Some(found)
}

/// A webhook that leads to us.
struct Ours {
    sid: String,
    is_right: bool,
}

fn read_ours(webhook: &RawValue, url: &str) -> Option<Ours> {
    let [sid, configuration] = json::members(webhook.get(), ["sid", "configuration"]).ok()?;
    let [target, filters] = json::members(configuration?.get(), ["url", "filters"]).ok()?;
    let target = json::text(target?)?;
    if place(&target)? != place(url)? {
        return None;
    }
    let filters: Vec<String> = serde_json::from_str(filters?.get()).ok()?;
    let sid = json::text(sid?)?;
    let is_sid = sid.len() == 34 && sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_sid.then(|| Ours {
        is_right: target == url && filters == [MESSAGE_SENT],
        sid: sid.into_owned(),
    })
}

/// A URL's scheme, and the rest of it without user and password.
pub(super) fn place(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end]);
    let user = authority.rfind('@').map_or(0, |at| at + 1);
    Some((scheme, &rest[user..]))
}
