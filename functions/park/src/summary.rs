//! What one run did, in numbers: returned, logged and printed as it is.

use domain::Timestamp;
use runtime::metrics;
use serde::Serialize;

/// What one run did. Every due channel is counted exactly once among `parked` … `failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How often it was looked for something to do.
    pub polls: usize,
    /// Channels whose turn had come, over all polls.
    pub due: usize,
    /// Tasks moved to the inactive TaskChannel.
    pub parked: usize,
    /// Tasks moved back.
    pub returned: usize,
    /// Tasks that stood already where they should.
    pub already: usize,
    /// Chat channels whose messages are told to us from now on.
    pub listening: usize,
    /// Chat channels that have no room for another webhook: their chats are not parked.
    pub deaf: usize,
    /// Tasks that had ended, or whose agent is done: left alone.
    pub left_alone: usize,
    /// Not due any more when the record itself was read.
    pub not_due: usize,
    /// To be looked at again at the next poll: Twilio was busy, or others were faster.
    pub deferred: usize,
    /// Could not be moved for a reason that stays; tried again later.
    pub refused: usize,
    /// The record could not be read or written.
    pub failed: usize,
    /// Agents who have more than they can take since a chat came back; also counted above.
    pub over_capacity: usize,
    /// Requests to Twilio, repeated ones included.
    pub calls: u64,
    /// The error's name, if one ended the run. Only logs say so: who asked is given the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<&'static str>,
}

/// How one due channel came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Parked,
    Returned,
    Already,
    Listening,
    Deaf,
    LeftAlone,
    NotDue,
    Deferred,
    Refused,
    Failed,
}

impl Summary {
    /// Tells it in figures.
    pub(crate) fn tell(&self, now: Timestamp) {
        tracing::info!(
            target: metrics::TARGET,
            at_ms = now.as_millis(),
            Parked = self.parked,
            Returned = self.returned,
            OverCapacity = self.over_capacity,
            Deaf = self.deaf,
            Refused = self.refused,
            Failed = self.failed,
            Deferred = self.deferred,
            Calls = self.calls,
            Stopped = u64::from(self.stopped.is_some()),
        );
    }

    pub(crate) fn count(&mut self, came: Came) {
        let counter = match came {
            Came::Parked => &mut self.parked,
            Came::Returned => &mut self.returned,
            Came::Already => &mut self.already,
            Came::Listening => &mut self.listening,
            Came::Deaf => &mut self.deaf,
            Came::LeftAlone => &mut self.left_alone,
            Came::NotDue => &mut self.not_due,
            Came::Deferred => &mut self.deferred,
            Came::Refused => &mut self.refused,
            Came::Failed => &mut self.failed,
        };
        *counter += 1;
    }
}
