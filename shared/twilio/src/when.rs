//! Twilio's ways of writing a time.

use domain::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use crate::json;

/// 2000-01-01T00:00:00Z and 2200-01-01T00:00:00Z in milliseconds. A time outside was not
/// meant: the first is what a lost date or a time in seconds turns into, the second would
/// hold a channel open for ever.
const BELIEVABLE: std::ops::Range<i64> = 946_684_800_000..7_258_118_400_000;

/// The longest text that is looked at as a time.
const LONGEST: usize = 64;

/// Reads a time that is written as ISO 8601 or as milliseconds since 1970, be it a string or
/// a number (Twilio, Event Streams and TaskRouter's Events resource).
pub(crate) fn moment(value: &RawValue) -> Option<Timestamp> {
    moment_of(&json::text(value).unwrap_or(value.get().into()))
}

/// Reads a time that is written so in a form.
pub(crate) fn moment_of(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let millis = match text.parse::<i64>() {
        Ok(millis) => millis,
        Err(_) => iso_8601(text)?,
    };
    BELIEVABLE
        .contains(&millis)
        .then_some(Timestamp::from_millis(millis))
}

/// The day of a moment, as `2026-01-05`.
#[cfg(feature = "rest")]
pub(crate) fn day(at: Timestamp) -> String {
    utc(at).strftime("%F").to_string()
}

/// The second of a moment, as `2026-01-05T09:00:00Z`.
#[cfg(feature = "rest")]
pub(crate) fn second(at: Timestamp) -> String {
    utc(at).strftime("%FT%TZ").to_string()
}

/// The millisecond of a moment, as `2026-01-05T09:00:00.412Z`.
pub(crate) fn millis_text(at: Timestamp) -> String {
    utc(at).strftime("%FT%T%.3fZ").to_string()
}

/// The moment, or the believable one that is nearest to it.
fn utc(at: Timestamp) -> jiff::Timestamp {
    let millis = at.as_millis().clamp(BELIEVABLE.start, BELIEVABLE.end);
    jiff::Timestamp::from_millisecond(millis).unwrap_or_default()
}

/// A time without an offset is taken for UTC, in which all of Twilio's times are.
fn iso_8601(text: &str) -> Option<i64> {
    let timestamp: jiff::Timestamp = match text.parse() {
        Ok(timestamp) => timestamp,
        Err(_) => {
            let local: DateTime = text.parse().ok()?;
            local.to_zoned(TimeZone::UTC).ok()?.timestamp()
        }
    };
    Some(timestamp.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<i64> {
        moment(serde_json::from_str(value).unwrap()).map(Timestamp::as_millis)
    }

    #[test]
    fn every_way_of_writing_a_time_is_read() {
        let expected = Some(1_767_603_600_412);
        for value in [
            r#""2026-01-05T09:00:00.412Z""#,
            r#""2026-01-05T09:00:00.412+00:00""#,
            r#""2026-01-05T10:00:00.412+01:00""#,
            r#""2026-01-05 09:00:00.412Z""#,
            r#""2026-01-05T09:00:00.412""#,
            r#"" 2026-01-05T09:00:00.412345Z ""#,
            "1767603600412",
            r#""1767603600412""#,
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }

    #[cfg(feature = "rest")]
    #[test]
    fn times_are_written_as_twilio_asks_for_them() {
        let at = Timestamp::from_millis(1_767_603_600_412);
        assert_eq!(day(at), "2026-01-05");
        assert_eq!(second(at), "2026-01-05T09:00:00Z");
        assert_eq!(day(Timestamp::from_millis(i64::MIN)), "2000-01-01");
        assert_eq!(
            second(Timestamp::from_millis(i64::MAX)),
            "2200-01-01T00:00:00Z"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_no_time() {
        let endless = format!("1{}", "0".repeat(1_000_000));
        for value in [
            "0",
            "1767603600",
            "-1767603600412",
            "1e400",
            "true",
            "{}",
            "[1767603600412]",
            r#""""#,
            r#""yesterday""#,
            r#""1999-12-31T23:59:59Z""#,
            r#""2200-01-01T00:00:00Z""#,
            r#""9999-12-31T23:59:59Z""#,
            &endless,
        ] {
            assert_eq!(read(value), None, "{}", &value[..value.len().min(40)]);
        }
    }
}
