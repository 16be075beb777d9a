//! What the command's exit code says.

use std::io::ErrorKind;
use std::process::ExitCode;

/// Whether a command that ran to its end found what it looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Good,
    /// It ran, and what it checked does not hold.
    Broken,
}

/// All is well.
const GOOD: u8 = 0;

/// The command could not do its work.
const FAILED: u8 = 1;

// 2 is clap's: the command line makes no sense.

/// The command did its work, and what it checked does not hold.
const BROKEN: u8 = 3;

/// Turns a command's result into the exit code, and says on standard error what went wrong.
pub(crate) fn code(result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Good) => ExitCode::from(GOOD),
        Ok(Outcome::Broken) => ExitCode::from(BROKEN),
        // Whoever reads our output has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::from(GOOD),
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "this is where an error is said")]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::from(FAILED)
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == ErrorKind::BrokenPipe)
}
