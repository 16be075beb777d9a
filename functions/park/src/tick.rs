//! The schedule's run, which polls every few seconds for a minute, and the run for a single
//! channel whose customer wrote.

use std::sync::Mutex;
use std::time::Duration;

use domain::{ChannelSid, Queue, Timestamp};
use futures::stream::{self, StreamExt};
use runtime::clock::{UNKNOWN_TIME_LEFT, Watch};
use runtime::lock;
use serde_json::json;
use store::{Job, LastRun};
use twilio::rest::{Client, TwilioError};

use crate::Park;
use crate::error::ParkError;
use crate::moves::Stop;
use crate::summary::{ChannelResult, Summary};
use crate::worker::ChannelWorker;

/// The time for which one run polls: until the next one begins.
const RUN_TIME: Duration = Duration::from_secs(60);

/// The longest time that a poll may take.
const MAX_POLL_TIME: Duration = Duration::from_secs(15);

/// The most parked tasks of one channel that a run brings back; the next run goes on.
const MAX_TASKS_OF_A_CHANNEL: usize = 10;

/// The most channels that are worked on side by side.
const MAX_CHANNELS_AT_ONCE: usize = 10;

impl Park {
    /// Looks for chats as [`Self::tick`] does, and notes the settings and what it came to.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::tick`] does. A note that cannot be written is logged.
    pub async fn tick_scheduled(
        &self,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<Summary, ParkError> {
        let result = self.tick(now, time_left).await;
        let noted = match &result {
            Ok(summary) => json!(summary),
            Err(error) => json!({ "error": error.name() }),
        };
        let run = LastRun::new(now, self.settings().variables(), noted);
        self.settings().table.note_run(Job::Park, &run).await;
        result
    }

    /// Looks for chats to move, now and every few seconds for a minute, or for as long as
    /// there is time. The looks stand on the clock's own grid.
    ///
    /// # Errors
    ///
    /// Fails when nothing can be moved until a person mends it.
    pub async fn tick(&self, now: Timestamp, time_left: Duration) -> Result<Summary, ParkError> {
        let until = now.plus(RUN_TIME.min(time_left.saturating_sub(MAX_POLL_TIME)));
        let mut summary = Summary::default();
        let ended = self
            .polls(Watch::new(now, time_left), until, &mut summary)
            .await;
        ends(summary, ended, now)
    }

    async fn polls(
        &self,
        watch: Watch,
        until: Timestamp,
        summary: &mut Summary,
    ) -> Result<(), ParkError> {
        loop {
            self.poll(watch, summary).await?;
            let pause = to_the_grid(watch.now(), self.settings().poll);
            if watch.now().plus(pause) >= until {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Looks for chats to move, once. Nothing due, no request to Twilio.
    async fn poll(&self, watch: Watch, summary: &mut Summary) -> Result<(), ParkError> {
        let settings = self.settings();
        summary.polls += 1;
        let now = watch.now();
        let due = settings
            .table
            .due_in(Queue::of_park(), &settings.policy, now);
        let mut due = due.await?;
        if due.is_empty() {
            return Ok(());
        }
        let found = due.len();
        let stopped = settings.table.stopped_since().await;
        if !matches!(stopped, Ok(None)) {
            // A person stopped everything, or it is not known. A customer who wrote is brought
            // back all the same: else no agent would see the message.
            due.retain(|due| due.queue == Queue::Unpark);
        }
        if let Err(error) = stopped {
            tracing::error!(%error, "the stop could not be read: no chat is parked");
            summary.due += found - due.len();
            summary.failed += found - due.len();
        }
        if due.is_empty() {
            return Ok(());
        }
        // A waiting customer comes first.
        due.sort_by_key(|due| due.queue != Queue::Unpark);
        let channels = due.into_iter().map(|due| due.channel).collect();
        self.process(channels, watch, summary).await
    }

    /// Brings one channel's chat back, if its customer wrote.
    ///
    /// # Errors
    ///
    /// Fails when nothing can be moved until a person mends it.
    pub async fn reply(&self, channel: ChannelSid, now: Timestamp) -> Result<Summary, ParkError> {
        let mut summary = Summary::default();
        let watch = Watch::new(now, UNKNOWN_TIME_LEFT);
        let ended = self.process(vec![channel], watch, &mut summary).await;
        ends(summary, ended, now)
    }

    async fn process(
        &self,
        channels: Vec<ChannelSid>,
        watch: Watch,
        summary: &mut Summary,
    ) -> Result<(), ParkError> {
        let settings = self.settings();
        let twilio = self.client(watch.now()).await?;
        let calls = Calls::of(&twilio);
        let ids = self.checked().ids(&twilio, settings).await;
        let ids = calls.counted(summary, ids)?;
        let calls = Calls::of(&twilio);
        let worker = ChannelWorker::new(settings, twilio.clone(), ids, watch);
        summary.due += channels.len();
        let counts = Mutex::new(std::mem::take(summary));
        let returned = Mutex::new(Vec::new());
        let stopped = Mutex::new(None);
        stream::iter(channels)
            .for_each_concurrent(MAX_CHANNELS_AT_ONCE, async |channel| {
                // Several tasks of a channel may be parked, and each agent waits for the same
                // message. One that does not come back keeps no other from it.
                let mut comes_back = false;
                for tried in 0..MAX_TASKS_OF_A_CHANNEL {
                    let result = attempt(&worker, channel, &stopped).await;
                    if tried == 0 || result != ChannelResult::NotDue {
                        lock(&counts).count(result);
                    }
                    comes_back |= result == ChannelResult::Returned;
                    if !result.is_settled() {
                        break;
                    }
                }
                if comes_back {
                    lock(&returned).push(channel);
                }
            })
            .await;
        *summary = std::mem::take(&mut *lock(&counts));
        if let Some(error) = lock(&stopped).take() {
            return calls.counted(summary, Err(ParkError::Unauthorized(error)));
        }
        // Only now, with all tasks back: each counts for its agent.
        let returned = std::mem::take(&mut *lock(&returned));
        for channel in returned {
            summary.over_capacity += usize::from(worker.is_over_capacity(channel).await);
        }
        calls.counted(summary, Ok(()))
    }
}

/// Works on a channel, unless Twilio has refused the credentials meanwhile.
async fn attempt(
    worker: &ChannelWorker<'_>,
    channel: ChannelSid,
    stopped: &Mutex<Option<TwilioError>>,
) -> ChannelResult {
    if lock(stopped).is_some() {
        return ChannelResult::Deferred;
    }
    match worker.process(channel).await {
        Ok(result) => result,
        Err(Stop::Store(error)) => {
            tracing::error!(%channel, %error, "its record could not be used: next time again");
            ChannelResult::Failed
        }
        Err(Stop::Unauthorized(error)) => {
            *lock(stopped) = Some(error);
            ChannelResult::Deferred
        }
    }
}

/// The requests of one run: the client has counted others before.
struct Calls<'a> {
    twilio: &'a Client,
    before: u64,
}

impl<'a> Calls<'a> {
    fn of(twilio: &'a Client) -> Self {
        let before = twilio.stats().attempts;
        Self { twilio, before }
    }

    fn counted<T>(&self, summary: &mut Summary, result: T) -> T {
        summary.calls += self.twilio.stats().attempts - self.before;
        result
    }
}

/// Returns the time to the next moment on the grid: at least a millisecond.
fn to_the_grid(now: Timestamp, step: Duration) -> Duration {
    let step = u64::try_from(step.as_millis()).unwrap_or(u64::MAX).max(1);
    let into = now
        .as_millis()
        .rem_euclid(i64::try_from(step).unwrap_or(i64::MAX));
    Duration::from_millis(step - u64::try_from(into).unwrap_or(0))
}

/// Logs a run and its figures, whether or not it got to its end.
fn ends(
    mut summary: Summary,
    ended: Result<(), ParkError>,
    now: Timestamp,
) -> Result<Summary, ParkError> {
    summary.stopped = ended.as_ref().err().map(ParkError::name);
    summary.log();
    summary.write_metrics(now);
    ended.map(|()| summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_stand_on_the_grid() {
        let pause = |millis| to_the_grid(Timestamp::from_millis(millis), Duration::from_secs(10));
        assert_eq!(pause(60_000), Duration::from_secs(10));
        assert_eq!(pause(60_001), Duration::from_millis(9_999));
        assert_eq!(pause(69_999), Duration::from_millis(1));
    }
}
