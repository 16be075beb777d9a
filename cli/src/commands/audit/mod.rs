//! `janitor audit`: says on how many channels customers write in vain. It needs Twilio's
//! credentials alone and writes nothing.

mod page_file;
mod print;
mod probes;
mod profile;

use std::future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::audit::{Audit, AuditError, LOG_KEPT, Order, Report};
use ::checkup::Expectations;
use ::probes::{Readings, Stop};
use clap::Args;
use domain::{AccountSid, Timestamp};
use futures::FutureExt as _;
use output::{Outcome, Progress, duration};
use runtime::access;
use runtime::secrets::{Need, Secrets};
use runtime::{AccessError, Environment, common};
use twilio::rest::Client;

use self::page_file::PageFile;
use crate::context;
use crate::progress::Counted;

/// The number of channels that are looked at side by side, as in a sweep.
const CONCURRENCY: usize = 10;

/// The time between two pictures of the progress.
const SHOWN_EVERY: Duration = Duration::from_millis(200);

/// Options of an audit.
#[derive(Debug, Args)]
#[command(after_long_help = "\
It needs TWILIO_ACCOUNT_SID with TWILIO_API_KEY and TWILIO_API_SECRET, or with TWILIO_AUTH_TOKEN.
Without them, it takes the active profile of Twilio's own command line, if its key stands in
~/.twilio-cli/config.json. It needs no AWS, keeps no state, and makes no request but GET. The
sweep's settings, such as QUIET_CUTOFF and UNHEARD, count where they are set. After ^C it reports
what was found by then.

Exit codes of an audit:
  0  no customer writes in vain, and the checkup found no error
  1  nothing was found, but not everything could be read, or ^C ended it
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
    if options.since > LOG_KEPT {
        output::status(&format!(
            "--since {} is cut to {}: TaskRouter keeps its log no longer.",
            duration(options.since),
            duration(LOG_KEPT)
        ));
    }
    // A file that cannot be written is found before the audit, not after it.
    let page = options.html.as_deref().map(PageFile::at).transpose()?;
    let desk = options.desk().await?;
    if options.probes {
        let report = desk.ask().await?;
        return desk
            .progress
            .suspend(|| probes::report(&report, options.json));
    }
    let report = desk.audit().await?;
    desk.progress.suspend(|| match options.json {
        true => Ok(output::json(&report)?),
        false => print::report(&report),
    })?;
    let outcome = outcome(&report);
    let Some(page) = page else {
        return outcome;
    };
    let probes = match report.interrupted {
        true => Err("the audit was ended before them".to_owned()),
        false => desk.ask().await.map_err(|error| error.to_string()),
    };
    let path = page.write(&::audit::page(
        &report,
        probes.as_ref().map_err(String::as_str),
    ))?;
    desk.progress.suspend(|| {
        if let Err(why) = &probes {
            output::failure(&format!("the probes: {why}"));
        }
        output::status(&format!("The page is in {}.", path.display()));
    });
    let outcome = outcome?;
    let is_whole = probes.is_ok_and(|probes| !probes.interrupted);
    anyhow::ensure!(is_whole || outcome != Outcome::Good, INCOMPLETE);
    Ok(outcome)
}

const INCOMPLETE: &str = "nothing was found, but not everything could be read";

fn outcome(report: &Report) -> anyhow::Result<Outcome> {
    let mut findings = report.checkup.iter().flat_map(|checkup| &checkup.findings);
    let has_errors = findings.any(|finding| finding.severity == ::audit::Severity::Error);
    if report.unattended.channels + report.unheard.customers > 0 || has_errors {
        return Ok(Outcome::CheckFailed);
    }
    anyhow::ensure!(!report.interrupted, "the audit was ended before its end");
    anyhow::ensure!(report.silent_parts.is_empty(), INCOMPLETE);
    Ok(Outcome::Good)
}

const NO_CREDENTIALS: &str = "no credentials: set TWILIO_ACCOUNT_SID with TWILIO_API_KEY and \
    TWILIO_API_SECRET, or with TWILIO_AUTH_TOKEN, or log in with Twilio's command line";

/// Returns true if there is an account and something that may prove to be it.
fn names_credentials(environment: &Environment) -> bool {
    let mut proofs = ["TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_AUTH_TOKENS"].into_iter();
    environment.is_set("TWILIO_ACCOUNT_SID") && proofs.any(|name| environment.is_set(name))
}

impl Options {
    async fn desk(&self) -> anyhow::Result<Desk> {
        let place = self.place().await?;
        let now = (place.clock)();
        let mut environment = place.environment;
        anyhow::ensure!(names_credentials(&environment), NO_CREDENTIALS);
        let account = common::twilio_account(&mut environment);
        let secrets = Secrets::from_environment(&mut environment, None, Need::Rest);
        let sid = account.as_ref().map(|account| account.sid);
        let order = sid.map(|sid| self.order(sid, &mut environment));
        let read = environment.finish(|| Some((account?, secrets?, order?)));
        let (account, secrets, order) = read?;
        let progress = Arc::new(Progress::counting("requests to Twilio"));
        let transport = Counted::shown_by(Arc::clone(&progress))?;
        let secrets = secrets.get(now).await?;
        let twilio = access::client_of(&secrets, &account, transport, CONCURRENCY)?;
        Ok(Desk {
            twilio,
            order,
            now,
            progress,
            stop: stop(),
        })
    }

    /// Reads what the sweep and the checkup would read.
    fn order(&self, account: AccountSid, environment: &mut Environment) -> Order {
        let default = Order::of(account);
        Order {
            account,
            workspace: environment.optional("TASKROUTER_WORKSPACE_SID"),
            chat_service: environment.optional("CHAT_SERVICE_SID"),
            proxy_service: environment.optional("PROXY_SERVICE_SID"),
            webhook_url: environment.optional("WEBHOOK_URL"),
            policy: common::policy(environment),
            unheard: environment.or("UNHEARD", default.unheard),
            rescue_within: environment.duration_or("RESCUE_WITHIN", default.rescue_within),
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
            context::needs_twilio(&opened.environment, path)?;
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
    progress: Arc<Progress>,
    stop: Stop,
}

impl Desk {
    async fn audit(&self) -> anyhow::Result<Report> {
        let audit = Audit::new(self.twilio.clone(), self.order.clone(), self.now);
        let show = async {
            let mut ticks = tokio::time::interval(SHOWN_EVERY);
            loop {
                ticks.tick().await;
                self.progress.phase(&audit.phase());
            }
        };
        tokio::select! {
            ended = audit.run() => ended?,
            () = self.stop.clone() => self.say_ended(),
            () = show => {}
        }
        Ok(audit.report())
    }

    async fn ask(&self) -> Result<::probes::Report, AuditError> {
        self.progress.phase(&"asking the probes");
        let stop = self.stop.clone();
        let readings = Readings::fetch(&self.twilio, self.order.account, self.now, stop);
        let readings = readings.await.map_err(AccessError::LookupFailed)?;
        let report = ::probes::judge(&readings);
        if report.interrupted {
            self.say_ended();
        }
        Ok(report)
    }

    fn say_ended(&self) {
        let text = "Ended by ^C: this is what was found so far.";
        self.progress.suspend(|| output::status(text));
    }
}

/// Returns what is over at the first ^C.
fn stop() -> Stop {
    let stop = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // It cannot be listened for, so it ends the process as ever.
            future::pending::<()>().await;
        }
    };
    stop.boxed().shared()
}
