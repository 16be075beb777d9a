//! The rescue of a customer who was not heard: a task is made that brings the waiting message
//! to an agent, and the channel is not closed.
//!
//! # The order
//!
//! 1. The last task is read, in TaskRouter's log or in TaskRouter: what a new one takes over.
//! 2. The rescue is announced in the record, on the condition that nothing changed there.
//! 3. TaskRouter is asked again for open tasks on the channel.
//! 4. The task is made, in one request that is never repeated, and looked at.
//! 5. `mark` publishes the notice and records the task.
//!
//! Whatever is read is read before the announcement, so that little lies between the last look
//! and the new task. See [`mod@domain::rescue`] for what a crash leaves open, and how it is found
//! out. A rescue takes five requests at most.
//!
//! # The race that stays
//!
//! Twilio makes a task whether another one is open or not. A task that others open between the
//! last look and ours, within one request's time, is a second one.
//!
//! The attributes of a task hold names and numbers. They pass through memory and are neither
//! stored nor logged.

mod manual;

use std::time::Duration;

use domain::rescue::{CLOCK_DIFFERENCE, MAKE_WITHIN};
use domain::{
    Channel, Fact, Interaction, LastMessage, NotRescued, Pairs, RescueDecision, RescueWay, TaskSid,
    Timestamp, decide_rescue,
};
use store::{StoreError, Versioned};
use twilio::events::{About, Link, Scope, TaskSeen, TaskStatus};
use twilio::rest::{LogQuery, TaskModel, TaskModelAnswer, TwilioError};
use twilio::task_attributes;

use crate::look::Look;
use crate::run::Run;
use crate::summary::Stop;

pub use manual::ManualRescue;

/// The time after its end in which TaskRouter still knows a task: five minutes
/// (<https://www.twilio.com/docs/taskrouter/lifecycle-task-state>).
const TASK_IS_KNOWN_FOR: Duration = Duration::from_secs(5 * 60);

/// A channel's record as it is in the table, and with what was learnt since.
pub(crate) struct Subject {
    pub(crate) before: Versioned,
    pub(crate) after: Channel,
}

/// The terms of one rescue.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// The greatest age of the message; any age where absent.
    pub(crate) within: Option<Duration>,
    /// False where nothing is to be written.
    pub(crate) writes: bool,
}

/// The result of one rescue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RescueResult {
    /// The customer has this task.
    Made(TaskSid),
    /// A task would have been made.
    WouldMake,
    /// No task was made, and none will be for this message.
    NotMade(NotRescued),
    /// A task was made, and it ended at once.
    EndedAtOnce,
    /// Another task is open on the channel.
    OpenAgain,
    /// It is to be looked at again. What was learnt is worth keeping.
    PutOff,
    /// The sweep has made as many rescues as it may. The next one looks again.
    LimitReached,
    /// The record changed meanwhile: it is to be read again.
    Conflict,
    /// No more may be written in this run.
    NotAllowed,
}

/// The reason why a rescue could not be tried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RescueError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Twilio(#[from] TwilioError),
}

/// The reason why there is no model for a new task.
enum NoModel {
    NotRescued(NotRescued),
    Failed(TwilioError),
}

impl From<TwilioError> for NoModel {
    fn from(error: TwilioError) -> Self {
        Self::Failed(error)
    }
}

impl Run<'_> {
    /// Makes a task for a customer who waits unheard, if that is right.
    pub(crate) async fn rescue(
        &self,
        subject: &mut Subject,
        look: &Look,
        message: LastMessage,
        terms: Terms,
    ) -> Result<RescueResult, RescueError> {
        let row = look.verdict.row();
        let evidence = &look.evidence;
        let (after, now) = (&subject.after, self.watch.now());
        let way = match decide_rescue(after, evidence, row, message, terms.within, now) {
            RescueDecision::Tell(why) => return Ok(RescueResult::NotMade(why)),
            RescueDecision::Wait => return Ok(RescueResult::PutOff),
            RescueDecision::Make(_) | RescueDecision::AskLog { .. } if !terms.writes => {
                return Ok(RescueResult::WouldMake);
            }
            RescueDecision::Make(way) => way,
            RescueDecision::AskLog { announced_at, way } => {
                if let Some(result) = self.earlier_rescue(subject, announced_at).await? {
                    return Ok(result);
                }
                way
            }
        };
        if self.rescue_limit_is_reached() {
            return Ok(RescueResult::LimitReached);
        }
        let model = match self.model(&subject.after, message.at).await {
            Ok(model) => model,
            Err(NoModel::NotRescued(why)) => return Ok(RescueResult::NotMade(why)),
            Err(NoModel::Failed(error)) => return Err(error.into()),
        };
        // A rescue is one of the sweep's writes, too.
        if !self.take_rescue() {
            return Ok(RescueResult::LimitReached);
        }
        if !self.may_write() {
            return Ok(RescueResult::NotAllowed);
        }
        self.make(subject, way, &model, message).await
    }

    /// Announces the task, looks again, and makes it.
    async fn make(
        &self,
        subject: &mut Subject,
        way: RescueWay,
        model: &TaskModel,
        message: LastMessage,
    ) -> Result<RescueResult, RescueError> {
        let table = &self.settings.table;
        let sid = subject.after.sid();
        let announced_at = self.watch.now();
        subject.after.announce_rescue(message, announced_at);
        if !table.claim(&subject.before, subject.after.clone()).await? {
            return Ok(RescueResult::Conflict);
        }
        let Some(stored) = table.get(sid).await? else {
            return Ok(RescueResult::Conflict);
        };
        subject.after = stored.channel.clone().merge(&subject.after);
        subject.before = stored;

        let Some(look) = self.ask_about([sid].into()).await else {
            subject.after.withdraw_rescue();
            return Ok(RescueResult::PutOff);
        };
        let now = self.watch.now();
        let open_tasks = &self.open_tasks;
        open_tasks
            .refresh(&self.twilio, Some(&look), &mut subject.after, now)
            .await?;
        if subject.after.idle().is_none() {
            subject.after.note_not_rescued();
            return Ok(RescueResult::OpenAgain);
        }
        if self.watch.now().since(announced_at) > MAKE_WITHIN {
            subject.after.withdraw_rescue();
            return Ok(RescueResult::PutOff);
        }
        let workspace = open_tasks.workspace();
        let made = match way {
            RescueWay::Invite(interaction) => {
                self.twilio.invite(interaction, workspace, model).await
            }
            RescueWay::Task => {
                let task = self.twilio.create_task(workspace, model).await;
                task.map(|seen| Some(seen.sid))
            }
        };
        let task = match made {
            Ok(Some(task)) => task,
            Ok(None) => return Ok(RescueResult::PutOff),
            Err(error) => return Ok(self.not_made(subject, &error)),
        };
        Ok(self.verify(subject, way, task).await)
    }

    /// Sorts a failure to make a task. Where it is not known if one was made, the announcement
    /// stays, and the next look at the channel shows it.
    fn not_made(&self, subject: &mut Subject, error: &TwilioError) -> RescueResult {
        let channel = subject.after.sid();
        tracing::warn!(%channel, %error, "no task was made for a customer who waits");
        match error {
            TwilioError::Unreachable { .. } => self.note_silence(),
            // It was not processed.
            TwilioError::Throttled { .. } => subject.after.withdraw_rescue(),
            TwilioError::Unauthorized { .. } => {
                self.stop(Stop::Unauthorized);
                subject.after.withdraw_rescue();
            }
            TwilioError::Refused { .. } | TwilioError::Gone | TwilioError::Conflict => {
                subject.after.note_not_rescued();
                return RescueResult::NotMade(NotRescued::Refused);
            }
        }
        RescueResult::PutOff
    }

    /// Looks at the task that was made. Where nothing shows it, the announcement stays, and what
    /// came of it is found out later.
    async fn verify(&self, subject: &mut Subject, way: RescueWay, task: TaskSid) -> RescueResult {
        let (channel, workspace) = (subject.after.sid(), self.open_tasks.workspace());
        let seen = match self.twilio.task(workspace, task).await {
            Ok(Some(seen)) if !names_another(&seen, &subject.after) => seen,
            Ok(_) => {
                tracing::warn!(%channel, %task, "the task that was made is not on its channel");
                return RescueResult::PutOff;
            }
            Err(error) => {
                tracing::warn!(%channel, %task, %error, "the task that was made was not seen");
                return RescueResult::PutOff;
            }
        };
        let interaction = match way {
            RescueWay::Invite(interaction) => Some(interaction),
            RescueWay::Task => None,
        };
        let pairs = &self.settings.pairs;
        learn(
            &mut subject.after,
            &seen,
            interaction,
            pairs,
            self.watch.now(),
        );
        match seen.status {
            TaskStatus::Open(_) => {
                subject.after.note_rescued(task);
                tracing::info!(%channel, %task, "a customer who was not heard has a task");
                RescueResult::Made(task)
            }
            TaskStatus::Ended(_) => {
                subject.after.note_not_rescued();
                RescueResult::EndedAtOnce
            }
        }
    }

    /// Finds out by TaskRouter's log what came of an earlier rescue. Nothing if it certainly made
    /// no task.
    async fn earlier_rescue(
        &self,
        subject: &mut Subject,
        announced_at: Timestamp,
    ) -> Result<Option<RescueResult>, RescueError> {
        let workspace = self.open_tasks.workspace();
        let query = LogQuery {
            from: announced_at.minus(CLOCK_DIFFERENCE),
            to: announced_at.plus(MAKE_WITHIN + 2 * CLOCK_DIFFERENCE),
            event_type: Some("task.created"),
        };
        let scope = Scope {
            account: Some(self.settings.account.sid),
            workspace: Some(workspace),
            pairs: self.settings.pairs.clone(),
        };
        let page = match self.twilio.event_log(workspace, query, &scope, None).await {
            Ok(page) => page,
            Err(failure) => return Err(TwilioError::from(failure).into()),
        };
        let after = &mut subject.after;
        let sid = after.sid();
        let facts = page.batch.facts.iter();
        let known = after.tasks();
        let is_new = |fact: &&Fact| fact.task().is_some_and(|task| !known.contains_key(&task));
        let created: Vec<_> = facts
            .filter(|fact| fact.channel == sid && fact.state().is_some())
            .filter(is_new)
            .collect();
        if !created.is_empty() {
            for fact in created {
                after.absorb(fact);
            }
            let now = self.watch.now();
            let refreshed = self.open_tasks.refresh(&self.twilio, None, after, now);
            refreshed.await?;
            return Ok(Some(RescueResult::OpenAgain));
        }
        if page.next.is_some() || !page.batch.rejected.is_empty() {
            after.note_not_rescued();
            return Ok(Some(RescueResult::NotMade(NotRescued::Unclear)));
        }
        Ok(None)
    }

    /// Reads what the new task takes over from the last one, with our mark in its attributes.
    async fn model(
        &self,
        channel: &Channel,
        unheard_since: Timestamp,
    ) -> Result<TaskModel, NoModel> {
        let none = |why| Err(NoModel::NotRescued(why));
        let Some((idle, task)) = channel.idle().and_then(|idle| Some((idle, idle.task()?))) else {
            return none(NotRescued::NoAttributes);
        };
        let (sid, workspace) = (channel.sid(), self.open_tasks.workspace());
        let opened_at = channel.tasks().get(&task).map(|known| known.opened_at);
        let from = opened_at.unwrap_or(idle.since).minus(CLOCK_DIFFERENCE);
        let now = self.watch.now();
        let twilio = &self.twilio;
        let in_log = twilio.task_model_in_log(workspace, task, sid, from, now);
        let mut answer = shown(in_log.await)?;
        if answer == TaskModelAnswer::Unknown && now.since(idle.since) < TASK_IS_KNOWN_FOR {
            answer = shown(twilio.task_model(workspace, task, sid).await)?;
        }
        let model = match answer {
            TaskModelAnswer::Known(model) => model,
            TaskModelAnswer::NotAnObject => return none(NotRescued::AttributesNotAnObject),
            TaskModelAnswer::Unknown => return none(NotRescued::NoAttributes),
        };
        let Ok(attributes) = task_attributes::for_rescue(&model.attributes, unheard_since) else {
            return none(NotRescued::AttributesNotAnObject);
        };
        // A task that was parked when it ended is made where agents see it.
        let pairs = &self.settings.pairs;
        let task_channel = model.task_channel.map(|sid| {
            let pair = pairs.of_inactive(sid);
            pair.map_or(sid, |pair| pair.active)
        });
        Ok(TaskModel {
            attributes,
            task_channel,
            ..model
        })
    }
}

/// Takes a refusal to show a task for one that is not there.
fn shown(answer: Result<TaskModelAnswer, TwilioError>) -> Result<TaskModelAnswer, TwilioError> {
    match answer {
        Err(TwilioError::Refused { .. } | TwilioError::Conflict) => Ok(TaskModelAnswer::Unknown),
        answer => answer,
    }
}

fn names_another(seen: &TaskSeen, channel: &Channel) -> bool {
    match seen.about {
        About::Channel(link) => link.channel != channel.sid(),
        About::NotTold => false,
        About::NoChannel(_) => true,
    }
}

fn learn(
    channel: &mut Channel,
    seen: &TaskSeen,
    interaction: Option<Interaction>,
    pairs: &Pairs,
    now: Timestamp,
) {
    let link = Link {
        channel: channel.sid(),
        platform: channel.platform(),
        interaction,
        other_channel: None,
    };
    for fact in seen.facts_about(link, pairs, now) {
        channel.absorb(&fact);
    }
}
