//! Twilio's identifiers: two letters and 32 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

const PREFIX: usize = 2;
const LENGTH: usize = 34;

/// Identifies one resource; it exists only in Twilio's form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid([u8; LENGTH]);

/// Says that a text is not a SID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not two capital letters and 32 lower-case hexadecimal digits")]
pub struct NotASid(String);

impl Sid {
    /// Draws the next SID; never one of zeros only, which real systems use as a placeholder.
    pub(crate) fn draw(prefix: &[u8; PREFIX], rng: &mut fastrand::Rng) -> Self {
        let digits = format!("{:032x}", rng.u128(1..));
        let mut text = [0; LENGTH];
        text[..PREFIX].copy_from_slice(prefix);
        text[PREFIX..].copy_from_slice(digits.as_bytes());
        Self(text)
    }

    /// Returns the SID as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Sid {
    type Err = NotASid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotASid(text.to_owned());
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| wrong())?;
        let (prefix, digits) = bytes.split_at(PREFIX);
        let fits = prefix.iter().all(u8::is_ascii_uppercase)
            && digits
                .iter()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self(bytes)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq<str> for Sid {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Sid {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl serde::Serialize for Sid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl From<Sid> for serde_json::Value {
    fn from(sid: Sid) -> Self {
        Self::String(sid.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_sid() {
        let draw = |seed| Sid::draw(b"CH", &mut fastrand::Rng::with_seed(seed));
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn only_twilios_form_is_a_sid() {
        let good = "WT0123456789abcdef0123456789abcdef";
        assert_eq!(
            good.parse::<Sid>().map(|sid| sid.to_string()),
            Ok(good.to_owned())
        );
        for bad in [
            "",
            "WT",
            "wt0123456789abcdef0123456789abcdef",
            "WT0123456789ABCDEF0123456789abcdef",
            "WT0123456789abcdef0123456789abcdef0",
        ] {
            assert!(bad.parse::<Sid>().is_err(), "{bad}");
        }
    }
}
