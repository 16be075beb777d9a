//! The proof that a request is Twilio's: what was signed is accepted, and nothing else is.

use http::{HeaderMap, HeaderValue, Uri};
use sha2::{Digest as _, Sha256};
use twilio::signature::{BasicAuth, PublicUrl, Refusal, Request, SigningKeys, Verifier};

use super::{lines, number};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

/// A URL, a header's value and a body, any bytes, one after the other.
pub fn signature(data: &[u8]) {
    let ([choice, url, header], body) = lines(data);
    let headers = headers(header);
    forged(&String::from_utf8_lossy(url), &headers, body);
    let Ok(uri) = Uri::try_from(url) else {
        return;
    };
    if let Ok(text) = std::str::from_utf8(url)
        && let Ok(public) = PublicUrl::parse(text)
    {
        // Its query is not shown, nor its password.
        let shown = format!("{public:?}");
        assert!(!shown.contains('@') || uri.path().contains('@'), "{shown}");
    }
    if let Some(called) = called(&uri) {
        signed_json(&called, number(choice), body);
        signed_form(&called, body);
    }
}

fn headers(signature: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(signature) {
        headers.insert("x-twilio-signature", value.clone());
        headers.insert("authorization", value.clone());
        headers.insert("host", value);
    }
    headers
}

fn verifier(keys: &str) -> Verifier {
    Verifier::new(SigningKeys::parse(keys).unwrap())
}

fn json(verifier: &Verifier, url: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let request = Request { url, headers, body };
    verifier.json(request).map(|authentic| {
        assert_eq!(*authentic.get(), body);
    })
}

/// No signature is guessed: the fuzzer knows the key and could, but only by HMAC.
fn forged(url: &str, headers: &HeaderMap, body: &[u8]) {
    let request = Request { url, headers, body };
    let plain = verifier(KEY);
    assert!(plain.json(request).is_err());
    assert!(plain.form(request).is_err());
    let asks = plain.with_basic_auth(BasicAuth::parse("twilio:password").unwrap());
    assert!(asks.json(request).is_err());
    assert!(asks.form(request).is_err());
}

/// The URL as Twilio would call it: without user, password and fragment.
fn called(uri: &Uri) -> Option<String> {
    let scheme = uri
        .scheme_str()
        .filter(|scheme| ["http", "https"].contains(scheme))?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let port = uri.port_u16().map(|port| format!(":{port}"));
    let path = uri.path_and_query()?.as_str();
    let url = format!("{scheme}://{host}{}{path}", port.unwrap_or_default());
    // Room for the hash; the whole must still be a URL.
    let fits = url.len() < 60_000 && url.parse::<Uri>().is_ok();
    fits.then_some(url)
}

fn carrying(signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("X-Twilio-Signature", signature.parse().unwrap());
    headers
}

fn signed_json(url: &str, choice: usize, body: &[u8]) {
    let signed = simulator::sign::json(KEY, url, body);
    let headers = carrying(&signed.signature);
    let keys = verifier(&format!("{OTHER_KEY},{KEY}"));
    let hash = hex::encode(Sha256::digest(body));
    // The first hash of the URL is the one that counts, wherever it came from.
    let query = signed.url.split_once('?').unwrap().1;
    let first = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "bodySHA256")
        .unwrap();
    let ours = first.1.eq_ignore_ascii_case(&hash);
    let expected = ours.then_some(()).ok_or(Refusal::BodyHashWrong);
    assert_eq!(json(&keys, &signed.url, &headers, body), expected);

    let missing = json(&keys, &signed.url, &HeaderMap::new(), body);
    assert_eq!(missing, Err(Refusal::SignatureMissing));
    let unknown = json(&verifier(OTHER_KEY), &signed.url, &headers, body);
    assert_eq!(unknown, Err(Refusal::SignatureWrong));
    let mut twice = headers.clone();
    twice.append("X-Twilio-Signature", signed.signature.parse().unwrap());
    let twice = json(&keys, &signed.url, &twice, body);
    assert_eq!(twice, Err(Refusal::SignatureRepeated));

    // One bit of anything.
    let mut tampered = body.to_vec();
    tampered.push(0);
    let length = tampered.len();
    tampered[choice % length] ^= 1;
    let tampered = json(&keys, &signed.url, &headers, &tampered);
    assert_eq!(tampered, Err(Refusal::BodyHashWrong));
    let other = format!("{}0", signed.url);
    assert_eq!(
        json(&keys, &other, &headers, body),
        Err(Refusal::SignatureWrong)
    );
    let mut bytes = signed.signature.into_bytes();
    let at = choice % 27;
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    let other = carrying(std::str::from_utf8(&bytes).unwrap());
    let other = json(&keys, &signed.url, &other, body);
    assert!(matches!(
        other,
        Err(Refusal::SignatureWrong | Refusal::SignatureMalformed)
    ));

    behind_a_proxy(url, &signed.url, &headers, body, expected);
}

/// The same request as it arrives behind a domain of one's own.
fn behind_a_proxy(
    url: &str,
    signed: &str,
    headers: &HeaderMap,
    body: &[u8],
    expected: Result<(), Refusal>,
) {
    let public = PublicUrl::parse(url).unwrap();
    let keys = verifier(KEY).with_public_url(public);
    let uri: Uri = signed.parse().unwrap();
    let arrived = format!("https://internal.example{}", uri.path_and_query().unwrap());
    assert_eq!(json(&keys, &arrived, headers, body), expected);
}

fn signed_form(url: &str, body: &[u8]) {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let signed = simulator::sign::form(KEY, url, &pairs);
    let headers = carrying(&signed.signature);
    let form = |body| {
        let request = Request {
            url,
            headers: &headers,
            body,
        };
        verifier(KEY).form(request)
    };
    let read = form(body).map(twilio::signature::Authentic::into_inner);
    assert_eq!(read.as_ref(), Ok(&pairs));
    // A pair that is there already is signed already: Twilio's libraries count it once.
    if !pairs.contains(&("unsigned".to_owned(), "1".to_owned())) {
        let more = [body, b"&unsigned=1"].concat();
        assert_eq!(form(&more).map(drop), Err(Refusal::SignatureWrong));
    }
}
