//! Attributes as Flex writes them, with values that a careless reader would damage.

use crate::state::setup::flows::FlexFlow;
use crate::state::sid::Sid;
use serde_json::Value;

/// Extra members that are valid JSON and do not survive a parse into floats, a sort or a second escaping.
const EXTRAS: [(&str, &str); 8] = [
    ("crm_id", "9007199254740993"),
    ("weight", "1.0"),
    ("horizon", "1e400"),
    ("caf\\u00e9", "\"na\\u00efve \\ud83d\\ude00 \\/ tab\\t\""),
    ("zero", "-0.0"),
    (
        "nested",
        "{\"status\":\"ACTIVE\",\"long_lived\":null,\"list\":[1E+2, 18446744073709551616]}",
    ),
    ("empty", "{ }"),
    ("note", "\"\u{1f984} \u{2028} \\u0000\""),
];

/// Writes the attributes of a new channel; order, extras and white space differ from channel to channel.
pub(crate) fn channel_attributes(
    rng: &mut fastrand::Rng,
    flow: &FlexFlow,
    address: &str,
    session: Sid,
) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let number = flow.contact_identity.as_deref().unwrap_or_default();
    let mut members = vec![
        ("status", quoted("ACTIVE")),
        ("long_lived", flow.long_lived.to_string()),
        ("proxySession", quoted(session.as_str())),
        ("twilioNumber", quoted(number)),
        ("serviceNumber", quoted(number)),
        ("from", quoted(address)),
        ("channel_type", quoted(flow.medium.as_str())),
        (
            "pre_engagement_data",
            "{\"friendlyName\":\"Anonymous\",\"question\":\"Where is my \\\"parcel\\\"?\"}"
                .to_owned(),
        ),
    ];
    let extras = rng.usize(1..=EXTRAS.len());
    members.extend(
        rng.choose_multiple(EXTRAS, extras)
            .into_iter()
            .map(|(key, value)| (key, value.to_owned())),
    );
    rng.shuffle(&mut members);
    let (between, around) = *rng
        .choice(&[(",", ":"), (", ", ": "), (" ,\n\t", " : ")])
        .unwrap_or(&(",", ":"));
    let members: Vec<String> = members
        .iter()
        .map(|(key, value)| format!("\"{key}\"{around}{value}"))
        .collect();
    format!("{{{}}}", members.join(between))
}
