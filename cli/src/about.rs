//! What is to be said of a channel, for tables, JSON and the status page alike.

use domain::{
    Channel, ParkDecision, Platform, Policy, Progress, Step, SweepDecision, TaskSid, Timestamp,
    decide_park, decide_sweep,
};
use serde::Serialize;

/// How a channel stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Agents are at work, or a customer waits for one.
    Open,
    /// Its last task has ended, and its time has not come.
    Waiting,
    /// An agent, a program or Twilio still has it, or may have.
    Left,
    /// Its time has come.
    Due,
    /// A person keeps the sweep away.
    Held,
    /// Long-lived and released: it waits for its reset.
    Released,
    /// Closed.
    Closed,
    /// Given up: a person has to look.
    Failed,
    /// No task of it is known.
    Unknown,
}

impl State {
    /// Every state.
    pub(crate) const ALL: [Self; 9] = [
        Self::Open,
        Self::Waiting,
        Self::Left,
        Self::Due,
        Self::Held,
        Self::Released,
        Self::Closed,
        Self::Failed,
        Self::Unknown,
    ];

    /// The word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Left => "left",
            Self::Due => "due",
            Self::Held => "held",
            Self::Released => "released",
            Self::Closed => "closed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What is to be said of a channel in a list. Times are milliseconds since 1970.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct About {
    pub(crate) channel_sid: domain::ChannelSid,
    pub(crate) platform: Platform,
    pub(crate) state: State,
    /// How many of its tasks are open.
    pub(crate) open_tasks: usize,
    /// How many of those are parked, as far as we know.
    #[serde(skip_serializing_if = "is_none")]
    pub(crate) parked_tasks: usize,
    /// Whether it is long-lived, if anybody ever looked.
    pub(crate) long_lived: Option<bool>,
    /// When its last task ended, if none is open.
    pub(crate) idle_since_ms: Option<Timestamp>,
    /// The task that ended last, if none is open.
    pub(crate) last_task_sid: Option<TaskSid>,
    /// How that task ended.
    pub(crate) last_task_end: Option<domain::End>,
    /// What held it open when it was taken up as an orphan, if that is all that is known.
    pub(crate) orphaned_by: Option<domain::HeldOpenBy>,
    /// The queue that it waits in.
    pub(crate) queue: Option<&'static str>,
    /// When the sweep is to look at it.
    pub(crate) due_at_ms: Option<Timestamp>,
    /// Until when a person keeps the sweep away; the greatest number is until it is released.
    pub(crate) held_until_ms: Option<Timestamp>,
}

impl About {
    /// What is to be said now.
    pub(crate) fn new(channel: &Channel, policy: &Policy, now: Timestamp) -> Self {
        let waiting = channel.queue_entry();
        let idle = channel.idle();
        Self {
            channel_sid: channel.sid(),
            platform: channel.platform(),
            state: state(channel, policy, now),
            open_tasks: channel.open_tasks().count(),
            parked_tasks: channel.parked_tasks().count(),
            long_lived: channel.long_lived(),
            idle_since_ms: idle.map(|idle| idle.since),
            last_task_sid: idle.and_then(|idle| idle.task()),
            last_task_end: idle.and_then(|idle| idle.how()),
            orphaned_by: idle.and_then(|idle| idle.holder()),
            queue: waiting.map(|waiting| waiting.queue.name()),
            due_at_ms: waiting.map(|waiting| waiting.since.plus(policy.cutoff(waiting.queue))),
            held_until_ms: channel.held(now),
        }
    }

    /// The platform's name.
    pub(crate) const fn platform_name(&self) -> &'static str {
        match self.platform {
            Platform::Chat => "chat",
            Platform::Conversations => "conversations",
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls it in"
)]
fn is_none(count: &usize) -> bool {
    *count == 0
}

fn state(channel: &Channel, policy: &Policy, now: Timestamp) -> State {
    if channel.held(now).is_some() {
        return State::Held;
    }
    let progress = channel.cleanup().map(|cleanup| &cleanup.progress);
    let waits_to_move = decide_park(channel, policy, now);
    match (decide_sweep(channel, policy, now), waits_to_move) {
        (SweepDecision::Look, _) => State::Due,
        (SweepDecision::Inspect(_), _) => State::Open,
        (SweepDecision::EndSession(_), _) => State::Closed,
        (_, ParkDecision::InstallWebhook | ParkDecision::Park(_) | ParkDecision::Unpark(_)) => {
            State::Open
        }
        (SweepDecision::Wait(_) | SweepDecision::Nothing, _) => match progress {
            Some(Progress::Done {
                step: Step::Close, ..
            }) => State::Closed,
            Some(Progress::Failed { .. }) => State::Failed,
            Some(Progress::Done {
                step: Step::Release,
                ..
            }) => State::Released,
            Some(Progress::Left { .. }) => State::Left,
            Some(Progress::Untouched) | None if channel.idle().is_some() => State::Waiting,
            Some(Progress::Untouched) | None if channel.tasks().is_empty() => State::Unknown,
            Some(Progress::Untouched) | None => State::Open,
        },
    }
}
