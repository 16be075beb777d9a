//! The JSON inside the forms of `flex-api.twilio.com/v1/Interactions`.

use crate::api::answer::Failure;
use crate::api::call::{Call, Params};
use crate::state::interactions::interaction::Routing;
use serde::Deserialize;
use serde_json::value::RawValue;

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
    task_channel_sid: Option<String>,
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
        task_channel: given.task_channel_unique_name.or(given.task_channel_sid),
        attributes,
    }))
}
