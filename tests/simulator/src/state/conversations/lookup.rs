//! Finds conversations: by SID, party and pair.

use super::conversation::{Conversation, ConversationState};
use crate::state::State;
use crate::state::sid::Sid;

impl State {
    /// Returns the newest conversation, not closed, in which an identity takes part.
    pub fn open_conversation_of(&self, identity: &str) -> Option<&Conversation> {
        let theirs = self.conversations.by_party.get(identity)?.iter().rev();
        let mut stored = theirs.filter_map(|sid| self.conversation(*sid));
        stored.find(|stored| stored.state != ConversationState::Closed)
    }

    /// Returns a conversation.
    pub fn conversation(&self, sid: Sid) -> Option<&Conversation> {
        self.conversations.shelf.get(sid)
    }

    /// Iterates over all conversations, oldest first.
    pub fn conversations(&self) -> impl Iterator<Item = &Conversation> {
        self.conversations.shelf.values()
    }

    /// Returns the conversation, not closed, that an address and one of ours share.
    pub fn conversation_between(
        &self,
        address: &str,
        proxy_address: &str,
    ) -> Option<&Conversation> {
        let pair = (address.to_owned(), proxy_address.to_owned());
        self.conversation(*self.conversations.by_pair.get(&pair)?)
    }

    /// Returns the service of the conversations that name none.
    pub(crate) fn default_conversation_service(&self) -> Option<Sid> {
        let flex = self.project().map(|project| project.chat_service);
        self.conversations.defaults.service.or(flex)
    }
}
