//! `janitor unseal`: the original of an event that could not be read.

use secrecy::SecretString;
use serde_json::json;

use crate::world::{janitor, run};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const ORIGINAL: &str = "{\"no\": JSON of Twilio's";

/// A message of the rejected-events queue, as AWS's command line prints it.
fn message(sealed: Option<&str>) -> String {
    let notice = json!({ "detail-type": "EventRejected", "detail": { "sealed": sealed } });
    json!({ "Messages": [{ "Body": notice.to_string() }] }).to_string()
}

#[test]
fn the_original_comes_back_byte_for_byte_from_a_file_or_from_standard_input() {
    let sealed = runtime::seal::seal(&SecretString::from(TOKEN), ORIGINAL.as_bytes());
    let message = message(sealed.as_deref());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &message).unwrap();
    // The token that signed it may have been replaced since.
    let tokens = format!("{},{TOKEN}", TOKEN.replace('0', "1"));
    let unseal = || janitor().arg("unseal").env("TWILIO_AUTH_TOKENS", &tokens);
    assert_eq!(run(unseal().arg(file.path())).ends(0).stdout, ORIGINAL);
    assert_eq!(run(unseal().stdin(message)).ends(0).stdout, ORIGINAL);
}

#[test]
fn what_cannot_be_opened_says_what_to_do() {
    let sealed = runtime::seal::seal(&SecretString::from(TOKEN), ORIGINAL.as_bytes());
    let another = TOKEN.replace('0', "1");
    for (tokens, input, says) in [
        (
            Some(&*another),
            message(sealed.as_deref()),
            "add the one that signed when it came",
        ),
        (
            Some(TOKEN),
            message(None),
            "fetch the event from TaskRouter by its event_sid",
        ),
        (
            Some(TOKEN),
            "no JSON".to_owned(),
            "no message of the rejected-events queue",
        ),
        (None, message(sealed.as_deref()), "TWILIO_AUTH_TOKENS"),
    ] {
        let tokens = tokens.map(|tokens| ("TWILIO_AUTH_TOKENS", tokens));
        let said = run(janitor().arg("unseal").envs(tokens).stdin(input)).ends(1);
        assert_eq!(said.stdout, "");
        said.says(says);
    }
    run(janitor().args(["unseal", "/nonexistent"]))
        .ends(1)
        .says("cannot read /nonexistent");
}
