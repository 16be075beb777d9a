//! The cutoffs and limits.

use std::time::Duration;

use crate::queue::Queue;

/// The shortest cutoff that is taken for meant. A zero would close every chat the moment it
/// ends, which is what a mistyped setting looks like.
pub const MIN_CUTOFF: Duration = Duration::from_secs(1);

/// The patience of the system, validated as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// After a task that was canceled, timed out or deleted: no browser will clean up.
    pub abandoned_cutoff: Duration,
    /// After a completed task: Flex should have cleaned up by now.
    pub ended_cutoff: Duration,
    /// After the last task of a long-lived channel.
    pub long_lived_cutoff: Duration,
    /// True if a long-lived channel is released (made `INACTIVE`) after the shorter cutoff,
    /// or left as it is until its reset.
    pub release_long_lived: bool,
    /// After one task of a channel ended while another stays open and silent.
    pub inspect_after: Duration,
    /// The time for which something that is held open must have been quiet before it is an orphan.
    pub orphan_grace: Duration,
    /// The time for which a channel of which no task is known must have been quiet before it is closed
    /// although a program may have it, or although it is a Conversation; never where absent.
    pub orphan_cutoff: Option<Duration>,
    /// The time without a message before a channel that an agent or a program may still
    /// have is closed.
    pub quiet_cutoff: Duration,
    /// The time for which a Conversation that was left or parked must have been quiet before it is
    /// closed; never where absent.
    pub put_aside_cutoff: Option<Duration>,
    /// The time for which a task may be in wrap-up before it is reported as stuck.
    pub wrap_up_limit: Duration,
    /// The time for which a closed channel's record is kept.
    pub retention: Duration,
    /// After an agent's word that the customer leaves unanswered.
    pub park_after: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        Self {
            abandoned_cutoff: Duration::from_secs(5 * MINUTE),
            ended_cutoff: Duration::from_secs(15 * MINUTE),
            long_lived_cutoff: Duration::from_secs(48 * HOUR),
            release_long_lived: true,
            inspect_after: Duration::from_secs(15 * MINUTE),
            orphan_grace: Duration::from_secs(24 * HOUR),
            orphan_cutoff: Some(Duration::from_secs(90 * 24 * HOUR)),
            quiet_cutoff: Duration::from_secs(24 * HOUR),
            put_aside_cutoff: None,
            wrap_up_limit: Duration::from_secs(12 * HOUR),
            retention: Duration::from_secs(30 * 24 * HOUR),
            park_after: Duration::from_secs(10 * MINUTE),
        }
    }
}

/// A setting, or a pair of settings, that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// A duration below [`MIN_CUTOFF`].
    #[error("{name} is {value:?}, but must be at least {MIN_CUTOFF:?}")]
    TooShort {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: Duration,
    },
    /// A duration that must not be shorter than another one.
    #[error("{longer} ({long:?}) must not be shorter than {shorter} ({short:?})")]
    Crossed {
        /// The setting that should be the longer one.
        longer: &'static str,
        /// Its value.
        long: Duration,
        /// The setting that should be the shorter one.
        shorter: &'static str,
        /// Its value.
        short: Duration,
    },
}

impl Policy {
    /// Returns this policy with no patience at all, for a channel that a person names. Only a
    /// Conversation that an agent paused, and a channel with an open task, is still left.
    #[must_use]
    pub fn immediate(&self) -> Self {
        // Every field by its name: a cutoff that is added must be thought of here.
        let Self {
            abandoned_cutoff: _,
            ended_cutoff: _,
            long_lived_cutoff: _,
            release_long_lived,
            inspect_after: _,
            orphan_grace: _,
            orphan_cutoff: _,
            quiet_cutoff: _,
            put_aside_cutoff: _,
            wrap_up_limit,
            retention,
            park_after,
        } = *self;
        Self {
            abandoned_cutoff: Duration::ZERO,
            ended_cutoff: Duration::ZERO,
            long_lived_cutoff: Duration::ZERO,
            release_long_lived,
            inspect_after: Duration::ZERO,
            orphan_grace: Duration::ZERO,
            orphan_cutoff: Some(Duration::ZERO),
            quiet_cutoff: Duration::ZERO,
            put_aside_cutoff: Some(Duration::ZERO),
            wrap_up_limit,
            retention,
            park_after,
        }
    }

    /// Returns every fault of this policy, so that all can be reported at once.
    pub fn faults(&self) -> Vec<PolicyFault> {
        // Every field by its name: a setting that is added must be checked here.
        let Self {
            abandoned_cutoff,
            ended_cutoff,
            long_lived_cutoff,
            release_long_lived: _,
            inspect_after,
            orphan_grace,
            orphan_cutoff,
            quiet_cutoff,
            put_aside_cutoff,
            wrap_up_limit,
            retention,
            park_after,
        } = *self;
        let abandoned = ("ABANDONED_CUTOFF", abandoned_cutoff);
        let ended = ("ENDED_CUTOFF", ended_cutoff);
        let long_lived = ("LONG_LIVED_CUTOFF", long_lived_cutoff);
        let quiet = ("QUIET_CUTOFF", quiet_cutoff);
        let grace = ("ORPHAN_GRACE", orphan_grace);
        let orphan = orphan_cutoff.map(|cutoff| ("ORPHAN_CUTOFF", cutoff));
        let put_aside = put_aside_cutoff.map(|cutoff| ("PUT_ASIDE_CUTOFF", cutoff));
        let required = [
            abandoned,
            ended,
            long_lived,
            ("INSPECT_AFTER", inspect_after),
            ("RETENTION", retention),
            grace,
            quiet,
            ("WRAP_UP_LIMIT", wrap_up_limit),
            ("PARK_AFTER", park_after),
        ];
        let durations = required.into_iter().chain(orphan).chain(put_aside);
        let too_short = durations
            .filter(|(_, value)| *value < MIN_CUTOFF)
            .map(|(name, value)| PolicyFault::TooShort { name, value });
        let pairs = [
            // A reset is what follows a release.
            Some((long_lived, abandoned)),
            Some((long_lived, ended)),
            // A channel that a party may still have waits longer than what is dead.
            Some((quiet, ended)),
            put_aside.map(|put_aside| (put_aside, quiet)),
            orphan.map(|orphan| (orphan, grace)),
        ];
        let crossed = pairs
            .into_iter()
            .flatten()
            .filter(|((_, long), (_, short))| long < short)
            .map(|((longer, long), (shorter, short))| PolicyFault::Crossed {
                longer,
                long,
                shorter,
                short,
            });
        too_short.chain(crossed).collect()
    }

    /// Returns the time for which a channel waits in this queue before its turn comes.
    pub fn cutoff(&self, queue: Queue) -> Duration {
        match queue {
            Queue::Abandoned => self.abandoned_cutoff,
            Queue::Ended => self.ended_cutoff,
            Queue::LongLived => self.long_lived_cutoff,
            Queue::Inspect => self.inspect_after,
            Queue::Park => self.park_after,
            // The record already says when, or there is nothing to wait for.
            Queue::Retry | Queue::Observed | Queue::InstallWebhook | Queue::Unpark => {
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound() {
        assert_eq!(Policy::default().faults(), []);
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let policy = Policy {
            ended_cutoff: Duration::ZERO,
            long_lived_cutoff: Duration::from_secs(30),
            inspect_after: Duration::ZERO,
            ..Policy::default()
        };
        let messages: Vec<String> = policy.faults().iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "ENDED_CUTOFF is 0ns, but must be at least 1s",
                "INSPECT_AFTER is 0ns, but must be at least 1s",
                "LONG_LIVED_CUTOFF (30s) must not be shorter than ABANDONED_CUTOFF (300s)",
            ]
        );
    }
}
