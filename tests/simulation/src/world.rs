//! The real functions, wired to the line and the wire.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use embedded::Embedded;
use ingest::Ingest;
use runtime::common::TwilioAccount;
use runtime::secrets::{Need, Secrets, TwilioSecrets};
use runtime::{Aws, Bus};
use simulator::{Project, Sid, Simulator};
use store::ChannelTable;
use sweep::{Action, Mode, Plan, Sweep};
use tokio::time::timeout;
use twilio::events::Scope;

use super::books::AGENTS;
use super::law::{Law, Violation};
use super::line::{self, Line};
use super::mutation::Mutation;
use super::script::Script;
use super::stage::{Stage, Told, WHO, Who};
use super::wire::Wire;

const TABLE: &str = "channels";
const BUS: &str = "notices";
const SECRET: &str = "janitor/twilio";

pub(super) struct World {
    pub(super) stage: Arc<Stage>,
    pub(super) aws: Embedded,
    pub(super) ingest: Ingest,
    pub(super) sweep: Sweep,
    pub(super) agents: [Sid; 2],
    table: aws_sdk_dynamodb::Client,
}

impl World {
    pub(super) async fn new(script: Script, mutation: Option<Mutation>, told: Told) -> Self {
        let (twilio, project) = Simulator::with_flex(script.seed).unwrap();
        let agents = [0, 1].map(|number| {
            let name = format!("{AGENTS}-{number}@example.com");
            twilio.state().hire_agent(project.workspace, &name).unwrap()
        });
        {
            let mut state = twilio.state();
            state.knobs.flex_deaf = script.flex_deaf;
            state.knobs.flex_delay = script.flex_delay;
            state.knobs.list_attributes = script.list_attributes;
            state.take_events();
        }
        let aws = match script.lag {
            None => Embedded::memory().unwrap(),
            Some(lag) => Embedded::with_stale_indexes(lag).unwrap(),
        };
        let stage = Arc::new(Stage::new(script, twilio, project, mutation, told));
        let clients = Aws::with_http_client(Wire::client(Arc::clone(&stage), aws.clone()));
        let table = clients.dynamodb();
        store::create_table(&table, TABLE).await.unwrap();
        let world = Self {
            ingest: ingest(&stage, &clients),
            sweep: sweep(&stage, &clients, project),
            agents,
            table,
            aws,
            stage,
        };
        world.keys(&[world.stage.twilio.account().auth_token]);
        world
    }

    /// Puts the keys that Twilio may sign with into Secrets Manager.
    fn keys(&self, keys: &[String]) {
        let secret = serde_json::json!({ "TWILIO_AUTH_TOKENS": keys.join(",") });
        self.aws.secrets.put(SECRET, secret.to_string());
    }

    /// Lets records expire whose time has come.
    pub(super) async fn expire_records(&self) {
        let now = self.stage.now();
        let expired: Vec<String> = {
            let inner = self.stage.lock();
            let books = inner.books.channels.iter();
            let over = |at: Option<i64>| at.is_some_and(|at| at * 1000 <= now.as_millis());
            let expired = books.filter(|(_, book)| over(book.expires_at));
            expired.map(|(channel, _)| channel.clone()).collect()
        };
        for channel in expired {
            let key = AttributeValue::S(channel.clone());
            let deletion = self
                .table
                .delete_item()
                .table_name(TABLE)
                .key(store::KEY, key);
            deletion.send().await.unwrap();
            let mut inner = self.stage.lock();
            inner.books.expired(&channel, now);
            inner.totals.count("records expired");
            inner.tell(now, || format!("the record of {channel} expires"));
        }
    }
}

fn ingest(stage: &Stage, clients: &Aws) -> Ingest {
    let account = stage.twilio.account();
    Ingest::new(ingest::Settings {
        table: ChannelTable::new(clients.dynamodb(), TABLE),
        bus: Bus::new(clients.eventbridge(), BUS.to_owned()),
        secrets: Secrets::stored(
            clients.secrets_manager(),
            SECRET.to_owned(),
            Need::SigningKeys,
        ),
        scope: Scope {
            account: Some(account.sid.as_str().parse().unwrap()),
            workspace: None,
        },
        public_url: None,
        basic_auth: None,
        talk: ingest::Talk::Ignored,
    })
}

fn sweep(stage: &Arc<Stage>, clients: &Aws, project: Project) -> Sweep {
    let account = stage.twilio.account();
    let script = &stage.script;
    let mut policy = script.policy.clone();
    if stage.errs(Mutation::Hasty) {
        policy.abandoned_cutoff = Duration::from_secs(1);
        policy.ended_cutoff = Duration::from_secs(1);
        policy.long_lived_cutoff = Duration::from_secs(1);
    }
    let settings = sweep::Settings {
        webhook_url: None,
        table: ChannelTable::new(clients.dynamodb(), TABLE),
        bus: Bus::new(clients.eventbridge(), BUS.to_owned()),
        secrets: Secrets::fixed(TwilioSecrets {
            signing_keys: Vec::new(),
            api_key: Some((account.api_key.to_string(), account.api_secret.into())),
        }),
        account: TwilioAccount {
            sid: account.sid.as_str().parse().unwrap(),
            api_url: Some(line::BASE.to_owned()),
            edge: None,
            region: None,
        },
        workspace: Some(project.workspace.as_str().parse().unwrap()),
        chat_service: Some(project.chat_service.as_str().parse().unwrap()),
        proxy_service: script
            .ends_sessions
            .then(|| project.proxy_service.as_str().parse().unwrap()),
        plan: Plan {
            policy,
            mode: Mode::Act,
            action: if script.deletes {
                Action::Delete
            } else {
                Action::Inactivate
            },
            concurrency: script.concurrency,
            max_closes: script.max_closes,
        },
    };
    Sweep::new(settings, Arc::new(Line::new(Arc::clone(stage))))
}

/// How an invocation is to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    Never,
    /// When it is polled for this time.
    AtPoll(u32),
    /// After so long.
    After(Duration),
}

/// How an invocation ended.
#[derive(Debug)]
pub(super) enum End<T> {
    Done(T),
    /// It died as planned.
    Died,
    /// Its time was up.
    Killed,
    /// It panicked.
    Panicked,
}

/// Runs an invocation to its end, which may be a sudden one: what it was about to do then
/// never happens, as when a machine fails.
pub(super) async fn invoke<T: Send + 'static>(
    stage: &Stage,
    who: Who,
    death: Death,
    limit: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> End<T> {
    let (polls, lives_for) = match death {
        Death::Never => (u32::MAX, limit),
        Death::AtPoll(polls) => (polls, limit),
        Death::After(time) => (u32::MAX, time.min(limit)),
    };
    let mortal = Mortal {
        work: Box::pin(WHO.scope(who, work)),
        polls,
    };
    match tokio::spawn(timeout(lives_for, mortal)).await {
        Ok(Ok(Some(done))) => End::Done(done),
        Ok(Ok(None)) => End::Died,
        Ok(Err(_)) if lives_for < limit => End::Died,
        Ok(Err(_)) => End::Killed,
        Err(error) => {
            let what = format!("{who:?} panicked: {error}");
            stage.judge(Err(Violation::of(Law::NoPanic, what)));
            End::Panicked
        }
    }
}

struct Mortal<F> {
    work: Pin<Box<F>>,
    polls: u32,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(left) = self.polls.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.polls = left;
        self.work.as_mut().poll(context).map(Some)
    }
}
