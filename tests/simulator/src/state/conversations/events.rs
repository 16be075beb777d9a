//! The events of Event Streams and webhooks about conversations, with Pascal-case keys.

use crate::state::State;
use crate::state::conversations::Cause;
use crate::state::conversations::conversation::{ConversationState, Line, Source};
use crate::state::events::cloud_event::{
    Emission, MESSAGE_SCHEMA, NEWEST_MESSAGE_SCHEMA, envelope, millis,
};
use crate::state::setup::flows::Medium;
use crate::state::sid::Sid;
use serde_json::json;

impl State {
    /// Tells Event Streams of a message; the stream has no `Source`.
    pub(crate) fn tell_of_message(&mut self, conversation: Sid, line: &Line) {
        let Some(stored) = self.conversation(conversation) else {
            return;
        };
        let data = json!({
            "AccountSid": self.account.sid,
            "ConversationSid": conversation,
            "MessagingServiceSid": stored.messaging_service,
            "MessageSid": line.sid,
            "ParticipantSid": line.participant,
            "Index": line.index,
            "Author": line.author,
            "MessageBody": line.body,
            "MessageSubject": null,
            "ContentSid": null,
            "Media": null,
            "DateCreated": millis(line.created),
        });
        let schema = format!("{MESSAGE_SCHEMA}/{NEWEST_MESSAGE_SCHEMA}");
        self.tell_conversations("message.added", &schema, data);
    }

    /// Reports a message to the conversation's own webhooks, as a form with its `Source`.
    pub(crate) fn call_webhooks(&mut self, conversation: Sid, message: Sid, source: Source) {
        const EVENT: &str = "onMessageAdded";
        let Some(stored) = self.conversation(conversation) else {
            return;
        };
        let Some(line) = stored
            .messages
            .iter()
            .rev()
            .find(|line| line.sid == message)
        else {
            return;
        };
        let customer = match Medium::of_address(&line.author) {
            Medium::Whatsapp => "WHATSAPP",
            Medium::Facebook => "MESSENGER",
            Medium::Web => "SDK",
            Medium::Sms | Medium::Line | Medium::Custom => "SMS",
        };
        let source = match source {
            Source::Customer => customer,
            Source::Sdk => "SDK",
            Source::Api => "API",
        };
        let identity = line.participant.and_then(|sid| {
            let mut participants = stored.participants.iter();
            participants.find(|one| one.sid == sid)?.identity.clone()
        });
        let parameters = [
            ("AccountSid", self.account.sid.to_string()),
            ("Attributes", line.attributes.clone()),
            ("Author", line.author.clone()),
            ("Body", line.body.clone()),
            ("ChatServiceSid", stored.service.to_string()),
            ("ClientIdentity", identity.unwrap_or_default()),
            ("ConversationSid", conversation.to_string()),
            ("DateCreated", millis(line.created)),
            ("EventType", EVENT.to_owned()),
            ("Index", line.index.to_string()),
            ("MessageSid", line.sid.to_string()),
            (
                "ParticipantSid",
                line.participant
                    .map_or_else(String::new, |sid| sid.to_string()),
            ),
            ("RetryCount", "0".to_owned()),
            ("Source", source.to_owned()),
        ];
        let outside = stored
            .webhooks
            .iter()
            .filter(|webhook| webhook.listens_to(EVENT) && !self.programs.contains(&webhook.sid));
        let calls: Vec<_> = outside
            .filter_map(|webhook| webhook.call(&parameters))
            .collect();
        self.webhook_calls.extend(calls);
    }

    pub(crate) fn tell_of_state(
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
