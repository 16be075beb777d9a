//! Proxy: the sessions that hold a customer's address to a channel.

use domain::{ProxyServiceSid, ProxySessionSid};

use super::base::Product;
use super::client::{Call, Client};
use super::error::TwilioError;
use crate::json;

/// What has become of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// It takes the customer's messages: `open`, `in-progress`, or anything that we do not
    /// know to be an end.
    Live,
    /// It ended: `closed` or `failed`.
    Ended,
}

/// How a deletion left things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// We deleted it.
    Deleted,
    /// It was not there: an earlier try of ours, or Flex, had done it.
    AlreadyGone,
}

impl Client {
    /// Looks a session up. Nothing if Proxy does not know it.
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
    let status = match json::text(status?)?.as_ref() {
        "closed" | "failed" => SessionStatus::Ended,
        _ => SessionStatus::Live,
    };
    (sid == asked_for).then_some(status)
}
