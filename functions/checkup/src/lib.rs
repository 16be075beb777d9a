//! Audits how a Flex project's messaging is set up, and mends it where it may.
//!
//! Half of all lost messages come from a set-up that somebody changed. So the whole set-up is
//! fetched into one [`Snapshot`]; [`audit`] applies every rule to it, which is a plain function
//! and sees nothing else; [`plan`] works out what to do about the findings, just as plainly;
//! and [`apply`] does it, one small repair at a time, each compared with what it was planned
//! for and read again. Whoever repairs fetches a fresh snapshot afterwards: what Twilio shows
//! then is what counts.
//!
//! The scheduled [`Checkup`] never writes at Twilio. It tells on the bus what it found and what
//! changed since its last run, by rules and counts.

mod drift;
mod error;
mod fetch;
mod plan;
mod repair;
mod report;
mod rules;
mod settings;
mod snapshot;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use runtime::common::TwilioAccount;
use runtime::{Notice, NoticeKind, TwilioSecrets, metrics};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use twilio::rest::{Client, Credentials, Hosts, InvalidCredentials, Limits, Transport};

pub use drift::{Drift, Memory, Remembered};
pub use error::CheckupError;
pub use plan::{Blocked, Choice, Errand, Plan, plan};
pub use repair::{Repair, RepairFailure, apply};
pub use report::{Finding, NotLooked, Report, Subject, audit};
pub use rules::{Fix, Rule, Severity, all, rule, table};
pub use settings::Settings;
pub use snapshot::{Seen, Snapshot, Unseen};
pub use wanted::{LongLived, Switch, Wanted};

/// The name of the note of the last run.
const NOTE: &str = "checkup";

/// How many calls are made side by side.
const IN_FLIGHT: usize = 10;

/// What is left of the time for telling and remembering what was found.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The scheduled checkup.
pub struct Checkup {
    settings: Settings,
    transport: Arc<dyn Transport>,
}

/// What a scheduled checkup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Rules that could not be applied.
    pub not_looked: usize,
    /// Rules of which other findings were made than last time.
    pub drift: usize,
    /// Requests to Twilio, repeated ones counted.
    pub calls: u64,
    /// Requests that Twilio answered with "too many".
    pub throttled: u64,
}

impl Summary {
    /// Tells it in figures.
    fn tell(&self, now: Timestamp) {
        tracing::info!(
            target: metrics::TARGET,
            at_ms = now.as_millis(),
            ErrorsFound = self.errors,
            WarningsFound = self.warnings,
            Unreadable = self.not_looked,
            Calls = self.calls,
        );
    }
}

impl Checkup {
    /// A checkup with these settings, over this transport.
    pub fn new(settings: Settings, transport: Arc<dyn Transport>) -> Self {
        Self {
            settings,
            transport,
        }
    }

    /// Does what can be done before the first run: reads the credentials, so that a wrong name
    /// is logged at start.
    pub async fn warm_up(&self, now: Timestamp) {
        runtime::start::look(&self.settings.secrets, &self.settings.bus, now).await;
    }

    /// Looks once, tells what it found, and remembers it. `time_left` is how long it may take.
    ///
    /// # Errors
    ///
    /// Fails when nothing could be looked at, or when what was found could not be told or
    /// remembered: then the next run tells it.
    pub async fn run(&self, now: Timestamp, time_left: Duration) -> Result<Summary, CheckupError> {
        let settings = &self.settings;
        let secrets = settings.secrets.get(now).await?;
        let client = client(&secrets, &settings.account, Arc::clone(&self.transport))?;
        let account = settings.account.sid;
        let fetch = Snapshot::fetch(&client, account, &settings.wanted);
        let time = time_left.saturating_sub(LAST_WORDS);
        let snapshot = tokio::time::timeout(time, fetch)
            .await
            .map_err(|_| CheckupError::OutOfTime)?
            .map_err(CheckupError::Blind)?;
        let report = audit(&snapshot, &settings.wanted, |_| true);
        if let [only, ..] = report.not_looked.as_slice()
            && snapshot.saw_nothing()
        {
            return Err(CheckupError::Blind(only.unseen.why.clone()));
        }
        let before = settings.table.note::<Memory>(NOTE).await?;
        let memory = Memory::of(&report, before.as_ref(), now);
        let drift = before
            .as_ref()
            .map(|before| memory.since(before))
            .unwrap_or_default();
        self.tell(&report, &drift, before.and_then(|before| before.at), now)
            .await?;
        settings.table.set_note(NOTE, &memory, now).await?;
        let stats = client.stats();
        let summary = Summary {
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            not_looked: report.not_looked.len(),
            drift: drift.len(),
            calls: stats.attempts,
            throttled: stats.throttled,
        };
        log(&report, &summary);
        summary.tell(now);
        Ok(summary)
    }

    async fn tell(
        &self,
        report: &Report,
        drift: &[Drift],
        last_run: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), CheckupError> {
        if report.findings.is_empty() && report.not_looked.is_empty() && drift.is_empty() {
            return Ok(());
        }
        let not_looked: Vec<&str> = report.not_looked.iter().map(|one| one.rule.id).collect();
        let detail = json!({
            "account": self.settings.account.sid,
            "errors": report.count(Severity::Error),
            "warnings": report.count(Severity::Warning),
            "findings": report.counts(),
            "not_looked": not_looked,
            "drift": drift,
        });
        let notice = Notice {
            id: notice_id(&detail.to_string(), last_run),
            at: now,
            kind: NoticeKind::ConfigurationDrifted,
            detail,
        };
        let published = self.settings.bus.publish(&[notice]).await;
        match published.failed.into_iter().next() {
            Some((_, why)) => Err(CheckupError::Untold(why)),
            None => Ok(()),
        }
    }
}

/// The same for a run that is repeated because it could not remember, and another for the next.
fn notice_id(detail: &str, last_run: Option<Timestamp>) -> String {
    let last_run = last_run.map_or(0, Timestamp::as_millis);
    let digest = Sha256::digest(format!("{last_run} {detail}"));
    format!("checkup-{}", hex::encode(&digest[..16]))
}

fn log(report: &Report, summary: &Summary) {
    let findings = serde_json::to_string(&report.counts()).unwrap_or_default();
    let summary = serde_json::to_string(summary).unwrap_or_default();
    tracing::info!(summary, findings, "checked up");
}

/// A client for a checkup, with these credentials.
///
/// # Errors
///
/// Fails where the credentials or the settings are not of Twilio's form.
pub fn client(
    secrets: &TwilioSecrets,
    account: &TwilioAccount,
    transport: Arc<dyn Transport>,
) -> Result<Client, CheckupError> {
    let credentials = match (&secrets.api_key, secrets.signing_keys.first()) {
        (Some((key, secret)), _) => Credentials::api_key(key, secret)?,
        (None, Some(token)) => Credentials::auth_token(account.sid, token)?,
        (None, None) => return Err(InvalidCredentials::Secret.into()),
    };
    let hosts = match &account.api_url {
        Some(url) => Hosts::elsewhere(url)?,
        None => Hosts::at_twilio(account.edge.as_deref(), account.region.as_deref())?,
    };
    let limits = Limits {
        in_flight: IN_FLIGHT,
        ..Limits::default()
    };
    Ok(Client::new(credentials, hosts, limits, transport))
}
