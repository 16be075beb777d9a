//! A project that is set up as it should be, and a client that looks at it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use checkup::{Choice, Expectations, Plan, Report, Snapshot, audit, plan};
use domain::{AccountSid, Pair, Pairs, Timestamp};
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use runtime::TwilioSecrets;
use runtime::common::TwilioAccount;
use secrecy::SecretString;
use simulator::state::State;
use simulator::{Order, Project, Reply, Sid, Simulator};
use tokio::time::Instant;
use twilio::rest::setup::{Destination, MESSAGE_ADDED, needed_events};
use twilio::rest::{Client, Https, Transport, TransportError};

pub(crate) const WEBHOOK: &str = "https://janitor.example.com/twilio/events";

pub(crate) struct Stage {
    pub(crate) twilio: Simulator,
    pub(crate) project: Project,
    pub(crate) order: Order,
    pub(crate) worker: Sid,
    pub(crate) inactive: Sid,
    pub(crate) wanted: Expectations,
    pub(crate) account: TwilioAccount,
    client: Client,
}

pub(crate) const NO_FLOW: &str = "FW00000000000000000000000000000000";

/// The simulator in this process, with the delay of a network.
#[derive(Clone)]
pub(crate) struct Line {
    twilio: Simulator,
    /// The writes of Flex Flows, by their time.
    pub(crate) flex_flow_writes: Arc<Mutex<Vec<Instant>>>,
}

impl Line {
    /// The time that a request takes, by assumption.
    pub(crate) const REQUEST: Duration = Duration::from_millis(150);

    /// Returns a project that is set up as it should be, behind such a line.
    pub(crate) fn to_a_sound_project() -> (Self, Stage) {
        let (twilio, _) = Simulator::with_flex(7).unwrap();
        let line = Self {
            twilio: twilio.clone(),
            flex_flow_writes: Arc::default(),
        };
        let url = "http://twilio.invalid".to_owned();
        let stage = Stage::with(twilio, Arc::new(line.clone()), url);
        (line, stage)
    }
}

impl Transport for Line {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            if request.method() == Method::POST && request.uri().path().contains("/FlexFlows") {
                self.flex_flow_writes.lock().unwrap().push(Instant::now());
            }
            tokio::time::sleep(Self::REQUEST).await;
            match self.twilio.handle(request) {
                Reply::Answer(answer) => Ok(answer),
                Reply::Hang | Reply::Drop => Err(TransportError::Broken("no answer".to_owned())),
            }
        })
    }
}

/// The types of events that a sound project with parking is subscribed to.
pub(crate) fn types() -> Vec<(&'static str, u32)> {
    let types = needed_events(true);
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
        let wanted = Expectations {
            webhook: Destination::parse(WEBHOOK),
            parking: Pairs::new(vec![Pair {
                active: parsed(project.chat_task_channel),
                inactive: parsed(inactive),
            }])
            .unwrap(),
            ..Expectations::default()
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

    /// The time at Twilio.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.twilio.now().as_millisecond())
    }

    /// Switches parking off as it should be done.
    pub(crate) fn stop_parking(&mut self) {
        self.wanted.parking = Pairs::default();
        let mut state = self.state();
        let held = state.subscription_mut(self.order.subscription).unwrap();
        held.types.remove(MESSAGE_ADDED).unwrap();
    }

    /// Buys a number whose messages go to a Studio flow that does not exist.
    pub(crate) fn add_number_to_missing_flow(&self, number: &str) {
        let mut state = self.state();
        let sid = state.buy_number(number);
        let url = state.studio_webhook(NO_FLOW.parse().unwrap());
        let settings = [("sms_url".to_owned(), url.into())];
        state
            .point_number(sid, settings.into_iter().collect())
            .unwrap();
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        Snapshot::fetch(&self.client, self.account.sid, &self.wanted, self.now())
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
