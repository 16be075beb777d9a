//! Evidence that was read at Twilio about one channel that is due, before anything is written to it.

use crate::Timestamp;
use crate::activity::Party;
use crate::platform::{ChatState, ConversationState, InteractionStatus};

/// The newest message of a channel: who wrote it and when, never its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastMessage {
    /// The party that wrote it.
    pub author: Party,
    /// The time at which it was written, by Twilio's clock.
    pub at: Timestamp,
    /// Its place among the channel's messages.
    pub index: u32,
}

/// The channel-scoped webhooks that are not ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramWebhooks {
    /// One of type or target `webhook`: a bot, a survey or Flex's Park.
    pub program: bool,
    /// One of type or target `studio`. It may stay for a channel's whole life, so it counts
    /// only while no task of the channel is known.
    pub studio: bool,
}

/// Everything that was read about one channel so far. What is absent was not asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The Chat channel itself.
    pub chat: Option<ChatState>,
    /// The interaction channel of a Conversation.
    pub interaction: Option<InteractionStatus>,
    /// The Conversation itself.
    pub conversation: Option<ConversationState>,
    /// The newest message; the inner absence says that there is none.
    pub last_message: Option<Option<LastMessage>>,
    /// The channel-scoped webhooks.
    pub webhooks: Option<ProgramWebhooks>,
    /// An agent is among the Conversation's participants.
    pub agent_present: Option<bool>,
}

/// Something that has to be read at Twilio before a verdict is possible: one request each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// The Chat channel.
    Chat,
    /// The interaction channel.
    Interaction,
    /// The Conversation.
    Conversation,
    /// The newest message.
    LastMessage,
    /// The channel-scoped webhooks.
    Webhooks,
    /// The Conversation's participants.
    Participants,
}
