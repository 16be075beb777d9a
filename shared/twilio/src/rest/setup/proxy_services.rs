//! Proxy services and the numbers that they speak from.

use domain::{ChatServiceSid, PhoneNumberSid, ProxyServiceSid};
use serde::Deserialize;

use super::Listed;
use super::fields::{Ref, word};
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::error::TwilioError;

/// The most that a page may hold (Twilio, OpenAPI of Proxy).
const PAGE_SIZE: u16 = 1000;

/// A Proxy service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ProxyService {
    /// The service.
    pub sid: ProxyServiceSid,
    /// Its name. Flex names its own `Flex Proxy Service`, and the name can be changed.
    #[serde(default, deserialize_with = "word")]
    pub unique_name: String,
    /// The Chat service that it delivers into.
    #[serde(default, rename = "chat_instance_sid")]
    pub chat_service: Ref<ChatServiceSid>,
}

/// A number in the pool of a Proxy service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct PoolNumber {
    /// The number.
    pub sid: PhoneNumberSid,
}

impl Client {
    /// Lists all Proxy services.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn proxy_services(&self) -> Result<Listed<ProxyService>, TwilioError> {
        let path = "/v1/Services".to_owned();
        self.whole(Product::Proxy, path, "services", PAGE_SIZE)
            .await
    }

    /// Lists the numbers in the pool of a Proxy service.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn proxy_pool(
        &self,
        service: ProxyServiceSid,
    ) -> Result<Listed<PoolNumber>, TwilioError> {
        let path = format!("/v1/Services/{service}/PhoneNumbers");
        self.whole(Product::Proxy, path, "phone_numbers", PAGE_SIZE)
            .await
    }
}
