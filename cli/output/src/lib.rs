//! Prints for people and for programs: data on standard output, messages on standard error.
//!
//! Colours and progress are for a terminal alone, and `NO_COLOR` turns the colours off there too.

mod channel_view;
mod counted;
mod explanation;
mod labelled;
mod outcome;
mod table;
mod time;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstyle::AnsiColor;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;

pub use channel_view::{ChannelView, ParkedTask, State};
pub use counted::counted;
pub use explanation::Explanation;
pub use labelled::Labelled;
pub use outcome::Outcome;
pub use table::Table;
pub use time::{duration, from_now, moment, parse_duration};

/// Version of every JSON that the command prints. Fields may be added under it; none is
/// renamed, removed or given another meaning.
pub const JSON_VERSION: u32 = 1;

/// Writes a message to standard error. A closed standard error is no failure.
pub fn status(text: &(impl Display + ?Sized)) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// Writes to standard error that a step is done.
pub fn success(text: &(impl Display + ?Sized)) {
    marked(AnsiColor::Green, "✓", text);
}

/// Writes to standard error that a step failed.
pub fn failure(text: &(impl Display + ?Sized)) {
    marked(AnsiColor::Red, "✗", text);
}

fn marked(color: AnsiColor, mark: &str, text: &(impl Display + ?Sized)) {
    let style = color.on_default();
    drop(writeln!(
        anstream::stderr(),
        "{style}{mark}{style:#} {text}"
    ));
}

/// Prints a text and a line end on standard output.
///
/// # Errors
/// Fails if standard output cannot be written, for example because its reader has ended.
pub fn print(text: &(impl Display + ?Sized)) -> io::Result<()> {
    writeln!(anstream::stdout().lock(), "{text}")
}

/// Prints a value as one JSON object over several lines, with the field `version` before its own.
///
/// # Errors
/// Fails if standard output cannot be written.
pub fn json(value: &impl Serialize) -> Result<(), serde_json::Error> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &Versioned::new(value))?;
    writeln!(out).map_err(serde_json::Error::io)
}

/// Prints a value as one JSON object on one line, with the field `version` before its own.
///
/// # Errors
/// Fails if standard output cannot be written.
pub fn json_line(value: &impl Serialize) -> Result<(), serde_json::Error> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &Versioned::new(value))?;
    writeln!(out).map_err(serde_json::Error::io)
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

/// Shows a growing count on standard error, on a terminal only.
pub struct Progress {
    bar: ProgressBar,
    label: &'static str,
}

impl Progress {
    /// Starts to count at zero, with `label` beside the number.
    #[must_use]
    pub fn counting(label: &'static str) -> Self {
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = indicatif::ProgressStyle::with_template("{spinner} {pos} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(label);
        Self { bar, label }
    }

    /// Counts one more.
    pub fn one_more(&self) {
        self.bar.inc(1);
    }

    /// Shows beside the label what is being done.
    pub fn phase(&self, phase: &impl Display) {
        self.bar.set_message(format!("{}; {phase}", self.label));
    }

    /// Hides the count while something else is printed.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_comes_first() {
        let value = serde_json::json!({ "a": 1 });
        let text = serde_json::to_string(&Versioned::new(&value)).unwrap();
        assert_eq!(text, r#"{"version":1,"a":1}"#);
    }
}
