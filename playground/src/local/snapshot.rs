//! The simulated contact centre on disk. After a restart the simulated Twilio still knows the chats that
//! the table remembers.

use std::sync::{Arc, Mutex};

use domain::Timestamp;
use runtime::lock;
use serde::{Deserialize, Serialize};
use simulator::Simulator;
use simulator::state::State;

use super::life::{Life, Opened};
use super::saved::Saved;

/// The state of the simulated Twilio and of who writes and works there.
#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot<S = State, L = Life> {
    twilio: S,
    life: L,
    saved_messages: usize,
}

impl Snapshot {
    /// Reads a snapshot; nothing if another version wrote it.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Goes on with the contact centre, whose events go to this webhook now.
    pub(super) fn resume(self, webhook: &str, now: Timestamp, seed: u64) -> Opened {
        let simulator = Simulator::resume(self.twilio, seed);
        simulator.state().point_sinks(webhook);
        let mut life = self.life;
        life.skip_to(now);
        Opened {
            simulator,
            life: Arc::new(Mutex::new(life)),
            saved: Saved::of(self.saved_messages),
        }
    }
}

impl Opened {
    /// Returns the snapshot of this moment.
    pub(super) fn snapshot(&self) -> serde_json::Result<Vec<u8>> {
        let life = lock(&self.life);
        let snapshot = Snapshot {
            twilio: &*self.simulator.state(),
            life: &*life,
            saved_messages: self.saved.count(),
        };
        serde_json::to_vec(&snapshot)
    }
}
