//! Everything that the rules look at, fetched once.
//!
//! Each resource is there or says why not, so that missing rights on one of them silence the
//! rules that need it and no others. The rules see this value and nothing else; what they say
//! of it is as old as it is.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountSid, ChatServiceSid, PhoneNumberSid, ProxyServiceSid, StudioFlowSid, SubscriptionSid,
    WorkerSid, WorkflowSid,
};
use twilio::rest::setup::{
    Address, ConversationDefaults, EventType, FlexFlow, MessagingService, PhoneNumber,
    ProxyService, Sink, StudioFlow, SubscribedEvent, Subscription, TaskChannel, WorkerChannel,
    Workspace,
};
use twilio::rest::{FlexConfiguration, TwilioError};

/// A resource, or why it could not be looked at.
pub type Seen<T> = Result<T, Unseen>;

/// Why a resource could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot look at {resource}: {why}")]
pub struct Unseen {
    /// What it is.
    pub resource: &'static str,
    /// What Twilio said, or did not.
    pub why: TwilioError,
}

/// How a Flex project's messaging is set up.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Whose set-up it is.
    pub account: AccountSid,
    /// Where Flex keeps its things.
    pub configuration: Seen<FlexConfiguration>,
    /// The Chat and Conversations services that exist.
    pub chat_services: Seen<BTreeSet<ChatServiceSid>>,
    /// The Flex Flows.
    pub flex_flows: Seen<Vec<FlexFlow>>,
    /// The Proxy services.
    pub proxy_services: Seen<Vec<ProxyService>>,
    /// The numbers in the pool of the project's Proxy service; none without one.
    pub pool: Seen<BTreeSet<PhoneNumberSid>>,
    /// The workspace; none where Flex names none, or one that does not exist.
    pub workspace: Seen<Option<Workspace>>,
    /// Its workflows.
    pub workflows: Seen<BTreeSet<WorkflowSid>>,
    /// Its TaskChannels.
    pub task_channels: Seen<Vec<TaskChannel>>,
    /// How much its workers can take of each TaskChannel; empty without parking.
    pub capacities: Seen<BTreeMap<WorkerSid, Vec<WorkerChannel>>>,
    /// The Studio flows that exist.
    pub studio_flows: Seen<BTreeMap<StudioFlowSid, StudioFlow>>,
    /// The phone numbers.
    pub numbers: Seen<Vec<PhoneNumber>>,
    /// The messaging services that numbers are in.
    pub messaging: Seen<BTreeMap<PhoneNumberSid, MessagingService>>,
    /// What new conversations get if nobody says otherwise.
    pub defaults: Seen<ConversationDefaults>,
    /// The addresses that make conversations.
    pub addresses: Seen<Vec<Address>>,
    /// The sinks of Event Streams.
    pub sinks: Seen<Vec<Sink>>,
    /// The subscriptions, each with its types.
    pub subscriptions: Seen<BTreeMap<SubscriptionSid, (Subscription, Vec<SubscribedEvent>)>>,
    /// The types of events that there are.
    pub event_types: Seen<Vec<EventType>>,
    /// How many records of which list had no SID of their own that could be read.
    pub unreadable: BTreeMap<&'static str, usize>,
}

/// Looks at a resource: what it is, or why it could not be looked at.
pub(crate) fn see<T>(seen: &Seen<T>) -> Result<&T, Unseen> {
    seen.as_ref().map_err(Clone::clone)
}

impl Snapshot {
    /// What could not be looked at, each once.
    pub fn unseen(&self) -> Vec<&Unseen> {
        let mut unseen: Vec<&Unseen> = Vec::new();
        for one in self.failures().into_iter().flatten() {
            // What hangs on a resource is unseen for the same reason.
            if !unseen.iter().any(|known| known.resource == one.resource) {
                unseen.push(one);
            }
        }
        unseen
    }

    /// Whether nothing at all could be looked at.
    pub(crate) fn saw_nothing(&self) -> bool {
        self.failures().iter().all(Option::is_some)
    }

    fn failures(&self) -> [Option<&Unseen>; 17] {
        [
            self.configuration.as_ref().err(),
            self.chat_services.as_ref().err(),
            self.flex_flows.as_ref().err(),
            self.proxy_services.as_ref().err(),
            self.pool.as_ref().err(),
            self.workspace.as_ref().err(),
            self.workflows.as_ref().err(),
            self.task_channels.as_ref().err(),
            self.capacities.as_ref().err(),
            self.studio_flows.as_ref().err(),
            self.numbers.as_ref().err(),
            self.messaging.as_ref().err(),
            self.defaults.as_ref().err(),
            self.addresses.as_ref().err(),
            self.sinks.as_ref().err(),
            self.subscriptions.as_ref().err(),
            self.event_types.as_ref().err(),
        ]
    }

    /// The project's Chat service, if Flex names one.
    pub(crate) fn chat_service(&self) -> Result<Option<ChatServiceSid>, Unseen> {
        Ok(see(&self.configuration)?.chat_service)
    }

    /// The project's Chat service, if it exists.
    pub(crate) fn living_chat_service(&self) -> Result<Option<ChatServiceSid>, Unseen> {
        let services = see(&self.chat_services)?;
        let named = self.chat_service()?;
        Ok(named.filter(|service| services.contains(service)))
    }

    /// The Proxy service that is linked to the project's Chat service.
    pub(crate) fn linked_proxy(&self) -> Result<Option<ProxyServiceSid>, Unseen> {
        let Some(chat_service) = self.chat_service()? else {
            return Ok(None);
        };
        let linked = |service: &&ProxyService| service.chat_service.target() == Some(chat_service);
        let services = see(&self.proxy_services)?;
        Ok(services.iter().find(linked).map(|service| service.sid))
    }
}
