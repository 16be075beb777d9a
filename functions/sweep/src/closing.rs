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
use domain::{
    Channel, ChatServiceSid, ChatState, Evidence, Outcome, Platform, ProxySessionSid, Question,
    Row, Step, Timestamp, Verdict, unheard, verdict,
};
use twilio::attributes::Attributes;
use twilio::rest::{Client, TwilioError};

use crate::settings::{Mode, Plan};

/// The number of tries of a write, each after a fresh look.
const MAX_WRITES: usize = 3;

/// The first wait between two tries of a write; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Reads and closes channels of one Chat or Conversations service; Flex has one for both.
pub(crate) struct Closer {
    pub(crate) twilio: Client,
    pub(crate) service: ChatServiceSid,
    pub(crate) plan: Plan,
    /// The URL of our own webhook, so that it is not taken for a program's.
    pub(crate) webhook_url: Option<String>,
}

/// The result for one channel that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CloseResult {
    /// The row of the rule that applied.
    pub(crate) row: Row,
    /// What became of the channel.
    pub(crate) action: CloseAction,
    /// The time at which the customer wrote who waits unheard, if one does.
    pub(crate) unheard_since: Option<Timestamp>,
}

/// What became of one channel.
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
    /// Its attributes are not an object: a person has to look.
    #[error("its attributes are not a JSON object")]
    NotAnObject,
    /// Twilio took the change, and its answer does not show it.
    #[error("Twilio did not keep the change")]
    NotKept,
    /// The service is not there, so nothing that Twilio says of its channels can be believed.
    #[error("Twilio does not know the service {0}")]
    NoSuchService(ChatServiceSid),
    /// The request failed.
    #[error(transparent)]
    Twilio(#[from] TwilioError),
}

/// What was read about one channel: the evidence, and the attributes to write back.
#[derive(Default)]
struct Look {
    evidence: Evidence,
    attributes: Option<Attributes>,
}

impl Closer {
    /// Reads a channel and takes the step that is due, if one is. Whether it is long-lived is
    /// noted in `channel`. `may_write` is asked before the first write, once.
    pub(crate) async fn close(
        &self,
        channel: &mut Channel,
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
            let (look, verdict) = self.look(channel, now).await?;
            let unheard = unheard(channel, &look.evidence, &verdict);
            let result = |action| CloseResult {
                row: verdict.row().unwrap_or(Row::OpenTask),
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
                Verdict::Ask(_) => return Err(TwilioError::unanswered().into()),
            };
            if self.plan.mode == Mode::Observe {
                return Ok(result(CloseAction::WouldWrite));
            }
            if !wrote && !may_write() {
                return Ok(result(CloseAction::NotAllowed));
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
        }
    }

    /// Reads what the rule asks for, until it decides.
    async fn look(
        &self,
        channel: &mut Channel,
        now: Timestamp,
    ) -> Result<(Look, Verdict), CloseError> {
        let mut look = Look::default();
        loop {
            let verdict = verdict(channel, &look.evidence, &self.plan.policy, now);
            let Verdict::Ask(question) = verdict else {
                return Ok((look, verdict));
            };
            self.answer(question, channel, &mut look, now).await?;
        }
    }

    async fn answer(
        &self,
        question: Question,
        channel: &mut Channel,
        look: &mut Look,
        now: Timestamp,
    ) -> Result<(), CloseError> {
        let (twilio, service, sid) = (&self.twilio, self.service, channel.sid());
        let ours = self.webhook_url.as_deref();
        let evidence = &mut look.evidence;
        match (question, channel.platform()) {
            (Question::Chat, _) => {
                let (state, attributes) = self.read_chat(sid).await?;
                if let ChatState::Present { long_lived, .. } = state {
                    channel.observe_long_lived(long_lived, now);
                }
                look.evidence.chat = Some(state);
                look.attributes = attributes;
            }
            (Question::Interaction, _) => {
                if let Some(interaction) = channel.interaction() {
                    evidence.interaction = Some(twilio.interaction_channel(interaction).await?);
                }
            }
            (Question::Conversation, _) => {
                evidence.conversation = Some(self.read_conversation(sid).await?);
            }
            (Question::LastMessage, Platform::Chat) => {
                evidence.last_message = Some(twilio.chat_last_message(service, sid).await?);
            }
            (Question::LastMessage, Platform::Conversations) => {
                let message = twilio.conversation_last_message(service, sid).await?;
                evidence.last_message = Some(message);
            }
            (Question::Webhooks, Platform::Chat) => {
                evidence.webhooks = Some(twilio.chat_webhooks(service, sid, ours).await?);
            }
            (Question::Webhooks, Platform::Conversations) => {
                let webhooks = twilio.conversation_webhooks(service, sid, ours).await?;
                evidence.webhooks = Some(webhooks);
            }
            (Question::Participants, _) => {
                let present = twilio.agent_in_conversation(service, sid).await?;
                evidence.agent_present = Some(present);
            }
        }
        Ok(())
    }

    /// Deletes a channel with its history, whatever it waits for. Returns how it was found or
    /// left, and the Proxy session that leads to it.
    pub(crate) async fn delete(
        &self,
        channel: &Channel,
    ) -> Result<(Outcome, Option<ProxySessionSid>), CloseError> {
        match channel.platform() {
            Platform::Chat => {
                let (_, attributes) = self.read_chat(channel.sid()).await?;
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
            (Platform::Chat, None) => Err(CloseError::NotAnObject),
            (Platform::Conversations, _) => self.write_conversation(channel, &look.evidence).await,
        }
    }
}

impl Look {
    /// The Proxy session that has to be gone once the channel is closed. Found clean is no
    /// proof that it is: whoever closed the channel without Twilio's webhook left it open.
    fn session(&self, channel: &Channel, step: Step) -> Option<ProxySessionSid> {
        let of_channel = self.attributes.as_ref().and_then(Attributes::proxy_session);
        of_channel
            .or_else(|| channel.orphan_session())
            .filter(|_| step == Step::Close)
    }
}

impl CloseError {
    fn may_pass(&self) -> bool {
        match self {
            Self::NotKept => true,
            Self::Twilio(error) => error.may_pass(),
            Self::NotAnObject | Self::NoSuchService(_) => false,
        }
    }
}
