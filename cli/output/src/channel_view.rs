//! One view of a channel, for tables, JSON and the status page alike.

use std::time::Duration;

use domain::{
    Channel, ParkDecision, Platform, Policy, Progress, Step, SweepDecision, TaskSid, Timestamp,
    decide_park, decide_sweep,
};
use serde::Serialize;

/// State of a channel, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Agents are at work, or a customer waits for one.
    Open,
    /// Its last task has ended, and its cutoff has not passed.
    Waiting,
    /// An agent, a program or Twilio still has it, or may have.
    Left,
    /// Its cutoff has passed: the next sweep works on it.
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
    pub const ALL: [Self; 9] = [
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

    /// Returns the word, as the JSON has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
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

/// Longest time that TaskRouter lets a task be assigned before it deletes it, parked or not.
/// Source: <https://www.twilio.com/docs/taskrouter/api/task>
const MAX_ASSIGNED: Duration = Duration::from_secs(24 * 60 * 60);

/// A channel as lists and the status page show it. Times are milliseconds since 1970.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelView {
    /// The channel.
    pub channel_sid: domain::ChannelSid,
    /// Chat or Conversations.
    pub platform: Platform,
    /// Its state.
    pub state: State,
    /// Number of its open tasks.
    pub open_tasks: usize,
    /// Those of its open tasks that the record says are parked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parked_tasks: Vec<ParkedTask>,
    /// True if Twilio's attribute `long_lived` was true when it was last read; absent if it was
    /// never read. Only Chat channels have it.
    pub long_lived: Option<bool>,
    /// End of its last task, if none is open.
    pub idle_since_ms: Option<Timestamp>,
    /// The task that ended last, if none is open.
    pub last_task_sid: Option<TaskSid>,
    /// The way in which that task ended.
    pub last_task_end: Option<domain::End>,
    /// Resource that held it open when reconcile adopted it as an orphan, if no task is known.
    pub orphaned_by: Option<domain::HeldOpenBy>,
    /// The queue that it waits in.
    pub queue: Option<&'static str>,
    /// The moment from which the queue's owner works on it.
    pub due_at_ms: Option<Timestamp>,
    /// Time of the customer's message that no agent sees, if there is one.
    pub unheard_since_ms: Option<Timestamp>,
    /// End of a person's hold; the greatest number means until it is released.
    pub held_until_ms: Option<Timestamp>,
}

/// A parked task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ParkedTask {
    /// The task.
    pub task_sid: TaskSid,
    /// TaskRouter deletes the task at this moment or a little later: it allows 24 hours from
    /// the assignment, and this counts from the task's creation.
    pub deleted_after_ms: Timestamp,
}

impl ChannelView {
    /// Returns the view of a record at `now`, with the cutoffs of `policy`.
    #[must_use]
    pub fn new(channel: &Channel, policy: &Policy, now: Timestamp) -> Self {
        let waiting = channel.queue_entry();
        let idle = channel.idle();
        let parked = channel.parked_tasks().filter_map(|task_sid| {
            let task = channel.tasks().get(&task_sid)?;
            Some(ParkedTask {
                task_sid,
                deleted_after_ms: task.opened_at.plus(MAX_ASSIGNED),
            })
        });
        Self {
            channel_sid: channel.sid(),
            platform: channel.platform(),
            state: state(channel, policy, now),
            open_tasks: channel.open_tasks().count(),
            parked_tasks: parked.collect(),
            long_lived: channel.long_lived(),
            idle_since_ms: idle.map(|idle| idle.since),
            last_task_sid: idle.and_then(|idle| idle.task()),
            last_task_end: idle.and_then(|idle| idle.how()),
            orphaned_by: idle.and_then(|idle| idle.holder()),
            queue: waiting.map(|waiting| waiting.queue.name()),
            due_at_ms: waiting.map(|waiting| waiting.since.plus(policy.cutoff(waiting.queue))),
            unheard_since_ms: channel.unheard_since(),
            held_until_ms: channel.held(now),
        }
    }

    /// Returns the platform's name, as the JSON has it.
    #[must_use]
    pub const fn platform_name(&self) -> &'static str {
        match self.platform {
            Platform::Chat => "chat",
            Platform::Conversations => "conversations",
        }
    }
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
        (
            _,
            ParkDecision::InstallWebhook(_)
            | ParkDecision::TellExpiry(_)
            | ParkDecision::Park(_)
            | ParkDecision::Unpark(_),
        ) => State::Open,
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
