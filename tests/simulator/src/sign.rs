//! Signs webhooks as Twilio does, written from its documentation and independent of the code that checks them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The header that carries a signature.
pub const HEADER: &str = "X-Twilio-Signature";

/// Is where a signed request goes and what proves who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The URL to call; that of a JSON request carries the hash of its body.
    pub url: String,
    /// The value of [`HEADER`].
    pub signature: String,
}

/// Signs a request with a JSON body: adds `bodySHA256` to the query and signs the URL.
pub fn json(auth_token: &str, url: &str, body: &[u8]) -> Signed {
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!(
        "{url}{joint}bodySHA256={}",
        hex::encode(Sha256::digest(body))
    );
    let signature = sign(auth_token, &url);
    Signed { url, signature }
}

/// Signs a request with a form body: the URL, then every name with each of its distinct values, sorted.
pub fn form<N: AsRef<str>, V: AsRef<str>>(
    auth_token: &str,
    url: &str,
    parameters: &[(N, V)],
) -> Signed {
    let distinct: BTreeSet<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()))
        .collect();
    let mut message = url.to_owned();
    for (name, value) in distinct {
        message.push_str(name);
        message.push_str(value);
    }
    Signed {
        url: url.to_owned(),
        signature: sign(auth_token, &message),
    }
}

fn sign(auth_token: &str, message: &str) -> String {
    // A key of any length is fine for HMAC; there is no token that cannot sign.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()) else {
        return String::new();
    };
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    const BODY: &[u8] = br#"[{"specversion":"1.0","type":"com.twilio.eventstreams.test-event","source":"Sink","id":"AC00000000000000000000000000000000","dataschema":"https://events-schemas.twilio.com/EventStreams.TestSink/1.json","datacontenttype":"application/json","time":"2026-01-02T03:04:05.678Z","data":{"test_id":"00000000-0000-4000-8000-000000000000"}}]"#;

    #[test]
    fn json_requests_match_the_official_libraries() {
        let hash = "d61d6bd19cbc1787b89030c1328c0a5e137459111f6693022888b84fd8b56e11";
        let plain = json(
            TOKEN,
            "https://janitor.example.com/prod/twilio/events",
            BODY,
        );
        assert_eq!(
            plain.url,
            format!("https://janitor.example.com/prod/twilio/events?bodySHA256={hash}")
        );
        assert_eq!(plain.signature, "yu/OVo3z2/nHjykd9Zh9Vl8eDUY=");
        let with_query = json(
            TOKEN,
            "https://janitor.example.com/prod/twilio/events?tenant=a",
            BODY,
        );
        assert_eq!(with_query.signature, "to7HW0CLkliO3qINLXeWVhFRwZA=");
    }

    #[test]
    fn form_requests_match_the_official_libraries() {
        let parameters = [
            ("EventType", "onMessageSent"),
            ("ChannelSid", "CH00000000000000000000000000000001"),
            ("Body", "hi there & bye"),
        ];
        let signed = form(
            TOKEN,
            "https://janitor.example.com/prod/twilio/chat",
            &parameters,
        );
        assert_eq!(signed.signature, "rHVcy7ZBusQ6DybTNKus3F8ZoKM=");
    }
}
