//! The clock of a data folder, which may run faster than the machine's.

use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest time, by the machine's clock, for which a fast clock may have run since its last note. It is noted
/// every second.
const MAX_UNNOTED: Duration = Duration::from_secs(3);

/// A clock that showed this at that moment, and has run so many times as fast since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    /// The machine's time at the moment of comparison.
    machine: Timestamp,
    /// Time that this clock showed then.
    shown: Timestamp,
    /// Speed, as a multiple of the machine's clock.
    speed: u32,
}

impl Clock {
    /// The machine's own clock.
    pub(crate) const fn of_machine() -> Self {
        Self {
            machine: Timestamp::from_millis(0),
            shown: Timestamp::from_millis(0),
            speed: 1,
        }
    }

    /// Returns its time at the moment at which the machine's clock shows `machine`.
    pub(crate) fn at(self, machine: Timestamp) -> Timestamp {
        let passed = machine.since(self.machine).saturating_mul(self.speed);
        self.shown.plus(passed)
    }

    /// Returns its present time.
    pub(crate) fn now(self) -> Timestamp {
        self.at(runtime::clock::now())
    }

    /// Returns the same clock after its driver has ended. The time of its last note is known, and when
    /// its driver ended is not: it goes on from the latest moment that it may have shown.
    pub(crate) fn at_rest(self) -> Self {
        let unnoted = MAX_UNNOTED.saturating_mul(self.speed - 1);
        Self {
            shown: self.shown.plus(unnoted),
            speed: 1,
            ..self
        }
    }

    /// The same clock, from `machine` on so many times as fast. It never shows less than the
    /// machine's: after a night of rest, a folder's day is today.
    pub(crate) fn set_off(self, machine: Timestamp, speed: u32) -> Self {
        Self {
            machine,
            shown: self.at(machine).max(machine),
            speed,
        }
    }

    /// Returns its speed, as a multiple of the machine's clock.
    pub(crate) const fn speed(self) -> u32 {
        self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_goes_on_from_where_it_was_and_never_back() {
        let at = Timestamp::from_millis;
        let fast = Clock::of_machine().set_off(at(1_000), 100);
        assert_eq!(fast.at(at(1_000)), at(1_000));
        assert_eq!(fast.at(at(1_010)), at(2_000));
        assert_eq!(fast.at(at(500)), at(1_000), "a step back stands still");
        let rested = fast.set_off(at(1_010), 1);
        assert_eq!(rested.at(at(1_510)), at(2_500));
        let much_later = rested.set_off(at(9_000), 1);
        assert_eq!(much_later.at(at(9_000)), at(10_000 - 10));
        assert_eq!(Clock::of_machine().at(at(77)), at(77));

        // Killed two seconds after its last note, it does not run back.
        let killed = fast.at(at(3_000));
        assert!(fast.at_rest().at(at(3_000)) >= killed);
        assert_eq!(
            rested.at_rest(),
            rested,
            "one that ended well was noted as it ended"
        );
    }
}
