//! What Event Streams tells about conversations, with Pascal-case keys.

use super::super::State;
use super::super::cloud_event::{Emission, envelope, millis};
use super::super::sid::Sid;
use super::Cause;
use super::conversation::{ConversationState, Line, Source};
use serde_json::json;

impl State {
    pub(super) fn tell_of_message(&mut self, conversation: Sid, line: &Line, source: Source) {
        let Some(stored) = self.conversation(conversation) else {
            return;
        };
        let data = json!({
            "EventType": "onMessageAdded",
            "AccountSid": self.account.sid,
            "ChatServiceSid": stored.service,
            "ConversationSid": conversation,
            "MessagingServiceSid": stored.messaging_service,
            "MessageSid": line.sid,
            "ParticipantSid": line.participant,
            "Index": line.index,
            "Author": line.author,
            "MessageBody": line.body,
            "Attributes": line.attributes,
            "DateCreated": millis(line.created),
            "Source": match source { Source::Customer => "SMS", Source::Sdk => "SDK", Source::Api => "API" },
        });
        self.tell_conversations("message.added", "ConversationMessage.MessageAdded/1", data);
    }

    pub(super) fn tell_of_state(
        &mut self,
        conversation: Sid,
        from: ConversationState,
        to: ConversationState,
        cause: Cause,
    ) {
        let Some(stored) = self.conversation(conversation) else {
            return;
        };
        let data = json!({
            "EventType": "onConversationStateUpdated",
            "AccountSid": self.account.sid,
            "ChatServiceSid": stored.service,
            "ConversationSid": conversation,
            "MessagingServiceSid": stored.messaging_service,
            "StateFrom": from.as_str(),
            "StateTo": to.as_str(),
            "StateUpdated": millis(self.now),
            "Reason": match cause { Cause::Api => "API", Cause::Timer => "TIMER", Cause::Event => "EVENT" },
        });
        self.tell_conversations(
            "conversation-state.updated",
            "ConversationState.Updated/1",
            data,
        );
    }

    fn tell_conversations(&mut self, kind: &str, schema: &str, data: serde_json::Value) {
        let id = self.sid(b"EZ");
        let source = format!("/{}/Conversations", self.account.sid);
        let event = envelope(
            &format!("com.twilio.conversations.{kind}"),
            &source,
            id.as_str(),
            schema,
            self.now,
            data,
        );
        self.outbox.push(Emission::Ready(Box::new(event)));
    }
}
