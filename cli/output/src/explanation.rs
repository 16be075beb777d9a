//! The decision on a channel, in words.

use domain::{
    Channel, ParkDecision, Policy, Progress, Queue, QueueEntry, Step, SweepDecision, Timestamp,
    UNTIL_RELEASED, decide_park, decide_sweep,
};

use crate::{from_now, moment};

/// The decision that follows from a channel's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The next step, in one word.
    pub decision: &'static str,
    /// The same as sentences, with what it waits for or what blocks it.
    pub why: String,
}

impl Explanation {
    /// Explains a record at `now`, with the cutoffs of `policy`.
    #[must_use]
    pub fn new(channel: &Channel, policy: &Policy, now: Timestamp) -> Self {
        let (decision, why) = explain(channel, policy, now);
        Self { decision, why }
    }
}

fn explain(channel: &Channel, policy: &Policy, now: Timestamp) -> (&'static str, String) {
    if let Some(until) = channel.held(now) {
        let end = match until {
            UNTIL_RELEASED => "until it is released".to_owned(),
            until => format!("until {}, {}", moment(until), from_now(until, now)),
        };
        return (
            "wait",
            format!("A person holds it {end}: the sweep does not touch it."),
        );
    }
    match decide_park(channel, policy, now) {
        ParkDecision::Nothing | ParkDecision::Wait(_) => {}
        ParkDecision::InstallWebhook(_) => {
            return (
                "install-webhook",
                "Due: an agent has its task. The next poll adds a webhook that tells its messages."
                    .to_owned(),
            );
        }
        ParkDecision::TellExpiry(task) => {
            return (
                "tell-expiry",
                format!(
                    "It is parked, and Twilio deletes {task} within the hour: 24 h after an agent took it. The next poll publishes ParkedTaskExpires."
                ),
            );
        }
        ParkDecision::Park(task) => {
            return (
                "park",
                format!(
                    "Due: its agent spoke last and its customer is silent. The next poll parks {task}."
                ),
            );
        }
        ParkDecision::Unpark(task) => {
            return (
                "unpark",
                format!(
                    "Due: its customer wrote on a parked chat. The next poll brings {task} back."
                ),
            );
        }
    }
    match decide_sweep(channel, policy, now) {
        SweepDecision::Nothing => match channel.queue_entry() {
            Some(entry) => waits(channel, entry, policy, now),
            None => ("nothing", nothing(channel, now)),
        },
        SweepDecision::Wait(entry) => waits(channel, entry, policy, now),
        SweepDecision::Look if is_observed(channel) => (
            "look",
            "Due: a sweep that observes found that it would write to it, and a sweep that acts looks at it at once."
                .to_owned(),
        ),
        SweepDecision::Look => (
            "look",
            match channel.idle() {
                Some(idle) => format!(
                    "Due: {}. The next sweep reads it at Twilio and closes or leaves it by the rule.",
                    idle.cause
                ),
                None => "Due: the next sweep reads it at Twilio.".to_owned(),
            },
        ),
        SweepDecision::EndSession(session) => (
            "end-session",
            format!(
                "It is closed. The next sweep makes sure that its Proxy session {session} is gone."
            ),
        ),
        SweepDecision::Inspect(since) => (
            "inspect",
            format!(
                "Due: one of its tasks ended while another stays open and silent since {}. The next sweep asks TaskRouter which of them are open.",
                moment(since)
            ),
        ),
    }
}

fn is_observed(channel: &Channel) -> bool {
    let entry = channel.queue_entry();
    entry.is_some_and(|entry| entry.queue == Queue::Observed)
}

fn waits(
    channel: &Channel,
    entry: QueueEntry,
    policy: &Policy,
    now: Timestamp,
) -> (&'static str, String) {
    let due = entry.since.plus(policy.cutoff(entry.queue));
    let left = match channel.cleanup().map(|cleanup| &cleanup.progress) {
        Some(Progress::Left { row, .. }) => Some(*row),
        _ => None,
    };
    let why = match (entry.queue, left) {
        (Queue::Retry, Some(row)) => format!("It is left: {row}. It is looked at again."),
        (Queue::Abandoned, _) => {
            "Its last task was canceled, timed out or deleted, so no browser cleans it.".to_owned()
        }
        (Queue::Ended, _) => {
            "Its last task has ended; the agent's browser has its time to clean up.".to_owned()
        }
        (Queue::LongLived, _) => "It is long-lived and released; then it is reset.".to_owned(),
        (Queue::Inspect, _) => {
            "One of its tasks ended while another stays open and silent; then TaskRouter is asked."
                .to_owned()
        }
        (Queue::Observed, _) => "A sweep that observes would have written to it.".to_owned(),
        (Queue::InstallWebhook, _) => "Its messages are not told to us yet.".to_owned(),
        (Queue::Park, _) => "Its agent spoke last; then the chat is parked.".to_owned(),
        (Queue::Unpark, _) if channel.has_waiting_customer() => {
            "Its customer wrote, and the chat could not be brought back.".to_owned()
        }
        (Queue::Unpark, _) => {
            "It is open and parked, and its customer is silent. An hour before TaskRouter deletes its task a notice is published."
                .to_owned()
        }
        (Queue::Retry, None) => {
            "Twilio refused, did not answer, or has a moment to end the Proxy session.".to_owned()
        }
    };
    let when = from_now(due, now);
    ("wait", format!("{why} Due {when}, at {}.", moment(due)))
}

fn nothing(channel: &Channel, now: Timestamp) -> String {
    if channel.tasks().is_empty() {
        return "No task of it is known.".to_owned();
    }
    if channel.idle().is_none() {
        return match channel.parked_tasks().next() {
            Some(task) => format!(
                "Its task {task} is open and parked. The customer's next message brings it back."
            ),
            None => "A task of it is open, so nothing is to be done.".to_owned(),
        };
    }
    match channel.last_cleanup().map(|cleanup| &cleanup.progress) {
        Some(Progress::Done {
            step: Step::Close,
            at,
            outcome,
        }) => {
            format!("It was closed {} ({outcome}).", from_now(*at, now))
        }
        Some(Progress::Failed { at, reason }) => format!(
            "It was given up {}: {reason}. A person has to look; `janitor retry --failed` tries again.",
            from_now(*at, now)
        ),
        Some(Progress::Untouched | Progress::Left { .. } | Progress::Done { .. }) | None => {
            "Nothing is waited for.".to_owned()
        }
    }
}
