//! The settings of the parking function.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::activity::POLL_GRID;
use domain::{ChatServiceSid, Pairs, Policy, WorkspaceSid};
use http::HeaderValue;
use http::uri::{Scheme, Uri};
use runtime::common::{self, CommonSettings, TwilioAccount};
use runtime::secrets::{Need, Secrets};
use runtime::{Aws, Bus, Environment, SettingsError};
use store::ChannelTable;
use twilio::signature::{BasicAuth, PublicUrl};

/// The origin of Flex's own pages.
const FLEX: &str = "https://flex.twilio.com";

/// Seconds between two polls, unless the settings say.
const POLL_SECONDS: u64 = 10;

/// Everything that parking works with.
#[derive(Debug)]
pub struct Settings {
    /// The channel table.
    pub table: ChannelTable,
    /// The credentials for Twilio.
    pub secrets: Secrets,
    /// The account at Twilio, and where Twilio is.
    pub account: TwilioAccount,
    /// The TaskRouter workspace; the Flex configuration's where absent.
    pub workspace: Option<WorkspaceSid>,
    /// The chat service; the Flex configuration's where absent.
    pub chat_service: Option<ChatServiceSid>,
    /// The bus for notices of parked tasks that expire.
    pub bus: Bus,
    /// The TaskChannels between which tasks move.
    pub pairs: Pairs,
    /// The cutoffs.
    pub policy: Policy,
    /// The time between two polls.
    pub poll: Duration,
    /// The place where a Chat channel's messages are told: the webhook's URL as Twilio calls it.
    /// Without it no Chat channel's task is parked.
    pub webhook: Option<WebhookUrl>,
    /// The origin of the pages that may ask for a chat to be moved.
    pub origin: Origin,
}

impl Settings {
    /// Returns the variables that give these settings, for the note of a run. Secrets, and where
    /// AWS and Twilio are, are not among them.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let park_after = common::policy_variables(&self.policy)
            .into_iter()
            .find(|(name, _)| *name == "PARK_AFTER");
        let origin = String::from_utf8_lossy(self.origin.as_header().as_bytes());
        let others = [
            ("PARK_POLL_SECONDS", self.poll.as_secs().to_string()),
            ("PARK_ALLOWED_ORIGIN", origin.into_owned()),
            ("PARK_TASK_CHANNELS", self.pairs.to_string()),
        ];
        let all = park_after.into_iter().chain(others);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Reads the settings. The environment says how AWS is reached, unless that is known already.
    ///
    /// # Errors
    ///
    /// Fails with every missing or malformed variable, by name.
    pub fn read_at(mut environment: Environment, aws: Option<Aws>) -> Result<Self, SettingsError> {
        let common = CommonSettings::read(&mut environment, Need::Rest, aws);
        let workspace = environment.optional("TASKROUTER_WORKSPACE_SID");
        let chat_service = environment.optional("CHAT_SERVICE_SID");
        environment.require("PARK_TASK_CHANNELS");
        let pairs = common::park_pairs(&mut environment);
        let policy = common::policy(&mut environment);
        let poll = poll(&mut environment);
        let webhook = webhook(&mut environment);
        let origin = environment.or("PARK_ALLOWED_ORIGIN", Origin::flex());
        environment.finish(|| {
            let CommonSettings {
                aws,
                table,
                bus,
                account,
                secrets,
            } = common?;
            Some(Self {
                table: ChannelTable::reached_by(move || aws.dynamodb(), table),
                bus,
                secrets,
                account,
                workspace,
                chat_service,
                pairs: pairs?,
                policy,
                poll,
                webhook,
                origin,
            })
        })
    }
}

/// The polls stand on the grid that waiting times are rounded to, so that the rounding makes
/// no chat wait for another poll.
fn poll(environment: &mut Environment) -> Duration {
    let seconds = environment.or("PARK_POLL_SECONDS", POLL_SECONDS);
    let fits =
        60_u64.checked_rem(seconds) == Some(0) && seconds.is_multiple_of(POLL_GRID.as_secs());
    if !fits {
        environment.malformed("PARK_POLL_SECONDS", "must be 10, 20, 30 or 60");
    }
    Duration::from_secs(seconds)
}

fn webhook(environment: &mut Environment) -> Option<WebhookUrl> {
    let url = environment.url("WEBHOOK_URL")?;
    if let Err(why) = PublicUrl::parse(&url) {
        environment.malformed("WEBHOOK_URL", why);
    }
    let userinfo = environment.optional::<String>("WEBHOOK_BASIC_AUTH");
    if let Some(Err(why)) = userinfo.as_deref().map(BasicAuth::parse) {
        environment.malformed("WEBHOOK_BASIC_AUTH", why);
    }
    Some(WebhookUrl(match userinfo {
        Some(userinfo) => url.replacen("://", &format!("://{userinfo}@"), 1),
        None => url,
    }))
}

/// The webhook's URL, with its user and password if it asks for them. It hides itself when
/// printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// Returns the URL, for Twilio alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookUrl")
    }
}

/// An origin as browsers write it: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// A text that is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin like https://flex.twilio.com: scheme and host, and no slash at its end")]
pub struct InvalidOrigin;

impl Origin {
    fn flex() -> Self {
        Self(HeaderValue::from_static(FLEX))
    }

    /// Returns the origin as a header has it.
    pub fn as_header(&self) -> &HeaderValue {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let uri: Uri = text.parse().map_err(|_| InvalidOrigin)?;
        let scheme = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme());
        let host = uri.host().is_some_and(|host| !host.is_empty());
        let bare = uri.path() == "/" && uri.query().is_none();
        let plain = !text.ends_with('/') && !text.contains(['@', '#', '*']);
        if scheme && host && bare && plain {
            let lower = text.to_ascii_lowercase();
            HeaderValue::try_from(lower)
                .map(Self)
                .map_err(|_| InvalidOrigin)
        } else {
            Err(InvalidOrigin)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host_and_nothing_more() {
        for good in [FLEX, "http://localhost:3000", "https://Flex.Example.com"] {
            let origin: Origin = good.parse().unwrap();
            assert_eq!(
                origin.as_header().as_bytes(),
                good.to_ascii_lowercase().as_bytes()
            );
        }
        for bad in [
            "",
            "*",
            "https://*.twilio.com",
            "flex.twilio.com",
            "https://flex.twilio.com/",
        ] {
            assert_eq!(bad.parse::<Origin>(), Err(InvalidOrigin), "{bad}");
        }
        for bad in [
            "https://u@h",
            "https://h/x",
            "https://h?x",
            "https://h#x",
            "ftp://h",
            "null",
        ] {
            assert_eq!(bad.parse::<Origin>(), Err(InvalidOrigin), "{bad}");
        }
    }
}
