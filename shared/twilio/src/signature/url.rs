//! The forms of a URL that Twilio may have signed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use http::Uri;
use http::uri::Scheme;
use secrecy::{ExposeSecret, SecretString};

/// The URL as Twilio calls it, where that is not the one that arrives: behind a custom
/// domain, a content network or an API gateway's stage.
///
/// Its scheme, host and port stand in for the request's, and its path too if it has one. Its
/// query does not count: the one that arrives is the one that was signed.
#[derive(Clone)]
pub struct PublicUrl {
    scheme: Scheme,
    userinfo: Option<SecretString>,
    host: String,
    port: Option<u16>,
    path: Option<String>,
}

/// A public URL that cannot be meant. It never repeats the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicUrl {
    /// Not a URL.
    #[error("not a URL")]
    Malformed,
    /// Twilio calls nothing but these.
    #[error("not an http or https URL with a host")]
    NotHttp,
}

impl PublicUrl {
    /// Reads a URL like `https://hooks.example.com/prod/twilio/events`.
    ///
    /// # Errors
    ///
    /// Fails if the text is not a URL, or not one that Twilio calls.
    pub fn parse(text: &str) -> Result<Self, InvalidPublicUrl> {
        let url: Uri = text
            .trim()
            .parse()
            .map_err(|_| InvalidPublicUrl::Malformed)?;
        let scheme = url
            .scheme()
            .filter(|scheme| **scheme == Scheme::HTTP || **scheme == Scheme::HTTPS)
            .ok_or(InvalidPublicUrl::NotHttp)?
            .clone();
        let authority = url
            .authority()
            .filter(|authority| !authority.host().is_empty())
            .ok_or(InvalidPublicUrl::NotHttp)?;
        let userinfo = authority.as_str().rsplit_once('@').map(|(user, _)| user);
        Ok(Self {
            scheme,
            userinfo: userinfo.map(SecretString::from),
            host: authority.host().to_owned(),
            port: authority.port_u16(),
            path: (url.path() != "/").then(|| url.path().to_owned()),
        })
    }
}

impl fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.as_deref().unwrap_or("/");
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
        f.write_str(path)
    }
}

/// The parts of a URL as it was sent. Nothing of it is decoded or encoded anew.
struct Sent<'a> {
    scheme: &'a str,
    /// The host and perhaps its port; empty if the request does not say.
    authority: &'a str,
    path: &'a str,
    /// With its question mark.
    query: &'a str,
}

impl<'a> Sent<'a> {
    fn split(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        Self {
            scheme,
            authority: authority.rsplit('@').next().unwrap_or_default(),
            path: if path.is_empty() { "/" } else { path },
            query,
        }
    }

    /// The host, and the port behind it. Only a colon after an IPv6 address starts a port.
    fn host_and_port(&self) -> (&'a str, Option<&'a str>) {
        let host_from = self.authority.rfind(']').unwrap_or_default();
        match self.authority.rfind(':').filter(|at| *at >= host_from) {
            Some(at) => (&self.authority[..at], self.authority.get(at + 1..)),
            None => (self.authority, None),
        }
    }
}

/// Returns the query of a URL as it was sent, without its question mark.
pub(super) fn query(url: &str) -> &str {
    Sent::split(url).query.trim_start_matches('?')
}

/// Returns every form of the URL that may have been signed: without a port, with the standard
/// one and as received; with and without the user and password that it was configured with;
/// and as Twilio's libraries encode what no URL should hold. None if the request does not say
/// where it was sent.
pub(super) fn signed_forms(
    url: &str,
    public: Option<&PublicUrl>,
    userinfo: Option<&str>,
) -> Vec<String> {
    let sent = Sent::split(url);
    let (scheme, host, port, path) = match public {
        Some(public) => (
            public.scheme.as_str(),
            public.host.as_str(),
            public.port.map(|port| port.to_string()),
            public.path.as_deref().unwrap_or(sent.path),
        ),
        None => {
            let (host, port) = sent.host_and_port();
            (sent.scheme, host, port.map(str::to_owned), sent.path)
        }
    };
    if host.is_empty() {
        return Vec::new();
    }
    let standard_port = if scheme == "http" { ":80" } else { ":443" };
    let ports = [
        String::new(),
        standard_port.to_owned(),
        port.map(|port| format!(":{port}")).unwrap_or_default(),
    ];
    let own = public.and_then(|public| public.userinfo.as_ref());
    let own = own.map(ExposeSecret::expose_secret).or(userinfo);
    let users = [
        String::new(),
        own.map(|user| format!("{user}@")).unwrap_or_default(),
    ];
    // Clients may write the host as it was configured or in lower case.
    let hosts = [host.to_owned(), host.to_ascii_lowercase()];
    // A URL that was configured without any path arrives with the path of a slash.
    let bare = if path == "/" { "" } else { path };
    let rests = rests(path, sent.query);
    let bare = rests.iter().map(|rest| match rest.strip_prefix(path) {
        Some(query) => format!("{bare}{query}"),
        None => rest.clone(),
    });
    let rests: BTreeSet<String> = bare.chain(rests.iter().cloned()).collect();

    let mut forms = BTreeSet::new();
    for user in &users {
        for host in &hosts {
            for port in &ports {
                for rest in &rests {
                    forms.insert(format!("{scheme}://{user}{host}{port}{rest}"));
                }
            }
        }
    }
    forms.into_iter().collect()
}

/// Returns path and query in the forms in which they may have been signed:
///
/// * as they were sent, which is the ordinary case;
/// * with what no URL should hold encoded, as in JavaScript's `URL`, and the same with its query
///   written anew by Node's `querystring`: Twilio's Node library accepts both;
/// * with a plus for each space, since a function URL may hand over `a+b` as `a b`
///   (<https://github.com/awslabs/aws-lambda-web-adapter/issues/491>).
fn rests(path: &str, query: &str) -> Vec<String> {
    let encoded_path = encoded(path, IN_PATH);
    let encoded_query = encoded(query, IN_QUERY);
    let mut rests = vec![
        format!("{path}{query}"),
        format!("{encoded_path}{encoded_query}"),
    ];
    if let Some(pairs) = query.strip_prefix('?').filter(|pairs| !pairs.is_empty()) {
        rests.push(format!("{encoded_path}?{}", rewritten(pairs)));
    }
    if query.contains(' ') {
        let query = encoded(&query.replace(' ', "+"), IN_QUERY);
        rests.push(format!("{encoded_path}{query}"));
    }
    rests
}

/// The characters that are encoded in a path, beside control characters and what is not ASCII
/// (<https://url.spec.whatwg.org/#path-percent-encode-set>).
const IN_PATH: &[u8] = b" \"#<>?^`{}";

/// The characters that are encoded in a query, beside the same (<https://url.spec.whatwg.org/#special-query-percent-encode-set>).
const IN_QUERY: &[u8] = b" \"#<>'";

fn encoded(text: &str, reserved: &[u8]) -> String {
    escaped(text, |byte| {
        byte.is_ascii_graphic() && !reserved.contains(&byte)
    })
}

/// Returns the pairs as Node's `querystring` parses and writes them: pairs of one name stand
/// together, and each has its equals sign.
fn rewritten(pairs: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    let mut names: Vec<(Cow<'_, str>, Vec<String>)> = Vec::new();
    for (name, value) in form_urlencoded::parse(pairs.as_bytes()) {
        let pair = format!("{}={}", escaped(&name, plain), escaped(&value, plain));
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, pairs)) => pairs.push(pair),
            None => names.push((name, vec![pair])),
        }
    }
    let pairs: Vec<String> = names.into_iter().flat_map(|(_, pairs)| pairs).collect();
    pairs.join("&")
}

fn escaped(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(url: &str, public: Option<&str>) -> Vec<String> {
        let public = public.map(|url| PublicUrl::parse(url).unwrap());
        signed_forms(url, public.as_ref(), None)
    }

    fn all(forms: &[&str]) -> Vec<String> {
        let mut forms: Vec<String> = forms.iter().map(|form| (*form).to_owned()).collect();
        forms.sort();
        forms
    }

    #[test]
    fn a_url_is_signed_without_a_port_with_the_standard_one_or_as_received() {
        assert_eq!(
            forms("https://a.example:8443/x?b=%20&a=1", None),
            all(&[
                "https://a.example/x?b=%20&a=1",
                "https://a.example:443/x?b=%20&a=1",
                "https://a.example:8443/x?b=%20&a=1",
            ])
        );
        assert_eq!(
            forms("http://[::1]:80/", None),
            all(&[
                "http://[::1]",
                "http://[::1]/",
                "http://[::1]:80",
                "http://[::1]:80/"
            ])
        );
        assert_eq!(forms("https:///x", None), [""; 0]);
    }

    #[test]
    fn a_url_is_signed_as_sent_or_as_a_library_encodes_it() {
        let forms = forms("https://A.example/a b?q=x 'y'&r&q=1", None);
        for rest in [
            "/a b?q=x 'y'&r&q=1",
            "/a%20b?q=x%20%27y%27&r&q=1",
            "/a%20b?q=x%20'y'&q=1&r=",
            "/a%20b?q=x+%27y%27&r&q=1",
        ] {
            for host in ["A.example", "a.example", "A.example:443"] {
                let form = format!("https://{host}{rest}");
                assert!(forms.contains(&form), "{form} is not in {forms:?}");
            }
        }
    }

    #[test]
    fn the_public_url_stands_in_for_all_but_the_query() {
        assert_eq!(
            forms(
                "https://internal:9000/stage/x?a=1",
                Some("https://hooks.example/y?other=2")
            ),
            all(&[
                "https://hooks.example/y?a=1",
                "https://hooks.example:443/y?a=1",
            ])
        );
        assert_eq!(
            forms("https:///x?a=1", Some("https://hooks.example"))[0],
            "https://hooks.example/x?a=1"
        );
    }

    #[test]
    fn user_and_password_are_tried_and_never_shown() {
        let public = PublicUrl::parse("https://u:p@hooks.example:8443/y").unwrap();
        let forms = signed_forms("https:///x", Some(&public), None);
        assert_eq!(forms.len(), 6);
        assert!(forms.contains(&"https://u:p@hooks.example/y".to_owned()));
        assert!(forms.contains(&"https://hooks.example:8443/y".to_owned()));
        assert_eq!(format!("{public:?}"), "https://hooks.example:8443/y");
    }

    #[test]
    fn what_twilio_cannot_call_is_no_public_url() {
        for text in [
            "",
            "hooks.example",
            "/x",
            "ftp://hooks.example/",
            "https://",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }
}
