//! `studio.twilio.com/v2`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use crate::api::page::{place, seconds};
use crate::state::setup::studio::{Revision, StudioFlow, check_definition};
use crate::state::sid::Sid;
use serde_json::{Value, json};

/// The largest page: twilio_studio_v2.json.
const MAX_PAGE: usize = 1_000;

const FLOW: [&str; 4] = ["FriendlyName", "Status", "Definition", "CommitMessage"];

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["v2", "Flows"]) => list(call),
        ("POST", ["v2", "Flows"]) => create(call),
        ("POST", ["v2", "Flows", "Validate"]) => {
            let form = call.form(&FLOW)?;
            form.need("FriendlyName")?;
            form.need("Definition")?;
            status(&form)?;
            let valid =
                definition(&form)?.is_some_and(|definition| check_definition(&definition).is_ok());
            Ok(Answer::ok(json!({ "valid": valid })))
        }
        ("GET", ["v2", "Flows", flow]) => {
            call.bare()?;
            let flow = call.sid(flow)?;
            show(call, flow).map(Answer::ok)
        }
        ("POST", ["v2", "Flows", flow]) => {
            let flow = call.sid(flow)?;
            let form = call.form(&FLOW)?;
            let given = Revision {
                status: status(&form)?,
                friendly_name: form.text("FriendlyName"),
                definition: definition(&form)?,
                commit_message: form.text("CommitMessage"),
            };
            call.state.revise_studio_flow(flow, given)?;
            show(call, flow).map(Answer::ok)
        }
        ("DELETE", ["v2", "Flows", flow]) => {
            call.bare()?;
            let flow = call.sid(flow)?;
            call.state
                .studio
                .remove(flow)
                .ok_or_else(|| call.no_route())?;
            Ok(Answer::nothing())
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

fn create(call: &mut Call<'_>) -> Outcome {
    let form = call.form(&FLOW)?;
    let (name, status) = (form.need("FriendlyName")?, status(&form)?);
    form.need("Definition")?;
    let definition = definition(&form)?.unwrap_or_default();
    let flow = call.state.create_studio_flow(name, &status, definition)?;
    show(call, flow).map(Answer::created)
}

fn status(form: &Params) -> Result<String, Failure> {
    form.need("Status")?;
    let known = |word: &str| {
        ["draft", "published"]
            .contains(&word)
            .then(|| word.to_owned())
    };
    form.parsed("Status", "draft or published", known)
        .map(Option::unwrap_or_default)
}

fn definition(form: &Params) -> Result<Option<Value>, Failure> {
    form.parsed("Definition", "a JSON object", |text| {
        serde_json::from_str(text).ok()
    })
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
