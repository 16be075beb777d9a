//! `janitor local`: the whole system on one machine, for trying and developing.
//!
//! Everything is real but what costs an account: the webhook takes signed requests over HTTP,
//! the schedules run the functions' own code, the table is DynamoDB's engine on a file. Twilio
//! is simulated, with a contact centre in it that is at work, unless credentials are set.
//!
//! One clock drives all of it. It is a value that may run faster than the machine's, and it is
//! noted in the data folder every second, so that it never runs back and other commands tell
//! the same time.

mod guard;
mod life;
mod page;
mod playing;
mod saved;
mod schedule;
mod sender;
mod settings;
mod snapshot;
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

use crate::clock::Clock;
use crate::folder::{self, Access, Folder, Note, Simulated};
use output::Outcome;
use schedule::Journal;
use settings::AllSettings;

/// Default speed of the clock where Twilio is simulated: a minute in a
/// second.
const SIMULATED_SPEED: u32 = 60;

/// Time between two notes of the clock.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// Shortest time between two snapshots of the simulated Twilio.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(10);

/// Snapshots take at most this part of the time, however much there is to write.
const SNAPSHOT_PART: u32 = 50;

/// Longest time for the parts to end.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);

/// Options of local mode.
#[derive(Debug, Args)]
pub struct Options {
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
    /// Speed of the clock, as a multiple of the machine's; 60 where Twilio is simulated, 1
    /// where it is real
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    accelerate: Option<u32>,
    /// Simulates Twilio even if credentials are set
    #[arg(long)]
    simulate: bool,
    /// Time between two sweeps, by that clock
    #[arg(long, value_name = "DURATION", value_parser = output::parse_duration, default_value = "5m")]
    sweep_every: Duration,
}

/// The parts of the running system. One that ends before the rest stops the rest.
type Parts = JoinSet<anyhow::Result<()>>;

/// State that every part shares.
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
            // A dropped sender is an end, too.
            drop(end.wait_for(|end| *end).await);
        }
    }

    /// Waits so long; false if the end comes first.
    async fn comes_not_within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.comes()).await.is_err()
    }
}

/// Sockets of the parts.
struct Listeners {
    webhook: TcpListener,
    page: TcpListener,
    aws: TcpListener,
    twilio: Option<TcpListener>,
}

/// Runs the system by these variables until the process is told to end.
///
/// # Errors
/// Fails if a variable is wrong, if the data folder or a port is in use, or if a part of the
/// system ends by itself.
pub async fn run(options: &Options, environment: Environment) -> anyhow::Result<Outcome> {
    let real = environment.is_set("TWILIO_ACCOUNT_SID") && !options.simulate;
    if real && options.accelerate.is_some_and(|times| times > 1) {
        output::status(
            "error: the real Twilio has one clock only: leave --accelerate out, or add --simulate",
        );
        return Ok(Outcome::Usage);
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
    let stop = stop_signal()?;
    let listeners = Listeners::open(options, real).await?;
    let (note, simulated) = start(
        options,
        &folder,
        (clock, environment),
        listeners,
        End(ended),
        &mut parts,
    )
    .await?;
    let snapshots = Snapshots {
        folder: &folder,
        simulated: simulated.as_ref(),
    };
    let result = until_stopped(stop, &snapshots, &note, &mut parts).await;
    end.send_replace(true);
    let all_end = async { while parts.join_next().await.is_some() {} };
    // One that does not end by itself is dropped with the process.
    drop(tokio::time::timeout(SHUTDOWN_TIME, all_end).await);
    // After the last write to the table, so that the two agree.
    snapshots.take()?;
    folder.leave(&Note {
        clock: clock.set_off(runtime::clock::now(), 1),
        ..note
    })?;
    result?;
    output::status("Ended. What is in the data folder stays.");
    Ok(Outcome::Good)
}

/// Starts every part.
async fn start(
    options: &Options,
    folder: &Folder,
    (clock, environment): (Clock, Environment),
    listeners: Listeners,
    end: End,
    parts: &mut Parts,
) -> anyhow::Result<(Note, Option<life::Opened>)> {
    let embedded = folder.database()?;
    store::create_table(&embedded.dynamodb(), folder::TABLE).await?;
    let table = ChannelTable::new(embedded.dynamodb(), folder::TABLE);
    let webhook_url = format!("{}twilio/events", url(&listeners.webhook)?);
    let simulated = match listeners.twilio {
        None => None,
        Some(listener) => {
            let address = url(&listener)?;
            let before = folder.twilio()?;
            let before = before.and_then(|json| snapshot::Snapshot::read(&json));
            let now = clock.now();
            let before = before.map(|before| before.resume(&webhook_url, now, life::seed(now)));
            let opened = life::start(&webhook_url, clock, &table, before, &end, parts).await?;
            let served = simulator::serve(listener, opened.simulator.clone(), end.comes());
            parts.spawn(async move { Ok(served.await?) });
            Some((opened, address))
        }
    };
    let note = Note {
        pid: std::process::id(),
        clock,
        page: url(&listeners.page)?,
        webhook: webhook_url,
        aws: url(&listeners.aws)?,
        simulated: simulated
            .as_ref()
            .map(|(opened, address)| note_of(opened, address)),
    };
    let told = environment
        .with("CHANNELS_TABLE", folder::TABLE)
        .with("NOTICE_BUS", folder::BUS);
    let environment = match &note.simulated {
        Some(simulated) => simulated
            .set_in(told)
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
    let (aws, end) = (listeners.aws, here.end.comes());
    parts.spawn(async move { Ok(embedded.serve(aws, end).await?) });
    let AllSettings {
        ingest,
        sweep,
        checkup,
        park,
    } = AllSettings::read(&here.environment, &here.aws)?;
    webhook::start(&here, ingest, listeners.webhook, parts);
    schedule::start(&here, (sweep, checkup, park), options.sweep_every, parts)?;
    let opened = simulated.map(|(opened, _)| opened);
    let simulated_state = opened.clone().map(|it| (it.simulator, it.saved));
    page::start(
        &here,
        listeners.page,
        table,
        note.clone(),
        simulated_state,
        parts,
    );
    folder.leave(&note)?;
    output::print(&introduction(&note, folder))?;
    Ok((note, opened))
}

/// Keeps the simulated Twilio in the folder, where it is simulated.
struct Snapshots<'a> {
    folder: &'a Folder,
    simulated: Option<&'a life::Opened>,
}

impl Snapshots<'_> {
    /// Takes a snapshot, and returns the time until the next one.
    fn take(&self) -> anyhow::Result<Duration> {
        let Some(simulated) = self.simulated else {
            return Ok(Duration::MAX);
        };
        let began = tokio::time::Instant::now();
        self.folder.keep_twilio(&simulated.snapshot()?)?;
        Ok(SNAPSHOT_EVERY.max(began.elapsed() * SNAPSHOT_PART))
    }
}

/// Waits until the process is told to stop, or a part fails.
async fn until_stopped(
    stop: impl Future<Output = ()>,
    snapshots: &Snapshots<'_>,
    note: &Note,
    parts: &mut Parts,
) -> anyhow::Result<()> {
    let mut notes = tokio::time::interval(NOTE_EVERY);
    let mut wait = snapshots.take()?;
    let mut taken = tokio::time::Instant::now();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = notes.tick() => {
                let now = runtime::clock::now();
                let clock = note.clock.set_off(now, note.clock.speed());
                snapshots.folder.leave(&Note { clock, ..note.clone() })?;
                if taken.elapsed() >= wait {
                    wait = snapshots.take()?;
                    taken = tokio::time::Instant::now();
                }
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
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
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
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

impl Listeners {
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
        park_task_channels: runtime::lock(&opened.life).park_task_channels.clone(),
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
