//! One run over the channels that are due: side by side, each on its own, until there are no
//! more or something says stop.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{
    Channel, Decision, FailureReason, LastStep, Progress, ProxySessionSid, Queue, Timestamp, decide,
};
use futures::stream::{self, StreamExt};
use store::{Due, Saved, StoreError, Versioned};
use tokio::time::{Instant, timeout_at};
use twilio::rest::{Client, TwilioError};

use crate::closer::{Closed, Closer, Unclosed};
use crate::live::Live;
use crate::settings::{Mode, Settings};
use crate::settle::{Done, Settled, settle};
use crate::summary::{Came, Stop, Summary};

/// What one channel takes when Twilio is slow; no channel is begun when less time is left.
const TIME_FOR_ONE: Duration = Duration::from_secs(30);

/// What telling and marking take; a channel that is not done with by then is put off.
const TIME_TO_SETTLE: Duration = Duration::from_secs(10);

/// How many channels are told and marked at once: as many as the bus takes in one call.
const SETTLED_AT_ONCE: usize = 10;

/// After so many channels in a row that Twilio did not answer for, it is taken to be down.
const DOWN_AFTER: usize = 10;

/// One run.
pub(crate) struct Run<'a> {
    settings: &'a Settings,
    twilio: Client,
    live: Live,
    closer: Closer,
    watch: Watch,
    state: Mutex<State>,
}

/// The time of a run: the moment that it was given at its start, and how long it may take.
#[derive(Clone, Copy)]
pub(crate) struct Watch {
    started: Timestamp,
    began: Instant,
    budget: Duration,
}

impl Watch {
    pub(crate) fn new(started: Timestamp, budget: Duration) -> Self {
        Self {
            started,
            began: Instant::now(),
            budget,
        }
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.started.plus(self.began.elapsed())
    }

    /// Whether there is no time for another channel. A run that is given little time may
    /// still use most of it.
    pub(crate) fn runs_low(&self) -> bool {
        let reserve = TIME_FOR_ONE.min(self.budget / 4);
        self.began.elapsed() + reserve > self.budget
    }

    /// When the last channel must be done with, so that it can still be told and marked.
    fn hands_down(&self) -> Instant {
        let reserve = TIME_TO_SETTLE.min(self.budget / 8);
        self.began + self.budget.saturating_sub(reserve)
    }
}

#[derive(Default)]
struct State {
    stop: Option<Stop>,
    writes: usize,
    silent_in_a_row: usize,
}

/// What became of one due channel before it is settled.
enum Tended {
    /// Done with at Twilio; to be told and marked.
    Done(Box<Done>),
    /// Nothing to tell.
    Came(Came),
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        twilio: Client,
        live: Live,
        closer: Closer,
        watch: Watch,
    ) -> Self {
        Self {
            settings,
            twilio,
            live,
            closer,
            watch,
            state: Mutex::default(),
        }
    }

    /// Works on all due channels side by side; a slow or bad one holds up no other.
    pub(crate) async fn all(&self, due: Vec<Due>) -> Summary {
        let settings = self.settings;
        let counts = Mutex::new(Summary {
            due: due.len(),
            open_tasks: self.live.len(),
            ..Summary::default()
        });
        let count = |came| lock(&counts).count(came);
        stream::iter(due)
            .map(|due| self.one(due))
            .buffer_unordered(settings.plan.concurrency)
            .filter_map(|tended| {
                std::future::ready(match tended {
                    Tended::Done(done) => Some(*done),
                    Tended::Came(came) => {
                        count(came);
                        None
                    }
                })
            })
            .chunks(SETTLED_AT_ONCE)
            .map(|done| async {
                let works: Vec<Queue> = done.iter().map(|done| done.queue).collect();
                let settled = settle(
                    &settings.table,
                    &settings.bus,
                    settings.plan.policy.retention,
                    done,
                    self.watch.now(),
                );
                works.into_iter().zip(settled.await)
            })
            .buffer_unordered(settings.plan.concurrency)
            .for_each(|settled| {
                for (work, result) in settled {
                    let settled = result.unwrap_or_else(|error| {
                        tracing::error!(%error, "a channel could not be marked: next time again");
                        Settled {
                            came: Came::Deferred,
                            raced: false,
                        }
                    });
                    lock(&counts).count_of(work, settled.came);
                    lock(&counts).raced += usize::from(settled.raced);
                }
                std::future::ready(())
            })
            .await;
        let counts = lock(&counts).clone();
        Summary {
            stopped: self.stopped(),
            ..counts
        }
    }

    async fn one(&self, due: Due) -> Tended {
        if self.must_stop() {
            return Tended::Came(Came::Left);
        }
        // Dropped in the middle, it is like a crash there: the next sweep finds what was done.
        match timeout_at(self.watch.hands_down(), self.tend(due)).await {
            Ok(Ok(tended)) => tended,
            Ok(Err(error)) => {
                tracing::error!(%error, "a channel's record could not be used: next time again");
                Tended::Came(Came::Deferred)
            }
            Err(_elapsed) => {
                tracing::warn!(channel = %due.channel, "out of time in the middle: put off");
                self.stop(Stop::OutOfTime);
                Tended::Came(Came::Deferred)
            }
        }
    }

    async fn tend(&self, due: Due) -> Result<Tended, StoreError> {
        let table = &self.settings.table;
        let policy = &self.settings.plan.policy;
        let Some(before) = table.get(due.channel).await? else {
            return Ok(Tended::Came(Came::NotDue));
        };
        let mut after = before.channel.clone();
        after.end_hold(self.watch.now());
        if let Err(error) = self
            .live
            .tell(&self.twilio, &mut after, self.watch.now())
            .await
        {
            return Ok(Tended::Came(
                self.sort(&error, due).unwrap_or(Came::Deferred),
            ));
        }
        let last_step = match decide(&after, policy, self.watch.now()) {
            Decision::Release(_) => LastStep::No,
            Decision::Reset(_) => LastStep::Yes,
            Decision::EndSession(session) => {
                return self.end_session(before, after, session, due).await;
            }
            Decision::Nothing
            | Decision::Wait(_)
            | Decision::Inspect(_)
            | Decision::InstallWebhook
            | Decision::Park(_)
            | Decision::Unpark(_) => {
                let came = match after.idle() {
                    None => Came::LiveAgain,
                    Some(_) => Came::NotDue,
                };
                return Ok(Tended::Came(self.keep(&before, after, came).await?));
            }
        };
        if !self.live.looked_for(due.channel) {
            // It was due to be inspected, and turns out to be over. Whether another task is
            // open on it was not asked; the next sweep does.
            return Ok(Tended::Came(
                self.keep(&before, after, Came::Deferred).await?,
            ));
        }
        self.close(before, after, last_step, due).await
    }

    async fn close(
        &self,
        before: Versioned,
        mut after: Channel,
        last_step: LastStep,
        due: Due,
    ) -> Result<Tended, StoreError> {
        let may_write = || self.may_write();
        let now = self.watch.now();
        let closed = self.closer.close(&mut after, last_step, now, may_write);
        let reason = match closed.await {
            Ok(Closed::Step(step)) => {
                lock(&self.state).silent_in_a_row = 0;
                return Ok(Tended::Done(Box::new(Done {
                    before,
                    after,
                    progress: step.progress,
                    session: step
                        .session
                        .filter(|_| self.settings.proxy_service.is_some()),
                    queue: due.queue,
                    came: step.came,
                })));
            }
            Ok(Closed::WouldWrite) => return Ok(Tended::Came(Came::WouldWrite)),
            Ok(Closed::MayNot) => return Ok(Tended::Came(Came::Left)),
            Err(Unclosed::NotNow) => return Ok(Tended::Came(Came::Deferred)),
            Err(Unclosed::NoSuchService) => {
                tracing::error!(channel = %due.channel, "the chat service is not there");
                self.stop(Stop::ServiceIsGone);
                return Ok(Tended::Came(Came::Left));
            }
            Err(Unclosed::NotAnObject) => FailureReason::AttributesNotAnObject,
            Err(Unclosed::NotKept) => FailureReason::Refused,
            Err(Unclosed::Twilio(error)) => match (self.sort(&error, due), error) {
                (Some(came), _) => return Ok(Tended::Came(came)),
                (None, TwilioError::Unreachable { .. }) => FailureReason::Unreachable,
                (None, _) => FailureReason::Refused,
            },
        };
        self.fail(before, after, reason, due).await
    }

    /// Makes sure that a closed channel's Proxy session is gone. Flex should have ended it;
    /// while it is there, the customer's next message goes to the closed channel.
    async fn end_session(
        &self,
        before: Versioned,
        mut after: Channel,
        session: ProxySessionSid,
        due: Due,
    ) -> Result<Tended, StoreError> {
        let Some(service) = self.settings.proxy_service else {
            // The setting was taken back.
            after.note_session_ended();
            return Ok(Tended::Came(self.keep(&before, after, Came::NotDue).await?));
        };
        if self.settings.plan.mode == Mode::Observe {
            return Ok(Tended::Came(Came::WouldWrite));
        }
        let came = match self.twilio.delete_proxy_session(service, session).await {
            Ok(_) => {
                after.note_session_ended();
                Came::SessionEnded
            }
            Err(error) => match self.sort(&error, due) {
                Some(came) => return Ok(Tended::Came(came)),
                None => {
                    after.note_session_failure(self.watch.now());
                    Came::Retried
                }
            },
        };
        Ok(Tended::Came(self.keep(&before, after, came).await?))
    }

    /// Records a failed try; when it was the last, the channel is given up and that is told.
    async fn fail(
        &self,
        before: Versioned,
        mut after: Channel,
        reason: FailureReason,
        due: Due,
    ) -> Result<Tended, StoreError> {
        let now = self.watch.now();
        after.note_failure(reason, now);
        let progress = after.cleanup().map(|cleanup| cleanup.progress.clone());
        match progress {
            Some(progress @ Progress::Failed { .. }) => {
                tracing::error!(channel = %after.sid(), %reason, "given up: a person has to look");
                Ok(Tended::Done(Box::new(Done {
                    before,
                    after,
                    progress,
                    session: None,
                    queue: due.queue,
                    came: Came::Failed,
                })))
            }
            _ => Ok(Tended::Came(
                self.keep(&before, after, Came::Retried).await?,
            )),
        }
    }

    /// Writes what was learnt about a channel that is not closed now. If somebody else wrote
    /// meanwhile, they know better.
    async fn keep(
        &self,
        before: &Versioned,
        after: Channel,
        came: Came,
    ) -> Result<Came, StoreError> {
        let table = &self.settings.table;
        Ok(match table.save(before, after, None).await? {
            Saved::Written | Saved::Unchanged => came,
            Saved::Conflict(_) => Came::Deferred,
        })
    }

    /// What an error of Twilio's means for the whole sweep; nothing where it concerns this
    /// channel alone.
    fn sort(&self, error: &TwilioError, due: Due) -> Option<Came> {
        let channel = due.channel;
        match error {
            TwilioError::Unauthorized { .. } => {
                tracing::error!(%channel, %error, "Twilio does not accept our credentials");
                self.stop(Stop::Unauthorized);
                Some(Came::Left)
            }
            TwilioError::Throttled { .. } => {
                tracing::warn!(%channel, %error, "put off");
                Some(Came::Deferred)
            }
            TwilioError::Unreachable { .. } => {
                tracing::warn!(%channel, %error, "no answer");
                let mut state = lock(&self.state);
                state.silent_in_a_row += 1;
                if state.silent_in_a_row >= DOWN_AFTER {
                    state.stop.get_or_insert(Stop::TwilioIsDown);
                }
                None
            }
            TwilioError::Refused { .. } | TwilioError::Gone | TwilioError::Conflict => {
                tracing::warn!(%channel, %error, "refused");
                None
            }
        }
    }

    fn stop(&self, why: Stop) {
        lock(&self.state).stop.get_or_insert(why);
    }

    fn stopped(&self) -> Option<Stop> {
        lock(&self.state).stop
    }

    fn must_stop(&self) -> bool {
        if self.watch.runs_low() {
            self.stop(Stop::OutOfTime);
        }
        self.stopped().is_some()
    }

    /// Takes one of the writes that a sweep may make, and stops the sweep when there is none
    /// left.
    fn may_write(&self) -> bool {
        let mut state = lock(&self.state);
        if state.writes >= self.settings.plan.max_closes {
            state.stop.get_or_insert(Stop::TooManyCloses);
            return false;
        }
        state.writes += 1;
        true
    }
}

/// A poisoned lock only means that a count is off by the one that panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
