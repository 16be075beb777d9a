//! `conversations.twilio.com/v1`, both under the default service and under a named one.

mod parts;

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use crate::api::page::{maybe, place, seconds};
use crate::api::setup::addresses;
use crate::state::chat::ChatService;
use crate::state::clock::later;
use crate::state::conversations::conversation::{
    Conversation, ConversationChange, ConversationState, Timer,
};
use crate::state::sid::Sid;
use serde_json::{Value, json};

/// The largest page: twilio_conversations_v1.json.
const MAX_PAGE: usize = 100;

const CONVERSATION: [&str; 10] = [
    "FriendlyName",
    "DateCreated",
    "DateUpdated",
    "MessagingServiceSid",
    "Attributes",
    "State",
    "Timers.Inactive",
    "Timers.Closed",
    "Bindings.Email.Address",
    "Bindings.Email.Name",
];

/// Says in which service a conversation was asked for, and with which path its links begin.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) service: Sid,
    pub(crate) prefix: String,
}

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["v1", "Configuration"]) => {
            call.bare()?;
            Ok(Answer::ok(configuration_json(call)))
        }
        ("POST", ["v1", "Configuration"]) => configure(call),
        (_, ["v1", "Configuration", "Addresses", rest @ ..]) => {
            addresses::route(call, method, rest)
        }
        (_, ["v1", "Conversations", rest @ ..]) => {
            let service = call
                .state
                .default_conversation_service()
                .ok_or_else(|| call.no_route())?;
            in_scope(
                call,
                method,
                &Scope {
                    service,
                    prefix: "conversations/v1".to_owned(),
                },
                rest,
            )
        }
        ("GET", ["v1", "Services"]) => {
            let (_, paging) = call.list(&[], MAX_PAGE)?;
            let services = call.state.chat.services.after(paging.after());
            let entries = services.map(|(at, one)| (place(at), service_json(call, one)));
            call.page("services", &paging, entries)
        }
        ("GET", ["v1", "Services", service]) => {
            call.bare()?;
            let sid = call.sid(service)?;
            let service = call.state.chat.services.get(sid);
            let service = service.ok_or_else(|| call.no_route())?;
            Ok(Answer::ok(service_json(call, service)))
        }
        (_, ["v1", "Services", service, "Conversations", rest @ ..]) => {
            let service = call.sid(service)?;
            call.state
                .chat
                .services
                .get(service)
                .ok_or_else(|| call.no_route())?;
            in_scope(
                call,
                method,
                &Scope {
                    service,
                    prefix: format!("conversations/v1/Services/{service}"),
                },
                rest,
            )
        }
        _ => Err(call.no_route()),
    }
}

fn service_json(call: &Call<'_>, service: &ChatService) -> Value {
    let url = call.url(format_args!("conversations/v1/Services/{}", service.sid));
    json!({
        "sid": service.sid,
        "account_sid": call.state.account.sid,
        "friendly_name": service.friendly_name,
        "date_created": seconds(service.created),
        "date_updated": seconds(service.updated),
        "url": url,
        "links": {
            "conversations": format!("{url}/Conversations"),
            "users": format!("{url}/Users"),
            "roles": format!("{url}/Roles"),
            "bindings": format!("{url}/Bindings"),
            "configuration": format!("{url}/Configuration"),
            "participant_conversations": format!("{url}/ParticipantConversations"),
        },
    })
}

fn in_scope(call: &mut Call<'_>, method: &str, scope: &Scope, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => list(call, scope),
        ("POST", []) => {
            let change = change(&call.form(&CONVERSATION)?)?;
            let conversation = call.state.create_conversation(scope.service, change)?;
            show(call, scope, conversation).map(Answer::created)
        }
        (_, [sid, rest @ ..]) => {
            let found = sid
                .parse()
                .ok()
                .and_then(|sid| call.state.conversation(sid));
            let found = found.filter(|found| found.service == scope.service);
            let conversation = found.ok_or_else(|| call.no_route())?.sid;
            if rest.is_empty() {
                of_conversation(call, method, scope, conversation)
            } else {
                parts::route(call, method, scope, conversation, rest)
            }
        }
        _ => Err(call.no_route()),
    }
}

fn of_conversation(call: &mut Call<'_>, method: &str, scope: &Scope, conversation: Sid) -> Outcome {
    match method {
        "GET" => call.bare()?,
        "POST" => {
            let change = change(&call.form(&CONVERSATION)?)?;
            call.state.update_conversation(conversation, change)?;
        }
        "DELETE" => {
            call.bare()?;
            call.state.delete_conversation(conversation)?;
            return Ok(Answer::nothing());
        }
        _ => return Err(call.no_route()),
    }
    show(call, scope, conversation).map(Answer::ok)
}

fn list(call: &Call<'_>, scope: &Scope) -> Outcome {
    let (query, paging) = call.list(&["StartDate", "EndDate", "State"], MAX_PAGE)?;
    let state = query.parsed(
        "State",
        "active, inactive or closed",
        ConversationState::parse,
    )?;
    // Whole days, as the API describes them; a time behind the day is not looked at.
    let day = |text: &str| text.get(..10)?.parse::<jiff::civil::Date>().ok();
    let (from, to) = (
        query.parsed("StartDate", "a date", day)?,
        query.parsed("EndDate", "a date", day)?,
    );
    let created = |stored: &Conversation| stored.created.to_zoned(jiff::tz::TimeZone::UTC).date();
    let entries = call
        .state
        .conversations
        .shelf
        .after(paging.after())
        .filter(|(_, stored)| stored.service == scope.service)
        .filter(|(_, stored)| state.is_none_or(|state| stored.state == state))
        .filter(|(_, stored)| {
            from.is_none_or(|from| created(stored) >= from)
                && to.is_none_or(|to| created(stored) <= to)
        })
        .map(|(at, stored)| (place(at), conversation_json(call, scope, stored)));
    call.page("conversations", &paging, entries)
}

fn change(form: &Params) -> Result<ConversationChange, Failure> {
    Ok(ConversationChange {
        friendly_name: form.text("FriendlyName"),
        messaging_service: form.text("MessagingServiceSid"),
        attributes: form.text("Attributes"),
        state: form.parsed(
            "State",
            "active, inactive or closed",
            ConversationState::parse,
        )?,
        to_inactive: form
            .get("Timers.Inactive")
            .map(Timer::to_inactive)
            .transpose()?,
        to_closed: form
            .get("Timers.Closed")
            .map(Timer::to_closed)
            .transpose()?,
        created: form.time("DateCreated")?,
        updated: form.time("DateUpdated")?,
    })
}

fn configure(call: &mut Call<'_>) -> Outcome {
    let form = call.form(&[
        "DefaultChatServiceSid",
        "DefaultMessagingServiceSid",
        "DefaultInactiveTimer",
        "DefaultClosedTimer",
    ])?;
    let service = form.sid("DefaultChatServiceSid")?;
    if let Some(service) = service
        && call.state.chat.services.get(service).is_none()
    {
        return Err(Failure::invalid(format!(
            "Chat service {service} does not exist"
        )));
    }
    let inactive = form
        .get("DefaultInactiveTimer")
        .map(Timer::to_inactive)
        .transpose()?;
    let closed = form
        .get("DefaultClosedTimer")
        .map(Timer::to_closed)
        .transpose()?;
    let defaults = &mut call.state.conversations.defaults;
    defaults.service = service.or(defaults.service);
    defaults.messaging_service = form
        .text("DefaultMessagingServiceSid")
        .or(defaults.messaging_service.take());
    defaults.to_inactive = inactive.unwrap_or(defaults.to_inactive.take());
    defaults.to_closed = closed.unwrap_or(defaults.to_closed.take());
    Ok(Answer::ok(configuration_json(call)))
}

fn show(call: &Call<'_>, scope: &Scope, conversation: Sid) -> Result<Value, Failure> {
    let stored = call
        .state
        .conversation(conversation)
        .ok_or_else(|| call.no_route())?;
    Ok(conversation_json(call, scope, stored))
}

fn configuration_json(call: &Call<'_>) -> Value {
    let defaults = &call.state.conversations.defaults;
    let url = call.url("conversations/v1/Configuration");
    json!({
        "account_sid": call.state.account.sid,
        "default_chat_service_sid": call.state.default_conversation_service(),
        "default_messaging_service_sid": defaults.messaging_service,
        "default_inactive_timer": defaults.to_inactive.as_ref().map(|timer| &timer.text),
        "default_closed_timer": defaults.to_closed.as_ref().map(|timer| &timer.text),
        "links": { "service": call.url("conversations/v1/Services"), "webhooks": format!("{url}/Webhooks") },
        "url": url,
    })
}

/// Renders the moments at which silence will change a conversation.
pub(crate) fn timers_json(stored: &Conversation) -> Value {
    let mut timers = serde_json::Map::new();
    let moment = |timer: &Option<Timer>| {
        maybe(
            timer
                .as_ref()
                .map(|timer| later(stored.active, timer.after)),
        )
    };
    if stored.to_inactive.is_some() && stored.state == ConversationState::Active {
        timers.insert("date_inactive".to_owned(), moment(&stored.to_inactive));
    }
    if stored.to_closed.is_some() && stored.state != ConversationState::Closed {
        timers.insert("date_closed".to_owned(), moment(&stored.to_closed));
    }
    Value::Object(timers)
}

fn conversation_json(call: &Call<'_>, scope: &Scope, stored: &Conversation) -> Value {
    let url = call.url(format_args!(
        "{}/Conversations/{}",
        scope.prefix, stored.sid
    ));
    json!({
        "account_sid": call.state.account.sid,
        "chat_service_sid": stored.service,
        "messaging_service_sid": stored.messaging_service,
        "sid": stored.sid,
        "friendly_name": stored.friendly_name,
        "unique_name": null,
        "attributes": stored.attributes,
        "state": stored.state.as_str(),
        "date_created": seconds(stored.created),
        "date_updated": seconds(stored.updated),
        "timers": timers_json(stored),
        "bindings": {},
        "links": {
            "participants": format!("{url}/Participants"),
            "messages": format!("{url}/Messages"),
            "webhooks": format!("{url}/Webhooks"),
        },
        "url": url,
    })
}
