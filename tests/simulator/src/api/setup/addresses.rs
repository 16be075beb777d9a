//! `conversations.twilio.com/v1/Configuration/Addresses`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use crate::api::page::{place, seconds};
use crate::state::refusal::Refusal;
use crate::state::setup::numbers::AddressConfiguration;
use crate::state::sid::Sid;
use serde_json::{Map, Value, json};

/// The largest page: twilio_conversations_v1.json.
const MAX_PAGE: usize = 50;

const CHANGEABLE: [&str; 9] = [
    "FriendlyName",
    "AutoCreation.Enabled",
    "AutoCreation.Type",
    "AutoCreation.ConversationServiceSid",
    "AutoCreation.WebhookUrl",
    "AutoCreation.WebhookMethod",
    "AutoCreation.WebhookFilters",
    "AutoCreation.StudioFlowSid",
    "AutoCreation.StudioRetryCount",
];

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => {
            let (_, paging) = call.list(&[], MAX_PAGE)?;
            let addresses = call.state.numbers.addresses.after(paging.after());
            let entries = addresses.map(|(at, one)| (place(at), address_json(call, one)));
            call.page("address_configurations", &paging, entries)
        }
        (_, [address]) => {
            let by_name =
                |one: &&AddressConfiguration| one.sid == **address || one.address == **address;
            let found = call
                .state
                .numbers
                .addresses
                .values()
                .find(by_name)
                .map(|one| one.sid);
            let address = found.ok_or_else(|| call.no_route())?;
            match method {
                "GET" => call.bare()?,
                "POST" => {
                    let form = call.form(&CHANGEABLE)?;
                    let creation = auto_creation(&form)?;
                    rename(call, address, &form)?;
                    if let Some(stored) = call.state.numbers.addresses.get_mut(address) {
                        stored.auto_creation.extend(creation);
                    }
                }
                _ => return Err(call.no_route()),
            }
            show(call, address).map(Answer::ok)
        }
        _ => Err(call.no_route()),
    }
}

fn auto_creation(form: &Params) -> Result<Map<String, Value>, Failure> {
    let kinds = ["studio", "webhook", "default"];
    form.parsed("AutoCreation.Type", "studio, webhook or default", |word| {
        kinds.contains(&word).then_some(())
    })?;
    let filters: Vec<&str> = form.all("AutoCreation.WebhookFilters").collect();
    let given: [(&str, Option<Value>); 8] = [
        (
            "enabled",
            form.flag("AutoCreation.Enabled")?.map(Value::from),
        ),
        ("type", form.get("AutoCreation.Type").map(Value::from)),
        (
            "conversation_service_sid",
            form.get("AutoCreation.ConversationServiceSid")
                .map(Value::from),
        ),
        (
            "webhook_url",
            form.get("AutoCreation.WebhookUrl").map(Value::from),
        ),
        (
            "webhook_method",
            form.get("AutoCreation.WebhookMethod").map(Value::from),
        ),
        (
            "webhook_filters",
            (!filters.is_empty()).then(|| filters.into()),
        ),
        (
            "studio_flow_sid",
            form.get("AutoCreation.StudioFlowSid").map(Value::from),
        ),
        (
            "studio_retry_count",
            form.integer("AutoCreation.StudioRetryCount")?
                .map(Value::from),
        ),
    ];
    Ok(given
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect())
}

fn rename(call: &mut Call<'_>, address: Sid, form: &Params) -> Result<(), Failure> {
    let now = call.state.now();
    let stored = call
        .state
        .numbers
        .addresses
        .get_mut(address)
        .ok_or_else(|| Refusal::absent(address))?;
    stored.friendly_name = form.text("FriendlyName").or(stored.friendly_name.take());
    stored.updated = now;
    Ok(())
}

fn show(call: &Call<'_>, address: Sid) -> Result<Value, Failure> {
    call.state
        .numbers
        .addresses
        .get(address)
        .map(|stored| address_json(call, stored))
        .ok_or_else(|| call.no_route())
}

fn address_json(call: &Call<'_>, one: &AddressConfiguration) -> Value {
    json!({
        "sid": one.sid,
        "account_sid": call.state.account.sid,
        "type": one.kind,
        "address": one.address,
        "friendly_name": one.friendly_name,
        "auto_creation": one.auto_creation,
        "date_created": seconds(one.created),
        "date_updated": seconds(one.updated),
        "url": call.url(format_args!("conversations/v1/Configuration/Addresses/{}", one.sid)),
        "address_country": null,
    })
}
