//! The stage: a simulated Twilio over loopback, the embedded AWS, and the real functions.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use domain::{AccountSid, ChatServiceSid, Timestamp, WorkspaceSid};
use futures::StreamExt;
use http::StatusCode;
use ingest::Ingest;
use runtime::common::TwilioAccount;
use runtime::secrets::{Secrets, TwilioSecrets};
use runtime::{Aws, Bus};
use simulator::stream::{self, Delivery};
use simulator::{Refusal, Sid, Simulator};
use store::ChannelTable;
use sweep::{Order, Plan, Reconciled, Summary, Sweep, Unheard};
use twilio::events::Scope;

use super::customers::hours;

/// The table's name on this stage.
pub(super) const TABLE: &str = "channels";

/// The URL that the simulated Twilio believes the webhook to have.
pub(super) const WEBHOOK: &str = "https://janitor.example.com/twilio/events";

/// The longest run of a sweep, as deployed.
const SWEEP_TIME: Duration = Duration::from_secs(840);

/// The stage.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) aws: embedded::Embedded,
    ingest: Arc<Ingest>,
    sweep: Sweep,
    auth_token: String,
    rng: fastrand::Rng,
    /// Requests that Twilio is late with.
    late: Vec<(Timestamp, serde_json::Value)>,
    pub(crate) delivered: Delivered,
    pub(crate) swept: Vec<Summary>,
}

/// Counts of Twilio's deliveries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivered {
    pub(crate) requests: usize,
    pub(crate) events: usize,
    pub(crate) distinct: usize,
}

impl World {
    /// Sets the stage: a Flex project, an empty table, the functions.
    pub(crate) async fn new(seed: u64, channels: usize, unheard: Unheard) -> anyhow::Result<Self> {
        let (simulator, project) = Simulator::with_flex(seed)
            .map_err(|error| anyhow::anyhow!("no Flex project: {error:?}"))?;
        let account = simulator.account();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .context("no port of this machine can be listened on")?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(simulator::serve(
            listener,
            simulator.clone(),
            std::future::pending::<()>(),
        ));

        let aws = embedded::Embedded::memory()?;
        let sid = account.sid.as_str().parse()?;
        let sweep = sweep::Settings {
            webhook_url: None,
            table: table(&aws).await?,
            bus: bus(&aws),
            secrets: Secrets::fixed(TwilioSecrets {
                signing_keys: Vec::new(),
                api_key: Some((
                    account.api_key.to_string(),
                    account.api_secret.clone().into(),
                )),
            }),
            account: TwilioAccount {
                sid,
                api_url: Some(url),
                edge: None,
                region: None,
            },
            workspace: Some(project.workspace.as_str().parse::<WorkspaceSid>()?),
            chat_service: Some(project.chat_service.as_str().parse::<ChatServiceSid>()?),
            proxy_service: None,
            pairs: domain::Pairs::default(),
            plan: Plan {
                concurrency: 20,
                max_closes: channels.max(1) * 12,
                unheard,
                ..Plan::default()
            },
        };
        Ok(Self {
            ingest: Arc::new(ingest(&aws, sid, &account.auth_token).await?),
            sweep: Sweep::new(sweep, Arc::new(twilio::rest::Https::new()?)),
            aws,
            auth_token: account.auth_token,
            rng: fastrand::Rng::with_seed(seed),
            simulator,
            late: Vec::new(),
            delivered: Delivered::default(),
            swept: Vec::new(),
        })
    }

    /// Creates the agent who takes every chat.
    pub(crate) fn hire_agent(&self) -> anyhow::Result<Sid> {
        let mut state = self.simulator.state();
        let project = state.project().context("there is no Flex project")?;
        state
            .hire_agent(project.workspace, "agent")
            .map_err(refused)
    }

    /// Now, by the simulated clock.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.simulator.now().as_millisecond())
    }

    /// Delivers events as Twilio does: in batches, some twice, in no order, a few of them
    /// hours late.
    pub(crate) async fn deliver(&mut self, events: Vec<serde_json::Value>) -> anyhow::Result<()> {
        let now = self.now();
        self.delivered.distinct += events.len();
        let mut due = Vec::with_capacity(events.len());
        for event in events {
            if self.rng.u8(..100) < 4 {
                let late_by = hours(self.rng.u64(1..=3));
                self.late.push((now.plus(late_by), event));
            } else {
                due.push(event);
            }
        }
        let (arrived, late) = self.late.drain(..).partition(|(at, _)| *at <= now);
        self.late = late;
        due.extend(Vec::into_iter(arrived).map(|(_, event): (_, serde_json::Value)| event));
        self.post(due).await
    }

    /// Delivers all that Twilio is late with.
    pub(crate) async fn deliver_late(&mut self) -> anyhow::Result<()> {
        let late = self.late.drain(..).map(|(_, event)| event).collect();
        self.post(late).await
    }

    async fn post(&mut self, events: Vec<serde_json::Value>) -> anyhow::Result<()> {
        let delivery = Delivery {
            max_batch: 600,
            duplicates: 0.2,
            ..Delivery::default()
        };
        let batches = stream::batches(&events, &mut self.rng, &delivery);
        self.delivered.requests += batches.len();
        self.delivered.events += batches
            .iter()
            .map(|batch| batch.as_array().map_or(1, Vec::len))
            .sum::<usize>();
        let ingest = Arc::clone(&self.ingest);
        post_all(ingest, self.auth_token.clone(), batches, self.now()).await
    }

    /// Sweeps as the schedule would.
    pub(crate) async fn sweep(&mut self) -> anyhow::Result<Summary> {
        let summary = self.sweep.run(self.now(), SWEEP_TIME).await?;
        self.swept.push(summary.clone());
        Ok(summary)
    }

    /// Delivers whatever happened, the late as well.
    pub(crate) async fn deliver_all(&mut self) -> anyhow::Result<()> {
        let events = self.simulator.take_events();
        self.deliver(events).await?;
        self.deliver_late().await
    }

    /// Reconciles as the schedule would.
    pub(crate) async fn reconcile(&self) -> anyhow::Result<Reconciled> {
        let order = Order::scheduled();
        let now = self.now();
        Ok(self
            .sweep
            .reconcile(order, now, SWEEP_TIME, &|_| ())
            .await?)
    }
}

/// Most deliveries of a batch that is not accepted.
const DELIVERIES: usize = 20;

/// Requests that Twilio makes at the same time.
const REQUESTS_AT_ONCE: usize = 2;

/// Reports what the simulated Twilio refuses: a fault of the story.
pub(super) fn refused(error: Refusal) -> anyhow::Error {
    anyhow::anyhow!("the simulated Twilio refuses: {error:?}")
}

async fn post_all(
    ingest: Arc<Ingest>,
    auth_token: String,
    batches: Vec<serde_json::Value>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let auth_token = Arc::new(auth_token);
    let mut posted = futures::stream::iter(batches)
        .map(|batch| {
            let (ingest, auth_token) = (Arc::clone(&ingest), Arc::clone(&auth_token));
            tokio::spawn(async move { post(&ingest, &auth_token, &batch, now).await })
        })
        .buffer_unordered(REQUESTS_AT_ONCE);
    while let Some(answer) = posted.next().await {
        answer??;
    }
    Ok(())
}

async fn post(
    ingest: &Ingest,
    auth_token: &str,
    batch: &serde_json::Value,
    now: Timestamp,
) -> anyhow::Result<()> {
    let body = batch.to_string();
    let signed = simulator::sign::json(auth_token, WEBHOOK, body.as_bytes());
    // On a slow machine the webhook may ask for more time, and Twilio tries again.
    for _ in 0..DELIVERIES {
        let request = http::Request::post(&signed.url)
            .header("content-type", "application/json")
            .header("x-twilio-signature", &signed.signature)
            .body(bytes::Bytes::from(body.clone()))?;
        match ingest.handle(request, now).await.status() {
            StatusCode::NO_CONTENT => return Ok(()),
            StatusCode::SERVICE_UNAVAILABLE => {}
            status => bail!("the webhook answered {status}"),
        }
    }
    bail!("the webhook could not store a batch in {DELIVERIES} deliveries")
}

pub(super) async fn table(aws: &embedded::Embedded) -> anyhow::Result<ChannelTable> {
    let client = aws.dynamodb();
    store::create_table(&client, TABLE).await?;
    Ok(ChannelTable::new(client, TABLE))
}

pub(super) fn bus(aws: &embedded::Embedded) -> Bus {
    let client = Aws::with_http_client(aws.http_client()).eventbridge();
    Bus::new(client, "notices".to_owned())
}

async fn ingest(
    aws: &embedded::Embedded,
    account: AccountSid,
    auth_token: &str,
) -> anyhow::Result<Ingest> {
    Ok(Ingest::new(ingest::Settings {
        table: table(aws).await?,
        bus: bus(aws),
        secrets: Secrets::fixed(TwilioSecrets {
            signing_keys: vec![auth_token.to_owned().into()],
            api_key: None,
        }),
        scope: Scope {
            account: Some(account),
            ..Scope::default()
        },
        public_url: None,
        basic_auth: None,
    }))
}
