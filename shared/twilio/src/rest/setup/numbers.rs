//! Phone numbers, and where their calls and messages go.

use domain::{AccountSid, PhoneNumberSid};
use serde::Deserialize;

use super::fields::{Contact, flag, text};
use super::{Listed, record};
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::call::Call;
use crate::rest::client::error::TwilioError;

/// The most that a page may hold (Twilio, OpenAPI of the API of 2010).
const PAGE_SIZE: u16 = 1000;

/// A phone number of the account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PhoneNumber {
    /// The number's SID.
    pub sid: PhoneNumberSid,
    /// The number itself.
    #[serde(rename = "phone_number")]
    pub contact: Contact,
    /// Its capabilities.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// The URL that its messages go to.
    #[serde(default, deserialize_with = "text")]
    pub sms_url: Option<String>,
    /// An application that its messages go to instead.
    #[serde(default, deserialize_with = "text")]
    pub sms_application_sid: Option<String>,
    /// The URL that its calls go to.
    #[serde(default, deserialize_with = "text")]
    pub voice_url: Option<String>,
    /// An application that its calls go to instead.
    #[serde(default, deserialize_with = "text")]
    pub voice_application_sid: Option<String>,
    /// A SIP trunk that its calls go to instead.
    #[serde(default, deserialize_with = "text")]
    pub trunk_sid: Option<String>,
}

/// The capabilities of a phone number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Capabilities {
    /// Calls.
    #[serde(default, deserialize_with = "flag")]
    pub voice: bool,
    /// Text messages.
    #[serde(default, deserialize_with = "flag")]
    pub sms: bool,
}

/// One thing to be changed about a phone number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberChange {
    /// Its messages go to this URL; an empty one removes the handler.
    MessagesTo(String),
    /// No application takes its messages away.
    NoMessageApplication,
    /// Its calls go to this URL.
    CallsTo(String),
    /// No application takes its calls away.
    NoCallApplication,
}

impl PhoneNumber {
    /// Makes a change in this value. Twilio is not asked.
    pub fn change(&mut self, change: &NumberChange) {
        let stored = |url: &String| Some(url.clone()).filter(|url| !url.is_empty());
        match change {
            NumberChange::MessagesTo(url) => self.sms_url = stored(url),
            NumberChange::NoMessageApplication => self.sms_application_sid = None,
            NumberChange::CallsTo(url) => self.voice_url = stored(url),
            NumberChange::NoCallApplication => self.voice_application_sid = None,
        }
    }
}

impl NumberChange {
    fn form(&self) -> Vec<(&str, &str)> {
        match self {
            Self::MessagesTo(url) => vec![("SmsUrl", url), ("SmsMethod", "POST")],
            Self::NoMessageApplication => vec![("SmsApplicationSid", "")],
            Self::CallsTo(url) => vec![("VoiceUrl", url), ("VoiceMethod", "POST")],
            Self::NoCallApplication => vec![("VoiceApplicationSid", "")],
        }
    }
}

impl Client {
    /// Lists all phone numbers of an account.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn phone_numbers(
        &self,
        account: AccountSid,
    ) -> Result<Listed<PhoneNumber>, TwilioError> {
        let path = format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json");
        self.whole(Product::Api, path, "incoming_phone_numbers", PAGE_SIZE)
            .await
    }

    /// Reads a phone number.
    ///
    /// # Errors
    ///
    /// Fails with [`TwilioError::Gone`] if it does not exist, and if Twilio refuses the request or
    /// gives no usable answer.
    pub async fn phone_number(
        &self,
        account: AccountSid,
        number: PhoneNumberSid,
    ) -> Result<PhoneNumber, TwilioError> {
        let call = Call::get(Product::Api, path_of(account, number));
        self.ask(call, |text| read_this(text, number)).await
    }

    /// Changes the handlers of a number, and returns the number as Twilio shows it then.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the request or gives no usable answer.
    pub async fn change_number(
        &self,
        account: AccountSid,
        number: PhoneNumberSid,
        change: &NumberChange,
    ) -> Result<PhoneNumber, TwilioError> {
        let path = path_of(account, number);
        let call = Call::post(Product::Api, path, &change.form()).once();
        self.ask(call, |text| read_this(text, number)).await
    }
}

fn path_of(account: AccountSid, number: PhoneNumberSid) -> String {
    format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{number}.json")
}

fn read_this(text: &str, asked_for: PhoneNumberSid) -> Option<PhoneNumber> {
    record(text).filter(|number: &PhoneNumber| number.sid == asked_for)
}
