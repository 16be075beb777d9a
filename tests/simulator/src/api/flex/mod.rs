//! `flex-api.twilio.com/v1`.

mod flows;
mod interaction_forms;
mod interactions;

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::page::maybe;
use serde_json::{Map, Value};

/// The members of the configuration: twilio_flex_v1.json.
const CONFIGURATION: [&str; 48] = [
    "account_sid",
    "date_created",
    "date_updated",
    "attributes",
    "status",
    "taskrouter_workspace_sid",
    "taskrouter_target_workflow_sid",
    "taskrouter_target_taskqueue_sid",
    "taskrouter_taskqueues",
    "taskrouter_skills",
    "taskrouter_worker_channels",
    "taskrouter_worker_attributes",
    "taskrouter_offline_activity_sid",
    "runtime_domain",
    "messaging_service_instance_sid",
    "chat_service_instance_sid",
    "flex_service_instance_sid",
    "flex_instance_sid",
    "ui_language",
    "ui_attributes",
    "ui_dependencies",
    "ui_version",
    "service_version",
    "call_recording_enabled",
    "call_recording_webhook_url",
    "crm_enabled",
    "crm_type",
    "crm_callback_url",
    "crm_fallback_url",
    "crm_attributes",
    "public_attributes",
    "plugin_service_enabled",
    "plugin_service_attributes",
    "integrations",
    "outbound_call_flows",
    "serverless_service_sids",
    "queue_stats_configuration",
    "notifications",
    "markdown",
    "url",
    "flex_insights_hr",
    "flex_insights_drilldown",
    "flex_url",
    "channel_configs",
    "debugger_integration",
    "flex_ui_status_report",
    "agent_conv_end_methods",
    "citrix_voice_vdi",
];

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["v1", "Configuration"]) => {
            call.query(&["UiVersion"])?;
            Ok(Answer::ok(configuration(call)?))
        }
        ("POST", ["v1", "Configuration"]) => {
            let given = call.json()?;
            configuration(call)?;
            if let Some(unknown) = given
                .keys()
                .find(|key| !CONFIGURATION.contains(&key.as_str()) && *key != "offline_config")
            {
                return Err(Failure::invalid(format!("Unknown parameter: {unknown}")));
            }
            call.state.flex.configuration.extend(given);
            Ok(Answer::ok(configuration(call)?))
        }
        (_, ["v1", "Interactions", rest @ ..]) => interactions::route(call, method, rest),
        (_, ["v1", "FlexFlows", rest @ ..]) => flows::route(call, method, rest),
        _ => Err(call.no_route()),
    }
}

fn configuration(call: &Call<'_>) -> Result<Value, Failure> {
    let project = call.state.project().ok_or_else(|| call.no_route())?;
    let mut fields: Map<String, Value> = CONFIGURATION
        .iter()
        .map(|name| ((*name).to_owned(), Value::Null))
        .collect();
    let known: [(&str, Value); 18] = [
        ("account_sid", project.account.into()),
        ("date_created", maybe(call.state.flex.configured)),
        ("date_updated", maybe(call.state.flex.configured)),
        ("attributes", Value::Object(Map::new())),
        ("status", "ok".into()),
        ("taskrouter_workspace_sid", project.workspace.into()),
        ("taskrouter_target_workflow_sid", project.workflow.into()),
        ("taskrouter_target_taskqueue_sid", project.queue.into()),
        ("chat_service_instance_sid", project.chat_service.into()),
        ("flex_service_instance_sid", project.chat_service.into()),
        ("flex_instance_sid", project.instance.into()),
        ("ui_language", "en-us".into()),
        ("ui_version", "1.34.6".into()),
        ("service_version", "v1".into()),
        ("integrations", Value::Array(Vec::new())),
        ("serverless_service_sids", Value::Array(Vec::new())),
        ("offline_config", Value::Null),
        ("url", call.url("flex-api/v1/Configuration").into()),
    ];
    fields.extend(
        known
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    fields.extend(call.state.flex.configuration.clone());
    Ok(Value::Object(fields))
}
