//! Closing a Conversation: look, close the interaction channel, close the conversation.
//!
//! # The order of the calls
//!
//! With an interaction whose channel is open: read the channel, close it, close the
//! conversation. The conversation is not read in between, and need not be: `closed` is its one
//! last state, so that closing it twice is as good as once, and Twilio itself says which it
//! was. If the conversation was closed before, as Flex does along with an interaction channel,
//! it refuses with an error of its own (50377); if it cannot be changed yet, with another
//! (50386). A read would cost one more call and be out of date by the time of the write.
//!
//! With an interaction channel that has ended or is gone, or without any: read the
//! conversation, close it if it is open.
//!
//! So an attempt takes at most three calls where an interaction is known and two where none
//! is. A conversation that turns out to be gone costs the question whether its service is
//! there, once for each client.
//!
//! # What is never done
//!
//! Tasks of an interaction are not touched through TaskRouter; its channel completes them. A
//! conversation whose interaction channel Twilio refuses to close is not closed: the one is
//! not to end without the other. It is read instead, in case it is closed already. Nothing is
//! written to a conversation that was seen in a state which we do not know, and no write whose
//! fate is not known is simply made again.
//!
//! # The race that stays
//!
//! Neither resource can be changed on a condition. Whoever comes back between our look and
//! our write finds the door closed: their next message begins another conversation.

use domain::{ChannelSid, ChatServiceSid, Interaction, LastStep, Outcome, Progress, Timestamp};

use super::chat_closer::Reached;
use super::client::Client;
use super::conversations::{ConversationState, StateAnswer};
use super::error::TwilioError;
use super::interactions::InteractionStatus;

/// What an interaction channel means that is still `active` although no task is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StillActive {
    /// Nobody closed it, as after a task that was canceled.
    Forgotten,
    /// It may be parked: that completes the agent's task and leaves the channel active
    /// (Twilio, "Park an interaction").
    MayBeParked,
}

/// Which conversation to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationOrder {
    /// The service that the conversation belongs to.
    pub service: ChatServiceSid,
    /// The conversation.
    pub conversation: ChannelSid,
    /// The interaction of its newest task, where the task named one.
    pub interaction: Option<Interaction>,
    /// What to make of an interaction channel that is still active.
    pub still_active: StillActive,
    /// Whether a conversation that was left, paused or parked is to be closed as well.
    pub last_step: LastStep,
}

/// What is to be done about a conversation, after a look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationPlan {
    order: ConversationOrder,
    look: Look,
}

/// What was seen: the interaction channel while it is open, the conversation otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Gone,
    Interaction(Interaction, InteractionStatus),
    Conversation(ConversationState),
}

/// What to do about a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationRemedy {
    /// Nothing: Twilio does not know it any more.
    LeaveGone,
    /// Nothing: it is closed.
    LeaveClosed,
    /// Nothing yet: it was left, paused or parked. Its last step follows.
    LeaveParked,
    /// Nothing now: it is being set up, or in a state that we do not know.
    NotNow,
    /// The interaction channel is to be closed with all its tasks, then the conversation.
    CloseBoth,
    /// The conversation is to be closed.
    Close,
}

impl ConversationRemedy {
    /// Whether it writes anything at Twilio.
    pub const fn writes(self) -> bool {
        match self {
            Self::CloseBoth | Self::Close => true,
            Self::LeaveGone | Self::LeaveClosed | Self::LeaveParked | Self::NotNow => false,
        }
    }
}

/// What became of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationClosed {
    /// How far it got: [`Reached::Released`] if it was left as it is, parked.
    pub reached: Reached,
    /// How it was found or left.
    pub outcome: Outcome,
    /// Whether it was parked when we looked; nothing if it was gone. Unlike a channel's
    /// being long-lived this says nothing of the next time.
    pub parked: Option<bool>,
}

impl ConversationClosed {
    /// The progress to remember.
    pub fn progress(&self, at: Timestamp) -> Progress {
        let outcome = self.outcome;
        match self.reached {
            Reached::Released => Progress::Released { at, outcome },
            Reached::Closed => Progress::Closed { at, outcome },
        }
    }
}

/// Why a conversation was not closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversationFailure {
    /// Twilio is still setting it up, or shows a state that we do not know. Nothing was
    /// written to it. To be looked at another time.
    #[error("the conversation cannot be closed in the state that it is in")]
    NotNow,
    /// Twilio took the change, but its answer does not show it. To be looked at again.
    #[error("twilio did not show the conversation closed")]
    NotShown,
    /// The service is not there, so what is said of its conversations says nothing. No other
    /// conversation will fare better.
    #[error("twilio does not know the conversations service {0}")]
    NoSuchService(ChatServiceSid),
    /// The call failed.
    #[error(transparent)]
    Twilio(#[from] TwilioError),
}

/// Looks at a conversation and says what is to be done about it. Writes nothing.
pub async fn look_at_conversation(
    client: &Client,
    order: ConversationOrder,
) -> Result<ConversationPlan, ConversationFailure> {
    let look = match order.interaction {
        Some(interaction) => match client.interaction_channel(interaction).await {
            Ok(status) if status.is_over() => look_inside(client, order).await?,
            Ok(status) => Look::Interaction(interaction, status),
            Err(TwilioError::Gone) => look_inside(client, order).await?,
            Err(error) => return Err(error.into()),
        },
        None => look_inside(client, order).await?,
    };
    Ok(ConversationPlan { order, look })
}

/// Looks at the conversation itself.
async fn look_inside(
    client: &Client,
    order: ConversationOrder,
) -> Result<Look, ConversationFailure> {
    let ConversationOrder {
        service,
        conversation,
        ..
    } = order;
    match client.conversation(service, conversation).await {
        Ok(seen) => Ok(Look::Conversation(seen.state)),
        Err(TwilioError::Gone) => {
            gone(client, service).await?;
            Ok(Look::Gone)
        }
        Err(error) => Err(error.into()),
    }
}

impl ConversationPlan {
    /// Whether the conversation is left, paused or parked, or nothing if it is gone.
    pub fn parked(&self) -> Option<bool> {
        match self.look {
            Look::Gone => None,
            Look::Conversation(_) => Some(false),
            Look::Interaction(_, InteractionStatus::Active) => {
                Some(self.order.still_active == StillActive::MayBeParked)
            }
            Look::Interaction(_, status) => Some(status.is_put_aside()),
        }
    }

    /// The same look with another step in mind.
    #[must_use]
    pub fn for_step(mut self, last_step: LastStep) -> Self {
        self.order.last_step = last_step;
        self
    }

    /// What is to be done.
    pub fn remedy(&self) -> ConversationRemedy {
        use ConversationRemedy::{CloseBoth, LeaveParked};
        match self.look {
            Look::Gone => ConversationRemedy::LeaveGone,
            Look::Interaction(..) => match (self.parked(), self.order.last_step) {
                (Some(true), LastStep::No) => LeaveParked,
                _ => CloseBoth,
            },
            Look::Conversation(state) => match state {
                ConversationState::Active | ConversationState::Inactive => {
                    ConversationRemedy::Close
                }
                ConversationState::Closed => ConversationRemedy::LeaveClosed,
                ConversationState::Initializing | ConversationState::Unknown => {
                    ConversationRemedy::NotNow
                }
            },
        }
    }

    /// Does it, at once: the older the look, the more may have happened since.
    pub async fn carry_out(
        self,
        client: &Client,
    ) -> Result<ConversationClosed, ConversationFailure> {
        use Reached::{Closed, Released};
        let (reached, outcome) = match self.remedy() {
            ConversationRemedy::LeaveGone => (Closed, Outcome::Gone),
            ConversationRemedy::LeaveClosed => (Closed, Outcome::AlreadyClean),
            ConversationRemedy::LeaveParked => (Released, Outcome::LeftAlone),
            ConversationRemedy::NotNow => return Err(ConversationFailure::NotNow),
            ConversationRemedy::CloseBoth | ConversationRemedy::Close => {
                (Closed, self.close(client).await?)
            }
        };
        Ok(ConversationClosed {
            reached,
            outcome,
            parked: self.parked(),
        })
    }

    async fn close(&self, client: &Client) -> Result<Outcome, ConversationFailure> {
        let Look::Interaction(interaction, _) = self.look else {
            return close_conversation(client, self.order).await;
        };
        match client.close_interaction_channel(interaction).await {
            Ok(status) if status.is_over() => {
                let outcome = close_conversation(client, self.order).await?;
                // Flex closed the conversation along with its channel, so it is our doing.
                let by_flex = outcome == Outcome::AlreadyClean;
                Ok(if by_flex { Outcome::Written } else { outcome })
            }
            Ok(_) => Err(ConversationFailure::NotShown),
            Err(TwilioError::Gone) => close_conversation(client, self.order).await,
            Err(refusal @ TwilioError::Refused { .. }) => {
                find_closed(client, self.order, refusal).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Says whether a conversation is closed, or gone, although Twilio refuses to close its
/// interaction channel: a timer may have closed the one, and somebody else the other.
async fn find_closed(
    client: &Client,
    order: ConversationOrder,
    refusal: TwilioError,
) -> Result<Outcome, ConversationFailure> {
    match client.conversation(order.service, order.conversation).await {
        Ok(seen) if seen.state == ConversationState::Closed => Ok(Outcome::AlreadyClean),
        Ok(_) => Err(refusal.into()),
        Err(TwilioError::Gone) => gone(client, order.service).await,
        Err(error) => Err(error.into()),
    }
}

/// Takes Twilio's word that a conversation is gone, if its service is there.
async fn gone(client: &Client, service: ChatServiceSid) -> Result<Outcome, ConversationFailure> {
    match client.conversation_service_exists(service).await {
        Ok(()) => Ok(Outcome::Gone),
        Err(TwilioError::Gone) => Err(ConversationFailure::NoSuchService(service)),
        Err(error) => Err(error.into()),
    }
}

/// Closes the conversation itself.
async fn close_conversation(
    client: &Client,
    order: ConversationOrder,
) -> Result<Outcome, ConversationFailure> {
    let ConversationOrder {
        service,
        conversation,
        ..
    } = order;
    match client.close_conversation(service, conversation).await {
        Ok(StateAnswer::Now(ConversationState::Closed)) => Ok(Outcome::Written),
        Ok(StateAnswer::AlreadyClosed) => Ok(Outcome::AlreadyClean),
        Ok(StateAnswer::Initializing) => Err(ConversationFailure::NotNow),
        Ok(StateAnswer::Now(_)) => Err(ConversationFailure::NotShown),
        Err(TwilioError::Gone) => gone(client, service).await,
        Err(error) => Err(error.into()),
    }
}
