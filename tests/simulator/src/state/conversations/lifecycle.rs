//! Changes of a conversation's state: by request, by a message, or by silence.

use crate::state::State;
use crate::state::clock::{Due, later};
use crate::state::conversations::Cause;
use crate::state::conversations::conversation::{Conversation, ConversationState, Timer};
use crate::state::sid::Sid;

impl State {
    pub(crate) fn conversation_timer(&mut self, conversation: Sid) {
        let Some(stored) = self.conversation(conversation) else {
            return;
        };
        let due = |timer: &Option<Timer>| {
            timer
                .as_ref()
                .is_some_and(|timer| later(stored.active, timer.after) <= self.now)
        };
        if due(&stored.to_closed) {
            self.set_conversation_state(conversation, ConversationState::Closed, Cause::Timer);
        } else if due(&stored.to_inactive) && stored.state == ConversationState::Active {
            self.set_conversation_state(conversation, ConversationState::Inactive, Cause::Timer);
        }
    }

    pub(crate) fn set_conversation_state(
        &mut self,
        conversation: Sid,
        to: ConversationState,
        cause: Cause,
    ) {
        let now = self.now;
        let Some(stored) = self.conversations.shelf.get_mut(conversation) else {
            return;
        };
        let from = std::mem::replace(&mut stored.state, to);
        if from == to {
            return;
        }
        stored.updated = now;
        if to == ConversationState::Closed {
            let closed = stored.clone();
            self.free_pairs(&closed);
        }
        self.tell_of_state(conversation, from, to, cause);
    }

    /// Both timers count from the last activity: Twilio's example shows them side by side.
    pub(super) fn watch_conversation(&mut self, conversation: Sid) {
        let Some(stored) = self.conversation(conversation) else {
            return;
        };
        if stored.state == ConversationState::Closed {
            return;
        }
        let timers: Vec<_> = [&stored.to_inactive, &stored.to_closed]
            .into_iter()
            .flatten()
            .map(|timer| timer.after)
            .collect();
        for after in timers {
            self.due_in(after, Due::ConversationTimer(conversation));
        }
    }

    pub(super) fn free_pairs(&mut self, conversation: &Conversation) {
        for participant in &conversation.participants {
            if let (Some(address), Some(proxy)) = (&participant.address, &participant.proxy_address)
            {
                self.conversations
                    .by_pair
                    .remove(&(address.clone(), proxy.clone()));
            }
        }
    }
}
