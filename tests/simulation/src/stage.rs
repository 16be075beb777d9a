//! What the borders share: the pretend Twilio, the clock, the weather, the books, the story.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use jiff::SignedDuration;
use serde_json::Value;
use simulator::{Project, Simulator};
use tokio::time::Instant;

use super::books::Books;
use super::law::Violation;
use super::mutation::Mutation;
use super::script::Script;
use super::totals::Totals;
use super::weather::Weather;

/// On whose behalf a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The webhook.
    Ingest,
    /// The sweep of this number.
    Sweep(u32),
    /// The reconciliation of this number.
    Reconcile(u32),
    /// The simulation itself.
    Nobody,
}

impl Who {
    /// The number of the run, if it is one that looks at Twilio.
    pub(super) fn run(self) -> Option<u32> {
        match self {
            Self::Sweep(number) | Self::Reconcile(number) => Some(number),
            Self::Ingest | Self::Nobody => None,
        }
    }
}

tokio::task_local! {
    /// Set for each invocation, so that a request that arrives at a border can be told apart.
    pub(super) static WHO: Who;
}

/// Who is asking just now.
pub(super) fn who() -> Who {
    WHO.try_with(|who| *who).unwrap_or(Who::Nobody)
}

pub(super) struct Stage {
    pub(super) script: Script,
    pub(super) twilio: Simulator,
    pub(super) project: Project,
    pub(super) mutation: Option<Mutation>,
    opening: jiff::Timestamp,
    began: Instant,
    inner: Mutex<Inner>,
}

pub(super) struct Inner {
    pub(super) weather: Weather,
    pub(super) books: Books,
    pub(super) totals: Totals,
    /// Events that happened and that Twilio has not sent yet.
    pub(super) outbox: Vec<Value>,
    pub(super) violation: Option<Violation>,
    story: Option<Vec<String>>,
}

impl Stage {
    pub(super) fn new(
        script: Script,
        twilio: Simulator,
        project: Project,
        mutation: Option<Mutation>,
        told: Told,
    ) -> Self {
        let seed = script.seed;
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x77ea_73e2);
        let weather = Weather::new(rng.fork(), script.faults);
        let account = twilio.account();
        let secrets = vec![account.auth_token, account.api_secret];
        Self {
            opening: twilio.now(),
            began: Instant::now(),
            inner: Mutex::new(Inner {
                weather,
                books: Books::new(script.policy.clone(), secrets),
                totals: Totals::default(),
                outbox: Vec::new(),
                violation: None,
                story: (told == Told::WordForWord).then(Vec::new),
            }),
            script,
            twilio,
            project,
            mutation,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment, by Twilio's clock, which is tokio's.
    pub(super) fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        Timestamp::from_millis((self.opening + passed).as_millisecond())
    }

    /// The moment, by the clock of a function that is invoked now.
    pub(super) fn functions_clock(&self) -> Timestamp {
        Timestamp::from_millis(self.now().as_millis() + self.lock().weather.skew)
    }

    /// Brings the pretend Twilio up to the present and takes down what happened there. To be
    /// called before and after everything that is done to it, so that the books know the
    /// order of things.
    pub(super) fn catch_up(&self) {
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
            inner.books.happened(&event);
            inner.totals.events += 1;
            let kind = event["type"].as_str().unwrap_or_default().to_owned();
            let task = event["data"]["payload"]["task_sid"].as_str();
            let task = task.unwrap_or_default().to_owned();
            inner.tell(self.now(), || format!("  twilio: {kind} {task}"));
            inner.outbox.push(event);
        }
    }

    /// Adds a line to the story, if it is told.
    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        let now = self.now();
        self.lock().tell(now, line);
    }

    /// Judges what the books say; the first violation is the one that counts.
    pub(super) fn judge(&self, verdict: Result<(), Violation>) {
        if let Err(violation) = verdict {
            self.tell(|| format!("VIOLATION {violation}"));
            self.lock().violation.get_or_insert(violation);
        }
    }

    pub(super) fn broken(&self) -> bool {
        self.lock().violation.is_some()
    }

    /// Whether a mistake is to be made.
    pub(super) fn errs(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Takes the story out, with names in place of SIDs.
    pub(super) fn take_story(&self) -> Vec<String> {
        let mut inner = self.lock();
        let lines = inner.story.take().unwrap_or_default();
        let names = &inner.books.names;
        lines.iter().map(|line| names.put_into(line)).collect()
    }
}

/// Whether a story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Line by line.
    WordForWord,
    /// Not at all.
    Not,
}

impl Inner {
    pub(super) fn tell(&mut self, now: Timestamp, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("{} {}", clock_time(now), line()));
        }
    }
}

/// A moment as a story tells it: the day of the schedule and the time of day.
fn clock_time(now: Timestamp) -> String {
    const DAY: i64 = 86_400_000;
    /// 2026-01-05, the day on which every pretend Twilio opens.
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
