//! The newest messages of a channel: who wrote last, and since when the other side is silent.
//!
//! # Why it is built like this
//!
//! Whether a message is the agent's or the customer's depends on who the agents are, and that
//! is told by another event (`reservation.accepted`), which may come later than the message.
//! So nothing is decided when a message arrives: what is kept is the newest message of each
//! *author*, and which authors are agents. Both only ever grow, and who wrote last is worked
//! out from both. The order in which they are told makes no difference.
//!
//! An author is a digest of a chat identity, and only of one that could be an agent's: a person
//! who writes from a phone number can only be a customer and is kept as that. There are so few
//! phone numbers that a digest of one would hide nothing.
//!
//! # What is worth a write
//!
//! The fold takes in everything. A writer that took all of it would write at each message, so
//! it leaves out what makes no difference ([`crate::Channel::absorb_useful`]):
//!
//! * a message that is older than the newest one that is kept;
//! * the very next message after that one, by its index, of the same author: no message of the
//!   other side can lie between. Where the author may be an agent, only in the same
//!   [`POLL_GRID`], since the waiting time counts from an agent's message.
//!
//! A message that is not the very next one is kept, however soon it follows: one of the other
//! side may lie between and come later.
//!
//! # What is accepted
//!
//! Of more than [`MAX_AUTHORS`] authors, those that were silent longest are forgotten.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Timestamp;

/// The waiting time is counted in steps of this, rounded up, so that messages which an
/// agent sends at once count as one. It is the shortest interval of the polling that acts on
/// it, and every interval is a multiple of it, so that the rounding never shows.
pub const POLL_GRID: Duration = Duration::from_secs(10);

/// The most authors that are remembered of one channel, and the most agents.
pub const MAX_AUTHORS: usize = 6;

/// The digest of a chat identity that may be an agent's. It is another one on
/// each channel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorDigest(u64);

impl AuthorDigest {
    /// Takes a digest. The reader of identities decides what it is a digest of.
    pub const fn from_digest(digest: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(digest))
    }
}

impl fmt::Display for AuthorDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for AuthorDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AuthorDigest {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for AuthorDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AuthorDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The author of a message. Messages of programs are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Author {
    /// A person who can only be a customer.
    Customer,
    /// An agent, if an agent writes under this identity, or else a customer.
    AuthorDigest(AuthorDigest),
}

/// The position of a message. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessagePosition {
    /// When.
    pub at: Timestamp,
    /// Its place among the channel's messages.
    pub index: u32,
}

/// A side of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The customer.
    Customer,
    /// The agents.
    Agent,
    /// A bot's, a survey's or the system's.
    Program,
}

/// The memory of a channel's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// The newest message of those who can only be customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<MessagePosition>,
    /// The newest messages of the others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    authors: BTreeMap<AuthorDigest, MessagePosition>,
    /// The authors who are agents, and when each last accepted a task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    agents: BTreeMap<AuthorDigest, Timestamp>,
}

impl Activity {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the newest message of the customer, if one was told.
    pub fn last_customer_message(&self) -> Option<MessagePosition> {
        let others = self.authors.iter();
        let others = others.filter(|(author, _)| !self.agents.contains_key(author));
        others
            .map(|(_, message)| *message)
            .chain(self.customer)
            .max()
    }

    /// Returns the newest message of an agent, if one was told.
    pub fn last_agent_message(&self) -> Option<MessagePosition> {
        let agents = self.authors.iter();
        let agents = agents.filter(|(author, _)| self.agents.contains_key(author));
        agents.map(|(_, message)| *message).max()
    }

    /// Returns who wrote last, and when. Where both sides wrote at once, it was the customer:
    /// that never parks a chat.
    pub fn last_message(&self) -> Option<(Party, MessagePosition)> {
        match (self.last_customer_message(), self.last_agent_message()) {
            (customer, Some(agent)) if customer < Some(agent) => Some((Party::Agent, agent)),
            (customer, _) => customer.map(|message| (Party::Customer, message)),
        }
    }

    fn authors_in_order(&self) -> impl Iterator<Item = (MessagePosition, Author)> {
        let authors = self.authors.iter();
        let authors = authors.map(|(author, message)| (*message, Author::AuthorDigest(*author)));
        let customer = self.customer.map(|message| (message, Author::Customer));
        authors.chain(customer)
    }

    /// Returns when the newest message was written.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.authors_in_order()
            .map(|(position, _)| position.at)
            .max()
    }

    /// Returns whether this adds to `before` only messages that make no difference to who wrote
    /// last: see the module's header.
    pub(crate) fn only_follows(&self, before: &Self) -> bool {
        let newest = before.authors_in_order().max();
        let mut added = self
            .authors_in_order()
            .filter(|now| before.authors_in_order().all(|then| then != *now));
        added.all(|(message, author)| match newest {
            Some((newest, _)) if message < newest => true,
            Some((newest, same)) if same == author => {
                message.index == newest.index.saturating_add(1)
                    && (author == Author::Customer
                        || rounded_up(message.at) == rounded_up(newest.at))
            }
            Some(_) | None => false,
        })
    }

    pub(crate) fn absorb_message(&mut self, at: Timestamp, author: Author, index: u32) {
        let position = MessagePosition { at, index };
        match author {
            Author::Customer => self.customer = self.customer.max(Some(position)),
            Author::AuthorDigest(author) => raise(&mut self.authors, author, position),
        }
    }

    pub(crate) fn absorb_agent(&mut self, at: Timestamp, agent: AuthorDigest) {
        raise(&mut self.agents, agent, at);
    }

    /// Returns the identities that are known to be agents'.
    pub(crate) fn agents(&self) -> impl Iterator<Item = AuthorDigest> {
        self.agents.keys().copied()
    }

    /// Forgets messages up to a time, and all but the newest few authors and agents.
    pub(crate) fn settle(&mut self, forgotten_to: Option<Timestamp>) {
        if let Some(to) = forgotten_to {
            self.customer = self.customer.filter(|message| message.at > to);
            self.authors.retain(|_, message| message.at > to);
        }
        keep_greatest(&mut self.authors);
        keep_greatest(&mut self.agents);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.customer = self.customer.max(other.customer);
        for (author, message) in &other.authors {
            raise(&mut self.authors, *author, *message);
        }
        for (author, at) in &other.agents {
            raise(&mut self.agents, *author, *at);
        }
    }
}

/// The end of the [`POLL_GRID`] that a moment lies in.
pub(crate) fn rounded_up(at: Timestamp) -> Timestamp {
    let grain = i64::try_from(POLL_GRID.as_millis()).unwrap_or(i64::MAX);
    let into = at.as_millis().rem_euclid(grain);
    let rest = if into == 0 { 0 } else { grain - into };
    Timestamp::from_millis(at.as_millis().saturating_add(rest))
}

fn raise<K: Ord, V: Ord + Copy>(map: &mut BTreeMap<K, V>, key: K, value: V) {
    let kept = map.entry(key).or_insert(value);
    *kept = (*kept).max(value);
}

/// Keeps the greatest few. What is left out is smaller than all of them, and they only grow,
/// so that it would be left out at any later time as well.
fn keep_greatest<V: Ord + Copy>(map: &mut BTreeMap<AuthorDigest, V>) {
    while map.len() > MAX_AUTHORS {
        let least = map.iter().min_by_key(|(author, value)| (**value, **author));
        let Some(author) = least.map(|(author, _)| *author) else {
            return;
        };
        map.remove(&author);
    }
}
