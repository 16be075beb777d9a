//! A project that is set up as it should be, and a client that looks at it.

use std::collections::BTreeSet;
use std::sync::Arc;

use checkup::{Choice, Plan, Report, Snapshot, Wanted, audit, plan};
use domain::{AccountSid, Pair, Pairs};
use runtime::TwilioSecrets;
use runtime::common::TwilioAccount;
use secrecy::SecretString;
use simulator::state::State;
use simulator::{Order, Project, Sid, Simulator};
use twilio::rest::setup::{COUNTED_EVENTS, Destination};
use twilio::rest::{Client, Https, Transport};

pub(crate) const WEBHOOK: &str = "https://janitor.example.com/twilio/events";

pub(crate) struct Stage {
    pub(crate) twilio: Simulator,
    pub(crate) project: Project,
    pub(crate) order: Order,
    pub(crate) worker: Sid,
    pub(crate) inactive: Sid,
    pub(crate) wanted: Wanted,
    pub(crate) account: TwilioAccount,
    client: Client,
}

/// The types of events that a sound project is subscribed to.
pub(crate) fn types() -> Vec<(&'static str, u32)> {
    let types = COUNTED_EVENTS.into_iter();
    types
        .map(|(name, version)| (name, version.into()))
        .collect()
}

pub(crate) fn secrets(twilio: &Simulator) -> TwilioSecrets {
    let account = twilio.account();
    TwilioSecrets {
        signing_keys: Vec::new(),
        api_key: Some((
            account.api_key.to_string(),
            SecretString::from(account.api_secret),
        )),
    }
}

impl Stage {
    /// A project that is set up as it should be, over a socket.
    pub(crate) async fn new() -> Self {
        let (twilio, _) = Simulator::with_flex(7).unwrap();
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let served = twilio.clone();
        tokio::spawn(simulator::serve(socket, served, std::future::pending()));
        Self::with(twilio, Arc::new(Https::new().unwrap()), url)
    }

    /// The same over any transport.
    pub(crate) fn with(twilio: Simulator, transport: Arc<dyn Transport>, url: String) -> Self {
        let (project, order, inactive, worker) = {
            let mut state = twilio.state();
            let project = state.project().unwrap();
            let order = state.put_in_order(WEBHOOK, &types()).unwrap();
            let inactive = state
                .create_task_channel(project.workspace, "Inactive chat", "inactive_chat")
                .unwrap();
            let worker = state.hire_agent(project.workspace, "agent").unwrap();
            (project, order, inactive, worker)
        };
        let account = TwilioAccount {
            sid: parsed(twilio.account().sid),
            api_url: Some(url),
            edge: None,
            region: None,
        };
        let client = checkup::client(&secrets(&twilio), &account, transport).unwrap();
        let wanted = Wanted {
            webhook: Destination::parse(WEBHOOK),
            parking: Pairs::new(vec![Pair {
                active: parsed(project.chat_task_channel),
                inactive: parsed(inactive),
            }])
            .unwrap(),
            ..Wanted::default()
        };
        Self {
            twilio,
            project,
            order,
            worker,
            inactive,
            wanted,
            account,
            client,
        }
    }

    pub(crate) fn account_sid(&self) -> AccountSid {
        self.account.sid
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.twilio.state()
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        Snapshot::fetch(&self.client, self.account.sid, &self.wanted)
            .await
            .unwrap()
    }

    pub(crate) async fn report(&self) -> Report {
        audit(&self.snapshot().await, &self.wanted, |_| true)
    }

    pub(crate) async fn plan(&self, choice: &Choice) -> Plan {
        let snapshot = self.snapshot().await;
        let report = audit(&snapshot, &self.wanted, |_| true);
        plan(&snapshot, &self.wanted, &report, choice)
    }

    /// The first Flex Flow of a channel type.
    pub(crate) fn flow(&self, channel_type: &str) -> Sid {
        let state = self.state();
        let mut flows = state.flex_flows();
        let found = flows.find(|flow| flow.medium.as_str() == channel_type);
        found.unwrap().sid
    }
}

/// The rules that a report speaks of.
pub(crate) fn rules_in(report: &Report) -> BTreeSet<&'static str> {
    report
        .findings
        .iter()
        .map(|finding| finding.rule.id)
        .collect()
}

pub(crate) fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(sid: Sid) -> T {
    sid.as_str().parse().unwrap()
}
