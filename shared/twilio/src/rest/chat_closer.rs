//! Closing a Chat channel: look, write what is missing, check the answer.
//!
//! # The race that stays
//!
//! Twilio replaces attributes as a whole and compares nothing, so whatever somebody else
//! writes to a channel between our reading and our writing is lost. The two requests follow
//! each other at once, nothing but the two values is changed, and a channel that is already
//! as it should be is not written to; that is as small as it gets. For the same reason a
//! write whose fate is not known is not simply made again: who tries again looks again.

use domain::{
    ChannelSid, ChatServiceSid, LastStep, Outcome, Policy, Progress, ProxySessionSid, Remedy, Seen,
    Timestamp, remedy,
};

use super::chat::ChatChannel;
use super::client::Client;
use super::error::TwilioError;
use crate::attributes::{Attributes, NotAnObject};

/// What closing a channel for good means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosingAction {
    /// Its attributes say so, as when the agent's browser does it. The history stays.
    Inactivate,
    /// It is deleted with its history.
    Delete,
}

/// Which channel to take which step with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatOrder {
    /// The service that the channel belongs to.
    pub service: ChatServiceSid,
    /// The channel.
    pub channel: ChannelSid,
    /// Whether the step is the last one.
    pub last_step: LastStep,
    /// What the last step does.
    pub action: ClosingAction,
}

/// What is to be done about a channel, after a look at it.
#[derive(Clone, Debug)]
pub struct ChatPlan {
    order: ChatOrder,
    look: Look,
}

#[derive(Clone, Debug)]
enum Look {
    Gone,
    Seen(Attributes, Remedy),
}

/// How far a channel got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It is released, and its reset follows.
    Released,
    /// It is closed.
    Closed,
}

/// What became of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatClosed {
    /// How far it got.
    pub reached: Reached,
    /// How it was found or left.
    pub outcome: Outcome,
    /// Whether it was long-lived when we looked; nothing if it was gone.
    pub long_lived: Option<bool>,
    /// The Proxy session that it named when we looked.
    pub proxy_session: Option<ProxySessionSid>,
}

impl ChatClosed {
    /// The progress to remember.
    pub fn progress(&self, at: Timestamp) -> Progress {
        let outcome = self.outcome;
        match self.reached {
            Reached::Released => Progress::Released { at, outcome },
            Reached::Closed => Progress::Closed { at, outcome },
        }
    }
}

/// Why a channel was not closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseFailure {
    /// Nothing may be written over its attributes; a person has to look.
    #[error(transparent)]
    NotAnObject(#[from] NotAnObject),
    /// Twilio took the change, but its answer does not show it: somebody else wrote at the
    /// same time. To be tried again.
    #[error("twilio did not keep the change")]
    NotKept,
    /// The service is not there, so what is said of its channels says nothing. No other
    /// channel will fare better.
    #[error("twilio does not know the chat service {0}")]
    NoSuchService(ChatServiceSid),
    /// The call failed.
    #[error(transparent)]
    Twilio(#[from] TwilioError),
}

/// Looks at a channel and says what is to be done about it. Writes nothing.
pub async fn look_at_chat(
    client: &Client,
    order: ChatOrder,
    policy: &Policy,
) -> Result<ChatPlan, CloseFailure> {
    let look = match client.chat_channel(order.service, order.channel).await {
        Ok(channel) => {
            let attributes = channel.attributes?;
            let remedy = remedy(order.last_step, seen(&attributes), policy);
            Look::Seen(attributes, remedy)
        }
        Err(TwilioError::Gone) => {
            match client.chat_service_exists(order.service).await {
                Ok(()) => {}
                Err(TwilioError::Gone) => {
                    return Err(CloseFailure::NoSuchService(order.service));
                }
                Err(error) => return Err(error.into()),
            }
            Look::Gone
        }
        Err(error) => return Err(error.into()),
    };
    Ok(ChatPlan { order, look })
}

impl ChatPlan {
    /// Whether the channel is long-lived, or nothing if it is gone.
    pub fn long_lived(&self) -> Option<bool> {
        match &self.look {
            Look::Gone => None,
            Look::Seen(attributes, _) => Some(attributes.is_long_lived()),
        }
    }

    /// The same look with another step in mind.
    #[must_use]
    pub fn for_step(mut self, last_step: LastStep, policy: &Policy) -> Self {
        self.order.last_step = last_step;
        if let Look::Seen(attributes, found) = &mut self.look {
            *found = remedy(last_step, seen(attributes), policy);
        }
        self
    }

    /// What is to be written, or nothing if the channel is gone.
    pub fn remedy(&self) -> Option<Remedy> {
        match self.look {
            Look::Gone => None,
            Look::Seen(_, remedy) => Some(remedy),
        }
    }

    /// Does it, at once: the older the look, the more there is to overwrite.
    pub async fn carry_out(self, client: &Client) -> Result<ChatClosed, CloseFailure> {
        use Reached::{Closed, Released};
        let ChatPlan { order, look } = self;
        let (attributes, remedy) = match look {
            Look::Gone => {
                return Ok(ChatClosed {
                    reached: Closed,
                    outcome: Outcome::Gone,
                    long_lived: None,
                    proxy_session: None,
                });
            }
            Look::Seen(attributes, remedy) => (attributes, remedy),
        };
        let inactive = || attributes.with_status_inactive();
        let reset = || attributes.with_reset();
        let (reached, outcome) = match (remedy, order.action) {
            (Remedy::LeaveReleased(outcome), _) => (Released, outcome),
            (Remedy::LeaveClosed, _) => (Closed, Outcome::AlreadyClean),
            (Remedy::Release, _) => {
                let outcome = write(client, order, remedy, inactive()).await?;
                // A channel that is not there any more has no reset to wait for.
                let gone = outcome == Outcome::Gone;
                (if gone { Closed } else { Released }, outcome)
            }
            (Remedy::Inactivate | Remedy::Reset, ClosingAction::Delete) => {
                (Closed, delete(client, order).await?)
            }
            (Remedy::Inactivate, ClosingAction::Inactivate) => {
                (Closed, write(client, order, remedy, inactive()).await?)
            }
            (Remedy::Reset, ClosingAction::Inactivate) => {
                (Closed, write(client, order, remedy, reset()).await?)
            }
        };
        Ok(ChatClosed {
            reached,
            outcome,
            long_lived: Some(attributes.is_long_lived()),
            proxy_session: attributes.proxy_session(),
        })
    }
}

fn seen(attributes: &Attributes) -> Seen {
    Seen {
        long_lived: attributes.is_long_lived(),
        inactive: attributes.is_inactive(),
    }
}

async fn write(
    client: &Client,
    order: ChatOrder,
    remedy: Remedy,
    attributes: String,
) -> Result<Outcome, CloseFailure> {
    let ChatOrder {
        service, channel, ..
    } = order;
    match client
        .set_chat_attributes(service, channel, &attributes)
        .await
    {
        Ok(answer) if keeps(&answer, remedy) => Ok(Outcome::Written),
        Ok(_) => Err(CloseFailure::NotKept),
        Err(TwilioError::Gone) => Ok(Outcome::Gone),
        Err(error) => Err(error.into()),
    }
}

async fn delete(client: &Client, order: ChatOrder) -> Result<Outcome, CloseFailure> {
    match client
        .delete_chat_channel(order.service, order.channel)
        .await
    {
        Ok(()) => Ok(Outcome::Deleted),
        Err(TwilioError::Gone) => Ok(Outcome::Gone),
        Err(error) => Err(error.into()),
    }
}

/// Whether the channel is now as the remedy wants it. What Twilio answers counts, not the
/// text that we sent: it may have been written in another way.
fn keeps(answer: &ChatChannel, remedy: Remedy) -> bool {
    answer.attributes.as_ref().is_ok_and(|attributes| {
        let reset = remedy != Remedy::Reset || !attributes.is_long_lived();
        attributes.is_inactive() && reset
    })
}
