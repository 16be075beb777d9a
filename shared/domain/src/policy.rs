//! How patient we are.

use std::time::Duration;

use crate::channel::Queue;

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
    /// Whether a long-lived channel is released (made `INACTIVE`) after the shorter cutoff,
    /// or left as it is until its reset.
    pub release_long_lived: bool,
    /// After one task of a channel ended while another stays open and silent.
    pub inspect_after: Duration,
    /// How long something that is held open must have been quiet before it is an orphan.
    pub orphan_grace: Duration,
    /// How long a closed channel's record is kept.
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
    /// Every fault of this policy, so that all can be reported at once.
    pub fn faults(&self) -> Vec<PolicyFault> {
        let cutoffs = [
            ("ABANDONED_CUTOFF", self.abandoned_cutoff),
            ("ENDED_CUTOFF", self.ended_cutoff),
            ("LONG_LIVED_CUTOFF", self.long_lived_cutoff),
            ("INSPECT_AFTER", self.inspect_after),
            ("RETENTION", self.retention),
            ("ORPHAN_GRACE", self.orphan_grace),
            ("PARK_AFTER", self.park_after),
        ];
        let too_short = cutoffs
            .iter()
            .filter(|(_, value)| *value < MIN_CUTOFF)
            .map(|&(name, value)| PolicyFault::TooShort { name, value });

        let pairs = [
            // A reset is what follows a release.
            (cutoffs[2], cutoffs[0]),
            (cutoffs[2], cutoffs[1]),
            // A record that expires before its reset is due would be forgotten.
            (cutoffs[4], cutoffs[2]),
        ];
        let crossed = pairs
            .iter()
            .filter(|((_, long), (_, short))| long < short)
            .map(|&((longer, long), (shorter, short))| PolicyFault::Crossed {
                longer,
                long,
                shorter,
                short,
            });
        too_short.chain(crossed).collect()
    }

    /// How long a channel waits in this queue before its turn comes.
    pub fn cutoff(&self, queue: Queue) -> Duration {
        match queue {
            Queue::Abandoned => self.abandoned_cutoff,
            Queue::Ended => self.ended_cutoff,
            Queue::LongLived => self.long_lived_cutoff,
            Queue::Inspect => self.inspect_after,
            Queue::Park => self.park_after,
            // The record already says when, or there is nothing to wait for.
            Queue::Retry | Queue::InstallWebhook | Queue::Unpark => Duration::ZERO,
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
