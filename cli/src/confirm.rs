//! Confirmation before anything that writes: the plan first, then `--yes`.

use clap::Args;
use output::Outcome;

use crate::context::Place;

/// Options that every command that writes to a channel shares.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) confirm: Confirm,
    /// Prints the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Confirmation of the plan. There is no prompt: scripts and people confirm in the same way.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Confirm {
    /// Carries the plan out; without it, nothing is written
    #[arg(long, conflicts_with = "plan")]
    yes: bool,
    /// Only shows the plan, and exits with 0
    #[arg(long)]
    plan: bool,
}

impl Confirm {
    /// Returns true if the plan is to be carried out.
    pub(crate) const fn is_given(self) -> bool {
        self.yes
    }

    /// Returns the outcome of showing the plan alone, or nothing if it is to be carried out.
    pub(crate) fn ends_here(self) -> Option<Outcome> {
        if self.yes {
            return None;
        }
        output::status("Nothing was written. Add --yes to carry this out.");
        Some(if self.plan {
            Outcome::Good
        } else {
            Outcome::NotConfirmed
        })
    }
}
