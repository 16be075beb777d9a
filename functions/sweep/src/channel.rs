//! One due channel: its record, the look at its tasks, the closing, and what is to be marked.

use domain::{
    Channel, FailureReason, LastMessage, NotRescued, Progress, ProxySessionSid, Row, SweepDecision,
    decide_sweep, unheard,
};
use std::sync::Arc;
use store::{Due, Saved, StoreError, Versioned};
use tokio::time::timeout_at;
use twilio::rest::TwilioError;

use crate::closing::{CloseAction, CloseError, CloseResult};
use crate::look::LookError;
use crate::mark::ChannelReport;
use crate::open_tasks::PortionLook;
use crate::rescue::{RescueError, RescueResult, Subject, Terms};
use crate::run::{Processed, Run, TIME_TO_MARK, is_stale};
use crate::settings::Unheard;
use crate::summary::{ChannelResult, Stop};

impl Run<'_> {
    /// Works on one channel within the run's time.
    pub(crate) async fn one(&self, due: Due, look: Option<Arc<PortionLook>>) -> Processed {
        let Some(look) = look.filter(|_| !self.must_stop()) else {
            return Processed::Counted(match self.must_stop() {
                true => ChannelResult::NotStarted,
                false => ChannelResult::Deferred,
            });
        };
        // Dropped in the middle, it is like a crash there: the next sweep finds what was done.
        match timeout_at(self.watch.last_call(TIME_TO_MARK), self.process(due, look)).await {
            Ok(Ok(processed)) => processed,
            Ok(Err(error)) => {
                tracing::error!(%error, "a channel's record could not be used: next time again");
                Processed::Counted(ChannelResult::Deferred)
            }
            Err(_elapsed) => {
                tracing::warn!(channel = %due.channel, "out of time in the middle: put off");
                self.stop(Stop::OutOfTime);
                Processed::Counted(ChannelResult::Deferred)
            }
        }
    }

    async fn process(&self, due: Due, look: Arc<PortionLook>) -> Result<Processed, StoreError> {
        let policy = &self.settings.plan.policy;
        let Some(before) = self.settings.table.get(due.channel).await? else {
            return Ok(Processed::Counted(ChannelResult::NotDue));
        };
        let mut after = before.channel.clone();
        after.end_hold(self.watch.now());
        let fresh = match look.covers(due.channel) && is_stale(&look, self.watch.now()) {
            true => self.ask_about([due.channel].into()).await.map(Arc::new),
            false => Some(look),
        };
        let Some(look) = fresh else {
            return Ok(Processed::Counted(ChannelResult::Deferred));
        };
        let now = self.watch.now();
        let refreshed = self
            .open_tasks
            .refresh(&self.twilio, Some(&look), &mut after, now);
        if let Err(error) = refreshed.await {
            let result = self.sort(&error, due).unwrap_or(ChannelResult::Deferred);
            return Ok(Processed::Counted(result));
        }
        if let Some(told) = self.late_rescue(&before, &mut after, due) {
            return Ok(told);
        }
        match decide_sweep(&after, policy, self.watch.now()) {
            SweepDecision::Look => {}
            SweepDecision::EndSession(session) => {
                return self.end_session(before, after, session, due).await;
            }
            SweepDecision::Nothing | SweepDecision::Wait(_) | SweepDecision::Inspect(_) => {
                let result = match after.idle() {
                    None => ChannelResult::OpenAgain,
                    Some(_) => ChannelResult::NotDue,
                };
                return self.keep(&before, after, result).await;
            }
        }
        if !look.covers(due.channel) {
            // It was due to be inspected, and turns out to be over. Whether another task is
            // open on it was not asked; the next sweep does.
            return self.keep(&before, after, ChannelResult::Deferred).await;
        }
        self.close(before, after, due).await
    }

    async fn close(
        &self,
        before: Versioned,
        mut after: Channel,
        due: Due,
    ) -> Result<Processed, StoreError> {
        let plan = &self.settings.plan;
        let now = self.watch.now();
        let look = match self.closer.reader.look(&mut after, &plan.policy, now).await {
            Ok(look) => look,
            Err(error) => return self.not_closed(before, after, error.into(), due).await,
        };
        let unheard = unheard(&after, &look.evidence, &look.verdict);
        let mut subject = Subject { before, after };
        let mut not_rescued = None;
        if let Some(message) = unheard.filter(|_| plan.unheard == Unheard::Rescue) {
            let terms = Terms {
                within: Some(plan.rescue_within),
                writes: !self.observes(),
            };
            let rescued = self.rescue(&mut subject, &look, message, terms).await;
            let Subject { before, after } = subject;
            match rescued {
                Ok(RescueResult::NotMade(why)) => {
                    not_rescued = Some(why);
                    subject = Subject { before, after };
                }
                Ok(result) => {
                    let row = look.verdict.row();
                    return self
                        .rescued(before, after, (result, row), message, due)
                        .await;
                }
                Err(RescueError::Store(error)) => return Err(error),
                Err(RescueError::Twilio(error)) => {
                    return self.not_closed(before, after, error.into(), due).await;
                }
            }
        }
        let Subject { before, mut after } = subject;
        let now = self.watch.now();
        let closed = self
            .closer
            .close(&mut after, look, now, || self.may_write());
        match closed.await {
            Ok(result) => {
                self.note_answer();
                Ok(self.news(before, after, result, not_rescued, due))
            }
            Err(error) => self.not_closed(before, after, error, due).await,
        }
    }

    /// Sorts a channel that could not be read or closed.
    async fn not_closed(
        &self,
        before: Versioned,
        after: Channel,
        error: CloseError,
        due: Due,
    ) -> Result<Processed, StoreError> {
        let reason = match error {
            CloseError::Look(LookError::NoSuchService(service)) => {
                tracing::error!(channel = %due.channel, %service, "the chat service is not there");
                self.stop(Stop::ServiceIsGone);
                return Ok(Processed::Counted(ChannelResult::NotStarted));
            }
            CloseError::Look(LookError::NotAnObject) => FailureReason::AttributesNotAnObject,
            CloseError::NotKept => FailureReason::Refused,
            CloseError::Look(LookError::Twilio(error)) => match (self.sort(&error, due), error) {
                (Some(result), _) => return Ok(Processed::Counted(result)),
                (None, TwilioError::Unreachable { .. }) => FailureReason::Unreachable,
                (None, _) => FailureReason::Refused,
            },
        };
        self.fail(before, after, reason, due).await
    }

    /// Returns the news of a rescue that was announced and whose task is known only now.
    fn late_rescue(&self, before: &Versioned, after: &mut Channel, due: Due) -> Option<Processed> {
        let (task, rescue) = after.rescue_to_tell()?;
        if self.observes() {
            return None;
        }
        after.note_rescued(task);
        after.note_unheard(rescue.unheard_since);
        Some(Processed::Report(Box::new(ChannelReport {
            rescued: Some((task, rescue.unheard_since)),
            ..ChannelReport::new(
                before.clone(),
                after.clone(),
                due.queue,
                ChannelResult::Rescued,
            )
        })))
    }

    /// Sorts a channel whose customer was to be given a task, and that is not closed for that.
    async fn rescued(
        &self,
        before: Versioned,
        mut after: Channel,
        (result, row): (RescueResult, Row),
        message: LastMessage,
        due: Due,
    ) -> Result<Processed, StoreError> {
        let now = self.watch.now();
        let (rescued, not_rescued, result) = match result {
            RescueResult::Made(task) => {
                let rescued = Some((task, message.at));
                (rescued, None, ChannelResult::Rescued)
            }
            RescueResult::EndedAtOnce => {
                let why = Some(NotRescued::EndedAtOnce);
                (None, why, ChannelResult::Deferred)
            }
            // The customer waits on, so a person is told as where no rescue is wanted.
            RescueResult::WouldMake => match after.note_observed(now) {
                true => (None, None, ChannelResult::WouldRescue),
                false => (None, None, ChannelResult::ObservedAgain),
            },
            RescueResult::LimitReached => {
                let result = ChannelResult::RescueDeferred;
                return self.keep(&before, after, result).await;
            }
            RescueResult::Conflict => return Ok(Processed::Counted(ChannelResult::Deferred)),
            RescueResult::NotAllowed => return Ok(Processed::Counted(ChannelResult::NotStarted)),
            RescueResult::OpenAgain => {
                return self.keep(&before, after, ChannelResult::OpenAgain).await;
            }
            RescueResult::PutOff | RescueResult::NotMade(_) => {
                return self.keep(&before, after, ChannelResult::Deferred).await;
            }
        };
        self.note_answer();
        let is_news = after.note_unheard(message.at);
        Ok(Processed::Report(Box::new(ChannelReport {
            row: Some(row),
            unheard_since: (is_news && rescued.is_none()).then_some(message.at),
            not_rescued,
            rescued,
            ..ChannelReport::new(before, after, due.queue, result)
        })))
    }

    fn news(
        &self,
        before: Versioned,
        mut after: Channel,
        result: CloseResult,
        not_rescued: Option<NotRescued>,
        due: Due,
    ) -> Processed {
        let now = self.watch.now();
        let unheard_since = result.unheard_since.filter(|at| after.note_unheard(*at));
        let (progress, session, counted) = match result.action {
            CloseAction::Done {
                step,
                outcome,
                session,
            } => {
                let progress = Progress::Done {
                    step,
                    at: now,
                    outcome,
                };
                (Some(progress), session, ChannelResult::of(step, outcome))
            }
            CloseAction::Left { until } => {
                after.note_left(result.row, until, now);
                (None, None, ChannelResult::Left(result.row))
            }
            CloseAction::WouldWrite => {
                let counted = ChannelResult::would_write(after.note_observed(now));
                (None, None, counted)
            }
            CloseAction::NotAllowed => return Processed::Counted(ChannelResult::NotStarted),
        };
        Processed::Report(Box::new(ChannelReport {
            row: Some(result.row),
            progress,
            session: session.filter(|_| self.settings.proxy_service.is_some()),
            unheard_since,
            not_rescued,
            ..ChannelReport::new(before, after, due.queue, counted)
        }))
    }

    /// Makes sure that a closed channel's Proxy session is gone. Flex should have ended it;
    /// while it is there, the customer's next message goes to the closed channel.
    async fn end_session(
        &self,
        before: Versioned,
        mut after: Channel,
        session: ProxySessionSid,
        due: Due,
    ) -> Result<Processed, StoreError> {
        let Some(service) = self.settings.proxy_service else {
            // The setting was taken back.
            after.note_session_ended();
            return self.keep(&before, after, ChannelResult::NotDue).await;
        };
        if self.observes() {
            let result = ChannelResult::would_write(after.note_observed(self.watch.now()));
            return self.keep(&before, after, result).await;
        }
        let result = match self.twilio.delete_proxy_session(service, session).await {
            Ok(_) => {
                after.note_session_ended();
                ChannelResult::SessionEnded
            }
            Err(error) => match self.sort(&error, due) {
                Some(result) => return Ok(Processed::Counted(result)),
                None => {
                    after.note_session_failure(self.watch.now());
                    ChannelResult::Retried
                }
            },
        };
        self.keep(&before, after, result).await
    }

    /// Records a failed try; when it was the last, the channel is given up and that is told.
    async fn fail(
        &self,
        before: Versioned,
        mut after: Channel,
        reason: FailureReason,
        due: Due,
    ) -> Result<Processed, StoreError> {
        after.note_failure(reason, self.watch.now());
        let progress = after.cleanup().map(|cleanup| cleanup.progress.clone());
        let Some(progress @ Progress::Failed { .. }) = progress else {
            return self.keep(&before, after, ChannelResult::Retried).await;
        };
        tracing::error!(channel = %after.sid(), %reason, "given up: a person has to look");
        Ok(Processed::Report(Box::new(ChannelReport {
            progress: Some(progress),
            ..ChannelReport::new(before, after, due.queue, ChannelResult::Failed)
        })))
    }

    /// Writes what was learnt about a channel that is not closed now. Where the record was
    /// written meanwhile, what stands there knows better.
    async fn keep(
        &self,
        before: &Versioned,
        after: Channel,
        result: ChannelResult,
    ) -> Result<Processed, StoreError> {
        let saved = self.settings.table.save(before, after, None).await?;
        Ok(Processed::Counted(match saved {
            Saved::Written | Saved::Unchanged => result,
            Saved::Conflict(_) => ChannelResult::Deferred,
        }))
    }

    /// Returns what an error of Twilio's means for the whole run; nothing where it concerns
    /// this channel alone.
    fn sort(&self, error: &TwilioError, due: Due) -> Option<ChannelResult> {
        let channel = due.channel;
        match error {
            TwilioError::Unauthorized { .. } => {
                tracing::error!(%channel, %error, "Twilio does not accept our credentials");
                self.stop(Stop::Unauthorized);
                Some(ChannelResult::NotStarted)
            }
            TwilioError::Throttled { .. } => {
                tracing::warn!(%channel, %error, "put off");
                Some(ChannelResult::Deferred)
            }
            TwilioError::Unreachable { .. } => {
                tracing::warn!(%channel, %error, "no answer");
                self.note_silence();
                None
            }
            TwilioError::Refused { .. } | TwilioError::Gone | TwilioError::Conflict => {
                tracing::warn!(%channel, %error, "refused");
                None
            }
        }
    }
}
