//! The subject of a request to Twilio.

use bytes::Bytes;
use http::Request;
use simulator::{Sid, State};
use world::WEBHOOK;

/// The subject of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The open tasks; those of these channels if it names any.
    Tasks(Vec<String>),
    /// One task.
    Task(String),
    /// Something of a channel is read.
    Read(Thing, String),
    /// Something of a channel is written to or deleted.
    Write(Thing, String),
    /// A task is moved.
    Move(String),
    /// A task is made on a channel, by TaskRouter or by an invite.
    NewTask(String),
    /// Our webhook for messages is added to a Chat channel, or a double of it is removed.
    Webhook(String),
    /// A Proxy session is ended.
    Session(String),
    /// A service is asked for.
    Service,
    /// TaskRouter's log of events.
    Log,
    /// The webhooks of a channel.
    Webhooks(String),
    /// The newest messages of a channel.
    Messages(String),
    /// The participants of a Conversation.
    Participants(String),
    /// Anything that no function writes to.
    Other,
}

/// The part of a channel that a request concerns; a conversation is called a channel as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    ChatChannel,
    InteractionChannel,
    Conversation,
}

impl Subject {
    pub(crate) fn of(request: &Request<Bytes>, state: &State) -> Self {
        let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
        let reads = request.method() == http::Method::GET;
        let owned = |text: &&str| (*text).to_owned();
        let (thing, channel) = match path.as_slice() {
            ["taskrouter", _, _, _, "Tasks"] if reads => {
                return Self::Tasks(channels_in(request.uri().query().unwrap_or_default()));
            }
            ["taskrouter", _, _, _, "Tasks"] => {
                let form = form_urlencoded::parse(request.body());
                let attributes = form.filter(|(name, _)| name == "Attributes");
                let named = attributes.flat_map(|(_, text)| channels_in(&text));
                return Self::NewTask(named.last().unwrap_or_default());
            }
            ["taskrouter", _, _, _, "Tasks", task] if reads => return Self::Task(owned(task)),
            ["taskrouter", _, _, _, "Tasks", task] => return Self::Move(owned(task)),
            ["chat", _, _, _, "Channels", channel, "Webhooks"] if !reads => {
                return Self::Webhook(owned(channel));
            }
            ["chat", _, _, _, "Channels", channel, "Webhooks", webhook]
                if request.method() == http::Method::DELETE
                    && !leads_elsewhere(state, channel, webhook) =>
            {
                return Self::Webhook(owned(channel));
            }
            ["proxy", _, _, _, "Sessions", session] if !reads => {
                return Self::Session(owned(session));
            }
            ["chat" | "conversations", _, "Services", _] if reads => return Self::Service,
            ["taskrouter", _, _, _, "Events"] if reads => return Self::Log,
            ["chat" | "conversations", _, _, _, _, channel, "Webhooks"] if reads => {
                return Self::Webhooks(owned(channel));
            }
            ["chat" | "conversations", _, _, _, _, channel, "Messages"] if reads => {
                return Self::Messages(owned(channel));
            }
            ["conversations", _, _, _, _, channel, "Participants"] if reads => {
                return Self::Participants(owned(channel));
            }
            ["chat", _, _, _, "Channels", channel] => (Thing::ChatChannel, owned(channel)),
            ["conversations", _, _, _, "Conversations", conversation] => {
                (Thing::Conversation, owned(conversation))
            }
            [
                "flex-api",
                _,
                "Interactions",
                _,
                "Channels",
                channel,
                "Invites",
            ] if !reads => {
                return conversation_of(channel, state).map_or(Self::Other, Self::NewTask);
            }
            ["flex-api", _, "Interactions", _, "Channels", channel] => {
                let Some(conversation) = conversation_of(channel, state) else {
                    return Self::Other;
                };
                (Thing::InteractionChannel, conversation)
            }
            _ => return Self::Other,
        };
        if reads {
            Self::Read(thing, channel)
        } else {
            Self::Write(thing, channel)
        }
    }

    /// Returns the kind under which the request is counted, and the SID that it concerns.
    pub(crate) fn counts_as(&self) -> (&'static str, &str) {
        match self {
            Self::Tasks(_) => ("lists", ""),
            Self::Task(task) => ("tasks", task),
            Self::Move(task) => ("moves", task),
            Self::NewTask(channel) => ("new tasks", channel),
            Self::Webhook(channel) => ("webhooks", channel),
            Self::Read(_, channel)
            | Self::Write(_, channel)
            | Self::Webhooks(channel)
            | Self::Messages(channel)
            | Self::Participants(channel) => ("channels", channel),
            Self::Session(session) => ("sessions", session),
            Self::Service => ("services", ""),
            Self::Log => ("logs", ""),
            Self::Other => ("others", ""),
        }
    }
}

/// Returns true if a webhook of a channel is one of others. One that is gone has no owner.
fn leads_elsewhere(state: &State, channel: &str, webhook: &str) -> bool {
    let Ok(channel) = channel.parse() else {
        return false;
    };
    let mut webhooks = state.webhooks_of(channel).unwrap_or_default().iter();
    let found = webhooks.find(|one| one.sid.as_str() == webhook);
    found.is_some_and(|one| one.target.url.as_deref() != Some(WEBHOOK))
}

/// Returns the conversation of an interaction channel.
fn conversation_of(channel: &str, state: &State) -> Option<String> {
    let found = state.interaction_channel(channel.parse().ok()?)?;
    Some(found.conversation?.to_string())
}

/// Returns the SIDs of channels that a query names.
fn channels_in(query: &str) -> Vec<String> {
    let places = query.match_indices("CH").map(|(at, _)| at);
    let sids = places.filter_map(|at| query.get(at..at + 34));
    sids.filter(|sid| sid.parse::<Sid>().is_ok())
        .map(str::to_owned)
        .collect()
}
