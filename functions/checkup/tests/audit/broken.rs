//! For each rule a project that breaks it.

use checkup::{LongLived, Switch};
use serde_json::{Map, Value, json};
use simulator::Sid;
use simulator::state::flows::Medium;
use simulator::state::studio::Revision;

use crate::stage::Stage;

/// A project that breaks a rule.
pub(crate) struct Broken {
    pub(crate) rule: &'static str,
    /// What else is wrong with it by its nature.
    pub(crate) as_well: &'static [&'static str],
    pub(crate) how: fn(&mut Stage),
}

const fn breaks(rule: &'static str, how: fn(&mut Stage)) -> Broken {
    Broken {
        rule,
        as_well: &[],
        how,
    }
}

const fn breaks_more(
    rule: &'static str,
    as_well: &'static [&'static str],
    how: fn(&mut Stage),
) -> Broken {
    Broken { rule, as_well, how }
}

pub(crate) const NO_FLOW: &str = "FW00000000000000000000000000000000";

fn sid(prefix: &str) -> String {
    format!("{prefix}{}", "9".repeat(32))
}

fn integration(stage: &Stage, channel_type: &str, kind: &str, integration: Value) {
    let sid = stage.flow(channel_type);
    let mut state = stage.state();
    let flow = state.flex_flow_mut(sid).unwrap();
    flow.integration_type = Some(kind.to_owned());
    flow.integration = integration.as_object().unwrap().clone();
}

fn task(stage: &Stage, change: (&str, Value)) {
    let project = stage.project;
    let mut task = json!({
        "workspace_sid": project.workspace,
        "workflow_sid": project.workflow,
        "channel": "chat",
    });
    task[change.0] = change.1;
    integration(stage, "web", "task", task);
}

fn number(stage: &Stage, sid: Sid, setting: &str, value: Value) {
    let settings = Map::from_iter([(setting.to_owned(), value)]);
    stage.state().point_number(sid, settings).unwrap();
}

/// Changes the definition of a Studio flow, which stays published.
fn rewrite(stage: &Stage, flow: Sid, change: impl Fn(&mut Value)) {
    let mut state = stage.state();
    let mut definition = state.studio_flow(flow).unwrap().definition.clone();
    change(&mut definition);
    let revision = Revision {
        status: "published".to_owned(),
        friendly_name: None,
        definition: Some(definition),
        commit_message: None,
    };
    state.revise_studio_flow(flow, revision).unwrap();
}

fn widget(stage: &Stage, property: &str, value: Value) {
    rewrite(stage, stage.order.messaging_flow, |definition| {
        definition["states"][1]["properties"][property] = value.clone();
    });
}

fn address(stage: &Stage, key: &str, value: Value) {
    let mut state = stage.state();
    let address = state.address_mut(stage.order.address).unwrap();
    address.auto_creation.insert(key.to_owned(), value);
}

fn sink(stage: &Stage, key: &str, value: Value) {
    let mut state = stage.state();
    state.sink_mut(stage.order.sink).unwrap().configuration[key] = value;
}

pub(crate) const BROKEN: &[Broken] = &[
    breaks("project/configuration", |stage| {
        stage
            .state()
            .configure_flex("chat_service_instance_sid", Value::Null);
    }),
    breaks("project/workspace", |stage| {
        stage.state().lose(stage.project.workspace).unwrap();
    }),
    breaks("project/chat-service", |stage| {
        stage.state().lose(stage.project.chat_service).unwrap();
    }),
    breaks("project/settings", |stage| {
        stage.wanted.workspace = Some(sid("WS").parse().unwrap());
    }),
    breaks("project/unreadable", |stage| {
        let mut state = stage.state();
        let makes = Map::from_iter([("enabled".to_owned(), true.into())]);
        let address = state.configure_address("whatsapp", "whatsapp:+15550100077", makes);
        state.address_mut(address.unwrap()).unwrap().sid = stage.worker;
    }),
    breaks("taskrouter/workflow", |stage| {
        let workflow = json!({ "taskrouter_target_workflow_sid": sid("WW") });
        let named = workflow["taskrouter_target_workflow_sid"].clone();
        stage
            .state()
            .configure_flex("taskrouter_target_workflow_sid", named);
    }),
    breaks("taskrouter/multi-tasking", |stage| {
        let mut state = stage.state();
        state
            .workspace_mut(stage.project.workspace)
            .unwrap()
            .multi_task_enabled = false;
    }),
    breaks_more(
        "taskrouter/task-channel",
        &["studio/task-channel"],
        |stage| {
            let mut state = stage.state();
            let voice = state
                .find_task_channel(stage.project.workspace, "voice")
                .unwrap()
                .sid;
            state.lose(voice).unwrap();
        },
    ),
    breaks("taskrouter/parking-channel", |stage| {
        stage.state().lose(stage.inactive).unwrap();
    }),
    breaks("taskrouter/parking-capacity", |stage| {
        stage
            .state()
            .set_capacity(stage.worker, stage.inactive, 0)
            .unwrap();
    }),
    breaks_more("proxy/service", &["number/messages"], |stage| {
        stage.state().lose(stage.project.proxy_service).unwrap();
    }),
    breaks_more("proxy/chat-service", &["number/messages"], |stage| {
        let mut state = stage.state();
        let service = state
            .proxy_service_mut(stage.project.proxy_service)
            .unwrap();
        service.chat_instance = None;
    }),
    breaks("proxy/pool", |stage| {
        stage
            .state()
            .take_from_pool(stage.order.chat_number)
            .unwrap();
    }),
    breaks("proxy/pool-stranger", |stage| {
        let mut state = stage.state();
        let number = state.buy_number("+15550100066");
        state
            .add_to_pool(stage.project.proxy_service, number)
            .unwrap();
        state.lose(number).unwrap();
    }),
    breaks("studio/unpublished", |stage| {
        let mut state = stage.state();
        state
            .studio_flow_mut(stage.order.messaging_flow)
            .unwrap()
            .status = "draft".to_owned();
    }),
    breaks("studio/invalid", |stage| {
        let mut state = stage.state();
        state.studio_flow_mut(stage.order.voice_flow).unwrap().valid = false;
    }),
    breaks("studio/trigger", |stage| {
        rewrite(stage, stage.order.messaging_flow, |definition| {
            definition["states"][0]["transitions"] =
                json!([{ "event": "incomingMessage", "next": "SendToFlex" }]);
        });
    }),
    breaks("studio/no-flex", |stage| {
        rewrite(stage, stage.order.voice_flow, |definition| {
            definition["states"][1]["transitions"] = json!([{ "event": "audioComplete" }]);
        });
    }),
    breaks("studio/workflow", |stage| {
        widget(stage, "workflow", sid("WW").into())
    }),
    breaks("studio/task-channel", |stage| {
        widget(stage, "channel", sid("TC").into())
    }),
    breaks("studio/channel-kind", |stage| {
        rewrite(stage, stage.order.voice_flow, |definition| {
            definition["states"][2]["properties"]["channel"] =
                stage.project.chat_task_channel.into();
        });
    }),
    breaks("studio/channel-sid", |stage| {
        widget(
            stage,
            "attributes",
            r#"{"name": "{{trigger.message.ChannelAttributes.from}}"}"#.into(),
        );
    }),
    breaks("studio/channel-sid-fixed", |stage| {
        widget(
            stage,
            "attributes",
            format!("{{\"channelSid\": \"{}\"}}", sid("CH")).into(),
        );
    }),
    breaks("flex-flow/chat-service", |stage| {
        let flow = stage.flow("sms");
        stage.state().flex_flow_mut(flow).unwrap().chat_service = sid("IS");
    }),
    breaks("flex-flow/integration", |stage| {
        integration(stage, "web", "external", json!({}));
    }),
    breaks("flex-flow/studio-flow", |stage| {
        integration(
            stage,
            "web",
            "studio",
            json!({ "flow_sid": NO_FLOW, "retry_count": 1 }),
        );
    }),
    breaks("flex-flow/workspace", |stage| {
        task(stage, ("workspace_sid", sid("WS").into()))
    }),
    breaks("flex-flow/workflow", |stage| {
        task(stage, ("workflow_sid", sid("WW").into()))
    }),
    breaks("flex-flow/task-channel", |stage| {
        task(stage, ("channel", "default".into()))
    }),
    breaks("flex-flow/disabled", |stage| {
        let flow = stage.flow("facebook");
        stage.state().flex_flow_mut(flow).unwrap().enabled = false;
    }),
    breaks("flex-flow/doubled", |stage| {
        let first = stage.flow("facebook");
        let mut state = stage.state();
        let like = state.flex_flow(first).unwrap().clone();
        let service = stage.project.chat_service;
        let second = state.create_flex_flow(Medium::Facebook, None, service.as_str());
        let flow = state.flex_flow_mut(second).unwrap();
        *flow = simulator::state::flows::FlexFlow {
            sid: second,
            ..like
        };
    }),
    breaks("flex-flow/missing", |stage| {
        let flow = stage.flow("sms");
        stage.state().lose(flow).unwrap();
    }),
    breaks("flex-flow/janitor", |stage| {
        stage.wanted.janitor = Switch::Off
    }),
    breaks("flex-flow/long-lived", |stage| {
        stage.wanted.long_lived = Some("whatsapp,sms".parse::<LongLived>().unwrap());
    }),
    breaks("number/two-platforms", |stage| {
        let number = stage.order.conversations_number;
        let mut state = stage.state();
        state
            .add_to_pool(stage.project.proxy_service, number)
            .unwrap();
    }),
    breaks("number/messages", |stage| {
        let url = "https://example.com/overwritten";
        number(stage, stage.order.chat_number, "sms_url", url.into());
    }),
    breaks("number/message-handler", |stage| {
        let url = "https://demo.twilio.com/welcome/sms/reply";
        number(
            stage,
            stage.order.conversations_number,
            "sms_url",
            url.into(),
        );
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
        let number = stage.order.conversations_number;
        state.add_to_messaging_service(service, number).unwrap();
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
        stage.state().set_closed_timer("").unwrap()
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
    breaks("events/sink", |stage| {
        sink(stage, "destination", "https://example.com/old".into())
    }),
    breaks("events/sink-status", |stage| {
        stage.state().sink_mut(stage.order.sink).unwrap().status = "failed".to_owned();
    }),
    breaks("events/sink-method", |stage| {
        sink(stage, "method", "GET".into())
    }),
    breaks("events/sink-batching", |stage| {
        sink(stage, "batch_events", false.into())
    }),
    breaks("events/subscription", |stage| {
        stage.state().lose(stage.order.subscription).unwrap()
    }),
    breaks("events/types", |stage| {
        let mut state = stage.state();
        let subscription = state.subscription_mut(stage.order.subscription).unwrap();
        subscription
            .types
            .remove("com.twilio.taskrouter.task.canceled")
            .unwrap();
    }),
    breaks("events/schema-version", |stage| {
        let mut state = stage.state();
        let subscription = state.subscription_mut(stage.order.subscription).unwrap();
        let held = subscription
            .types
            .get_mut("com.twilio.taskrouter.task.completed");
        *held.unwrap() = 1;
    }),
    breaks("events/type-status", |stage| {
        let name = "com.twilio.taskrouter.task.completed";
        stage.state().set_type_status(name, "deprecated");
    }),
    breaks("events/error-logs", |stage| {
        let mut state = stage.state();
        let name = "com.twilio.error-logs.error.logged";
        state
            .subscribe_also(stage.order.subscription, name, None)
            .unwrap();
    }),
];
