//! `flex-api.twilio.com/v1/FlexFlows`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use crate::api::page::{place, seconds};
use crate::state::refusal::Refusal;
use crate::state::setup::flows::{FlexFlow, Medium};
use crate::state::sid::Sid;
use serde_json::{Map, Value, json};

/// The largest page: twilio_flex_v1.json.
const MAX_PAGE: usize = 1_000;

const FLOW: [&str; 17] = [
    "FriendlyName",
    "ChatServiceSid",
    "ChannelType",
    "ContactIdentity",
    "Enabled",
    "IntegrationType",
    "Integration.FlowSid",
    "Integration.Url",
    "Integration.WorkspaceSid",
    "Integration.WorkflowSid",
    "Integration.Channel",
    "Integration.Timeout",
    "Integration.Priority",
    "Integration.CreationOnMessage",
    "Integration.RetryCount",
    "LongLived",
    "JanitorEnabled",
];

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("GET", [flow]) => {
            call.bare()?;
            let flow = call.sid(flow)?;
            show(call, flow).map(Answer::ok)
        }
        ("POST", [flow]) => {
            let flow = call.sid(flow)?;
            change(call, flow)?;
            show(call, flow).map(Answer::ok)
        }
        _ => Err(call.no_route()),
    }
}

fn list(call: &Call<'_>) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let flows = call.state.flex.flows.after(paging.after());
    let entries = flows.map(|(at, flow)| (place(at), flow_json(call, flow)));
    call.page("flex_flows", &paging, entries)
}

fn create(call: &mut Call<'_>) -> Outcome {
    let form = call.form(&FLOW)?;
    form.need("FriendlyName")?;
    let service = form.need("ChatServiceSid")?.to_owned();
    form.need("ChannelType")?;
    let medium = medium(&form)?.unwrap_or(Medium::Custom);
    let flow = call.state.create_flex_flow(medium, None, &service);
    if let Ok(stored) = call.state.flex_flow_mut(flow) {
        stored.integration = Map::new();
        stored.integration_type = None;
    }
    if let Err(failure) = change(call, flow) {
        call.state.flex.flows.remove(flow);
        return Err(failure);
    }
    show(call, flow).map(Answer::created)
}

fn change(call: &mut Call<'_>, flow: Sid) -> Result<(), Failure> {
    let form = call.form(&FLOW)?;
    let (medium, enabled) = (medium(&form)?, form.flag("Enabled")?);
    let (long_lived, janitor) = (form.flag("LongLived")?, form.flag("JanitorEnabled")?);
    let kinds = ["studio", "external", "task"];
    let kind = form.parsed("IntegrationType", "studio, external or task", |word| {
        kinds.contains(&word).then(|| word.to_owned())
    })?;
    let mut integration = Vec::new();
    for name in FLOW.iter().filter(|name| name.starts_with("Integration.")) {
        let value = match *name {
            "Integration.Timeout" | "Integration.Priority" | "Integration.RetryCount" => {
                form.integer(name)?.map(Value::from)
            }
            "Integration.CreationOnMessage" => form.flag(name)?.map(Value::from),
            _ => form.text(name).map(Value::from),
        };
        integration.extend(value.map(|value| (snake_case(name), value)));
    }
    let now = call.state.now();
    let stored = call.state.flex_flow_mut(flow)?;
    stored.friendly_name = form
        .text("FriendlyName")
        .unwrap_or(std::mem::take(&mut stored.friendly_name));
    stored.chat_service = form
        .text("ChatServiceSid")
        .unwrap_or(std::mem::take(&mut stored.chat_service));
    stored.medium = medium.unwrap_or(stored.medium);
    stored.contact_identity = form
        .text("ContactIdentity")
        .or(stored.contact_identity.take());
    stored.enabled = enabled.unwrap_or(stored.enabled);
    stored.integration_type = kind.or(stored.integration_type.take());
    stored.integration.extend(integration);
    stored.long_lived = long_lived.unwrap_or(stored.long_lived);
    stored.janitor_enabled = janitor.unwrap_or(stored.janitor_enabled);
    stored.updated = now;
    Ok(())
}

fn medium(form: &Params) -> Result<Option<Medium>, Failure> {
    form.parsed("ChannelType", "a channel type", Medium::parse)
}

/// Turns `Integration.FlowSid` into `flow_sid`.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.trim_start_matches("Integration.").chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

fn show(call: &Call<'_>, flow: Sid) -> Result<Value, Failure> {
    let stored = call
        .state
        .flex_flow(flow)
        .ok_or_else(|| Refusal::absent(flow))?;
    Ok(flow_json(call, stored))
}

fn flow_json(call: &Call<'_>, flow: &FlexFlow) -> Value {
    json!({
        "account_sid": call.state.account.sid,
        "date_created": seconds(flow.created),
        "date_updated": seconds(flow.updated),
        "sid": flow.sid,
        "friendly_name": flow.friendly_name,
        "chat_service_sid": flow.chat_service,
        "channel_type": flow.medium.as_str(),
        "contact_identity": flow.contact_identity,
        "enabled": flow.enabled,
        "integration_type": flow.integration_type,
        "integration": flow.integration,
        "long_lived": flow.long_lived,
        "janitor_enabled": flow.janitor_enabled,
        "url": call.url(format_args!("flex-api/v1/FlexFlows/{}", flow.sid)),
    })
}
