//! The one place where the time is read.

use std::time::{Duration, SystemTime};

use domain::Timestamp;
use tokio::time::Instant;

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

/// The time of a run: the moment at which it began, what has passed since, and how long it may
/// take.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    started: Timestamp,
    began: Instant,
    budget: Duration,
}

impl Watch {
    /// Starts the watch of a run that begins now and may take this long.
    pub fn new(started: Timestamp, budget: Duration) -> Self {
        Self {
            started,
            began: Instant::now(),
            budget,
        }
    }

    /// Returns the moment at which the run began.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Returns the present moment.
    pub fn now(&self) -> Timestamp {
        self.started.plus(self.began.elapsed())
    }

    /// Returns true if less than this time is left. A run that is given little time may still use
    /// three quarters of it.
    pub fn runs_low(&self, needed: Duration) -> bool {
        self.began.elapsed() + needed.min(self.budget / 4) > self.budget
    }

    /// Returns the moment after which this time is left. A run that is given little time may still
    /// use seven eighths of it.
    pub fn last_call(&self, needed: Duration) -> Instant {
        let reserve = needed.min(self.budget / 8);
        self.began + self.budget.saturating_sub(reserve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_later_than_the_day_this_was_written() {
        assert!(now() > Timestamp::from_millis(1_795_000_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_tells_the_time_and_what_is_left_of_it() {
        let (start, seconds) = (Timestamp::from_millis(0), Duration::from_secs);
        let watch = Watch::new(start, seconds(400));
        let short = Watch::new(start, seconds(8));
        assert!(!watch.runs_low(seconds(30)) && !short.runs_low(seconds(30)));
        let last_call = watch.last_call(seconds(10));
        tokio::time::advance(seconds(7)).await;
        assert_eq!(watch.now(), start.plus(seconds(7)));
        assert_eq!(watch.started(), start);
        assert!(!watch.runs_low(seconds(30)), "393 s are left");
        assert!(short.runs_low(seconds(30)), "of 8 s, 1 s is left");
        assert_eq!(short.last_call(seconds(10)), Instant::now());
        tokio::time::advance(seconds(364)).await;
        assert!(watch.runs_low(seconds(30)), "29 s are left");
        assert_eq!(last_call, Instant::now() + seconds(19));
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
