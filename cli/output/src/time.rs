//! Times and durations as people write and read them.

use std::time::Duration;

use domain::Timestamp;
use jiff::SignedDuration;

/// Formats a moment in UTC, to the second.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => at.to_string(),
    }
}

/// Formats a duration such as `1h 5m 3s`: to the second, and from one day on to the hour.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let rounded = match seconds {
        86_400.. => seconds - seconds % 3600,
        _ => seconds,
    };
    let (days, rest) = (rounded / 86_400, rounded % 86_400);
    let rest = SignedDuration::from_secs(rest);
    match (days, rest.is_zero()) {
        (0, _) => format!("{rest:#}"),
        (_, true) => format!("{days}d"),
        (_, false) => format!("{days}d {rest:#}"),
    }
}

/// Formats a moment relative to `now`: `in 5m`, `5m ago`.
#[must_use]
pub fn from_now(at: Timestamp, now: Timestamp) -> String {
    match at > now {
        true => format!("in {}", duration(at.since(now))),
        false => format!("{} ago", duration(now.since(at))),
    }
}

/// Reads a duration such as `2h`, `90m`, `3d` or `PT2H`, for an option of the command.
///
/// # Errors
/// Returns a sentence for the user if the text is no duration, is zero or negative, or counts
/// in months or years.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let span: jiff::Span = text
        .parse()
        .map_err(|_| "not a duration like 2h, 90m, 3d or PT2H")?;
    // A day is 24 hours here, whatever the clocks do meanwhile.
    let duration = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| "months and years have no fixed length: give it in days")?;
    match Duration::try_from(duration) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be longer than zero"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_people_write_them() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (300, "5m"),
            (3_723, "1h 2m 3s"),
            (86_400, "1d"),
            (176_461, "2d 1h"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn moments_are_written_in_utc() {
        let at = Timestamp::from_millis(1_795_000_000_123);
        assert_eq!(moment(at), "2026-11-18 11:06:40");
        let later = at.plus(Duration::from_secs(90));
        assert_eq!(from_now(later, at), "in 1m 30s");
        assert_eq!(from_now(at, later), "1m 30s ago");
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("2h", 7_200),
            ("90m", 5_400),
            ("3d", 259_200),
            ("PT2H", 7_200),
            ("1w", 604_800),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for text in ["", "2", "soon", "-2h", "0s", "1mo", "9999999999999999y"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
