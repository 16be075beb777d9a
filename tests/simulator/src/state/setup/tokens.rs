//! Flex tokens: who is logged in to Flex, by a text that only Twilio can read.

use crate::state::State;
use crate::state::clock::later;
use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The time for which a token is good.
const GOOD: Duration = Duration::from_secs(12 * 60 * 60);

/// Says whose a token is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// The name the user is logged in under.
    pub identity: String,
    /// The roles, e.g. `agent`, `supervisor`, `admin`, `guest`.
    pub roles: Vec<String>,
    /// The user's worker; guests have none.
    pub worker: Option<Sid>,
    /// The user, US….
    pub user: Sid,
    /// Until when the token is good.
    pub expires: Timestamp,
}

impl State {
    /// Logs a person in to Flex and returns the token.
    pub fn issue_token(&mut self, identity: &str, roles: &[&str], worker: Option<Sid>) -> String {
        let token = format!("eyJ6aXAiOiJERUYi.{:032x}", self.rng.u128(..));
        let claims = Claims {
            identity: identity.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            worker,
            user: self.sid(b"US"),
            expires: later(self.now, GOOD),
        };
        self.tokens.insert(token.clone(), claims);
        token
    }

    /// Returns whose a token is, if it is still good.
    pub fn claims(&self, token: &str) -> Option<&Claims> {
        self.tokens
            .get(token)
            .filter(|claims| claims.expires > self.now)
    }
}
