//! The figures of one run: returned, logged and printed as they are.

use domain::Timestamp;
use runtime::metrics;
use serde::Serialize;

/// The figures of one run. Every due channel is counted exactly once among `parked` … `failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Polls of the due index.
    pub polls: usize,
    /// Channels whose turn had come, over all polls.
    pub due: usize,
    /// Tasks moved to the inactive TaskChannel.
    pub parked: usize,
    /// Tasks moved back.
    pub returned: usize,
    /// Tasks that were already where they should be.
    pub already: usize,
    /// Tasks of Chat channels that have our webhook, found or added.
    pub installed: usize,
    /// Tasks of Chat channels without room for another webhook: they are not parked.
    pub no_room: usize,
    /// Tasks that had ended, or whose agent is done: left alone.
    pub left_alone: usize,
    /// Not due any more when the record itself was read.
    pub not_due: usize,
    /// To be looked at again at the next poll: Twilio was busy, or others were faster.
    pub deferred: usize,
    /// Parked tasks whose coming end was announced.
    pub expiring: usize,
    /// Could not be moved for a reason that stays; tried again later.
    pub refused: usize,
    /// The record could not be read or written.
    pub failed: usize,
    /// Agents who have more than they can take since a chat came back; also counted above.
    pub over_capacity: usize,
    /// Requests to Twilio, repeated ones included.
    pub calls: u64,
    /// The error's name, if one ended the run. Only logs say so: the caller is given the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<&'static str>,
}

/// The result of one due channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelResult {
    Parked,
    Returned,
    Already,
    Installed,
    NoRoom,
    ExpiryTold,
    LeftAlone,
    NotDue,
    Deferred,
    /// TaskRouter does not know the task, for the first time: it is asked once more.
    Gone,
    Refused,
    Failed,
}

impl ChannelResult {
    /// Returns true if the record now says what became of the task, so that another task of the
    /// channel may be next.
    pub(crate) const fn is_settled(self) -> bool {
        match self {
            Self::Returned | Self::Already | Self::LeftAlone | Self::Gone | Self::Refused => true,
            Self::Parked
            | Self::Installed
            | Self::NoRoom
            | Self::ExpiryTold
            | Self::NotDue
            | Self::Deferred
            | Self::Failed => false,
        }
    }
}

impl Summary {
    /// Writes the figures as metrics.
    pub(crate) fn write_metrics(&self, now: Timestamp) {
        tracing::info!(
            target: metrics::TARGET,
            at_ms = now.as_millis(),
            Parked = self.parked,
            Returned = self.returned,
            OverCapacity = self.over_capacity,
            NoRoom = self.no_room,
            Expiring = self.expiring,
            Refused = self.refused,
            Failed = self.failed,
            Deferred = self.deferred,
            Calls = self.calls,
            Stopped = u64::from(self.stopped.is_some()),
        );
    }

    /// Logs the figures, one field each.
    pub(crate) fn log(&self) {
        tracing::info!(
            polls = self.polls,
            due = self.due,
            parked = self.parked,
            returned = self.returned,
            already = self.already,
            installed = self.installed,
            no_room = self.no_room,
            expiring = self.expiring,
            left_alone = self.left_alone,
            not_due = self.not_due,
            deferred = self.deferred,
            refused = self.refused,
            failed = self.failed,
            over_capacity = self.over_capacity,
            calls = self.calls,
            stopped = self.stopped,
            "polled for chats to move"
        );
    }

    pub(crate) fn count(&mut self, result: ChannelResult) {
        let counter = match result {
            ChannelResult::Parked => &mut self.parked,
            ChannelResult::Returned => &mut self.returned,
            ChannelResult::Already => &mut self.already,
            ChannelResult::Installed => &mut self.installed,
            ChannelResult::NoRoom => &mut self.no_room,
            ChannelResult::ExpiryTold => &mut self.expiring,
            ChannelResult::LeftAlone => &mut self.left_alone,
            ChannelResult::NotDue => &mut self.not_due,
            ChannelResult::Deferred | ChannelResult::Gone => &mut self.deferred,
            ChannelResult::Refused => &mut self.refused,
            ChannelResult::Failed => &mut self.failed,
        };
        *counter += 1;
    }
}
