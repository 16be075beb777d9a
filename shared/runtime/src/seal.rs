//! Texts that may hold customers' data, sealed so that they can wait in a queue: the account's
//! auth token opens them, and without it no word can be read.
//!
//! AES-256-GCM. Three keys are derived from the auth token by HKDF (RFC 5869), one for each
//! use. The nonce is a keyed hash of the text, so that the same text is always sealed to the
//! same letters and a repeated notice stays the same; two texts share a nonce only if the hash
//! collides. The digest by which a text is named is keyed as well: a plain one would let a
//! reader of the notice check a guess, such as a phone number.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use secrecy::{ExposeSecret, SecretString};

/// Longer texts are not sealed: with the rest of its notice, a sealed text must fit into an
/// entry of EventBridge, 256 KB.
pub const LONGEST: usize = 150 * 1024;

/// The salt of all derived keys. A change of the format changes it.
const SALT: &[u8] = b"channel-janitor sealed original v2";

/// The use of a derived key.
#[derive(Clone, Copy)]
enum KeyUse {
    Seal,
    Nonce,
    Digest,
}

impl KeyUse {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Seal => b"seal",
            Self::Nonce => b"nonce",
            Self::Digest => b"digest",
        }
    }
}

/// Seals a text. Returns nothing if it is longer than [`LONGEST`] bytes.
pub fn seal(token: &SecretString, text: &[u8]) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let tag = hmac::sign(&hashing_key(token, KeyUse::Nonce)?, text);
    let nonce: [u8; NONCE_LEN] = tag.as_ref().get(..NONCE_LEN)?.try_into().ok()?;
    let mut sealed = text.to_vec();
    sealing_key(token)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut sealed,
        )
        .ok()?;
    Some(BASE64.encode([&nonce[..], &sealed].concat()))
}

/// Opens a text that was sealed with one of these tokens. Returns nothing if it was sealed with
/// another one or was changed since.
pub fn open(tokens: &[SecretString], sealed: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(sealed.trim()).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
    let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
    tokens.iter().find_map(|token| {
        let mut text = sealed.to_vec();
        let opened = sealing_key(token)?
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text)
            .ok()?;
        Some(opened.to_vec())
    })
}

/// Returns the name of a text, 64 hexadecimal digits: the same for the same text and token.
pub fn digest(token: &SecretString, text: &[u8]) -> Option<String> {
    let tag = hmac::sign(&hashing_key(token, KeyUse::Digest)?, text);
    Some(
        tag.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}

fn hashing_key(token: &SecretString, of: KeyUse) -> Option<hmac::Key> {
    let key = derive(token, of)?;
    Some(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

fn sealing_key(token: &SecretString) -> Option<LessSafeKey> {
    let key = derive(token, KeyUse::Seal)?;
    UnboundKey::new(&AES_256_GCM, &key)
        .ok()
        .map(LessSafeKey::new)
}

fn derive(token: &SecretString, of: KeyUse) -> Option<[u8; 32]> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
    let secret = salt.extract(token.expose_secret().as_bytes());
    let mut key = [0; 32];
    secret
        .expand(&[of.label()], hkdf::HKDF_SHA256)
        .and_then(|expanded| expanded.fill(&mut key))
        .ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_is_opened_with_the_token_and_with_no_other() {
        let token = SecretString::from("the-token");
        let text = b"{\"from\":\"+15550100123\"}";
        let sealed = seal(&token, text).unwrap();
        assert!(!sealed.contains("5550100123"));
        assert_eq!(sealed, seal(&token, text).unwrap(), "repeats stay the same");
        let tokens = [SecretString::from("another"), token];
        assert_eq!(open(&tokens, &sealed).unwrap(), text);
        assert_eq!(open(&tokens[..1], &sealed), None);
        let changed = sealed.replacen(&sealed[20..21], "_", 1);
        assert_eq!(open(&tokens, &changed), None);
        assert_eq!(open(&tokens, ""), None);
    }

    /// The digest was computed by the words of RFC 5869 and RFC 2104, with Python's `hmac`.
    #[test]
    fn a_text_is_named_by_a_digest_under_a_key_of_its_own() {
        let token = SecretString::from("the-token");
        let digest = digest(&token, b"text").unwrap();
        assert_eq!(
            digest,
            "d8699d562396d0430a4ac673d7da2939bc7c5aa9e16ffbcb7a7be1f0ab53488b"
        );
        assert_ne!(digest, super::digest(&"another".into(), b"text").unwrap());
        let keys = [KeyUse::Seal, KeyUse::Nonce, KeyUse::Digest].map(|of| derive(&token, of));
        assert!(keys.iter().all(Option::is_some));
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    }

    #[test]
    fn what_is_too_long_for_a_notice_is_not_sealed() {
        let token = SecretString::from("the-token");
        assert!(seal(&token, &vec![0; LONGEST]).is_some());
        assert!(seal(&token, &vec![0; LONGEST + 1]).is_none());
    }
}
