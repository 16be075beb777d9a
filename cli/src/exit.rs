//! What the command's exit code says.

use std::io::ErrorKind;
use std::process::ExitCode;

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Good,
    /// The command line makes no sense, in a way that only shows when it is carried out.
    Senseless,
    /// It ran, and what it checked does not hold.
    Broken,
    /// Nothing is known under the SID that was given, or more than one thing is.
    Unknown,
    /// It would write, and did not: it was not told `--yes`, or somebody is at work there.
    HeldBack,
}

/// All is well.
const GOOD: u8 = 0;

/// The command could not do its work.
const FAILED: u8 = 1;

/// The command line makes no sense; clap's own, too.
const SENSELESS: u8 = 2;

/// The command did its work, and what it checked does not hold.
const BROKEN: u8 = 3;

/// Nothing, or more than one thing, is known under the SID that was given.
const UNKNOWN: u8 = 4;

/// Nothing was written: `--yes` is missing, or somebody is at work on the channel.
const HELD_BACK: u8 = 5;

/// The table of exit codes, as the help shows it.
pub(crate) const HELP: &str = "\
Exit codes:
  0  all is well
  1  it could not do its work
  2  the command line makes no sense
  3  what it checked does not hold
  4  nothing is known under that SID, or more than one thing is
  5  held back: it would write, but --yes is missing or an agent is at work there";

/// Turns a command's result into the exit code, and says on standard error what went wrong.
pub(crate) fn code(result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Good) => ExitCode::from(GOOD),
        Ok(Outcome::Senseless) => ExitCode::from(SENSELESS),
        Ok(Outcome::Broken) => ExitCode::from(BROKEN),
        Ok(Outcome::Unknown) => ExitCode::from(UNKNOWN),
        Ok(Outcome::HeldBack) => ExitCode::from(HELD_BACK),
        // Whoever reads our output has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::from(GOOD),
        Err(error) => {
            crate::say::aloud(&format!("error: {error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().map(|io| io.kind());
        let json = cause.downcast_ref::<serde_json::Error>();
        let json = json.and_then(serde_json::Error::io_error_kind);
        [io, json].contains(&Some(ErrorKind::BrokenPipe))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_known_in_whatever_it_is_wrapped() {
        let closed = || std::io::Error::from(ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&closed().into()));
        assert!(is_closed_pipe(
            &anyhow::Error::from(closed()).context("cannot print")
        ));
        assert!(is_closed_pipe(&serde_json::Error::io(closed()).into()));
        assert!(!is_closed_pipe(&anyhow::anyhow!("broken pipe")));
    }
}
