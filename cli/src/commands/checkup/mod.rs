//! `janitor checkup`: audits how the Flex project is set up, and mends it.
//!
//! It needs Twilio alone: credentials come from the variables, or from the running system of a
//! data folder. With `--fix` the plan comes first, and nothing is written without `--yes`. What
//! counts in the end is a fresh look at the project, not what the repairs said of themselves.

mod print;

use std::sync::Arc;

use ::checkup::{
    Choice, Expectations, LongLived, Plan, Repair, RepairFailure, Report, Rule, Snapshot, Subject,
    Toggle, apply, audit, plan,
};
use anyhow::Context as _;
use clap::Args;
use domain::{StudioFlowSid, Timestamp};
use runtime::common::TwilioAccount;
use runtime::secrets::{Need, Secrets};
use runtime::{TwilioSecrets, common};
use twilio::rest::Client;

use crate::context::{self, Context, Place};
use crate::progress::Counted;
use output::Outcome;

/// Rules to apply, and repairs to make.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Credentials come from TWILIO_ACCOUNT_SID with TWILIO_API_KEY and TWILIO_API_SECRET (or
TWILIO_AUTH_TOKENS), never from arguments. WEBHOOK_URL, FLEX_JANITOR, FLEX_LONG_LIVED,
PARK_TASK_CHANNELS and the SIDs of the sweep's settings say what is wanted.

Exit codes of a checkup:
  0  nothing worse than a warning was found
  1  something could not be looked at, and no error was found
  2  the command line makes no sense
  3  an error was found, or a repair was not made
  4  nothing was found about the SID that was given with --on
  5  --fix has a plan, and --yes is missing")]
pub(crate) struct Options {
    /// Applies these rules alone, and with --fix mends what they find
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule)]
    only: Vec<&'static Rule>,
    /// Shows how to mend what was found
    #[arg(long)]
    fix: bool,
    /// Carries the plan out, and looks again
    #[arg(long, requires = "fix")]
    yes: bool,
    /// Mends these alone, by their SIDs
    #[arg(long, value_name = "SID", value_delimiter = ',', requires = "fix", value_parser = sid)]
    on: Vec<String>,
    /// Wanted value of JanitorEnabled: on, off or any, instead of FLEX_JANITOR
    #[arg(long, value_name = "SWITCH")]
    janitor: Option<Toggle>,
    /// The channel types that are to be long-lived, or none, instead of FLEX_LONG_LIVED
    #[arg(long, value_name = "TYPES")]
    long_lived: Option<LongLived>,
    /// The Studio flow that messages are to take, where there are several
    #[arg(long, value_name = "FW…", requires = "fix", value_parser = studio_flow)]
    studio_flow: Option<StudioFlowSid>,
    /// The Studio flow that calls are to take, where there are several
    #[arg(long, value_name = "FW…", requires = "fix", value_parser = studio_flow)]
    voice_flow: Option<StudioFlowSid>,
    /// Prints what was found, and the plan, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

fn rule(text: &str) -> Result<&'static Rule, String> {
    if let Some(rule) = ::checkup::rule(text.trim()) {
        return Ok(rule);
    }
    let topic = text.split('/').next().unwrap_or_default();
    let alike: Vec<&str> = ::checkup::all()
        .map(|rule| rule.id)
        .filter(|id| id.split('/').next() == Some(topic))
        .collect();
    Err(if alike.is_empty() {
        let mut topics: Vec<&str> = ::checkup::all()
            .filter_map(|rule| rule.id.split('/').next())
            .collect();
        topics.dedup();
        let topics = topics.join(", ");
        format!("there is no such rule; rules are named like number/messages, under {topics}")
    } else {
        format!("there is no such rule; there are {}", alike.join(", "))
    })
}

fn sid(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let (prefix, digits) = text.split_at_checked(2).unwrap_or_default();
    let is_prefix = prefix.len() == 2 && prefix.bytes().all(|b| b.is_ascii_uppercase());
    let hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
    match digits.len() {
        _ if !is_prefix || !hexadecimal => {
            Err("a SID is two capital letters and 32 hexadecimal digits")
        }
        32 => Ok(text.to_owned()),
        0..32 => Err("that is only the beginning of a SID: 32 digits follow the two letters"),
        _ => Err("too long: a SID is two capital letters and 32 hexadecimal digits"),
    }
}

fn studio_flow(text: &str) -> Result<StudioFlowSid, &'static str> {
    let whole = sid(text)?;
    whole
        .parse()
        .map_err(|_| "a Studio flow's SID begins with FW")
}

/// Result of a repair.
pub(crate) type Made = (Subject, String, Result<(), RepairFailure>);

/// Everything that is printed.
#[derive(Default)]
pub(crate) struct CheckupOutput {
    pub(crate) report: Report,
    pub(crate) plan: Option<Plan>,
    /// Repairs, made before the report.
    pub(crate) made: Vec<Made>,
}

/// Looks, and mends what it is told to.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let desk = Desk::open(options).await?;
    let (snapshot, report) = desk.look(options).await?;
    if !options.fix {
        let told = CheckupOutput {
            report,
            ..CheckupOutput::default()
        };
        return end(options, &told);
    }
    let choice = Choice {
        rules: options.only.clone(),
        subjects: options.on.clone(),
        studio_flow: options.studio_flow,
        voice_flow: options.voice_flow,
    };
    if let Some(unknown) = options.on.iter().find(|sid| !is_found(&report, sid)) {
        output::status(&format!("nothing was found about {unknown}"));
        return Ok(Outcome::Unknown);
    }
    let plan = plan(&snapshot, &desk.wanted, &report, &choice);
    if !options.yes || plan.repairs.is_empty() {
        let waits = !plan.repairs.is_empty();
        let told = CheckupOutput {
            report,
            plan: Some(plan),
            ..CheckupOutput::default()
        };
        let outcome = end(options, &told)?;
        if !waits {
            return Ok(outcome);
        }
        output::status("Nothing was written. Add --yes to carry this out.");
        return Ok(Outcome::NotConfirmed);
    }
    print::plan(&plan);
    let made = desk.mend(&plan.repairs).await?;
    let (_, report) = desk.look(options).await?;
    let failed = made.iter().any(|(_, _, result)| result.is_err());
    let told = CheckupOutput {
        report,
        plan: None,
        made,
    };
    let outcome = end(options, &told)?;
    Ok(if failed {
        Outcome::CheckFailed
    } else {
        outcome
    })
}

fn is_found(report: &Report, sid: &str) -> bool {
    let mut findings = report.findings.iter();
    findings.any(|finding| finding.subject.is_at(sid))
}

/// Prints everything, and says how it ends.
fn end(options: &Options, told: &CheckupOutput) -> anyhow::Result<Outcome> {
    if options.json {
        print::json(told)?;
    } else {
        print::table(told)?;
    }
    let report = &told.report;
    if report.count(::checkup::Severity::Error) > 0 {
        return Ok(Outcome::CheckFailed);
    }
    match report.skipped_rules.first() {
        Some(first) => {
            let count = report.skipped_rules.len();
            Err(first.unavailable.clone())
                .with_context(|| format!("{count} rules were not applied"))
        }
        None => Ok(Outcome::Good),
    }
}

/// Whom we ask, and what is wanted.
struct Desk {
    secrets: Arc<TwilioSecrets>,
    account: TwilioAccount,
    wanted: Expectations,
    now: Timestamp,
}

impl Desk {
    async fn open(options: &Options) -> anyhow::Result<Self> {
        let process = context::environment();
        // A secret is read on AWS, and a data folder names its own Twilio; for anything else
        // the variables are enough.
        let context = if options.place.is_folder() {
            Some(Context::open_with_twilio(&options.place).await?)
        } else if options.place.is_named() || process.is_set("TWILIO_SECRET") {
            Some(Context::open(&options.place).await?)
        } else {
            None
        };
        let mut environment = context.as_ref().map_or(process, Context::environment);
        let aws = context.as_ref().and_then(Context::aws);
        let now = context.as_ref().map_or_else(clock, Context::now);
        let account = common::twilio_account(&mut environment);
        let secrets = Secrets::from_environment(&mut environment, aws.as_ref(), Need::Rest);
        let wanted = Expectations::read(&mut environment);
        let (account, secrets) = environment.finish(|| Some((account?, secrets?)))?;
        Ok(Self {
            secrets: secrets.get(now).await?,
            account,
            now,
            wanted: Expectations {
                janitor: options.janitor.unwrap_or(wanted.janitor),
                long_lived: options.long_lived.clone().or(wanted.long_lived),
                ..wanted
            },
        })
    }

    async fn look(&self, options: &Options) -> anyhow::Result<(Snapshot, Report)> {
        let client = self.client("requests to Twilio")?;
        let snapshot = Snapshot::fetch(&client, self.account.sid, &self.wanted, self.now).await;
        let snapshot = snapshot.context("nothing could be looked at")?;
        let chosen = |rule: &Rule| {
            options.only.is_empty() || options.only.iter().any(|one| one.id == rule.id)
        };
        let report = audit(&snapshot, &self.wanted, chosen);
        Ok((snapshot, report))
    }

    async fn mend(&self, repairs: &[Repair]) -> anyhow::Result<Vec<Made>> {
        let client = self.client("requests to Twilio")?;
        let results = apply(&client, self.account.sid, repairs, |_| {}).await;
        let made = repairs.iter().zip(results);
        Ok(made
            .map(|(repair, result)| (repair.subject(), repair.words(), result))
            .inspect(|(subject, does, result)| match result {
                Ok(()) => output::success(&format!("{subject}: {does}")),
                Err(why) => output::failure(&format!("{subject}: {does}: {why}")),
            })
            .collect())
    }

    /// A client whose requests are counted on the terminal while it lives.
    fn client(&self, what: &'static str) -> anyhow::Result<Client> {
        let transport = Counted::to_twilio(what)?;
        Ok(::checkup::client(&self.secrets, &self.account, transport)?)
    }
}

fn clock() -> Timestamp {
    runtime::clock::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_rule_is_answered_with_those_that_there_are() {
        assert_eq!(rule("number/messages").unwrap().id, "number/messages");
        let message = rule("number/message").unwrap_err();
        assert!(message.contains("number/messages"), "{message}");
        let message = rule("phone").unwrap_err();
        assert!(
            message.contains("flex-flow") && message.contains("events"),
            "{message}"
        );
    }

    #[test]
    fn whole_half_and_wrong_sids_are_told_apart() {
        let whole = format!("FW{}", "0".repeat(32));
        assert_eq!(sid(&whole).as_deref(), Ok(whole.as_str()));
        assert!(studio_flow(&whole).is_ok());
        assert!(sid("FW01").unwrap_err().contains("beginning"));
        for wrong in ["", "F", "é", "fw01", "FWxyz", &format!("{whole}0")] {
            assert!(sid(wrong).is_err(), "{wrong}");
        }
        assert!(studio_flow(&whole.replace("FW", "FO")).is_err());
    }
}
