//! What follows from a channel's record, our patience and the time.

use std::fmt;

use crate::channel::{Cause, Channel, Queue, QueueEntry};
use crate::cleanup::{Outcome, Progress};
use crate::fact::Platform;
use crate::policy::Policy;
use crate::{ProxySessionSid, TaskSid, Timestamp};

/// What to do about a channel now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing, and nothing is waited for.
    Nothing,
    /// Nothing yet.
    Wait(QueueEntry),
    /// First step: make a Chat channel `INACTIVE`, so that its next message makes a new task;
    /// close a Conversation, unless its agent left it, paused it or parked it. For a channel
    /// that is not long-lived this is also the last step.
    Release(Reason),
    /// Last step: `long_lived` off and `INACTIVE` for a Chat channel, `closed` for a
    /// Conversation, whatever its agent did with it.
    Reset(Reason),
    /// The channel is closed: make sure that this Proxy session is gone.
    EndSession(ProxySessionSid),
    /// Ask TaskRouter whether the open tasks that we know of are still open.
    Inspect(Reason),
    /// Have a Chat channel's messages told to us.
    InstallWebhook,
    /// Move this task to the inactive TaskChannel, so that its agent can take another chat.
    Park(TaskSid),
    /// Move this task back.
    Unpark(TaskSid),
}

/// Why, in facts; its `Display` says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No task of the channel has been open for that long.
    Idle {
        /// How we know.
        cause: Cause,
        /// Since when.
        since: Timestamp,
    },
    /// One of the channel's tasks ended while another stays open.
    Overlap {
        /// Since when nothing was heard of the open one.
        since: Timestamp,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle { cause, .. } => cause.fmt(f),
            Self::Overlap { .. } => {
                f.write_str("one of its tasks ended while another stays open and silent")
            }
        }
    }
}

/// Decides, from the record alone. Whoever acts on it looks at the open tasks first, lets
/// the record absorb what it saw, and decides again.
pub fn decide(channel: &Channel, policy: &Policy, now: Timestamp) -> Decision {
    let Some(waiting) = channel.unheld_entry() else {
        return Decision::Nothing;
    };
    let is_parks = Queue::PARK.contains(&waiting.queue);
    if let Some(until) = channel.held(now).filter(|_| !is_parks) {
        return Decision::Wait(QueueEntry {
            queue: Queue::Retry,
            since: until,
        });
    }
    // Twilio's clock and ours differ; an end in our future is no reason to hurry.
    if now < waiting.since || now.since(waiting.since) < policy.cutoff(waiting.queue) {
        return Decision::Wait(waiting);
    }
    let Some(idle) = channel.idle() else {
        return decide_open(channel, waiting);
    };
    let reason = Reason::Idle {
        cause: idle.cause,
        since: idle.since,
    };
    let cleanup = channel.cleanup();
    if let Some(session) = cleanup.and_then(|cleanup| cleanup.session) {
        return Decision::EndSession(session);
    }
    let released = matches!(
        cleanup.map(|cleanup| &cleanup.progress),
        Some(Progress::Released { .. })
    );
    let reset_is_due = now.since(idle.since) >= policy.long_lived_cutoff;
    // A Conversation that was put aside has waited long enough by then; of a Chat channel it
    // must be known that it is long-lived.
    let known_long_lived = match channel.platform() {
        Platform::Conversations => true,
        Platform::Chat => channel.long_lived() == Some(true),
    };
    let last_step = match waiting.queue {
        Queue::LongLived => true,
        Queue::Abandoned
        | Queue::Ended
        | Queue::Retry
        | Queue::Inspect
        | Queue::InstallWebhook
        | Queue::Park
        | Queue::Unpark => released || (known_long_lived && reset_is_due),
    };
    if last_step {
        Decision::Reset(reason)
    } else {
        Decision::Release(reason)
    }
}

/// The decision about a channel whose turn has come while a task is open on it.
fn decide_open(channel: &Channel, waiting: QueueEntry) -> Decision {
    match (waiting.queue, channel.task_to_move()) {
        (Queue::InstallWebhook, _) => Decision::InstallWebhook,
        (Queue::Park, Some(task)) => Decision::Park(task),
        (Queue::Unpark, Some(task)) => Decision::Unpark(task),
        (
            Queue::Park
            | Queue::Unpark
            | Queue::Inspect
            | Queue::Abandoned
            | Queue::Ended
            | Queue::LongLived
            | Queue::Retry,
            _,
        ) => Decision::Inspect(Reason::Overlap {
            since: waiting.since,
        }),
    }
}

/// A Chat channel as it was read at Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The attribute `long_lived`.
    pub long_lived: bool,
    /// Whether the attribute `status` is `INACTIVE`.
    pub inactive: bool,
}

/// What to write to a Chat channel for a step, and where that leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: it is as this step wants it, or is to be left alone. Another step follows.
    LeaveReleased(Outcome),
    /// Nothing: it is as the last step wants it.
    LeaveClosed,
    /// `status` to `INACTIVE`; its reset follows.
    Release,
    /// `status` to `INACTIVE`, and that is all.
    Inactivate,
    /// `long_lived` to false and `status` to `INACTIVE`, and that is all.
    Reset,
}

/// The remedy for a Chat channel that is to be released, or reset if `last_step`.
pub fn remedy(last_step: LastStep, seen: Seen, policy: &Policy) -> Remedy {
    match (last_step, seen.long_lived, seen.inactive) {
        (LastStep::Yes, true, _) => Remedy::Reset,
        (LastStep::No, true, _) if !policy.release_long_lived => {
            Remedy::LeaveReleased(Outcome::LeftAlone)
        }
        (LastStep::No, true, true) => Remedy::LeaveReleased(Outcome::AlreadyClean),
        (LastStep::No, true, false) => Remedy::Release,
        (_, false, true) => Remedy::LeaveClosed,
        (_, false, false) => Remedy::Inactivate,
    }
}

/// Whether a step is the last one of a long-lived channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastStep {
    /// [`Decision::Reset`].
    Yes,
    /// [`Decision::Release`].
    No,
}
