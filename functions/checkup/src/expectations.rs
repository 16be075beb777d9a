//! The expectations of a set-up, as far as they are a matter of taste or of our own settings.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use domain::{ChatServiceSid, Pairs, ProxyServiceSid, WorkspaceSid};
use runtime::{Environment, common};
use twilio::rest::setup::Destination;

/// The channel types of Flex Flows (Twilio, OpenAPI of Flex).
const CHANNEL_TYPES: [&str; 6] = ["web", "sms", "whatsapp", "facebook", "line", "custom"];

/// The wrap-ups that are reported take longer than this, unless `WRAP_UP_LIMIT` says otherwise.
const WRAP_UP_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);

/// The expectations of a set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectations {
    /// The workspace of the sweep's settings.
    pub workspace: Option<WorkspaceSid>,
    /// The chat service of the sweep's settings.
    pub chat_service: Option<ChatServiceSid>,
    /// The Proxy service of the sweep's settings.
    pub proxy_service: Option<ProxyServiceSid>,
    /// The URL of our webhook as Twilio calls it, if it is known.
    pub webhook: Option<Destination>,
    /// The state of Twilio's own janitor in Flex Flows.
    pub janitor: Toggle,
    /// The channel types that are long-lived; not looked at if absent.
    pub long_lived: Option<LongLived>,
    /// The TaskChannels between which parking moves tasks; empty without parking.
    pub parking: Pairs,
    /// The time after which a wrap-up is reported.
    pub wrap_up_limit: Duration,
}

impl Default for Expectations {
    fn default() -> Self {
        Self {
            workspace: None,
            chat_service: None,
            proxy_service: None,
            webhook: None,
            janitor: Toggle::default(),
            long_lived: None,
            parking: Pairs::default(),
            wrap_up_limit: WRAP_UP_LIMIT,
        }
    }
}

/// The wanted state of a switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Toggle {
    /// On, as Twilio recommends for its janitor.
    #[default]
    On,
    /// Off.
    Off,
    /// Either.
    Any,
}

impl FromStr for Toggle {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "any" => Ok(Self::Any),
            _ => Err("must be on, off or any"),
        }
    }
}

impl Toggle {
    /// Returns the state, if it matters.
    pub const fn wanted(self) -> Option<bool> {
        match self {
            Self::On => Some(true),
            Self::Off => Some(false),
            Self::Any => None,
        }
    }
}

/// The channel types whose channels outlive their tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongLived(BTreeSet<String>);

impl LongLived {
    /// Returns true if channels of this type outlive their tasks.
    pub fn includes(&self, channel_type: &str) -> bool {
        self.0.contains(channel_type)
    }
}

impl FromStr for LongLived {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self(BTreeSet::new()));
        }
        let types = text.split(',').map(str::trim);
        types
            .map(|word| CHANNEL_TYPES.contains(&word).then(|| word.to_owned()))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or("must be none, or some of web, sms, whatsapp, facebook, line and custom, separated by commas")
    }
}

impl Expectations {
    /// Reads the expectations from the settings; each may be absent.
    pub fn read(environment: &mut Environment) -> Self {
        let webhook = environment.url("WEBHOOK_URL");
        let destination = webhook.as_deref().and_then(Destination::parse);
        if webhook.is_some() && destination.is_none() {
            environment.malformed("WEBHOOK_URL", "not a URL that Twilio could call");
        }
        Self {
            workspace: environment.optional("TASKROUTER_WORKSPACE_SID"),
            chat_service: environment.optional("CHAT_SERVICE_SID"),
            proxy_service: environment.optional("PROXY_SERVICE_SID"),
            webhook: destination,
            janitor: environment.or("FLEX_JANITOR", Toggle::default()),
            long_lived: environment.optional("FLEX_LONG_LIVED"),
            parking: common::park_pairs(environment).unwrap_or_default(),
            wrap_up_limit: environment.duration_or("WRAP_UP_LIMIT", WRAP_UP_LIMIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_read_or_named() {
        let pair = format!("TC{}:TC{}", "1".repeat(32), "2".repeat(32));
        let mut environment: Environment = [
            ("WEBHOOK_URL", "https://example.com/hook/"),
            ("FLEX_JANITOR", "off"),
            ("FLEX_LONG_LIVED", "whatsapp, sms"),
            ("PARK_TASK_CHANNELS", &pair),
            ("WRAP_UP_LIMIT", "8h"),
        ]
        .into_iter()
        .collect();
        let wanted = Expectations::read(&mut environment);
        assert!(environment.faults().is_empty());
        assert_eq!(
            wanted.webhook,
            Destination::parse("https://example.com/hook")
        );
        assert_eq!(wanted.janitor.wanted(), Some(false));
        let long_lived = wanted.long_lived.unwrap();
        assert!(long_lived.includes("sms") && !long_lived.includes("web"));
        assert_eq!(wanted.parking.iter().count(), 1);
        assert_eq!(wanted.wrap_up_limit, Duration::from_secs(8 * 60 * 60));

        let nonsense = [
            ("FLEX_JANITOR", "yes"),
            ("FLEX_LONG_LIVED", "sms,fax"),
            ("PARK_TASK_CHANNELS", "TC1:TC2"),
            ("WEBHOOK_URL", "https://"),
            ("CHAT_SERVICE_SID", "IS1"),
            ("WRAP_UP_LIMIT", "long"),
        ];
        let mut environment: Environment = nonsense.into_iter().collect();
        Expectations::read(&mut environment);
        assert_eq!(environment.faults().len(), nonsense.len());
    }
}
