/// Result of a command that could do its work. Each has its own exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as it should be.
    Good,
    /// The command line contradicts itself in a way that only shows when it is carried out.
    Usage,
    /// The command ran, and something that it checked does not hold.
    CheckFailed,
    /// The given SID names nothing that is known, or more than one thing.
    Unknown,
    /// Nothing was written: `--yes` is missing, an agent is at work on the channel, it is held, or
    /// the stack only observes.
    NotConfirmed,
}
