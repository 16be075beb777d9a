//! `chat.twilio.com/v2`.

mod parts;
mod users;

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use crate::api::page::{place, seconds};
use crate::state::chat::{Channel, ChannelChange, ChannelType, ChatService};
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use serde_json::{Value, json};

/// The largest page: twilio_chat_v2.json.
const MAX_PAGE: usize = 100;

const CHANNEL: [&str; 5] = [
    "FriendlyName",
    "Attributes",
    "DateCreated",
    "DateUpdated",
    "CreatedBy",
];

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    let ["v2", "Services", rest @ ..] = path else {
        return Err(call.no_route());
    };
    match (method, rest) {
        (_, [service, rest @ ..]) => {
            let service = call.sid(service)?;
            if call.state.chat.services.get(service).is_none() {
                return Err(call.no_route());
            }
            of_service(call, method, service, rest)
        }
        _ => Err(call.no_route()),
    }
}

fn of_service(call: &mut Call<'_>, method: &str, service: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => {
            call.bare()?;
            show_service(call, service).map(Answer::ok)
        }
        ("GET", ["Channels"]) => channels(call, service),
        ("GET", ["Users"]) => users::users(call, service),
        ("POST", ["Channels"]) => create_channel(call, service),
        ("GET", ["Channels", name]) => {
            call.bare()?;
            let channel = find(call, service, name)?;
            show_channel(call, channel).map(Answer::ok)
        }
        ("POST", ["Channels", name]) => {
            let change = change(&call.form(&CHANNEL)?)?;
            let channel = find(call, service, name)?;
            call.state.update_channel(channel, call.webhooks, change)?;
            show_channel(call, channel).map(Answer::ok)
        }
        (_, ["Channels", name, rest @ ..]) if !rest.is_empty() => {
            let channel = find(call, service, name)?;
            parts::route(call, method, channel, rest)
        }
        ("DELETE", ["Channels", name]) => {
            call.bare()?;
            let channel = find(call, service, name)?;
            call.state.delete_channel(channel, call.webhooks)?;
            Ok(Answer::nothing())
        }
        _ => Err(call.no_route()),
    }
}

fn find(call: &Call<'_>, service: Sid, sid: &str) -> Result<Sid, Failure> {
    let channel = sid.parse().ok().and_then(|sid| call.state.channel(sid));
    let found = channel.filter(|channel| channel.service == service);
    found
        .map(|channel| channel.sid)
        .ok_or_else(|| Refusal::ChannelNotFound(sid.to_owned()).into())
}

fn channels(call: &Call<'_>, service: Sid) -> Outcome {
    let (query, paging) = call.list(&["Type"], MAX_PAGE)?;
    let mut types = Vec::new();
    for word in query.all("Type") {
        types.push(channel_type(word).ok_or_else(|| {
            Failure::invalid(format!("Type must be public or private, not {word:?}"))
        })?);
    }
    if types.is_empty() {
        types.push(ChannelType::Public);
    }
    let entries = call
        .state
        .chat
        .channels
        .after(paging.after())
        .filter(|(_, channel)| channel.service == service && types.contains(&channel.channel_type))
        .map(|(at, channel)| (place(at), channel_json(call, channel)));
    call.page("channels", &paging, entries)
}

fn create_channel(call: &mut Call<'_>, service: Sid) -> Outcome {
    let form = call.form(&[CHANNEL.as_slice(), &["Type"]].concat())?;
    let channel_type = form
        .parsed("Type", "public or private", channel_type)?
        .unwrap_or(ChannelType::Public);
    let channel = call
        .state
        .create_channel(service, channel_type, change(&form)?)?;
    show_channel(call, channel).map(Answer::created)
}

fn change(form: &Params) -> Result<ChannelChange, Failure> {
    Ok(ChannelChange {
        friendly_name: form.text("FriendlyName"),
        attributes: form.text("Attributes"),
        created_by: form.text("CreatedBy"),
        created: form.time("DateCreated")?,
        updated: form.time("DateUpdated")?,
    })
}

fn channel_type(word: &str) -> Option<ChannelType> {
    match word {
        "public" => Some(ChannelType::Public),
        "private" => Some(ChannelType::Private),
        _ => None,
    }
}

fn show_service(call: &Call<'_>, service: Sid) -> Result<Value, Failure> {
    let stored = call
        .state
        .chat
        .services
        .get(service)
        .ok_or_else(|| Refusal::absent(service))?;
    Ok(service_json(call, stored))
}

fn show_channel(call: &Call<'_>, channel: Sid) -> Result<Value, Failure> {
    Ok(channel_json(call, call.state.channel_or_refuse(channel)?))
}

fn service_json(call: &Call<'_>, service: &ChatService) -> Value {
    let url = call.url(format_args!("chat/v2/Services/{}", service.sid));
    json!({
        "sid": service.sid,
        "account_sid": call.state.account.sid,
        "friendly_name": service.friendly_name,
        "date_created": seconds(service.created),
        "date_updated": seconds(service.updated),
        "default_service_role_sid": null,
        "default_channel_role_sid": null,
        "default_channel_creator_role_sid": null,
        "read_status_enabled": true,
        "reachability_enabled": false,
        "typing_indicator_timeout": 5,
        "consumption_report_interval": 10,
        "limits": { "user_channels": 250, "channel_members": 100 },
        "pre_webhook_url": null,
        "post_webhook_url": service.post_webhook_url,
        "webhook_method": "POST",
        "webhook_filters": [],
        "pre_webhook_retry_count": 0,
        "post_webhook_retry_count": 0,
        "notifications": {},
        "media": { "size_limit_mb": 150, "compatibility_message": "Media messages are not supported by your client" },
        "links": {
            "channels": format!("{url}/Channels"),
            "users": format!("{url}/Users"),
            "roles": format!("{url}/Roles"),
            "bindings": format!("{url}/Bindings"),
        },
        "url": url,
    })
}

fn channel_json(call: &Call<'_>, channel: &Channel) -> Value {
    let url = call.url(format_args!(
        "chat/v2/Services/{}/Channels/{}",
        channel.service, channel.sid
    ));
    json!({
        "sid": channel.sid,
        "account_sid": call.state.account.sid,
        "service_sid": channel.service,
        "friendly_name": channel.friendly_name,
        "unique_name": null,
        "attributes": channel.attributes,
        "type": match channel.channel_type { ChannelType::Public => "public", ChannelType::Private => "private" },
        "date_created": seconds(channel.created),
        "date_updated": seconds(channel.updated),
        "created_by": channel.created_by,
        "members_count": channel.members.len(),
        "messages_count": channel.messages.len(),
        "links": {
            "members": format!("{url}/Members"),
            "messages": format!("{url}/Messages"),
            "invites": format!("{url}/Invites"),
            "webhooks": format!("{url}/Webhooks"),
            "last_message": Value::Null,
        },
        "url": url,
    })
}
