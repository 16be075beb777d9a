//! Conversations: their state, and its end.
//!
//! A conversation is `active` or `inactive`, between which messages and timers move it, and
//! in the end `closed`, from which nothing moves it again. For a moment after its making it
//! may be `initializing`, and then cannot be changed (Twilio, Conversations, "States and
//! timers").

use domain::{ChannelSid, ChatServiceSid, ConversationState, Timestamp};
use form_urlencoded::Serializer;

use super::chat::read_service;
use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;
use super::client::page::{Cursor, List, ListFailure, Page};
use crate::json;
use crate::when::{day, moment};

/// "Can't update conversation as it's in final closed state" (Twilio, error dictionary).
const ALREADY_CLOSED: u32 = 50377;

/// "Conversation in 'initializing' state may not be updated" (Twilio, error dictionary).
const INITIALIZING: u32 = 50386;

/// The most that a page may hold (Twilio, OpenAPI of Conversations).
const PAGE_SIZE: &str = "100";

/// A conversation as Twilio shows it, without what was said in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationSeen {
    /// The conversation.
    pub sid: ChannelSid,
    /// Its state.
    pub state: ConversationState,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it changed last.
    pub updated_at: Option<Timestamp>,
}

/// Twilio's answer to the closing of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateAnswer {
    /// It took the change, and this is the state that it shows.
    Now(ConversationState),
    /// It refuses, because the conversation was closed before (its error 50377).
    AlreadyClosed,
    /// It refuses, because it is still setting the conversation up (its error 50386).
    Initializing,
}

/// The states that a list may be narrowed to (Twilio, OpenAPI of Conversations).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFilter {
    /// Only those in use.
    Active,
    /// Only those that have been silent for a while.
    Inactive,
    /// Only those at their end.
    Closed,
}

/// Which conversations to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Those in this state, or in any.
    pub state: Option<StateFilter>,
    /// Those created on the day of this moment or later. Twilio takes whole days only.
    pub created_from: Option<Timestamp>,
    /// Those created on the day of this moment or earlier.
    pub created_to: Option<Timestamp>,
}

impl Client {
    /// Reads a conversation.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. A
    /// conversation that does not exist is [`TwilioError::Gone`].
    pub async fn conversation(
        &self,
        service: ChatServiceSid,
        conversation: ChannelSid,
    ) -> Result<ConversationSeen, TwilioError> {
        let call = Call::get(Product::Conversations, path_of(service, conversation));
        let read = |text: &str| read_this(text, service, conversation);
        let seen = self.ask(call, read).await?;
        self.conversation_services().insert(service);
        Ok(seen)
    }

    /// Deletes a conversation with all that was said in it, and lets Twilio's webhooks say so.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. A
    /// conversation that does not exist is [`TwilioError::Gone`].
    pub async fn delete_conversation(
        &self,
        service: ChatServiceSid,
        conversation: ChannelSid,
    ) -> Result<(), TwilioError> {
        let call = Call::delete(Product::Conversations, path_of(service, conversation));
        self.tell(call.with_webhooks()).await
    }

    /// Closes a conversation, for good, and lets Twilio's webhooks say so. It is tried once:
    /// read the conversation again before the next try.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. It
    /// is not known then whether the conversation was closed.
    pub async fn close_conversation(
        &self,
        service: ChatServiceSid,
        conversation: ChannelSid,
    ) -> Result<StateAnswer, TwilioError> {
        let path = path_of(service, conversation);
        let call = Call::post(Product::Conversations, path, &[("State", "closed")])
            .with_webhooks()
            .once();
        let read = |text: &str| read_this(text, service, conversation);
        match self.ask(call, read).await {
            Ok(seen) => Ok(StateAnswer::Now(seen.state)),
            Err(error) => match error.code() {
                Some(ALREADY_CLOSED) => Ok(StateAnswer::AlreadyClosed),
                Some(INITIALIZING) => Ok(StateAnswer::Initializing),
                _ => Err(error),
            },
        }
    }

    /// Makes sure that a service is there. It is asked for once: Twilio says the same of a
    /// conversation that is gone and of any conversation of a service that does not exist.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. A
    /// service that does not exist is [`TwilioError::Gone`].
    pub async fn conversation_service_exists(
        &self,
        service: ChatServiceSid,
    ) -> Result<(), TwilioError> {
        if self.conversation_services().contains(&service) {
            return Ok(());
        }
        let path = format!("/v1/Services/{service}");
        let call = Call::get(Product::Conversations, path);
        self.ask(call, |text| read_service(text, service)).await?;
        self.conversation_services().insert(service);
        Ok(())
    }

    /// Lists a page of a service's conversations: the first one, or the one at a cursor, which
    /// holds the filter that it began with.
    ///
    /// # Errors
    ///
    /// Fails if the cursor has expired or belongs to another list, or if Twilio refuses the call,
    /// asks to slow down, or gives no answer that can be used.
    pub async fn conversations(
        &self,
        service: ChatServiceSid,
        filter: ConversationFilter,
        after: Option<&Cursor>,
    ) -> Result<Page<ConversationSeen>, ListFailure> {
        let list = List {
            product: Product::Conversations,
            path: format!("/v1/Services/{service}/Conversations"),
            query: query_of(filter),
        };
        let read = |text: &str| read_conversation(text, service).into();
        self.entries(list, "conversations", after, read).await
    }
}

fn path_of(service: ChatServiceSid, conversation: ChannelSid) -> String {
    format!("/v1/Services/{service}/Conversations/{conversation}")
}

fn query_of(filter: ConversationFilter) -> String {
    let mut query = Serializer::new(String::new());
    if let Some(state) = filter.state {
        let name = match state {
            StateFilter::Active => "active",
            StateFilter::Inactive => "inactive",
            StateFilter::Closed => "closed",
        };
        query.append_pair("State", name);
    }
    // From the beginning of the one day to the end of the other: Twilio asks for just these
    // two ways of writing them.
    if let Some(from) = filter.created_from {
        query.append_pair("StartDate", &format!("{}T00:00:00Z", day(from)));
    }
    if let Some(to) = filter.created_to {
        query.append_pair("EndDate", &format!("{}T23:59:59Z", day(to)));
    }
    query.append_pair("PageSize", PAGE_SIZE).finish()
}

fn read_this(
    text: &str,
    service: ChatServiceSid,
    asked_for: ChannelSid,
) -> Option<ConversationSeen> {
    read_conversation(text, service).filter(|seen| seen.sid == asked_for)
}

/// Reads a conversation, unless it is another service's. One without a state is not one.
fn read_conversation(text: &str, of: ChatServiceSid) -> Option<ConversationSeen> {
    let names = [
        "sid",
        "chat_service_sid",
        "state",
        "date_created",
        "date_updated",
    ];
    let [sid, service, state, created, updated] = json::members(text, names).ok()?;
    if let Some(service) = service
        && json::parsed::<ChatServiceSid>(Some(service))? != of
    {
        return None;
    }
    Some(ConversationSeen {
        sid: json::parsed(sid)?,
        state: match json::text(state?)?.as_ref() {
            "active" => ConversationState::Active,
            "inactive" => ConversationState::Inactive,
            "closed" => ConversationState::Closed,
            "initializing" => ConversationState::Initializing,
            _ => ConversationState::Undocumented,
        },
        created_at: created.and_then(moment),
        updated_at: updated.and_then(moment),
    })
}
