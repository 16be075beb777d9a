//! The way to the pretend Twilio and back, in process, and what a story does to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use embedded::{Embedded, Fault};
use futures::future::{BoxFuture, FutureExt as _};
use http::{Request, Response};
use jiff::SignedDuration;
use simulator::{Reply, Simulator};
use tokio::sync::Notify;
use tokio::time::Instant;
use twilio::rest::{Transport, TransportError};

/// Changes a request on its way to Twilio.
type Tamper = fn(&mut Request<Bytes>);

/// Where a function dies: at its so-manieth request to Twilio or AWS, counted from 0. Of the reads
/// of the index only the first counts: they go out side by side, and none has an effect.
#[derive(Clone, Copy, Debug)]
pub enum Crash {
    /// The request never gets there.
    Before(usize),
    /// It has its effect, and the answer is lost.
    After(usize),
}

/// A place at which a request waits until the story has gone on.
pub struct Gate {
    reached: Arc<Notify>,
    opened: Arc<Notify>,
}

impl Gate {
    /// Waits until a request is there.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it go on.
    pub fn open(&self) {
        self.opened.notify_one();
    }
}

struct Barrier {
    method: String,
    path: String,
    reached: Arc<Notify>,
    opened: Arc<Notify>,
}

struct Death {
    crash: Crash,
    steps: AtomicUsize,
    died: Arc<Notify>,
}

impl Death {
    /// Returns true if this is the step.
    fn is_now(&self) -> bool {
        let (Crash::Before(at) | Crash::After(at)) = self.crash;
        let now = self.steps.fetch_add(1, Ordering::Relaxed) == at;
        if now {
            self.died.notify_one();
        }
        now
    }
}

pub(super) struct Calls {
    twilio: Simulator,
    opening: jiff::Timestamp,
    began: Instant,
    time: Mutex<Duration>,
    barriers: Mutex<Vec<Barrier>>,
    tampering: Mutex<Option<Tamper>>,
    death: Mutex<Option<Arc<Death>>>,
}

impl Calls {
    pub(super) fn to(twilio: Simulator) -> Self {
        Self {
            opening: twilio.now(),
            began: Instant::now(),
            twilio,
            time: Mutex::default(),
            barriers: Mutex::default(),
            tampering: Mutex::default(),
            death: Mutex::default(),
        }
    }

    /// Twilio's clock is tokio's.
    pub(super) fn keep_time(&self) {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap();
        self.twilio.set_now(self.opening + passed);
    }

    pub(super) fn take(&self, time: Duration) {
        *lock(&self.time) = time;
    }

    pub(super) fn tamper(&self, with: fn(&mut Request<Bytes>)) {
        *lock(&self.tampering) = Some(with);
    }

    pub(super) fn gate_after(&self, method: &str, path: &str) -> Gate {
        let gate = Gate {
            reached: Arc::default(),
            opened: Arc::default(),
        };
        lock(&self.barriers).push(Barrier {
            method: method.to_owned(),
            path: path.to_owned(),
            reached: Arc::clone(&gate.reached),
            opened: Arc::clone(&gate.opened),
        });
        gate
    }

    pub(super) fn die_at(&self, crash: Crash, aws: &Embedded) -> Arc<Notify> {
        let death = Arc::new(Death {
            crash,
            steps: AtomicUsize::new(0),
            died: Arc::default(),
        });
        *lock(&self.death) = Some(Arc::clone(&death));
        let died = Arc::clone(&death.died);
        let mut reads_the_index = false;
        aws.plan_faults(move |call| {
            if call.operation == "Query" && std::mem::replace(&mut reads_the_index, true) {
                return None;
            }
            death.is_now().then_some(match death.crash {
                Crash::Before(_) => Fault::LoseRequest,
                Crash::After(_) => Fault::LoseResponse,
            })
        });
        died
    }

    pub(super) fn live_on(&self) {
        *lock(&self.death) = None;
    }

    async fn answer(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let time = *lock(&self.time);
        if !time.is_zero() {
            tokio::time::sleep_until(Instant::now() + time).await;
        }
        let death = lock(&self.death).clone();
        let dies = death.filter(|death| death.is_now());
        if let Some(Crash::Before(_)) = dies.as_ref().map(|death| death.crash) {
            return std::future::pending().await;
        }
        if let Some(tamper) = *lock(&self.tampering) {
            tamper(&mut request);
        }
        self.keep_time();
        let (method, path) = (request.method().to_string(), request.uri().to_string());
        let reply = self.twilio.handle(request);
        if dies.is_some() {
            return std::future::pending().await;
        }
        let barrier = {
            let mut barriers = lock(&self.barriers);
            let mut waiting = barriers.iter();
            let here = |barrier: &Barrier| {
                barrier.method == method && path.contains(barrier.path.as_str())
            };
            waiting.position(here).map(|found| barriers.remove(found))
        };
        if let Some(barrier) = barrier {
            barrier.reached.notify_one();
            barrier.opened.notified().await;
        }
        match reply {
            Reply::Answer(response) => Ok(response),
            Reply::Hang => std::future::pending().await,
            Reply::Drop => Err(TransportError::Broken("reset".to_owned())),
        }
    }
}

impl Transport for Calls {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.answer(request).boxed()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}
