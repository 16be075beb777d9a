//! Notes on the cleaning of a channel's idle period, in its record.

use std::time::Duration;

use super::Channel;
use crate::cleanup::{Cleanup, FailureReason, MAX_TRIES, Outcome, Progress, SESSION_GRACE, Step};
use crate::verdict::row::Row;
use crate::{Interaction, ProxySessionSid, Timestamp};

/// The longest wait before a channel that was left is looked at again, or one that an observing
/// sweep would have written to.
pub const LOOK_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

impl Channel {
    /// Records how far the cleaning of the present idle period has got, and forgets tasks
    /// that are too old to be heard of again.
    pub fn note_progress(&mut self, progress: Progress, now: Timestamp) {
        let Some(idle) = self.idle() else { return };
        self.cleanup = Some(Cleanup {
            progress,
            ..Cleanup::untouched(idle.since)
        });
        self.prune(now);
    }

    /// Records a try that failed, and when to try again: later each time, and after
    /// [`crate::cleanup::MAX_TRIES`] not at all.
    pub fn note_failure(&mut self, reason: FailureReason, now: Timestamp) {
        let Some(idle) = self.idle() else { return };
        let mut cleanup = self
            .cleanup()
            .cloned()
            .unwrap_or_else(|| Cleanup::untouched(idle.since));
        cleanup.failures = cleanup.failures.saturating_add(1);
        cleanup.observed_at = None;
        let hopeless = reason == FailureReason::AttributesNotAnObject;
        if hopeless || cleanup.failures >= MAX_TRIES {
            cleanup.progress = Progress::Failed { at: now, reason };
            cleanup.retry_at = None;
        } else {
            cleanup.retry_at = Some(now.plus(Cleanup::back_off(cleanup.failures)));
        }
        self.cleanup = Some(cleanup);
    }

    /// Returns whether one more failure gives the channel up.
    pub fn is_at_last_try(&self) -> bool {
        let failures = self.cleanup().map_or(0, |cleanup| cleanup.failures);
        failures.saturating_add(1) >= MAX_TRIES
    }

    /// Records that the channel was looked at and left by this row of the rule, and when it is
    /// looked at again: when the row would act, and in a day at the latest, for what holds it
    /// may go away without an event.
    pub fn note_left(&mut self, row: Row, until: Option<Timestamp>, now: Timestamp) {
        let Some(idle) = self.idle() else { return };
        let tomorrow = now.plus(LOOK_AGAIN);
        let cleanup = self
            .cleanup()
            .cloned()
            .unwrap_or_else(|| Cleanup::untouched(idle.since));
        let released = matches!(cleanup.progress, Progress::Done { .. });
        self.cleanup = Some(Cleanup {
            progress: match released {
                true => cleanup.progress,
                false => Progress::Left { at: now, row },
            },
            failures: 0,
            retry_at: Some(until.map_or(tomorrow, |until| until.min(tomorrow))),
            observed_at: None,
            ..cleanup
        });
    }

    /// Records that an observing sweep would have written to the channel. Returns whether that
    /// is news: a channel that is looked at again a day later is told once.
    pub fn note_observed(&mut self, now: Timestamp) -> bool {
        let Some(idle) = self.idle() else {
            return false;
        };
        let cleanup = self
            .cleanup()
            .cloned()
            .unwrap_or_else(|| Cleanup::untouched(idle.since));
        let is_news = cleanup.observed_at.is_none();
        self.cleanup = Some(Cleanup {
            observed_at: Some(now),
            ..cleanup
        });
        is_news
    }

    /// Records that a customer wrote at this time whom neither an agent nor a program heard.
    /// Returns whether that is news: each such message is told once.
    pub fn note_unheard(&mut self, since: Timestamp) -> bool {
        let is_news = Some(since) > self.unheard_since;
        self.unheard_since = self.unheard_since.max(Some(since));
        is_news
    }

    /// Returns since when a customer waits unheard, if one does: a task that was opened later
    /// has brought the message to an agent.
    pub fn unheard_since(&self) -> Option<Timestamp> {
        let since = self.unheard_since?;
        let heard = self
            .tasks
            .values()
            .any(|task| task.opened_at >= since || task.ended.is_none_or(|ended| ended.at > since));
        (!heard).then_some(since)
    }

    /// Returns the Proxy session that held the channel open when it was found without a task.
    pub fn orphan_session(&self) -> Option<ProxySessionSid> {
        self.orphan?.session
    }

    /// Returns the interaction of the task that ended last, or else of any task.
    pub fn interaction(&self) -> Option<Interaction> {
        let last = self.idle().and_then(|idle| idle.task());
        let of_last = last.and_then(|task| self.tasks.get(&task)?.interaction);
        of_last.or_else(|| {
            let others = self.tasks.values();
            others.filter_map(|task| task.interaction).next_back()
        })
    }

    /// Records that the closed channel's Proxy session is to be gone after the grace.
    pub fn expect_session_end(&mut self, session: ProxySessionSid, now: Timestamp) {
        if let Some(cleanup) = &mut self.cleanup {
            cleanup.session = Some(session);
            cleanup.retry_at = Some(now.plus(SESSION_GRACE));
        }
    }

    /// Records that the Proxy session is gone.
    pub fn note_session_ended(&mut self) {
        if let Some(cleanup) = &mut self.cleanup {
            cleanup.session = None;
            cleanup.retry_at = None;
            cleanup.observed_at = None;
            cleanup.failures = 0;
        }
    }

    /// Records that the Proxy session could not be ended, and when to try again; after
    /// [`MAX_TRIES`] not at all, since the channel itself is closed.
    pub fn note_session_failure(&mut self, now: Timestamp) {
        let Some(cleanup) = &mut self.cleanup else {
            return;
        };
        cleanup.failures = cleanup.failures.saturating_add(1);
        if cleanup.failures >= MAX_TRIES {
            self.note_session_ended();
        } else {
            cleanup.retry_at = Some(now.plus(Cleanup::back_off(cleanup.failures)));
            cleanup.observed_at = None;
        }
    }

    /// When the channel was closed for its present idle period, if it was.
    pub fn closed_at(&self) -> Option<(Timestamp, Outcome)> {
        match self.cleanup()?.progress {
            Progress::Done {
                step: Step::Close,
                at,
                outcome,
            } => Some((at, outcome)),
            Progress::Untouched
            | Progress::Left { .. }
            | Progress::Done { .. }
            | Progress::Failed { .. } => None,
        }
    }
}
