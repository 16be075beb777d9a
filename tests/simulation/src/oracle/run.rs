//! The history of one run of a function.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Channel, Timestamp};
use tokio::time::Instant;

use crate::report::{Law, Violation};

use super::LawCheck;

/// The history of one run so far.
pub(crate) struct RunHistory {
    /// The lead of its clock over Twilio's, in milliseconds.
    pub(crate) skew: i64,
    /// The number of its last look at each channel's open tasks among all that happened.
    pub(crate) looked: BTreeMap<String, u64>,
    /// For each channel whose webhooks it read, whether a program had one.
    pub(crate) programs: BTreeMap<String, bool>,
    /// The time of the newest message of each channel whose messages it read.
    pub(crate) newest: BTreeMap<String, Timestamp>,
    /// For each Conversation whose participants it read, whether an agent was among them.
    pub(crate) agents: BTreeMap<String, bool>,
    /// The records that it read.
    pub(crate) records: BTreeMap<String, Channel>,
    /// For each record that it read, when the newest message of an agent was written of which
    /// the webhook had acknowledged to be told by then.
    pub(crate) told: BTreeMap<String, Option<Timestamp>>,
    /// The records that it read when a customer was known to have written last.
    pub(crate) waiting: BTreeMap<String, bool>,
    /// The task that it moves because a person asks for it.
    pub(crate) manual: Option<String>,
    /// The attributes that it read last.
    pub(crate) texts: BTreeMap<String, String>,
    /// The status of each conversation's interaction channel, as Twilio showed it last.
    pub(crate) interactions: BTreeMap<String, String>,
    /// The conversations that it read.
    pub(crate) conversations: BTreeSet<String>,
    /// Until when it was asked to be patient.
    patient_until: Option<Instant>,
    /// Its requests to Twilio, by kind and by what they are about.
    pub(crate) calls: BTreeMap<(&'static str, String), u64>,
    /// Its requests to DynamoDB, by operation.
    pub(crate) table: BTreeMap<String, u64>,
}

impl RunHistory {
    pub(crate) fn new(skew: i64) -> Self {
        Self {
            skew,
            looked: BTreeMap::new(),
            programs: BTreeMap::new(),
            newest: BTreeMap::new(),
            agents: BTreeMap::new(),
            records: BTreeMap::new(),
            told: BTreeMap::new(),
            waiting: BTreeMap::new(),
            manual: None,
            texts: BTreeMap::new(),
            interactions: BTreeMap::new(),
            conversations: BTreeSet::new(),
            patient_until: None,
            calls: BTreeMap::new(),
            table: BTreeMap::new(),
        }
    }

    /// A request begins.
    pub(crate) fn asks(&mut self, kind: &'static str, which: &str) -> LawCheck {
        *self.calls.entry((kind, which.to_owned())).or_default() += 1;
        match self.patient_until.filter(|until| Instant::now() < *until) {
            Some(until) => {
                let early = until.duration_since(Instant::now());
                let what = format!("asked again {early:?} before the time");
                Err(Violation::of(Law::Patient, what))
            }
            None => Ok(()),
        }
    }

    /// A run of the parking function looks at the table again, with a new client.
    pub(crate) fn looks_anew(&mut self) {
        self.patient_until = None;
    }

    /// A request was answered with too many.
    pub(crate) fn is_asked_for_patience(&mut self, wait: Duration) {
        // The client shortens an absurd wait, and waits a little in any case.
        let wait = wait.clamp(Duration::from_millis(250), Duration::from_secs(60));
        self.patient_until = self.patient_until.max(Some(Instant::now() + wait));
    }
}
