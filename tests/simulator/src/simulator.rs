//! The handle on a pretend Twilio.

use crate::api::{self, Reply};
use crate::state::calls::Calls;
use crate::state::faults::{Fault, Storm};
use crate::state::refusal::Refusal;
use crate::state::setup::flex::Project;
use crate::state::{Account, State};
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Is a pretend Twilio; clones share one world.
#[derive(Debug, Clone)]
pub struct Simulator {
    state: Arc<Mutex<State>>,
}

impl Simulator {
    /// Opens an empty account; the same seed gives the same SIDs and the same weather.
    pub fn new(seed: u64) -> Self {
        Self {
            state: Arc::new(Mutex::new(State::new(seed))),
        }
    }

    /// Opens an account with a Flex project in it.
    ///
    /// # Errors
    ///
    /// Fails as [`State::set_up_flex`](crate::state::State::set_up_flex) does.
    pub fn with_flex(seed: u64) -> Result<(Self, Project), Refusal> {
        let simulator = Self::new(seed);
        let project = simulator.state().set_up_flex()?;
        Ok((simulator, project))
    }

    /// Goes on with a world that was written down, all but its faults and the count of what was asked. The seed draws
    /// what comes from now on.
    pub fn resume(mut state: State, seed: u64) -> Self {
        state.reseed(seed);
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Answers one request, at once and in this process.
    pub fn handle(&self, request: Request<Bytes>) -> Reply {
        api::handle(&mut self.state(), &request)
    }

    /// Opens the world for story methods and assertions; every request waits until the guard is gone.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns who the account is and what proves to be it.
    pub fn account(&self) -> Account {
        self.state().account.clone()
    }

    /// Returns the moment it is in this world.
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }

    /// Moves time forward and lets everything that becomes due happen.
    pub fn advance(&self, by: Duration) {
        self.state().advance(by);
    }

    /// Sets the time; a step back lets nothing happen.
    pub fn set_now(&self, to: Timestamp) {
        self.state().set_now(to);
    }

    /// Takes the events that Event Streams would deliver, oldest first, as CloudEvents.
    pub fn take_events(&self) -> Vec<serde_json::Value> {
        self.state().take_events()
    }

    /// Lets something go wrong with the requests to come.
    pub fn fail(&self, fault: Fault) {
        if fault.times != Some(0) {
            self.state().faults.queue.push(fault);
        }
    }

    /// Lets requests go wrong by chance until the faults are cleared.
    pub fn storm(&self, storm: Storm) {
        self.state().faults.storms.push(storm);
    }

    /// Ends all faults and storms.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Returns what was asked so far.
    pub fn calls(&self) -> Calls {
        self.state().calls.clone()
    }

    /// Forgets what was asked so far.
    pub fn reset_calls(&self) {
        self.state().calls = Calls::default();
    }
}
