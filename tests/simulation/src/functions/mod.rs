//! The real functions over the simulated Twilio and the embedded AWS, and their invocations.

mod invocation;
pub(crate) mod parking;
pub(crate) mod reconciliations;
pub(crate) mod rescues;
pub(crate) mod sweeps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Policy, ProxyServiceSid, Queue, QueueEntry};
use embedded::Embedded;
use ingest::Ingest;
use park::Park;
use runtime::Aws;
use simulator::{Sid, Simulator};
use sweep::{Action, Sweep, Unheard};
use world::{SECRET, TABLE, WEBHOOK};

use crate::borders::aws_connector::AwsConnector;
use crate::borders::twilio_transport::TwilioTransport;
use crate::oracle::AGENTS;
use crate::report::Mutation;
use crate::schedule::Script;
use crate::shared::{Shared, Trace};

pub(crate) use invocation::{Death, End, invoke};

pub(crate) struct Deployment {
    pub(crate) shared: Arc<Shared>,
    pub(crate) aws: Embedded,
    pub(crate) ingest: Ingest,
    pub(crate) sweep: Sweep,
    /// The parking function, if chats are parked.
    pub(crate) park: Option<Park>,
    pub(crate) agents: [Sid; 2],
    table: aws_sdk_dynamodb::Client,
    /// The channel table, for a person.
    pub(crate) records: store::ChannelTable,
}

impl Deployment {
    pub(crate) async fn new(script: Script, mutation: Option<Mutation>, trace: Trace) -> Self {
        let (twilio, project) = Simulator::with_flex(script.seed).unwrap();
        let agents = [0, 1].map(|number| {
            // Flex escapes the identity in chats, and a worker may be named otherwise.
            let name = format!("Jo O{AGENTS} {number}");
            let identity = format!("jo_2Eo{AGENTS}_2D{number}_40example_2Ecom");
            let hired = twilio
                .state()
                .hire_agent_as(project.workspace, &name, &identity);
            hired.unwrap()
        });
        {
            let mut state = twilio.state();
            state.knobs.flex_deaf = script.flex_deaf;
            state.knobs.flex_delay = script.flex_delay;
            state.knobs.list_attributes = script.list_attributes;
            state.take_events();
        }
        let inactive = script.parking.as_ref().map(|_| {
            let (workspace, mut state) = (project.workspace, twilio.state());
            let created = state.create_task_channel(workspace, "Inactive chat", "inactive_chat");
            created.unwrap()
        });
        let aws = match script.lag {
            None => Embedded::memory().unwrap(),
            Some(lag) => Embedded::with_stale_indexes(lag).unwrap(),
        };
        let shared = Arc::new(Shared::new(
            script, twilio, project, inactive, mutation, trace,
        ));
        let clients = Aws::with_http_client(AwsConnector::client(Arc::clone(&shared), aws.clone()));
        let table = clients.dynamodb();
        store::create_table(&table, TABLE).await.unwrap();
        let functions = world::Functions::new(shared.twilio.clone(), project, clients, inactive);
        let deployment = Self {
            ingest: Ingest::new(functions.ingest()),
            sweep: sweep(&shared, &functions),
            park: park(&shared, &functions),
            records: functions.table(),
            agents,
            table,
            aws,
            shared,
        };
        let keys = deployment.shared.twilio.account().auth_token;
        let secret = world::Functions::secret_of(&[&keys]);
        deployment.aws.secrets.put(SECRET, secret);
        deployment
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

fn sweep(shared: &Arc<Shared>, functions: &world::Functions) -> Sweep {
    let script = &shared.script;
    let mut settings = functions.sweep();
    settings.proxy_service = settings_of_proxy(shared);
    settings.webhook_url = Some(WEBHOOK.to_owned());
    settings.plan.policy = policy(shared);
    settings.plan.concurrency = script.concurrency;
    settings.plan.max_closes = script.max_closes;
    if script.deletes {
        settings.plan.action = Action::Delete;
    }
    if let Some(rescue) = &script.rescue {
        settings.plan.unheard = Unheard::Rescue;
        settings.plan.max_rescues = rescue.max;
        settings.plan.rescue_within = rescue.within;
    }
    Sweep::new(settings, Arc::new(TwilioTransport::new(Arc::clone(shared))))
}

fn settings_of_proxy(shared: &Shared) -> Option<ProxyServiceSid> {
    let service = shared.project.proxy_service.as_str().parse().unwrap();
    shared.script.ends_sessions.then_some(service)
}

fn park(shared: &Arc<Shared>, functions: &world::Functions) -> Option<Park> {
    let script = shared.script.parking.as_ref()?;
    let pairs = functions.pair_with(shared.inactive?);
    let mut settings = functions.park(&pairs, &[]);
    settings.policy = policy(shared);
    settings.poll = script.poll;
    let transport = TwilioTransport::new(Arc::clone(shared));
    Some(Park::new(settings, Arc::new(transport)))
}

fn policy(shared: &Shared) -> Policy {
    const AT_ONCE: Duration = Duration::from_secs(1);
    let mut policy = shared.script.policy.clone();
    if shared.errs(Mutation::Hasty) {
        policy.abandoned_cutoff = AT_ONCE;
        policy.ended_cutoff = AT_ONCE;
        policy.long_lived_cutoff = AT_ONCE;
    }
    if shared.errs(Mutation::LeftIsClosed) {
        policy.put_aside_cutoff = Some(policy.long_lived_cutoff);
    }
    if shared.errs(Mutation::HastyParking) {
        policy.park_after = AT_ONCE;
    }
    policy
}

/// Returns what is due in these queues by the records, by a clock that may be so far ahead.
pub(crate) fn due_in(
    deployment: &Deployment,
    is_wanted: impl Fn(Queue) -> bool,
    ahead: Duration,
) -> BTreeMap<String, QueueEntry> {
    let now = deployment.shared.now().plus(ahead);
    let inner = deployment.shared.lock();
    let channels = inner.oracle.channels.iter();
    channels
        .filter_map(|(channel, history)| {
            let entry = history.record.as_ref()?.queue_entry()?;
            let due = entry.since.plus(inner.oracle.policy.cutoff(entry.queue));
            let is_due = is_wanted(entry.queue) && due <= now;
            is_due.then(|| (channel.clone(), entry))
        })
        .collect()
}
