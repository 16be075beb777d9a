//! `janitor local`: the whole system on one machine, for trying and developing.
//!
//! Everything is real but what costs an account: the webhook takes signed requests over HTTP,
//! the schedules run the functions' own code, the table is DynamoDB's engine on a file. Twilio
//! is simulated, with a contact centre in it that is at work, unless credentials are set.
//!
//! One clock drives all of it. It is a value that may run faster than the machine's, and it is
//! noted in the data folder every second, so that it never runs back and other commands tell
//! the same time.

mod life;
mod page;
mod post;
mod schedule;
mod webhook;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use embedded::Embedded;
use runtime::{Aws, Environment};
use store::ChannelTable;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::exit::Outcome;
use crate::office::clock::Clock;
use crate::office::folder::{self, Access, Folder, Note, Simulated};
use crate::say;
use schedule::Journal;

/// How fast the clock runs where Twilio is simulated and nothing else is said: a minute in a
/// second.
const SIMULATED_SPEED: u32 = 60;

/// How often the clock is noted.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// How long what is under way may take when the end has come.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How to run it.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The data folder, made where it does not exist
    #[arg(long, value_name = "DIR", default_value = "janitor-data")]
    data: PathBuf,
    /// The webhook's port; 0 takes a free one, here and below
    #[arg(long, value_name = "PORT", default_value_t = 4020)]
    port: u16,
    /// The status page's port
    #[arg(long, value_name = "PORT", default_value_t = 4021)]
    page_port: u16,
    /// The port of the embedded DynamoDB
    #[arg(long, value_name = "PORT", default_value_t = 4022)]
    aws_port: u16,
    /// The port of the simulated Twilio
    #[arg(long, value_name = "PORT", default_value_t = 4010)]
    twilio_port: u16,
    /// How many times as fast as the machine's the clock runs; 60 where Twilio is simulated, 1
    /// where it is real
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    accelerate: Option<u32>,
    /// Simulates Twilio even if credentials are set
    #[arg(long)]
    simulate: bool,
    /// How often to sweep, by the clock that is run
    #[arg(long, value_name = "DURATION", value_parser = crate::hold::duration, default_value = "5m")]
    sweep_every: Duration,
}

/// The parts of the running system. One that ends before the rest brings the rest down.
type Parts = JoinSet<anyhow::Result<()>>;

/// What every part knows.
#[derive(Clone)]
struct Here {
    clock: Clock,
    aws: Aws,
    embedded: Embedded,
    environment: Environment,
    journal: Journal,
    end: End,
}

/// Tells the parts that the end has come.
#[derive(Clone)]
struct End(watch::Receiver<bool>);

impl End {
    /// Waits for the end.
    fn comes(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut end = self.0.clone();
        async move {
            // Whoever could say it is gone, which is an end, too.
            drop(end.wait_for(|end| *end).await);
        }
    }

    /// Waits so long; false if the end comes first.
    async fn comes_not_within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.comes()).await.is_err()
    }
}

/// Where the parts listen.
struct Doors {
    webhook: TcpListener,
    page: TcpListener,
    aws: TcpListener,
    twilio: Option<TcpListener>,
}

/// Runs it until it is told to end.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let environment = Environment::of_process();
    let real = environment.is_set("TWILIO_ACCOUNT_SID") && !options.simulate;
    if real && options.accelerate.is_some_and(|times| times > 1) {
        say::aloud(
            "error: the real Twilio has one clock only: leave --accelerate out, or add --simulate",
        );
        return Ok(Outcome::Senseless);
    }
    let folder = match Folder::create(&options.data)? {
        Access::Ours(folder) => folder,
        Access::Running(note) => bail!(
            "{} is in use by process {}, whose status page is {}",
            options.data.display(),
            note.pid,
            note.page
        ),
    };
    let default = if real { 1 } else { SIMULATED_SPEED };
    let speed = options.accelerate.unwrap_or(default);
    let clock = folder.clock()?.set_off(runtime::clock::now(), speed);
    let (end, ended) = watch::channel(false);
    let mut parts = Parts::new();
    let stop = told_to_stop()?;
    let doors = Doors::open(options, real).await?;
    let note = start(
        options,
        &folder,
        (clock, environment),
        doors,
        End(ended),
        &mut parts,
    )
    .await?;
    let result = until_told(stop, &folder, &note, &mut parts).await;
    end.send_replace(true);
    let all_end = async { while parts.join_next().await.is_some() {} };
    // One that does not end by itself is dropped with the process.
    drop(tokio::time::timeout(LAST_WORDS, all_end).await);
    folder.leave(&Note {
        clock: clock.set_off(runtime::clock::now(), 1),
        ..note
    })?;
    result?;
    say::aloud("Ended. What is in the data folder stays.");
    Ok(Outcome::Good)
}

/// Starts every part.
async fn start(
    options: &Options,
    folder: &Folder,
    (clock, environment): (Clock, Environment),
    doors: Doors,
    end: End,
    parts: &mut Parts,
) -> anyhow::Result<Note> {
    let embedded = folder.database()?;
    store::create_table(&embedded.dynamodb(), folder::TABLE).await?;
    let table = ChannelTable::new(embedded.dynamodb(), folder::TABLE);
    let webhook_url = format!("{}twilio/events", url(&doors.webhook)?);
    let simulated = match doors.twilio {
        None => None,
        Some(door) => {
            let address = url(&door)?;
            let opened = life::start(&webhook_url, clock, &table, &end, parts).await?;
            let served = simulator::serve(door, opened.simulator.clone(), end.comes());
            parts.spawn(async move { Ok(served.await?) });
            Some((opened, address))
        }
    };
    let note = Note {
        pid: std::process::id(),
        clock,
        page: url(&doors.page)?,
        webhook: webhook_url,
        aws: url(&doors.aws)?,
        simulated: simulated
            .as_ref()
            .map(|(opened, address)| note_of(opened, address)),
    };
    let told = environment
        .with("CHANNELS_TABLE", folder::TABLE)
        .with("NOTICE_BUS", folder::BUS);
    let environment = match &note.simulated {
        Some(simulated) => simulated
            .tell(told)
            .with("WEBHOOK_URL", note.webhook.as_str()),
        // Real channels are written to only if that is said in so many words.
        None if told.is_set("SWEEP_MODE") => told,
        None => told.with("SWEEP_MODE", "observe"),
    };
    let here = Here {
        clock,
        aws: Aws::with_http_client(embedded.http_client()),
        embedded: embedded.clone(),
        environment,
        journal: Journal::default(),
        end,
    };
    let (aws, end) = (doors.aws, here.end.comes());
    parts.spawn(async move { Ok(embedded.serve(aws, end).await?) });
    webhook::start(&here, doors.webhook, parts)?;
    schedule::start(&here, options.sweep_every, parts)?;
    let simulator = simulated.map(|(opened, _)| opened.simulator);
    page::start(&here, doors.page, table, note.clone(), simulator, parts);
    folder.leave(&note)?;
    say::print(&introduction(&note, folder))?;
    Ok(note)
}

/// Waits until somebody says stop, or a part fails.
async fn until_told(
    stop: impl Future<Output = ()>,
    folder: &Folder,
    note: &Note,
    parts: &mut Parts,
) -> anyhow::Result<()> {
    let mut notes = tokio::time::interval(NOTE_EVERY);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = notes.tick() => {
                let now = runtime::clock::now();
                let clock = note.clock.set_off(now, note.clock.speed());
                folder.leave(&Note { clock, ..note.clone() })?;
            }
            ended = parts.join_next() => match ended {
                Some(Ok(Ok(()))) | None => bail!("a part of the system ended by itself"),
                Some(Ok(Err(error))) => return Err(error),
                Some(Err(error)) => return Err(error.into()),
            },
        }
    }
}

/// Waits for Ctrl-C, or for a polite end from outside. It listens from now on.
#[cfg(unix)]
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut by_keyboard = signal(SignalKind::interrupt())?;
    let mut politely = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = by_keyboard.recv() => {}
            _ = politely.recv() => {}
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

impl Doors {
    async fn open(options: &Options, real: bool) -> anyhow::Result<Self> {
        Ok(Self {
            webhook: listen(options.port, "--port").await?,
            page: listen(options.page_port, "--page-port").await?,
            aws: listen(options.aws_port, "--aws-port").await?,
            twilio: match real {
                true => None,
                false => Some(listen(options.twilio_port, "--twilio-port").await?),
            },
        })
    }
}

/// Listens on this machine alone.
async fn listen(port: u16, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("cannot listen on port {port}; {option} 0 takes a free one"))
}

fn url(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!("http://{}/", listener.local_addr()?))
}

fn note_of(opened: &life::Opened, address: &str) -> Simulated {
    let account = opened.simulator.account();
    Simulated {
        url: address.trim_end_matches('/').to_owned(),
        account_sid: account.sid.to_string(),
        auth_token: account.auth_token,
        api_key: account.api_key.to_string(),
        api_secret: account.api_secret,
        park_task_channels: opened.park_task_channels.clone(),
    }
}

fn introduction(note: &Note, folder: &Folder) -> String {
    let twilio = match &note.simulated {
        Some(simulated) => format!("{} (simulated)", simulated.url),
        None => "the real one, by TWILIO_ACCOUNT_SID".to_owned(),
    };
    format!(
        "status page  {}\nwebhook      {}\nDynamoDB     {}\nTwilio       {twilio}\ndata folder  {}\nclock        {} times as fast as the machine's\n\nOther commands work here with --data {}. Ctrl-C ends it.",
        note.page,
        note.webhook,
        note.aws,
        folder.path().display(),
        note.clock.speed(),
        folder.path().display(),
    )
}
