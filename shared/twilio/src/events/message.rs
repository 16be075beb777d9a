//! Messages: who wrote them, and who the agents are.
//!
//! Twilio does not say whether an author is a customer, an agent or a program, and the events of
//! Event Streams, of schema version 1 and 2 alike, have no `Source`. So:
//!
//! * An **agent** is known by the acceptance of a task. Agents write under the identity that
//!   their worker's `contact_uri` names; where there is none, under the worker's name.
//! * A **customer** is an author whose name is an address: a phone number, `whatsapp:…` and the
//!   like.
//! * A **program** writes as `system` (Twilio's own default) or as `Bot` (Flex's), or without
//!   being a participant of the Conversation. Its messages are not told.
//! * **Every other author** is a customer, as those of web chats are, unless an agent writes
//!   under that identity. To take a program for a customer brings a parked chat back for
//!   nothing; to take a customer for a program would leave one waiting.
//!
//! What is kept of an identity is a digest of it together with the channel's SID, so that it
//! says nothing on another channel. Flex writes an identity with all but letters and digits
//! escaped (`agent_40example_2Ecom`), and not everywhere: the digest is of the plain form.
//!
//! Fields: <https://www.twilio.com/docs/events/event-types/conversations/message>.

use domain::{
    AccountSid, Author, AuthorDigest, ChannelSid, Fact, FactKind, Pairs, Platform, TaskChannelSid,
    TaskSid, Timestamp, WorkerSid,
};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::outcome::{Element, Outcome, names_another, plain_id};
use super::{Ignored, Scope, Unreadable};
use crate::author::{Participation, is_address, is_of_network, is_program};
use crate::json;
use crate::when::{moment, moment_of};

/// The event of a message in a Chat channel.
const MESSAGE_SENT: &str = "onMessageSent";

/// The sources of messages that come from a customer's own network, in lower case. Only
/// webhooks name a source (<https://www.twilio.com/docs/conversations/conversations-webhooks>).
const NETWORKS: [&str; 6] = ["sms", "mms", "whatsapp", "messenger", "email", "rcs"];

/// A message, as far as it tells who wrote it.
struct Message<'a> {
    author: &'a str,
    source: &'a str,
    /// True if the author is a participant, as far as it is told: Chat does not say.
    by_participant: bool,
}

/// Reads the data of a Conversation's message, whose keys are in Pascal case.
pub(super) fn of_conversation(data: &str, time: Option<&RawValue>, scope: &Scope) -> Outcome {
    let names = [
        "AccountSid",
        "ConversationSid",
        "Author",
        "Source",
        "ParticipantSid",
        "Index",
        "DateCreated",
    ];
    let Ok(
        [
            account,
            channel,
            author,
            source,
            participant,
            index,
            created,
        ],
    ) = json::members(data, names)
    else {
        return Outcome::Rejected(Unreadable::NoPayload);
    };
    if is_anothers(scope.account, &[account]) {
        return Outcome::Ignored(Ignored::OtherAccount);
    }
    let Some(channel) = channel else {
        return Outcome::Ignored(Ignored::OtherType);
    };
    let Some(channel) = json::parsed(Some(channel)) else {
        return Outcome::Ignored(Ignored::NoChannel);
    };
    let author = author.and_then(json::text).unwrap_or_default();
    let source = source.and_then(json::text).unwrap_or_default();
    let message = Message {
        author: &author,
        source: &source,
        by_participant: participant
            .and_then(json::text)
            .is_some_and(|sid| !sid.is_empty()),
    };
    let at = [created, time].into_iter().flatten().find_map(moment);
    let index = index.and_then(|index| index.get().trim_matches('"').parse().ok());
    told(channel, Platform::Conversations, at, index, &message, scope)
}

/// Reads what a Chat channel's webhook sends.
pub(super) fn of_chat(form: &[(String, String)], scope: &Scope) -> Element {
    let field = |name: &str| {
        let mut fields = form.iter().filter(|(key, _)| key == name);
        fields.next_back().map(|(_, value)| value.as_str())
    };
    let anothers = |sid: &str| scope.account.is_some_and(|ours| ours.as_str() != sid);
    let channel: Option<ChannelSid> = field("ChannelSid").and_then(|sid| sid.parse().ok());
    let outcome = if field("EventType") != Some(MESSAGE_SENT) {
        Outcome::Ignored(Ignored::OtherType)
    } else if field("AccountSid").is_some_and(anothers) {
        Outcome::Ignored(Ignored::OtherAccount)
    } else if let Some(channel) = channel {
        let message = Message {
            author: field("From").unwrap_or_default(),
            source: field("Source").unwrap_or_default(),
            by_participant: true,
        };
        let at = field("DateCreated").and_then(moment_of);
        let index = field("Index").and_then(|index| index.parse().ok());
        told(channel, Platform::Chat, at, index, &message, scope)
    } else {
        Outcome::Ignored(Ignored::NoChannel)
    };
    Element {
        event_id: None,
        sid: plain_id(field("MessageSid")),
        outcome,
    }
}

fn is_anothers(ours: Option<AccountSid>, named: &[Option<&RawValue>]) -> bool {
    ours.is_some_and(|ours| names_another(ours.as_str(), named))
}

fn told(
    channel: ChannelSid,
    platform: Platform,
    at: Option<Timestamp>,
    index: Option<u32>,
    message: &Message<'_>,
    scope: &Scope,
) -> Outcome {
    let Some(author) = author(channel, message) else {
        return Outcome::Ignored(Ignored::NotFromPerson);
    };
    let Some(at) = at else {
        return Outcome::Rejected(Unreadable::NoTime);
    };
    let index = index.unwrap_or_default();
    let fact = || Fact {
        channel,
        platform,
        at,
        kind: FactKind::Message { author, index },
    };
    Outcome::Message((!scope.pairs.is_empty()).then(|| Box::new(fact())))
}

fn author(channel: ChannelSid, message: &Message<'_>) -> Option<Author> {
    let author = message.author.trim();
    let is_source = |source: &&str| message.source.eq_ignore_ascii_case(source);
    if NETWORKS.iter().any(is_source) || is_of_network(author) {
        return Some(Author::Customer);
    }
    // A customer by e-mail may be no participant. Programs do not use the SDK.
    let participation = match message.by_participant || is_address(author) || is_source(&"sdk") {
        true => Participation::Participant,
        false => Participation::Stranger,
    };
    (!is_program(author, participation))
        .then(|| Author::AuthorDigest(author_digest(channel, author)))
}

/// Returns the digest of a chat identity on a channel.
pub fn author_digest(channel: ChannelSid, identity: &str) -> AuthorDigest {
    let mut hasher = Sha256::new();
    hasher.update(channel.as_str());
    hasher.update(plain(identity));
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hasher.finalize());
    AuthorDigest::from_digest([a, b, c, d, e, f, g, h])
}

/// An identity without its `client:`, unescaped and in lower case.
fn plain(identity: &str) -> Vec<u8> {
    let identity = identity.trim();
    let identity = identity.strip_prefix("client:").unwrap_or(identity);
    let mut rest = identity.as_bytes();
    let mut plain = Vec::with_capacity(rest.len());
    while let Some((first, others)) = rest.split_first() {
        let escaped = others.split_at_checked(2).filter(|_| *first == b'_');
        let escaped = escaped.and_then(|(digits, after)| Some((hex::decode(digits).ok()?, after)));
        match escaped {
            Some((byte, after)) => {
                plain.extend(byte);
                rest = after;
            }
            None => {
                plain.push(*first);
                rest = others;
            }
        }
    }
    plain.make_ascii_lowercase();
    plain
}

/// The members of an acceptance that name its agent.
pub(super) struct Agent<'a> {
    pub(super) worker: Option<&'a RawValue>,
    pub(super) name: Option<&'a RawValue>,
    pub(super) attributes: Option<&'a RawValue>,
}

/// Reads from an acceptance under which identity its agent writes.
pub(super) fn accepted(channel: ChannelSid, task: TaskSid, agent: Agent<'_>) -> FactKind {
    let attributes = agent.attributes.and_then(json::object_text);
    let uri = attributes.as_deref().and_then(|text| {
        let [uri] = json::members(text, ["contact_uri"]).ok()?;
        json::text(uri?).map(|uri| uri.into_owned())
    });
    let name = || Some(json::text(agent.name?)?.into_owned());
    let identity = uri.filter(|uri| !uri.trim().is_empty()).or_else(name);
    let worker: Option<WorkerSid> = json::parsed(agent.worker);
    FactKind::Accepted {
        task,
        worker,
        identity: identity.map(|identity| author_digest(channel, &identity)),
    }
}

/// Reads where a task is, by its event. Without a version an event does not say which of two
/// placements is the newer one.
pub(super) fn placed(
    task: TaskSid,
    task_channel: Option<&RawValue>,
    version: Option<&RawValue>,
    pairs: &Pairs,
) -> Option<FactKind> {
    let task_channel: TaskChannelSid = json::parsed(task_channel)?;
    let version = version?.get().trim_matches('"').parse().ok()?;
    Some(FactKind::Placed {
        task,
        version,
        placement: pairs.placement(task_channel),
    })
}

/// Returns whether a task's attribute `inactive` says that it is parked: 1, or what people
/// write for it by hand.
pub(crate) fn says_inactive(value: &RawValue) -> bool {
    matches!(value.get(), "1" | "true" | "\"1\"" | "\"true\"")
}
