//! The requests that a person may make of the sweep: one look, a sweep of the channels that they name, or the
//! deletion of one.

use std::time::Duration;

use domain::{
    Channel, ChannelSid, ChatServiceSid, HeldOpenBy, Orphan, Outcome, Platform, Progress,
    ProxySessionSid, Queue, Step, Timestamp,
};
use runtime::clock::Watch;
use store::{Due, Versioned};
use twilio::rest::Client;

use crate::closing::Closer;
use crate::guard::Guard;
use crate::look::Reader;
use crate::mark::{ChannelReport, publish_and_mark};
use crate::open_tasks::OpenTasks;
use crate::summary::ChannelResult;
use crate::{Settings, Summary, Sweep, SweepError};

impl Sweep {
    /// Looks at the open tasks for one channel, as a sweep would before it writes, and returns
    /// the record with what was seen; nothing where there is no record. Nothing is written.
    ///
    /// # Errors
    ///
    /// Fails when the table or TaskRouter cannot be read.
    pub async fn look(
        &self,
        channel: ChannelSid,
        now: Timestamp,
    ) -> Result<Option<Channel>, SweepError> {
        let refreshed = self.refreshed(channel, now).await?;
        Ok(refreshed.map(|refreshed| refreshed.after))
    }

    /// Sweeps these channels and no others, whether the index lists them or not. What is done
    /// is decided as ever, by the record, the policy and a look at the open tasks. Neither a stop
    /// nor the fuse holds it back, since a person names the channels.
    ///
    /// # Errors
    ///
    /// Fails as [`Sweep::run`] does.
    pub async fn run_on(
        &self,
        channels: &[ChannelSid],
        now: Timestamp,
        time_left: Duration,
    ) -> Result<Summary, SweepError> {
        let due = channels.iter().map(|channel| named(*channel, now));
        let watch = Watch::new(now, time_left);
        let plan = &self.settings.plan;
        let guard = Guard::of_person(plan.max_closes, now);
        let summary = self.sweep(watch, due.collect(), plan.mode, guard).await?;
        self.ends(summary, now)
    }

    /// Deletes a channel with its history, publishes that and marks its record, as a closing
    /// does. Its Proxy session is deleted as well where `PROXY_SERVICE_SID` is set.
    ///
    /// # Errors
    ///
    /// Fails when the table, TaskRouter or the channel cannot be read, or when Twilio refuses
    /// the deletion.
    pub async fn delete(
        &self,
        channel: ChannelSid,
        now: Timestamp,
    ) -> Result<Deletion, SweepError> {
        let settings = &self.settings;
        let Some(refreshed) = self.refreshed(channel, now).await? else {
            return Ok(Deletion::Unknown);
        };
        let Refreshed {
            before,
            mut after,
            twilio,
            service,
            ..
        } = refreshed;
        if after.open_tasks().next().is_some() {
            return Ok(Deletion::OpenTask);
        }
        let closer = Closer {
            reader: Reader {
                twilio: twilio.clone(),
                service,
                webhook_url: None,
            },
            plan: settings.plan.clone(),
        };
        let (outcome, session) = closer
            .delete(&after)
            .await
            .map_err(|error| SweepError::NotDeleted(error.to_string()))?;
        let deleted_session = match (settings.proxy_service, session) {
            (Some(proxy), Some(session)) => {
                let deleted = twilio.delete_proxy_session(proxy, session).await;
                deleted.map_err(|error| SweepError::NotDeleted(error.to_string()))?;
                true
            }
            (None, _) | (_, None) => false,
        };
        if after.idle().is_none() {
            after.adopt(Orphan {
                found_at: now,
                held_by: match after.platform() {
                    Platform::Chat => HeldOpenBy::Session,
                    Platform::Conversations => HeldOpenBy::Conversation,
                },
                session: None,
            });
        }
        let step = Step::Close;
        let progress = Progress::Done {
            step,
            at: now,
            outcome,
        };
        let news = ChannelReport {
            progress: Some(progress),
            ..ChannelReport::new(
                before,
                after,
                Queue::Retry,
                ChannelResult::of(step, outcome),
            )
        };
        self.publish_and_mark(news, now).await?;
        Ok(Deletion::Done {
            outcome,
            session: session.filter(|_| !deleted_session),
        })
    }

    /// Reads a record, and refreshes it by a look at the open tasks. Nothing where there is no
    /// record.
    pub(crate) async fn refreshed(
        &self,
        channel: ChannelSid,
        now: Timestamp,
    ) -> Result<Option<Refreshed>, SweepError> {
        let Some(before) = self.settings.table.get(channel).await? else {
            return Ok(None);
        };
        let twilio = self.client(now).await?;
        let (workspace, service) = self.flex_ids(&twilio).await?;
        let mut after = before.channel.clone();
        let look = async {
            let open_tasks = self.open_tasks(&twilio, workspace, now).await?;
            let look = open_tasks.look_for(&twilio, [channel].into(), now).await?;
            open_tasks
                .refresh(&twilio, Some(&look), &mut after, now)
                .await?;
            Ok(open_tasks)
        };
        let open_tasks = look.await.map_err(SweepError::LookupFailed)?;
        Ok(Some(Refreshed {
            before,
            after,
            twilio,
            service,
            open_tasks,
        }))
    }

    /// Publishes what was done with one channel, and marks its record.
    pub(crate) async fn publish_and_mark(
        &self,
        news: ChannelReport,
        now: Timestamp,
    ) -> Result<(), SweepError> {
        let Settings {
            table, bus, plan, ..
        } = &self.settings;
        let marked = publish_and_mark(table, bus, plan.policy.retention, vec![news], now);
        for result in marked.await {
            result?;
        }
        Ok(())
    }
}

/// A channel that a person names, and what was read for it.
pub(crate) struct Refreshed {
    /// The record as it is stored.
    pub(crate) before: Versioned,
    /// The record with what the open tasks told.
    pub(crate) after: Channel,
    pub(crate) twilio: Client,
    pub(crate) service: ChatServiceSid,
    pub(crate) open_tasks: OpenTasks,
}

/// The result of a deletion by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// There is no record of the channel.
    Unknown,
    /// A task is open on it, so it is kept.
    OpenTask,
    /// It is gone.
    Done {
        /// The way in which it was found or left.
        outcome: Outcome,
        /// Its Proxy session, where that is left to Flex.
        session: Option<ProxySessionSid>,
    },
}

fn named(channel: ChannelSid, now: Timestamp) -> Due {
    Due {
        channel,
        queue: Queue::Retry,
        since: now,
    }
}
