//! Texts that may hold customers' data, sealed so that they can wait in a queue: whoever holds
//! the account's auth token can open them, and nobody else can read a word.
//!
//! AES-256-GCM under a key that is derived from the auth token. The nonce is derived from the
//! text, so that the same text is always sealed to the same letters and a repeated notice stays
//! the same; two texts share a nonce only if a keyed hash collides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

/// Longer texts are not sealed: with the rest of its notice, a sealed text must fit into an
/// entry of EventBridge, 256 KB.
pub const LONGEST: usize = 150 * 1024;

/// What the derived keys are for; a change of the format changes this.
const PURPOSE: &[u8] = b"channel-janitor sealed original v1";

/// Seals a text. Nothing if it is longer than [`LONGEST`].
pub fn seal(token: &SecretString, text: &[u8]) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let tag = hmac::sign(&hashing_key(token), text);
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

/// Opens what was sealed with one of these tokens. Nothing if it was sealed with another one
/// or was changed since.
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

fn hashing_key(token: &SecretString) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, token.expose_secret().as_bytes())
}

fn sealing_key(token: &SecretString) -> Option<LessSafeKey> {
    let derived = hmac::sign(&hashing_key(token), PURPOSE);
    UnboundKey::new(&AES_256_GCM, derived.as_ref())
        .ok()
        .map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_can_be_opened_by_whoever_holds_the_token_and_nobody_else() {
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

    #[test]
    fn what_is_too_long_for_a_notice_is_not_sealed() {
        let token = SecretString::from("the-token");
        assert!(seal(&token, &vec![0; LONGEST]).is_some());
        assert!(seal(&token, &vec![0; LONGEST + 1]).is_none());
    }
}
