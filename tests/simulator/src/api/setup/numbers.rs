//! `api.twilio.com/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers`, in the older dialect: URIs, other dates, other pages.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use crate::api::page::place;
use crate::state::setup::numbers::IncomingNumber;
use crate::state::sid::Sid;
use serde_json::{Map, Value, json};

/// The largest page: twilio_api_v2010_numbers.json.
const MAX_PAGE: usize = 1_000;

const SETTINGS: [(&str, &str); 17] = [
    ("SmsApplicationSid", "sms_application_sid"),
    ("SmsFallbackMethod", "sms_fallback_method"),
    ("SmsFallbackUrl", "sms_fallback_url"),
    ("SmsMethod", "sms_method"),
    ("SmsUrl", "sms_url"),
    ("StatusCallback", "status_callback"),
    ("StatusCallbackMethod", "status_callback_method"),
    ("TrunkSid", "trunk_sid"),
    ("VoiceApplicationSid", "voice_application_sid"),
    ("VoiceFallbackMethod", "voice_fallback_method"),
    ("VoiceFallbackUrl", "voice_fallback_url"),
    ("VoiceMethod", "voice_method"),
    ("VoiceReceiveMode", "voice_receive_mode"),
    ("VoiceUrl", "voice_url"),
    ("AddressSid", "address_sid"),
    ("BundleSid", "bundle_sid"),
    ("IdentitySid", "identity_sid"),
];

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    let ["2010-04-01", "Accounts", account, rest @ ..] = path else {
        return Err(call.no_route());
    };
    if call.state.account.sid != **account {
        return Err(call.no_route());
    }
    match (method, rest) {
        ("GET", ["IncomingPhoneNumbers.json"]) => list(call),
        (_, ["IncomingPhoneNumbers", name]) => {
            let sid = name.strip_suffix(".json").ok_or_else(|| call.no_route())?;
            let number = call.sid(sid)?;
            call.state.number(number).ok_or_else(|| call.no_route())?;
            of_number(call, method, number)
        }
        _ => Err(call.no_route()),
    }
}

fn of_number(call: &mut Call<'_>, method: &str, number: Sid) -> Outcome {
    match method {
        "GET" => call.bare()?,
        "POST" => {
            let form = form(call, &[])?;
            change(call, number, &form)?;
        }
        _ => return Err(call.no_route()),
    }
    show(call, number).map(Answer::ok)
}

fn form(call: &Call<'_>, more: &[&str]) -> Result<Params, Failure> {
    let settings: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
    call.form(&[settings.as_slice(), &["FriendlyName"], more].concat())
}

fn change(call: &mut Call<'_>, number: Sid, form: &Params) -> Result<(), Failure> {
    let given = SETTINGS
        .iter()
        .filter_map(|(name, key)| Some(((*key).to_owned(), form.get(name)?.into())));
    call.state
        .point_number(number, given.collect::<Map<String, Value>>())?;
    if let Some(stored) = call.state.numbers.owned.get_mut(number) {
        stored.friendly_name = form
            .text("FriendlyName")
            .unwrap_or(std::mem::take(&mut stored.friendly_name));
    }
    Ok(())
}

fn list(call: &Call<'_>) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call
        .state
        .numbers
        .owned
        .after(paging.after())
        .map(|(at, number)| (place(at), number_json(call, number)));
    call.old_page("incoming_phone_numbers", &paging, entries)
}

fn show(call: &Call<'_>, number: Sid) -> Result<Value, Failure> {
    call.state
        .number(number)
        .map(|stored| number_json(call, stored))
        .ok_or_else(|| call.no_route())
}

fn rfc_2822(at: jiff::Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

fn number_json(call: &Call<'_>, number: &IncomingNumber) -> Value {
    let account = call.state.account.sid;
    let mut json = json!({
        "account_sid": account,
        "address_requirements": "none",
        "address_sid": null,
        "api_version": "2010-04-01",
        "beta": false,
        "bundle_sid": null,
        "capabilities": { "voice": true, "sms": true, "mms": true, "fax": false },
        "date_created": rfc_2822(number.created),
        "date_updated": rfc_2822(number.updated),
        "emergency_address_sid": null,
        "emergency_address_status": "unregistered",
        "emergency_status": "Inactive",
        "friendly_name": number.friendly_name,
        "identity_sid": null,
        "origin": "twilio",
        "phone_number": number.phone_number,
        "sid": number.sid,
        "sms_application_sid": "",
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": "",
        "status": "in-use",
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": null,
        "type": "local",
        "uri": format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{}.json", number.sid),
        "voice_application_sid": "",
        "voice_caller_id_lookup": false,
        "voice_fallback_method": "POST",
        "voice_fallback_url": null,
        "voice_method": "POST",
        "voice_receive_mode": "voice",
        "voice_url": null,
    });
    for (key, value) in &number.settings {
        json[key] = value.clone();
    }
    json
}
