//! Decides what reconcile does with a channel that is held open: see [`mod@crate::orphan`].
//!
//! The end of its last task was never told, or there never was one. So
//!
//! * an orphan is only put in a queue, as if its last task had ended when it was found, and a
//!   new task ends its wait as ever;
//! * the sweep looks at the open tasks and at the channel itself, as it does with all others,
//!   and [`crate::verdict()`] decides by the newest message and the webhooks;
//! * each reason for leaving something alone is counted, so that nothing is passed over
//!   silently.
//!
//! A session that leads to a channel which is closed is no orphan. It swallows messages all the
//! same, and the sweep ends it.

use std::fmt;

use serde::Serialize;

use crate::Timestamp;
use crate::channel::Channel;
use crate::cleanup::{Progress, SESSION_GRACE, Step};
use crate::listed::listed;
use crate::orphan::HeldOpenBy;
use crate::policy::Policy;

/// Something that is held open, as a list shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldOpen {
    /// The thing that holds it open.
    pub by: HeldOpenBy,
    /// The time since which it is held open, or of its last interaction, where Twilio says so.
    /// A Conversation's last change is not such a time: it need not move with messages.
    pub since: Option<Timestamp>,
    /// An open task names it.
    pub has_open_task: bool,
    /// We end Proxy sessions that Flex leaves open.
    pub ends_sessions: bool,
}

/// The next act for something that is held open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconcileDecision {
    /// It is left alone.
    Skip(SkipReason),
    /// It is an orphan, and waits for the sweep from now on.
    Adopt,
    /// Its channel is closed, and the session that leads there is to be ended.
    EndSession,
    /// We closed it, and Twilio still holds it open: it is closed again.
    CloseAgain,
}

listed! {
    /// The reason for which something that is held open is left alone.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum SkipReason {
        /// An open task names it.
        OpenTask = "open-task",
        /// It is tracked, and its turn comes.
        Tracked = "tracked",
        /// It is tracked and was given up: a person has to look.
        GivenUp = "given-up",
        /// It is closed already, and what holds it open is Twilio's to end, or will be ours
        /// once `PROXY_SERVICE_SID` is set.
        Closed = "closed",
        /// It is younger than the grace, or was in use more recently.
        Young = "young",
        /// Twilio does not say how old it is.
        Undated = "undated",
        /// The session's name is not a channel's SID.
        NotAChannel = "not-a-channel",
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenTask => "a task is open on it",
            Self::Tracked => "it is tracked, and its turn comes",
            Self::GivenUp => "it was given up before: a person has to look",
            Self::Closed => "it is closed; its Proxy session is left to Flex",
            Self::Young => "it was in use not long ago",
            Self::Undated => "Twilio does not say how old it is",
            Self::NotAChannel => "its name is not a channel's",
        })
    }
}

/// Sorts something that is held open by what the list and our own record say. The record has
/// absorbed a look at the open tasks.
pub fn decide_reconcile(
    held: HeldOpen,
    record: Option<&Channel>,
    policy: &Policy,
    now: Timestamp,
) -> ReconcileDecision {
    use ReconcileDecision::{Adopt, CloseAgain, EndSession, Skip};
    let known_open = record.is_some_and(|channel| channel.open_tasks().next().is_some());
    if held.has_open_task || known_open {
        return Skip(SkipReason::OpenTask);
    }
    if record.is_some_and(|channel| channel.queue_entry().is_some()) {
        return Skip(SkipReason::Tracked);
    }
    let cleanup = record.and_then(Channel::cleanup);
    match cleanup.map(|cleanup| &cleanup.progress) {
        Some(Progress::Failed { .. }) => return Skip(SkipReason::GivenUp),
        Some(Progress::Done {
            step: Step::Close,
            at,
            ..
        }) => {
            let outlived = now.since(*at) >= SESSION_GRACE;
            return match held.by {
                HeldOpenBy::Session if outlived && held.ends_sessions => EndSession,
                HeldOpenBy::Conversation if outlived => CloseAgain,
                HeldOpenBy::Session | HeldOpenBy::Conversation => Skip(SkipReason::Closed),
            };
        }
        Some(
            Progress::Untouched
            | Progress::Left { .. }
            | Progress::Done {
                step: Step::Release,
                ..
            },
        )
        | None => {}
    }
    match held.since {
        None => Skip(SkipReason::Undated),
        Some(since) if now < since || now.since(since) < policy.orphan_grace => {
            Skip(SkipReason::Young)
        }
        Some(_) => Adopt,
    }
}
