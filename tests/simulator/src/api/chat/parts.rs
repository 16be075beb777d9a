//! `chat.twilio.com/v2/Services/{IS}/Channels/{CH}/Messages` and `…/Webhooks`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use crate::api::page::{place, seconds};
use crate::state::chat::{Channel, Message};
use crate::state::conversations::conversation::Source;
use crate::state::sid::Sid;
use crate::state::webhooks::{ChannelWebhook, WebhookTarget};
use serde_json::{Value, json};

/// The largest pages: twilio_chat_v2.json.
const MAX_MESSAGES: usize = 100;
const MAX_WEBHOOKS: usize = 5;

const TARGET: [&str; 6] = [
    "Configuration.Url",
    "Configuration.Method",
    "Configuration.Filters",
    "Configuration.Triggers",
    "Configuration.FlowSid",
    "Configuration.RetryCount",
];

pub(crate) fn route(call: &mut Call<'_>, method: &str, channel: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["Messages"]) => messages(call, channel),
        ("POST", ["Messages"]) => write(call, channel),
        ("GET", ["Webhooks"]) => webhooks(call, channel),
        ("POST", ["Webhooks"]) => create_webhook(call, channel),
        ("DELETE", ["Webhooks", webhook]) => {
            call.bare()?;
            let sid = call.sid(webhook)?;
            call.state.remove_channel_webhook(channel, sid)?;
            Ok(Answer::nothing())
        }
        _ => Err(call.no_route()),
    }
}

fn messages(call: &Call<'_>, channel: Sid) -> Outcome {
    let (query, paging) = call.list(&["Order"], MAX_MESSAGES)?;
    let stored = call.state.channel_or_refuse(channel)?;
    let newest_first = query.parsed("Order", "asc or desc", |order| match order {
        "asc" => Some(false),
        "desc" => Some(true),
        _ => None,
    })?;
    let newest_first = newest_first.unwrap_or(false) && call.state.knobs.orders_messages;
    let mut entries: Vec<_> = stored.messages.iter().zip(1..).collect();
    if newest_first {
        entries.reverse();
    }
    let after = paging.after();
    let entries = entries
        .into_iter()
        .filter(|(_, at)| {
            after == 0
                || if newest_first {
                    *at < after
                } else {
                    *at > after
                }
        })
        .map(|(message, at)| (place(at), message_json(call, stored, message, at)));
    call.page("messages", &paging, entries)
}

fn write(call: &mut Call<'_>, channel: Sid) -> Outcome {
    let form = call.form(&[
        "From",
        "Attributes",
        "DateCreated",
        "DateUpdated",
        "LastUpdatedBy",
        "Body",
    ])?;
    let (author, attributes) = (
        form.get("From").unwrap_or("system"),
        form.get("Attributes").unwrap_or("{}"),
    );
    let message = call.state.write_message(
        channel,
        author,
        form.need("Body")?,
        attributes,
        Source::Api,
        call.webhooks,
    )?;
    show_message(call, channel, message).map(Answer::created)
}

fn show_message(call: &Call<'_>, channel: Sid, message: Sid) -> Result<Value, Failure> {
    let stored = call.state.channel_or_refuse(channel)?;
    let found = stored
        .messages
        .iter()
        .zip(1..)
        .find(|(one, _)| one.sid == message);
    found
        .map(|(message, at)| message_json(call, stored, message, at))
        .ok_or_else(|| call.no_route())
}

fn webhooks(call: &Call<'_>, channel: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_WEBHOOKS)?;
    let stored = call.state.channel_or_refuse(channel)?;
    let entries = stored
        .webhooks
        .iter()
        .zip(1..)
        .filter(|(_, at)| *at > paging.after());
    call.page(
        "webhooks",
        &paging,
        entries.map(|(webhook, at)| (place(at), webhook_json(call, stored, webhook))),
    )
}

fn create_webhook(call: &mut Call<'_>, channel: Sid) -> Outcome {
    let form = call.form(&[TARGET.as_slice(), &["Type"]].concat())?;
    let kinds = ["webhook", "trigger", "studio"];
    form.need("Type")?;
    let kind = form.parsed("Type", "webhook, trigger or studio", |kind| {
        kinds.into_iter().find(|known| *known == kind)
    })?;
    let target = target(&form, WebhookTarget::default())?;
    let webhook = call
        .state
        .add_channel_webhook(channel, kind.unwrap_or_default(), target)?;
    show_webhook(call, channel, webhook).map(Answer::created)
}

fn target(form: &Params, old: WebhookTarget) -> Result<WebhookTarget, Failure> {
    let many = |name: &str, old: Vec<String>| {
        let given: Vec<String> = form.all(name).map(str::to_owned).collect();
        if given.is_empty() { old } else { given }
    };
    let retries = form.parsed("Configuration.RetryCount", "0 to 3", |value| {
        value.parse().ok().filter(|count| (0..=3).contains(count))
    })?;
    Ok(WebhookTarget {
        url: form.text("Configuration.Url").or(old.url),
        method: form.text("Configuration.Method").or(old.method),
        filters: many("Configuration.Filters", old.filters),
        triggers: many("Configuration.Triggers", old.triggers),
        flow_sid: form.text("Configuration.FlowSid").or(old.flow_sid),
        retry_count: retries.or(old.retry_count),
    })
}

fn show_webhook(call: &Call<'_>, channel: Sid, webhook: Sid) -> Result<Value, Failure> {
    let stored = call.state.channel_or_refuse(channel)?;
    let found = stored.webhooks.iter().find(|one| one.sid == webhook);
    found
        .map(|webhook| webhook_json(call, stored, webhook))
        .ok_or_else(|| call.no_route())
}

fn message_json(call: &Call<'_>, channel: &Channel, message: &Message, at: u64) -> Value {
    json!({
        "sid": message.sid,
        "account_sid": call.state.account.sid,
        "attributes": message.attributes,
        "service_sid": channel.service,
        "to": channel.sid,
        "channel_sid": channel.sid,
        "date_created": seconds(message.created),
        "date_updated": seconds(message.created),
        "last_updated_by": null,
        "was_edited": false,
        "from": message.author,
        "body": message.body,
        "index": at - 1,
        "type": "text",
        "media": null,
        "url": call.url(format_args!("chat/v2/Services/{}/Channels/{}/Messages/{}", channel.service, channel.sid, message.sid)),
    })
}

fn webhook_json(call: &Call<'_>, channel: &Channel, webhook: &ChannelWebhook) -> Value {
    let target = &webhook.target;
    json!({
        "sid": webhook.sid,
        "account_sid": call.state.account.sid,
        "service_sid": channel.service,
        "channel_sid": channel.sid,
        "type": webhook.kind,
        "configuration": {
            "url": target.url,
            "method": target.method,
            "filters": target.filters,
            "triggers": target.triggers,
            "flow_sid": target.flow_sid,
            "retry_count": target.retry_count,
        },
        "date_created": seconds(webhook.created),
        "date_updated": seconds(webhook.updated),
        "url": call.url(format_args!("chat/v2/Services/{}/Channels/{}/Webhooks/{}", channel.service, channel.sid, webhook.sid)),
    })
}
