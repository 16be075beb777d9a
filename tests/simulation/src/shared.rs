//! The parts that a whole schedule shares: the simulated Twilio, the clock, the faults, the oracle
//! and the trace.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use jiff::SignedDuration;
use serde_json::Value;
use simulator::{Project, Sid, Simulator};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::borders::faults::Faults;
use crate::oracle::Oracle;
use crate::report::{Mutation, Totals, Violation};
use crate::schedule::Script;

/// On whose behalf a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The webhook.
    Ingest,
    /// The sweep of this number.
    Sweep(u32),
    /// The reconciliation of this number.
    Reconcile(u32),
    /// The run of the parking function of this number.
    Park(u32),
    /// The simulation itself.
    Simulation,
}

impl Caller {
    /// The number of the run, if it is one that looks at Twilio.
    pub(crate) fn run(self) -> Option<u32> {
        match self {
            Self::Sweep(number) | Self::Reconcile(number) | Self::Park(number) => Some(number),
            Self::Ingest | Self::Simulation => None,
        }
    }
}

tokio::task_local! {
    /// Set for each invocation, so that a request that arrives at a border can be told apart.
    pub(crate) static CALLER: Caller;
}

/// Returns the function that is asking just now.
pub(crate) fn caller() -> Caller {
    CALLER.try_with(|who| *who).unwrap_or(Caller::Simulation)
}

pub(crate) struct Shared {
    pub(crate) script: Script,
    pub(crate) twilio: Simulator,
    pub(crate) project: Project,
    /// The TaskChannel of parked tasks, if chats are parked.
    pub(crate) inactive: Option<Sid>,
    pub(crate) mutation: Option<Mutation>,
    opening: jiff::Timestamp,
    began: Instant,
    /// Wakes the bus when it took the notice of a reply.
    pub(crate) replied: Notify,
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) faults: Faults,
    pub(crate) oracle: Oracle,
    pub(crate) totals: Totals,
    /// Events that happened and that Twilio has not sent yet.
    pub(crate) outbox: Vec<Value>,
    /// Notices of replies that the bus took and has not handed on yet.
    pub(crate) replies: Vec<Value>,
    pub(crate) violation: Option<Violation>,
    trace: Option<Vec<String>>,
}

impl Shared {
    pub(crate) fn new(
        script: Script,
        twilio: Simulator,
        project: Project,
        inactive: Option<Sid>,
        mutation: Option<Mutation>,
        trace: Trace,
    ) -> Self {
        let seed = script.seed;
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x77ea_73e2);
        let faults = Faults::new(rng.fork(), script.faults);
        let account = twilio.account();
        let secrets = vec![account.auth_token, account.api_secret];
        Self {
            opening: twilio.now(),
            began: Instant::now(),
            replied: Notify::new(),
            inner: Mutex::new(Inner {
                faults,
                oracle: Oracle::new(script.policy.clone(), script.parking.is_some(), secrets),
                totals: Totals::default(),
                outbox: Vec::new(),
                replies: Vec::new(),
                violation: None,
                trace: (trace == Trace::On).then(Vec::new),
            }),
            script,
            twilio,
            project,
            inactive,
            mutation,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment, by Twilio's clock, which is tokio's.
    pub(crate) fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        Timestamp::from_millis((self.opening + passed).as_millisecond())
    }

    /// The moment, by the clock of a function that is invoked now.
    pub(crate) fn functions_clock(&self) -> Timestamp {
        Timestamp::from_millis(self.now().as_millis() + self.lock().faults.skew)
    }

    /// Brings the simulated Twilio up to the present and takes down what happened there. To be
    /// called before and after everything that is done to it, so that the oracle knows the
    /// order of things.
    pub(crate) fn catch_up(&self) {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        let events = {
            let mut state = self.twilio.state();
            state.set_now(self.opening + passed);
            state.take_events()
        };
        if events.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for event in events {
            inner.oracle.happened(&event);
            inner.totals.events += 1;
            let kind = event["type"].as_str().unwrap_or_default().to_owned();
            let task = event["data"]["payload"]["task_sid"].as_str();
            let task = task.unwrap_or_default().to_owned();
            inner.trace(self.now(), || format!("  twilio: {kind} {task}"));
            if self.script.parking.is_none() && kind.starts_with("com.twilio.conversations.") {
                // Only where chats are parked are messages subscribed to.
                continue;
            }
            inner.outbox.push(event);
        }
    }

    /// Adds a line to the trace, if it is on.
    pub(crate) fn trace(&self, line: impl FnOnce() -> String) {
        let now = self.now();
        self.lock().trace(now, line);
    }

    /// Records a violation; the first one counts.
    pub(crate) fn check(&self, checked: Result<(), Violation>) {
        if let Err(violation) = checked {
            self.trace(|| format!("VIOLATION {violation}"));
            self.lock().violation.get_or_insert(violation);
        }
    }

    pub(crate) fn broken(&self) -> bool {
        self.lock().violation.is_some()
    }

    /// Returns whether this is the mutation that is played.
    pub(crate) fn errs(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Takes the trace out, with names in place of SIDs.
    pub(crate) fn take_trace(&self) -> Vec<String> {
        let mut inner = self.lock();
        let lines = inner.trace.take().unwrap_or_default();
        let names = &inner.oracle.names;
        lines.iter().map(|line| names.put_into(line)).collect()
    }
}

/// Switches the trace on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Line by line.
    On,
    /// Not at all.
    Off,
}

impl Inner {
    pub(crate) fn trace(&mut self, now: Timestamp, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", clock_time(now), line()));
        }
    }
}

/// Writes a moment as the day of the schedule and the time of day.
fn clock_time(now: Timestamp) -> String {
    const DAY: i64 = 86_400_000;
    /// 2026-01-05, the day on which every simulated Twilio opens.
    const FIRST: i64 = 20_458;
    let (day, millis) = (now.as_millis() / DAY, now.as_millis() % DAY);
    let seconds = millis / 1000;
    format!(
        "day {} {:02}:{:02}:{:02}.{:03}",
        day - FIRST + 1,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        millis % 1000
    )
}
