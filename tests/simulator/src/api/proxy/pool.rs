//! `proxy.twilio.com/v1/Services/{KS}/PhoneNumbers`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::state::setup::numbers::PoolNumber;
use crate::state::sid::Sid;
use serde_json::{Value, json};

/// The largest page: twilio_proxy_v1.json.
const MAX_PAGE: usize = 1_000;

pub(crate) fn route(call: &mut Call<'_>, method: &str, service: Sid, path: &[&str]) -> Outcome {
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
        ("POST", []) => {
            let form = call.form(&["Sid", "PhoneNumber", "IsReserved"])?;
            let reserved = form.flag("IsReserved")?;
            let owned = form.sid("Sid")?.or_else(|| {
                let wanted = form.get("PhoneNumber")?;
                call.state
                    .numbers
                    .owned
                    .values()
                    .find(|number| number.phone_number == wanted)
                    .map(|number| number.sid)
            });
            let number = owned.ok_or_else(|| {
                Failure::invalid("Sid or PhoneNumber must name a number of the account")
            })?;
            call.state.add_to_pool(service, number)?;
            reserve(call, number, reserved);
            show(call, number).map(Answer::created)
        }
        (_, [number]) => {
            let number = call.sid(number)?;
            call.state
                .numbers
                .pool
                .get(number)
                .filter(|stored| stored.service == service)
                .ok_or_else(|| call.no_route())?;
            match method {
                "GET" => call.bare()?,
                "POST" => {
                    let reserved = call.form(&["IsReserved"])?.flag("IsReserved")?;
                    reserve(call, number, reserved);
                }
                "DELETE" => {
                    call.bare()?;
                    call.state.numbers.pool.remove(number);
                    return Ok(Answer::nothing());
                }
                _ => return Err(call.no_route()),
            }
            show(call, number).map(Answer::ok)
        }
        _ => Err(call.no_route()),
    }
}

fn reserve(call: &mut Call<'_>, number: Sid, reserved: Option<bool>) {
    let now = call.state.now();
    if let Some(stored) = call.state.numbers.pool.get_mut(number) {
        stored.reserved = reserved.unwrap_or(stored.reserved);
        stored.updated = now;
    }
}

fn show(call: &Call<'_>, number: Sid) -> Result<Value, Failure> {
    call.state
        .numbers
        .pool
        .get(number)
        .map(|stored| number_json(call, stored))
        .ok_or_else(|| call.no_route())
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
