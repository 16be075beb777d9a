//! `proxy.twilio.com/v1/Services/{KS}/PhoneNumbers`.

use crate::api::answer::Outcome;
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::state::setup::numbers::PoolNumber;
use crate::state::sid::Sid;
use serde_json::{Value, json};

/// The largest page: twilio_proxy_v1.json.
const MAX_PAGE: usize = 1_000;

pub(crate) fn route(call: &Call<'_>, method: &str, service: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => {
            let (_, paging) = call.list(&[], MAX_PAGE)?;
            let pool = call
                .state
                .numbers
                .pool
                .after(paging.after())
                .filter(|(_, number)| number.service == service);
            call.page(
                "phone_numbers",
                &paging,
                pool.map(|(at, number)| (place(at), number_json(call, number))),
            )
        }
        _ => Err(call.no_route()),
    }
}

fn number_json(call: &Call<'_>, number: &PoolNumber) -> Value {
    json!({
        "sid": number.sid,
        "account_sid": call.state.account.sid,
        "service_sid": number.service,
        "date_created": seconds(number.created),
        "date_updated": seconds(number.updated),
        "phone_number": number.phone_number,
        "friendly_name": number.phone_number,
        "iso_country": "US",
        "capabilities": { "sms_inbound": true, "sms_outbound": true, "voice_inbound": true, "voice_outbound": true },
        "url": call.url(format_args!("proxy/v1/Services/{}/PhoneNumbers/{}", number.service, number.sid)),
        "is_reserved": number.reserved,
        "in_use": call.state.sessions().filter(|session| session.service == number.service && session.is_open()).count(),
    })
}
