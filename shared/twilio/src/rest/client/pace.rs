//! The number of calls that are made side by side.
//!
//! Twilio's limits are not documented for all products, differ between accounts and are
//! shared with the customer's own software. So the limit is found by trying, as TCP does:
//! each round of successes allows one more call at a time, a 429 halves what is allowed and
//! lets everybody pause. Calls that were under way when it was halved say nothing new: it is
//! halved at most once in a round trip.
//!
//! It is written here because none of the published limiters fits. `congestion-limiter`,
//! `rate_limiter_aimd` and `throttle-net` read the system's clock themselves, which neither
//! a paused test nor a simulation can set, have no pause that all calls share, and cut once
//! per failure; `scalo` brings a whole runtime.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::error::TwilioError;

/// The longest that everybody is made to pause. Whether to come back after a longer time is
/// for the caller to decide, who is told.
const MAX_PAUSE: Duration = Duration::from_secs(60);

pub(in crate::rest) struct Pace {
    most: usize,
    slots: Semaphore,
    state: Mutex<State>,
}

struct State {
    /// The number of calls that may be under way.
    allowed: usize,
    /// Slots that are still in use and will not be given out again.
    owed: usize,
    /// Successes since the last change.
    successes: usize,
    halved_at: Option<Instant>,
    paused_until: Option<Instant>,
}

/// The right to make one call.
pub(in crate::rest) struct Slot<'a> {
    pace: &'a Pace,
    permit: Option<SemaphorePermit<'a>>,
    taken_at: Instant,
}

impl Pace {
    /// A pace of so many calls at a time at most, and one at least.
    pub(in crate::rest) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            most,
            slots: Semaphore::new(most),
            state: Mutex::new(State {
                allowed: most,
                owed: 0,
                successes: 0,
                halved_at: None,
                paused_until: None,
            }),
        }
    }

    /// Waits for a slot and for the end of a pause. A pause that lasts beyond the deadline is
    /// not waited for.
    pub(in crate::rest) async fn slot(&self, deadline: Instant) -> Result<Slot<'_>, TwilioError> {
        let permit = match timeout_at(deadline, self.slots.acquire()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) | Err(_) => return Err(TwilioError::Throttled { retry_after: None }),
        };
        let mut slot = Slot {
            pace: self,
            permit: Some(permit),
            taken_at: Instant::now(),
        };
        // A pause may have been prolonged while it was waited for.
        loop {
            let paused_until = self.lock().paused_until;
            let Some(until) = paused_until.filter(|until| *until > slot.taken_at) else {
                return Ok(slot);
            };
            if until > deadline {
                let retry_after = Some(until - slot.taken_at);
                return Err(TwilioError::Throttled { retry_after });
            }
            sleep_until(until).await;
            slot.taken_at = Instant::now();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot<'_> {
    /// The call was answered.
    pub(in crate::rest) fn succeeded(&self) {
        let mut state = self.pace.lock();
        if !self.is_news(&state) || state.allowed >= self.pace.most {
            return;
        }
        state.successes += 1;
        if state.successes < state.allowed {
            return;
        }
        state.successes = 0;
        state.allowed += 1;
        if state.owed > 0 {
            state.owed -= 1;
        } else {
            self.pace.slots.add_permits(1);
        }
    }

    /// The call was one too many: no call is made for so long, and then fewer at a time.
    pub(in crate::rest) fn throttled(&self, pause: Duration) {
        let now = Instant::now();
        let mut state = self.pace.lock();
        let until = now + pause.min(MAX_PAUSE);
        state.paused_until = state.paused_until.max(Some(until));
        if !self.is_news(&state) {
            return;
        }
        let fewer = state.allowed - (state.allowed / 2).max(1);
        state.allowed -= fewer;
        state.owed += fewer - self.pace.slots.forget_permits(fewer);
        state.successes = 0;
        state.halved_at = Some(now);
    }

    fn is_news(&self, state: &State) -> bool {
        state.halved_at.is_none_or(|halved| self.taken_at > halved)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.lock();
        if state.owed > 0
            && let Some(permit) = self.permit.take()
        {
            state.owed -= 1;
            permit.forget();
        }
    }
}

/// Keeps calls of one kind apart, where Twilio counts them by the second.
pub(in crate::rest) struct Spacing {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Spacing {
    /// Returns a spacing with this gap between the beginnings of two calls.
    pub(in crate::rest) fn new(gap: Duration) -> Self {
        Self {
            gap,
            next: Mutex::default(),
        }
    }

    /// Waits for the turn of one call. A turn beyond the deadline is not waited for.
    pub(in crate::rest) async fn turn(&self, deadline: Instant) -> Result<(), TwilioError> {
        let now = Instant::now();
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = next.map_or(now, |next| next.max(now));
            if at > deadline {
                let retry_after = Some(at - now);
                return Err(TwilioError::Throttled { retry_after });
            }
            *next = Some(at + self.gap);
            at
        };
        if at > now {
            sleep_until(at).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    async fn slots(pace: &Pace, count: usize) -> Vec<Slot<'_>> {
        let mut slots = Vec::new();
        for _ in 0..count {
            slots.push(pace.slot(soon()).await.unwrap());
        }
        slots
    }

    /// Returns the number of slots that can be had at once.
    async fn free(pace: &Pace) -> usize {
        let mut slots = Vec::new();
        while let Ok(slot) = pace.slot(Instant::now()).await {
            slots.push(slot);
        }
        slots.len()
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_round_trip_halves_once_and_everybody_pauses() {
        let pace = Pace::new(8);
        let under_way = slots(&pace, 8).await;
        tokio::time::sleep(Duration::from_millis(80)).await;
        for slot in &under_way {
            slot.throttled(PAUSE);
        }
        assert_eq!(free(&pace).await, 0);
        drop(under_way);

        let paused = pace.slot(Instant::now()).await.err();
        let retry_after = Some(PAUSE);
        assert_eq!(paused, Some(TwilioError::Throttled { retry_after }));
        let start = Instant::now();
        drop(slots(&pace, 1).await);
        assert_eq!(start.elapsed(), PAUSE);
        assert_eq!(free(&pace).await, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn it_never_falls_below_one_and_grows_by_one_a_round() {
        let pace = Pace::new(4);
        for _ in 0..5 {
            slots(&pace, 1).await[0].throttled(PAUSE);
        }
        drop(slots(&pace, 1).await);
        assert_eq!(free(&pace).await, 1);
        for (rounds, allowed) in [(1, 2), (2, 3), (3, 4), (8, 4)] {
            for _ in 0..rounds {
                slots(&pace, 1).await[0].succeeded();
            }
            assert_eq!(free(&pace).await, allowed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_dropped_gives_its_slot_back() {
        let pace = Pace::new(2);
        let first = slots(&pace, 2).await;
        let waiting = tokio::time::timeout(PAUSE, pace.slot(soon()));
        assert!(waiting.await.is_err());
        drop(first);
        assert_eq!(free(&pace).await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_absurd_pause_is_cut_short() {
        let pace = Pace::new(1);
        slots(&pace, 1).await[0].throttled(Duration::MAX);
        tokio::time::sleep(MAX_PAUSE).await;
        assert_eq!(free(&pace).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn spaced_calls_take_turns_and_none_waits_beyond_its_deadline() {
        let spacing = Spacing::new(PAUSE);
        let start = Instant::now();
        for turn in 0..4 {
            spacing.turn(soon()).await.unwrap();
            assert_eq!(start.elapsed(), PAUSE * turn);
        }
        let refused = spacing.turn(Instant::now()).await;
        let retry_after = Some(PAUSE);
        assert_eq!(refused, Err(TwilioError::Throttled { retry_after }));
        // A call that was refused took no turn, and time that passes is not saved up.
        tokio::time::sleep(PAUSE * 5).await;
        let start = Instant::now();
        spacing.turn(soon()).await.unwrap();
        spacing.turn(soon()).await.unwrap();
        assert_eq!(start.elapsed(), PAUSE);
    }
}
