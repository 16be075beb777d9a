//! The proof that a request comes from Twilio.
//!
//! Twilio signs the URL that it calls, as it was written in its configuration, and for forms
//! the parameters as well. A JSON body is not part of what is signed: the URL carries its
//! SHA-256 as `bodySHA256` instead, so a check of the signature alone would let a reader of
//! one signed URL send another body. Both are therefore mandatory, and
//! [`Authentic`], which all readers of bodies ask for, is made nowhere else than here.
//! (Twilio, "Webhooks security", and the official Node and Python libraries.)
//!
//! Twilio does not always sign the URL that arrives. It may or may not write the standard
//! port, a proxy may have changed host and path, and the documentation does not say if the
//! user and password of a URL are signed. So each form that may have been signed is tried with each
//! key, all of them every time: how long a check takes tells nothing about the keys.

mod keys;
mod url;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, header};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

pub use keys::{BasicAuth, InvalidBasicAuth, InvalidSigningKeys, SigningKeys};
pub use url::{InvalidPublicUrl, PublicUrl};

/// The header that carries the signature, in base64.
const SIGNATURE: &str = "x-twilio-signature";

/// The header that names another algorithm than HMAC-SHA1 (Twilio, "Webhook shared keys",
/// a public beta of 2026).
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

/// The parameter of the URL that carries a JSON body's hash, in hexadecimal.
const BODY_HASH: &str = "bodySHA256";

/// The text of each form that Twilio signs begins, behind the URL, with the account's SID or
/// with a name before it. In a URL it can only stand for such a text: a query would have an
/// equals sign in it. Without this check, a customer whose message is `?bodySHA256=…` would
/// have Twilio sign a form that can be sent again as JSON with a body of the customer's choice.
const FORM_START: &str = "AccountSidAC";

/// A request as it arrived.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Its whole URL as it was sent, never decoded and written again. It may hold characters
    /// that no URL should.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, byte for byte (base64 of an API gateway already decoded).
    pub body: &'a [u8],
}

/// A value that is known to come from Twilio.
#[derive(Clone, Copy)]
pub struct Authentic<T>(T);

impl<T> Authentic<T> {
    /// Returns what is known to come from Twilio.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Returns what is known to come from Twilio, without the proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// A reason why a request is not taken for Twilio's. Its `Display` is for the sender and tells
/// nothing; [`Refusal::name`] is for our own counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("not authentic")]
pub enum Refusal {
    /// User and password are asked for and were not given.
    BasicAuthMissing,
    /// User and password are asked for and were others.
    BasicAuthWrong,
    /// No signature.
    SignatureMissing,
    /// Several signatures: which one counts would depend on who reads them.
    SignatureRepeated,
    /// No base64, or not as long as a signature is.
    SignatureMalformed,
    /// Signed by an algorithm that is not known here.
    AlgorithmUnknown,
    /// No key of ours signs any form of this URL so. Wrong keys and a wrong public URL of
    /// our own look the same as a forgery.
    SignatureWrong,
    /// A JSON body without a hash in the URL.
    BodyHashMissing,
    /// A hash in the URL that is not the body's.
    BodyHashWrong,
    /// A URL that continues with the parameters of a form: what was signed may be a form whose
    /// values a customer chose, and not a URL.
    FormInUrl,
    /// Sent to another host than the one that answers.
    HostForeign,
}

impl Refusal {
    /// Returns the cause's name, for counts and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BasicAuthMissing => "basic-auth-missing",
            Self::BasicAuthWrong => "basic-auth-wrong",
            Self::SignatureMissing => "signature-missing",
            Self::SignatureRepeated => "signature-repeated",
            Self::SignatureMalformed => "signature-malformed",
            Self::AlgorithmUnknown => "algorithm-unknown",
            Self::SignatureWrong => "signature-wrong",
            Self::BodyHashMissing => "body-hash-missing",
            Self::BodyHashWrong => "body-hash-wrong",
            Self::FormInUrl => "form-in-url",
            Self::HostForeign => "host-foreign",
        }
    }
}

#[derive(Clone, Copy)]
enum Algorithm {
    HmacSha1,
    HmacSha256,
}

/// Checks requests for Twilio's signature.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: SigningKeys,
    public_url: Option<PublicUrl>,
    basic_auth: Option<BasicAuth>,
}

impl Verifier {
    /// Returns a verifier that takes the URL from the request and asks for no user and password.
    pub fn new(keys: SigningKeys) -> Self {
        Self {
            keys,
            public_url: None,
            basic_auth: None,
        }
    }

    /// Sets the URL as Twilio calls it, where it differs from the one that arrives.
    #[must_use]
    pub fn with_public_url(mut self, url: PublicUrl) -> Self {
        self.public_url = Some(url);
        self
    }

    /// Asks for the user and password of the sink's URL as well.
    #[must_use]
    pub fn with_basic_auth(mut self, basic_auth: BasicAuth) -> Self {
        self.basic_auth = Some(basic_auth);
        self
    }

    /// Checks a request whose body is signed by hash, as Event Streams sends it.
    ///
    /// # Errors
    ///
    /// Fails if it is not proven that Twilio sent it with this body.
    pub fn json<'a>(&self, request: Request<'a>) -> Result<Authentic<&'a [u8]>, Refusal> {
        if request.url.contains(FORM_START) {
            return Err(Refusal::FormInUrl);
        }
        self.check(request, "")?;
        let named = form_urlencoded::parse(url::query(request.url).as_bytes())
            .find(|(name, _)| name == BODY_HASH)
            .ok_or(Refusal::BodyHashMissing)?;
        let named = hex::decode(named.1.as_bytes()).map_err(|_| Refusal::BodyHashWrong)?;
        if bool::from(Sha256::digest(request.body).ct_eq(&named)) {
            Ok(Authentic(request.body))
        } else {
            Err(Refusal::BodyHashWrong)
        }
    }

    /// Checks a request whose body is a form, as the chat webhooks send it, and decodes it.
    ///
    /// # Errors
    ///
    /// Fails if it is not proven that Twilio sent it.
    pub fn form(&self, request: Request<'_>) -> Result<Authentic<Vec<(String, String)>>, Refusal> {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(request.body).into_owned().collect();
        self.check(request, &signed_form(&pairs))?;
        Ok(Authentic(pairs))
    }

    fn check(&self, request: Request<'_>, appended: &str) -> Result<(), Refusal> {
        if let Some(basic_auth) = &self.basic_auth {
            let given = only(request.headers, header::AUTHORIZATION.as_str())
                .map_err(|_| Refusal::BasicAuthWrong)?
                .ok_or(Refusal::BasicAuthMissing)?;
            if !basic_auth.admits(given) {
                return Err(Refusal::BasicAuthWrong);
            }
        }
        let algorithm = algorithm(request.headers)?;
        let signature = only(request.headers, SIGNATURE)
            .map_err(|_| Refusal::SignatureRepeated)?
            .ok_or(Refusal::SignatureMissing)?;
        let signature = BASE64
            .decode(signature)
            .map_err(|_| Refusal::SignatureMalformed)?;
        if signature.len() != algorithm.length() {
            return Err(Refusal::SignatureMalformed);
        }

        let userinfo = self.basic_auth.as_ref().map(BasicAuth::as_userinfo);
        let mut forms = url::signed_forms(request.url, self.public_url.as_ref(), userinfo);
        if appended.is_empty() {
            forms.retain(|form| !form.contains(FORM_START));
        }
        let mut matches = Choice::from(0);
        for key in self.keys.iter() {
            for form in &forms {
                let ours = algorithm.sign(key, &[form.as_bytes(), appended.as_bytes()]);
                matches |= ours.ct_eq(&signature);
            }
        }
        if bool::from(matches) {
            Ok(())
        } else {
            Err(Refusal::SignatureWrong)
        }
    }
}

/// Returns the text that a form adds to what is signed: name and value of each parameter, by the names' bytes
/// and then the values'; a pair that occurs twice counts once.
fn signed_form(pairs: &[(String, String)]) -> String {
    let mut parameters: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        parameters.entry(name).or_default().insert(value);
    }
    let mut text = String::new();
    for (name, values) in parameters {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

struct Repeated;

/// The bytes of a header that may occur once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a [u8]>, Repeated> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Repeated),
        (value, None) => Ok(value.map(http::HeaderValue::as_bytes)),
    }
}

/// Reads `key=<shared key's id>,algorithm=HMAC_SHA256`. As in Twilio's Python library, the first
/// algorithm that is named counts, in any case of letters; without one it is HMAC-SHA1.
fn algorithm(headers: &HeaderMap) -> Result<Algorithm, Refusal> {
    for settings in headers.get_all(SETTINGS) {
        let settings = settings.to_str().map_err(|_| Refusal::AlgorithmUnknown)?;
        let named = settings
            .split(',')
            .filter_map(|setting| setting.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim()))
            .find(|(name, value)| *name == "algorithm" && !value.is_empty());
        match named
            .map(|(_, value)| value.to_ascii_uppercase())
            .as_deref()
        {
            Some("HMAC_SHA1") => return Ok(Algorithm::HmacSha1),
            Some("HMAC_SHA256") => return Ok(Algorithm::HmacSha256),
            Some(_) => return Err(Refusal::AlgorithmUnknown),
            None => {}
        }
    }
    Ok(Algorithm::HmacSha1)
}

impl Algorithm {
    const fn length(self) -> usize {
        match self {
            Self::HmacSha1 => 20,
            Self::HmacSha256 => 32,
        }
    }

    fn sign(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::HmacSha1 => sign::<Hmac<Sha1>>(key, parts),
            Self::HmacSha256 => sign::<Hmac<Sha256>>(key, parts),
        }
    }
}

/// HMAC takes keys of any length. Should it ever refuse one, the result is empty and equals
/// no signature.
fn sign<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}
