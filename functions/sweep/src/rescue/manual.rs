//! The rescue that a person asks for: of one channel, whatever the age of its message.

use std::time::Duration;

use domain::{ChannelSid, NotRescued, Queue, TaskSid, Timestamp, unheard};
use runtime::clock::Watch;

use crate::closing::Closer;
use crate::guard::Guard;
use crate::look::Reader;
use crate::manual::Refreshed;
use crate::mark::ChannelReport;
use crate::rescue::{RescueError, RescueResult, Subject, Terms};
use crate::run::Run;
use crate::summary::ChannelResult;
use crate::{Sweep, SweepError};

/// The result of a rescue by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManualRescue {
    /// There is no record of the channel.
    Unknown,
    /// A task is open on it.
    OpenTask,
    /// No customer waits unheard on it.
    NotUnheard,
    /// A task would be made for a message of this time.
    WouldMake(Timestamp),
    /// The customer has this task.
    Made(TaskSid),
    /// No task was made.
    NotMade(NotRescued),
    /// It is not known yet if a task was made, or the channel changed meanwhile. The next sweep,
    /// or the same command in ten minutes, shows it.
    Unsettled,
}

impl Sweep {
    /// Makes a task for the customer who waits unheard on a channel, or says what would be done
    /// where `writes` is false. The channel is not closed in any case.
    ///
    /// # Errors
    ///
    /// Fails when the table, TaskRouter or the channel cannot be read or written.
    pub async fn rescue(
        &self,
        channel: ChannelSid,
        writes: bool,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<ManualRescue, SweepError> {
        let settings = &self.settings;
        let Some(refreshed) = self.refreshed(channel, now).await? else {
            return Ok(ManualRescue::Unknown);
        };
        let Refreshed {
            before,
            mut after,
            twilio,
            service,
            open_tasks,
        } = refreshed;
        if after.idle().is_none() {
            return Ok(ManualRescue::OpenTask);
        }
        let closer = Closer {
            reader: Reader {
                twilio: twilio.clone(),
                service,
                webhook_url: settings.webhook_url.clone(),
            },
            plan: settings.plan.clone(),
        };
        let watch = Watch::new(now, time_left);
        let guard = Guard::of_person(settings.plan.max_closes, now);
        let run = Run::new(settings, twilio, open_tasks, closer, guard, watch);
        let reader = &run.closer.reader;
        let look = reader.look(&mut after, &settings.plan.policy, now).await;
        let look = look.map_err(|error| SweepError::NotRescued(error.to_string()))?;
        let Some(message) = unheard(&after, &look.evidence, &look.verdict) else {
            return Ok(ManualRescue::NotUnheard);
        };
        let mut subject = Subject { before, after };
        let terms = Terms {
            within: None,
            writes,
        };
        let result = match run.rescue(&mut subject, &look, message, terms).await {
            Ok(result) => result,
            Err(RescueError::Store(error)) => return Err(error.into()),
            Err(RescueError::Twilio(error)) => return Err(SweepError::LookupFailed(error)),
        };
        let Subject { before, mut after } = subject;
        let rescued = match result {
            RescueResult::WouldMake => return Ok(ManualRescue::WouldMake(message.at)),
            RescueResult::NotMade(why) if !writes => return Ok(ManualRescue::NotMade(why)),
            RescueResult::Conflict => return Ok(ManualRescue::Unsettled),
            RescueResult::Made(task) => {
                after.note_unheard(message.at);
                Some((task, message.at))
            }
            RescueResult::NotMade(_)
            | RescueResult::EndedAtOnce
            | RescueResult::OpenAgain
            | RescueResult::PutOff
            | RescueResult::LimitReached
            | RescueResult::NotAllowed => None,
        };
        let news = ChannelReport {
            row: Some(look.verdict.row()),
            rescued,
            ..ChannelReport::new(before, after, Queue::Retry, ChannelResult::Rescued)
        };
        self.publish_and_mark(news, now).await?;
        Ok(match result {
            RescueResult::Made(task) => ManualRescue::Made(task),
            RescueResult::NotMade(why) => ManualRescue::NotMade(why),
            RescueResult::EndedAtOnce => ManualRescue::NotMade(NotRescued::EndedAtOnce),
            RescueResult::OpenAgain => ManualRescue::OpenTask,
            RescueResult::WouldMake => ManualRescue::WouldMake(message.at),
            RescueResult::PutOff
            | RescueResult::LimitReached
            | RescueResult::Conflict
            | RescueResult::NotAllowed => ManualRescue::Unsettled,
        })
    }
}
