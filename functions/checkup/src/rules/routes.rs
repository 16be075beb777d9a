//! The targets of the URLs of phone numbers.

use domain::{AccountSid, ProxyServiceSid, StudioFlowSid};
use http::Uri;
use twilio::rest::setup::PhoneNumber;

/// The target of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nowhere: there is none, or it is the greeting that Twilio gives a new number.
    Nowhere,
    /// To a Studio flow of this account.
    Studio(StudioFlowSid),
    /// To a Proxy service of this account.
    Proxy(ProxyServiceSid),
    /// To one of Twilio's webhooks, in a form that names nothing of this account.
    Broken,
    /// To a server outside Twilio.
    Elsewhere,
}

impl Way {
    /// Reads the target of a URL.
    pub(crate) fn of(url: Option<&str>, account: AccountSid) -> Self {
        let Some(url) = url.map(str::trim).filter(|url| !url.is_empty()) else {
            return Self::Nowhere;
        };
        let Ok(uri) = url.parse::<Uri>() else {
            return Self::Elsewhere;
        };
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        if host == "demo.twilio.com" {
            return Self::Nowhere;
        }
        if !(host.starts_with("webhooks.") && host.ends_with(".twilio.com")) {
            return Self::Elsewhere;
        }
        let path: Vec<&str> = uri.path().split('/').skip(1).collect();
        let (of, rest) = match path.as_slice() {
            ["v1", "Accounts", of, rest @ ..] => (*of, rest),
            _ => return Self::Broken,
        };
        if of.parse() != Ok(account) {
            return Self::Broken;
        }
        match rest {
            ["Flows", flow] => flow.parse().map_or(Self::Broken, Self::Studio),
            ["Proxy", service, "Webhooks", _] => service.parse().map_or(Self::Broken, Self::Proxy),
            _ => Self::Broken,
        }
    }

    /// Returns the URL at which a Proxy service takes messages.
    pub(crate) fn proxy_url(account: AccountSid, service: ProxyServiceSid) -> String {
        format!(
            "https://webhooks.twilio.com/v1/Accounts/{account}/Proxy/{service}/Webhooks/Message"
        )
    }

    /// Returns the URL at which a Studio flow takes calls.
    pub(crate) fn studio_url(account: AccountSid, flow: StudioFlowSid) -> String {
        format!("https://webhooks.twilio.com/v1/Accounts/{account}/Flows/{flow}")
    }

    /// Describes the target without its URL.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Nowhere => "nowhere".to_owned(),
            Self::Studio(flow) => format!("to the Studio flow {flow}"),
            Self::Proxy(service) => format!("to the Proxy service {service}"),
            Self::Broken => "to nothing of this account".to_owned(),
            Self::Elsewhere => "to a server outside Twilio".to_owned(),
        }
    }
}

/// Returns true if calls follow the number's URL.
pub(super) fn follows_url(number: &PhoneNumber) -> bool {
    number.capabilities.voice
        && number.voice_application_sid.is_none()
        && number.trunk_sid.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_followed_to_what_they_name() {
        let account: AccountSid = format!("AC{}", "1".repeat(32)).parse().unwrap();
        let flow: StudioFlowSid = format!("FW{}", "2".repeat(32)).parse().unwrap();
        let service: ProxyServiceSid = format!("KS{}", "3".repeat(32)).parse().unwrap();
        let other = format!(
            "https://webhooks.twilio.com/v1/Accounts/AC{}/Flows/{flow}",
            "9".repeat(32)
        );
        let dublin = Way::studio_url(account, flow).replace("webhooks.", "webhooks.dublin.ie1.");
        for (url, way) in [
            (None, Way::Nowhere),
            (Some(""), Way::Nowhere),
            (
                Some("https://demo.twilio.com/welcome/sms/reply/"),
                Way::Nowhere,
            ),
            (Some("https://example.com/sms"), Way::Elsewhere),
            (Some("not a url"), Way::Elsewhere),
            (Some(&Way::studio_url(account, flow)), Way::Studio(flow)),
            (Some(&dublin), Way::Studio(flow)),
            (Some(&Way::proxy_url(account, service)), Way::Proxy(service)),
            (Some(&other), Way::Broken),
            (
                Some("https://webhooks.twilio.com/v1/Accounts/AC1/Flows/FW1"),
                Way::Broken,
            ),
            (Some("https://webhooks.twilio.com/"), Way::Broken),
            (
                Some("https://webhooks.twilio.com.example.com/"),
                Way::Elsewhere,
            ),
        ] {
            assert_eq!(Way::of(url, account), way, "{url:?}");
        }
    }
}
