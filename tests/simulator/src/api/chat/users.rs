//! `chat.twilio.com/v2/Services/{IS}/Users`: one user for each identity that is in a channel or in a
//! Conversation.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::api::answer::Outcome;
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use crate::state::conversations::conversation::ConversationState;
use crate::state::sid::Sid;
use serde_json::{Value, json};

/// The largest page: twilio_chat_v2.json.
const MAX_PAGE: usize = 100;

pub(super) fn users(call: &Call<'_>, service: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let joined = joined_channels(call, service);
    let entries = joined
        .iter()
        .zip(1..)
        .filter(|(_, at)| *at > paging.after())
        .map(|((identity, count), at)| (place(at), user_json(call, service, identity, *count)));
    call.page("users", &paging, entries)
}

/// Counts for each identity the channels and the Conversations that are not closed. Whether
/// Twilio's figure counts those that are closed is one of its knobs.
fn joined_channels<'c>(call: &'c Call<'_>, service: Sid) -> BTreeMap<&'c str, usize> {
    let state = &call.state;
    let counts_closed = state.knobs.joined_channels_count_closed;
    let channels = state.chat.channels.values();
    let members = channels
        .filter(|channel| channel.service == service)
        .flat_map(|channel| channel.members.iter().map(String::as_str));
    let conversations = state.conversations.shelf.values();
    let participants = conversations
        .filter(|one| one.service == service)
        .filter(|one| counts_closed || one.state != ConversationState::Closed)
        .flat_map(|one| one.participants.iter())
        .filter_map(|participant| participant.identity.as_deref());
    let mut joined = BTreeMap::new();
    for identity in members.chain(participants) {
        *joined.entry(identity).or_default() += 1;
    }
    joined
}

fn user_json(call: &Call<'_>, service: Sid, identity: &str, joined: usize) -> Value {
    let mut digest = DefaultHasher::new();
    identity.hash(&mut digest);
    let sid = Sid::draw(b"US", &mut fastrand::Rng::with_seed(digest.finish()));
    let url = call.url(format_args!("chat/v2/Services/{service}/Users/{sid}"));
    let service_of = call.state.chat.services.get(service);
    let created = service_of.map_or(call.state.now, |service| service.created);
    json!({
        "sid": sid,
        "account_sid": call.state.account.sid,
        "service_sid": service,
        "attributes": "{}",
        "friendly_name": identity,
        "role_sid": null,
        "identity": identity,
        "is_online": null,
        "is_notifiable": null,
        "date_created": seconds(created),
        "date_updated": seconds(created),
        "joined_channels_count": joined,
        "links": { "user_channels": format!("{url}/Channels"), "user_bindings": format!("{url}/Bindings") },
        "url": url,
    })
}
