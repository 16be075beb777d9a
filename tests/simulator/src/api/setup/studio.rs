//! `studio.twilio.com/v2`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::state::setup::studio::StudioFlow;
use crate::state::sid::Sid;
use serde_json::{Value, json};

/// The largest page: twilio_studio_v2.json.
const MAX_PAGE: usize = 1_000;

pub(crate) fn route(call: &Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["v2", "Flows"]) => list(call),
        ("GET", ["v2", "Flows", flow]) => {
            call.bare()?;
            let flow = call.sid(flow)?;
            show(call, flow).map(Answer::ok)
        }
        _ => Err(call.no_route()),
    }
}

fn list(call: &Call<'_>) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call.state.studio.after(paging.after()).map(|(at, flow)| {
        let mut json = flow_json(call, flow);
        for detail in ["definition", "valid", "errors"] {
            json[detail] = Value::Null;
        }
        (place(at), json)
    });
    call.page("flows", &paging, entries)
}

fn show(call: &Call<'_>, flow: Sid) -> Result<Value, Failure> {
    call.state
        .studio_flow(flow)
        .map(|stored| flow_json(call, stored))
        .ok_or_else(|| call.no_route())
}

fn flow_json(call: &Call<'_>, flow: &StudioFlow) -> Value {
    let account = call.state.account.sid;
    let url = call.url(format_args!("studio/v2/Flows/{}", flow.sid));
    json!({
        "sid": flow.sid,
        "account_sid": account,
        "author_sid": account,
        "friendly_name": flow.friendly_name,
        "definition": flow.definition,
        "status": flow.status,
        "revision": flow.revision,
        "commit_message": flow.commit_message,
        "valid": flow.valid,
        "errors": if flow.valid { json!([]) } else { json!([{ "message": "is not valid", "property_path": "#/states" }]) },
        "warnings": [],
        "date_created": seconds(flow.created),
        "date_updated": seconds(flow.updated),
        "webhook_url": format!("https://webhooks.twilio.com/v1/Accounts/{account}/Flows/{}", flow.sid),
        "links": { "revisions": format!("{url}/Revisions"), "executions": format!("{url}/Executions"), "test_users": format!("{url}/TestUsers") },
        "url": url,
    })
}
