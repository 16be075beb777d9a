//! Everything that the rules look at, fetched once.
//!
//! Each resource is there or says why not, so that missing rights on one of them skip the rules
//! that need it and no others. The rules see this value and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountSid, ChatServiceSid, PhoneNumberSid, ProxyServiceSid, StudioFlowSid, SubscriptionSid,
    TaskSid, Timestamp, WorkerSid, WorkflowSid,
};
use twilio::rest::setup::{
    Address, ConversationDefaults, EventType, FlexFlow, MessagingService, PhoneNumber,
    ProxyService, Sink, StudioFlow, SubscribedEvent, Subscription, TaskChannel, WorkerChannel,
    Workspace, WrapUp,
};
use twilio::rest::{FlexConfiguration, TwilioError};

/// The name of the list of the workers' capacities.
pub(crate) const CAPACITIES: &str = "the workers' capacities";

/// A resource, or why it could not be read.
pub type Seen<T> = Result<T, Unseen>;

/// A resource that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {resource}: {why}")]
pub struct Unseen {
    /// Its name.
    pub resource: &'static str,
    /// The error that Twilio's answer, or its absence, came to.
    pub why: TwilioError,
}

/// The workers' capacities, as far as they were read.
#[derive(Clone, Debug, Default)]
pub struct Capacities {
    /// The capacities of each worker on the TaskChannels.
    pub by_worker: BTreeMap<WorkerSid, Vec<WorkerChannel>>,
    /// The number of workers whose capacities were not read, because there are too many.
    pub not_read: usize,
}

/// The set-up of a Flex project's messaging.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The time at which it was fetched.
    pub at: Timestamp,
    /// The account.
    pub account: AccountSid,
    /// The Flex configuration: where Flex keeps its things.
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
    /// The capacities of its workers; empty without parking.
    pub capacities: Seen<Capacities>,
    /// Its open tasks that are parked; empty with parking, where they are as they should be.
    pub parked: Seen<Vec<TaskSid>>,
    /// Its tasks that are being wrapped up.
    pub wrap_ups: Seen<Vec<WrapUp>>,
    /// The Studio flows that exist.
    pub studio_flows: Seen<BTreeMap<StudioFlowSid, StudioFlow>>,
    /// The phone numbers.
    pub numbers: Seen<Vec<PhoneNumber>>,
    /// The messaging services that numbers are in.
    pub messaging: Seen<BTreeMap<PhoneNumberSid, MessagingService>>,
    /// The defaults of new conversations.
    pub defaults: Seen<ConversationDefaults>,
    /// The addresses that make conversations.
    pub addresses: Seen<Vec<Address>>,
    /// The sinks of Event Streams.
    pub sinks: Seen<Vec<Sink>>,
    /// The subscriptions, each with its types.
    pub subscriptions: Seen<BTreeMap<SubscriptionSid, (Subscription, Vec<SubscribedEvent>)>>,
    /// The types of events that there are.
    pub event_types: Seen<Vec<EventType>>,
    /// The number of records in each list that have no valid SID, where there are any.
    pub unreadable: BTreeMap<&'static str, usize>,
}

/// Returns a resource, or why it could not be read.
pub(crate) fn see<T>(seen: &Seen<T>) -> Result<&T, Unseen> {
    seen.as_ref().map_err(Clone::clone)
}

impl Snapshot {
    /// Returns true if no resource at all could be read.
    pub(crate) fn saw_nothing(&self) -> bool {
        self.failures().iter().all(Option::is_some)
    }

    /// Returns for each resource why it could not be read. Every field is named, so that a new
    /// one cannot be forgotten here.
    fn failures(&self) -> Vec<Option<&Unseen>> {
        let Self {
            at: _,
            account: _,
            configuration,
            chat_services,
            flex_flows,
            proxy_services,
            pool,
            workspace,
            workflows,
            task_channels,
            capacities,
            parked,
            wrap_ups,
            studio_flows,
            numbers,
            messaging,
            defaults,
            addresses,
            sinks,
            subscriptions,
            event_types,
            unreadable: _,
        } = self;
        vec![
            configuration.as_ref().err(),
            chat_services.as_ref().err(),
            flex_flows.as_ref().err(),
            proxy_services.as_ref().err(),
            pool.as_ref().err(),
            workspace.as_ref().err(),
            workflows.as_ref().err(),
            task_channels.as_ref().err(),
            capacities.as_ref().err(),
            parked.as_ref().err(),
            wrap_ups.as_ref().err(),
            studio_flows.as_ref().err(),
            numbers.as_ref().err(),
            messaging.as_ref().err(),
            defaults.as_ref().err(),
            addresses.as_ref().err(),
            sinks.as_ref().err(),
            subscriptions.as_ref().err(),
            event_types.as_ref().err(),
        ]
    }

    /// Returns the project's Chat service, if Flex names one.
    pub(crate) fn chat_service(&self) -> Result<Option<ChatServiceSid>, Unseen> {
        Ok(see(&self.configuration)?.chat_service)
    }

    /// Returns the project's Chat service, if it exists.
    pub(crate) fn living_chat_service(&self) -> Result<Option<ChatServiceSid>, Unseen> {
        let services = see(&self.chat_services)?;
        let named = self.chat_service()?;
        Ok(named.filter(|service| services.contains(service)))
    }

    /// Returns the Proxy service that is linked to the project's Chat service.
    pub(crate) fn linked_proxy(&self) -> Result<Option<ProxyServiceSid>, Unseen> {
        let Some(chat_service) = self.chat_service()? else {
            return Ok(None);
        };
        let linked = |service: &&ProxyService| service.chat_service.target() == Some(chat_service);
        let services = see(&self.proxy_services)?;
        Ok(services.iter().find(linked).map(|service| service.sid))
    }
}
