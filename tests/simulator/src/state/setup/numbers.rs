//! Phone numbers: whose they are, where they lead, and which addresses make conversations.

use crate::state::State;
use crate::state::refusal::Refusal;
use crate::state::setup::flex::Project;
use crate::state::shelf::Shelf;
use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The number of a new project that leads to Chat.
pub(crate) const CHAT_NUMBER: &str = "+15550100001";
/// The number of a new project that leads to Conversations.
pub(crate) const CONVERSATIONS_NUMBER: &str = "+15550100002";

/// Holds the numbers and where they lead.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Numbers {
    pub(crate) owned: Shelf<IncomingNumber>,
    pub(crate) pool: Shelf<PoolNumber>,
    pub(crate) addresses: Shelf<AddressConfiguration>,
}

/// Is a phone number of the account, PN….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IncomingNumber {
    /// The number's SID.
    pub sid: Sid,
    /// The number itself.
    pub phone_number: String,
    /// Its name.
    pub friendly_name: String,
    /// Where it leads, in Twilio's snake-case keys, e.g. `sms_url`.
    pub settings: Map<String, Value>,
    /// When it was bought.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Is a number in the pool of a Proxy service; it has the SID of the number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PoolNumber {
    /// The number's SID.
    pub sid: Sid,
    /// The Proxy service.
    pub service: Sid,
    /// The number itself.
    pub phone_number: String,
    /// True if only explicit requests may use it.
    pub reserved: bool,
    /// When it came into the pool.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Says which conversations an address makes, IG….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddressConfiguration {
    /// The configuration's SID.
    pub sid: Sid,
    /// `sms`, `whatsapp`, `messenger` and so on.
    pub kind: String,
    /// The address itself.
    pub address: String,
    /// Its name.
    pub friendly_name: Option<String>,
    /// The thing that is made, in Twilio's snake-case keys.
    pub auto_creation: Map<String, Value>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

impl State {
    /// Buys a phone number, which leads nowhere yet.
    pub fn buy_number(&mut self, phone_number: &str) -> Sid {
        let (sid, now) = (self.sid(b"PN"), self.now);
        let number = IncomingNumber {
            sid,
            phone_number: phone_number.to_owned(),
            friendly_name: phone_number.to_owned(),
            settings: Map::new(),
            created: now,
            updated: now,
        };
        self.numbers.owned.insert(sid, number);
        sid
    }

    /// Changes where a number leads, by Twilio's snake-case keys, e.g. `sms_url`.
    ///
    /// # Errors
    ///
    /// Fails if the account does not own the number.
    pub fn point_number(
        &mut self,
        number: Sid,
        settings: Map<String, Value>,
    ) -> Result<(), Refusal> {
        let now = self.now;
        let stored = self
            .numbers
            .owned
            .get_mut(number)
            .ok_or_else(|| Refusal::absent(number))?;
        stored.settings.extend(settings);
        stored.updated = now;
        Ok(())
    }

    /// Puts a number of the account into the pool of a Proxy service; a number is in one pool only.
    ///
    /// # Errors
    ///
    /// Fails if the service does not exist, the account does not own the number, or the number is
    /// in a pool already.
    pub fn add_to_pool(&mut self, service: Sid, number: Sid) -> Result<(), Refusal> {
        self.proxy
            .services
            .get(service)
            .ok_or_else(|| Refusal::absent(service))?;
        let owned = self.numbers.owned.get(number);
        let phone_number = owned
            .ok_or_else(|| Refusal::invalid(format!("Phone number {number} does not exist")))?
            .phone_number
            .clone();
        if self.numbers.pool.get(number).is_some() {
            return Err(Refusal::invalid(format!(
                "Phone number {number} is in a pool already"
            )));
        }
        let now = self.now;
        let pooled = PoolNumber {
            sid: number,
            service,
            phone_number,
            reserved: false,
            created: now,
            updated: now,
        };
        self.numbers.pool.insert(number, pooled);
        Ok(())
    }

    /// Lets an address make conversations.
    ///
    /// # Errors
    ///
    /// Fails if the address has a configuration already.
    pub fn configure_address(
        &mut self,
        kind: &str,
        address: &str,
        auto_creation: Map<String, Value>,
    ) -> Result<Sid, Refusal> {
        if self
            .numbers
            .addresses
            .values()
            .any(|known| known.address == address)
        {
            return Err(Refusal::NameTaken {
                kind: "Address",
                name: address.to_owned(),
            });
        }
        let (sid, now) = (self.sid(b"IG"), self.now);
        let configuration = AddressConfiguration {
            sid,
            kind: kind.to_owned(),
            address: address.to_owned(),
            friendly_name: None,
            auto_creation,
            created: now,
            updated: now,
        };
        self.numbers.addresses.insert(sid, configuration);
        Ok(sid)
    }

    /// Returns a phone number of the account.
    pub fn number(&self, sid: Sid) -> Option<&IncomingNumber> {
        self.numbers.owned.get(sid)
    }

    /// Returns the URL at which a Proxy service takes messages.
    pub fn proxy_webhook(&self, service: Sid) -> String {
        format!(
            "https://webhooks.twilio.com/v1/Accounts/{}/Proxy/{service}/Webhooks/Message",
            self.account.sid
        )
    }

    pub(crate) fn connect_numbers(
        &mut self,
        project: Project,
        studio_flow: Sid,
    ) -> Result<(), Refusal> {
        let number = self.buy_number(CHAT_NUMBER);
        self.add_to_pool(project.proxy_service, number)?;
        let url = self.proxy_webhook(project.proxy_service);
        self.point_number(number, Map::from_iter([("sms_url".to_owned(), url.into())]))?;
        self.buy_number(CONVERSATIONS_NUMBER);
        let creation = json!({
            "enabled": true,
            "type": "studio",
            "conversation_service_sid": project.chat_service,
            "studio_flow_sid": studio_flow,
            "studio_retry_count": 3,
        });
        let creation = creation.as_object().cloned().unwrap_or_default();
        self.configure_address("sms", CONVERSATIONS_NUMBER, creation)?;
        Ok(())
    }
}
