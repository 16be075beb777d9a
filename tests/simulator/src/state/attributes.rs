//! Reads and changes single members of a JSON text and leaves every other byte alone.
//!
//! A parsed value would lose what real attributes hold: integers beyond 2^53, `1e400`, escapes, the order of keys.

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Says whether the text is one JSON value, however large its numbers are.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Returns the raw text of a member of an object; of equal keys the last counts.
pub(crate) fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let members: Members<'a> = serde_json::from_str(text).ok()?;
    members
        .0
        .into_iter()
        .rev()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.get())
}

/// Returns a member that is a string.
pub(crate) fn text(attributes: &str, key: &str) -> Option<String> {
    serde_json::from_str(member(attributes, key)?).ok()
}

/// Says whether a member is `true`.
pub(crate) fn is_true(attributes: &str, key: &str) -> bool {
    member(attributes, key) == Some("true")
}

/// Puts a member into an object, in the place of the old one if there is one; other texts come back unchanged.
pub fn with(attributes: &str, key: &str, value: &str) -> String {
    if let Some(old) = member(attributes, key) {
        let start = old.as_ptr() as usize - attributes.as_ptr() as usize;
        return format!(
            "{}{value}{}",
            &attributes[..start],
            &attributes[start + old.len()..]
        );
    }
    let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(attributes) else {
        return attributes.to_owned();
    };
    let Some(end) = attributes.rfind('}') else {
        return attributes.to_owned();
    };
    let comma = if members.is_empty() { "" } else { "," };
    let key = serde_json::Value::from(key);
    format!(
        "{}{comma}{key}:{value}{}",
        &attributes[..end],
        &attributes[end..]
    )
}

/// Takes a member out of an object; the other members keep their texts.
pub(crate) fn without(attributes: &str, key: &str) -> String {
    let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(attributes) else {
        return attributes.to_owned();
    };
    let kept: Vec<String> = members
        .iter()
        .filter(|(name, _)| name != key)
        .map(|(name, value)| format!("{}:{}", serde_json::Value::from(name.as_str()), value.get()))
        .collect();
    format!("{{{}}}", kept.join(","))
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = r#"{ "big":9007199254740993, "far" : 1e400,"status" : "ACTIVE", "x":{"status":"no"},"e":"\u00e9" }"#;

    #[test]
    fn a_number_beyond_every_float_is_still_json() {
        assert!(is_json(HOSTILE));
        assert!(!is_json("{\"a\":}"));
        assert!(!is_json(""));
    }

    #[test]
    fn changing_one_member_keeps_every_other_byte() {
        let changed = with(HOSTILE, "status", "\"INACTIVE\"");
        assert_eq!(changed, HOSTILE.replace("\"ACTIVE\"", "\"INACTIVE\""));
        assert_eq!(text(&changed, "status").as_deref(), Some("INACTIVE"));
    }

    #[test]
    fn a_missing_member_is_added_at_the_end() {
        assert_eq!(with("{}", "a", "1"), "{\"a\":1}");
        assert_eq!(with("{\"b\":2 }", "a", "1"), "{\"b\":2 ,\"a\":1}");
        assert_eq!(with("[]", "a", "1"), "[]");
    }

    #[test]
    fn a_member_can_be_taken_out() {
        assert_eq!(without(r#"{"a": 1.0, "b":2}"#, "b"), r#"{"a":1.0}"#);
    }
}
