//! Settings from environment variables, with every fault reported at once and by name.
//!
//! A function that stops at the first bad variable makes its operator deploy once per
//! mistake. So each reader here notes its fault in the [`Environment`] and hands back
//! nothing, and [`Environment::finish`] either builds the settings or lists all faults.
//!
//! A value is never repeated in a message, because a secret may have been pasted into the
//! wrong variable; what the value's own type says of it is. An empty variable counts as
//! absent, since templates cannot leave a variable out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;

/// The environment variables, and the faults found in them so far.
#[derive(Clone)]
pub struct Environment {
    /// A value that is not Unicode is kept as nothing: set, but not readable.
    variables: BTreeMap<String, Option<String>>,
    faults: Vec<Fault>,
}

/// Names only: values may be secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("faults", &self.faults)
            .finish()
    }
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A variable that must be set is not, or is empty.
    #[error("{name} is not set")]
    Missing {
        /// The variable.
        name: &'static str,
    },
    /// A variable's value is not of its type.
    #[error("{name} is malformed: {why}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// The fault, as its type names it.
        why: String,
    },
    /// Values that are well formed but cannot be meant.
    #[error("{0}")]
    Unsound(String),
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.faults))]
pub struct SettingsError {
    /// The faults, in the order in which the settings are read.
    pub faults: Vec<Fault>,
}

fn list(faults: &[Fault]) -> String {
    let mut text = String::from("correct these environment variables and start again:");
    for fault in faults {
        text.push_str("\n  ");
        text.push_str(&fault.to_string());
    }
    text
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), Some(value.into())))
                .collect(),
            faults: Vec::new(),
        }
    }
}

impl Environment {
    /// Reads the variables of this process, once.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where settings are read, apart from the log level"
    )]
    pub fn of_process() -> Self {
        let readable = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()))
        };
        Self {
            variables: std::env::vars_os().filter_map(readable).collect(),
            faults: Vec::new(),
        }
    }

    /// Sets a variable to something else, for a setting that comes in another way.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), Some(value.into()));
        self
    }

    /// Reads a variable that must be set.
    pub fn required<T: FromStr<Err: fmt::Display>>(&mut self, name: &'static str) -> Option<T> {
        self.require(name)?;
        self.optional(name)
    }

    /// Reads a variable that may be absent.
    pub fn optional<T: FromStr<Err: fmt::Display>>(&mut self, name: &'static str) -> Option<T> {
        self.parse(name, |text| {
            text.parse().map_err(|why: T::Err| why.to_string())
        })
    }

    /// Reads a variable that has a default.
    pub fn or<T: FromStr<Err: fmt::Display>>(&mut self, name: &'static str, default: T) -> T {
        self.optional(name).unwrap_or(default)
    }

    /// Reads an `http://` or `https://` address, if it is set. A slash at its end is dropped,
    /// so that paths can be appended.
    pub fn url(&mut self, name: &'static str) -> Option<String> {
        self.parse(name, |text| {
            let url = text.trim_end_matches('/');
            match url.split_once("://") {
                Some(("http" | "https", rest)) if !rest.is_empty() => Ok(url.to_owned()),
                _ => Err("not an http:// or https:// address".to_owned()),
            }
        })
    }

    /// Reads a duration such as `48h`, `15m`, `90s` or `PT48H`, if it is set.
    pub fn duration(&mut self, name: &'static str) -> Option<Duration> {
        self.parse(name, parse_duration)
    }

    /// Reads a duration that has a default.
    pub fn duration_or(&mut self, name: &'static str, default: Duration) -> Duration {
        self.duration(name).unwrap_or(default)
    }

    /// Reads a duration or `never`, which is nothing.
    pub fn duration_or_never(
        &mut self,
        name: &'static str,
        default: Option<Duration>,
    ) -> Option<Duration> {
        let read = self.parse(name, |text| match text {
            "never" => Ok(None),
            text => parse_duration(text).map(Some),
        });
        read.unwrap_or(default)
    }

    /// Reads a list, separated by commas; an absent one is empty. Spaces around an item do
    /// not count, nor do empty items.
    pub fn list<T: FromStr<Err: fmt::Display>>(&mut self, name: &'static str) -> Vec<T> {
        let items = self.parse(name, |text| {
            items(text)
                .map(|item| item.parse().map_err(|why: T::Err| why.to_string()))
                .collect()
        });
        items.unwrap_or_default()
    }

    /// Reads a secret, if it is set.
    pub fn secret(&mut self, name: &'static str) -> Option<SecretString> {
        self.parse(name, |text| Ok(SecretString::from(text)))
    }

    /// Reads a list of secrets, separated by commas; an absent one is empty.
    pub fn secrets(&mut self, name: &'static str) -> Vec<SecretString> {
        let secrets = self.parse(name, |text| Ok(secret_items(text)));
        secrets.unwrap_or_default()
    }

    /// Notes a fault if the variable is not set. Whether it is well formed is for a reader.
    pub fn require(&mut self, name: &'static str) -> Option<()> {
        if self.is_set(name) {
            return Some(());
        }
        self.faults.push(Fault::Missing { name });
        None
    }

    /// Returns true if the variable is set to something.
    pub fn is_set(&self, name: &str) -> bool {
        self.variables
            .get(name)
            .is_some_and(|value| value.as_ref().is_none_or(|text| !text.trim().is_empty()))
    }

    /// Returns the text of a variable that is set, for a comparison. Never for a message about
    /// a secret.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.variables.get(name)?.as_deref()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Notes that a variable's value will not do, for checks beyond its type.
    pub fn malformed(&mut self, name: &'static str, why: impl fmt::Display) {
        let why = why.to_string();
        self.faults.push(Fault::Malformed { name, why });
    }

    /// Notes faults that concern several variables.
    pub fn unsound(&mut self, faults: impl IntoIterator<Item = impl fmt::Display>) {
        let faults = faults.into_iter();
        self.faults
            .extend(faults.map(|fault| Fault::Unsound(fault.to_string())));
    }

    /// Returns the faults found so far.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Builds the settings from what was read, or reports every fault. `build` may use `?`
    /// on what the readers returned: without a fault, all that was required is there.
    ///
    /// # Errors
    ///
    /// Fails with every fault that was noted.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, SettingsError> {
        if self.faults.is_empty()
            && let Some(settings) = build()
        {
            return Ok(settings);
        }
        Err(SettingsError {
            faults: self.faults,
        })
    }

    /// Reads a variable by a rule of the caller's, if it is set.
    pub(crate) fn parse<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.is_set(name) {
            return None;
        }
        let parsed = match self.variables.get(name)? {
            Some(text) => parse(text.trim()),
            None => Err("not Unicode text".to_owned()),
        };
        parsed.map_err(|why| self.malformed(name, why)).ok()
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// The items of a list of secrets, separated by commas.
pub(crate) fn secret_items(text: &str) -> Vec<SecretString> {
    items(text).map(SecretString::from).collect()
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    // Days are written as such nowhere but here, and are always 24 hours long.
    if let Some(days) = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok())
    {
        return Ok(Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    }
    let duration: SignedDuration = text
        .parse()
        .map_err(|_| "not a duration like 90d, 48h, 15m, 90s or PT48H".to_owned())?;
    Duration::try_from(duration).map_err(|_| "a duration must not be negative".to_owned())
}
