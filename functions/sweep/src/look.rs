//! One channel as it stands at Twilio, read for the rule and judged by it: the same look for the
//! sweep and for an audit. Nothing here writes.

use domain::{
    Channel, ChannelSid, ChatServiceSid, ChatState, ConversationState, Evidence, Platform, Policy,
    ProxySessionSid, Question, Step, Timestamp, Verdict, verdict,
};
use twilio::attributes::Attributes;
use twilio::rest::{Client, TwilioError};

/// Reads channels of one Chat or Conversations service; Flex has one for both.
#[derive(Clone)]
pub struct Reader {
    /// The way to Twilio.
    pub twilio: Client,
    /// The service of the channels.
    pub service: ChatServiceSid,
    /// The URL of our own webhook, so that it is not taken for a program's.
    pub webhook_url: Option<String>,
}

/// A channel that was read, and what the rule says of it.
#[derive(Debug)]
pub struct Look {
    /// Everything that was read.
    pub evidence: Evidence,
    /// The verdict of the rule.
    pub verdict: Verdict,
    /// A Chat channel's attributes, to write back.
    pub(crate) attributes: Option<Attributes>,
}

/// A reason why a channel could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LookError {
    /// Its attributes are not an object: a person has to look.
    #[error("its attributes are not a JSON object")]
    NotAnObject,
    /// The service is not there, so nothing that Twilio says of its channels can be believed.
    #[error("Twilio does not know the service {0}")]
    NoSuchService(ChatServiceSid),
    /// The request failed.
    #[error(transparent)]
    Twilio(#[from] TwilioError),
}

/// The evidence that was read so far.
#[derive(Default)]
struct Seen {
    evidence: Evidence,
    attributes: Option<Attributes>,
}

impl Reader {
    /// Reads what the rule asks for, until it decides: three requests at most for a Chat channel,
    /// five for a Conversation. Whether a Chat channel is long-lived is noted in `channel`, whose
    /// record has absorbed a look at the open tasks.
    ///
    /// # Errors
    ///
    /// Fails if a request fails, if the service does not exist, or if a Chat channel's attributes
    /// are no object.
    pub async fn look(
        &self,
        channel: &mut Channel,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Look, LookError> {
        let mut seen = Seen::default();
        loop {
            match verdict(channel, &seen.evidence, policy, now) {
                Ok(verdict) => {
                    return Ok(Look {
                        evidence: seen.evidence,
                        verdict,
                        attributes: seen.attributes,
                    });
                }
                Err(question) => self.answer(question, channel, &mut seen, now).await?,
            }
        }
    }

    async fn answer(
        &self,
        question: Question,
        channel: &mut Channel,
        seen: &mut Seen,
        now: Timestamp,
    ) -> Result<(), LookError> {
        let (twilio, service, sid) = (&self.twilio, self.service, channel.sid());
        let ours = self.webhook_url.as_deref();
        let evidence = &mut seen.evidence;
        match (question, channel.platform()) {
            (Question::Chat, _) => {
                let (state, attributes) = self.read_chat(sid).await?;
                if let ChatState::Present { long_lived, .. } = state {
                    channel.observe_long_lived(long_lived, now);
                }
                evidence.chat = Some(state);
                seen.attributes = attributes;
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

    /// Reads a Chat channel, with the attributes that a write puts back.
    pub(crate) async fn read_chat(
        &self,
        channel: ChannelSid,
    ) -> Result<(ChatState, Option<Attributes>), LookError> {
        match self.twilio.chat_channel(self.service, channel).await {
            Ok(found) => {
                let attributes = found.attributes.map_err(|_| LookError::NotAnObject)?;
                let state = ChatState::Present {
                    long_lived: attributes.is_long_lived(),
                    inactive: attributes.is_inactive(),
                };
                Ok((state, Some(attributes)))
            }
            // Twilio says the same of every channel of a service that is not there.
            Err(TwilioError::Gone) => match self.twilio.chat_service_exists(self.service).await {
                Ok(()) => Ok((ChatState::Gone, None)),
                Err(TwilioError::Gone) => Err(LookError::NoSuchService(self.service)),
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn read_conversation(
        &self,
        conversation: ChannelSid,
    ) -> Result<ConversationState, LookError> {
        match self.twilio.conversation(self.service, conversation).await {
            Ok(seen) => Ok(seen.state),
            Err(TwilioError::Gone) => {
                self.service_is_there().await?;
                Ok(ConversationState::Gone)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes sure that the service is there. Twilio says the same of every Conversation of a
    /// service that is not.
    pub(crate) async fn service_is_there(&self) -> Result<(), LookError> {
        match self.twilio.conversation_service_exists(self.service).await {
            Ok(()) => Ok(()),
            Err(TwilioError::Gone) => Err(LookError::NoSuchService(self.service)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Look {
    /// Returns the Proxy session that has to be gone once the channel is closed. Found clean is
    /// no proof that it is: a client that closed the channel without Twilio's webhook left it open.
    pub(crate) fn session(&self, channel: &Channel, step: Step) -> Option<ProxySessionSid> {
        let of_channel = self.attributes.as_ref().and_then(Attributes::proxy_session);
        of_channel
            .or_else(|| channel.orphan_session())
            .filter(|_| step == Step::Close)
    }
}
