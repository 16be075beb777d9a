//! The last two acts of a closing: tell the bus, then mark the record.
//!
//! In this order, because a mark without a notice would be a closing that nobody ever hears
//! of, while a notice without a mark is only told again: its id is made of the channel and
//! the idle period, so whoever listens can tell.
//!
//! The mark is conditional on the record being as it was read. If it is not, somebody learnt
//! something meanwhile. Where the channel is still idle since the same moment, the mark goes
//! on top of what they wrote. Otherwise a task was opened between our last look and our
//! write: the race that cannot be closed, since Twilio's channels know no compare-and-set.
//! It is counted and published as `CloseRaced`, so that a person or a program can look after
//! that customer.

use domain::{Channel, FailureReason, Outcome, Progress, ProxySessionSid, Queue, Timestamp};
use runtime::{Bus, Notice, NoticeKind};
use serde_json::json;
use store::{ChannelTable, Saved, StoreError, Versioned};

use crate::summary::Came;

/// How often a mark is put on top of what others wrote meanwhile.
const MARK_ROUNDS: usize = 5;

/// A channel that is done with for now at Twilio, still to be told and marked.
#[derive(Debug)]
pub(crate) struct Done {
    /// The record as it was read.
    pub(crate) before: Versioned,
    /// The same with all that was learnt since.
    pub(crate) after: Channel,
    /// How far the cleaning has got.
    pub(crate) progress: Progress,
    /// The Proxy session that is to be gone soon.
    pub(crate) session: Option<ProxySessionSid>,
    /// The queue that it waited in.
    pub(crate) queue: Queue,
    /// How the channel counts if the mark succeeds.
    pub(crate) came: Came,
}

/// How a channel was settled.
pub(crate) struct Settled {
    pub(crate) came: Came,
    pub(crate) raced: bool,
}

/// Tells and marks a handful of channels.
pub(crate) async fn settle(
    table: &ChannelTable,
    bus: &Bus,
    retention: std::time::Duration,
    done: Vec<Done>,
    now: Timestamp,
) -> Vec<Result<Settled, StoreError>> {
    let notices: Vec<Notice> = done.iter().map(|done| done.notice(now)).collect();
    let published = bus.publish(&notices).await;
    for (index, why) in &published.failed {
        let channel = done.get(*index).map(|done| done.after.sid());
        tracing::warn!(
            ?channel,
            why,
            "its notice was not taken: told again next time"
        );
    }
    let mut settled = Vec::with_capacity(done.len());
    let marks = done.into_iter().enumerate().map(|(index, done)| {
        let untold = published.failed.iter().any(|(failed, _)| *failed == index);
        async move {
            if untold {
                return Ok(Settled {
                    came: Came::Deferred,
                    raced: false,
                });
            }
            done.mark(table, bus, retention, now).await
        }
    });
    settled.extend(futures::future::join_all(marks).await);
    settled
}

/// Whether the record already carries this step for the idle period that it is in.
fn marked_so(channel: &Channel, progress: &Progress) -> bool {
    channel.cleanup().is_some_and(|cleanup| {
        std::mem::discriminant(&cleanup.progress) == std::mem::discriminant(progress)
    })
}

impl Done {
    async fn mark(
        self,
        table: &ChannelTable,
        bus: &Bus,
        retention: std::time::Duration,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let period = self.after.idle().map(|idle| idle.since);
        let mut before = self.before.clone();
        let mut after = self.after.clone();
        for _ in 0..MARK_ROUNDS {
            if after.idle().map(|idle| idle.since) != period {
                return Ok(self.outrun(&after, bus, now).await);
            }
            after.note_progress(self.progress.clone(), now);
            if let Some(session) = self.session {
                after.expect_session_end(session, now);
            }
            match table.save(&before, after, Some(retention)).await? {
                Saved::Written | Saved::Unchanged => {
                    return Ok(Settled {
                        came: self.came,
                        raced: false,
                    });
                }
                Saved::Conflict(newer) if marked_so(&newer.channel, &self.progress) => {
                    // An overlapping sweep did the same and was faster.
                    return Ok(Settled {
                        came: Came::AlreadyClean,
                        raced: false,
                    });
                }
                Saved::Conflict(newer) => {
                    after = newer.channel.clone().merge(&self.after);
                    before = *newer;
                }
            }
        }
        Ok(Settled {
            came: Came::Deferred,
            raced: false,
        })
    }

    /// The channel is not idle in the way that it was when we closed it.
    async fn outrun(&self, found: &Channel, bus: &Bus, now: Timestamp) -> Settled {
        let channel = self.after.sid();
        let tasks: Vec<_> = found.open_tasks().map(|(task, _)| task).collect();
        if tasks.is_empty() || !self.wrote() {
            // Another task came and went, or nothing was written: no customer is affected,
            // and the next sweep sees the new idle period.
            return Settled {
                came: if tasks.is_empty() {
                    Came::Deferred
                } else {
                    Came::LiveAgain
                },
                raced: false,
            };
        }
        tracing::error!(%channel, ?tasks, "closed in the moment in which a task arrived");
        let notice = Notice {
            id: format!("raced:{}", self.id()),
            at: now,
            kind: NoticeKind::CloseRaced,
            detail: json!({ "channel_sid": channel, "task_sids": tasks }),
        };
        let published = bus.publish(&[notice]).await;
        for (_, why) in &published.failed {
            tracing::error!(%channel, why, "the race could not be published");
        }
        Settled {
            came: self.came,
            raced: true,
        }
    }

    fn wrote(&self) -> bool {
        match &self.progress {
            Progress::Released { outcome, .. } | Progress::Closed { outcome, .. } => {
                match outcome {
                    Outcome::Written | Outcome::Deleted => true,
                    Outcome::AlreadyClean | Outcome::Gone | Outcome::LeftAlone => false,
                }
            }
            Progress::Untouched | Progress::Failed { .. } => false,
        }
    }

    fn notice(&self, now: Timestamp) -> Notice {
        let idle = self.after.idle();
        let (kind, outcome, reason) = match &self.progress {
            Progress::Closed { outcome, .. } => (NoticeKind::ChannelClosed, Some(*outcome), None),
            Progress::Failed { reason, .. } => (NoticeKind::ChannelFailed, None, Some(*reason)),
            Progress::Released { outcome, .. } => {
                (NoticeKind::ChannelReleased, Some(*outcome), None)
            }
            Progress::Untouched => (NoticeKind::ChannelReleased, None, None),
        };
        Notice {
            id: self.id(),
            at: now,
            kind,
            detail: json!({
                "channel_sid": self.after.sid(),
                "platform": self.after.platform(),
                "idle_since_ms": idle.map(|idle| idle.since),
                "last_task_sid": idle.and_then(|idle| idle.task()),
                "last_task_end": idle.and_then(|idle| idle.how()),
                "orphaned_by": idle.and_then(|idle| idle.holder()),
                "outcome": outcome,
                "reason": reason.map(|reason: FailureReason| reason.to_string()),
            }),
        }
    }

    /// The same for the same step of the same idle period of the same channel, whenever it is
    /// told.
    fn id(&self) -> String {
        let step = match self.progress {
            Progress::Closed { .. } => "closed",
            Progress::Failed { .. } => "failed",
            Progress::Released { .. } | Progress::Untouched => "released",
        };
        let since = self.after.idle().map_or(0, |idle| idle.since.as_millis());
        format!("{}:{since}:{step}", self.after.sid())
    }
}
