//! The credentials for Twilio, from variables or from Secrets Manager.
//!
//! They change while a function lives: a signing key is rotated, an API key is replaced.
//! Three promises follow:
//!
//! * What was read is used for [`TIME_TO_LIVE`] and then read again, so that a rotation needs
//!   no deployment.
//! * While Secrets Manager is down, the last good value stays in use, and the function does
//!   not ask at every request.
//! * Nothing stands in for credentials that were never read: the caller gets an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::aws::{Aws, reason, region_name};
use crate::settings::{Environment, secret_items};

/// The time for which credentials are used before they are read again.
pub const TIME_TO_LIVE: Duration = Duration::from_secs(5 * 60);

/// Shortest time between two reads because the credentials did not do, so that forged requests
/// and a wrong API key cannot make us ask more often.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(60);

/// The time for which the last good value is used after a failed read before the next one.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The credentials for Twilio.
#[derive(Clone, Debug)]
pub struct TwilioSecrets {
    /// The keys that Twilio's signatures are made with, in no order of trust.
    pub signing_keys: Vec<SecretString>,
    /// The SID and the secret of the API key.
    pub api_key: Option<(String, SecretString)>,
}

/// The use that a function has for credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To verify signatures: without a signing key nothing could ever be accepted.
    SigningKeys,
    /// To call Twilio: with the API key, or else the first signing key.
    Rest,
}

/// A reason why there are no credentials. The content of a secret is never part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// Secrets Manager did not answer, or refused.
    #[error("cannot read the secret {secret} in {region}: {reason}")]
    Unavailable {
        /// The secret's name or ARN.
        secret: String,
        /// The region in which it was looked for.
        region: String,
        /// The answer of Secrets Manager.
        reason: String,
    },
    /// The secret is not a JSON object of texts.
    #[error(
        "the secret {secret} is not a JSON object with texts for TWILIO_AUTH_TOKENS, TWILIO_API_KEY and TWILIO_API_SECRET"
    )]
    Malformed {
        /// The secret's name or ARN.
        secret: String,
    },
    /// The secret lacks what the function needs.
    #[error("the secret {secret} lacks {lacking}")]
    Incomplete {
        /// The secret's name or ARN.
        secret: String,
        /// The field that it lacks.
        lacking: &'static str,
    },
}

/// The result of reading again.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// The credentials are other ones than before.
    Changed(Arc<TwilioSecrets>),
    /// They are the same, or cannot change because they come from variables.
    Unchanged,
    /// They were read again less than [`REFRESH_INTERVAL`] ago.
    TooSoon,
}

/// The source of the credentials, and the last good ones.
#[derive(Debug)]
pub struct Secrets {
    source: Source,
    refusal: Refusal,
}

/// A mark that Twilio refused the credentials (401). They are then read again before their
/// time, since that is how a key looks that was revoked and replaced.
#[derive(Clone, Debug, Default)]
pub struct Refusal(Arc<AtomicBool>);

impl Refusal {
    /// Sets the mark.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug)]
enum Source {
    Variables(Arc<TwilioSecrets>),
    Store(Box<Store>),
}

#[derive(Debug)]
struct Store {
    client: aws_sdk_secretsmanager::Client,
    secret: String,
    need: Need,
    /// Held while reading, so that requests side by side read once.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    good: Option<Arc<TwilioSecrets>>,
    read_again_at: Option<Timestamp>,
    refreshed_at: Option<Timestamp>,
}

impl State {
    fn may_refresh(&self, now: Timestamp) -> bool {
        self.refreshed_at
            .is_none_or(|at| now.since(at) >= REFRESH_INTERVAL)
    }
}

impl Secrets {
    /// Returns the mark to set when Twilio refuses the credentials.
    pub fn refusal(&self) -> Refusal {
        self.refusal.clone()
    }

    /// Takes credentials that never change.
    pub fn fixed(secrets: TwilioSecrets) -> Self {
        Self {
            source: Source::Variables(Arc::new(secrets)),
            refusal: Refusal::default(),
        }
    }

    /// Takes credentials in Secrets Manager, under a name or an ARN. Nothing is read yet.
    pub fn stored(client: aws_sdk_secretsmanager::Client, secret: String, need: Need) -> Self {
        Self {
            source: Source::Store(Box::new(Store {
                client,
                secret,
                need,
                state: Mutex::default(),
            })),
            refusal: Refusal::default(),
        }
    }

    /// Reads `TWILIO_SECRET`, the name or ARN of a secret, or in its absence
    /// `TWILIO_AUTH_TOKENS`, `TWILIO_API_KEY` and `TWILIO_API_SECRET`.
    pub fn from_environment(
        environment: &mut Environment,
        aws: Option<&Aws>,
        need: Need,
    ) -> Option<Self> {
        if let Some(secret) = environment.optional("TWILIO_SECRET") {
            return Some(Self::stored(aws?.secrets_manager(), secret, need));
        }
        let signing_keys = environment.secrets("TWILIO_AUTH_TOKENS");
        let key = environment.optional::<String>("TWILIO_API_KEY");
        let secret = environment.secret("TWILIO_API_SECRET");
        let half_a_key = key.is_some() != secret.is_some();
        if key.is_some() {
            environment.require("TWILIO_API_SECRET");
        } else if secret.is_some() {
            environment.require("TWILIO_API_KEY");
        }
        let secrets = TwilioSecrets {
            signing_keys,
            api_key: key.zip(secret),
        };
        if !half_a_key && let Some(lacking) = secrets.lacks(need) {
            environment.unsound([format!("set TWILIO_SECRET or {lacking}")]);
            return None;
        }
        Some(Self::fixed(secrets))
    }

    /// Returns true if they have to be fetched, over the network, and so take time.
    pub const fn are_fetched(&self) -> bool {
        matches!(self.source, Source::Store(_))
    }

    /// Returns the credentials, read again when they are due, or when Twilio refused them and
    /// the last read is [`REFRESH_INTERVAL`] ago.
    ///
    /// # Errors
    ///
    /// Fails when they cannot be read and never were; the next call tries again.
    pub async fn get(&self, now: Timestamp) -> Result<Arc<TwilioSecrets>, SecretsError> {
        let store = match &self.source {
            Source::Variables(secrets) => return Ok(Arc::clone(secrets)),
            Source::Store(store) => store,
        };
        let mut state = store.state.lock().await;
        let refused = self.refusal.0.load(Ordering::Relaxed) && state.may_refresh(now);
        if let Some(good) = &state.good
            && !refused
            && state.read_again_at.is_some_and(|at| now < at)
        {
            return Ok(Arc::clone(good));
        }
        if refused {
            state.refreshed_at = Some(now);
            self.refusal.0.store(false, Ordering::Relaxed);
        }
        match (store.read().await, &state.good) {
            (Ok(secrets), good) => {
                // Unchanged credentials stay the same value, so that what is built of them does.
                let same = good.as_ref().filter(|good| good.same(&secrets));
                let secrets = same.map_or_else(|| Arc::new(secrets), Arc::clone);
                state.good = Some(Arc::clone(&secrets));
                state.read_again_at = Some(now.plus(TIME_TO_LIVE));
                Ok(secrets)
            }
            (Err(error), Some(good)) => {
                tracing::warn!(%error, "the credentials read before stay in use");
                let good = Arc::clone(good);
                state.read_again_at = Some(now.plus(RETRY_AFTER));
                Ok(good)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Reads the credentials again because a signature was made with none of the known keys,
    /// which is what a rotation looks like.
    ///
    /// # Errors
    ///
    /// Fails when they cannot be read: the signature's key may then be one we cannot know.
    pub async fn refresh_after_unknown_signature(
        &self,
        now: Timestamp,
    ) -> Result<Refreshed, SecretsError> {
        let store = match &self.source {
            Source::Variables(_) => return Ok(Refreshed::Unchanged),
            Source::Store(store) => store,
        };
        let mut state = store.state.lock().await;
        if !state.may_refresh(now) {
            return Ok(Refreshed::TooSoon);
        }
        state.refreshed_at = Some(now);
        let secrets = Arc::new(store.read().await?);
        let unchanged = state.good.as_ref().is_some_and(|good| good.same(&secrets));
        state.good = Some(Arc::clone(&secrets));
        state.read_again_at = Some(now.plus(TIME_TO_LIVE));
        Ok(if unchanged {
            Refreshed::Unchanged
        } else {
            Refreshed::Changed(secrets)
        })
    }
}

impl Store {
    async fn read(&self) -> Result<TwilioSecrets, SecretsError> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.secret)
            .send()
            .await
            .map_err(|error| SecretsError::Unavailable {
                secret: self.secret.clone(),
                region: region_name(self.client.config().region()),
                reason: reason(&error),
            })?;
        let text = answer.secret_string().unwrap_or_default();
        // The parser's own words could quote the secret. An object is asked for first, because
        // the fields of a struct may come as an array too.
        let fields: Fields = serde_json::from_str::<serde_json::Map<_, _>>(text)
            .and_then(|object| serde_json::from_value(object.into()))
            .map_err(|_| SecretsError::Malformed {
                secret: self.secret.clone(),
            })?;
        let secrets = TwilioSecrets::from(fields);
        match secrets.lacks(self.need) {
            None => Ok(secrets),
            Some(lacking) => Err(SecretsError::Incomplete {
                secret: self.secret.clone(),
                lacking,
            }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Fields {
    #[serde(default)]
    twilio_auth_tokens: String,
    #[serde(default)]
    twilio_api_key: String,
    #[serde(default)]
    twilio_api_secret: String,
}

impl From<Fields> for TwilioSecrets {
    fn from(fields: Fields) -> Self {
        let key = fields.twilio_api_key.trim();
        let secret = fields.twilio_api_secret.trim();
        let both = !key.is_empty() && !secret.is_empty();
        Self {
            signing_keys: secret_items(&fields.twilio_auth_tokens),
            api_key: both.then(|| (key.to_owned(), SecretString::from(secret))),
        }
    }
}

impl TwilioSecrets {
    fn lacks(&self, need: Need) -> Option<&'static str> {
        match need {
            Need::SigningKeys if self.signing_keys.is_empty() => Some("TWILIO_AUTH_TOKENS"),
            Need::Rest if self.signing_keys.is_empty() && self.api_key.is_none() => {
                Some("TWILIO_API_KEY or TWILIO_AUTH_TOKENS")
            }
            Need::SigningKeys | Need::Rest => None,
        }
    }

    fn same(&self, other: &Self) -> bool {
        use secrecy::ExposeSecret as _;
        fn exposed(s: &TwilioSecrets) -> (Vec<&str>, Option<(&str, &str)>) {
            let keys = s.signing_keys.iter().map(|key| key.expose_secret());
            let api_key = s.api_key.as_ref();
            let api_key = api_key.map(|(key, secret)| (key.as_str(), secret.expose_secret()));
            (keys.collect(), api_key)
        }
        exposed(self) == exposed(other)
    }
}
