//! Twilio's SIDs as types: one that exists is valid, and shows itself as Twilio writes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The length of every SID: a two-letter prefix and 32 hexadecimal digits.
const LENGTH: usize = 34;

/// Why a text is not the SID that it should be. It never repeats the text, which may be
/// personal data in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSid {
    /// Another length, another prefix, or something that is not a hexadecimal digit.
    #[error("not a SID of the form {prefix} and 32 hexadecimal digits")]
    Malformed {
        /// The prefix that the SID should have.
        prefix: &'static str,
    },
    /// All digits are zero: the placeholder that some set-ups put on a task which must not
    /// control its channel.
    #[error("a placeholder, {prefix} and 32 zeros, that names no resource")]
    Placeholder {
        /// The prefix of the placeholder.
        prefix: &'static str,
    },
}

/// True if 32 zeros are a SID of this kind, false if they stand for "none".
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zeros {
    Valid,
    Placeholder,
}

fn parse(text: &str, prefix: &'static str, zeros: Zeros) -> Result<[u8; LENGTH], InvalidSid> {
    let malformed = InvalidSid::Malformed { prefix };
    let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| malformed)?;
    let digits = text.strip_prefix(prefix).ok_or(malformed)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(malformed);
    }
    if zeros == Zeros::Placeholder && digits.bytes().all(|b| b == b'0') {
        return Err(InvalidSid::Placeholder { prefix });
    }
    Ok(bytes)
}

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $zeros:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; LENGTH]);

        impl $name {
            /// The two letters that every SID of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// The SID as Twilio writes it.
            pub fn as_str(&self) -> &str {
                // Only ASCII text gets past `parse`, so the fallback is never taken.
                std::str::from_utf8(&self.0).unwrap_or($prefix)
            }
        }

        impl FromStr for $name {
            type Err = InvalidSid;

            fn from_str(text: &str) -> Result<Self, InvalidSid> {
                parse(text, $prefix, Zeros::$zeros).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

sid!(
    /// An account.
    AccountSid, "AC", Valid
);
sid!(
    /// A Programmable Chat channel or a Conversation: what this system keeps clean.
    ChannelSid, "CH", Placeholder
);
sid!(
    /// A Programmable Chat or Conversations service.
    ChatServiceSid, "IS", Valid
);
sid!(
    /// A Sync service.
    SyncServiceSid, "IS", Valid
);
sid!(
    /// An interaction of Flex Conversations.
    InteractionSid, "KD", Placeholder
);
sid!(
    /// A channel of an interaction.
    InteractionChannelSid, "UO", Placeholder
);
sid!(
    /// A Proxy service.
    ProxyServiceSid, "KS", Valid
);
sid!(
    /// A Proxy session: it holds a customer's address to a channel.
    ProxySessionSid, "KC", Placeholder
);
sid!(
    /// A TaskRouter workspace.
    WorkspaceSid, "WS", Valid
);
sid!(
    /// A TaskRouter task.
    TaskSid, "WT", Valid
);
sid!(
    /// A TaskRouter TaskChannel: the kind of work that a worker's capacity is counted by.
    TaskChannelSid, "TC", Valid
);

sid!(
    /// A TaskRouter queue of tasks.
    TaskQueueSid, "WQ", Valid
);

sid!(
    /// A TaskRouter workflow.
    WorkflowSid, "WW", Valid
);
sid!(
    /// A participant of an interaction channel.
    InteractionParticipantSid, "UT", Valid
);
sid!(
    /// A worker of TaskRouter.
    WorkerSid, "WK", Valid
);
sid!(
    /// A Flex Flow: what becomes of a message for which no Chat channel is open.
    FlexFlowSid, "FO", Valid
);
sid!(
    /// A flow of Studio.
    StudioFlowSid, "FW", Valid
);
sid!(
    /// A phone number of the account.
    PhoneNumberSid, "PN", Valid
);
sid!(
    /// The configuration of an address of Conversations.
    AddressSid, "IG", Valid
);
sid!(
    /// A messaging service.
    MessagingServiceSid, "MG", Valid
);
sid!(
    /// A user of a chat service: one identity.
    UserSid, "US", Valid
);
sid!(
    /// A sink of Event Streams.
    SinkSid, "DG", Valid
);
sid!(
    /// A subscription of Event Streams.
    SubscriptionSid, "DF", Valid
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_that_exists_is_valid_and_shows_itself_as_written() {
        let text = "CH0123456789abcdefABCDEF0123456789";
        let sid: ChannelSid = text.parse().unwrap();
        assert_eq!(sid.to_string(), text);
        assert_eq!(format!("{sid:?}"), text);
        assert_eq!(serde_json::to_string(&sid).unwrap(), format!("\"{text}\""));
        assert_eq!(
            serde_json::from_str::<ChannelSid>(&format!("\"{text}\"")).unwrap(),
            sid
        );
    }

    #[test]
    fn what_is_no_sid_is_refused_without_being_repeated() {
        for text in [
            "",
            "CH",
            "undefined",
            "UO0123456789abcdef0123456789abcdef",
            "ch0123456789abcdef0123456789abcdef",
            "CH0123456789abcdef0123456789abcde",
            "CH0123456789abcdef0123456789abcdef0",
            "CH0123456789abcdef0123456789abcdeg",
            "CH0123456789abcdef0123456789abcdé",
            "CH../../../../../../../../../../..",
        ] {
            let error = text.parse::<ChannelSid>().unwrap_err();
            assert_eq!(error, InvalidSid::Malformed { prefix: "CH" }, "{text}");
            assert!(text.len() < 3 || !error.to_string().contains(text));
        }
    }

    #[test]
    fn a_channel_of_zeros_is_a_placeholder_but_an_account_of_zeros_is_an_account() {
        let zeros = "0".repeat(32);
        assert_eq!(
            format!("CH{zeros}").parse::<ChannelSid>(),
            Err(InvalidSid::Placeholder { prefix: "CH" })
        );
        assert!(format!("AC{zeros}").parse::<AccountSid>().is_ok());
    }
}
