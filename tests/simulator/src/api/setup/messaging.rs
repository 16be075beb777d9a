//! `messaging.twilio.com/v1/Services`: which services there are, and which numbers are in them.

use crate::api::answer::Outcome;
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::state::setup::messaging::MessagingService;
use serde_json::{Value, json};

/// The largest page: Twilio's description of Messaging v1.
const MAX_PAGE: usize = 1_000;

pub(crate) fn route(call: &Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["v1", "Services"]) => {
            let (_, paging) = call.list(&[], MAX_PAGE)?;
            let services = call.state.messaging.after(paging.after());
            let entries = services.map(|(at, one)| (place(at), service_json(call, one)));
            call.page("services", &paging, entries)
        }
        ("GET", ["v1", "Services", service, "PhoneNumbers"]) => {
            let service = call.sid(service)?;
            let (_, paging) = call.list(&[], MAX_PAGE)?;
            let stored = call.state.messaging.get(service);
            let stored = stored.ok_or_else(|| call.no_route())?;
            let entries = stored
                .numbers
                .iter()
                .zip(1..)
                .filter(|(_, at)| *at > paging.after())
                .map(|(number, at)| (place(at), number_json(call, stored, *number)));
            call.page("phone_numbers", &paging, entries)
        }
        _ => Err(call.no_route()),
    }
}

fn service_json(call: &Call<'_>, service: &MessagingService) -> Value {
    let url = call.url(format_args!("messaging/v1/Services/{}", service.sid));
    json!({
        "sid": service.sid,
        "account_sid": call.state.account.sid,
        "friendly_name": service.friendly_name,
        "date_created": seconds(service.created),
        "date_updated": seconds(service.created),
        "inbound_request_url": service.inbound_request_url,
        "inbound_method": "POST",
        "fallback_url": null,
        "fallback_method": "POST",
        "status_callback": null,
        "sticky_sender": true,
        "mms_converter": true,
        "smart_encoding": false,
        "scan_message_content": "inherit",
        "fallback_to_long_code": false,
        "area_code_geomatch": true,
        "synchronous_validation": false,
        "validity_period": 36_000,
        "usecase": "undeclared",
        "us_app_to_person_registered": false,
        "use_inbound_webhook_on_number": service.use_inbound_webhook_on_number,
        "links": {
            "phone_numbers": format!("{url}/PhoneNumbers"),
            "short_codes": format!("{url}/ShortCodes"),
        },
        "url": url,
    })
}

fn number_json(
    call: &Call<'_>,
    service: &MessagingService,
    number: crate::state::sid::Sid,
) -> Value {
    json!({
        "sid": number,
        "account_sid": call.state.account.sid,
        "service_sid": service.sid,
        "date_created": seconds(service.created),
        "date_updated": seconds(service.created),
        "phone_number": call.state.number(number).map(|stored| &stored.phone_number),
        "country_code": "US",
        "capabilities": ["SMS", "MMS"],
        "url": call.url(format_args!("messaging/v1/Services/{}/PhoneNumbers/{number}", service.sid)),
    })
}
