//! Channels that are held open at Twilio although no task of them is known.
//!
//! The stream of events covers neither the time before the installation nor an outage of more
//! than Twilio's four hours. What went astray then still shows: by a Proxy session, which holds
//! a customer's address to a Chat channel, or by a Conversation that is not closed. If no open
//! task names such a channel, and it has been quiet for long, it is an **orphan**.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Platform, ProxySessionSid, Timestamp};

/// A channel that was found to be held open while no open task named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Orphan {
    /// When it was found so.
    pub found_at: Timestamp,
    /// The thing that held it open.
    pub held_by: HeldOpenBy,
    /// The Proxy session that held it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<ProxySessionSid>,
}

/// The things that hold a channel open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldOpenBy {
    /// A Proxy session that takes the customer's messages to a Chat channel.
    Session,
    /// A Conversation that is not closed.
    Conversation,
}

impl HeldOpenBy {
    /// The platform of what it holds open.
    pub const fn platform(self) -> Platform {
        match self {
            Self::Session => Platform::Chat,
            Self::Conversation => Platform::Conversations,
        }
    }
}

impl fmt::Display for HeldOpenBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "a Proxy session holds it open and no open task names it",
            Self::Conversation => "it is not closed and no open task names it",
        })
    }
}
