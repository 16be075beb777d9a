//! Who spoke last on a channel, and since when the other side is silent.
//!
//! # Why it is built like this
//!
//! Whether a message is the agent's or the customer's depends on who the agents are, and that
//! is told by another event (`reservation.accepted`), which may come later than the message.
//! So nothing is decided when a message arrives: what is kept is the last word of each
//! *voice*, and which voices are agents'. Both only ever grow, and who spoke last is worked
//! out from both. The order in which they are told makes no difference.
//!
//! A voice is a digest of a chat identity, and only of one that could be an agent's: whoever
//! writes from a phone number can only be a customer and is kept as that. There are so few
//! phone numbers that a digest of one would hide nothing.
//!
//! # What is worth a write
//!
//! The fold takes in everything. A writer that took all of it would write at each message, so
//! it leaves out what makes no difference (see [`Channel::absorb_activity`]): an agent's word in the same
//! [`POLL_GRID`] as the same agent's last one, and a customer's word that follows another of the
//! same customer's, either as the very next message or within [`BURST_WINDOW`].
//!
//! # What is accepted
//!
//! * Where a customer writes twice within [`BURST_WINDOW`] and an agent's word from in between comes
//!   later than both, the agent seems to have spoken last. The customer's next word mends it.
//! * Of more than [`MAX_AUTHORS`] voices, those that were silent longest are forgotten.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::channel::Channel;
use crate::fact::Platform;
use crate::park::{PlacementAt, TaskParking, TaskPlacement};
use crate::{ChannelSid, TaskSid, Timestamp, WorkerSid};

/// The waiting time is counted in steps of this, rounded up, so that lines which an agent
/// sends in one breath are one word. It is the shortest interval of the polling that acts on
/// it, and every interval is a multiple of it, so that the rounding never shows.
pub const POLL_GRID: Duration = Duration::from_secs(10);

/// How long a customer's lines that follow each other are taken for one word.
pub const BURST_WINDOW: Duration = Duration::from_secs(30);

/// More voices than this are not remembered of one channel, nor more agents'.
pub const MAX_AUTHORS: usize = 6;

/// What is kept of a chat identity that may be an agent's: a digest that is another one on
/// each channel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorDigest(u64);

impl AuthorDigest {
    /// The voice with this digest. What it is a digest of is up to whoever reads identities.
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

/// Who wrote a message. Bots and the system are nobody: their messages are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Author {
    /// Somebody who can only be a customer.
    Customer,
    /// An agent if the voice is one's, or else a customer.
    AuthorDigest(AuthorDigest),
}

/// Something heard of a channel's talk, or of where one of its tasks stands. Like facts,
/// words form a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The channel.
    pub channel: ChannelSid,
    /// Which messaging product the channel belongs to.
    pub platform: Platform,
    /// When it happened, by Twilio's clock.
    pub at: Timestamp,
    /// What was heard.
    pub heard: Heard,
}

/// What can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody wrote (`com.twilio.conversations.message.added`, `onMessageSent`).
    Message {
        /// Who.
        speaker: Author,
        /// Its place among the channel's messages, which settles the order where times do
        /// not; 0 where Twilio does not say.
        index: u32,
    },
    /// An agent accepted a task (`reservation.accepted`).
    Accepted {
        /// The task.
        task: TaskSid,
        /// The agent's worker.
        worker: Option<WorkerSid>,
        /// The identities under which the agent may write.
        voices: [Option<AuthorDigest>; 2],
    },
    /// A task stood so (every event of a task says it).
    Stands {
        /// The task.
        task: TaskSid,
        /// The task's version, which settles the order where times do not; 0 where Twilio
        /// does not say.
        version: u32,
        /// How it stood.
        stand: TaskPlacement,
    },
}

/// The last word of somebody. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessagePosition {
    /// When.
    pub at: Timestamp,
    /// Its place among the channel's messages.
    pub index: u32,
}

/// Which side somebody is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The customer's.
    Customer,
    /// The agents'.
    Agent,
}

/// What is remembered of a channel's talk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// The last word of those who can only be customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<MessagePosition>,
    /// The last words of the others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    voices: BTreeMap<AuthorDigest, MessagePosition>,
    /// Whose voices are agents', and when each last accepted a task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    agents: BTreeMap<AuthorDigest, Timestamp>,
    /// Where the channel's open tasks stand.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) seats: BTreeMap<TaskSid, TaskParking>,
    /// What we did to hear a Chat channel's messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ears: Option<crate::park::MessageWebhook>,
}

impl Talk {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The last word of the customer, if one was heard.
    pub fn customer_spoke(&self) -> Option<MessagePosition> {
        let others = self.voices.iter();
        let others = others.filter(|(voice, _)| !self.agents.contains_key(voice));
        others.map(|(_, spoken)| *spoken).chain(self.customer).max()
    }

    /// The last word of an agent, if one was heard.
    pub fn agent_spoke(&self) -> Option<MessagePosition> {
        let agents = self.voices.iter();
        let agents = agents.filter(|(voice, _)| self.agents.contains_key(voice));
        agents.map(|(_, spoken)| *spoken).max()
    }

    /// Who spoke last, and when. Where both sides spoke at once, it was the customer: that
    /// never parks a chat.
    pub fn last_word(&self) -> Option<(Party, MessagePosition)> {
        match (self.customer_spoke(), self.agent_spoke()) {
            (customer, Some(agent)) if customer < Some(agent) => Some((Party::Agent, agent)),
            (customer, _) => customer.map(|spoken| (Party::Customer, spoken)),
        }
    }

    /// Where an open task stands, as far as anything was heard of it.
    pub fn seat(&self, task: TaskSid) -> Option<&TaskParking> {
        self.seats.get(&task)
    }

    fn is_agent(&self, speaker: Author) -> bool {
        match speaker {
            Author::Customer => false,
            Author::AuthorDigest(voice) => self.agents.contains_key(&voice),
        }
    }

    fn speakers(&self) -> impl Iterator<Item = (MessagePosition, Author)> {
        let voices = self.voices.iter();
        let voices = voices.map(|(voice, spoken)| (*spoken, Author::AuthorDigest(*voice)));
        let customer = self.customer.map(|spoken| (spoken, Author::Customer));
        voices.chain(customer)
    }

    /// Whether it only adds words to `before` that make no difference to who spoke last: more
    /// of whoever did, or older ones.
    fn only_follows(&self, before: &Self) -> bool {
        let last = before.speakers().max();
        let mut news = self
            .speakers()
            .filter(|now| before.speakers().all(|then| then != *now));
        news.all(|(spoken, speaker)| match last {
            Some((last, same)) if same == speaker && self.is_agent(speaker) => {
                rounded_up(spoken.at) == rounded_up(last.at)
            }
            Some((last, same)) if same == speaker => {
                spoken.at.since(last.at) <= BURST_WINDOW
                    || spoken.index == last.index.saturating_add(1)
            }
            Some((last, _)) => spoken < last,
            None => false,
        })
    }

    fn hear(&mut self, at: Timestamp, heard: Heard) {
        match heard {
            Heard::Message { speaker, index } => {
                let spoken = MessagePosition { at, index };
                match speaker {
                    Author::Customer => self.customer = self.customer.max(Some(spoken)),
                    Author::AuthorDigest(voice) => raise(&mut self.voices, voice, spoken),
                }
            }
            Heard::Accepted {
                task,
                worker,
                voices,
            } => {
                for voice in voices.into_iter().flatten() {
                    raise(&mut self.agents, voice, at);
                }
                self.seats.entry(task).or_default().accept(at, worker);
            }
            Heard::Stands {
                task,
                version,
                stand,
            } => {
                let standing = PlacementAt { at, version, stand };
                self.seats.entry(task).or_default().stand(standing);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.customer = self.customer.max(other.customer);
        for (voice, spoken) in &other.voices {
            raise(&mut self.voices, *voice, *spoken);
        }
        for (voice, at) in &other.agents {
            raise(&mut self.agents, *voice, *at);
        }
        for (task, seat) in &other.seats {
            self.seats.entry(*task).or_default().merge(seat);
        }
        self.ears = self.ears.max(other.ears);
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
        let least = map.iter().min_by_key(|(voice, value)| (**value, **voice));
        let Some(voice) = least.map(|(voice, _)| *voice) else {
            return;
        };
        map.remove(&voice);
    }
}

impl Channel {
    /// What is remembered of the channel's talk.
    pub fn talk(&self) -> &Talk {
        &self.talk
    }

    /// Takes in one word. Like [`Channel::absorb`] it is commutative, associative and
    /// idempotent.
    ///
    /// Words about other channels are not taken in, nor those from before what is forgotten.
    pub fn hear(&mut self, word: &Word) {
        if word.channel != self.sid() || self.is_forgotten(word) {
            return;
        }
        self.talk.hear(word.at, word.heard);
        self.settle_talk();
    }

    /// Takes in the words that are worth a write, all of them or none: those that change who
    /// spoke last, what the channel waits for or since when, or where a task stands. While no
    /// task is open, none is.
    ///
    /// What is left out would make no difference, but for the order that the module's header
    /// accepts.
    pub fn absorb_activity(&mut self, words: &[Word]) {
        if words.is_empty() || self.open_tasks().next().is_none() {
            return;
        }
        let mut after = self.clone();
        for word in words {
            after.hear(word);
        }
        if after.differs_usefully(self) {
            *self = after;
        }
    }

    fn differs_usefully(&self, before: &Self) -> bool {
        let (now, then) = (&self.talk, &before.talk);
        let stands = |talk: &Talk| -> Vec<_> {
            let seats = talk.seats.iter();
            seats
                .map(|(task, seat)| (*task, seat.outline()))
                .collect::<Vec<_>>()
        };
        !now.only_follows(then)
            || self.queue_entry() != before.queue_entry()
            || now.agents.keys().ne(then.agents.keys())
            || now.last_word().map(|(side, _)| side) != then.last_word().map(|(side, _)| side)
            || stands(now) != stands(then)
    }

    /// Joins what two places heard of one channel.
    pub(crate) fn merge_talk(&mut self, other: &Self) {
        self.talk.merge(&other.talk);
        self.settle_talk();
    }

    /// Keeps to what is remembered: the open tasks' seats, and no word from before what is
    /// forgotten.
    pub(crate) fn settle_talk(&mut self) {
        let forgotten_to = self.forgotten_to;
        let tasks = &self.tasks;
        let talk = &mut self.talk;
        talk.seats
            .retain(|task, _| tasks.get(task).is_none_or(|task| task.ended.is_none()));
        if let Some(to) = forgotten_to {
            talk.customer = talk.customer.filter(|spoken| spoken.at > to);
            talk.voices.retain(|_, spoken| spoken.at > to);
        }
        keep_greatest(&mut talk.voices);
        keep_greatest(&mut talk.agents);
    }

    fn is_forgotten(&self, word: &Word) -> bool {
        let old = self.forgotten_to.is_some_and(|to| word.at <= to);
        match word.heard {
            Heard::Message { .. } => old,
            Heard::Accepted { task, .. } | Heard::Stands { task, .. } => {
                old && !self.tasks.contains_key(&task)
            }
        }
    }
}
