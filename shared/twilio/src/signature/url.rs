//! The forms of a URL that Twilio may have signed.

use std::fmt;

use http::Uri;
use http::uri::{Authority, Scheme};
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

/// Every form of the URL that may have been signed: without a port, with the standard one
/// and as received; with and without the user and password that it was configured with. None
/// if the request does not say where it was sent.
pub(super) fn signed_forms(
    requested: &Uri,
    host_header: Option<&str>,
    public: Option<&PublicUrl>,
    userinfo: Option<&str>,
) -> Vec<String> {
    let received = match public {
        Some(public) => public.clone(),
        None => {
            let authority = match (requested.authority(), host_header) {
                (Some(authority), _) => Some(authority.clone()),
                (None, header) => header.and_then(|host| host.parse::<Authority>().ok()),
            };
            let Some(authority) = authority else {
                return Vec::new();
            };
            PublicUrl {
                scheme: requested.scheme().cloned().unwrap_or(Scheme::HTTPS),
                userinfo: None,
                host: authority.host().to_owned(),
                port: authority.port_u16(),
                path: None,
            }
        }
    };
    let standard_port = if received.scheme == Scheme::HTTP {
        80
    } else {
        443
    };
    let mut ports = vec![None, Some(standard_port)];
    if received.port.is_some_and(|port| port != standard_port) {
        ports.push(received.port);
    }
    let own = received.userinfo.as_ref().map(ExposeSecret::expose_secret);
    let mut users = vec![None];
    users.extend(own.or(userinfo).map(Some));

    // A URL that was configured without any path arrives with the path of a slash.
    let paths = match received.path.as_deref().unwrap_or(requested.path()) {
        "/" => vec!["/", ""],
        path => vec![path],
    };
    let query = requested.query().map(|query| format!("?{query}"));
    let query = query.unwrap_or_default();
    let PublicUrl { scheme, host, .. } = &received;
    let mut forms = Vec::new();
    for user in &users {
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        for port in &ports {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            for path in &paths {
                forms.push(format!("{scheme}://{user}{host}{port}{path}{query}"));
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(url: &str, host: Option<&str>, public: Option<&str>) -> Vec<String> {
        let public = public.map(|url| PublicUrl::parse(url).unwrap());
        signed_forms(&url.parse().unwrap(), host, public.as_ref(), None)
    }

    #[test]
    fn a_url_is_signed_without_a_port_with_the_standard_one_or_as_received() {
        assert_eq!(
            forms("https://a.example:8443/x?b=%20&a=1", None, None),
            [
                "https://a.example/x?b=%20&a=1",
                "https://a.example:443/x?b=%20&a=1",
                "https://a.example:8443/x?b=%20&a=1",
            ]
        );
        assert_eq!(
            forms("http://a.example:80/?", None, None),
            [
                "http://a.example/?",
                "http://a.example?",
                "http://a.example:80/?",
                "http://a.example:80?",
            ]
        );
    }

    #[test]
    fn the_host_header_fills_in_and_a_request_to_nowhere_has_no_form() {
        assert_eq!(
            forms("/x", Some("[::1]:9000"), None),
            [
                "https://[::1]/x",
                "https://[::1]:443/x",
                "https://[::1]:9000/x"
            ]
        );
        assert_eq!(forms("/x", None, None), [""; 0]);
        assert_eq!(forms("/x", Some("no host"), None), [""; 0]);
    }

    #[test]
    fn the_public_url_stands_in_for_all_but_the_query() {
        assert_eq!(
            forms(
                "https://internal:9000/stage/x?a=1",
                Some("internal"),
                Some("https://hooks.example/y?other=2")
            ),
            [
                "https://hooks.example/y?a=1",
                "https://hooks.example:443/y?a=1",
            ]
        );
        assert_eq!(
            forms("/x?a=1", None, Some("https://hooks.example"))[0],
            "https://hooks.example/x?a=1"
        );
    }

    #[test]
    fn user_and_password_are_tried_and_never_shown() {
        let public = PublicUrl::parse("https://u:p@hooks.example:8443/y").unwrap();
        let forms = signed_forms(&"/x".parse().unwrap(), None, Some(&public), None);
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
