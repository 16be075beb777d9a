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
//! * whatever is not known to be an agent's chat is left alone. Each reason is counted, so that
//!   nothing is passed over silently.

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
    pub held_by: Holder,
}

/// What holds a channel open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// A Proxy session that takes the customer's messages to a Chat channel.
    Session,
    /// A Conversation that is not closed.
    Conversation,
}

impl Holder {
    /// The platform of what it holds open.
    pub const fn platform(self) -> Platform {
        match self {
            Self::Session => Platform::Chat,
            Self::Conversation => Platform::Conversations,
        }
    }
}

impl fmt::Display for Holder {
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
    pub by: Holder,
    /// Its last sign of life that the list shows, if it shows any.
    pub quiet_since: Option<Timestamp>,
    /// Whether an open task names it.
    pub has_open_task: bool,
    /// Whether we end Proxy sessions that Flex leaves open.
    pub ends_sessions: bool,
}

/// Who else is in a channel: the second look, which costs a request or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Company {
    /// A Studio flow is told of each message, as a bot is.
    pub flow: bool,
    /// A survey that asks the customer something is an open task.
    pub survey: bool,
    /// A customer's address is bound to it, or a task of it is known: it is no chat of
    /// somebody else's application.
    pub customer: bool,
}

/// Why something that is held open is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spared {
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
    /// It is with a survey.
    WithSurvey,
    /// Nothing shows that it is a customer's chat with an agent.
    NotOurs,
    /// Twilio does not know the channel any more.
    Gone,
    /// The session's name is not a channel's.
    NotAChannel,
}

impl Spared {
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
            Self::WithSurvey => "with-survey",
            Self::NotOurs => "not-ours",
            Self::Gone => "gone",
            Self::NotAChannel => "not-a-channel",
        }
    }
}

impl fmt::Display for Spared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "a task is open on it",
            Self::Tracked => "it is known, and its turn comes",
            Self::GivenUp => "it was given up before: a person has to look",
            Self::Closed => "it is closed; its Proxy session is left to Flex",
            Self::Young => "it was in use not long ago",
            Self::Undated => "Twilio does not say how old it is",
            Self::WithFlow => "a Studio flow is with it",
            Self::WithSurvey => "a survey is with it",
            Self::NotOurs => "nothing shows that it is a customer's chat with an agent",
            Self::Gone => "Twilio does not know it any more",
            Self::NotAChannel => "its name is not a channel's",
        })
    }
}

/// The first look, at what the list and our own record say. Nothing if it takes a second one.
/// The record is to have been told which of its tasks are over.
pub fn sift(
    held: Held,
    record: Option<&Channel>,
    policy: &Policy,
    now: Timestamp,
) -> Option<Spared> {
    let known_open = record.is_some_and(|channel| channel.open_tasks().next().is_some());
    if held.has_open_task || known_open {
        return Some(Spared::Live);
    }
    if record.is_some_and(|channel| channel.waiting().is_some()) {
        return Some(Spared::Tracked);
    }
    let cleanup = record.and_then(Channel::cleanup);
    match cleanup.map(|cleanup| &cleanup.progress) {
        Some(Progress::Failed { .. }) => return Some(Spared::GivenUp),
        Some(Progress::Closed { at, .. }) => {
            let outlived = now.since(*at) >= SESSION_GRACE && held.ends_sessions;
            return match held.by {
                Holder::Session if outlived => None,
                Holder::Session | Holder::Conversation => Some(Spared::Closed),
            };
        }
        Some(Progress::Untouched | Progress::Released { .. }) | None => {}
    }
    match held.quiet_since {
        None => Some(Spared::Undated),
        Some(since) if now < since || now.since(since) < policy.orphan_grace => Some(Spared::Young),
        Some(_) => None,
    }
}

/// The second look: an orphan unless somebody is with it after all.
pub fn judge(
    held: Held,
    company: Company,
    record: Option<&Channel>,
    now: Timestamp,
) -> Result<Orphan, Spared> {
    // Of a channel that we closed it is known whose it was.
    let closed = record.is_some_and(|channel| channel.closed_at().is_some());
    if company.survey {
        return Err(Spared::WithSurvey);
    }
    if company.flow && !closed {
        return Err(Spared::WithFlow);
    }
    if !company.customer {
        return Err(Spared::NotOurs);
    }
    Ok(Orphan {
        found_at: now,
        held_by: held.by,
    })
}
