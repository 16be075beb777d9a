//! `janitor audit`: says on how many channels customers write in vain. It needs Twilio's
//! credentials alone and writes nothing.

mod print;
mod profile;

use std::time::Duration;

use ::audit::{Audit, Order, Report};
use ::checkup::Expectations;
use anyhow::Context as _;
use clap::Args;
use domain::{AccountSid, Timestamp};
use output::Outcome;
use runtime::access;
use runtime::secrets::{Need, Secrets};
use runtime::{Environment, common};

use crate::context;
use crate::progress::Counted;

/// The number of channels that are looked at side by side, as in a sweep.
const CONCURRENCY: usize = 10;

/// Options of an audit.
#[derive(Debug, Args)]
#[command(after_long_help = "\
It needs TWILIO_ACCOUNT_SID with TWILIO_API_KEY and TWILIO_API_SECRET, or with TWILIO_AUTH_TOKEN.
Without them, it takes the active profile of Twilio's own command line, if its key stands in
~/.twilio-cli/config.json. It needs no AWS, keeps no state, and makes no request but GET. The
sweep's settings, such as QUIET_CUTOFF, count where they are set. After ^C it reports what was
found by then.

Exit codes of an audit:
  0  no customer writes in vain, and the checkup found no error
  1  nothing was found, but not everything could be read
  2  the command line makes no sense
  3  something was found")]
pub(crate) struct Options {
    /// Part of TaskRouter's log to read, such as 72h or 30d, which is all that it keeps
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = output::parse_duration,
        default_value = "30d"
    )]
    since: Duration,
    /// Looks at so many channels only, chosen by chance
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    sample: Option<usize>,
    /// Prints the report as JSON, with every channel
    #[arg(long)]
    json: bool,
    /// The data folder of `janitor local`, instead of an account
    #[cfg(feature = "playground")]
    #[arg(long, value_name = "DIR")]
    data: Option<std::path::PathBuf>,
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        Ok(_) | Err(_) => Err("a whole number from 1 on"),
    }
}

/// Audits and prints the report.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let report = options.audit().await?;
    match options.json {
        true => output::json(&report)?,
        false => print::report(&report)?,
    }
    outcome(&report)
}

fn outcome(report: &Report) -> anyhow::Result<Outcome> {
    let errors = report.checkup.iter().flat_map(|checkup| &checkup.findings);
    let has_errors = errors
        .clone()
        .any(|finding| finding.severity == ::audit::Severity::Error);
    if report.unattended.channels + report.unheard.customers > 0 || has_errors {
        return Ok(Outcome::CheckFailed);
    }
    anyhow::ensure!(!report.interrupted, "the audit was ended before its end");
    anyhow::ensure!(
        report.silent_parts.is_empty(),
        "nothing was found, but not everything could be read"
    );
    Ok(Outcome::Good)
}

impl Options {
    async fn audit(&self) -> anyhow::Result<Report> {
        let place = self.place().await?;
        let now = (place.clock)();
        let mut environment = place.environment;
        let account = common::twilio_account(&mut environment);
        let secrets = Secrets::from_environment(&mut environment, None, Need::Rest);
        let sid = account.as_ref().map(|account| account.sid);
        let order = sid.map(|sid| self.order(sid, &mut environment));
        let (account, secrets, order) = environment
            .finish(|| Some((account?, secrets?, order?)))
            .context(
            "Twilio's credentials come from variables, or from a profile of Twilio's command line",
        )?;
        let transport = Counted::to_twilio("requests to Twilio")?;
        let secrets = secrets.get(now).await?;
        let twilio = access::client_of(&secrets, &account, transport, CONCURRENCY)?;
        let audit = Audit::new(twilio, order, now);
        tokio::select! {
            ended = audit.run() => ended?,
            stopped = tokio::signal::ctrl_c() => {
                stopped.context("cannot listen for ^C")?;
                output::status("Ended by ^C: this is what was found so far.");
            }
        }
        Ok(audit.report())
    }

    /// Reads what the sweep and the checkup would read.
    fn order(&self, account: AccountSid, environment: &mut Environment) -> Order {
        Order {
            account,
            workspace: environment.optional("TASKROUTER_WORKSPACE_SID"),
            chat_service: environment.optional("CHAT_SERVICE_SID"),
            proxy_service: environment.optional("PROXY_SERVICE_SID"),
            webhook_url: environment.optional("WEBHOOK_URL"),
            policy: common::policy(environment),
            wanted: Expectations::read(environment),
            since: self.since,
            sample: self.sample,
            concurrency: CONCURRENCY,
        }
    }

    /// Returns the variables and the clock: of this process, or of a data folder.
    async fn place(&self) -> anyhow::Result<Place> {
        // A secret of AWS's is not read.
        let environment = context::environment().with("TWILIO_SECRET", "");
        #[cfg(feature = "playground")]
        if let Some(path) = &self.data {
            let opened = playground::open(path, environment).await?;
            return Ok(Place {
                environment: opened.environment.clone(),
                clock: Box::new(move || opened.now()),
            });
        }
        let (environment, profile) = profile::added_to(environment)?;
        if let Some(profile) = profile {
            output::status(&format!(
                "With the profile {profile} of Twilio's command line."
            ));
        }
        Ok(Place {
            environment,
            clock: Box::new(runtime::clock::now),
        })
    }
}

struct Place {
    environment: Environment,
    clock: Box<dyn Fn() -> Timestamp>,
}
