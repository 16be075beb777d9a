//! The ways by which messages still reach Programmable Chat.
//!
//! A message of a number reaches Chat only if the number's own message handler leads to a Proxy
//! service. A project that moved to Conversations keeps Flex Flows, a Proxy pool and Studio
//! flows that take no message any more; the rules about Chat do not apply to them.

use std::collections::BTreeSet;

use twilio::rest::setup::{Contact, FlexFlow, PhoneNumber};

use super::routes::Way;
use crate::snapshot::{Snapshot, Unavailable, available};

/// The part that a phone number has in Flex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A number of Programmable Chat.
    Chat,
    /// A number of Conversations.
    Conversations,
    /// Both: each message starts a chat and a conversation.
    Both,
    /// None.
    Neither,
}

/// Returns true if a number's own message handler is called: a messaging service takes the
/// messages of the numbers in it, unless it defers to their handlers.
pub(super) fn handles_messages(
    snapshot: &Snapshot,
    number: &PhoneNumber,
) -> Result<bool, Unavailable> {
    let service = available(&snapshot.messaging)?.get(&number.sid);
    Ok(service.is_none_or(|service| service.defers_to_number))
}

/// Returns the part that a number has in Flex.
///
/// A number of Conversations has an address configuration. The messages of a number of Chat go
/// to a Proxy service; or they went there once: the number is in the Proxy pool, an enabled Flex
/// Flow listens on it, and its handler was overwritten.
pub(super) fn role_of(snapshot: &Snapshot, number: &PhoneNumber) -> Result<Role, Unavailable> {
    let listens = |contact: Option<&Contact>| contact == Some(&number.contact);
    let way = Way::of(number.sms_url.as_deref(), snapshot.account);
    let leads_to_proxy = matches!(way, Way::Proxy(_));
    let served = available(&snapshot.flex_flows)?.iter().any(|flow| {
        flow.enabled && flow.channel_type == "sms" && listens(flow.contact_identity.as_ref())
    });
    let pooled = || available(&snapshot.pool).map(|pool| pool.contains(&number.sid));
    let mut addresses = available(&snapshot.addresses)?.iter();
    let address = addresses.find(|one| one.kind == "sms" && listens(one.contact.as_ref()));
    let makes_conversations = address.is_some_and(|one| one.auto_creation.enabled);
    Ok(match (address.is_some(), leads_to_proxy) {
        (true, true) if makes_conversations => {
            let is_called =
                number.sms_application_sid.is_none() && handles_messages(snapshot, number)?;
            if is_called && (served || pooled()?) {
                Role::Both
            } else {
                Role::Conversations
            }
        }
        (true, false) => Role::Conversations,
        (_, true) => Role::Chat,
        (false, false) if served && pooled()? => Role::Chat,
        (false, false) => Role::Neither,
    })
}

/// The addresses by which messages reach Programmable Chat.
pub(super) struct ChatEntries<'a> {
    owned: BTreeSet<&'a Contact>,
    numbers: BTreeSet<&'a Contact>,
    conversing: BTreeSet<&'a Contact>,
}

impl<'a> ChatEntries<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Result<Self, Unavailable> {
        let mut numbers = BTreeSet::new();
        let mut owned = BTreeSet::new();
        for number in available(&snapshot.numbers)? {
            owned.insert(&number.contact);
            if matches!(role_of(snapshot, number)?, Role::Chat | Role::Both) {
                numbers.insert(&number.contact);
            }
        }
        let addresses = available(&snapshot.addresses)?.iter();
        Ok(Self {
            owned,
            numbers,
            conversing: addresses
                .filter(|one| one.auto_creation.enabled)
                .filter_map(|one| one.contact.as_ref())
                .collect(),
        })
    }

    /// Returns true if the project still works with Chat: one of its numbers does, or no
    /// address makes conversations yet.
    pub(super) fn are_in_use(&self) -> bool {
        !self.numbers.is_empty() || self.conversing.is_empty()
    }

    /// Returns true if a message can arrive by this Flex Flow, were it enabled.
    pub(super) fn lead_to(&self, flow: &FlexFlow) -> bool {
        let Some(contact) = &flow.contact_identity else {
            // A web site names the Flex Flow itself.
            return self.are_in_use();
        };
        if flow.channel_type != "sms" {
            return !self.conversing.contains(contact);
        }
        // A short code is in no list of numbers.
        let is_short = !contact.expose().starts_with('+');
        self.numbers.contains(contact) || (is_short && !self.owned.contains(contact))
    }
}
