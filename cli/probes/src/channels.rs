//! Questions about Conversations, interaction channels, Chat channels and Proxy sessions.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::ChannelSid;
use serde_json::Value;
use twilio::author;
use twilio::rest::TwilioError;

use crate::answer::{Answer, Judged};
use crate::readings::{InteractionRead, Read, object, sid, text, time};
use crate::{Probe, Readings};

const NO_CONVERSATION: &str = "no Conversation is open";

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        id: "proxy/named-after-channel",
        beliefs: &["B20"],
        question: "Is each open Proxy session named after its Chat channel?",
        judge: named_after_channel,
    },
    Probe {
        id: "chat/newest-first",
        beliefs: &["B47"],
        question: "Does Order=desc list the messages of a Chat channel newest first?",
        judge: |readings| newest_first(readings.chat_messages.iter()),
    },
    Probe {
        id: "conversations/newest-first",
        beliefs: &["B47"],
        question: "Does Order=desc list the messages of a Conversation newest first?",
        judge: |readings| {
            let conversations = readings.conversations.as_ref()?;
            newest_first(conversations.iter().map(|one| &one.messages))
        },
    },
    Probe {
        id: "conversations/date-updated-stays",
        beliefs: &["B31"],
        question: "Does date_updated of a Conversation stay as it is when a message comes?",
        judge: date_updated_stays,
    },
    Probe {
        id: "channels/short-webhook-pages",
        beliefs: &["B22"],
        question: "Does a list of webhooks refuse a page of more than five?",
        judge: short_webhook_pages,
    },
    Probe {
        id: "channels/studio-webhook-stays",
        beliefs: &["B27"],
        question: "Does a Studio webhook stay after the flow has sent the channel to Flex?",
        judge: studio_webhook_stays,
    },
    Probe {
        id: "interactions/readable",
        beliefs: &["B50"],
        question: "Can interaction channels be read?",
        judge: interactions_readable,
    },
    Probe {
        id: "interactions/pause-keeps-task",
        beliefs: &["B24"],
        question: "Does Pause keep the task open?",
        judge: |readings| {
            let paused = with_status(readings, "pause").map(|one| one.task_is_open);
            let changes =
                "Pause ends the task; a paused Conversation is never written to in any case";
            Ok(Answer::of(paused, changes, "no Conversation is paused"))
        },
    },
    Probe {
        id: "interactions/leave-keeps-conversation",
        beliefs: &["B23"],
        question: "Does Leave keep the Conversation open?",
        judge: |readings| {
            let left = with_status(readings, "inactive").filter_map(is_open);
            let changes = "a Conversation that was left is closed already, and is left as it is";
            let nothing = "no agent left a Conversation in the last 30 days";
            Ok(Answer::of(left, changes, nothing))
        },
    },
    Probe {
        id: "interactions/end-closes-conversation",
        beliefs: &["B46"],
        question: "Does the end of an interaction channel close its Conversation?",
        judge: |readings| {
            let closed = with_status(readings, "closed").filter_map(is_open);
            let changes = "reconcile finds a Conversation that stayed open, and the sweep closes it by itself";
            let nothing = "no interaction channel was closed in the last 30 days";
            Ok(Answer::of(closed.map(|open| !open), changes, nothing))
        },
    },
    Probe {
        id: "participants/agents-by-e-mail",
        beliefs: &["B32"],
        question: "Is every worker's chat identity an escaped e-mail address?",
        judge: agents_by_e_mail,
    },
    Probe {
        id: "participants/web-visitors-unbound",
        beliefs: &["B33"],
        question: "Do the customers of web chats have an identity and no binding?",
        judge: web_visitors_unbound,
    },
    Probe {
        id: "participants/identities-are-workers",
        beliefs: &["B48"],
        question: "Beside a customer of a network, is every identity a worker's?",
        judge: identities_are_workers,
    },
];

fn named_after_channel(readings: &Readings) -> Judged {
    let sessions = readings.sessions.as_ref()?;
    let named = sessions
        .iter()
        .map(|session| sid::<ChannelSid>(session, "unique_name").is_some());
    let changes = "a session with another name is skipped and counted: a channel that only it holds open is not found";
    Ok(Answer::of(named, changes, "no Proxy session is open"))
}

fn newest_first<'a>(lists: impl Iterator<Item = &'a Read<Vec<Value>>>) -> Judged {
    let mut ordered = Vec::new();
    for list in lists {
        let index = |message: &Value| message.get("index").and_then(Value::as_u64);
        if let [first, second, ..] = list.as_ref()?.as_slice() {
            ordered.push(index(first) > index(second));
        }
    }
    let changes = "each list of messages is read to its end, and its newest message counts";
    let nothing = "no open channel has two messages";
    Ok(Answer::of(ordered, changes, nothing))
}

fn date_updated_stays(readings: &Readings) -> Judged {
    let conversations = readings.conversations.as_ref()?;
    let stays = conversations.iter().filter_map(|one| {
        let messages = one.messages.as_ref().ok()?;
        let newest = messages
            .iter()
            .filter_map(|it| time(it, "date_created"))
            .max()?;
        let updated = time(&one.seen, "date_updated")?;
        let created = time(&one.seen, "date_created")?;
        // Only a message that came after the Conversation was made tells anything.
        (newest.since(created) > Duration::from_secs(60))
            .then(|| newest.since(updated) > Duration::from_secs(1))
    });
    let changes = "nothing: date_updated is not used";
    let nothing = "no open Conversation has a message that came later than itself";
    Ok(Answer::of(stays, changes, nothing))
}

fn short_webhook_pages(readings: &Readings) -> Judged {
    let mut refused = Vec::new();
    for page in &readings.long_pages {
        match page {
            Ok(()) => refused.push(false),
            Err(TwilioError::Refused { status: 400, .. }) => refused.push(true),
            Err(error) => return Err(error.into()),
        }
    }
    let changes = "nothing: lists of webhooks are read five at a time, page by page";
    Ok(Answer::of(refused, changes, "no channel is open"))
}

fn studio_webhook_stays(readings: &Readings) -> Judged {
    let webhooks = readings.interactions.iter();
    let lists: Vec<&Vec<Value>> = webhooks
        .filter_map(|one| one.webhooks.as_ref().ok())
        .collect();
    let is_studio = |webhook: &Value| text(webhook, "target") == Some("studio");
    let stayed = lists.iter().filter(|list| list.iter().any(is_studio));
    let changes = "no such webhook stayed: it is not there to count";
    let nothing = "no task of a Conversation was found";
    Ok(match (lists.len(), stayed.count()) {
        (0, _) => Answer::no_data(nothing),
        (seen, 0) => Answer::Differs {
            seen,
            differing: seen,
            changes,
        },
        (_, seen) => Answer::AsExpected { seen },
    })
}

fn interactions_readable(readings: &Readings) -> Judged {
    let readable = readings
        .interactions
        .iter()
        .filter_map(|one| match one.channel {
            Ok(_) => Some(true),
            Err(TwilioError::Unauthorized { .. } | TwilioError::Refused { .. }) => Some(false),
            Err(_) => None,
        });
    let changes = "the sweep stops where a Conversation is due, and marks nothing";
    let nothing = "no task of an interaction was found";
    Ok(Answer::of(readable, changes, nothing))
}

fn with_status<'a>(
    readings: &'a Readings,
    status: &'static str,
) -> impl Iterator<Item = &'a InteractionRead> {
    readings.interactions.iter().filter(move |one| {
        let channel = one.channel.as_ref().ok();
        channel.and_then(|channel| text(channel, "status")) == Some(status)
    })
}

/// Returns whether the Conversation is open, if that is known.
fn is_open(one: &InteractionRead) -> Option<bool> {
    let state = text(one.conversation.as_ref().ok()?, "state")?;
    Some(state != "closed")
}

fn agents_by_e_mail(readings: &Readings) -> Judged {
    let workers = readings.router.workers.as_ref()?.iter().flatten();
    let identities = workers.filter_map(identity);
    let by_e_mail = identities.map(|identity| author::is_agent(&identity));
    let changes = "messages of the other agents count as a customer's: CustomerUnheard may be raised for them in vain";
    let nothing = "no worker has a chat identity, or there are more than 1,000";
    Ok(Answer::of(by_e_mail, changes, nothing))
}

fn web_visitors_unbound(readings: &Readings) -> Judged {
    let web = readings.interactions.iter().filter(|one| {
        let channel = one.channel.as_ref().ok();
        channel.and_then(|channel| text(channel, "type")) == Some("web")
    });
    let lists = web.filter_map(|one| one.participants.as_ref().ok());
    let unbound = lists
        .filter(|participants| !participants.is_empty())
        .map(|participants| !participants.iter().any(is_bound));
    let changes = "the participant with the binding is taken for the customer all the same";
    let nothing = "no web chat on Conversations was found";
    Ok(Answer::of(unbound, changes, nothing))
}

fn identities_are_workers(readings: &Readings) -> Judged {
    let Some(workers) = readings.router.workers.as_ref()? else {
        return Err(Answer::no_data("there are more than 1,000 workers"));
    };
    let workers: BTreeSet<String> = workers.iter().filter_map(identity).collect();
    let conversations = readings.conversations.as_ref()?.iter();
    let lists = conversations.map(|one| &one.participants);
    let lists = lists.chain(readings.interactions.iter().map(|one| &one.participants));
    let lists = lists.filter_map(|list| list.as_ref().ok());
    let identities = lists
        .filter(|participants| participants.iter().any(is_bound))
        .flatten()
        .filter_map(|participant| text(participant, "identity"))
        .filter(|identity| !identity.is_empty() && !identity.eq_ignore_ascii_case("system"));
    let are_workers = identities.map(|identity| workers.contains(identity));
    let changes = "such a participant counts as an agent: the Conversation is closed after QUIET_CUTOFF instead of ENDED_CUTOFF";
    Ok(Answer::of(are_workers, changes, NO_CONVERSATION))
}

/// Returns the identity under which a worker writes.
fn identity(worker: &Value) -> Option<String> {
    let attributes = object(worker, "attributes")?;
    let uri = text(&attributes, "contact_uri")?;
    Some(uri.strip_prefix("client:")?.to_owned())
}

fn is_bound(participant: &Value) -> bool {
    let binding = participant.get("messaging_binding");
    binding.is_some_and(|binding| text(binding, "address").is_some())
}
