//! Proxy: the sessions that hold a customer's address to a channel.

use domain::{ChannelSid, ChatServiceSid, ProxyServiceSid, ProxySessionSid, Timestamp};
use serde_json::value::RawValue;

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;
use super::client::page::{Cursor, Entry, List, ListFailure, Page};
use crate::json;
use crate::when::moment;

/// The most that a page may hold (Twilio, OpenAPI of Proxy).
const PAGE_SIZE: &str = "PageSize=1000";

/// The length of a SID: what a session's name begins with, if Flex made the session.
const SID: usize = 34;

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// It takes the customer's messages: `open`, `in-progress`, or anything that we do not
    /// know to be an end.
    Live,
    /// It ended: `closed` or `failed`.
    Ended,
}

/// The result of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// We deleted it.
    Deleted,
    /// It was not there: an earlier try of ours, or Flex, had done it.
    AlreadyGone,
}

/// A session that takes the customer's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// The session.
    pub sid: ProxySessionSid,
    /// The Chat channel that it holds an address to. Flex names a session after its channel,
    /// with or without something behind it; other sessions have other names or none.
    pub channel: Option<ChannelSid>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When a message came through it last.
    pub last_interaction_at: Option<Timestamp>,
}

impl Client {
    /// Finds the Proxy service that a Chat service is connected with, of which there is one at
    /// most (Twilio, OpenAPI of Proxy). Its name says nothing: anybody may change it.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a page of the list, asks to slow down, or gives no answer that can
    /// be used.
    pub async fn proxy_service_of(
        &self,
        chat_service: ChatServiceSid,
    ) -> Result<Option<ProxyServiceSid>, ListFailure> {
        let mut next = None;
        loop {
            let list = List {
                product: Product::Proxy,
                path: "/v1/Services".to_owned(),
                query: PAGE_SIZE.to_owned(),
            };
            let read = |text: &str| read_service(text, chat_service);
            let page = self.entries(list, "services", next.as_ref(), read).await?;
            next = page.next;
            let found = page.items.into_iter().next();
            if found.is_some() || next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Lists the open ones of a page of a service's sessions: the first page, or the one at a
    /// cursor. Twilio lists all sessions, whatever has become of them, so that a page may have
    /// none to show and still be followed by another.
    ///
    /// # Errors
    ///
    /// Fails if the cursor has expired or belongs to another list, or if Twilio refuses the call,
    /// asks to slow down, or gives no answer that can be used.
    pub async fn open_proxy_sessions(
        &self,
        service: ProxyServiceSid,
        after: Option<&Cursor>,
    ) -> Result<Page<OpenSession>, ListFailure> {
        let list = List {
            product: Product::Proxy,
            path: format!("/v1/Services/{service}/Sessions"),
            query: PAGE_SIZE.to_owned(),
        };
        self.entries(list, "sessions", after, read_open_session)
            .await
    }

    /// Looks a session up. Nothing if Proxy does not know it.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used.
    pub async fn proxy_session(
        &self,
        service: ProxyServiceSid,
        session: ProxySessionSid,
    ) -> Result<Option<SessionStatus>, TwilioError> {
        let call = Call::get(Product::Proxy, session_path(service, session));
        match self.ask(call, |text| read_session(text, session)).await {
            Ok(status) => Ok(Some(status)),
            Err(TwilioError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes a session.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used.
    pub async fn delete_proxy_session(
        &self,
        service: ProxyServiceSid,
        session: ProxySessionSid,
    ) -> Result<Removed, TwilioError> {
        let call = Call::delete(Product::Proxy, session_path(service, session));
        match self.tell(call).await {
            Ok(()) => Ok(Removed::Deleted),
            Err(TwilioError::Gone) => Ok(Removed::AlreadyGone),
            Err(error) => Err(error),
        }
    }
}

fn session_path(service: ProxyServiceSid, session: ProxySessionSid) -> String {
    format!("/v1/Services/{service}/Sessions/{session}")
}

fn read_session(text: &str, asked_for: ProxySessionSid) -> Option<SessionStatus> {
    let [sid, status] = json::members(text, ["sid", "status"]).ok()?;
    let sid: ProxySessionSid = json::parsed(sid)?;
    let status = read_status(status?)?;
    (sid == asked_for).then_some(status)
}

fn read_status(status: &RawValue) -> Option<SessionStatus> {
    Some(match json::text(status)?.as_ref() {
        "closed" | "failed" => SessionStatus::Ended,
        _ => SessionStatus::Live,
    })
}

fn read_open_session(text: &str) -> Entry<OpenSession> {
    let names = [
        "sid",
        "status",
        "unique_name",
        "date_created",
        "date_last_interaction",
    ];
    let Ok([sid, status, name, created, last]) = json::members(text, names) else {
        return Entry::Unreadable;
    };
    match (json::parsed(sid), status.and_then(read_status)) {
        (Some(sid), Some(SessionStatus::Live)) => Entry::Wanted(OpenSession {
            sid,
            channel: name.and_then(channel_in),
            created_at: created.and_then(moment),
            last_interaction_at: last.and_then(moment),
        }),
        (Some(_), Some(SessionStatus::Ended)) => Entry::Unwanted,
        (None, _) | (_, None) => Entry::Unreadable,
    }
}

fn channel_in(name: &RawValue) -> Option<ChannelSid> {
    json::text(name)?.get(..SID)?.parse().ok()
}

fn read_service(text: &str, of: ChatServiceSid) -> Entry<ProxyServiceSid> {
    let Ok([sid, chat_service]) = json::members(text, ["sid", "chat_instance_sid"]) else {
        return Entry::Unreadable;
    };
    if json::parsed(chat_service) == Some(of) {
        json::parsed(sid).into()
    } else {
        Entry::Unwanted
    }
}
