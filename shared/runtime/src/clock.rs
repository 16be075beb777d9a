//! The one place where the time is read.

use std::time::{Duration, SystemTime};

use domain::Timestamp;

/// The present moment, to the millisecond, by the machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one clock read of the workspace: everything else is handed the time"
)]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(0).plus(since_epoch)
}

/// The time that a run is given whose deadline is not known: the shortest time limit of the
/// template's functions.
pub const UNKNOWN_TIME_LEFT: Duration = Duration::from_secs(60);

/// Returns the time until the deadline of a Lambda context, in milliseconds since the epoch.
/// A deadline that is over is not known: `cargo lambda watch` hands over 0.
pub fn time_left(deadline_ms: u64, now: Timestamp) -> Duration {
    let deadline = Timestamp::from_millis(i64::try_from(deadline_ms).unwrap_or(i64::MAX));
    match deadline.since(now) {
        Duration::ZERO => UNKNOWN_TIME_LEFT,
        left => left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_later_than_the_day_this_was_written() {
        assert!(now() > Timestamp::from_millis(1_795_000_000_000));
    }

    #[test]
    fn a_deadline_that_is_over_is_not_known() {
        let now = Timestamp::from_millis(1_795_000_000_000);
        assert_eq!(
            time_left(1_795_000_001_500, now),
            Duration::from_millis(1_500)
        );
        for over in [0, 1, 1_795_000_000_000] {
            assert_eq!(time_left(over, now), UNKNOWN_TIME_LEFT);
        }
        assert!(time_left(u64::MAX, now) > UNKNOWN_TIME_LEFT);
    }
}
