//! Messaging services: they may take the messages of the numbers in them.

use crate::state::State;
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Is a messaging service, MG….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MessagingService {
    /// The service's SID.
    pub sid: Sid,
    /// Its name.
    pub friendly_name: String,
    /// Where incoming messages go, unless it defers to the number.
    pub inbound_request_url: Option<String>,
    /// True if it leaves incoming messages to the URL of the number that they came to.
    pub use_inbound_webhook_on_number: bool,
    /// The numbers in it.
    pub numbers: Vec<Sid>,
    /// When it was created.
    pub created: Timestamp,
}

impl State {
    /// Creates a messaging service without numbers.
    pub fn create_messaging_service(&mut self, friendly_name: &str, defers_to_number: bool) -> Sid {
        let (sid, now) = (self.sid(b"MG"), self.now);
        let service = MessagingService {
            sid,
            friendly_name: friendly_name.to_owned(),
            inbound_request_url: None,
            use_inbound_webhook_on_number: defers_to_number,
            numbers: Vec::new(),
            created: now,
        };
        self.messaging.insert(sid, service);
        sid
    }

    /// Puts a number of the account into a messaging service; a number is in one service only.
    ///
    /// # Errors
    ///
    /// Fails if the number or the service does not exist, or if the number is in a messaging
    /// service already.
    pub fn add_to_messaging_service(&mut self, service: Sid, number: Sid) -> Result<(), Refusal> {
        self.number(number).ok_or_else(|| Refusal::absent(number))?;
        if self
            .messaging
            .values()
            .any(|known| known.numbers.contains(&number))
        {
            return Err(Refusal::invalid(format!(
                "Phone number {number} is in a messaging service already"
            )));
        }
        let stored = self
            .messaging
            .get_mut(service)
            .ok_or_else(|| Refusal::absent(service))?;
        stored.numbers.push(number);
        Ok(())
    }
}
