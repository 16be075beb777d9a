//! The real functions over the simulated Twilio and the embedded AWS, and their invocations.

mod invocation;
pub(crate) mod reconciliations;
pub(crate) mod sweeps;

use std::sync::Arc;
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
use twilio::events::Scope;

use crate::borders::twilio_transport::{self, TwilioTransport};
use crate::oracle::AGENTS;
use crate::report::Mutation;
use crate::schedule::Script;
use crate::shared::{Shared, Trace};

use crate::borders::aws_connector::AwsConnector;
pub(crate) use invocation::{Death, End, invoke};

const TABLE: &str = "channels";
const BUS: &str = "notices";
const SECRET: &str = "janitor/twilio";

pub(crate) struct Deployment {
    pub(crate) shared: Arc<Shared>,
    pub(crate) aws: Embedded,
    pub(crate) ingest: Ingest,
    pub(crate) sweep: Sweep,
    pub(crate) agents: [Sid; 2],
    table: aws_sdk_dynamodb::Client,
}

impl Deployment {
    pub(crate) async fn new(script: Script, mutation: Option<Mutation>, trace: Trace) -> Self {
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
        let shared = Arc::new(Shared::new(script, twilio, project, mutation, trace));
        let clients = Aws::with_http_client(AwsConnector::client(Arc::clone(&shared), aws.clone()));
        let table = clients.dynamodb();
        store::create_table(&table, TABLE).await.unwrap();
        let deployment = Self {
            ingest: ingest(&shared, &clients),
            sweep: sweep(&shared, &clients, project),
            agents,
            table,
            aws,
            shared,
        };
        deployment.keys(&[deployment.shared.twilio.account().auth_token]);
        deployment
    }

    /// Puts the keys that Twilio may sign with into Secrets Manager.
    fn keys(&self, keys: &[String]) {
        let secret = serde_json::json!({ "TWILIO_AUTH_TOKENS": keys.join(",") });
        self.aws.secrets.put(SECRET, secret.to_string());
    }

    /// Lets records expire whose time has come.
    pub(crate) async fn expire_records(&self) {
        let now = self.shared.now();
        let expired: Vec<String> = {
            let inner = self.shared.lock();
            let oracle = inner.oracle.channels.iter();
            let over = |at: Option<i64>| at.is_some_and(|at| at * 1000 <= now.as_millis());
            let expired = oracle.filter(|(_, history)| over(history.expires_at));
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
            let mut inner = self.shared.lock();
            inner.oracle.expired(&channel, now);
            inner.totals.count("records expired");
            inner.trace(now, || format!("the record of {channel} expires"));
        }
    }
}

fn ingest(shared: &Shared, clients: &Aws) -> Ingest {
    let account = shared.twilio.account();
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

fn sweep(shared: &Arc<Shared>, clients: &Aws, project: Project) -> Sweep {
    let account = shared.twilio.account();
    let script = &shared.script;
    let mut policy = script.policy.clone();
    if shared.errs(Mutation::Hasty) {
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
            api_url: Some(twilio_transport::BASE.to_owned()),
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
    Sweep::new(settings, Arc::new(TwilioTransport::new(Arc::clone(shared))))
}
