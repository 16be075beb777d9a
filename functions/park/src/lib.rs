//! Frees an agent while a customer is silent, and brings the chat back when they write.
//!
//! # Events
//!
//! * **Each minute**, the scheduler: due channels come from the index, every few seconds for
//!   a minute. Nothing due, no request to Twilio.
//! * **A customer's reply**, by the bus: one channel, at once. If that gets lost, the next
//!   poll finds it.
//! * **The agent**, from Flex, by the function's URL: see `api`.
//!
//! They are told apart by their shape. The URL is a function of its own over the same binary, with
//! executions of its own, so that requests of strangers keep no tick and no reply waiting. Chat channels tell their
//! messages to Flex alone, so each gets a webhook of its own as soon as an agent has its task;
//! it is looked at again for each task. The webhook function links no client of Twilio's, so
//! that is done here: the channel waits in a queue of its own until the next poll. The webhook
//! goes with its channel.
//!
//! TaskRouter deletes a task that is assigned for 24 hours, parked or not. An hour before, the
//! notice `ParkedTaskExpires` is published, once.
//!
//! # Attributes
//!
//! Each move changes one attribute and the TaskChannel of a task, by its version. Every other
//! byte of the attributes stays. What cannot be moved is left as it is and reported.

mod announce;
mod api;
mod body;
mod error;
mod flex_ids;
mod manual;
mod moves;
mod plan;
mod settings;
mod summary;
mod tick;
mod tokens;
mod upkeep;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use domain::{ChannelSid, InvalidSid, Timestamp};
use runtime::NoticeKind;
use runtime::access::{AccessError, KeptClient};
use serde_json::Value;
use twilio::rest::{Client, Transport};

use crate::flex_ids::Checked;
use crate::tokens::Tokens;

pub use api::Answer;
pub use error::ParkError;
pub use manual::{ManualMove, MoveError};
pub use settings::{InvalidOrigin, Origin, Settings, WebhookUrl};
pub use summary::Summary;

/// The most requests to Twilio that are under way at a time.
const MAX_IN_FLIGHT: usize = 10;

/// The parking function.
pub struct Park {
    settings: Settings,
    transport: Arc<dyn Transport>,
    client: KeptClient,
    checked: Checked,
    tokens: Tokens,
}

impl Park {
    /// Creates the function with these settings, over this transport.
    pub fn new(settings: Settings, transport: Arc<dyn Transport>) -> Self {
        Self {
            settings,
            transport,
            client: KeptClient::default(),
            checked: Checked::default(),
            tokens: Tokens::default(),
        }
    }

    /// Where the credentials must be fetched, does that, and checks the pairs of TaskChannels
    /// at Twilio, so that a wrong one is logged at start: at start a function has the whole
    /// processor for the handshakes. Elsewhere the first run does so. A failure is no reason
    /// not to start: it is looked again before anything is moved.
    pub async fn warm_up(&self, now: Timestamp) {
        if !self.settings.secrets.are_fetched() {
            return;
        }
        if let Err(error) = self.check(now).await {
            tracing::error!(%error, "started without usable TaskChannels: nothing is moved");
        }
    }

    /// Checks the pairs of TaskChannels at Twilio.
    ///
    /// # Errors
    ///
    /// Fails with everything that is wrong with them, or why they could not be looked at.
    pub async fn check(&self, now: Timestamp) -> Result<(), ParkError> {
        let twilio = self.client(now).await?;
        self.checked.ids(&twilio, &self.settings).await?;
        Ok(())
    }

    /// Handles an event: the schedule's, a notice of a reply, or a request to the URL.
    ///
    /// # Errors
    ///
    /// Fails when nothing can be moved until a person mends it. A request from Flex is always
    /// answered.
    pub async fn handle(
        &self,
        event: Value,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<Value, ParkError> {
        if event.pointer("/requestContext/http").is_some() {
            return Ok(self.answer_url(event, now).await);
        }
        let summary = match replied_channel(&event) {
            Some(Ok(channel)) => self.reply(channel, now).await?,
            Some(Err(why)) => {
                tracing::error!(%why, "a notice of a reply cannot be read: the next poll finds it");
                Summary::default()
            }
            None => self.tick_scheduled(now, time_left).await?,
        };
        Ok(serde_json::to_value(summary).unwrap_or_default())
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the client with the present credentials. It is kept from run to run, and with it
    /// what Twilio asked us to wait.
    pub(crate) async fn client(&self, now: Timestamp) -> Result<Client, AccessError> {
        let Settings {
            secrets, account, ..
        } = &self.settings;
        let client = &self.client;
        client
            .get(secrets, account, &self.transport, MAX_IN_FLIGHT, now)
            .await
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(crate) fn checked(&self) -> &Checked {
        &self.checked
    }
}

/// Returns the channel that a notice of a reply names, if the event is one.
fn replied_channel(event: &Value) -> Option<Result<ChannelSid, InvalidSid>> {
    let kind = event.get("detail-type")?.as_str()?;
    (kind == NoticeKind::ReplyReceived.name()).then(|| {
        let channel = event.pointer("/detail/channel_sid").and_then(Value::as_str);
        channel.unwrap_or_default().parse()
    })
}
