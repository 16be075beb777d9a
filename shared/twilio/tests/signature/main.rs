//! The signature, by the vectors that Twilio's own libraries accept.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod libraries;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use twilio::signature::{BasicAuth, PublicUrl, Refusal, Request, SigningKeys, Verifier};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const BODY: &[u8] = include_bytes!("../payloads/sink-test.json");
const BODY_SHA256: &str = "d61d6bd19cbc1787b89030c1328c0a5e137459111f6693022888b84fd8b56e11";
const URL: &str = "https://janitor.example.com/prod/twilio/events";

/// A signer of the tests' own, by the words of the documentation.
fn signature(token: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    BASE64.encode(mac.finalize().into_bytes())
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn signed(signature: &str) -> HeaderMap {
    headers(&[("x-twilio-signature", signature)])
}

fn verifier() -> Verifier {
    Verifier::new(SigningKeys::parse(TOKEN).unwrap())
}

fn json_of(
    verifier: &Verifier,
    url: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Refusal> {
    let request = Request { url, headers, body };
    verifier.json(request).map(|authentic| {
        assert_eq!(*authentic.get(), body);
    })
}

fn json(url: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    json_of(&verifier(), url, headers, body)
}

fn events_url() -> String {
    format!("{URL}?bodySHA256={BODY_SHA256}")
}

#[test]
fn the_vectors_of_the_official_libraries_are_accepted() {
    assert_eq!(hex::encode(Sha256::digest(BODY)), BODY_SHA256);
    for (url, vector) in [
        (events_url(), "yu/OVo3z2/nHjykd9Zh9Vl8eDUY="),
        (
            format!("{URL}?tenant=a&bodySHA256={BODY_SHA256}"),
            "to7HW0CLkliO3qINLXeWVhFRwZA=",
        ),
    ] {
        assert_eq!(signature(TOKEN, &url), vector);
        assert_eq!(json(&url, &signed(vector), BODY), Ok(()));
    }

    let request = Request {
        url: "https://janitor.example.com/prod/twilio/chat",
        headers: &signed("rHVcy7ZBusQ6DybTNKus3F8ZoKM="),
        body: b"EventType=onMessageSent&ChannelSid=CH00000000000000000000000000000001&Body=hi+there+%26+bye",
    };
    let form = verifier().form(request).unwrap().into_inner();
    assert_eq!(form[2], ("Body".to_owned(), "hi there & bye".to_owned()));
}

/// A customer writes a message that looks like the query of a signed URL. The
/// signed form cannot be sent again as JSON.
#[test]
fn a_signed_form_is_not_replayed_as_json() {
    let forged = b"[]";
    let hash = hex::encode(Sha256::digest(forged));
    let account = "AccountSidAC00000000000000000000000000000001";
    for (url, message) in [
        (URL.to_owned(), format!("?bodySHA256={hash}&")),
        (format!("{URL}?tenant=a"), format!("&bodySHA256={hash}&")),
    ] {
        let text = format!("{url}{account}Body{message}EventTypeonMessageSent");
        let headers = signed(&signature(TOKEN, &text));
        assert_eq!(json(&text, &headers, forged), Err(Refusal::FormInUrl));
        let hidden = text.replace("?tenant=aAccountSid", "?tenant=a%41ccountSid");
        assert!(json(&hidden, &headers, forged).is_err());
    }
}

#[test]
fn a_signature_that_is_not_one_is_refused_for_what_it_is() {
    let url = events_url();
    let good = signature(TOKEN, &url);
    let cases = [
        (HeaderMap::new(), Refusal::SignatureMissing),
        (signed(""), Refusal::SignatureMalformed),
        (signed("no base64"), Refusal::SignatureMalformed),
        (signed(&good[..20]), Refusal::SignatureMalformed),
        (signed(&good[..27]), Refusal::SignatureMalformed),
        (signed(&format!("{good}AAAA")), Refusal::SignatureMalformed),
        (signed(&BASE64.encode([0; 32])), Refusal::SignatureMalformed),
        (signed(&signature("another", &url)), Refusal::SignatureWrong),
        (
            signed(&signature(&TOKEN.to_uppercase(), &url)),
            Refusal::SignatureWrong,
        ),
        (signed(&BASE64.encode([0; 20])), Refusal::SignatureWrong),
    ];
    for (headers, refusal) in cases {
        assert_eq!(json(&url, &headers, BODY), Err(refusal), "{headers:?}");
        assert_eq!(refusal.to_string(), "not authentic");
    }
    let mut twice = signed(&good);
    twice.append("x-twilio-signature", HeaderValue::from_str(&good).unwrap());
    assert_eq!(json(&url, &twice, BODY), Err(Refusal::SignatureRepeated));
}

#[test]
fn a_json_body_counts_only_with_its_own_hash_in_the_signed_url() {
    let refused = |url: &str, body: &[u8]| json(url, &signed(&signature(TOKEN, url)), body);
    let other = "0".repeat(64);
    assert_eq!(refused(&events_url(), BODY), Ok(()));
    assert_eq!(refused(&events_url(), b"[]"), Err(Refusal::BodyHashWrong));
    assert_eq!(refused(URL, BODY), Err(Refusal::BodyHashMissing));
    assert_eq!(
        refused(&format!("{URL}?BodySHA256={BODY_SHA256}"), BODY),
        Err(Refusal::BodyHashMissing)
    );
    for wrong in [
        "",
        "zz",
        &BODY_SHA256[..62],
        &other,
        &format!("{BODY_SHA256}00"),
    ] {
        assert_eq!(
            refused(&format!("{URL}?bodySHA256={wrong}"), BODY),
            Err(Refusal::BodyHashWrong),
            "{wrong}"
        );
    }
    // Upper case is the same hash.
    let upper = BODY_SHA256.to_uppercase();
    assert_eq!(refused(&format!("{URL}?bodySHA256={upper}"), BODY), Ok(()));
    // Some of Twilio's callbacks carry it twice; the first counts.
    let twice = |a: &str, b: &str| format!("{URL}?bodySHA256={a}&bodySHA256={b}");
    assert_eq!(refused(&twice(BODY_SHA256, &other), BODY), Ok(()));
    assert_eq!(
        refused(&twice(&other, BODY_SHA256), BODY),
        Err(Refusal::BodyHashWrong)
    );
    // Changing the hash along with the body breaks the signature.
    let forged = format!("{URL}?bodySHA256={}", hex::encode(Sha256::digest(b"[]")));
    assert_eq!(
        json(&forged, &signed(&signature(TOKEN, &events_url())), b"[]"),
        Err(Refusal::SignatureWrong)
    );
}

#[test]
fn the_query_is_taken_as_it_arrives() {
    let signs = format!("{URL}?b=%7e&a=1+2&bodySHA256={BODY_SHA256}&z=");
    let headers = signed(&signature(TOKEN, &signs));
    assert_eq!(json(&signs, &headers, BODY), Ok(()));
    let rebuilt = format!("{URL}?a=1%202&b=~&bodySHA256={BODY_SHA256}&z=");
    assert_eq!(json(&rebuilt, &headers, BODY), Err(Refusal::SignatureWrong));
    let slash = signs.replace("/events?", "/events/?");
    assert_eq!(json(&slash, &headers, BODY), Err(Refusal::SignatureWrong));
}

#[test]
fn a_public_url_and_its_ports_are_tried() {
    let query = format!("bodySHA256={BODY_SHA256}");
    let internal = format!("http://10.0.0.7:9000/events?{query}");
    let public = |url: &str| verifier().with_public_url(PublicUrl::parse(url).unwrap());
    for signs in [
        "https://hooks.example/twilio",
        "https://hooks.example:443/twilio",
        "https://hooks.example:8443/twilio",
        "https://u:p@hooks.example/twilio",
    ] {
        let headers = signed(&signature(TOKEN, &format!("{signs}?{query}")));
        let verifier = public("https://u:p@hooks.example:8443/twilio");
        assert_eq!(
            json_of(&verifier, &internal, &headers, BODY),
            Ok(()),
            "{signs}"
        );
        let other = public("https://hooks.example:9443/elsewhere");
        assert_eq!(
            json_of(&other, &internal, &headers, BODY),
            Err(Refusal::SignatureWrong)
        );
    }
}

#[test]
fn every_key_of_the_list_signs_and_no_other() {
    let rotating = Verifier::new(SigningKeys::parse(&format!("old,{TOKEN}")).unwrap());
    for (token, result) in [
        ("old", Ok(())),
        (TOKEN, Ok(())),
        ("new", Err(Refusal::SignatureWrong)),
    ] {
        let headers = signed(&signature(token, &events_url()));
        assert_eq!(json_of(&rotating, &events_url(), &headers, BODY), result);
    }
}

#[test]
fn user_and_password_are_asked_for_where_they_are_set() {
    let verifier = verifier().with_basic_auth(BasicAuth::parse("twilio:secret").unwrap());
    let check = |url: &str, authorization: Option<&str>| {
        let mut headers = signed(&signature(TOKEN, url));
        if let Some(value) = authorization {
            headers.insert("authorization", HeaderValue::from_str(value).unwrap());
        }
        json_of(&verifier, &events_url(), &headers, BODY)
    };
    let right = format!("Basic {}", BASE64.encode("twilio:secret"));
    let wrong = format!("Basic {}", BASE64.encode("twilio:secrets"));
    assert_eq!(check(&events_url(), Some(&right)), Ok(()));
    assert_eq!(
        check(&events_url(), Some(&wrong)),
        Err(Refusal::BasicAuthWrong)
    );
    assert_eq!(check(&events_url(), None), Err(Refusal::BasicAuthMissing));
    let with_user = events_url().replace("https://", "https://twilio:secret@");
    assert_eq!(check(&with_user, Some(&right)), Ok(()));
}

#[test]
fn another_algorithm_is_used_or_refused_but_never_passed_over() {
    let url = events_url();
    let mut mac = Hmac::<Sha256>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    let sha256 = BASE64.encode(mac.finalize().into_bytes());
    let sha1 = signature(TOKEN, &url);
    let check = |signature: &str, settings: &str| {
        let headers = headers(&[
            ("x-twilio-signature", signature),
            ("x-twilio-webhooks-signature-settings", settings),
        ]);
        json(&url, &headers, BODY)
    };
    assert_eq!(sha256, "tStFDyBd+hVIsWHd1QHbH9aYDfkXbyMeJAeyrQB3a+M=");
    // As Twilio's Python library 9.13.0 reads them.
    for settings in [
        "key=XS01,algorithm=HMAC_SHA256",
        "algorithm=hmac_sha256",
        " algorithm = HMAC_SHA256 ",
        "algorithm=,algorithm=HMAC_SHA256",
    ] {
        assert_eq!(check(&sha256, settings), Ok(()), "{settings:?}");
    }
    for settings in [
        "",
        "key=XS01",
        "algorithm=",
        "Algorithm=HMAC_SHA256",
        "key=XS01, algorithm=HMAC_SHA1",
        "algorithm=HMAC_SHA1,algorithm=HMAC_SHA256",
    ] {
        assert_eq!(check(&sha1, settings), Ok(()), "{settings:?}");
    }
    assert_eq!(
        check(&sha1, "key=XS01,algorithm=HMAC_SHA256"),
        Err(Refusal::SignatureMalformed)
    );
    for unknown in [
        "algorithm=none",
        "algorithm=HMAC_SHA512,algorithm=HMAC_SHA1",
    ] {
        assert_eq!(
            check(&sha1, unknown),
            Err(Refusal::AlgorithmUnknown),
            "{unknown}"
        );
    }
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    // Few names and values, so that they repeat.
    prop::collection::vec(("[aAbé&= +]{0,2}", "[xX ü%\n]{0,2}"), 0..8)
}

proptest! {
    /// Whatever the order and the repetitions of the parameters, both sides sign the same.
    #[test]
    fn a_form_is_signed_by_its_sorted_distinct_parameters(pairs in pairs()) {
        let url = "https://janitor.example.com/prod/twilio/chat";
        let distinct: BTreeSet<_> = pairs.iter().collect();
        let mut by_name: BTreeMap<&[u8], String> = BTreeMap::new();
        for (name, value) in distinct {
            by_name.entry(name.as_bytes()).or_default().push_str(&format!("{name}{value}"));
        }
        let text: String = by_name.into_values().collect();
        let headers = signed(&signature(TOKEN, &format!("{url}{text}")));
        let body: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&pairs)
            .finish();
        let request = Request { url, headers: &headers, body: body.as_bytes() };
        prop_assert_eq!(verifier().form(request).unwrap().into_inner(), pairs);
    }

    /// No header, however odd, makes the check panic or pass.
    #[test]
    fn nonsense_is_refused(signature: Vec<u8>, settings: Vec<u8>, body: Vec<u8>) {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-twilio-signature", signature), ("x-twilio-webhooks-signature-settings", settings)] {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert(name, value);
            }
        }
        prop_assert!(json(&events_url(), &headers, &body).is_err());
    }
}
