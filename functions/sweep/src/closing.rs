//! One channel of either platform: read, judged, written where something is missing, and
//! verified by Twilio's answer.
//!
//! # The order of the requests
//!
//! [`domain::verdict()`] asks for what it needs, one thing after the other, and nothing is
//! written before it says so. A Chat channel costs three requests at most (channel, newest
//! message, write), four where webhooks decide; a Conversation five.
//!
//! None of them is expected to fail. Closing an interaction channel closes its Conversation, so
//! the Conversation is not written to as well; should Twilio leave it open, reconcile finds it.
//! Tasks of an interaction are not touched through TaskRouter; its channel completes them.
//!
//! # The race that stays
//!
//! Neither a Chat channel nor a Conversation can be written to on a condition. What others
//! write between our reading and our writing is overwritten, and a customer who comes back in
//! that time finds the channel closed. The write follows the reading at once and changes two
//! values only. A write whose answer was lost is not repeated: the channel is read again.

mod chat;
mod conversation;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::{Channel, Outcome, Platform, ProxySessionSid, Row, Step, Timestamp, Verdict, unheard};
use twilio::attributes::Attributes;
use twilio::rest::TwilioError;

use crate::look::{Look, LookError, Reader};
use crate::settings::{Mode, Plan};

/// The number of tries of a write, each after a fresh look.
const MAX_WRITES: usize = 3;

/// The first wait between two tries of a write; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Reads and closes channels.
pub(crate) struct Closer {
    pub(crate) reader: Reader,
    pub(crate) plan: Plan,
}

/// The result for one channel that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CloseResult {
    /// The row of the rule that applied.
    pub(crate) row: Row,
    /// The result for the channel.
    pub(crate) action: CloseAction,
    /// The time at which the customer wrote who waits unheard, if one does.
    pub(crate) unheard_since: Option<Timestamp>,
}

/// The result of closing one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseAction {
    /// The step is done, by us or by others.
    Done {
        /// The step.
        step: Step,
        /// The way in which the channel was found or left.
        outcome: Outcome,
        /// The Proxy session that is to be gone soon.
        session: Option<ProxySessionSid>,
    },
    /// The channel is left as it is.
    Left {
        /// The time from which the row would act, if it ever does.
        until: Option<Timestamp>,
    },
    /// It would have been written to, were this not an observation.
    WouldWrite,
    /// No more channels may be written to in this run.
    NotAllowed,
}

/// The reason why a channel was not closed.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CloseError {
    /// It could not be read.
    #[error(transparent)]
    Look(#[from] LookError),
    /// Twilio took the change, and its answer does not show it.
    #[error("Twilio did not keep the change")]
    NotKept,
}

impl From<TwilioError> for CloseError {
    fn from(error: TwilioError) -> Self {
        Self::Look(error.into())
    }
}

impl Closer {
    /// Takes the step that is due on a channel that was read, if one is. `may_write` is asked
    /// before the first write, once; an observing run asks too, and stops at the same number.
    pub(crate) async fn close(
        &self,
        channel: &mut Channel,
        mut look: Look,
        now: Timestamp,
        may_write: impl Fn() -> bool,
    ) -> Result<CloseResult, CloseError> {
        let mut waits = ExponentialBuilder::new()
            .with_min_delay(FIRST_WAIT)
            .with_max_times(MAX_WRITES - 1)
            .with_jitter()
            .build();
        let mut wrote = false;
        loop {
            let verdict = look.verdict;
            let unheard = unheard(channel, &look.evidence, &verdict);
            let result = |action| CloseResult {
                row: verdict.row(),
                action,
                unheard_since: unheard.map(|message| message.at),
            };
            let step = match verdict {
                Verdict::Take { step, .. } => step,
                Verdict::Settled { step, outcome, .. } => {
                    // Found done after a try whose answer was lost: it was ours.
                    let outcome = match wrote && outcome == Outcome::AlreadyClean {
                        true => Outcome::Written,
                        false => outcome,
                    };
                    let session = look.session(channel, step);
                    return Ok(result(CloseAction::Done {
                        step,
                        outcome,
                        session,
                    }));
                }
                Verdict::Leave { until, .. } => return Ok(result(CloseAction::Left { until })),
            };
            if !wrote && !may_write() {
                return Ok(result(CloseAction::NotAllowed));
            }
            if self.plan.mode == Mode::Observe {
                return Ok(result(CloseAction::WouldWrite));
            }
            wrote = true;
            let session = look.session(channel, step);
            let error = match self.write(channel, look, step, now).await {
                Ok(outcome) => {
                    return Ok(result(CloseAction::Done {
                        // A channel that is not there any more has no reset to wait for.
                        step: if outcome == Outcome::Gone {
                            Step::Close
                        } else {
                            step
                        },
                        outcome,
                        session,
                    }));
                }
                Err(error) => error,
            };
            match waits.next() {
                Some(wait) if error.may_pass() => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
            look = self.reader.look(channel, &self.plan.policy, now).await?;
        }
    }

    /// Deletes a channel with its history, whatever it waits for. Returns how it was found or
    /// left, and the Proxy session that leads to it.
    pub(crate) async fn delete(
        &self,
        channel: &Channel,
    ) -> Result<(Outcome, Option<ProxySessionSid>), CloseError> {
        match channel.platform() {
            Platform::Chat => {
                let (_, attributes) = self.reader.read_chat(channel.sid()).await?;
                let session = attributes.as_ref().and_then(Attributes::proxy_session);
                let session = session.or_else(|| channel.orphan_session());
                Ok((self.delete_chat(channel.sid()).await?, session))
            }
            Platform::Conversations => Ok((self.delete_conversation(channel.sid()).await?, None)),
        }
    }

    async fn write(
        &self,
        channel: &mut Channel,
        look: Look,
        step: Step,
        now: Timestamp,
    ) -> Result<Outcome, CloseError> {
        match (channel.platform(), look.attributes) {
            (Platform::Chat, Some(attributes)) => {
                let outcome = self.write_chat(channel.sid(), &attributes, step).await?;
                if step == Step::Close && outcome == Outcome::Written {
                    channel.observe_long_lived(false, now);
                }
                Ok(outcome)
            }
            (Platform::Chat, None) => Err(LookError::NotAnObject.into()),
            (Platform::Conversations, _) => self.write_conversation(channel, &look.evidence).await,
        }
    }
}

impl CloseError {
    fn may_pass(&self) -> bool {
        match self {
            Self::NotKept => true,
            Self::Look(LookError::Twilio(error)) => error.may_pass(),
            Self::Look(LookError::NotAnObject | LookError::NoSuchService(_)) => false,
        }
    }
}
