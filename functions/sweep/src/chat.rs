//! One Chat channel: looked at, decided upon once more with what the look told, written where
//! something is missing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use domain::{
    Channel, ChatServiceSid, Decision, LastStep, Outcome, Progress, ProxySessionSid, Remedy,
    Timestamp, decide,
};
use tokio::sync::Mutex;
use twilio::rest::chat_closer::{ChatClosed, ChatOrder, CloseFailure, ClosingAction, look_at_chat};
use twilio::rest::{Client, TwilioError};

use crate::settings::{Action, Mode, Plan};
use crate::summary::Came;

/// How often a write is tried, each time after a fresh look: an attempt whose answer was lost
/// may have had its effect, and others may have written meanwhile.
const WRITES: usize = 3;

/// The first wait between two tries of one write; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Closes Chat channels of one service.
pub(crate) struct Chat {
    twilio: Client,
    service: ChatServiceSid,
    plan: Plan,
}

/// What became of a channel.
pub(crate) enum Closed {
    /// It is as this step wants it.
    Step {
        progress: Progress,
        came: Came,
        /// The Proxy session that Flex is to end now.
        session: Option<ProxySessionSid>,
    },
    /// It would have been written to, if this were not an observation.
    WouldWrite,
    /// No more channels may be written to.
    MayNot,
}

impl Chat {
    pub(crate) fn new(twilio: Client, service: ChatServiceSid, plan: Plan) -> Self {
        Self {
            twilio,
            service,
            plan,
        }
    }

    /// Takes the next step with a channel. Whether it is long-lived is remembered in `channel`.
    pub(crate) async fn close(
        &self,
        channel: &mut Channel,
        last_step: LastStep,
        now: Timestamp,
        may_write: impl Fn() -> bool,
    ) -> Result<Closed, CloseFailure> {
        let known_long_lived = channel.long_lived() == Some(true);
        if last_step == LastStep::No && known_long_lived && !self.plan.policy.release_long_lived {
            // What a look would tell is known, and nothing is to be written.
            let outcome = Outcome::LeftAlone;
            return Ok(Closed::Step {
                progress: Progress::Released { at: now, outcome },
                came: came(outcome, Came::Released),
                session: None,
            });
        }
        let may_write = Once::new(may_write);
        let wrote = AtomicBool::new(false);
        let known = Mutex::new(channel);
        let attempt = || async {
            let mut channel = known.lock().await;
            self.attempt(&mut channel, last_step, now, &may_write, &wrote)
                .await
        };
        let waits = ExponentialBuilder::new()
            .with_min_delay(FIRST_WAIT)
            .with_max_times(WRITES - 1)
            .with_jitter();
        attempt
            .retry(waits)
            .when(|failure| wrote.load(Ordering::Relaxed) && may_pass(failure))
            .await
    }

    async fn attempt(
        &self,
        channel: &mut Channel,
        last_step: LastStep,
        now: Timestamp,
        may_write: &Once<impl Fn() -> bool>,
        wrote: &AtomicBool,
    ) -> Result<Closed, CloseFailure> {
        let policy = &self.plan.policy;
        let order = ChatOrder {
            service: self.service,
            channel: channel.sid(),
            last_step,
            action: match self.plan.action {
                Action::Inactivate => ClosingAction::Inactivate,
                Action::Delete => ClosingAction::Delete,
            },
        };
        let mut plan = look_at_chat(&self.twilio, order, policy).await?;
        if let Some(long_lived) = plan.long_lived() {
            channel.observe_long_lived(long_lived, now);
            // A channel that turns out to be long-lived may have waited for its reset, too.
            if let Decision::Reset(_) = decide(channel, policy, now) {
                plan = plan.for_step(LastStep::Yes, policy);
            }
        }
        let writes = matches!(
            plan.remedy(),
            Some(Remedy::Release | Remedy::Inactivate | Remedy::Reset)
        );
        let resets = plan.remedy() == Some(Remedy::Reset);
        if writes && self.plan.mode == Mode::Observe {
            return Ok(Closed::WouldWrite);
        }
        if writes && !may_write.ask() {
            return Ok(Closed::MayNot);
        }
        let wrote_before = wrote.load(Ordering::Relaxed);
        wrote.store(wrote_before || writes, Ordering::Relaxed);
        let mut closed = plan.carry_out(&self.twilio).await?;
        if wrote_before && closed.outcome == Outcome::AlreadyClean {
            // It was our own earlier attempt, whose answer was lost.
            closed.outcome = Outcome::Written;
        }
        if resets && closed.outcome == Outcome::Written {
            channel.observe_long_lived(false, now);
        }
        Ok(step(&closed, now))
    }
}

fn step(closed: &ChatClosed, now: Timestamp) -> Closed {
    let progress = closed.progress(now);
    let written = match progress {
        Progress::Released { .. } => Came::Released,
        Progress::Closed { .. } | Progress::Untouched | Progress::Failed { .. } => Came::Closed,
    };
    let closed_by_us =
        written == Came::Closed && matches!(closed.outcome, Outcome::Written | Outcome::Deleted);
    Closed::Step {
        came: came(closed.outcome, written),
        progress,
        session: closed.proxy_session.filter(|_| closed_by_us),
    }
}

fn came(outcome: Outcome, written: Came) -> Came {
    match outcome {
        Outcome::Written | Outcome::Deleted => written,
        Outcome::AlreadyClean | Outcome::LeftAlone => Came::AlreadyClean,
        Outcome::Gone => Came::Gone,
    }
}

fn may_pass(failure: &CloseFailure) -> bool {
    match failure {
        CloseFailure::NotKept => true,
        CloseFailure::Twilio(error) => TwilioError::may_pass(error),
        CloseFailure::NotAnObject(_) | CloseFailure::NoSuchService(_) => false,
    }
}

/// Asks once and remembers the answer: a write that is tried again is still one write.
struct Once<F> {
    ask: F,
    granted: AtomicBool,
}

impl<F: Fn() -> bool> Once<F> {
    fn new(ask: F) -> Self {
        Self {
            ask,
            granted: AtomicBool::new(false),
        }
    }

    fn ask(&self) -> bool {
        if !self.granted.load(Ordering::Relaxed) {
            self.granted.store((self.ask)(), Ordering::Relaxed);
        }
        self.granted.load(Ordering::Relaxed)
    }
}
