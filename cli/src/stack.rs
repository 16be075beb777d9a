//! The stack's own settings, as its functions noted them, and this shell's variables beside them.
//!
//! A command that decided by this shell's variables alone could close in a minute what the stack
//! would have left for ten hours. So a command takes the stack's settings, says so, and refuses
//! a variable that differs. `--override` is the way around that, and around a stack that
//! observes.

use clap::Args;
use domain::Timestamp;
use output::Outcome;
use store::{Job, LastRun};

use crate::context::{self, Context, Stack};
use crate::exit::UsageError;

/// The settings that a command takes from the stack. Credentials, and where AWS and Twilio are,
/// are never taken from a table.
const TAKEN: [&str; 28] = [
    "ABANDONED_CUTOFF",
    "CHAT_SERVICE_SID",
    "ENDED_CUTOFF",
    "INSPECT_AFTER",
    "LONG_LIVED_CUTOFF",
    "MAX_CLOSES_PER_SWEEP",
    "MAX_RESCUES_PER_SWEEP",
    "NOTICE_BUS",
    "ORPHAN_CUTOFF",
    "ORPHAN_GRACE",
    "PARK_AFTER",
    "PARK_ALLOWED_ORIGIN",
    "PARK_POLL_SECONDS",
    "PARK_TASK_CHANNELS",
    "PROXY_SERVICE_SID",
    "PUT_ASIDE_CUTOFF",
    "QUIET_CUTOFF",
    "RELEASE_LONG_LIVED",
    "RESCUE_WITHIN",
    "RETENTION",
    "SWEEP_ACTION",
    "SWEEP_CONCURRENCY",
    MODE,
    "TASKROUTER_WORKSPACE_SID",
    "TWILIO_ACCOUNT_SID",
    "UNHEARD",
    "WEBHOOK_URL",
    "WRAP_UP_LIMIT",
];

/// The variable that says if sweeps write.
const MODE: &str = "SWEEP_MODE";

/// The way around the stack's settings.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Override {
    /// Lets this shell's variables count where the stack's differ, and writes though it observes
    #[arg(id = "override", long = "override")]
    given: bool,
}

impl Context {
    /// Takes the stack's settings, as its sweep and its parking function noted them, and says so
    /// in one line on standard error.
    ///
    /// # Errors
    ///
    /// Fails with a usage error if a variable of this shell differs and is not to override, and
    /// if the table cannot be read.
    pub(crate) async fn by_stack(mut self, over: Override) -> anyhow::Result<Self> {
        let sweep = self.table().last_run(Job::Sweep).await?;
        let Some(sweep) = sweep else {
            if !self.is_folder() {
                output::status(&format!(
                    "No sweep has noted its settings in {} yet: this shell's variables count.",
                    self.place()
                ));
            }
            let stack = Stack {
                may_override: over.given || self.is_folder(),
                ..Stack::UNASKED
            };
            self.set_stack(self.environment(), stack);
            return Ok(self);
        };
        let park = self.table().last_run(Job::Park).await?;
        let (mut environment, shell) = (self.environment(), context::environment());
        let mut differing = Vec::new();
        for name in TAKEN {
            let noted = sweep.settings.get(name);
            let Some(noted) = noted.or_else(|| park.as_ref()?.settings.get(name)) else {
                continue;
            };
            match environment.text(name) {
                None => environment = environment.with(name, noted.as_str()),
                Some(here) if shell.is_set(name) && !is_same(here, noted) => {
                    differing.push(format!(
                        "{name} is {here} in this shell, and {} in the stack",
                        if noted.is_empty() { "not set" } else { noted }
                    ));
                }
                Some(_) => {}
            }
        }
        if !differing.is_empty() && !over.given {
            let differing = differing.join("; ");
            return Err(UsageError(format!(
                "{differing}. Unset it here, or add --override to work by this shell's."
            ))
            .into());
        }
        let observes = sweep
            .settings
            .get(MODE)
            .is_some_and(|mode| mode == "observe");
        if observes && over.given && !shell.is_set(MODE) {
            environment = environment.with(MODE, "act");
        }
        output::status(&introduction(&sweep, observes, &differing, self.now()));
        let stack = Stack {
            is_known: true,
            observes,
            may_override: over.given,
        };
        self.set_stack(environment, stack);
        Ok(self)
    }

    /// Refuses to write by settings that may not be the stack's.
    pub(crate) fn refuse_unknown_stack(&self) -> Option<Outcome> {
        let stack = self.stack();
        if stack.is_known || stack.may_override {
            return None;
        }
        output::status(
            "Nothing was written: no sweep has noted the stack's settings yet. Wait for its first sweep, or add --override to write by this shell's variables.",
        );
        Some(Outcome::NotConfirmed)
    }

    /// Refuses to write at Twilio what a sweep of this stack would not.
    pub(crate) fn refuse_observing_stack(&self) -> Option<Outcome> {
        let stack = self.stack();
        if stack.observes && !stack.may_override {
            output::status(
                "Nothing was written: the stack only observes (SWEEP_MODE=observe). Add --override to write all the same.",
            );
            return Some(Outcome::NotConfirmed);
        }
        self.refuse_unknown_stack()
    }
}

/// Returns true if two texts give the same setting. Durations may be written in several ways.
fn is_same(here: &str, noted: &str) -> bool {
    let duration = |text| output::parse_duration(text).ok();
    let same_duration = duration(here).is_some() && duration(here) == duration(noted);
    here == noted || same_duration
}

fn introduction(sweep: &LastRun, observes: bool, differing: &[String], now: Timestamp) -> String {
    let does = if observes { "observes" } else { "acts" };
    let this = env!("CARGO_PKG_VERSION");
    let version = match sweep.version == this {
        true => String::new(),
        false => format!(", by version {} (this is {this})", sweep.version),
    };
    let overridden = match differing.is_empty() {
        true => String::new(),
        false => format!(" But {}.", differing.join("; ")),
    };
    format!(
        "By the stack's own settings, noted {}{version}; it {does}.{overridden}",
        output::from_now(sweep.at, now)
    )
}

/// Returns what the stack acts by, for people: the settings of the notes that this version
/// knows.
pub(crate) fn settings_of<'a>(
    runs: impl IntoIterator<Item = &'a LastRun>,
) -> std::collections::BTreeMap<String, String> {
    let all = runs.into_iter().flat_map(|run| run.settings.clone());
    all.filter(|(name, _)| TAKEN.contains(&name.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_the_same_however_it_is_written() {
        assert!(is_same("600m", "10h") && is_same("PT10H", "10h") && is_same("90d", "2160h"));
        assert!(is_same("never", "never") && is_same("1000", "1000"));
        assert!(!is_same("10m", "10h") && !is_same("never", "10h") && !is_same("10", "100"));
    }

    #[test]
    fn every_name_is_taken_once_and_none_is_secret() {
        let mut names = TAKEN.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TAKEN.len());
        let secret = |name: &&str| {
            ["TOKEN", "SECRET", "KEY", "API_URL"]
                .iter()
                .any(|s| name.contains(s))
        };
        assert!(!names.iter().any(secret), "{names:?}");
    }
}
