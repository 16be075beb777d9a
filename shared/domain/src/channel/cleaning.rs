//! How the cleaning of a channel's idle period is noted in its record.

use super::Channel;
use crate::cleanup::{Cleanup, FailureReason, MAX_TRIES, Outcome, Progress, SESSION_GRACE};
use crate::{ProxySessionSid, Timestamp};

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
        let hopeless = reason == FailureReason::AttributesNotAnObject;
        if hopeless || cleanup.failures >= MAX_TRIES {
            cleanup.progress = Progress::Failed { at: now, reason };
            cleanup.retry_at = None;
        } else {
            cleanup.retry_at = Some(now.plus(Cleanup::back_off(cleanup.failures)));
        }
        self.cleanup = Some(cleanup);
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
        }
    }

    /// When the channel was closed for its present idle period, if it was.
    pub fn closed_at(&self) -> Option<(Timestamp, Outcome)> {
        match self.cleanup()?.progress {
            Progress::Closed { at, outcome } => Some((at, outcome)),
            Progress::Untouched | Progress::Released { .. } | Progress::Failed { .. } => None,
        }
    }
}
