//! What is held open at Twilio although nobody is known to work on it.
//!
//! The stream of events covers neither the time before the installation nor an outage of more
//! than Twilio's four hours. What went astray then still shows: by a Proxy session, which holds
//! a customer's address to a Chat channel, or by a Conversation that is not closed. If no open
//! task names such a channel, and it has been quiet for long, it is an **orphan**.
//!
//! # Why it is judged like this
//!
//! Nobody says when its last task ended, or whether there ever was one. So
//!
//! * the patience counts from the moment in which it was found, as if its last task had ended
//!   just then, and a new task ends it as ever;
//! * an orphan is only put in a queue. Before anything is written, the sweep looks at the open
//!   tasks and at the channel itself, as it does with all others;
//! * a Conversation may be parked, which looks the same from outside: its agent has left and
//!   the customer is to write first. It waits in the long-lived class;
//! * whatever is not known to be an agent's chat is left alone: chats with a Studio flow, and
//!   Conversations without a customer's address. A survey of the customer is an open task.
//!   Each reason is counted, so that nothing is passed over silently.
//!
//! A session that leads to a channel which is closed or gone is no orphan. It swallows messages
//! all the same, and is ended by the sweep as those are that outlive a closing of ours.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::cleanup::{Progress, SESSION_GRACE};
use crate::policy::Policy;
use crate::{Platform, Timestamp};

/// A channel that was found to be held open while no open task named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Orphan {
    /// When it was found so.
    pub found_at: Timestamp,
    /// What held it open.
    pub held_by: HeldOpenBy,
}

/// What holds a channel open.
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

/// Something that is held open, as a list shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// By what.
    pub by: HeldOpenBy,
    /// Its last sign of life that the list shows, if it shows any.
    pub quiet_since: Option<Timestamp>,
    /// Whether an open task names it.
    pub has_open_task: bool,
    /// Whether we end Proxy sessions that Flex leaves open.
    pub ends_sessions: bool,
}

/// Who else is in a channel: the second look, which costs a request or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Participants {
    /// Nobody but the customer.
    Customer,
    /// A Studio flow is told of each message, as a bot is.
    Flow,
    /// No customer's address is bound to it: it may be a chat of somebody else's application.
    Strangers,
    /// Twilio does not know it, though it knows the service.
    Gone,
}

/// What is to be done about something that is held open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is left alone.
    Skip(SkipReason),
    /// It takes a second look.
    LookCloser,
    /// It is an orphan.
    Adopt,
    /// Its channel is closed or gone, and the session that leads there is to be ended.
    EndSession,
}

/// Why something that is held open is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// An open task names it.
    Live,
    /// We know it, and its turn comes.
    Tracked,
    /// We know it, and gave it up: a person has to look.
    GivenUp,
    /// It is closed already, and what holds it open is Twilio's to end, or will be ours once
    /// `PROXY_SERVICE_SID` is set.
    Closed,
    /// It is younger than the grace, or was in use more recently.
    Young,
    /// Twilio does not say how old it is.
    Undated,
    /// It is with a Studio flow, such as a bot.
    WithFlow,
    /// Nothing shows that it is a customer's chat with an agent.
    NotOurs,
    /// Twilio does not know the channel any more.
    Gone,
    /// The session's name is not a channel's.
    NotAChannel,
}

impl SkipReason {
    /// The reason, for counts and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Tracked => "tracked",
            Self::GivenUp => "given-up",
            Self::Closed => "closed",
            Self::Young => "young",
            Self::Undated => "undated",
            Self::WithFlow => "with-flow",
            Self::NotOurs => "not-ours",
            Self::Gone => "gone",
            Self::NotAChannel => "not-a-channel",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "a task is open on it",
            Self::Tracked => "it is known, and its turn comes",
            Self::GivenUp => "it was given up before: a person has to look",
            Self::Closed => "it is closed; its Proxy session is left to Flex",
            Self::Young => "it was in use not long ago",
            Self::Undated => "Twilio does not say how old it is",
            Self::WithFlow => "a Studio flow is with it",
            Self::NotOurs => "nothing shows that it is a customer's chat with an agent",
            Self::Gone => "Twilio does not know it any more",
            Self::NotAChannel => "its name is not a channel's",
        })
    }
}

/// The first look, at what the list and our own record say. The record is to have been told
/// which of its tasks are over.
pub fn classify(held: Held, record: Option<&Channel>, policy: &Policy, now: Timestamp) -> Verdict {
    let known_open = record.is_some_and(|channel| channel.open_tasks().next().is_some());
    if held.has_open_task || known_open {
        return Verdict::Skip(SkipReason::Live);
    }
    if record.is_some_and(|channel| channel.queue_entry().is_some()) {
        return Verdict::Skip(SkipReason::Tracked);
    }
    let cleanup = record.and_then(Channel::cleanup);
    match cleanup.map(|cleanup| &cleanup.progress) {
        Some(Progress::Failed { .. }) => return Verdict::Skip(SkipReason::GivenUp),
        Some(Progress::Closed { at, .. }) => {
            let outlived = now.since(*at) >= SESSION_GRACE && held.ends_sessions;
            return match held.by {
                HeldOpenBy::Session if outlived => Verdict::EndSession,
                HeldOpenBy::Session | HeldOpenBy::Conversation => Verdict::Skip(SkipReason::Closed),
            };
        }
        Some(Progress::Untouched | Progress::Released { .. }) | None => {}
    }
    match held.quiet_since {
        None => Verdict::Skip(SkipReason::Undated),
        Some(since) if now < since || now.since(since) < policy.orphan_grace => {
            Verdict::Skip(SkipReason::Young)
        }
        Some(_) => Verdict::LookCloser,
    }
}

/// The second look.
pub fn classify_closely(held: Held, company: Participants) -> Verdict {
    match (company, held.by) {
        (Participants::Customer, _) => Verdict::Adopt,
        (Participants::Flow, _) => Verdict::Skip(SkipReason::WithFlow),
        (Participants::Strangers, _) => Verdict::Skip(SkipReason::NotOurs),
        (Participants::Gone, HeldOpenBy::Session) if held.ends_sessions => Verdict::EndSession,
        (Participants::Gone, HeldOpenBy::Session | HeldOpenBy::Conversation) => {
            Verdict::Skip(SkipReason::Gone)
        }
    }
}
