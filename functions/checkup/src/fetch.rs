//! Fetches the snapshot: every list to its end, every Studio flow once, side by side within
//! the client's bound.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use domain::{
    AccountSid, ChatServiceSid, PhoneNumberSid, ProxyServiceSid, StudioFlowSid, SubscriptionSid,
    TaskSid, Timestamp, WorkflowSid, WorkspaceSid,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use twilio::rest::setup::{
    Address, ConversationDefaults, EventType, FlexFlow, Listed, MessagingService, PhoneNumber,
    ProxyService, Sink, StudioFlow, SubscribedEvent, Subscription, TaskChannel, Workspace, WrapUp,
};
use twilio::rest::{Client, FlexConfiguration, TwilioError};

use crate::expectations::Expectations;
use crate::snapshot::{CAPACITIES, Capacities, Snapshot, Unavailable, available};

/// The number of requests for the things of one list that are made side by side. The client
/// bounds those of all lists together.
const AT_ONCE: usize = 16;

/// The capacities of no more workers than these are read: each takes a request. At 150 ms a
/// request, ten at once, they take 15 seconds of a run that may take 300.
const MAX_WORKERS: usize = 1_000;

/// The subscriptions, each with its types.
type Subscriptions = BTreeMap<SubscriptionSid, (Subscription, Vec<SubscribedEvent>)>;

/// Counts the records that had to be left out of lists.
#[derive(Default)]
struct Unreadable(Mutex<BTreeMap<&'static str, usize>>);

impl Unreadable {
    fn items<T>(&self, resource: &'static str, listed: Listed<T>) -> Vec<T> {
        if listed.unreadable > 0 {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry(resource).or_default() += listed.unreadable;
        }
        listed.items
    }
}

impl Snapshot {
    /// Fetches the set-up of an account. It costs one request for each page of each list, one
    /// for each Studio flow and each messaging service, and, with parking, one for each of the
    /// first 1,000 workers.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the credentials altogether (status 401), because every other
    /// request would fail too. Every other failure is part of the snapshot.
    pub async fn fetch(
        client: &Client,
        account: AccountSid,
        wanted: &Expectations,
        now: Timestamp,
    ) -> Result<Self, TwilioError> {
        let configuration = client.flex_configuration().await;
        if let Err(error @ TwilioError::Unauthorized { status: 401, .. }) = configuration {
            return Err(error);
        }
        let configuration = configuration.map_err(|why| Unavailable {
            resource: "the Flex configuration",
            why,
        });
        let lost = Unreadable::default();
        let fetch = Fetch {
            client,
            lost: &lost,
        };
        let named = available(&configuration).map(|flex| flex.workspace);
        // The workspace that Flex works with is the one to be looked at.
        let workspace = match named {
            Ok(named) => Ok(named),
            Err(unavailable) => wanted.workspace.map(Some).ok_or(unavailable),
        };
        let (
            chat_services,
            flex_flows,
            (proxy_services, pool),
            router,
            studio_flows,
            numbers,
            messaging,
            defaults,
            addresses,
            sinks,
            subscriptions,
            event_types,
        ) = tokio::join!(
            fetch.chat_services(),
            fetch.flex_flows(),
            fetch.proxy(&configuration, wanted),
            fetch.router(&workspace, wanted),
            fetch.studio_flows(),
            fetch.numbers(account),
            fetch.messaging(),
            fetch.defaults(),
            fetch.addresses(),
            fetch.sinks(),
            fetch.subscriptions(),
            fetch.event_types(),
        );
        let Router {
            workspace,
            workflows,
            task_channels,
            capacities,
            parked,
            wrap_ups,
        } = router;
        Ok(Self {
            at: now,
            account,
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
            unreadable: lost.0.into_inner().unwrap_or_else(PoisonError::into_inner),
        })
    }
}

struct Fetch<'a> {
    client: &'a Client,
    lost: &'a Unreadable,
}

struct Router {
    workspace: Result<Option<Workspace>, Unavailable>,
    workflows: Result<BTreeSet<WorkflowSid>, Unavailable>,
    task_channels: Result<Vec<TaskChannel>, Unavailable>,
    capacities: Result<Capacities, Unavailable>,
    parked: Result<Vec<TaskSid>, Unavailable>,
    wrap_ups: Result<Vec<WrapUp>, Unavailable>,
}

impl Fetch<'_> {
    /// Returns the items of a list, or why it could not be read.
    async fn list<T>(
        &self,
        resource: &'static str,
        listed: impl Future<Output = Result<Listed<T>, TwilioError>>,
    ) -> Result<Vec<T>, Unavailable> {
        match listed.await {
            Ok(listed) => Ok(self.lost.items(resource, listed)),
            Err(why) => Err(Unavailable { resource, why }),
        }
    }

    async fn chat_services(&self) -> Result<BTreeSet<ChatServiceSid>, Unavailable> {
        let services = self.list("the chat services", self.client.every_chat_service());
        Ok(services.await?.into_iter().collect())
    }

    async fn flex_flows(&self) -> Result<Vec<FlexFlow>, Unavailable> {
        self.list("the Flex Flows", self.client.flex_flows()).await
    }

    async fn proxy(
        &self,
        configuration: &Result<FlexConfiguration, Unavailable>,
        wanted: &Expectations,
    ) -> (
        Result<Vec<ProxyService>, Unavailable>,
        Result<BTreeSet<PhoneNumberSid>, Unavailable>,
    ) {
        let services = self
            .list("the Proxy services", self.client.proxy_services())
            .await;
        let chosen = available(&services).map(|services| {
            let chat_service = available(configuration)
                .ok()
                .and_then(|flex| flex.chat_service);
            our_proxy(services, chat_service, wanted.proxy_service)
        });
        let pool = match chosen {
            Ok(Some(service)) => {
                let pool = self.list("the Proxy number pool", self.client.proxy_pool(service));
                let pool = pool.await;
                pool.map(|pool| pool.into_iter().map(|number| number.sid).collect())
            }
            Ok(None) => Ok(BTreeSet::new()),
            Err(unavailable) => Err(unavailable),
        };
        (services, pool)
    }

    async fn router(
        &self,
        workspace: &Result<Option<WorkspaceSid>, Unavailable>,
        wanted: &Expectations,
    ) -> Router {
        let sid = match workspace {
            Ok(Some(sid)) => *sid,
            Ok(None) => return Router::empty(),
            Err(unavailable) => return Router::unavailable(unavailable),
        };
        let client = self.client;
        let found = match client.workspace(sid).await {
            Ok(found) => found,
            Err(TwilioError::Gone) => return Router::empty(),
            Err(why) => {
                return Router::unavailable(&Unavailable {
                    resource: "the workspace",
                    why,
                });
            }
        };
        let parking = !wanted.parking.is_empty();
        let (workflows, task_channels, capacities, parked, wrap_ups) = tokio::join!(
            self.list("the workflows", client.workflows(sid)),
            self.list("the TaskChannels", client.task_channels(sid)),
            self.capacities(sid, parking),
            self.parked(sid, parking),
            self.list("the wrap-ups", client.wrap_ups(sid)),
        );
        Router {
            workspace: Ok(Some(found)),
            workflows: workflows.map(|workflows| workflows.into_iter().collect()),
            task_channels,
            capacities,
            parked,
            wrap_ups,
        }
    }

    async fn capacities(
        &self,
        workspace: WorkspaceSid,
        parking: bool,
    ) -> Result<Capacities, Unavailable> {
        if !parking {
            return Ok(Capacities::default());
        }
        let workers = self.list("the workers", self.client.workers(workspace));
        let workers = workers.await?;
        let not_read = workers.len().saturating_sub(MAX_WORKERS);
        let by_worker = stream::iter(workers.into_iter().take(MAX_WORKERS))
            .map(|worker| async move {
                let channels = self.client.worker_channels(workspace, worker);
                let channels = self.list(CAPACITIES, channels).await?;
                Ok((worker, channels))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(Capacities {
            by_worker,
            not_read,
        })
    }

    async fn parked(
        &self,
        workspace: WorkspaceSid,
        parking: bool,
    ) -> Result<Vec<TaskSid>, Unavailable> {
        if parking {
            return Ok(Vec::new());
        }
        let tasks = self.client.parked_tasks(workspace);
        self.list("the parked tasks", tasks).await
    }

    async fn studio_flows(&self) -> Result<BTreeMap<StudioFlowSid, StudioFlow>, Unavailable> {
        const RESOURCE: &str = "the Studio flows";
        let flows = self.list(RESOURCE, self.client.studio_flows()).await?;
        let flows = stream::iter(flows)
            .map(|flow| async move {
                match self.client.studio_flow(flow).await {
                    Ok(seen) => Ok(Some((flow, seen))),
                    // Deleted since it was listed.
                    Err(TwilioError::Gone) => Ok(None),
                    Err(why) => Err(Unavailable {
                        resource: RESOURCE,
                        why,
                    }),
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_filter_map(|found| async move { Ok(found) });
        flows.try_collect().await
    }

    async fn numbers(&self, account: AccountSid) -> Result<Vec<PhoneNumber>, Unavailable> {
        self.list("the phone numbers", self.client.phone_numbers(account))
            .await
    }

    async fn messaging(&self) -> Result<BTreeMap<PhoneNumberSid, MessagingService>, Unavailable> {
        const RESOURCE: &str = "the messaging services";
        let services = self.list(RESOURCE, self.client.messaging_services());
        let members: Vec<Vec<_>> = stream::iter(services.await?)
            .map(|service| async move {
                let numbers = self.list(RESOURCE, self.client.numbers_of(service.sid));
                let numbers = numbers.await?.into_iter();
                Ok(numbers.map(|number| (number, service)).collect())
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(members.into_iter().flatten().collect())
    }

    async fn defaults(&self) -> Result<ConversationDefaults, Unavailable> {
        let defaults = self.client.conversation_defaults().await;
        defaults.map_err(|why| Unavailable {
            resource: "the defaults of Conversations",
            why,
        })
    }

    async fn addresses(&self) -> Result<Vec<Address>, Unavailable> {
        self.list("the addresses of Conversations", self.client.addresses())
            .await
    }

    async fn sinks(&self) -> Result<Vec<Sink>, Unavailable> {
        self.list("the event sinks", self.client.sinks()).await
    }

    async fn subscriptions(&self) -> Result<Subscriptions, Unavailable> {
        const RESOURCE: &str = "the event subscriptions";
        let subscriptions = self.list(RESOURCE, self.client.subscriptions());
        stream::iter(subscriptions.await?)
            .map(|subscription| async move {
                let types = self.client.subscribed_events(subscription.sid);
                let types = self.list(RESOURCE, types).await?;
                Ok((subscription.sid, (subscription, types)))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn event_types(&self) -> Result<Vec<EventType>, Unavailable> {
        self.list("the event types", self.client.event_types())
            .await
    }
}

impl Router {
    fn empty() -> Self {
        Self {
            workspace: Ok(None),
            workflows: Ok(BTreeSet::new()),
            task_channels: Ok(Vec::new()),
            capacities: Ok(Capacities::default()),
            parked: Ok(Vec::new()),
            wrap_ups: Ok(Vec::new()),
        }
    }

    fn unavailable(unavailable: &Unavailable) -> Self {
        Self {
            workspace: Err(unavailable.clone()),
            workflows: Err(unavailable.clone()),
            task_channels: Err(unavailable.clone()),
            capacities: Err(unavailable.clone()),
            parked: Err(unavailable.clone()),
            wrap_ups: Err(unavailable.clone()),
        }
    }
}

/// Returns the Proxy service whose pool counts: the one that is linked to the project's Chat service,
/// or else the one that the settings name.
fn our_proxy(
    services: &[ProxyService],
    chat_service: Option<ChatServiceSid>,
    named: Option<ProxyServiceSid>,
) -> Option<ProxyServiceSid> {
    let linked = services
        .iter()
        .find(|one| chat_service.is_some() && one.chat_service.target() == chat_service);
    let named = services.iter().find(|one| Some(one.sid) == named);
    linked.or(named).map(|service| service.sid)
}
