//! The one place where the time is read.

use std::time::SystemTime;

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

/// The moment that a Lambda context's deadline names, in milliseconds since the epoch.
pub fn deadline(millis: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_later_than_the_day_this_was_written() {
        assert!(now() > Timestamp::from_millis(1_795_000_000_000));
        assert!(deadline(u64::MAX) > now());
    }
}
