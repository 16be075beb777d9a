//! `janitor unseal`: the original of an event that could not be read.

use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use output::Outcome;

/// Places of the notice in a message of the rejected-events queue.
const PLACES: [&str; 3] = ["/detail/sealed", "/sealed", "/Body"];

/// The message to unseal.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A message of the rejected-events queue, as JSON; standard input where absent
    file: Option<PathBuf>,
}

/// Writes the original to standard output, byte for byte.
pub(crate) fn run(options: &Options) -> anyhow::Result<Outcome> {
    let text = match &options.file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?,
        None => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
    };
    let mut environment = crate::context::environment();
    environment.require("TWILIO_AUTH_TOKENS");
    let tokens = environment.secrets("TWILIO_AUTH_TOKENS");
    environment.finish(|| Some(()))?;
    let sealed = sealed_in(&text).context(
        "no sealed original in it: either it is no message of the rejected-events queue, or the original was too long; then fetch the event from TaskRouter by its event_sid, which works for 30 days",
    )?;
    let original = runtime::seal::open(&tokens, &sealed)
        .context("none of TWILIO_AUTH_TOKENS opens it: add the one that signed when it came")?;
    std::io::stdout().write_all(&original)?;
    Ok(Outcome::Good)
}

/// The sealed text in a queue's message, which is the notice's JSON as text, in the notice, or
/// in its detail.
fn sealed_in(text: &str) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    let json = match json.pointer("/Messages/0") {
        Some(first) => first.clone(),
        None => json,
    };
    PLACES
        .iter()
        .find_map(|place| match (json.pointer(place)?, *place) {
            (Value::String(body), "/Body") => sealed_in(body),
            (Value::String(sealed), _) => Some(sealed.clone()),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sealed_text_is_found_wherever_the_notice_is() {
        let notice = r#"{"detail-type":"EventRejected","detail":{"id":"x","sealed":"abc"}}"#;
        let message = serde_json::json!({ "Messages": [{ "Body": notice }] }).to_string();
        for text in [notice, r#"{"sealed":"abc"}"#, &message] {
            assert_eq!(sealed_in(text).as_deref(), Some("abc"), "{text}");
        }
        for text in ["", "[]", r#"{"detail":{"sealed":null}}"#] {
            assert_eq!(sealed_in(text), None, "{text}");
        }
    }
}
