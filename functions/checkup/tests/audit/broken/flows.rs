//! Projects that break the rules about Studio and Flex Flows.

use checkup::{LongLived, Toggle};
use serde_json::{Value, json};
use simulator::Sid;
use simulator::state::flows::Medium;
use simulator::state::studio::Revision;

use super::{Broken, breaks, sid};
use crate::stage::{NO_FLOW, Stage};

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

pub(super) const BROKEN: &[Broken] = &[
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
        rewrite(stage, stage.order.messaging_flow, |definition| {
            definition["states"][1]["type"] = "send-message".into();
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
        stage.wanted.janitor = Toggle::Off
    }),
    breaks("flex-flow/long-lived", |stage| {
        stage.wanted.long_lived = Some("whatsapp,sms".parse::<LongLived>().unwrap());
    }),
];
