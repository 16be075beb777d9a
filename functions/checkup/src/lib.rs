//! Audits how a Flex project's messaging is set up, and repairs it where it may.
//!
//! Half of all lost messages come from a set-up that was changed. The whole set-up is fetched
//! into one [`Snapshot`]; [`audit`] applies every rule to it and reads nothing else; [`plan`]
//! works out the repairs of the findings, from the snapshot too; and [`apply`] makes them, one
//! small repair at a time, each compared with what it was planned for and read again. A fresh
//! snapshot afterwards shows the result.
//!
//! The scheduled [`Checkup`] never writes at Twilio. It publishes its findings, and what changed
//! since its last run, by rules and counts.
//!
//! The modules in reading order: `snapshot` and `expectations` are what is judged, `rules` judge,
//! `report` holds the findings, `draft` and `plan` turn them into the changes of `repair`.

mod draft;
mod drift;
mod error;
mod expectations;
mod fetch;
mod plan;
mod repair;
mod report;
mod rules;
mod settings;
mod snapshot;
mod subject;

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use runtime::access;
use runtime::common::TwilioAccount;
use runtime::{Notice, NoticeKind, TwilioSecrets, metrics};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use twilio::rest::{Client, Transport};

pub use drift::{Drift, Memory, Remembered};
pub use error::CheckupError;
pub use expectations::{Expectations, LongLived, Toggle};
pub use plan::{Blocked, Choice, ManualStep, Plan, plan};
pub use repair::{Repair, RepairFailure, apply};
pub use report::{Finding, Report, SkippedRule, audit};
pub use rules::{Fix, Rule, Severity, all, rule, table};
pub use settings::Settings;
pub use snapshot::{Capacities, Snapshot, Unavailable};
pub use subject::Subject;

/// The name of the note of the last run, a [`Memory`].
pub const NOTE: &str = "checkup";

/// The number of requests that are made side by side.
const IN_FLIGHT: usize = 10;

/// The part of the time that is kept for publishing and remembering the findings.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The scheduled checkup.
pub struct Checkup {
    settings: Settings,
    transport: Arc<dyn Transport>,
}

/// The figures of a scheduled checkup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings that are only worth knowing.
    pub infos: usize,
    /// Rules that could not be applied.
    pub skipped_rules: usize,
    /// Rules of which other findings were made than last time.
    pub drift: usize,
    /// Parked tasks that no reply brings back, because parking is switched off.
    pub left_parked: usize,
    /// Requests to Twilio, repeated ones counted.
    pub calls: u64,
    /// Requests that Twilio answered with "too many".
    pub throttled: u64,
}

impl Summary {
    /// Writes the metrics.
    fn write_metrics(&self, now: Timestamp) {
        tracing::info!(
            target: metrics::TARGET,
            at_ms = now.as_millis(),
            ErrorsFound = self.errors,
            WarningsFound = self.warnings,
            Unreadable = self.skipped_rules,
            LeftParked = self.left_parked,
            Calls = self.calls,
        );
    }
}

impl Checkup {
    /// Returns a checkup with these settings, over this transport.
    pub fn new(settings: Settings, transport: Arc<dyn Transport>) -> Self {
        Self {
            settings,
            transport,
        }
    }

    /// Reads the credentials before the first run, so that a wrong name is logged at start.
    pub async fn warm_up(&self, now: Timestamp) {
        runtime::start::look(&self.settings.secrets, &self.settings.bus, now).await;
    }

    /// Checks the set-up once, publishes the findings and remembers them. It takes `time_left` at
    /// most.
    ///
    /// # Errors
    ///
    /// Fails if nothing could be read, if the time was up, or if the findings could not be
    /// published or remembered: then the next run publishes them.
    pub async fn run(&self, now: Timestamp, time_left: Duration) -> Result<Summary, CheckupError> {
        let settings = &self.settings;
        let Settings {
            secrets, account, ..
        } = settings;
        let client = access::client(secrets, account, &self.transport, IN_FLIGHT, now).await?;
        let account = settings.account.sid;
        let fetch = Snapshot::fetch(&client, account, &settings.wanted, now);
        let time = time_left.saturating_sub(LAST_WORDS);
        let snapshot = tokio::time::timeout(time, fetch)
            .await
            .map_err(|_| CheckupError::OutOfTime)?
            .map_err(CheckupError::LookupFailed)?;
        let report = audit(&snapshot, &settings.wanted, |_| true);
        if let [only, ..] = report.skipped_rules.as_slice()
            && snapshot.read_nothing()
        {
            return Err(CheckupError::LookupFailed(only.unavailable.why.clone()));
        }
        let before = settings.table.note::<Memory>(NOTE).await?;
        let memory = Memory::of(&report, before.as_ref(), now);
        let drift = before
            .as_ref()
            .map(|before| memory.since(before))
            .unwrap_or_default();
        self.publish(&report, &drift, before.and_then(|before| before.at), now)
            .await?;
        settings.table.set_note(NOTE, &memory, now).await?;
        let stats = client.stats();
        let summary = Summary {
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            infos: report.count(Severity::Info),
            skipped_rules: report.skipped_rules.len(),
            drift: drift.len(),
            left_parked: snapshot.parked.as_ref().map_or(0, Vec::len),
            calls: stats.attempts,
            throttled: stats.throttled,
        };
        log(&report, &summary);
        summary.write_metrics(now);
        Ok(summary)
    }

    /// Publishes the findings, unless there is nothing to do about any of them.
    async fn publish(
        &self,
        report: &Report,
        drift: &[Drift],
        last_run: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), CheckupError> {
        let is_worse_than_info = |finding: &Finding| finding.rule.severity != Severity::Info;
        let is_sound = !report.findings.iter().any(is_worse_than_info);
        if is_sound && report.skipped_rules.is_empty() && drift.is_empty() {
            return Ok(());
        }
        let skipped_rules: Vec<&str> = report.skipped_rules.iter().map(|one| one.rule.id).collect();
        let detail = json!({
            "account": self.settings.account.sid,
            "errors": report.count(Severity::Error),
            "warnings": report.count(Severity::Warning),
            "infos": report.count(Severity::Info),
            "findings": report.counts(),
            "skipped_rules": skipped_rules,
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
            Some((_, why)) => Err(CheckupError::PublishFailed(why)),
            None => Ok(()),
        }
    }
}

/// Returns the same ID for a run that is repeated because it could not remember, and another for
/// the next run.
fn notice_id(detail: &str, last_run: Option<Timestamp>) -> String {
    let last_run = last_run.map_or(0, Timestamp::as_millis);
    let digest = Sha256::digest(format!("{last_run} {detail}"));
    format!("checkup-{}", hex::encode(&digest[..16]))
}

fn log(report: &Report, summary: &Summary) {
    for (rule, findings) in report.counts() {
        tracing::info!(rule, findings, "a rule has findings");
    }
    let Summary {
        errors,
        warnings,
        infos,
        skipped_rules,
        drift,
        left_parked,
        calls,
        throttled,
    } = *summary;
    tracing::info!(
        errors,
        warnings,
        infos,
        skipped_rules,
        drift,
        left_parked,
        calls,
        throttled,
        "checked up"
    );
}

/// Returns a client for a checkup, with these credentials.
///
/// # Errors
///
/// Fails if the credentials or the settings are not of Twilio's form.
pub fn client(
    secrets: &TwilioSecrets,
    account: &TwilioAccount,
    transport: Arc<dyn Transport>,
) -> Result<Client, CheckupError> {
    Ok(access::client_of(secrets, account, transport, IN_FLIGHT)?)
}
