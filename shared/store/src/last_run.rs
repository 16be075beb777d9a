//! The settings that each function acts by, and what its last run came to, as notes.
//!
//! A person's command reads them: it works by the same settings, and says if the functions are
//! alive. A note that cannot be written is logged. It never makes a run fail.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::table::ChannelTable;

/// A job that leaves a note when it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// The webhook took in an event.
    Ingest,
    /// A scheduled sweep.
    Sweep,
    /// A scheduled reconciliation.
    Reconcile,
    /// A scheduled look for chats to park.
    Park,
}

impl Job {
    const fn note(self) -> &'static str {
        match self {
            Self::Ingest => "last-event",
            Self::Sweep => "last-sweep",
            Self::Reconcile => "last-reconcile",
            Self::Park => "last-park",
        }
    }
}

/// The last run of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The moment at which it began.
    pub at: Timestamp,
    /// The version of the program.
    pub version: String,
    /// The settings that it acted by: the variables that give them. No secret is among them.
    pub settings: BTreeMap<String, String>,
    /// Its counts, or `{"error": …}` with the error's name.
    pub result: Value,
}

impl LastRun {
    /// Returns the note of a run of this version.
    pub fn new(at: Timestamp, settings: BTreeMap<String, String>, result: Value) -> Self {
        Self {
            at,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            settings,
            result,
        }
    }
}

impl ChannelTable {
    /// Notes the last run of a job. One write; a failure is logged.
    pub async fn note_run(&self, job: Job, run: &LastRun) {
        if let Err(error) = self.set_note(job.note(), run, run.at).await {
            tracing::warn!(job = job.note(), %error, "the run could not be noted: status shows the one before");
        }
    }

    /// Returns the last run of a job within the last 40 days.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be read.
    pub async fn last_run(&self, job: Job) -> Result<Option<LastRun>, crate::StoreError> {
        self.note(job.note()).await
    }
}
