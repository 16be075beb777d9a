//! Where Twilio's products live.

use http::Uri;
use http::uri::Scheme;

/// A product whose API is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// The API of 2010, which knows the phone numbers.
    Api,
    /// Programmable Chat.
    Chat,
    /// Conversations.
    Conversations,
    /// Event Streams.
    Events,
    /// Flex.
    Flex,
    /// API keys and tokens.
    Iam,
    /// Messaging services.
    Messaging,
    /// Proxy.
    Proxy,
    /// Studio.
    Studio,
    /// Sync.
    Sync,
    /// TaskRouter.
    TaskRouter,
}

impl Product {
    const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Chat => "chat",
            Self::Conversations => "conversations",
            Self::Events => "events",
            Self::Flex => "flex-api",
            Self::Iam => "iam",
            Self::Messaging => "messaging",
            Self::Proxy => "proxy",
            Self::Studio => "studio",
            Self::Sync => "sync",
            Self::TaskRouter => "taskrouter",
        }
    }
}

/// The hosts of Twilio's products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// The part after a product's name: `twilio.com`, `ie1.twilio.com`.
    Twilio { domain: String },
    /// The part before a product's name, without a slash at its end.
    Elsewhere { url: String },
}

/// A setting that names no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHosts {
    /// Names of edges and regions are lower-case letters, digits and hyphens.
    #[error("not the name of an edge or a region")]
    Name,
    /// Something that the products' names cannot be put behind.
    #[error("not a plain http or https URL")]
    Url,
}

impl Default for Hosts {
    fn default() -> Self {
        Self(Form::Twilio {
            domain: "twilio.com".to_owned(),
        })
    }
}

impl Hosts {
    /// Twilio's hosts at an edge and in a region, put together as its own libraries do:
    /// `<product>[.<edge>].<region>.twilio.com`, the region `us1` where only an edge is named.
    ///
    /// # Errors
    ///
    /// Fails if a name is empty, longer than 32 characters, or has other characters than lower-case
    /// letters, digits and hyphens.
    pub fn at_twilio(edge: Option<&str>, region: Option<&str>) -> Result<Self, InvalidHosts> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        for name in [edge, region].into_iter().flatten() {
            if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
                return Err(InvalidHosts::Name);
            }
        }
        let region = region.or(edge.map(|_| "us1"));
        let parts = [edge, region, Some("twilio.com")];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        Ok(Self(Form::Twilio {
            domain: parts.join("."),
        }))
    }

    /// Every product under one URL, as `<url>/<product>`: the simulator, or a proxy.
    ///
    /// # Errors
    ///
    /// Fails if the URL is not of HTTP or HTTPS, names no host, or has a query, a fragment or a
    /// user.
    pub fn elsewhere(url: &str) -> Result<Self, InvalidHosts> {
        let uri: Uri = url.parse().map_err(|_| InvalidHosts::Url)?;
        let http = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme());
        let host = uri.host().is_some_and(|host| !host.is_empty());
        if !http || !host || uri.query().is_some() || url.contains(['@', '#']) {
            return Err(InvalidHosts::Url);
        }
        Ok(Self(Form::Elsewhere {
            url: url.trim_end_matches('/').to_owned(),
        }))
    }

    /// The URL that a path of this product is put behind.
    pub(in crate::rest) fn base(&self, product: Product) -> String {
        let name = product.name();
        match &self.0 {
            Form::Twilio { domain } => format!("https://{name}.{domain}"),
            Form::Elsewhere { url } => format!("{url}/{name}"),
        }
    }

    /// The path and query of a URL that Twilio gave, to be put behind our own base: whatever
    /// host it names is never called. (Regional answers may name the global host.) The API of
    /// 2010 gives paths alone.
    pub(in crate::rest) fn path_of(&self, product: Product, url: &str) -> Option<String> {
        let url: Uri = url.parse().ok()?;
        let base: Uri = self.base(product).parse().ok()?;
        let path = url.path_and_query()?.as_str();
        if product == Product::Api && url.authority().is_none() {
            return Some(path.to_owned());
        }
        Some(
            path.strip_prefix(base.path().trim_end_matches('/'))?
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_put_together_as_the_official_libraries_do() {
        for (edge, region, base) in [
            (None, None, "https://chat.twilio.com"),
            (None, Some("ie1"), "https://chat.ie1.twilio.com"),
            (Some("dublin"), None, "https://chat.dublin.us1.twilio.com"),
            (
                Some("dublin"),
                Some("ie1"),
                "https://chat.dublin.ie1.twilio.com",
            ),
        ] {
            let hosts = Hosts::at_twilio(edge, region).unwrap();
            assert_eq!(hosts.base(Product::Chat), base);
        }
        assert_eq!(Hosts::default(), Hosts::at_twilio(None, None).unwrap());
        for name in ["", "a.b", "evil.example/", "IE1"] {
            assert_eq!(Hosts::at_twilio(None, Some(name)), Err(InvalidHosts::Name));
        }
    }

    #[test]
    fn another_place_holds_every_product() {
        let hosts = Hosts::elsewhere("http://127.0.0.1:4010/").unwrap();
        assert_eq!(hosts.base(Product::Flex), "http://127.0.0.1:4010/flex-api");
        for url in [
            "",
            "/x",
            "ftp://x",
            "http://u:p@x",
            "http://x/?y",
            "http://x/#y",
            "x:1",
        ] {
            assert_eq!(Hosts::elsewhere(url), Err(InvalidHosts::Url), "{url}");
        }
    }

    #[test]
    fn of_a_url_in_an_answer_only_the_path_is_taken() {
        let elsewhere = Hosts::elsewhere("http://127.0.0.1:4010/t").unwrap();
        for (hosts, url, path) in [
            (
                &Hosts::default(),
                "https://evil.example/v1/Tasks?a=b",
                Some("/v1/Tasks?a=b"),
            ),
            (
                &elsewhere,
                "http://x/t/taskrouter/v1/Tasks?a",
                Some("/v1/Tasks?a"),
            ),
            (&elsewhere, "http://x/v1/Tasks", None),
            (&elsewhere, "no url", None),
        ] {
            assert_eq!(hosts.path_of(Product::TaskRouter, url).as_deref(), path);
        }
        let path = "/2010-04-01/Accounts?Page=1";
        assert_eq!(elsewhere.path_of(Product::Api, path).as_deref(), Some(path));
    }
}
