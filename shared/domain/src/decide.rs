//! Decisions that follow from a channel's record, the policy and the time, before Twilio is asked;
//! and those about what is held open, and about a customer who was not heard.

mod reconcile;
mod rescue;

use crate::channel::{Channel, Need};
use crate::policy::Policy;
use crate::queue::{Queue, QueueEntry};
use crate::{ProxySessionSid, TaskSid, Timestamp};

pub use reconcile::{HeldOpen, ReconcileDecision, SkipReason, decide_reconcile};
pub use rescue::{NotRescued, RescueDecision, RescueWay, decide_rescue};

/// The sweep's next act for a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepDecision {
    /// The channel does not wait for the sweep.
    Nothing,
    /// Its turn has not come.
    Wait(QueueEntry),
    /// No task of it is open: read it at Twilio and ask for the [`crate::verdict()`].
    Look,
    /// It is closed: make sure that this Proxy session is gone.
    EndSession(ProxySessionSid),
    /// Ask TaskRouter whether the open task that was silent since then is still open.
    Inspect(Timestamp),
}

/// The next act of `park` for a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkDecision {
    /// The channel does not wait for `park`.
    Nothing,
    /// Its turn has not come.
    Wait(QueueEntry),
    /// Install our webhook on a Chat channel, so that its messages are told to us, for this
    /// task.
    InstallWebhook(TaskSid),
    /// Move this task to the inactive TaskChannel, so that its agent can take another chat.
    Park(TaskSid),
    /// Move this task back.
    Unpark(TaskSid),
    /// Announce that TaskRouter deletes this parked task soon.
    TellExpiry(TaskSid),
}

/// Decides for the sweep, from the record alone. The sweep looks at the open tasks first and
/// lets the record absorb what it saw.
pub fn decide_sweep(channel: &Channel, policy: &Policy, now: Timestamp) -> SweepDecision {
    let Some(entry) = channel
        .unheld_entry()
        .filter(|entry| entry.queue.is_of_sweep())
    else {
        return SweepDecision::Nothing;
    };
    if let Some(until) = channel.held(now) {
        return SweepDecision::Wait(QueueEntry {
            queue: Queue::Retry,
            since: until,
        });
    }
    if !is_due(entry, policy, now) {
        return SweepDecision::Wait(entry);
    }
    if channel.idle().is_none() {
        return SweepDecision::Inspect(entry.since);
    }
    match channel.cleanup().and_then(|cleanup| cleanup.session) {
        Some(session) => SweepDecision::EndSession(session),
        None => SweepDecision::Look,
    }
}

/// Decides for `park`, from the record alone.
pub fn decide_park(channel: &Channel, policy: &Policy, now: Timestamp) -> ParkDecision {
    let urgent = channel.most_urgent_move();
    if let Some((task, need, since)) = urgent {
        let queue = need.queue();
        if is_due(QueueEntry { queue, since }, policy, now) {
            return match need {
                Need::Unpark => ParkDecision::Unpark(task),
                Need::InstallWebhook => ParkDecision::InstallWebhook(task),
                Need::Park => ParkDecision::Park(task),
            };
        }
    }
    match channel.first_expiry() {
        Some((task, since)) if since <= now => ParkDecision::TellExpiry(task),
        Some(_) | None => channel
            .unheld_entry()
            .filter(|entry| !entry.queue.is_of_sweep())
            .map_or(ParkDecision::Nothing, ParkDecision::Wait),
    }
}

/// Twilio's clock and ours differ; an end in our future is no reason to hurry.
fn is_due(entry: QueueEntry, policy: &Policy, now: Timestamp) -> bool {
    entry.since <= now && now.since(entry.since) >= policy.cutoff(entry.queue)
}
