//! A plan before anything that writes, and a word before it is carried out.

use clap::Args;

use crate::exit::Outcome;
use crate::say;

/// Whether a plan is to be carried out. There is no prompt: a script and a person are asked in
/// the same way.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Consent {
    /// Carries the plan out; without it, nothing is written
    #[arg(long, conflicts_with = "plan")]
    yes: bool,
    /// Only shows the plan, and ends well
    #[arg(long)]
    plan: bool,
}

impl Consent {
    /// Whether the plan is to be carried out.
    pub(crate) const fn is_given(self) -> bool {
        self.yes
    }

    /// How to end after the plan was shown, or nothing if it is to be carried out.
    pub(crate) fn ends_here(self) -> Option<Outcome> {
        if self.yes {
            return None;
        }
        say::aloud("Nothing was written. Add --yes to carry this out.");
        Some(if self.plan {
            Outcome::Good
        } else {
            Outcome::HeldBack
        })
    }
}
