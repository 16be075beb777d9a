//! The reason for a move, its announcement, and its end.

use domain::{Channel, ChannelSid, ManualRequest, Platform, TaskParking, TaskSid};
use store::{StoreError, Versioned};
use twilio::events::TaskSeen;
use twilio::rest::{TaskVersion, TwilioError};

use crate::plan::{Direction, Refusal};
use crate::summary::ChannelResult;

/// Why a run stops before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The table could not be used for this channel.
    Store(StoreError),
    /// Twilio does not accept our credentials.
    Unauthorized(TwilioError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The reason for a move.
#[derive(Clone, Copy)]
pub(crate) enum Intent<'a> {
    /// The record asks for it, as it was read.
    Record(&'a Versioned, Direction),
    /// A person asks for it.
    Manual(ManualRequest),
}

impl Intent<'_> {
    pub(crate) fn direction(self) -> Direction {
        match self {
            Self::Record(_, direction) => direction,
            Self::Manual(ManualRequest::Park) => Direction::Park,
            Self::Manual(ManualRequest::Resume) => Direction::Resume,
        }
    }
}

/// The end of one attempt to move a task.
pub(crate) enum Attempt {
    /// There is nothing more to do.
    Done(MoveResult),
    /// Others changed the task or its record meanwhile, or it is not known if the write had an
    /// effect: everything has to be read again.
    Again,
}

/// The end of a move.
pub(crate) enum MoveResult {
    /// The task is there now.
    Moved(ChannelSid),
    /// The task was there before.
    Already,
    /// The task has ended, or no agent is talking.
    Over(Box<TaskSeen>),
    /// TaskRouter does not know the task.
    Gone,
    /// The task cannot be moved.
    Refused(Refusal),
    /// The settings do not say where the Chat channel's messages are to be told.
    NoWebhookUrl,
    /// The Chat channel has no webhook that tells its messages, for this reason.
    NoWebhook(ChannelResult),
    /// Twilio is busy or does not answer.
    Busy,
}

/// The end of an announcement.
pub(crate) enum Announced {
    /// The record says so now.
    To(Announcement),
    /// Others wrote the record meanwhile.
    Conflict,
    /// The task is not to be moved.
    Impossible(MoveResult),
}

/// The record that a move was announced in.
pub(crate) struct Announcement {
    pub(crate) channel: ChannelSid,
    pub(crate) platform: Platform,
    /// The task's parking as the record knew it.
    pub(crate) parking: TaskParking,
}

impl Announcement {
    pub(crate) fn of(channel: &Channel, task: TaskSid) -> Self {
        Self {
            channel: channel.sid(),
            platform: channel.platform(),
            parking: channel.parking(task).copied().unwrap_or_default(),
        }
    }

    /// Returns the number of a version. Where Twilio's name for it is no number, it counts as
    /// the one that is known, so that what is found last counts.
    pub(crate) fn number(&self, version: &TaskVersion) -> u32 {
        let known = || self.parking.version().unwrap_or_default();
        version.number.unwrap_or_else(known)
    }
}
