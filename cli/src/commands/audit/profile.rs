//! A profile of Twilio's own command line, for a person who has logged in there.
//!
//! It is read where no variable names an account, and only if its key stands in the file: older
//! versions keep the secret in the system's keyring
//! (<https://github.com/twilio/twilio-cli-core/blob/main/src/services/config.js>).

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::Context as _;
use runtime::Environment;
use serde::Deserialize;

/// The file, below the person's home.
const FILE: &str = ".twilio-cli/config.json";

#[derive(Deserialize)]
struct File {
    #[serde(default, rename = "activeProject")]
    active: Option<String>,
    #[serde(default)]
    edge: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    account_sid: String,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    edge: Option<String>,
    #[serde(default)]
    api_key: Option<String>,
    #[serde(default)]
    api_secret: Option<String>,
}

/// Adds the credentials of the active profile to the variables, where these name no account.
/// Returns the profile's name as well, if one was taken.
///
/// # Errors
///
/// Fails if the file is there and cannot be read.
pub(super) fn added_to(environment: Environment) -> anyhow::Result<(Environment, Option<String>)> {
    if environment.is_set("TWILIO_ACCOUNT_SID") {
        return Ok((environment, None));
    }
    let Some(home) = environment.clone().optional::<String>("HOME") else {
        return Ok((environment, None));
    };
    let path = PathBuf::from(home).join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((environment, None)),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    let file: File = serde_json::from_str(&text)
        .map_err(|_| anyhow::anyhow!("{} is not of Twilio's form", path.display()))?;
    Ok(match file.chosen() {
        Some((name, profile)) => {
            let edge = profile.edge.clone().or(file.edge);
            (profile.added_to(environment, edge), Some(name))
        }
        None => (environment, None),
    })
}

impl File {
    /// Returns the active profile, or else the only one, if its key stands in the file.
    fn chosen(&self) -> Option<(String, Profile)> {
        let active = self.active.as_ref();
        let named = active.and_then(|name| self.profiles.get_key_value(name));
        let only = || {
            self.profiles
                .iter()
                .next()
                .filter(|_| self.profiles.len() == 1)
        };
        let (name, profile) = named.or_else(only)?;
        let has_key = profile.api_key.is_some() && profile.api_secret.is_some();
        has_key.then(|| (name.clone(), profile.clone()))
    }
}

impl Profile {
    fn added_to(self, environment: Environment, edge: Option<String>) -> Environment {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let mut environment = environment.with("TWILIO_ACCOUNT_SID", self.account_sid);
        if let (Some(key), Some(secret)) = (self.api_key, self.api_secret) {
            environment = environment
                .with("TWILIO_API_KEY", key)
                .with("TWILIO_API_SECRET", secret);
        }
        for (name, value) in [("TWILIO_REGION", self.region), ("TWILIO_EDGE", edge)] {
            if let Some(value) = given(value).filter(|_| !environment.is_set(name)) {
                environment = environment.with(name, value);
            }
        }
        environment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = r#""accountSid":"AC1","apiKey":"SK1","apiSecret":"s","region":"ie1""#;

    fn chosen(text: &str) -> Option<String> {
        let file: File = serde_json::from_str(text).unwrap();
        file.chosen().map(|(name, _)| name)
    }

    #[test]
    fn the_active_profile_is_taken_or_else_the_only_one() {
        let two = format!(r#""profiles":{{"a":{{{PROFILE}}},"b":{{{PROFILE}}}}}"#);
        let one = format!(r#""profiles":{{"a":{{{PROFILE}}}}}"#);
        for (text, name) in [
            (format!(r#"{{"activeProject":"b",{two}}}"#), Some("b")),
            (format!(r#"{{"activeProject":null,{two}}}"#), None),
            (format!("{{{one}}}"), Some("a")),
            (format!(r#"{{"activeProject":"gone",{one}}}"#), Some("a")),
            ("{}".to_owned(), None),
        ] {
            assert_eq!(chosen(&text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn a_profile_whose_secret_is_elsewhere_is_not_taken() {
        let older = r#"{"activeProject":"a","projects":[{"id":"a","accountSid":"AC1"}]}"#;
        assert_eq!(chosen(older), None);
        let keyless = r#"{"profiles":{"a":{"accountSid":"AC1"}}}"#;
        assert_eq!(chosen(keyless), None);
    }
}
