//! One run over the channels that are due: portion by portion, side by side, until there are no
//! more or something says stop.
//!
//! A portion is a handful of channels that TaskRouter is asked about in one question, just
//! before they are read. So a look is seconds old when a channel is written to, a refused
//! question puts off its own portion only, and a run closes something at any backlog. Portions
//! are taken in turns from the oldest and from the newest end of what is due: today's customers
//! do not wait behind a month's backlog.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Queue, Timestamp};
use futures::stream::{self, StreamExt};
use runtime::clock::Watch;
use runtime::lock;
use store::Due;
use twilio::rest::{Client, TwilioError};

use crate::closing::Closer;
use crate::guard::Guard;
use crate::mark::{ChannelReport, Marked, publish_and_mark};
use crate::open_tasks::{OpenTasks, PortionLook};
use crate::settings::{Mode, Settings};
use crate::summary::{ChannelResult, Stop, Summary};

/// The time that one channel takes when Twilio is slow; none is begun when less is left.
pub(crate) const TIME_FOR_ONE: Duration = Duration::from_secs(30);

/// The time that publishing and marking take; a channel that is not done with by then is put off.
pub(crate) const TIME_TO_MARK: Duration = Duration::from_secs(10);

/// The most channels that one question to TaskRouter names.
const MAX_PORTION: usize = 40;

/// A look that is older than this is taken again for the channel in hand.
pub(crate) const MAX_LOOK_AGE: Duration = Duration::from_secs(5);

/// The number of channels that are published and marked at once: as many as the bus takes in
/// one request.
const MARKED_AT_ONCE: usize = 10;

/// The number of failures in a row after which Twilio is taken to be down.
const DOWN_AFTER: usize = 10;

/// One run.
pub(crate) struct Run<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) twilio: Client,
    pub(crate) open_tasks: OpenTasks,
    pub(crate) closer: Closer,
    pub(crate) guard: Guard<'a>,
    pub(crate) watch: Watch,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stop: Option<Stop>,
    rescues: usize,
    silent_in_a_row: usize,
}

/// The result for one due channel before it is marked.
pub(crate) enum Processed {
    /// Done with at Twilio; to be published and marked.
    Report(Box<ChannelReport>),
    /// Nothing to publish.
    Counted(ChannelResult),
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        twilio: Client,
        open_tasks: OpenTasks,
        closer: Closer,
        guard: Guard<'a>,
        watch: Watch,
    ) -> Self {
        Self {
            settings,
            twilio,
            open_tasks,
            closer,
            guard,
            watch,
            state: Mutex::default(),
        }
    }

    /// Works on all due channels, several at a time; a slow or bad one holds up no other.
    pub(crate) async fn all(&self, due: Vec<Due>) -> Summary {
        let settings = self.settings;
        let plan = &settings.plan;
        let (policy, now) = (&plan.policy, self.watch.now());
        let stuck_wrap_ups = self.open_tasks.report_stuck_wrap_ups(policy, now);
        let summary = Mutex::new(Summary {
            due: due.len(),
            open_tasks: self.open_tasks.count(),
            stuck_wrap_ups,
            ..Summary::default()
        });
        let count = |result| lock(&summary).count(result);
        stream::iter(in_portions(due, plan.concurrency))
            .map(|portion| self.look(portion))
            .buffered(1)
            .flat_map(stream::iter)
            .map(|(due, look)| async move {
                let processed = self.one(due, look).await;
                self.guard.is_done_with_one();
                processed
            })
            .buffer_unordered(plan.concurrency)
            .filter_map(|processed| {
                std::future::ready(match processed {
                    Processed::Report(news) => Some(*news),
                    Processed::Counted(result) => {
                        count(result);
                        None
                    }
                })
            })
            .chunks(MARKED_AT_ONCE)
            .map(|news| async {
                let queues: Vec<Queue> = news.iter().map(|one| one.queue).collect();
                let marked = publish_and_mark(
                    &settings.table,
                    &settings.bus,
                    plan.policy.retention,
                    news,
                    self.watch.now(),
                );
                queues.into_iter().zip(marked.await)
            })
            .buffer_unordered(plan.concurrency)
            .for_each(|marked| {
                for (queue, marked) in marked {
                    let marked = marked.unwrap_or_else(|error| {
                        tracing::error!(%error, "a channel could not be marked: next time again");
                        Marked {
                            result: ChannelResult::Deferred,
                            raced: false,
                            unheard: false,
                            not_rescued: None,
                        }
                    });
                    let mut summary = lock(&summary);
                    summary.count_of(queue, marked.result);
                    summary.raced += usize::from(marked.raced);
                    summary.unheard += usize::from(marked.unheard);
                    if let Some(why) = marked.not_rescued {
                        *summary.not_rescued.entry(why.name()).or_default() += 1;
                    }
                }
                std::future::ready(())
            })
            .await;
        let summary = lock(&summary).clone();
        Summary {
            stopped: self.stopped(),
            ..summary
        }
    }

    /// Returns true if this run observes, and writes nothing at Twilio.
    pub(crate) fn observes(&self) -> bool {
        self.closer.plan.mode == Mode::Observe
    }

    /// Reserves a portion and asks TaskRouter about it. What is only to be inspected has an
    /// open task that is known, and is not closed in the same breath.
    async fn look(&self, portion: Vec<Due>) -> Vec<(Due, Option<Arc<PortionLook>>)> {
        if !self.must_stop() {
            match self.guard.reserve(portion.len(), self.watch.now()).await {
                Ok(None) => {}
                Ok(Some(why)) => self.stop(why),
                Err(error) => {
                    tracing::error!(%error, "the fuse could not be read: nothing more is written");
                    self.stop(Stop::TableIsDown);
                }
            }
        }
        let look = match self.must_stop() {
            true => None,
            false => {
                let to_close = portion.iter().filter(|due| due.queue != Queue::Inspect);
                let channels = to_close.map(|due| due.channel).collect();
                self.ask_about(channels).await.map(Arc::new)
            }
        };
        portion.into_iter().map(|due| (due, look.clone())).collect()
    }

    pub(crate) async fn ask_about(
        &self,
        channels: BTreeSet<domain::ChannelSid>,
    ) -> Option<PortionLook> {
        let now = self.watch.now();
        match self.open_tasks.look_for(&self.twilio, channels, now).await {
            Ok(look) => Some(look),
            Err(error) => {
                tracing::warn!(%error, "TaskRouter was not asked about a portion: put off");
                match error {
                    TwilioError::Unauthorized { .. } => self.stop(Stop::Unauthorized),
                    TwilioError::Unreachable { .. } => self.note_silence(),
                    TwilioError::Throttled { .. }
                    | TwilioError::Refused { .. }
                    | TwilioError::Gone
                    | TwilioError::Conflict => {}
                }
                None
            }
        }
    }

    pub(crate) fn stop(&self, why: Stop) {
        lock(&self.state).stop.get_or_insert(why);
    }

    fn stopped(&self) -> Option<Stop> {
        lock(&self.state).stop
    }

    pub(crate) fn must_stop(&self) -> bool {
        if self.watch.runs_low(TIME_FOR_ONE) {
            self.stop(Stop::OutOfTime);
        }
        self.stopped().is_some()
    }

    /// Notes that Twilio did not answer; many times in a row end the run.
    pub(crate) fn note_silence(&self) {
        let mut state = lock(&self.state);
        state.silent_in_a_row += 1;
        if state.silent_in_a_row >= DOWN_AFTER {
            state.stop.get_or_insert(Stop::TwilioIsDown);
        }
    }

    pub(crate) fn note_answer(&self) {
        lock(&self.state).silent_in_a_row = 0;
    }

    /// Takes one of the writes that a sweep may make, and stops the sweep when there is none
    /// left. Everything that a sweep writes at Twilio asks here first.
    pub(crate) fn may_write(&self) -> bool {
        let may_write = self.guard.may_write();
        if !may_write {
            self.stop(Stop::TooManyCloses);
        }
        may_write
    }

    /// Takes one of the rescues that a sweep may make. Returns false where there is none left.
    pub(crate) fn take_rescue(&self) -> bool {
        let mut state = lock(&self.state);
        let is_left = state.rescues < self.settings.plan.max_rescues;
        state.rescues += usize::from(is_left);
        is_left
    }

    /// Returns whether the sweep has made as many rescues as it may. The others wait for the
    /// next sweep, which stops no closing.
    pub(crate) fn rescue_limit_is_reached(&self) -> bool {
        lock(&self.state).rescues >= self.settings.plan.max_rescues
    }
}

/// Cuts what is due into portions, in turns from the oldest and from the newest end. A portion
/// is small enough that its last channel is read within seconds of the question, and large
/// enough that the questions take little of the run's time.
fn in_portions(due: Vec<Due>, concurrency: usize) -> Vec<Vec<Due>> {
    let size = (3 * concurrency).clamp(1, MAX_PORTION);
    let mut rest = due.as_slice();
    let mut portions = Vec::with_capacity(rest.len().div_ceil(size));
    let mut from_front = true;
    while !rest.is_empty() {
        let taken = size.min(rest.len());
        let portion = match from_front {
            true => {
                let (portion, others) = rest.split_at(taken);
                rest = others;
                portion
            }
            false => {
                let (others, portion) = rest.split_at(rest.len() - taken);
                rest = others;
                portion
            }
        };
        portions.push(portion.to_vec());
        from_front = !from_front;
    }
    portions
}

/// Returns whether a look is too old to write by.
pub(crate) fn is_stale(look: &PortionLook, now: Timestamp) -> bool {
    now.since(look.looked_at) > MAX_LOOK_AGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_take_turns_with_the_oldest() {
        let due: Vec<Due> = (0..100)
            .map(|number| Due {
                channel: format!("CH{number:031x}1").parse().unwrap(),
                queue: Queue::Ended,
                since: Timestamp::from_millis(number),
            })
            .collect();
        let portions = in_portions(due, 10);
        let firsts: Vec<i64> = portions
            .iter()
            .map(|portion| portion[0].since.as_millis())
            .collect();
        assert_eq!(firsts, [0, 70, 30, 60]);
        assert_eq!(portions.iter().map(Vec::len).sum::<usize>(), 100);
    }
}
