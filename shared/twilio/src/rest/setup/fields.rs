//! Fields of records that may be anything.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{Span, civil};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A reference to another resource, as a record holds it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Ref<T> {
    /// There is none: absent, null or empty.
    #[default]
    None,
    /// It names a resource, which may or may not exist.
    To(T),
    /// It names nothing: no SID of this kind. What it says instead is not kept.
    Broken,
}

impl<T: Copy> Ref<T> {
    /// Returns the SID, if there is a valid one.
    pub fn target(self) -> Option<T> {
        match self {
            Self::To(target) => Some(target),
            Self::None | Self::Broken => None,
        }
    }
}

impl<T: fmt::Display> fmt::Display for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("nothing"),
            Self::To(target) => target.fmt(f),
            Self::Broken => f.write_str("something that is no SID"),
        }
    }
}

impl<T: fmt::Display> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Ref<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::None,
            Value::String(text) if text.is_empty() => Self::None,
            Value::String(text) => text.parse().map_or(Self::Broken, Self::To),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Self::Broken,
        })
    }
}

/// An address that people write to or call: a number, or a number or name behind the kind of
/// channel. When it is shown, only its end is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Contact(String);

impl Contact {
    /// The address as Twilio writes it.
    pub fn new(address: impl Into<String>) -> Self {
        Self(address.into())
    }

    /// The whole address. It is for comparing and for Twilio, never for a log or a notice.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: Vec<char> = self.0.chars().filter(char::is_ascii_digit).collect();
        // Of something short, two digits would be most of it.
        match digits.as_slice() {
            [.., a, b] if digits.len() >= 6 => write!(f, "…{a}{b}"),
            _ => f.write_str("…"),
        }
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text; anything else, and the empty text, is none.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            String::new()
        }
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A text that counts as empty where it is absent or none.
pub(super) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer).map(Option::unwrap_or_default)
}

/// An address that people write to or call.
pub(super) fn contact<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Contact>, D::Error> {
    Ok(text(deserializer)?.map(Contact))
}

/// True; anything else is false.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Value::deserialize(deserializer)? == Value::Bool(true))
}

/// A whole number, written as one or as text.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// A duration in ISO 8601, such as `P7D`; a zero and anything else is none. Years and months
/// count as they do from the first of January 2001.
pub(super) fn iso_8601_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let span = text(deserializer)?.and_then(|text| text.parse::<Span>().ok());
    let length = span.and_then(|span| span.to_duration(civil::date(2001, 1, 1)).ok());
    let length = length.and_then(|length| Duration::try_from(length).ok());
    Ok(length.filter(|length| !length.is_zero()))
}

#[cfg(test)]
mod tests {
    use domain::StudioFlowSid;

    use super::*;

    #[test]
    fn a_reference_is_none_or_valid_or_broken() {
        let sid = "FW0123456789abcdef0123456789abcdef";
        let read = |text: &str| serde_json::from_str::<Ref<StudioFlowSid>>(text).unwrap();
        assert_eq!(read("null"), Ref::None);
        assert_eq!(read("\"\""), Ref::None);
        assert_eq!(read(&format!("\"{sid}\"")).to_string(), sid);
        for broken in [
            "\"FW1\"",
            "7",
            "[]",
            "\"CH0123456789abcdef0123456789abcdef\"",
        ] {
            assert_eq!(read(broken), Ref::Broken, "{broken}");
        }
    }

    #[test]
    fn a_duration_is_read_in_every_unit_or_is_none() {
        #[derive(Deserialize)]
        struct Timer(#[serde(deserialize_with = "iso_8601_duration")] Option<Duration>);
        const DAY: u64 = 24 * 60 * 60;
        for (written, seconds) in [
            (r#""PT10M""#, Some(600)),
            (r#""P7D""#, Some(7 * DAY)),
            (r#""P1DT12H""#, Some(DAY + DAY / 2)),
            (r#""P2W""#, Some(14 * DAY)),
            (r#""P3M""#, Some(90 * DAY)),
            (r#""P1Y""#, Some(365 * DAY)),
            (r#""PT0S""#, None),
            (r#""""#, None),
            (r#""soon""#, None),
            ("null", None),
            ("7", None),
        ] {
            let Timer(read) = serde_json::from_str(written).unwrap();
            assert_eq!(read, seconds.map(Duration::from_secs), "{written}");
        }
    }

    #[test]
    fn of_an_address_only_the_end_is_shown() {
        for (address, shown) in [
            ("+15550100123", "…23"),
            ("whatsapp:+15550100199", "…99"),
            ("messenger:104857600", "…00"),
            ("12345", "…"),
            ("jane.doe@example.com", "…"),
        ] {
            let contact = Contact::new(address);
            assert_eq!(format!("{contact} {contact:?}"), format!("{shown} {shown}"));
        }
    }
}
