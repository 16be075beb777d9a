//! A Conversation and its interaction channel.

use domain::{
    Channel, ChannelSid, ConversationState, Evidence, Interaction, InteractionStatus, Outcome,
};
use twilio::rest::{StateAnswer, TwilioError};

use super::{CloseError, Closer};
use crate::look::Reader;

impl Closer {
    /// Closes the interaction channel, which closes the Conversation; where the interaction
    /// has ended or is not known, the Conversation itself.
    pub(super) async fn write_conversation(
        &self,
        channel: &Channel,
        evidence: &Evidence,
    ) -> Result<Outcome, CloseError> {
        let is_open = evidence.interaction.is_some_and(is_open);
        match channel.interaction().filter(|_| is_open) {
            Some(interaction) => self.close_interaction(interaction, channel).await,
            None => self.close_conversation(channel.sid()).await,
        }
    }

    async fn close_interaction(
        &self,
        interaction: Interaction,
        channel: &Channel,
    ) -> Result<Outcome, CloseError> {
        let conversation = channel.sid();
        let closed = self.reader.twilio.close_interaction_channel(interaction);
        match closed.await {
            Ok(InteractionStatus::Closed | InteractionStatus::Failed) => Ok(Outcome::Written),
            Ok(
                InteractionStatus::Setup
                | InteractionStatus::Active
                | InteractionStatus::Transfer
                | InteractionStatus::Inactive
                | InteractionStatus::Pause
                | InteractionStatus::Gone
                | InteractionStatus::Undocumented,
            ) => Err(CloseError::NotKept),
            // Another writer may have been faster: the Conversation and the interaction say so.
            Err(refusal @ (TwilioError::Refused { .. } | TwilioError::Gone)) => {
                match self.reader.read_conversation(conversation).await? {
                    // It takes no message any more. If Twilio never ends the interaction of such
                    // a Conversation, there is nothing that a person could do.
                    ConversationState::Closed if channel.is_at_last_try() => {
                        Ok(Outcome::AlreadyClean)
                    }
                    ConversationState::Closed => {
                        let twilio = &self.reader.twilio;
                        match is_open(twilio.interaction_channel(interaction).await?) {
                            true => Err(refusal.into()),
                            false => Ok(Outcome::AlreadyClean),
                        }
                    }
                    ConversationState::Gone => Ok(Outcome::Gone),
                    ConversationState::Active
                    | ConversationState::Inactive
                    | ConversationState::Initializing
                    | ConversationState::Undocumented => match refusal == TwilioError::Gone {
                        true => self.close_conversation(conversation).await,
                        false => Err(refusal.into()),
                    },
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn close_conversation(&self, conversation: ChannelSid) -> Result<Outcome, CloseError> {
        let Reader {
            twilio, service, ..
        } = &self.reader;
        let answer = twilio.close_conversation(*service, conversation);
        match answer.await {
            Ok(StateAnswer::Now(ConversationState::Closed)) => Ok(Outcome::Written),
            Ok(StateAnswer::AlreadyClosed) => Ok(Outcome::AlreadyClean),
            Ok(StateAnswer::Initializing | StateAnswer::Now(_)) => Err(CloseError::NotKept),
            Err(TwilioError::Gone) => {
                self.reader.service_is_there().await?;
                Ok(Outcome::Gone)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn delete_conversation(
        &self,
        conversation: ChannelSid,
    ) -> Result<Outcome, CloseError> {
        // Asked first: a service that is not there would look like a deletion that is done.
        self.reader.service_is_there().await?;
        let Reader {
            twilio, service, ..
        } = &self.reader;
        match twilio.delete_conversation(*service, conversation).await {
            Ok(()) => Ok(Outcome::Deleted),
            Err(TwilioError::Gone) => Ok(Outcome::Gone),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns whether an interaction channel is still to be closed.
const fn is_open(status: InteractionStatus) -> bool {
    match status {
        InteractionStatus::Closed | InteractionStatus::Failed | InteractionStatus::Gone => false,
        InteractionStatus::Setup
        | InteractionStatus::Active
        | InteractionStatus::Transfer
        | InteractionStatus::Inactive
        | InteractionStatus::Pause
        | InteractionStatus::Undocumented => true,
    }
}
