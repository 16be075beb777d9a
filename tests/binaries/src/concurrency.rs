//! A stand-in for the limits that Lambda puts on a function: the executions that are reserved for
//! it, and the requests that its URL takes in a second.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::lambda_api::Function;

/// The requests of a second that a function's URL takes for each reserved execution, of all
/// callers together.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html>, "Throttling".
pub const URL_REQUESTS_PER_EXECUTION: usize = 10;

/// Returns the number of executions that the template reserves for a function.
///
/// # Panics
/// If the template does not say.
pub fn reserved(function: &str) -> usize {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let template = std::fs::read_to_string(path).expect("the template is there");
    let (_, section) = template
        .split_once(&format!("\n  {function}:\n"))
        .expect("the template has this function");
    let (_, number) = section
        .split_once("ReservedConcurrentExecutions: !If [Reserves, ")
        .expect("it reserves executions");
    let (number, _) = number.split_once(',').expect("a list of three");
    number.parse().expect("a number")
}

/// A function's binary with a process for each execution. A process is started when an event
/// needs it, as Lambda does.
pub struct Limited {
    binary: PathBuf,
    variables: Vec<(&'static str, String)>,
    executions: usize,
    began: Instant,
    state: Mutex<State>,
    counts: watch::Sender<Counts>,
}

#[derive(Default)]
struct State {
    idle: Vec<Function>,
    busy: usize,
    /// The present second, and the requests that the URL took in it.
    second: (u64, usize),
}

/// The events of a function so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that an execution took.
    pub taken: usize,
    /// Those that found no free execution.
    pub throttled: usize,
    /// The requests that were more than the URL takes in their second.
    pub above_rate: usize,
    /// The most executions that were at work side by side.
    pub most_at_once: usize,
}

impl Limited {
    /// Creates a function with this binary, these variables and so many executions.
    pub fn new(binary: PathBuf, variables: Vec<(&'static str, String)>, executions: usize) -> Self {
        Self {
            binary,
            variables,
            executions,
            began: Instant::now(),
            state: Mutex::default(),
            counts: watch::Sender::default(),
        }
    }

    /// Runs an event that the scheduler or the bus hands over. Returns nothing if no execution is
    /// free.
    ///
    /// # Panics
    /// If the function reports an error, does not answer, or ends.
    pub async fn invoke(&self, event: Value, deadline_ms: i64) -> Option<Value> {
        let warm = self.begin()?;
        let function = match warm {
            Some(function) => function,
            None => Function::start(&self.binary, &self.variables).await,
        };
        let answer = function.invoke(event, deadline_ms).await;
        let mut state = self.state();
        state.busy -= 1;
        state.idle.push(function);
        drop(state);
        Some(answer.expect("the function answers"))
    }

    /// Runs a request to the function's URL. Returns nothing where AWS would answer 429 itself.
    ///
    /// # Panics
    /// As [`Self::invoke`] does.
    pub async fn ask(&self, request: Value, deadline_ms: i64) -> Option<Value> {
        self.is_within_rate().then_some(())?;
        self.invoke(request, deadline_ms).await
    }

    /// Returns the counts so far.
    pub fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Waits until the counts are so.
    pub async fn until(&self, holds: impl FnMut(&Counts) -> bool) {
        // The sender lives as long as this function does.
        let _ = self.counts.subscribe().wait_for(holds).await;
    }

    /// Takes an execution: the outer option is empty if none is free, the inner one if its process
    /// has to be started.
    fn begin(&self) -> Option<Option<Function>> {
        let mut state = self.state();
        if state.busy == self.executions {
            self.counts.send_modify(|counts| counts.throttled += 1);
            return None;
        }
        state.busy += 1;
        self.counts.send_modify(|counts| {
            counts.taken += 1;
            counts.most_at_once = counts.most_at_once.max(state.busy);
        });
        Some(state.idle.pop())
    }

    fn is_within_rate(&self) -> bool {
        let second = self.began.elapsed().as_secs();
        let mut state = self.state();
        if state.second.0 != second {
            state.second = (second, 0);
        }
        let fits = state.second.1 < URL_REQUESTS_PER_EXECUTION * self.executions;
        if fits {
            state.second.1 += 1;
        } else {
            self.counts.send_modify(|counts| counts.above_rate += 1);
        }
        fits
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
