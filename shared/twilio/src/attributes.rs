//! A Chat channel's attributes: a JSON text of other people's, in which we change two values.
//!
//! Twilio replaces attributes as a whole and offers no compare-and-set, and Flex, its
//! plugins and the customer's own code keep things there that must survive: numbers beyond
//! a float, keys in their order, keys that occur twice. To read a text into values and write
//! them out again loses some of it, so nothing here does: the text is cut where our values
//! stand, and every other byte is copied.

use std::fmt;
use std::ops::Range;

use domain::ProxySessionSid;
use serde_json::value::RawValue;

use crate::json;
use crate::splice::{Change, Members, span_of, splice};

/// The attribute `status` of a channel whose chat is over (Twilio, error 80619; Flex UI 1.x).
pub const INACTIVE: &str = "INACTIVE";

/// Attributes that are not a JSON object. Nothing may be written over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("attributes are not a JSON object")]
pub struct NotAnObject;

/// The attributes of a channel, as written.
#[derive(Clone, PartialEq, Eq)]
pub struct Attributes {
    text: String,
    status: Member,
    long_lived: Member,
    proxy_session: Option<ProxySessionSid>,
    /// Where the closing brace stands.
    end: usize,
    /// True if a comma has to go before what is added there.
    members: Members,
}

/// Where the values of one key stand, in their order, and whether the last of them says what
/// we ask for: `INACTIVE`, or long-lived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Member {
    spans: Vec<Range<usize>>,
    says_so: bool,
}

impl Attributes {
    /// Reads the few attributes that matter and remembers where they stand.
    ///
    /// # Errors
    ///
    /// Fails if the text is not a JSON object.
    pub fn parse(text: &str) -> Result<Self, NotAnObject> {
        let mut attributes = Self {
            text: text.to_owned(),
            status: Member::default(),
            long_lived: Member::default(),
            proxy_session: None,
            end: text.rfind('}').ok_or(NotAnObject)?,
            members: Members::None,
        };
        json::each_member(text, |key, value| {
            attributes.members = Members::Some;
            if json::is_named(key, "status") {
                attributes.status.take(text, value, says_inactive(value));
            } else if json::is_named(key, "long_lived") {
                attributes.long_lived.take(text, value, says_true(value));
            } else if json::is_named(key, "proxySession") {
                attributes.proxy_session = json::parsed(Some(value));
            }
        })
        .map_err(|_| NotAnObject)?;
        Ok(attributes)
    }

    /// The text, to be sent to Twilio and nowhere else.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if `status` is [`INACTIVE`].
    pub fn is_inactive(&self) -> bool {
        self.status.says_so
    }

    /// Returns true if `long_lived` is true.
    pub fn is_long_lived(&self) -> bool {
        self.long_lived.says_so
    }

    /// The Proxy session that holds the customer's address to the channel.
    pub fn proxy_session(&self) -> Option<ProxySessionSid> {
        self.proxy_session
    }

    /// The text with `status` set to [`INACTIVE`] and nothing else changed.
    pub fn with_status_inactive(&self) -> String {
        self.with(&[("status", "\"INACTIVE\"", &self.status)])
    }

    /// The text with `status` set to `ACTIVE` and nothing else changed.
    pub fn with_status_active(&self) -> String {
        self.with(&[("status", "\"ACTIVE\"", &self.status)])
    }

    /// The text with `long_lived` false and `status` [`INACTIVE`] and nothing else changed.
    pub fn with_reset(&self) -> String {
        self.with(&[
            ("long_lived", "false", &self.long_lived),
            ("status", "\"INACTIVE\"", &self.status),
        ])
    }

    fn with(&self, changes: &[(&str, &str, &Member)]) -> String {
        let changes: Vec<_> = changes
            .iter()
            .map(|(key, value, member)| Change {
                key,
                value,
                spans: &member.spans,
            })
            .collect();
        splice(&self.text, self.end, self.members, &changes)
    }
}

/// Shows what was read and not the text, which holds customers' names and numbers.
impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attributes")
            .field("bytes", &self.text.len())
            .field("inactive", &self.is_inactive())
            .field("long_lived", &self.is_long_lived())
            .field("proxy_session", &self.proxy_session)
            .finish_non_exhaustive()
    }
}

impl Member {
    fn take(&mut self, text: &str, value: &RawValue, says_so: bool) {
        self.spans.push(span_of(text, value));
        self.says_so = says_so;
    }
}

fn says_inactive(value: &RawValue) -> bool {
    json::text(value).is_some_and(|text| text == INACTIVE)
}

/// Flex writes a boolean. The author of the text "true" meant a long-lived channel as well,
/// and taking it for one is the patient choice.
fn says_true(value: &RawValue) -> bool {
    value.get() == "true" || json::text(value).is_some_and(|text| text == "true")
}
