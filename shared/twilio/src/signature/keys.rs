//! The secrets that requests are checked with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// The keys that Twilio may sign with: the account's Auth Token, and while it is being
/// replaced the next or the previous one too (only the promoted token signs; Twilio, error
/// 57012). They hide themselves when printed.
#[derive(Clone, Debug)]
pub struct SigningKeys(Vec<SecretString>);

/// A list of signing keys that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSigningKeys {
    /// An empty key is no secret.
    #[error("key {position} of the list is empty")]
    Empty {
        /// Which one, counted from 1.
        position: usize,
    },
}

impl SigningKeys {
    /// Reads keys that are separated by commas.
    ///
    /// # Errors
    ///
    /// Fails if one of them is empty.
    pub fn parse(list: &str) -> Result<Self, InvalidSigningKeys> {
        let keys: Vec<&str> = list.split(',').map(str::trim).collect();
        if let Some(empty) = keys.iter().position(|key| key.is_empty()) {
            return Err(InvalidSigningKeys::Empty {
                position: empty + 1,
            });
        }
        Ok(Self(keys.into_iter().map(SecretString::from).collect()))
    }

    /// Takes keys that were read one by one. Without any, every signature is wrong.
    ///
    /// # Errors
    ///
    /// Fails if one of them is empty.
    pub fn new(keys: Vec<SecretString>) -> Result<Self, InvalidSigningKeys> {
        let empty = |key: &SecretString| key.expose_secret().trim().is_empty();
        match keys.iter().position(empty) {
            Some(position) => Err(InvalidSigningKeys::Empty {
                position: position + 1,
            }),
            None => Ok(Self(keys)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|key| key.expose_secret().as_bytes())
    }
}

/// The user and password that the sink's URL carries, as `user:password`. They hide
/// themselves when printed.
#[derive(Clone, Debug)]
pub struct BasicAuth(SecretString);

/// A user and password that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form user:password")]
pub struct InvalidBasicAuth;

impl BasicAuth {
    /// Reads `user:password`; neither may be empty.
    ///
    /// # Errors
    ///
    /// Fails if the text is of another form.
    pub fn parse(text: &str) -> Result<Self, InvalidBasicAuth> {
        match text.split_once(':') {
            Some((user, password)) if !user.is_empty() && !password.is_empty() => {
                Ok(Self(SecretString::from(text)))
            }
            _ => Err(InvalidBasicAuth),
        }
    }

    /// Returns true if this is the header `Authorization` that they make. The hashes are compared, so
    /// that not even the length of the password shows in the time it takes.
    pub(super) fn admits(&self, authorization: &[u8]) -> bool {
        let Some((scheme, credentials)) = authorization.split_at_checked("Basic ".len()) else {
            return false;
        };
        let Ok(given) = BASE64.decode(credentials.trim_ascii()) else {
            return false;
        };
        let expected = Sha256::digest(self.0.expose_secret());
        scheme.eq_ignore_ascii_case(b"Basic ") & bool::from(Sha256::digest(given).ct_eq(&expected))
    }

    pub(super) fn as_userinfo(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_key_is_refused_wherever_it_stands() {
        for (list, position) in [("", 1), (",b", 1), ("a,", 2), ("a, ,b", 2)] {
            assert_eq!(
                SigningKeys::parse(list).err(),
                Some(InvalidSigningKeys::Empty { position }),
                "{list:?}"
            );
        }
        let keys = SigningKeys::parse(" current , next ").unwrap();
        assert!(keys.iter().eq([b"current".as_slice(), b"next"]));
        assert!(!format!("{keys:?}").contains("current"));
    }

    #[test]
    fn user_and_password_are_compared_as_sent() {
        let auth = BasicAuth::parse("twilio:p:w").unwrap();
        assert!(auth.admits(b"Basic dHdpbGlvOnA6dw=="));
        assert!(auth.admits(b"basic dHdpbGlvOnA6dw=="));
        for wrong in [
            &b""[..],
            b"Basic",
            b"Basic ",
            b"Bearer dHdpbGlvOnA6dw==",
            b"Basic dHdpbGlvOnA6",
            b"Basic ????",
            b"Basic dHdpbGlvOnA6dw==, Basic dHdpbGlvOnA6dw==",
        ] {
            assert!(!auth.admits(wrong));
        }
        assert!(!format!("{auth:?}").contains("p:w"));
        for malformed in ["", "user", ":", "user:", ":password"] {
            assert!(BasicAuth::parse(malformed).is_err());
        }
    }
}
