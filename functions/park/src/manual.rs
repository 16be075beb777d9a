//! A chat that an agent, or an operator, parks or takes up again by hand.
//!
//! The agent knows better than the record: a person who parks a chat has read what the customer
//! wrote, so that only what comes after it brings the chat back; a chat that is taken up again
//! is not parked before the whole waiting time is over. Both are remembered.

use domain::{ManualRequest, TaskSid, Timestamp};
use runtime::clock::{UNKNOWN_TIME_LEFT, Watch};
use store::StoreError;
use twilio::rest::TwilioError;

use crate::Park;
use crate::error::ParkError;
use crate::moves::{MoveResult, Stop};
use crate::plan::Refusal;
use crate::summary::ChannelResult;
use crate::worker::ChannelWorker;

/// The result of a move by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManualMove {
    /// The task was moved.
    Moved,
    /// The task was there already.
    Already,
}

/// Why a task was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// TaskRouter does not know the task.
    #[error("TaskRouter does not know this task")]
    Gone,
    /// It has ended, or it waits for an agent, or its agent is wrapping up.
    #[error("the task has ended, or no agent is talking")]
    NotAssigned,
    /// It cannot be moved as it is.
    #[error("{0}")]
    Refused(String),
    /// Its TaskChannel is in no pair.
    #[error("TaskChannel is not mapped")]
    Unmapped,
    /// A reply could not be told, and the chat would stay parked for ever.
    #[error("the channel has no room for the webhook that would bring the chat back")]
    NoRoom,
    /// The settings do not say where a reply is to be told.
    #[error(
        "without WEBHOOK_URL and a chat service, a reply on a Chat channel would not bring it back"
    )]
    NoWebhookUrl,
    /// Others kept changing it.
    #[error("the task keeps changing: try again")]
    Changing,
    /// Twilio is busy or does not answer.
    #[error("Twilio cannot be asked just now: try again")]
    Busy,
    /// The table cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Parking does not work at all.
    #[error(transparent)]
    Park(#[from] ParkError),
}

impl From<Stop> for MoveError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Store(error) => Self::Store(error),
            Stop::Unauthorized(error) => Self::Park(ParkError::Unauthorized(error)),
        }
    }
}

impl From<Refusal> for MoveError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unmapped(_) => Self::Unmapped,
            refusal @ (Refusal::NotAnObject(_)
            | Refusal::TooLong(_)
            | Refusal::NoChannel
            | Refusal::Twilio(_)) => Self::Refused(refusal.to_string()),
        }
    }
}

impl From<TwilioError> for MoveError {
    fn from(error: TwilioError) -> Self {
        match error {
            TwilioError::Gone => Self::Gone,
            error @ TwilioError::Unauthorized { .. } => Self::Park(ParkError::Unauthorized(error)),
            TwilioError::Throttled { .. } | TwilioError::Unreachable { .. } => Self::Busy,
            error @ (TwilioError::Refused { .. } | TwilioError::Conflict) => {
                Self::Refused(error.to_string())
            }
        }
    }
}

impl Park {
    /// Parks a task, or takes it up again, because a person asks for it. `now` is the moment of
    /// the request.
    ///
    /// # Errors
    ///
    /// Fails when the task is not there in the end, and says why.
    pub async fn manual(
        &self,
        task: TaskSid,
        request: ManualRequest,
        now: Timestamp,
    ) -> Result<ManualMove, MoveError> {
        let worker = self.worker(now).await?;
        self.move_manually(&worker, task, request).await
    }

    pub(crate) async fn worker(&self, now: Timestamp) -> Result<ChannelWorker<'_>, ParkError> {
        let settings = self.settings();
        let twilio = self.client(now).await.map_err(ParkError::from)?;
        let ids = self.checked().ids(&twilio, settings).await?;
        Ok(ChannelWorker::new(
            settings,
            twilio,
            ids,
            Watch::new(now, UNKNOWN_TIME_LEFT),
        ))
    }

    pub(crate) async fn move_manually(
        &self,
        worker: &ChannelWorker<'_>,
        task: TaskSid,
        request: ManualRequest,
    ) -> Result<ManualMove, MoveError> {
        let result = worker.process_manual(task, request).await?;
        match result.ok_or(MoveError::Changing)? {
            MoveResult::Moved(channel) => {
                if request == ManualRequest::Resume {
                    worker.is_over_capacity(channel).await;
                }
                Ok(ManualMove::Moved)
            }
            MoveResult::Already => Ok(ManualMove::Already),
            MoveResult::Over(_) => Err(MoveError::NotAssigned),
            MoveResult::Gone => Err(MoveError::Gone),
            MoveResult::Refused(refusal) => Err(refusal.into()),
            MoveResult::NoWebhookUrl => Err(MoveError::NoWebhookUrl),
            MoveResult::NoWebhook(ChannelResult::Deferred) | MoveResult::Busy => {
                Err(MoveError::Busy)
            }
            MoveResult::NoWebhook(_) => Err(MoveError::NoRoom),
        }
    }
}
