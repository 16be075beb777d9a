//! Projects that work as they should: a checkup of them gives no advice that would harm them.
//!
//! Each project is looked at with parking and without it.

use checkup::Severity;
use serde_json::{Map, Value, json};
use simulator::Sid;
use simulator::state::flows::Medium;
use simulator::state::studio::Revision;

use crate::stage::Stage;

/// Twilio's greeting, which every new number has.
const GREETING: &str = "https://demo.twilio.com/welcome/sms/reply";

fn sid(prefix: &str) -> String {
    format!("{prefix}{}", "9".repeat(32))
}

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn point(stage: &Stage, number: Sid, settings: &Value) {
    let settings = members(settings);
    stage.state().point_number(number, settings).unwrap();
}

/// Lets an address make conversations in the chat service of Flex, by Studio.
fn converses(stage: &Stage, kind: &str, address: &str, flow: Sid) {
    let creation = json!({
        "enabled": true,
        "type": "studio",
        "conversation_service_sid": stage.project.chat_service,
        "studio_flow_sid": flow,
        "studio_retry_count": 3,
    });
    let mut state = stage.state();
    state
        .configure_address(kind, address, members(&creation))
        .unwrap();
}

/// Creates a published flow, in which every event of `events` leads to a widget of this kind.
fn flow(stage: &Stage, events: &[&str], kind: &str, properties: &Value) -> Sid {
    let transitions: Vec<Value> = events
        .iter()
        .map(|event| json!({ "event": event, "next": "Widget" }))
        .collect();
    let definition = json!({
        "description": "A flow",
        "initial_state": "Trigger",
        "states": [
            { "name": "Trigger", "type": "trigger", "properties": {}, "transitions": transitions },
            { "name": "Widget", "type": kind, "properties": properties, "transitions": [] },
        ],
    });
    let mut state = stage.state();
    let name = format!("{kind} for {events:?}");
    state
        .create_studio_flow(&name, "published", definition)
        .unwrap()
}

/// The messaging flow as Twilio's migration guide leaves it: conversations only, and no
/// `channelSid` any more.
fn rewire_the_messaging_flow(stage: &Stage) {
    let mut state = stage.state();
    let flow = stage.order.messaging_flow;
    let mut definition = state.studio_flow(flow).unwrap().definition.clone();
    definition["states"][0]["transitions"] = json!([
        { "event": "incomingMessage" },
        { "event": "incomingConversationMessage", "next": "SendToFlex" },
    ]);
    definition["states"][1]["properties"]["attributes"] =
        r#"{"name": "{{trigger.conversation.From}}"}"#.into();
    let revision = Revision {
        status: "published".to_owned(),
        friendly_name: None,
        definition: Some(definition),
        commit_message: None,
    };
    state.revise_studio_flow(flow, revision).unwrap();
}

/// Adds the things beside Flex that most accounts have, and that are none of its business.
fn add_everyday_things(stage: &Stage) {
    // An unused flow that names what was deleted long ago, and a draft.
    let old = json!({ "workflow": sid("WW"), "channel": sid("TC"), "attributes": "{}" });
    flow(
        stage,
        &["incomingMessage", "incomingCall"],
        "send-to-flex",
        &old,
    );
    let draft = flow(stage, &["incomingCall"], "say-play", &json!({}));
    stage.state().studio_flow_mut(draft).unwrap().status = "draft".to_owned();
    // A number for calls alone, with Twilio's greeting for messages, and an IVR without agents.
    let ivr = flow(stage, &["incomingCall"], "say-play", &json!({}));
    let number = stage.state().buy_number("+15550100031");
    let url = stage.state().studio_webhook(ivr);
    point(
        stage,
        number,
        &json!({ "sms_url": GREETING, "voice_url": url }),
    );
    // A number that only sends.
    stage.state().buy_number("+15550100032");
    // A number of a program of the company's own.
    let number = stage.state().buy_number("+15550100033");
    let settings = json!({ "sms_url": "https://example.com/codes", "voice_url": "" });
    point(stage, number, &settings);
    // Calls of a number of conversations are taken by a trunk.
    let number = stage.state().buy_number("+15550100034");
    point(
        stage,
        number,
        &json!({ "trunk_sid": sid("TK"), "sms_url": "" }),
    );
    converses(stage, "sms", "+15550100034", stage.order.messaging_flow);
    // A bot answers first, and hands over by a request of its own.
    let number = stage.state().buy_number("+15550100035");
    let settings = json!({ "sms_url": "", "voice_url": "https://example.com/voice" });
    point(stage, number, &settings);
    let events = ["incomingConversationMessage"];
    let bot = flow(stage, &events, "make-http-request", &json!({}));
    converses(stage, "sms", "+15550100035", bot);
    let bot = flow(stage, &events, "run-function", &json!({}));
    converses(stage, "whatsapp", "whatsapp:+15550100035", bot);
}

/// A project that never knew Programmable Chat.
fn conversations_only(stage: &mut Stage) {
    let flows: Vec<Sid> = stage.state().flex_flows().map(|flow| flow.sid).collect();
    {
        let mut state = stage.state();
        for flow in flows {
            state.lose(flow).unwrap();
        }
        let number = stage.order.chat_number;
        state.take_from_pool(number).unwrap();
        state.lose(number).unwrap();
        state.lose(stage.project.proxy_service).unwrap();
        state.set_closed_timer("").unwrap();
    }
    rewire_the_messaging_flow(stage);
    add_everyday_things(stage);
}

/// The same in the USA: carriers want the numbers in messaging services.
fn with_a2p(stage: &mut Stage) {
    conversations_only(stage);
    let first = stage.order.conversations_number;
    let second = stage.state().buy_number("+15550100041");
    converses(stage, "sms", "+15550100041", stage.order.messaging_flow);
    // In a messaging service a number's own handlers are not called.
    point(stage, second, &json!({ "sms_url": GREETING }));
    let third = stage.state().buy_number("+15550100042");
    converses(stage, "sms", "+15550100042", stage.order.messaging_flow);
    let proxy = format!(
        "https://webhooks.twilio.com/v1/Accounts/{}/Proxy/{}/Webhooks/Message",
        stage.account.sid,
        sid("KS")
    );
    point(stage, third, &json!({ "sms_url": proxy }));
    let mut state = stage.state();
    let campaign = state.create_messaging_service("Default Messaging Service", false);
    for number in [first, second, third] {
        state.add_to_messaging_service(campaign, number).unwrap();
    }
}

/// A project that moved from Programmable Chat, and left everything where it was.
fn migrated(stage: &mut Stage) {
    rewire_the_messaging_flow(stage);
    let flow = stage.order.messaging_flow;
    // The number of Chat makes conversations now; it is still in the pool and has its Flex Flow.
    let number = stage.order.chat_number;
    converses(stage, "sms", "+15550100001", flow);
    converses(stage, "whatsapp", "whatsapp:+15550100001", flow);
    converses(stage, "messenger", "messenger:104857600", flow);
    point(stage, number, &json!({ "sms_url": "" }));
    let left_over = stage.flow("web");
    let mut state = stage.state();
    let proxy = stage.project.proxy_service;
    let url = state.proxy_webhook(proxy);
    let settings = members(&json!({ "sms_url": url }));
    // Another one kept its URL too, and is in a messaging service, where the URL does nothing.
    let kept = state.buy_number("+15550100051");
    state.point_number(kept, settings).unwrap();
    state.add_to_pool(proxy, kept).unwrap();
    let campaign = state.create_messaging_service("Campaign", false);
    state.add_to_messaging_service(campaign, kept).unwrap();
    // A third left Flex for a program of the company's own, and a fourth was given back.
    let moved = state.buy_number("+15550100052");
    let settings = members(&json!({ "sms_url": "https://example.com/codes" }));
    state.point_number(moved, settings).unwrap();
    state.add_to_pool(proxy, moved).unwrap();
    let gone = state.buy_number("+15550100053");
    state.add_to_pool(proxy, gone).unwrap();
    state.lose(gone).unwrap();
    // Flex Flows of all of them, one with a service and a Studio flow that were deleted.
    for address in ["+15550100051", "+15550100053"] {
        let service = sid("IS");
        let flow = state.create_flex_flow(Medium::Sms, Some(address), &service);
        let stored = state.flex_flow_mut(flow).unwrap();
        stored.integration_type = Some("studio".to_owned());
        stored.integration = members(&json!({ "flow_sid": sid("FW") }));
    }
    let web = state.flex_flow_mut(left_over).unwrap();
    web.integration = members(&json!({ "flow_sid": sid("FW") }));
    web.janitor_enabled = false;
    // Silent conversations are closed after a week.
    state.set_closed_timer("P7D").unwrap();
    drop(state);
    converses(stage, "sms", "+15550100051", flow);
    add_everyday_things(stage);
}

async fn is_healthy(name: &str, set_up: fn(&mut Stage)) {
    for parks in [true, false] {
        let mut stage = Stage::new().await;
        set_up(&mut stage);
        if !parks {
            stage.stop_parking();
        }
        let report = stage.report().await;
        let worse: Vec<String> = report
            .findings
            .iter()
            .filter(|finding| finding.rule.severity < Severity::Info)
            .map(|finding| format!("{} {}: {}", finding.rule.id, finding.subject, finding.found))
            .collect();
        assert!(worse.is_empty(), "{name}, parking {parks}: {worse:#?}");
        assert!(
            report.skipped_rules.is_empty(),
            "{:?}",
            report.skipped_rules
        );
    }
}

#[tokio::test]
async fn a_project_of_conversations_alone_is_healthy() {
    is_healthy("conversations only", conversations_only).await;
}

#[tokio::test]
async fn numbers_of_conversations_in_messaging_services_are_healthy() {
    is_healthy("with A2P", with_a2p).await;
}

#[tokio::test]
async fn what_a_migration_leaves_behind_is_healthy() {
    is_healthy("migrated", migrated).await;
}
