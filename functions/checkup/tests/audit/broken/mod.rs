//! For each rule a project that breaks it.

mod events;
mod flows;
mod numbers;
mod project;

use crate::stage::Stage;

/// A project that breaks a rule.
pub(crate) struct Broken {
    pub(crate) rule: &'static str,
    /// The rules that it cannot but break as well.
    pub(crate) as_well: &'static [&'static str],
    pub(crate) how: fn(&mut Stage),
}

const fn breaks(rule: &'static str, how: fn(&mut Stage)) -> Broken {
    Broken {
        rule,
        as_well: &[],
        how,
    }
}

const fn breaks_more(
    rule: &'static str,
    as_well: &'static [&'static str],
    how: fn(&mut Stage),
) -> Broken {
    Broken { rule, as_well, how }
}

fn sid(prefix: &str) -> String {
    format!("{prefix}{}", "9".repeat(32))
}

/// Returns the projects, in the order of the rules.
pub(crate) fn all() -> impl Iterator<Item = &'static Broken> {
    [
        project::BROKEN,
        flows::BROKEN,
        numbers::BROKEN,
        events::BROKEN,
    ]
    .into_iter()
    .flatten()
}
