//! Event Streams: making and removing a connection.
//!
//! A sink's URL cannot be changed, and a sink feeds one subscription at most, so another URL is
//! another sink and another subscription. Calls that make something are made once: a second
//! one would make a second thing.

use domain::{SinkSid, SubscriptionSid};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::event_streams::{PAGE_SIZE, Sink, Subscription};
use super::fields::word;
use super::{Listed, record};
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::call::Call;
use crate::rest::client::error::TwilioError;

/// A sink, with its description.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DescribedSink {
    /// The sink.
    #[serde(flatten)]
    pub sink: Sink,
    /// Its description.
    #[serde(default, deserialize_with = "word")]
    pub description: String,
}

impl Client {
    /// Lists all sinks, with their descriptions.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn described_sinks(&self) -> Result<Listed<DescribedSink>, TwilioError> {
        let path = "/v1/Sinks".to_owned();
        self.whole(Product::Events, path, "sinks", PAGE_SIZE).await
    }

    /// Creates a webhook sink that sends several events in one request. The URL may hold a user
    /// and a password.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn create_webhook_sink(
        &self,
        description: &str,
        url: &SecretString,
    ) -> Result<Sink, TwilioError> {
        let configuration = serde_json::json!({
            "destination": url.expose_secret(),
            "method": "POST",
            "batch_events": true,
        })
        .to_string();
        let form = [
            ("Description", description),
            ("SinkConfiguration", &configuration),
            ("SinkType", "webhook"),
        ];
        let call = Call::post(Product::Events, "/v1/Sinks".to_owned(), &form).once();
        self.ask(call, record).await
    }

    /// Asks Twilio to send a sink its test event.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn test_sink(&self, sink: SinkSid) -> Result<(), TwilioError> {
        let path = format!("/v1/Sinks/{sink}/Test");
        self.tell(Call::post(Product::Events, path, &[])).await
    }

    /// Deletes a sink that feeds no subscription.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn delete_sink(&self, sink: SinkSid) -> Result<(), TwilioError> {
        let path = format!("/v1/Sinks/{sink}");
        self.tell(Call::delete(Product::Events, path)).await
    }

    /// Subscribes a sink to types of events, each in a version of its schema.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn create_subscription(
        &self,
        description: &str,
        sink: SinkSid,
        types: &[(&str, u8)],
    ) -> Result<Subscription, TwilioError> {
        let types: Vec<String> = types
            .iter()
            .map(|(name, version)| {
                serde_json::json!({ "type": name, "schema_version": version }).to_string()
            })
            .collect();
        // The field is repeated, each value one object: a list in one field is refused
        // (Twilio's Node library, `arrayFormat: repeat`).
        let mut form = vec![("Description", description), ("SinkSid", sink.as_str())];
        form.extend(types.iter().map(|one| ("Types", one.as_str())));
        let call = Call::post(Product::Events, "/v1/Subscriptions".to_owned(), &form).once();
        self.ask(call, record).await
    }

    /// Deletes a subscription. Its sink stays.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn delete_subscription(
        &self,
        subscription: SubscriptionSid,
    ) -> Result<(), TwilioError> {
        let path = format!("/v1/Subscriptions/{subscription}");
        self.tell(Call::delete(Product::Events, path)).await
    }
}
