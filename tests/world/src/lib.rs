//! The world that the stories of the fault catalogue are told in: the pretend Twilio, the
//! embedded AWS, and the real webhook and sweep, all in this process and on one clock.
//!
//! The clock is tokio's, paused: time passes when a story says so, or when everybody waits.
//! So a story with two days and a dozen time-outs in it takes milliseconds and always comes
//! out the same. [`World::finish`] ends a story; it fails on what no test looked at, and on
//! anything in the table, the notices or the logs that a customer or an agent said or is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at the first surprise and say what it saw, and look at one thing only"
)]

mod calls;
mod functions;
mod logs;
mod parking;
mod records;
mod story;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use embedded::{Embedded, Entry, Lag};
use http::{Request, StatusCode};
use ingest::Ingest;
use runtime::Aws;
use serde_json::Value;
use simulator::{Project, Sid, Simulator};
use store::ChannelTable;
use sweep::{Found, Order, Plan, Reconciled, Summary, Sweep, SweepError};
use tokio::time::Instant;
use twilio::rest::{Client, Credentials, Hosts, Limits};

pub use calls::{Crash, Gate};
pub use functions::{Functions, SECRET, TABLE, TWILIO, WEBHOOK};
pub use parking::{PARK_TIME, POLL, Parking};
pub use story::Chat;

use calls::Calls;
use logs::Logs;

/// The longest run of a sweep, as deployed.
pub const SWEEP_TIME: Duration = Duration::from_secs(840);

/// The text that customers write; nothing of it may ever be found anywhere on our side.
pub const WORDS: &str = "Where is my parcel?";

/// A contact centre, and us.
pub struct World {
    /// The pretend Twilio.
    pub twilio: Simulator,
    /// Its Flex project.
    pub project: Project,
    /// The embedded AWS.
    pub aws: Embedded,
    /// The channel table, for a look at the records.
    pub table: ChannelTable,
    /// Events that happened and that Twilio has not delivered yet, oldest first.
    pub in_flight: RefCell<Vec<Value>>,
    ingest: Ingest,
    functions: Functions,
    plan: RefCell<Plan>,
    /// The sweep of this plan, once it was needed.
    sweep: RefCell<Option<Rc<Sweep>>>,
    calls: Arc<Calls>,
    /// The one agent of the contact centre.
    pub agent: Sid,
    parking: Option<Parking>,
    /// The time by which our clock is ahead of Twilio's, in milliseconds.
    skew: Cell<i64>,
    /// True if the sweep ends the Proxy sessions that Flex leaves open.
    ends_sessions: Cell<bool>,
    logs: Logs,
}

/// One notice, as a listener on the bus sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoticeSeen {
    /// The event.
    pub kind: String,
    /// To which channel, where it is about one.
    pub channel: Option<String>,
    /// The id by which a repetition is recognised.
    pub id: String,
}

impl World {
    /// An ordinary day.
    pub async fn new() -> Self {
        Self::on(Embedded::memory().unwrap()).await
    }

    /// A day on which the table's index lags behind the table.
    pub async fn with_stale_index(lag: Lag) -> Self {
        Self::on(Embedded::with_stale_indexes(lag).unwrap()).await
    }

    async fn on(aws: Embedded) -> Self {
        let logs = Logs::start();
        let (twilio, project) = Simulator::with_flex(7).unwrap();
        // Flex escapes an agent's identity in chats.
        let agent = twilio.state().hire_agent_as(
            project.workspace,
            "agent.smith@example.com",
            "agent_2Esmith_40example_2Ecom",
        );
        let clients = Aws::with_http_client(aws.http_client());
        store::create_table(&clients.dynamodb(), TABLE)
            .await
            .unwrap();
        let functions = Functions::new(twilio.clone(), project, clients, None);
        let (table, settings) = (functions.table(), functions.ingest());
        let world = Self {
            calls: Arc::new(Calls::to(twilio.clone())),
            agent: agent.unwrap(),
            parking: None,
            ingest: Ingest::new(settings),
            functions,
            in_flight: RefCell::default(),
            plan: RefCell::default(),
            sweep: RefCell::default(),
            skew: Cell::new(0),
            ends_sessions: Cell::new(false),
            twilio,
            project,
            aws,
            table,
            logs,
        };
        world.signing_keys(&[&world.auth_token()]);
        world
    }

    /// Changes how the sweep works from now on.
    pub fn plan(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.borrow_mut());
        self.sweep.take();
    }

    /// Lets the sweep end the Proxy sessions that Flex leaves open, from now on.
    pub fn end_sessions(&self) {
        self.ends_sessions.set(true);
        self.sweep.take();
    }

    /// Puts the keys that Twilio may sign with into Secrets Manager.
    pub fn signing_keys(&self, keys: &[&str]) {
        self.aws.secrets.put(SECRET, Functions::secret_of(keys));
    }

    /// Takes the keys away, as an outage of Secrets Manager would.
    pub fn lose_signing_keys(&self) {
        self.aws.secrets.remove(SECRET);
    }

    /// The key that Twilio signs with.
    pub fn auth_token(&self) -> String {
        self.twilio.account().auth_token
    }

    /// Now, by our own clock.
    pub fn now(&self) -> Timestamp {
        self.calls.keep_time();
        Timestamp::from_millis(self.twilio.now().as_millisecond() + self.skew.get())
    }

    /// Sets our clock apart from Twilio's by so many milliseconds.
    pub fn skew(&self, millis: i64) {
        self.skew.set(millis);
    }

    /// Lets time pass.
    pub async fn time_passes(&self, by: Duration) {
        tokio::time::advance(by).await;
        self.calls.keep_time();
    }

    /// Waits in the middle of something, so that others get their turn.
    pub async fn time_passes_for_others(&self, by: Duration) {
        tokio::time::sleep_until(Instant::now() + by).await;
        self.calls.keep_time();
    }

    /// A request that Twilio signs and sends.
    pub fn request(&self, body: impl Into<Vec<u8>>) -> Request<Vec<u8>> {
        self.request_signed_with(&self.auth_token(), body)
    }

    /// Returns a request that is signed with this key.
    pub fn request_signed_with(&self, key: &str, body: impl Into<Vec<u8>>) -> Request<Vec<u8>> {
        let body = body.into();
        let signed = simulator::sign::json(key, WEBHOOK, &body);
        Request::post(signed.url)
            .header("content-type", "application/json")
            .header(simulator::sign::HEADER, signed.signature)
            .body(body)
            .unwrap()
    }

    /// Hands a request to the webhook.
    pub async fn webhook(&self, request: Request<Vec<u8>>) -> StatusCode {
        self.ingest.handle(request, self.now()).await.status()
    }

    /// Signs a body as Twilio and hands it to the webhook.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> StatusCode {
        self.webhook(self.request(body)).await
    }

    /// Takes what happened and was not delivered yet.
    pub fn take_events(&self) -> Vec<Value> {
        self.calls.keep_time();
        let mut events = self.in_flight.take();
        events.extend(self.twilio.take_events());
        events
    }

    /// Delivers everything that happened, in one request.
    pub async fn deliver(&self) {
        let events = self.take_events();
        self.deliver_these(&events).await;
    }

    /// Delivers these events in one request.
    pub async fn deliver_these(&self, events: &[Value]) {
        let body = Value::from(events.to_vec()).to_string();
        assert_eq!(self.post(body).await, StatusCode::NO_CONTENT);
    }

    /// Twilio never delivers what happened since the last delivery.
    pub fn lose_events(&self) {
        self.take_events();
    }

    /// Sweeps as the schedule would, which must succeed.
    pub async fn sweep(&self) -> Summary {
        self.attempt_sweep(SWEEP_TIME).await.unwrap()
    }

    /// Sweeps with this much time, whatever comes of it.
    ///
    /// # Errors
    ///
    /// Fails as the sweep does.
    pub async fn attempt_sweep(&self, time_left: Duration) -> Result<Summary, SweepError> {
        self.sweeper().run_scheduled(self.now(), time_left).await
    }

    /// Reconciles as the schedule would, which must succeed.
    pub async fn reconcile(&self) -> Reconciled {
        let (report, _) = self.attempt_reconcile(Order::scheduled(), SWEEP_TIME).await;
        report.unwrap()
    }

    /// Reconciles in this way and with this much time, whatever comes of it.
    pub async fn attempt_reconcile(
        &self,
        order: Order,
        time_left: Duration,
    ) -> (Result<Reconciled, SweepError>, Vec<Found>) {
        let found = std::sync::Mutex::new(Vec::new());
        let listen = |one: Found| found.lock().unwrap().push(one);
        let report = self.sweeper();
        let report = report
            .reconcile(order, self.now(), time_left, &listen)
            .await;
        (report, found.into_inner().unwrap())
    }

    /// Sweeps, and dies at a step. False if the sweep was over before it got there.
    pub async fn sweep_and_die(&self, crash: Crash) -> bool {
        let sweep = self.sweeper();
        let died = self.calls.die_at(crash, &self.aws);
        let finished = tokio::select! {
            biased;
            () = died.notified() => false,
            summary = sweep.run_scheduled(self.now(), SWEEP_TIME) => {
                summary.unwrap();
                true
            }
        };
        self.calls.live_on();
        self.aws.end_faults();
        !finished
    }

    /// Returns the sweep, for what a person asks of it.
    pub fn sweeper(&self) -> Rc<Sweep> {
        let mut kept = self.sweep.borrow_mut();
        Rc::clone(kept.get_or_insert_with(|| Rc::new(self.planned())))
    }

    fn planned(&self) -> Sweep {
        let mut settings = self.functions.sweep();
        settings.plan = self.plan.borrow().clone();
        settings.proxy_service = self
            .ends_sessions
            .get()
            .then(|| self.project.proxy_service.as_str().parse().unwrap());
        Sweep::new(settings, Arc::clone(&self.calls) as _)
    }

    /// Returns a client of Twilio for at most so many requests at a time, as a person's command
    /// has one.
    pub fn client(&self, in_flight: usize) -> Client {
        let account = self.twilio.account();
        let secret = account.api_secret.into();
        let credentials = Credentials::api_key(account.api_key.as_str(), &secret).unwrap();
        let limits = Limits {
            in_flight,
            ..Limits::default()
        };
        let hosts = Hosts::elsewhere(TWILIO).unwrap();
        Client::new(credentials, hosts, limits, Arc::clone(&self.calls) as _)
    }

    /// Lets every request to Twilio take this long.
    pub fn twilio_takes(&self, time: Duration) {
        self.calls.take(time);
    }

    /// Changes every request to Twilio from now on.
    pub fn tamper(&self, with: fn(&mut http::Request<bytes::Bytes>)) {
        self.calls.tamper(with);
    }

    /// Stops the first request of this method to such a path once Twilio has answered it, and
    /// holds the answer back until the gate is opened.
    pub fn gate_after(&self, method: &str, path: &str) -> Gate {
        self.calls.gate_after(method, path)
    }

    /// Reads the notices that were published since they were last read.
    pub fn notices(&self) -> Vec<NoticeSeen> {
        let entries = self.aws.bus.take_entries();
        self.logs.expect_silence_in(&format!("{entries:?}"));
        let mut told: Vec<NoticeSeen> = entries.iter().map(NoticeSeen::from).collect();
        told.sort();
        told
    }

    /// Reads the notices and expects these, once or more often each, and no others.
    pub fn expect_notices(&self, expected: &[(&str, Sid)]) {
        let told = self.notices();
        let distinct: BTreeMap<&str, &NoticeSeen> =
            told.iter().map(|t| (t.id.as_str(), t)).collect();
        let mut told: Vec<(&str, Option<&str>)> = distinct
            .values()
            .map(|told| (told.kind.as_str(), told.channel.as_deref()))
            .collect();
        let mut expected: Vec<(&str, Option<&str>)> = expected
            .iter()
            .map(|(kind, channel)| (*kind, Some(channel.as_str())))
            .collect();
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected);
    }

    /// Ends the story: nothing is left that the test did not look at, and no one's words are anywhere.
    pub async fn finish(self) {
        let undelivered = self.take_events();
        assert!(undelivered.is_empty(), "undelivered: {undelivered:#?}");
        let unread = self.notices();
        assert!(unread.is_empty(), "unread notices: {unread:#?}");
        let items = self.items_and_notes().await;
        self.logs.expect_silence_in(&format!("{items:?}"));
        let account = self.twilio.account();
        self.logs
            .expect_silence(&[&account.auth_token, &account.api_secret]);
    }
}

impl From<&Entry> for NoticeSeen {
    fn from(entry: &Entry) -> Self {
        let text = |name: &str| entry.detail[name].as_str().map(str::to_owned);
        assert_eq!(entry.source, runtime::bus::SOURCE);
        Self {
            kind: entry.detail_type.clone(),
            channel: text("channel_sid"),
            id: text("id").unwrap(),
        }
    }
}

/// A moment of the story's clock, for measuring how long something took.
pub fn moment() -> Instant {
    Instant::now()
}
