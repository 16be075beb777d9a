//! Proxy: services and the sessions that tie a customer's address to a channel.

use crate::state::State;
use crate::state::clock::{Due, later};
use crate::state::refusal::Refusal;
use crate::state::shelf::Shelf;
use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// Holds what Proxy knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Proxy {
    pub(crate) services: Shelf<ProxyService>,
    pub(crate) sessions: Shelf<Session>,
    #[serde(with = "crate::state::snapshot::entries")]
    by_name: HashMap<(Sid, String), Sid>,
    by_address: HashMap<String, Sid>,
}

/// Is a Proxy service, KS….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProxyService {
    /// The service's SID.
    pub sid: Sid,
    /// Its name.
    pub unique_name: String,
    /// The Chat service into which it delivers.
    pub chat_instance: Option<Sid>,
    /// The time for which its sessions live without an interaction, in seconds; 0 is for ever.
    pub default_ttl: u64,
    /// Where it reports interactions.
    pub callback_url: Option<String>,
    /// Where it asks before it lets an interaction through.
    pub intercept_callback_url: Option<String>,
    /// Where it asks what to do with a message of no session; that is how Flex Flows hear of new contacts.
    pub out_of_session_callback_url: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Says whether a Proxy session still connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionStatus {
    /// Created, no interaction yet.
    Open,
    /// Interactions took place.
    InProgress,
    /// Ended by a request or by its time to live.
    Closed,
}

/// Is a Proxy session, KC….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// The session's SID.
    pub sid: Sid,
    /// The service it belongs to.
    pub service: Sid,
    /// Its name: Flex uses the SID of the Chat channel.
    pub unique_name: Option<String>,
    /// Its status.
    pub status: SessionStatus,
    /// The reason why it was closed.
    pub closed_reason: Option<String>,
    /// Its mode: `message-only`, `voice-only`, `voice-and-message`.
    pub mode: String,
    /// The time for which it lives without an interaction, in seconds; 0 is for ever.
    pub ttl: u64,
    /// The customer's address, if it is known.
    pub address: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// When a party last wrote through it.
    pub last_interaction: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

impl Session {
    /// Says whether messages still travel through it.
    pub fn is_open(&self) -> bool {
        matches!(self.status, SessionStatus::Open | SessionStatus::InProgress)
    }
}

/// Lists what a new session may be given.
#[derive(Debug, Clone, Default)]
pub struct NewSession {
    /// Its name.
    pub unique_name: Option<String>,
    /// The time for which it lives without an interaction, in seconds.
    pub ttl: Option<u64>,
    /// Its mode.
    pub mode: Option<String>,
    /// The customer's address.
    pub address: Option<String>,
}

impl State {
    /// Creates a Proxy service.
    ///
    /// # Errors
    ///
    /// Fails if the unique name is taken.
    pub fn create_proxy_service(
        &mut self,
        unique_name: &str,
        chat_instance: Option<Sid>,
    ) -> Result<Sid, Refusal> {
        if self
            .proxy
            .services
            .values()
            .any(|service| service.unique_name == unique_name)
        {
            return Err(Refusal::NameTaken {
                kind: "Service",
                name: unique_name.to_owned(),
            });
        }
        let (sid, now) = (self.sid(b"KS"), self.now);
        let unique_name = unique_name.to_owned();
        self.proxy.services.insert(
            sid,
            ProxyService {
                sid,
                unique_name,
                chat_instance,
                default_ttl: 0,
                callback_url: None,
                intercept_callback_url: None,
                out_of_session_callback_url: None,
                created: now,
                updated: now,
            },
        );
        Ok(sid)
    }

    /// Opens a Proxy session.
    ///
    /// # Errors
    ///
    /// Fails if the service does not exist, or if the unique name is taken in it.
    pub fn open_session(&mut self, service: Sid, given: NewSession) -> Result<Sid, Refusal> {
        let default_ttl = self
            .proxy
            .services
            .get(service)
            .ok_or_else(|| Refusal::absent(service))?
            .default_ttl;
        if let Some(name) = &given.unique_name
            && self.proxy.by_name.contains_key(&(service, name.clone()))
        {
            return Err(Refusal::NameTaken {
                kind: "Session",
                name: name.clone(),
            });
        }
        let (sid, now) = (self.sid(b"KC"), self.now);
        if let Some(name) = &given.unique_name {
            self.proxy.by_name.insert((service, name.clone()), sid);
        }
        if let Some(address) = &given.address {
            self.proxy.by_address.insert(address.clone(), sid);
        }
        let ttl = given.ttl.unwrap_or(default_ttl);
        let session = Session {
            sid,
            service,
            unique_name: given.unique_name,
            status: SessionStatus::Open,
            closed_reason: None,
            mode: given.mode.unwrap_or_else(|| "voice-and-message".to_owned()),
            ttl,
            address: given.address,
            created: now,
            updated: now,
            last_interaction: None,
            ended: None,
        };
        self.proxy.sessions.insert(sid, session);
        self.watch_session(sid, ttl);
        Ok(sid)
    }

    /// Closes a Proxy session; it stays readable.
    ///
    /// # Errors
    ///
    /// Fails if the session does not exist.
    pub fn close_session(&mut self, session: Sid, reason: &str) -> Result<(), Refusal> {
        let now = self.now;
        let stored = self
            .proxy
            .sessions
            .get_mut(session)
            .ok_or_else(|| Refusal::absent(session))?;
        if stored.is_open() {
            stored.status = SessionStatus::Closed;
            stored.closed_reason = Some(reason.to_owned());
            stored.ended = Some(now);
            stored.updated = now;
            let address = stored.address.clone();
            self.forget_address(session, address.as_deref());
        }
        Ok(())
    }

    /// Refuses what a closed session cannot do any more.
    pub(crate) fn open_or_refuse(&self, session: Sid) -> Result<(), Refusal> {
        let stored = self
            .session(session)
            .ok_or_else(|| Refusal::absent(session))?;
        if stored.is_open() {
            Ok(())
        } else {
            Err(Refusal::SessionClosed(session))
        }
    }

    /// Removes a Proxy session.
    ///
    /// # Errors
    ///
    /// Fails if the session does not exist.
    pub fn delete_session(&mut self, session: Sid) -> Result<(), Refusal> {
        let gone = self
            .proxy
            .sessions
            .remove(session)
            .ok_or_else(|| Refusal::absent(session))?;
        if let Some(name) = gone.unique_name {
            self.proxy.by_name.remove(&(gone.service, name));
        }
        self.forget_address(session, gone.address.as_deref());
        Ok(())
    }

    /// Returns a Proxy session.
    pub fn session(&self, sid: Sid) -> Option<&Session> {
        self.proxy.sessions.get(sid)
    }

    /// Iterates over all Proxy sessions, oldest first.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.proxy.sessions.values()
    }

    /// Returns the open session through which an address writes.
    pub fn open_session_of(&self, address: &str) -> Option<&Session> {
        self.session(*self.proxy.by_address.get(address)?)
            .filter(|session| session.is_open())
    }

    pub(crate) fn interaction_in(&mut self, session: Sid) {
        let now = self.now;
        let Some(stored) = self.proxy.sessions.get_mut(session) else {
            return;
        };
        stored.status = SessionStatus::InProgress;
        stored.last_interaction = Some(now);
        stored.updated = now;
        let ttl = stored.ttl;
        self.watch_session(session, ttl);
    }

    pub(crate) fn session_expires(&mut self, session: Sid) {
        let now = self.now;
        let silent = self.session(session).is_some_and(|stored| {
            let since = stored.last_interaction.unwrap_or(stored.created);
            stored.is_open()
                && stored.ttl > 0
                && later(since, Duration::from_secs(stored.ttl)) <= now
        });
        if silent {
            self.close_session(session, "ttl").ok();
        }
    }

    fn watch_session(&mut self, session: Sid, ttl: u64) {
        if ttl > 0 {
            self.due_in(Duration::from_secs(ttl), Due::SessionExpiry(session));
        }
    }

    fn forget_address(&mut self, session: Sid, address: Option<&str>) {
        if let Some(address) = address
            && self.proxy.by_address.get(address) == Some(&session)
        {
            self.proxy.by_address.remove(address);
        }
    }
}
