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

/// A resource that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {resource}: {why}")]
pub struct Unavailable {
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
    pub configuration: Result<FlexConfiguration, Unavailable>,
    /// The Chat and Conversations services that exist.
    pub chat_services: Result<BTreeSet<ChatServiceSid>, Unavailable>,
    /// The Flex Flows.
    pub flex_flows: Result<Vec<FlexFlow>, Unavailable>,
    /// The Proxy services.
    pub proxy_services: Result<Vec<ProxyService>, Unavailable>,
    /// The numbers in the pool of the project's Proxy service; none without one.
    pub pool: Result<BTreeSet<PhoneNumberSid>, Unavailable>,
    /// The workspace; none where Flex names none, or one that does not exist.
    pub workspace: Result<Option<Workspace>, Unavailable>,
    /// Its workflows.
    pub workflows: Result<BTreeSet<WorkflowSid>, Unavailable>,
    /// Its TaskChannels.
    pub task_channels: Result<Vec<TaskChannel>, Unavailable>,
    /// The capacities of its workers; empty without parking.
    pub capacities: Result<Capacities, Unavailable>,
    /// Its open tasks that are parked; empty with parking, where they are as they should be.
    pub parked: Result<Vec<TaskSid>, Unavailable>,
    /// Its tasks that are being wrapped up.
    pub wrap_ups: Result<Vec<WrapUp>, Unavailable>,
    /// The Studio flows that exist.
    pub studio_flows: Result<BTreeMap<StudioFlowSid, StudioFlow>, Unavailable>,
    /// The phone numbers.
    pub numbers: Result<Vec<PhoneNumber>, Unavailable>,
    /// The messaging services that numbers are in.
    pub messaging: Result<BTreeMap<PhoneNumberSid, MessagingService>, Unavailable>,
    /// The defaults of new conversations.
    pub defaults: Result<ConversationDefaults, Unavailable>,
    /// The addresses that make conversations.
    pub addresses: Result<Vec<Address>, Unavailable>,
    /// The sinks of Event Streams.
    pub sinks: Result<Vec<Sink>, Unavailable>,
    /// The subscriptions, each with its types.
    pub subscriptions:
        Result<BTreeMap<SubscriptionSid, (Subscription, Vec<SubscribedEvent>)>, Unavailable>,
    /// The types of events that there are.
    pub event_types: Result<Vec<EventType>, Unavailable>,
    /// The number of records in each list that have no valid SID, where there are any.
    pub unreadable: BTreeMap<&'static str, usize>,
}

/// Returns a resource, or why it could not be read.
pub(crate) fn available<T>(seen: &Result<T, Unavailable>) -> Result<&T, Unavailable> {
    seen.as_ref().map_err(Clone::clone)
}

impl Snapshot {
    /// Returns true if no resource at all could be read.
    pub(crate) fn read_nothing(&self) -> bool {
        self.failures().iter().all(Option::is_some)
    }

    /// Returns for each resource why it could not be read. Every field is named, so that a new
    /// one cannot be forgotten here.
    fn failures(&self) -> Vec<Option<&Unavailable>> {
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
    pub(crate) fn chat_service(&self) -> Result<Option<ChatServiceSid>, Unavailable> {
        Ok(available(&self.configuration)?.chat_service)
    }

    /// Returns the project's Chat service, if it exists.
    pub(crate) fn living_chat_service(&self) -> Result<Option<ChatServiceSid>, Unavailable> {
        let services = available(&self.chat_services)?;
        let named = self.chat_service()?;
        Ok(named.filter(|service| services.contains(service)))
    }

    /// Returns the Proxy service that is linked to the project's Chat service.
    pub(crate) fn linked_proxy(&self) -> Result<Option<ProxyServiceSid>, Unavailable> {
        let Some(chat_service) = self.chat_service()? else {
            return Ok(None);
        };
        let linked = |service: &&ProxyService| service.chat_service.target() == Some(chat_service);
        let services = available(&self.proxy_services)?;
        Ok(services.iter().find(linked).map(|service| service.sid))
    }
}
