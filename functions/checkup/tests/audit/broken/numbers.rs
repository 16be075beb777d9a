//! Projects that break the rules about numbers and Conversations.

use serde_json::{Map, Value};
use simulator::Sid;

use super::{Broken, breaks, sid};
use crate::stage::{NO_FLOW, Stage};

fn number(stage: &Stage, sid: Sid, setting: &str, value: Value) {
    let settings = Map::from_iter([(setting.to_owned(), value)]);
    stage.state().point_number(sid, settings).unwrap();
}

fn address(stage: &Stage, key: &str, value: Value) {
    let mut state = stage.state();
    let address = state.address_mut(stage.order.address).unwrap();
    address.auto_creation.insert(key.to_owned(), value);
}

pub(super) const BROKEN: &[Broken] = &[
    breaks("number/two-platforms", |stage| {
        let of_conversations = stage.order.conversations_number;
        let proxy = stage.project.proxy_service;
        let mut state = stage.state();
        state.add_to_pool(proxy, of_conversations).unwrap();
        let url = state.proxy_webhook(proxy);
        drop(state);
        number(stage, of_conversations, "sms_url", url.into());
    }),
    breaks("number/messages", |stage| {
        let url = "https://example.com/overwritten";
        number(stage, stage.order.chat_number, "sms_url", url.into());
    }),
    breaks("number/greeting", |stage| {
        let url = "https://demo.twilio.com/welcome/sms/reply";
        let of_conversations = stage.order.conversations_number;
        number(stage, of_conversations, "sms_url", url.into());
    }),
    breaks("number/message-handler", |stage| {
        let url = "https://example.com/sms";
        let of_conversations = stage.order.conversations_number;
        number(stage, of_conversations, "sms_url", url.into());
    }),
    breaks("number/message-application", |stage| {
        number(
            stage,
            stage.order.chat_number,
            "sms_application_sid",
            sid("AP").into(),
        );
    }),
    breaks("number/messaging-service", |stage| {
        let mut state = stage.state();
        let service = state.create_messaging_service("Marketing", false);
        let number = stage.order.chat_number;
        state.add_to_messaging_service(service, number).unwrap();
    }),
    breaks("number/message-flow", |stage| {
        stage.add_number_to_missing_flow("+15550100055");
    }),
    breaks("number/nowhere", |stage| {
        stage.state().buy_number("+15550100055");
    }),
    breaks("number/voice-flow", |stage| {
        let url = stage.state().studio_webhook(stage.order.messaging_flow);
        number(stage, stage.order.chat_number, "voice_url", url.into());
    }),
    breaks("number/voice", |stage| {
        let url = "https://example.com/voice";
        number(stage, stage.order.chat_number, "voice_url", url.into());
    }),
    breaks("number/voice-application", |stage| {
        number(
            stage,
            stage.order.chat_number,
            "voice_application_sid",
            sid("AP").into(),
        );
    }),
    breaks("number/trunk", |stage| {
        number(
            stage,
            stage.order.chat_number,
            "trunk_sid",
            sid("TK").into(),
        );
    }),
    breaks("conversations/service", |stage| {
        let mut state = stage.state();
        let other = state.create_chat_service("Another");
        state.set_default_conversation_service(other);
    }),
    breaks("conversations/close-timer", |stage| {
        stage.state().set_closed_timer("PT12H").unwrap()
    }),
    breaks("address/service", |stage| {
        address(stage, "conversation_service_sid", sid("IS").into());
    }),
    breaks("address/studio-flow", |stage| {
        address(stage, "studio_flow_sid", NO_FLOW.into())
    }),
    breaks("address/disabled", |stage| {
        address(stage, "enabled", false.into())
    }),
];
