//! Secrets Manager: a map from names to texts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use serde::Deserialize;

use crate::answer::{Answer, lock};

/// The pretend Secrets Manager; a clone is the same one. Its secrets are pretended too: they
/// are kept as plain text.
#[derive(Clone, Default)]
pub struct PretendSecrets(Arc<Mutex<BTreeMap<String, String>>>);

impl fmt::Debug for PretendSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PretendSecrets").finish_non_exhaustive()
    }
}

impl PretendSecrets {
    /// Stores a secret, in place of the one with that name.
    pub fn put(&self, name: impl Into<String>, text: impl Into<String>) {
        lock(&self.0).insert(name.into(), text.into());
    }

    /// Removes a secret, as if it had never been.
    pub fn remove(&self, name: &str) {
        lock(&self.0).remove(name);
    }

    pub(crate) fn answer(&self, operation: &str, body: &str) -> Answer {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct GetSecretValue {
            secret_id: String,
        }
        if operation != "GetSecretValue" {
            return Answer::error(
                400,
                "UnknownOperationException",
                "the pretend Secrets Manager only offers GetSecretValue",
            );
        }
        let id = match serde_json::from_str::<GetSecretValue>(body) {
            Ok(call) => call.secret_id,
            Err(error) => {
                return Answer::error(400, "SerializationException", &error.to_string());
            }
        };
        match lock(&self.0).get(&id) {
            Some(text) => Answer::ok(
                serde_json::json!({
                    "ARN": id,
                    "Name": id,
                    "SecretString": text,
                    "VersionId": "00000000-0000-0000-0000-000000000000",
                    "VersionStages": ["AWSCURRENT"],
                })
                .to_string(),
            ),
            None => Answer::error(
                400,
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret.",
            ),
        }
    }
}
