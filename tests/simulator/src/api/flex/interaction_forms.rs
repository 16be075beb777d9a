//! The JSON inside the forms of `flex-api.twilio.com/v1/Interactions`.

use crate::api::answer::Failure;
use crate::api::call::{Call, Params};
use crate::state::conversations::conversation::{ConversationChange, NewParticipant};
use crate::state::interactions::interaction::{NewInteraction, Routing};
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct GivenChannel {
    #[serde(rename = "type")]
    medium: String,
    #[serde(default)]
    properties: GivenProperties,
    #[serde(default)]
    participants: Vec<GivenParticipant>,
}

#[derive(Deserialize, Default)]
struct GivenProperties {
    media_channel_sid: Option<String>,
}

#[derive(Deserialize)]
struct GivenParticipant {
    address: Option<String>,
    proxy_address: Option<String>,
}

pub(crate) fn start(call: &mut Call<'_>) -> Result<Sid, Failure> {
    let form = call.form(&["Channel", "Routing", "InteractionContextSid", "WebhookTtid"])?;
    let given: GivenChannel = serde_json::from_str(form.need("Channel")?).map_err(|error| {
        Failure::invalid(format!(
            "Channel must be a JSON object with a type: {error}"
        ))
    })?;
    let routing = routing(call, &form)?;
    let conversation = match &given.properties.media_channel_sid {
        Some(sid) => call.sid(sid)?,
        None => converse(call, &given)?,
    };
    let interaction = call.state.start_interaction(NewInteraction {
        medium: given.medium,
        conversation: Some(conversation),
        routing,
        context: form.text("InteractionContextSid"),
        webhook: form.text("WebhookTtid"),
    })?;
    Ok(interaction)
}

fn converse(call: &mut Call<'_>, given: &GivenChannel) -> Result<Sid, Failure> {
    let service = call
        .state
        .default_conversation_service()
        .ok_or_else(|| call.no_route())?;
    for (address, proxy) in given
        .participants
        .iter()
        .filter_map(|one| Some((one.address.as_ref()?, one.proxy_address.as_ref()?)))
    {
        if let Some(other) = call.state.conversation_between(address, proxy) {
            return Err(Refusal::AddressPairTaken(other.sid).into());
        }
    }
    let conversation = call
        .state
        .create_conversation(service, ConversationChange::default())?;
    for one in given
        .participants
        .iter()
        .filter(|one| one.address.is_some())
    {
        let participant = NewParticipant {
            address: one.address.clone(),
            proxy_address: one.proxy_address.clone(),
            ..Default::default()
        };
        call.state.add_participant(conversation, participant)?;
    }
    Ok(conversation)
}

#[derive(Deserialize)]
struct GivenRouting<'a> {
    #[serde(borrow)]
    properties: RoutingProperties<'a>,
}

#[derive(Deserialize)]
struct RoutingProperties<'a> {
    workspace_sid: Option<String>,
    workflow_sid: Option<String>,
    queue_sid: Option<String>,
    worker_sid: Option<String>,
    task_channel_unique_name: Option<String>,
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
}

pub(crate) fn routing(call: &Call<'_>, form: &Params) -> Result<Option<Routing>, Failure> {
    let Some(text) = form.get("Routing") else {
        return Ok(None);
    };
    let wrong = |error: serde_json::Error| {
        Failure::invalid(format!(
            "Routing must be a JSON object with properties: {error}"
        ))
    };
    let given: GivenRouting<'_> = serde_json::from_str(text).map_err(wrong)?;
    let given = given.properties;
    let sid = |text: Option<String>| text.map(|text| call.sid(&text)).transpose();
    let workspace =
        sid(given.workspace_sid)?.or(call.state.project().map(|project| project.workspace));
    // Attributes come as an object or, as in TaskRouter, as its text.
    let attributes = given.attributes.map(|raw| {
        serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
    });
    Ok(Some(Routing {
        workspace: workspace.ok_or_else(|| Failure::invalid("Routing needs a workspace_sid"))?,
        workflow: sid(given.workflow_sid)?,
        queue: sid(given.queue_sid)?,
        worker: sid(given.worker_sid)?,
        task_channel: given.task_channel_unique_name,
        attributes,
    }))
}
