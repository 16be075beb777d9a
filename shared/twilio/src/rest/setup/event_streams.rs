//! Event Streams: sinks, subscriptions and types of events.

use std::fmt;

use domain::{SinkSid, SubscriptionSid};
use http::Uri;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fields::{Ref, flag, number, word};
use super::{Listed, record};
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::call::Call;
use crate::rest::client::error::TwilioError;

/// The most that a page may hold (Twilio, OpenAPI of Event Streams).
pub(super) const PAGE_SIZE: u16 = 1000;

/// A sink: where events go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sink {
    /// The sink.
    pub sid: SinkSid,
    /// `webhook`, `kinesis`, `segment` or `email`.
    #[serde(default, rename = "sink_type", deserialize_with = "word")]
    pub kind: String,
    /// `initialized`, `validating`, `active` or `failed`.
    #[serde(default, deserialize_with = "word")]
    pub status: String,
    /// For a webhook: the way in which it is called.
    #[serde(default, rename = "sink_configuration", deserialize_with = "webhook")]
    pub webhook: Webhook,
}

/// The way in which a webhook sink is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Webhook {
    /// Its URL.
    #[serde(default, deserialize_with = "destination")]
    pub destination: Option<Destination>,
    /// `POST` or `GET`; `POST` where it is empty.
    #[serde(default, deserialize_with = "word")]
    pub method: String,
    /// True if several events come in one request.
    #[serde(default, deserialize_with = "flag")]
    pub batch_events: bool,
}

/// A URL that events are sent to, without the user and password that may be in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination(String);

impl Destination {
    /// Reads a URL. Two that Twilio calls alike are equal: the port that the scheme implies, a
    /// slash at the end and the spelling of the host make no difference.
    pub fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.trim().parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let host = uri.host().filter(|host| !host.is_empty())?;
        let host = host.to_ascii_lowercase();
        let port = match (uri.port_u16(), scheme.as_str()) {
            (None, _) | (Some(443), "https") | (Some(80), "http") => String::new(),
            (Some(port), _) => format!(":{port}"),
        };
        let path = uri.path().trim_end_matches('/');
        let query = uri.query().map(|query| format!("?{query}"));
        let query = query.unwrap_or_default();
        Some(Self(format!("{scheme}://{host}{port}{path}{query}")))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A subscription: the events that a sink receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    /// The subscription.
    pub sid: SubscriptionSid,
    /// The sink that its events go to.
    #[serde(default, rename = "sink_sid")]
    pub sink: Ref<SinkSid>,
}

/// A type of event that a subscription holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SubscribedEvent {
    /// The type.
    #[serde(rename = "type")]
    pub name: String,
    /// The version of its schema.
    #[serde(default, deserialize_with = "number")]
    pub schema_version: Option<i64>,
}

/// A type of event that Twilio offers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EventType {
    /// The type.
    #[serde(rename = "type")]
    pub name: String,
    /// Its availability.
    #[serde(default, deserialize_with = "status")]
    pub status: TypeStatus,
}

/// The availability of a type of event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TypeStatus {
    /// Available, or of a status that we do not know.
    #[default]
    Available,
    /// Still available.
    Deprecated,
    /// Available to some accounts.
    Restricted,
    /// Not available.
    Discontinued,
}

impl Client {
    /// Lists all sinks.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn sinks(&self) -> Result<Listed<Sink>, TwilioError> {
        let path = "/v1/Sinks".to_owned();
        self.whole(Product::Events, path, "sinks", PAGE_SIZE).await
    }

    /// Lists all subscriptions.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn subscriptions(&self) -> Result<Listed<Subscription>, TwilioError> {
        let path = "/v1/Subscriptions".to_owned();
        self.whole(Product::Events, path, "subscriptions", PAGE_SIZE)
            .await
    }

    /// Lists the types of events that a subscription holds.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn subscribed_events(
        &self,
        subscription: SubscriptionSid,
    ) -> Result<Listed<SubscribedEvent>, TwilioError> {
        let path = events_of(subscription);
        self.whole(Product::Events, path, "types", PAGE_SIZE).await
    }

    /// Lists the types of events that Twilio offers.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn event_types(&self) -> Result<Listed<EventType>, TwilioError> {
        let path = "/v1/Types".to_owned();
        self.whole(Product::Events, path, "types", PAGE_SIZE).await
    }

    /// Adds a type to a subscription, in this version of its schema, and returns the type as
    /// Twilio shows it then.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn subscribe_also(
        &self,
        subscription: SubscriptionSid,
        event: &str,
        version: u8,
    ) -> Result<SubscribedEvent, TwilioError> {
        let version = version.to_string();
        let form = [("Type", event), ("SchemaVersion", &version)];
        let call = Call::post(Product::Events, events_of(subscription), &form).once();
        self.ask(call, record).await
    }

    /// Moves a type that a subscription holds to another version of its schema. The type must
    /// be one of ours: it becomes part of a path.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn set_schema_version(
        &self,
        subscription: SubscriptionSid,
        event: &'static str,
        version: u8,
    ) -> Result<SubscribedEvent, TwilioError> {
        let path = format!("{}/{event}", events_of(subscription));
        let version = version.to_string();
        let call = Call::post(Product::Events, path, &[("SchemaVersion", &version)]).once();
        self.ask(call, record).await
    }
}

fn events_of(subscription: SubscriptionSid) -> String {
    format!("/v1/Subscriptions/{subscription}/SubscribedEvents")
}

/// A configuration is an object or the text of one; anything else says nothing.
fn webhook<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Webhook, D::Error> {
    let mut value = Value::deserialize(deserializer)?;
    if let Value::String(text) = &value {
        value = serde_json::from_str(text).unwrap_or_default();
    }
    Ok(serde_json::from_value(value).unwrap_or_default())
}

fn destination<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Destination>, D::Error> {
    Ok(Destination::parse(&word(deserializer)?))
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TypeStatus, D::Error> {
    Ok(match word(deserializer)?.as_str() {
        "deprecated" => TypeStatus::Deprecated,
        "restricted" => TypeStatus::Restricted,
        "discontinued" => TypeStatus::Discontinued,
        _ => TypeStatus::Available,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_compared_as_twilio_calls_them_and_show_no_password() {
        let plain = Destination::parse("https://example.com/hook").unwrap();
        for url in [
            "https://user:secret@example.com/hook",
            "https://EXAMPLE.com:443/hook/",
            " HTTPS://example.com/hook",
        ] {
            let same = Destination::parse(url).unwrap();
            assert_eq!(same, plain, "{url}");
            assert!(!format!("{same:?}").contains("secret"));
        }
        for url in [
            "http://example.com/hook",
            "https://example.com:8443/hook",
            "https://example.com/Hook",
            "https://example.com/hook?tenant=a",
            "https://example.com",
        ] {
            assert_ne!(Destination::parse(url).unwrap(), plain, "{url}");
        }
        for url in ["", "example.com/hook", "/hook", "https://", "kinesis"] {
            assert_eq!(Destination::parse(url), None, "{url}");
        }
    }
}
