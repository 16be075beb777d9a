//! `janitor audit`: says on how many channels customers write in vain. It needs Twilio's
//! credentials alone and writes nothing.

mod print;
mod probes;
mod profile;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::audit::{Audit, Order, Report};
use ::checkup::Expectations;
use ::probes::Readings;
use anyhow::Context as _;
use clap::Args;
use domain::{AccountSid, Timestamp};
use output::Outcome;
use runtime::access;
use runtime::secrets::{Need, Secrets};
use runtime::{Environment, common};
use twilio::rest::Client;

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
  3  something was found, or with --probes an answer differs")]
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
    /// Asks what could not be tried without an account, and nothing else
    #[arg(long, conflicts_with_all = ["since", "sample", "html"])]
    probes: bool,
    /// Writes the report also as a page for a browser, with the answers of the probes
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Prints the report as JSON, with every channel
    #[arg(long)]
    json: bool,
    /// The data folder of `janitor local`, instead of an account
    #[cfg(feature = "playground")]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        Ok(_) | Err(_) => Err("a whole number from 1 on"),
    }
}

/// Audits and prints the report.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    // A file that cannot be written is found before the audit, not after it.
    let file = options.html.as_deref().map(page_file).transpose()?;
    let desk = options.desk().await?;
    if options.probes {
        return probes::report(&desk.ask().await?, options.json);
    }
    let report = desk.audit().await?;
    if let Some((path, mut file)) = file {
        let probes = match report.interrupted {
            true => None,
            false => Some(desk.ask().await?),
        };
        file.write_all(::audit::page(&report, probes.as_ref()).as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
        output::status(&format!("The page is in {}.", path.display()));
    }
    match options.json {
        true => output::json(&report)?,
        false => print::report(&report)?,
    }
    outcome(&report)
}

fn page_file(path: &Path) -> anyhow::Result<(&Path, File)> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok((path, file))
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
    async fn desk(&self) -> anyhow::Result<Desk> {
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
        Ok(Desk { twilio, order, now })
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

/// Twilio, and what is asked of it.
struct Desk {
    twilio: Client,
    order: Order,
    now: Timestamp,
}

impl Desk {
    async fn audit(&self) -> anyhow::Result<Report> {
        let audit = Audit::new(self.twilio.clone(), self.order.clone(), self.now);
        tokio::select! {
            ended = audit.run() => ended?,
            stopped = tokio::signal::ctrl_c() => {
                stopped.context("cannot listen for ^C")?;
                output::status("Ended by ^C: this is what was found so far.");
            }
        }
        Ok(audit.report())
    }

    async fn ask(&self) -> anyhow::Result<::probes::Report> {
        let readings = Readings::fetch(&self.twilio, self.order.account, self.now);
        let readings = readings
            .await
            .context("nothing can be asked: check TWILIO_ACCOUNT_SID and the key")?;
        Ok(::probes::judge(&readings))
    }
}
