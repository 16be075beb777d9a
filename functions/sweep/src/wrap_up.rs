//! Ends a stuck wrap-up by hand. No schedule does that, since the agent may still be writing.
//!
//! A task of an interaction is ended through the agent's participant: the interaction channel
//! would end every task of it, and TaskRouter is not to end such a task at all
//! (<https://www.twilio.com/docs/flex/developer/conversations/best-practices>). Its
//! Conversation goes on and is closed as after any task. Any other chat's task is ended in
//! TaskRouter.

use domain::{Interaction, InteractionParticipantSid, Platform, Stage, TaskSid, Timestamp};
use twilio::events::{About, TaskStatus};
use twilio::rest::{Client, TaskVersion, TwilioError};

use crate::{Sweep, SweepError};

/// The reason that TaskRouter keeps with the task.
const REASON: &str = "completed by hand: stuck in wrap-up";

/// A task that is to be completed by hand, and the way in which that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrapUp {
    /// TaskRouter does not know the task.
    Unknown,
    /// The task is not in wrap-up.
    NotWrapping,
    /// The task names neither a Chat channel nor an interaction in which exactly one agent has
    /// it, so the right way is not known.
    Unclear,
    /// A Chat channel's task: TaskRouter completes it.
    Task,
    /// A task of an interaction: it ends with this agent's part.
    Participant(InteractionParticipantSid),
}

/// The finding of a look at the task.
enum Found {
    Refused(WrapUp),
    Task(Box<TaskVersion>),
    Participant(Interaction, InteractionParticipantSid),
}

impl Sweep {
    /// Looks at a task that is to be completed by hand. Nothing is written.
    ///
    /// # Errors
    ///
    /// Fails when TaskRouter or the interaction's participants cannot be read.
    pub async fn wrap_up(&self, task: TaskSid, now: Timestamp) -> Result<WrapUp, SweepError> {
        let twilio = self.client(now).await?;
        Ok(match self.find_wrap_up(&twilio, task).await? {
            Found::Refused(refused) => refused,
            Found::Task(_) => WrapUp::Task,
            Found::Participant(_, participant) => WrapUp::Participant(participant),
        })
    }

    /// Completes a task that is in wrap-up, and returns the way in which that was done, or why
    /// nothing was written. Its channel is closed later, when the sweep finds it due.
    ///
    /// # Errors
    ///
    /// Fails when TaskRouter or the participants cannot be read, and when Twilio refuses or
    /// the task is open afterwards.
    pub async fn complete(&self, task: TaskSid, now: Timestamp) -> Result<WrapUp, SweepError> {
        let refused = |error: TwilioError| SweepError::NotCompleted(error.to_string());
        let twilio = self.client(now).await?;
        let (workspace, _) = self.flex_ids(&twilio).await?;
        let (done, after) = match self.find_wrap_up(&twilio, task).await? {
            Found::Refused(why) => return Ok(why),
            Found::Task(version) => {
                let completed = twilio.complete_task(workspace, &version, REASON).await;
                (WrapUp::Task, Some(completed.map_err(refused)?))
            }
            Found::Participant(interaction, participant) => {
                let closed = twilio.close_participant(interaction, participant).await;
                closed.map_err(refused)?;
                let after = twilio.task(workspace, task).await.map_err(refused)?;
                (WrapUp::Participant(participant), after)
            }
        };
        match after.map(|seen| seen.status) {
            Some(TaskStatus::Open(_)) => Err(SweepError::NotCompleted(
                "Twilio took the request, but the task is still open; look at it again".to_owned(),
            )),
            Some(TaskStatus::Ended(_)) | None => Ok(done),
        }
    }

    async fn find_wrap_up(&self, twilio: &Client, task: TaskSid) -> Result<Found, SweepError> {
        let (workspace, _) = self.flex_ids(twilio).await?;
        let version = twilio.task_version(workspace, task).await;
        let Some(version) = version.map_err(SweepError::LookupFailed)? else {
            return Ok(Found::Refused(WrapUp::Unknown));
        };
        if version.seen.status != TaskStatus::Open(Stage::Wrapping) {
            return Ok(Found::Refused(WrapUp::NotWrapping));
        }
        let About::Channel(link) = version.seen.about else {
            return Ok(Found::Refused(WrapUp::Unclear));
        };
        let Some(interaction) = link.interaction else {
            return Ok(match link.platform {
                Platform::Chat => Found::Task(Box::new(version)),
                Platform::Conversations => Found::Refused(WrapUp::Unclear),
            });
        };
        match twilio.agents_with_task(interaction, task).await.as_deref() {
            Ok([agent]) => Ok(Found::Participant(interaction, *agent)),
            Ok(_) | Err(TwilioError::Gone) => Ok(Found::Refused(WrapUp::Unclear)),
            Err(error) => Err(SweepError::LookupFailed(error.clone())),
        }
    }
}
