//! How the command speaks: data on standard output, talk on standard error.
//!
//! Colours and progress are for a terminal alone, and `NO_COLOR` ends the colours there too.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use comfy_table::{Table, presets};
use domain::Timestamp;
use indicatif::{ProgressBar, ProgressDrawTarget};
use jiff::SignedDuration;
use serde::Serialize;

/// The version of every JSON that the command prints. Fields may be added under it; none is
/// renamed, removed or given another meaning.
pub(crate) const JSON_VERSION: u32 = 1;

/// Says something on standard error. That nobody listens there is no reason to fail.
pub(crate) fn aloud(text: &(impl Display + ?Sized)) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// Says on standard error that a step is done.
pub(crate) fn tick(text: &(impl Display + ?Sized)) {
    marked(anstyle::AnsiColor::Green, "✓", text);
}

/// Says on standard error that a step failed.
pub(crate) fn cross(text: &(impl Display + ?Sized)) {
    marked(anstyle::AnsiColor::Red, "✗", text);
}

fn marked(color: anstyle::AnsiColor, mark: &str, text: &(impl Display + ?Sized)) {
    let style = color.on_default();
    drop(writeln!(
        anstream::stderr(),
        "{style}{mark}{style:#} {text}"
    ));
}

/// Prints a text, and the end of its line, on standard output.
pub(crate) fn print(text: &(impl Display + ?Sized)) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Prints a value as one JSON object over several lines, with the field `version` before its own.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &Versioned::new(value))?;
    writeln!(out)?;
    Ok(())
}

/// Prints a value as one JSON object on one line, with the field `version` before its own.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &Versioned::new(value))?;
    writeln!(out)?;
    Ok(())
}

#[derive(Serialize)]
struct Versioned<'a, T> {
    version: u32,
    #[serde(flatten)]
    value: &'a T,
}

impl<'a, T> Versioned<'a, T> {
    fn new(value: &'a T) -> Self {
        Self {
            version: JSON_VERSION,
            value,
        }
    }
}

/// An empty table with this heading, in the one style that all tables have.
pub(crate) fn table<const N: usize>(heading: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_BORDERS_ONLY)
        .set_header(heading);
    table
}

/// A moment as a person reads it: UTC, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => at.to_string(),
    }
}

/// A duration as a person says it, to the second.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    // "1h 5m 3s"; beyond a day nobody wants to know the minutes.
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

/// When something is, seen from now.
pub(crate) fn from_now(at: Timestamp, now: Timestamp) -> String {
    match at > now {
        true => format!("in {}", duration(at.since(now))),
        false => format!("{} ago", duration(now.since(at))),
    }
}

/// A count that grows on standard error while something long goes on; on a terminal only.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins to count, saying what.
    pub(crate) fn counting(what: &'static str) -> Self {
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = indicatif::ProgressStyle::with_template("{spinner} {pos} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self(bar)
    }

    /// One more.
    pub(crate) fn one_more(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_a_person_says_them() {
        for (seconds, said) in [
            (0, "0s"),
            (59, "59s"),
            (300, "5m"),
            (3_723, "1h 2m 3s"),
            (86_400, "1d"),
            (176_461, "2d 1h"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), said);
        }
    }

    #[test]
    fn moments_are_said_in_utc() {
        let at = Timestamp::from_millis(1_795_000_000_123);
        assert_eq!(moment(at), "2026-11-18 11:06:40");
        let later = at.plus(Duration::from_secs(90));
        assert_eq!(from_now(later, at), "in 1m 30s");
        assert_eq!(from_now(at, later), "1m 30s ago");
    }

    #[test]
    fn the_version_comes_first() {
        let value = serde_json::json!({ "a": 1 });
        let text = serde_json::to_string(&Versioned::new(&value)).unwrap();
        assert_eq!(text, r#"{"version":1,"a":1}"#);
    }
}
