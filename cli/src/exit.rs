//! Exit codes of the command.

use std::io::ErrorKind;
use std::process::ExitCode;

use output::Outcome;

const GOOD: u8 = 0;
const FAILED: u8 = 1;
/// clap's own, too.
const USAGE: u8 = 2;
const CHECK_FAILED: u8 = 3;
const UNKNOWN: u8 = 4;
const NOT_CONFIRMED: u8 = 5;

/// A use of the command that cannot be meant, found once it ran.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The table of exit codes, as the help shows it.
pub(crate) const HELP: &str = "\
Exit codes:
  0  all is well
  1  the command could not do its work
  2  the command line is wrong, or a variable is not as in the stack
  3  something that was checked does not hold
  4  nothing is known under that SID, or more than one thing is
  5  nothing was written: --yes is missing, the channel is in use or held, or the stack observes";

/// Turns a command's result into the exit code, and prints an error on standard error.
pub(crate) fn code(result: anyhow::Result<Outcome>) -> ExitCode {
    ExitCode::from(match result {
        Ok(Outcome::Good) => GOOD,
        Ok(Outcome::Usage) => USAGE,
        Ok(Outcome::CheckFailed) => CHECK_FAILED,
        Ok(Outcome::Unknown) => UNKNOWN,
        Ok(Outcome::NotConfirmed) => NOT_CONFIRMED,
        // The reader of our output, such as `head`, has seen enough.
        Err(error) if is_closed_pipe(&error) => GOOD,
        Err(error) => {
            output::status(&format!("error: {error:#}"));
            match error.is::<UsageError>() {
                true => USAGE,
                false => FAILED,
            }
        }
    })
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
    fn a_closed_pipe_is_recognised_inside_other_errors() {
        let closed = || std::io::Error::from(ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&closed().into()));
        assert!(is_closed_pipe(
            &anyhow::Error::from(closed()).context("cannot print")
        ));
        assert!(is_closed_pipe(&serde_json::Error::io(closed()).into()));
        assert!(!is_closed_pipe(&anyhow::anyhow!("broken pipe")));
    }
}
