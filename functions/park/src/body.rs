//! A request from Flex, as a form or as JSON.

use std::str::FromStr;

use domain::{TaskChannelSid, TaskSid};
use serde_json::Value;

/// A request. Its token is never printed.
pub(crate) struct Asked {
    pub(crate) task: TaskSid,
    /// The TaskChannel that the task stands in, as far as the page knows.
    pub(crate) task_channel: TaskChannelSid,
    pub(crate) token: String,
}

/// Why a body says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the body is neither a form nor a JSON object")]
    Body,
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is no SID of its kind")]
    Malformed(&'static str),
}

impl Asked {
    /// Reads a body. A page that says nothing of its type is understood by what it sends.
    pub(crate) fn read(content_type: &str, body: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|_| Unreadable::Body)?;
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let json = match kind.to_ascii_lowercase().as_str() {
            "application/json" => true,
            "application/x-www-form-urlencoded" => false,
            _ => text.trim_start().starts_with('{'),
        };
        let fields = if json { of_json(text)? } else { of_form(text) };
        let field = |name: &'static str| {
            let mut named = fields.iter().filter(|(key, _)| key == name);
            let value = named.next_back().map(|(_, value)| value.trim());
            let value = value.filter(|value| !value.is_empty());
            value.ok_or(Unreadable::Missing(name))
        };
        Ok(Self {
            task: sid("taskSid", field("taskSid")?)?,
            task_channel: sid("taskChannelSid", field("taskChannelSid")?)?,
            token: field("Token")?.to_owned(),
        })
    }
}

fn sid<T: FromStr>(name: &'static str, text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(|_| Unreadable::Malformed(name))
}

type Fields = Vec<(String, String)>;

fn of_form(text: &str) -> Fields {
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

fn of_json(text: &str) -> Result<Fields, Unreadable> {
    let value: Value = serde_json::from_str(text).map_err(|_| Unreadable::Body)?;
    let object = value.as_object().ok_or(Unreadable::Body)?;
    let texts = object.iter().filter_map(|(key, value)| {
        let text = value.as_str()?;
        Some((key.clone(), text.to_owned()))
    });
    Ok(texts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "WT00000000000000000000000000000020";
    const CHANNEL: &str = "TC00000000000000000000000000000005";

    #[test]
    fn forms_and_json_say_the_same() {
        let form = format!("taskSid={TASK}&taskChannelSid={CHANNEL}&Token=e%2Bf");
        let json = format!(r#"{{"taskSid":"{TASK}","taskChannelSid":"{CHANNEL}","Token":"e+f"}}"#);
        for (kind, body) in [
            ("application/x-www-form-urlencoded;charset=UTF-8", &form),
            ("Application/JSON; charset=utf-8", &json),
            ("", &form),
            ("text/plain", &json),
        ] {
            let asked = Asked::read(kind, body.as_bytes()).ok().unwrap();
            assert_eq!(asked.task.as_str(), TASK);
            assert_eq!(asked.task_channel.as_str(), CHANNEL);
            assert_eq!(asked.token, "e+f");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_never_repeated() {
        let why = |body: &str| Asked::read("", body.as_bytes()).err().unwrap();
        assert_eq!(why(""), Unreadable::Missing("taskSid"));
        assert_eq!(why("{}"), Unreadable::Missing("taskSid"));
        assert_eq!(why("taskSid=%20"), Unreadable::Missing("taskSid"));
        assert_eq!(why(r#"{"taskSid":7}"#), Unreadable::Missing("taskSid"));
        assert_eq!(why("taskSid=../x"), Unreadable::Malformed("taskSid"));
        let task = format!("taskSid={TASK}");
        assert_eq!(why(&task), Unreadable::Missing("taskChannelSid"));
        let swapped = format!("{task}&taskChannelSid={TASK}");
        assert_eq!(why(&swapped), Unreadable::Malformed("taskChannelSid"));
        let tokenless = format!("{task}&taskChannelSid={CHANNEL}&Token=");
        assert_eq!(why(&tokenless), Unreadable::Missing("Token"));
        for broken in ["{", "[]", "{\"a\":1}x"] {
            let read = Asked::read("application/json", broken.as_bytes());
            assert_eq!(read.err(), Some(Unreadable::Body), "{broken}");
        }
        assert_eq!(Asked::read("", b"\xff").err(), Some(Unreadable::Body));
    }
}
