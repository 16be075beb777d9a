//! `…/Conversations/{CH}/Participants` and `…/Messages`, and `conversations.twilio.com/v1/ParticipantConversations`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::conversations::Scope;
use crate::api::page::{place, seconds};
use crate::state::chat::Webhooks;
use crate::state::conversations::conversation::{
    Conversation, Line, NewParticipant, Participant, Source,
};
use crate::state::sid::Sid;
use crate::state::webhooks::ChannelWebhook;
use serde_json::{Value, json};

/// The largest page: twilio_conversations_v1.json.
const MAX_PAGE: usize = 100;
/// The largest page of the webhooks of one conversation.
const MAX_WEBHOOKS: usize = 5;

pub(crate) fn route(
    call: &mut Call<'_>,
    method: &str,
    scope: &Scope,
    conversation: Sid,
    path: &[&str],
) -> Outcome {
    match (method, path) {
        ("GET", ["Participants"]) => participants(call, scope, conversation),
        ("POST", ["Participants"]) => join(call, scope, conversation),
        ("GET", ["Webhooks"]) => webhooks(call, scope, conversation),
        ("GET", ["Messages"]) => messages(call, scope, conversation),
        ("POST", ["Messages"]) => say(call, scope, conversation),
        _ => Err(call.no_route()),
    }
}

fn stored<'c>(call: &'c Call<'_>, conversation: Sid) -> Result<&'c Conversation, Failure> {
    call.state
        .conversation(conversation)
        .ok_or_else(|| call.no_route())
}

fn participants(call: &Call<'_>, scope: &Scope, conversation: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = stored(call, conversation)?
        .participants
        .iter()
        .zip(1..)
        .filter(|(_, at)| *at > paging.after());
    let entries =
        entries.map(|(one, at)| (place(at), participant_json(call, scope, conversation, one)));
    call.page("participants", &paging, entries)
}

fn webhooks(call: &Call<'_>, scope: &Scope, conversation: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_WEBHOOKS)?;
    let webhooks = stored(call, conversation)?.webhooks.iter().zip(1..);
    let entries = webhooks
        .filter(|(_, at)| *at > paging.after())
        .map(|(webhook, at)| (place(at), webhook_json(call, scope, conversation, webhook)));
    call.page("webhooks", &paging, entries)
}

fn webhook_json(
    call: &Call<'_>,
    scope: &Scope,
    conversation: Sid,
    webhook: &ChannelWebhook,
) -> Value {
    let target = &webhook.target;
    let configuration = match &target.flow_sid {
        Some(flow) => json!({ "flow_sid": flow }),
        None => json!({
            "url": target.url,
            "method": target.method,
            "filters": target.filters,
            "triggers": target.triggers,
        }),
    };
    json!({
        "sid": webhook.sid,
        "account_sid": call.state.account.sid,
        "conversation_sid": conversation,
        "target": webhook.kind,
        "configuration": configuration,
        "date_created": seconds(webhook.created),
        "date_updated": seconds(webhook.updated),
        "url": call.url(format_args!(
            "{}/Conversations/{conversation}/Webhooks/{}",
            scope.prefix, webhook.sid
        )),
    })
}

fn join(call: &mut Call<'_>, scope: &Scope, conversation: Sid) -> Outcome {
    let form = call.form(&[
        "Identity",
        "MessagingBinding.Address",
        "MessagingBinding.ProxyAddress",
        "DateCreated",
        "DateUpdated",
        "Attributes",
        "RoleSid",
    ])?;
    let given = NewParticipant {
        identity: form.text("Identity"),
        address: form.text("MessagingBinding.Address"),
        proxy_address: form.text("MessagingBinding.ProxyAddress"),
        attributes: form.text("Attributes"),
    };
    let participant = call.state.add_participant(conversation, given)?;
    show_participant(call, scope, conversation, participant.as_str()).map(Answer::created)
}

fn show_participant(
    call: &Call<'_>,
    scope: &Scope,
    conversation: Sid,
    name: &str,
) -> Result<Value, Failure> {
    let named = |one: &&Participant| one.sid == name || one.identity.as_deref() == Some(name);
    let found = stored(call, conversation)?.participants.iter().find(named);
    found
        .map(|one| participant_json(call, scope, conversation, one))
        .ok_or_else(|| call.no_route())
}

fn messages(call: &Call<'_>, scope: &Scope, conversation: Sid) -> Outcome {
    let (query, paging) = call.list(&["Order"], MAX_PAGE)?;
    let newest_first = query.parsed("Order", "asc or desc", |order| {
        ["asc", "desc"].iter().position(|known| *known == order)
    })? == Some(1);
    let newest_first = newest_first && call.state.knobs.orders_messages;
    let mut lines: Vec<(&Line, u64)> = stored(call, conversation)?
        .messages
        .iter()
        .zip(1..)
        .collect();
    if newest_first {
        lines.reverse();
    }
    let after = paging.after();
    let entries = lines.into_iter().filter(|(_, at)| {
        after == 0
            || if newest_first {
                *at < after
            } else {
                *at > after
            }
    });
    call.page(
        "messages",
        &paging,
        entries.map(|(line, at)| (place(at), line_json(call, scope, conversation, line))),
    )
}

fn say(call: &mut Call<'_>, scope: &Scope, conversation: Sid) -> Outcome {
    let form = call.form(&["Author", "Body", "DateCreated", "DateUpdated", "Attributes"])?;
    let (author, attributes) = (
        form.get("Author").unwrap_or("system"),
        form.get("Attributes").unwrap_or("{}"),
    );
    let message = call.state.say(
        conversation,
        author,
        form.need("Body")?,
        attributes,
        Source::Api,
    )?;
    if call.webhooks == Webhooks::Enabled {
        call.state.call_webhooks(conversation, message, Source::Api);
    }
    show_message(call, scope, conversation, message).map(Answer::created)
}

fn show_message(
    call: &Call<'_>,
    scope: &Scope,
    conversation: Sid,
    message: Sid,
) -> Result<Value, Failure> {
    let found = stored(call, conversation)?
        .messages
        .iter()
        .find(|line| line.sid == message);
    found
        .map(|line| line_json(call, scope, conversation, line))
        .ok_or_else(|| call.no_route())
}

fn binding_json(participant: &Participant) -> Value {
    match (&participant.address, &participant.proxy_address) {
        (Some(address), proxy) => {
            let kind = address.split_once(':').map_or("sms", |(kind, _)| kind);
            json!({ "type": kind, "address": address, "proxy_address": proxy })
        }
        (None, _) => Value::Null,
    }
}

fn participant_json(
    call: &Call<'_>,
    scope: &Scope,
    conversation: Sid,
    participant: &Participant,
) -> Value {
    let url = call.url(format_args!(
        "{}/Conversations/{conversation}/Participants/{}",
        scope.prefix, participant.sid
    ));
    json!({
        "account_sid": call.state.account.sid,
        "conversation_sid": conversation,
        "sid": participant.sid,
        "identity": participant.identity,
        "attributes": participant.attributes,
        "messaging_binding": binding_json(participant),
        "role_sid": null,
        "date_created": seconds(participant.created),
        "date_updated": seconds(participant.created),
        "last_read_message_index": null,
        "last_read_timestamp": null,
        "url": url,
    })
}

fn line_json(call: &Call<'_>, scope: &Scope, conversation: Sid, line: &Line) -> Value {
    let url = call.url(format_args!(
        "{}/Conversations/{conversation}/Messages/{}",
        scope.prefix, line.sid
    ));
    json!({
        "account_sid": call.state.account.sid,
        "conversation_sid": conversation,
        "sid": line.sid,
        "index": line.index,
        "author": line.author,
        "body": line.body,
        "media": null,
        "attributes": line.attributes,
        "participant_sid": line.participant,
        "date_created": seconds(line.created),
        "date_updated": seconds(line.created),
        "delivery": null,
        "content_sid": null,
        "links": { "delivery_receipts": format!("{url}/Receipts"), "channel_metadata": format!("{url}/ChannelMetadata") },
        "url": url,
    })
}
