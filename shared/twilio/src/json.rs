//! Reading one level of a JSON text at a time.
//!
//! Everything below the level that is read stays text. So a value that is broken, absurdly
//! deep or absurdly long costs one pass over its bytes and nothing else: `serde_json` skips
//! what it does not decode in a loop, without recursion and without converting numbers.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Error};

/// Hands each member of an object to `found`, key and value as written, in their order.
pub(crate) fn each_member<'a>(
    object: &'a str,
    found: impl FnMut(&'a RawValue, &'a RawValue),
) -> Result<(), Error> {
    let mut reader = Deserializer::from_str(object);
    reader.deserialize_map(Members(found))?;
    reader.end()
}

/// Finds members of an object by name. A member that is null counts as absent, and of
/// several of one name the last counts, as for every reader in Twilio's own libraries.
pub(crate) fn members<'a, const N: usize>(
    object: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a RawValue>; N], Error> {
    let mut values = [None; N];
    each_member(object, |key, value| {
        for (name, slot) in names.iter().zip(&mut values) {
            if is_named(key, name) {
                *slot = (value.get() != "null").then_some(value);
            }
        }
    })?;
    Ok(values)
}

/// Returns true if a key, decoded, is this name: `"\u0073tatus"` is `status`.
pub(crate) fn is_named(key: &RawValue, name: &str) -> bool {
    text(key).is_some_and(|key| key == name)
}

/// The text of a JSON string, or nothing for a value of another kind.
///
/// Half a surrogate pair, which is what a name cut in the middle of an emoji leaves behind,
/// becomes U+FFFD. Nothing that we look for contains one.
pub(crate) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let raw = value.get();
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let bytes = Deserializer::from_str(raw).deserialize_bytes(Bytes).ok()?;
    Some(Cow::Owned(String::from_utf8(bytes).unwrap_or_else(
        |error| String::from_utf8_lossy(error.as_bytes()).into_owned(),
    )))
}

/// The text of an object that is written as such, or as a string that holds one.
pub(crate) fn object_text(value: &RawValue) -> Option<Cow<'_, str>> {
    if value.get().starts_with('{') {
        Some(Cow::Borrowed(value.get()))
    } else {
        text(value)
    }
}

/// The member as a value of ours, or nothing if it is absent, no string, or not valid.
pub(crate) fn parsed<T: std::str::FromStr>(value: Option<&RawValue>) -> Option<T> {
    text(value?)?.parse().ok()
}

struct Members<F>(F);

impl<'de, F: FnMut(&'de RawValue, &'de RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry()? {
            (self.0)(key, value);
        }
        Ok(())
    }
}

/// Unlike a reader of `str`, a reader of bytes is given strings with lone surrogates.
struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_their_decoded_names_and_the_last_of_a_name_counts() {
        let object = r#" { "a" : 1 , "b":null, "\u0061":[2], "\ud800":3, "c":{"a":4} } "#;
        let [a, b, c, d] = members(object, ["a", "b", "c", "d"]).unwrap();
        assert_eq!(a.map(RawValue::get), Some("[2]"));
        assert_eq!(b.map(RawValue::get), None);
        assert_eq!(c.map(RawValue::get), Some(r#"{"a":4}"#));
        assert!(d.is_none());
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for text in [
            "",
            "null",
            "[]",
            "\"{}\"",
            "{",
            "{}x",
            "{\"a\":}",
            "\u{feff}{}",
        ] {
            assert!(members(text, ["a"]).is_err(), "{text}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_does_not_hide_the_rest_of_a_text() {
        let value: &RawValue = serde_json::from_str(r#""a\ud83d\n""#).unwrap();
        let text = text(value).unwrap();
        assert!(text.starts_with('a') && text.ends_with('\n'), "{text:?}");
    }
}
