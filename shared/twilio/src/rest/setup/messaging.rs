//! Messaging services, which may take the messages of the numbers in them.

use domain::{MessagingServiceSid, PhoneNumberSid};
use serde::Deserialize;

use super::Listed;
use super::fields::flag;
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::error::TwilioError;

/// The most that a page may hold (Twilio, OpenAPI of Messaging).
const PAGE_SIZE: u16 = 1000;

/// A messaging service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct MessagingService {
    /// The service.
    pub sid: MessagingServiceSid,
    /// True if it leaves incoming messages to the URL of the number that they came to.
    #[serde(
        default,
        rename = "use_inbound_webhook_on_number",
        deserialize_with = "flag"
    )]
    pub defers_to_number: bool,
}

#[derive(Deserialize)]
struct Member {
    sid: PhoneNumberSid,
}

impl Client {
    /// Lists all messaging services.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn messaging_services(&self) -> Result<Listed<MessagingService>, TwilioError> {
        let path = "/v1/Services".to_owned();
        self.whole(Product::Messaging, path, "services", PAGE_SIZE)
            .await
    }

    /// Lists the numbers in a messaging service.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn numbers_of(
        &self,
        service: MessagingServiceSid,
    ) -> Result<Listed<PhoneNumberSid>, TwilioError> {
        let path = format!("/v1/Services/{service}/PhoneNumbers");
        let listed: Listed<Member> = self
            .whole(Product::Messaging, path, "phone_numbers", PAGE_SIZE)
            .await?;
        Ok(Listed {
            items: listed.items.into_iter().map(|member| member.sid).collect(),
            unreadable: listed.unreadable,
        })
    }
}
