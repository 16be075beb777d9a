//! The proof that a request is Twilio's, by the keys that are known now.
//!
//! Event Streams sends JSON, a Chat channel's webhook a form; each is signed in a way of its
//! own. Which of the two a request claims to be makes no difference to a forger: both are
//! signed with the same keys.

use std::sync::Arc;

use domain::Timestamp;
use http::header;
use runtime::function_url::Request;
use runtime::secrets::{Refreshed, TwilioSecrets};
use twilio::signature::{self, Authentic, Refusal, SigningKeys, Verifier};

use crate::Ingest;

/// A body that is known to come from Twilio.
pub(crate) enum Proven<'a> {
    /// Events of Event Streams.
    Stream(Authentic<&'a [u8]>),
    /// An event of a Chat channel's webhook.
    Form(Authentic<Vec<(String, String)>>),
}

/// A reason why a request is not proven to be Twilio's.
pub(crate) enum Unproven {
    Refused(Refusal),
    /// The keys were read again moments ago, for another request, or cannot be read, and a
    /// rotation may have come since. A forger learns nothing from being asked to come back.
    Undecided(Refusal),
    Keyless(String),
}

impl Ingest {
    /// Proves that the request to this URL is Twilio's. A signature of none of the known keys is what a
    /// rotation looks like, so the keys are read again before it is refused.
    pub(crate) async fn authenticate<'a>(
        &self,
        request: &'a Request,
        url: &'a str,
        now: Timestamp,
    ) -> Result<Proven<'a>, Unproven> {
        let secrets = &self.settings.secrets;
        let keyless = |error: runtime::SecretsError| Unproven::Keyless(error.to_string());
        let known = secrets.get(now).await.map_err(keyless)?;
        let refusal = match self.verify(request, url, &known) {
            Err(Unproven::Refused(refusal @ Refusal::SignatureWrong)) => refusal,
            proven => return proven,
        };
        match secrets.refresh_after_unknown_signature(now).await {
            Ok(Refreshed::Changed(fresh)) => self.verify(request, url, &fresh),
            Ok(Refreshed::Unchanged) => Err(Unproven::Refused(refusal)),
            Ok(Refreshed::TooSoon) => Err(Unproven::Undecided(refusal)),
            // The keys that are known do not make this signature, and a newer one cannot be had.
            Err(error) => {
                tracing::error!(%error, "cannot read the keys again: the event is asked for again");
                Err(Unproven::Undecided(refusal))
            }
        }
    }

    fn verify<'a>(
        &self,
        request: &'a Request,
        url: &'a str,
        secrets: &Arc<TwilioSecrets>,
    ) -> Result<Proven<'a>, Unproven> {
        let keys = SigningKeys::new(secrets.signing_keys.clone())
            .map_err(|error| Unproven::Keyless(error.to_string()))?;
        let mut verifier = Verifier::new(keys);
        if let Some(url) = &self.settings.public_url {
            verifier = verifier.with_public_url(url.clone());
        }
        if let Some(basic_auth) = &self.settings.basic_auth {
            verifier = verifier.with_basic_auth(basic_auth.clone());
        }
        if self.settings.public_url.is_none() && !is_for_us(request) {
            return Err(Unproven::Refused(Refusal::HostForeign));
        }
        let signed = signature::Request {
            url,
            headers: &request.headers,
            body: &request.body,
        };
        let proven = if is_form(request) {
            verifier.form(signed).map(Proven::Form)
        } else {
            verifier.json(signed).map(Proven::Stream)
        };
        proven.map_err(Unproven::Refused)
    }
}

/// Returns true if the request was sent to the host that the function URL belongs to. A proxy
/// that lets clients choose the header `Host` would otherwise let a request pass that Twilio
/// signed for another URL of the account.
fn is_for_us(request: &Request) -> bool {
    let Some(own) = &request.own_host else {
        return true;
    };
    let host = request.host.strip_suffix(":443").unwrap_or(&request.host);
    host.eq_ignore_ascii_case(own)
}

/// Returns true if the request is signed as a form. A body whose hash is in the signed URL is
/// signed as JSON, whatever its type.
pub(crate) fn is_form(request: &Request) -> bool {
    let mut pairs = request.query.split('&');
    if pairs.any(|pair| pair.starts_with("bodySHA256=")) {
        return false;
    }
    let kind = request.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(own: serde_json::Value, host: &str, query: &str, kind: &str) -> Request {
        let event = json!({
            "rawPath": "/",
            "rawQueryString": query,
            "headers": { "host": host, "content-type": kind },
            "requestContext": { "domainName": own, "http": { "method": "POST" } },
        });
        Request::from_event(event).unwrap()
    }

    #[test]
    fn a_request_to_another_host_is_not_for_us() {
        for (own, host, expected) in [
            (json!("fn.example"), "fn.example", true),
            (json!("fn.example"), "Fn.Example", true),
            (json!("fn.example"), "fn.example:443", true),
            (json!("fn.example"), "other.example", false),
            (json!("fn.example"), "fn.example.other", false),
            (json!("fn.example"), "fn.example:8443", false),
            (json!(null), "other.example", true),
        ] {
            let request = request(own.clone(), host, "", "");
            assert_eq!(is_for_us(&request), expected, "{host} at {own}");
        }
    }

    #[test]
    fn a_body_whose_hash_is_in_the_url_is_no_form() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let is_form = |query, kind| is_form(&request(json!(null), "fn.example", query, kind));
        assert!(is_form("", form));
        assert!(is_form("a=bodySHA256=1", form));
        assert!(!is_form("a=1&bodySHA256=1", form));
        assert!(!is_form("", "application/json"));
        assert!(!is_form("", ""));
    }
}
