//! The last two acts of a closing: publish the notice, then mark the record.
//!
//! In this order, because a mark without a notice would be a closing that is never told, while
//! a notice without a mark is only published again: its id is made of the channel and the idle
//! period, so that a listener can recognise it.
//!
//! The mark is conditional on the record being as it was read. If it is not, something was
//! learnt meanwhile. Where the channel is still idle since the same moment, the mark goes on
//! top of what is there now. Otherwise a task was opened between our last look and our write:
//! the race that cannot be closed, since Twilio's channels know no compare-and-set. It is
//! counted and published as `CloseRaced`, so that a person or a program can look after that
//! customer.

use std::time::Duration;

use domain::{
    Channel, FailureReason, NotRescued, Outcome, Progress, ProxySessionSid, Queue, Row, Step,
    TaskSid, Timestamp,
};
use runtime::{Bus, Notice, NoticeKind};
use serde_json::json;
use store::{ChannelTable, Saved, StoreError, Versioned};

use crate::summary::ChannelResult;

/// The number of times that a mark is put on top of what others wrote meanwhile.
const MAX_ROUNDS: usize = 5;

/// The news of one channel that a run is done with, still to be published and marked.
#[derive(Clone, Debug)]
pub(crate) struct ChannelReport {
    /// The record as it was read.
    pub(crate) before: Versioned,
    /// The same with all that was learnt since.
    pub(crate) after: Channel,
    /// The row of the rule that applied, if the rule was asked.
    pub(crate) row: Option<Row>,
    /// The progress of the cleaning; absent where the channel was left.
    pub(crate) progress: Option<Progress>,
    /// The Proxy session that is to be gone soon.
    pub(crate) session: Option<ProxySessionSid>,
    /// The time at which the customer wrote who waits unheard, if that is news.
    pub(crate) unheard_since: Option<Timestamp>,
    /// The reason why that customer was not given a task, where one was to be given.
    pub(crate) not_rescued: Option<NotRescued>,
    /// The task that brought an unheard customer to an agent, if that is news.
    pub(crate) rescued: Option<(TaskSid, Timestamp)>,
    /// The queue that the channel waited in.
    pub(crate) queue: Queue,
    /// The way in which the channel counts if the mark succeeds.
    pub(crate) result: ChannelResult,
}

/// The way in which a marked channel counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marked {
    pub(crate) result: ChannelResult,
    pub(crate) raced: bool,
    pub(crate) unheard: bool,
    pub(crate) not_rescued: Option<NotRescued>,
}

impl Marked {
    const fn plainly(result: ChannelResult) -> Self {
        Self {
            result,
            raced: false,
            unheard: false,
            not_rescued: None,
        }
    }
}

/// Publishes and marks a handful of channels.
pub(crate) async fn publish_and_mark(
    table: &ChannelTable,
    bus: &Bus,
    retention: Duration,
    news: Vec<ChannelReport>,
    now: Timestamp,
) -> Vec<Result<Marked, StoreError>> {
    let notices: Vec<(usize, Notice)> = news
        .iter()
        .enumerate()
        .flat_map(|(index, one)| one.notices(now).map(move |notice| (index, notice)))
        .collect();
    let to_publish: Vec<Notice> = notices.iter().map(|(_, notice)| notice.clone()).collect();
    let published = bus.publish(&to_publish).await;
    let untold: Vec<usize> = published
        .failed
        .iter()
        .filter_map(|(failed, why)| {
            let (index, notice) = notices.get(*failed)?;
            tracing::warn!(
                id = notice.id,
                why,
                "a notice was not taken: published again next time"
            );
            Some(*index)
        })
        .collect();
    let marks = news.into_iter().enumerate().map(|(index, one)| {
        let untold = untold.contains(&index);
        async move {
            match untold {
                true => Ok(Marked::plainly(ChannelResult::Deferred)),
                false => one.mark(table, bus, retention, now).await,
            }
        }
    });
    futures::future::join_all(marks).await
}

impl ChannelReport {
    /// Returns a report with nothing to publish and no progress.
    pub(crate) fn new(
        before: Versioned,
        after: Channel,
        queue: Queue,
        result: ChannelResult,
    ) -> Self {
        Self {
            before,
            after,
            row: None,
            progress: None,
            session: None,
            unheard_since: None,
            not_rescued: None,
            rescued: None,
            queue,
            result,
        }
    }

    async fn mark(
        self,
        table: &ChannelTable,
        bus: &Bus,
        retention: Duration,
        now: Timestamp,
    ) -> Result<Marked, StoreError> {
        let period = self.after.idle().map(|idle| idle.since);
        let mut before = self.before.clone();
        let mut after = self.after.clone();
        for _ in 0..MAX_ROUNDS {
            if after.idle().map(|idle| idle.since) != period {
                return Ok(self.overtaken(&after, bus, now).await);
            }
            if let Some(progress) = &self.progress {
                after.note_progress(progress.clone(), now);
            }
            if let Some(session) = self.session {
                after.expect_session_end(session, now);
            }
            let kept = self.progress.is_some().then_some(retention);
            match table.save(&before, after, kept).await? {
                Saved::Written | Saved::Unchanged => {
                    return Ok(Marked {
                        result: self.result,
                        raced: false,
                        unheard: self.unheard_since.is_some(),
                        not_rescued: self.not_rescued.filter(|_| self.unheard_since.is_some()),
                    });
                }
                Saved::Conflict(newer) if self.is_marked_on(&newer.channel) => {
                    // An overlapping sweep did the same and was faster.
                    return Ok(Marked::plainly(ChannelResult::AlreadyClean));
                }
                Saved::Conflict(newer) => {
                    after = newer.channel.clone().merge(&self.after);
                    before = *newer;
                }
            }
        }
        Ok(Marked::plainly(ChannelResult::Deferred))
    }

    /// Returns whether the record already carries this step for the idle period that it is in.
    fn is_marked_on(&self, channel: &Channel) -> bool {
        let step = |progress: &Progress| match progress {
            Progress::Done { step, .. } => Some(Some(*step)),
            Progress::Failed { .. } => Some(None),
            Progress::Untouched | Progress::Left { .. } => None,
        };
        let marked = channel
            .cleanup()
            .and_then(|cleanup| step(&cleanup.progress));
        marked.is_some() && marked == self.progress.as_ref().and_then(step)
    }

    /// The channel is not idle in the way that it was when it was closed.
    async fn overtaken(&self, found: &Channel, bus: &Bus, now: Timestamp) -> Marked {
        let channel = self.after.sid();
        let tasks: Vec<_> = found.open_tasks().map(|(task, _)| task).collect();
        if tasks.is_empty() {
            // Another task came and went: the next sweep sees the new idle period.
            return Marked::plainly(ChannelResult::Deferred);
        }
        if !self.has_written() {
            return Marked::plainly(ChannelResult::OpenAgain);
        }
        tracing::error!(%channel, ?tasks, "closed in the moment in which a task arrived");
        let notice = Notice {
            id: format!("raced:{}", self.id()),
            at: now,
            kind: NoticeKind::CloseRaced,
            detail: json!({ "channel_sid": channel, "task_sids": tasks }),
        };
        for (_, why) in &bus.publish(&[notice]).await.failed {
            tracing::error!(%channel, why, "the race could not be published");
        }
        Marked {
            result: self.result,
            raced: true,
            unheard: false,
            not_rescued: None,
        }
    }

    fn has_written(&self) -> bool {
        match &self.progress {
            Some(Progress::Done { outcome, .. }) => match outcome {
                Outcome::Written | Outcome::Deleted => true,
                Outcome::AlreadyClean | Outcome::Gone => false,
            },
            Some(Progress::Untouched | Progress::Left { .. } | Progress::Failed { .. }) | None => {
                false
            }
        }
    }

    fn notices(&self, now: Timestamp) -> impl Iterator<Item = Notice> + use<> {
        let of_customer = self
            .unheard_notice(now)
            .or_else(|| self.rescued_notice(now));
        self.notice(now).into_iter().chain(of_customer)
    }

    fn notice(&self, now: Timestamp) -> Option<Notice> {
        let (kind, outcome, reason) = match self.progress.as_ref()? {
            Progress::Done { step, outcome, .. } => {
                let kind = match step {
                    Step::Release => NoticeKind::ChannelReleased,
                    Step::Close => NoticeKind::ChannelClosed,
                };
                (kind, Some(*outcome), None)
            }
            Progress::Failed { reason, .. } => (NoticeKind::ChannelFailed, None, Some(*reason)),
            Progress::Untouched | Progress::Left { .. } => return None,
        };
        let idle = self.after.idle();
        Some(Notice {
            id: self.id(),
            at: now,
            kind,
            detail: json!({
                "channel_sid": self.after.sid(),
                "platform": self.after.platform(),
                "row": self.row,
                "idle_since_ms": idle.map(|idle| idle.since),
                "last_task_sid": idle.and_then(|idle| idle.task()),
                "last_task_end": idle.and_then(|idle| idle.how()),
                "orphaned_by": idle.and_then(|idle| idle.holder()),
                "outcome": outcome,
                "reason": reason.map(|reason: FailureReason| reason.to_string()),
            }),
        })
    }

    fn unheard_notice(&self, now: Timestamp) -> Option<Notice> {
        let since = self.unheard_since?;
        let channel = self.after.sid();
        Some(Notice {
            id: format!("{channel}:{}:unheard", since.as_millis()),
            at: now,
            kind: NoticeKind::CustomerUnheard,
            detail: json!({
                "channel_sid": channel,
                "platform": self.after.platform(),
                "unheard_since_ms": since,
                "last_task_sid": self.after.idle().and_then(|idle| idle.task()),
                "row": self.row,
                "not_rescued": self.not_rescued,
            }),
        })
    }

    fn rescued_notice(&self, now: Timestamp) -> Option<Notice> {
        let (task, since) = self.rescued?;
        let channel = self.after.sid();
        Some(Notice {
            id: format!("{channel}:{}:rescued", since.as_millis()),
            at: now,
            kind: NoticeKind::CustomerRescued,
            detail: json!({
                "channel_sid": channel,
                "platform": self.after.platform(),
                "unheard_since_ms": since,
                "task_sid": task,
                "row": self.row,
            }),
        })
    }

    /// The same for the same step of the same idle period of the same channel, whenever it is
    /// published.
    fn id(&self) -> String {
        let step = match &self.progress {
            Some(Progress::Done {
                step: Step::Close, ..
            }) => "closed",
            Some(Progress::Failed { .. }) => "failed",
            Some(Progress::Done { .. } | Progress::Untouched | Progress::Left { .. }) | None => {
                "released"
            }
        };
        let since = self.after.idle().map_or(0, |idle| idle.since.as_millis());
        format!("{}:{since}:{step}", self.after.sid())
    }
}
