//! The resources that the functions read: can they be read with this key?

use domain::{AccountSid, ChatServiceSid, WorkspaceSid};
use twilio::rest::{Product, TwilioError};

use crate::answer::{Answer, Judged};
use crate::{Probe, Readings};

/// A resource that some function reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    FlexConfiguration,
    FlexFlows,
    Workspace,
    Tasks,
    Log,
    TaskChannels,
    Workers,
    ChatService,
    ConversationService,
    Conversations,
    ConversationDefaults,
    Addresses,
    ProxyServices,
    Sinks,
    Subscriptions,
    EventTypes,
    StudioFlows,
    PhoneNumbers,
    MessagingServices,
}

/// The SIDs that paths are built from; absent where Flex names none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) account: AccountSid,
    pub(crate) workspace: Option<WorkspaceSid>,
    pub(crate) service: Option<ChatServiceSid>,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 19] = [
        Self::FlexConfiguration,
        Self::FlexFlows,
        Self::Workspace,
        Self::Tasks,
        Self::Log,
        Self::TaskChannels,
        Self::Workers,
        Self::ChatService,
        Self::ConversationService,
        Self::Conversations,
        Self::ConversationDefaults,
        Self::Addresses,
        Self::ProxyServices,
        Self::Sinks,
        Self::Subscriptions,
        Self::EventTypes,
        Self::StudioFlows,
        Self::PhoneNumbers,
        Self::MessagingServices,
    ];

    /// Returns the product and the path of its smallest page; nothing if Flex does not name the
    /// workspace or service that it belongs to.
    pub(crate) fn place(self, places: Places) -> Option<(Product, String)> {
        let account = places.account;
        let workspace = |rest: &str| {
            let sid = places.workspace?;
            Some((Product::TaskRouter, format!("/v1/Workspaces/{sid}{rest}")))
        };
        let conversations = |rest: &str| {
            let sid = places.service?;
            Some((Product::Conversations, format!("/v1/Services/{sid}{rest}")))
        };
        let fixed = |product: Product, path: &str| Some((product, path.to_owned()));
        match self {
            Self::FlexConfiguration => fixed(Product::Flex, "/v1/Configuration"),
            Self::FlexFlows => fixed(Product::Flex, "/v1/FlexFlows?PageSize=1"),
            Self::Workspace => workspace(""),
            Self::Tasks => workspace("/Tasks?PageSize=1"),
            Self::Log => workspace("/Events?PageSize=1"),
            Self::TaskChannels => workspace("/TaskChannels?PageSize=1"),
            Self::Workers => workspace("/Workers?PageSize=1"),
            Self::ChatService => {
                let service = places.service?;
                Some((Product::Chat, format!("/v2/Services/{service}")))
            }
            Self::ConversationService => conversations(""),
            Self::Conversations => conversations("/Conversations?PageSize=1"),
            Self::ConversationDefaults => fixed(Product::Conversations, "/v1/Configuration"),
            Self::Addresses => fixed(
                Product::Conversations,
                "/v1/Configuration/Addresses?PageSize=1",
            ),
            Self::ProxyServices => fixed(Product::Proxy, "/v1/Services?PageSize=1"),
            Self::Sinks => fixed(Product::Events, "/v1/Sinks?PageSize=1"),
            Self::Subscriptions => fixed(Product::Events, "/v1/Subscriptions?PageSize=1"),
            Self::EventTypes => fixed(Product::Events, "/v1/Types?PageSize=1"),
            Self::StudioFlows => fixed(Product::Studio, "/v2/Flows?PageSize=1"),
            Self::PhoneNumbers => {
                let path =
                    format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json?PageSize=1");
                Some((Product::Api, path))
            }
            Self::MessagingServices => fixed(Product::Messaging, "/v1/Services?PageSize=1"),
        }
    }
}

const SWEEP_STOPS: &str = "the sweep stops at once and marks nothing";
const RECONCILE_STOPS: &str =
    "reconcile stops, so that channels of which an event was lost are not found";
const RULES_SKIPPED: &str = "rules of the checkup are skipped and named";

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        id: "readable/flex",
        beliefs: &["B50"],
        question: "Can the Flex configuration be read?",
        judge: |readings| readable(readings, &[Endpoint::FlexConfiguration], SWEEP_STOPS),
    },
    Probe {
        id: "readable/taskrouter",
        beliefs: &["B50"],
        question: "Can the workspace and its tasks be read?",
        judge: |readings| {
            let endpoints = [Endpoint::Workspace, Endpoint::Tasks];
            readable(readings, &endpoints, SWEEP_STOPS)
        },
    },
    Probe {
        id: "readable/taskrouter-log",
        beliefs: &["B50"],
        question: "Can TaskRouter's log of events be read?",
        judge: |readings| readable(readings, &[Endpoint::Log], RECONCILE_STOPS),
    },
    Probe {
        id: "readable/parking",
        beliefs: &["B50"],
        question: "Can TaskChannels and workers be read?",
        judge: |readings| {
            let endpoints = [Endpoint::TaskChannels, Endpoint::Workers];
            let changes = "parking cannot check an agent's capacity; rules of the checkup are skipped and named";
            readable(readings, &endpoints, changes)
        },
    },
    Probe {
        id: "readable/chat",
        beliefs: &["B21", "B50"],
        question: "Does Programmable Chat still answer?",
        judge: |readings| {
            let changes = "the sweep stops where a Chat channel is due, and marks nothing";
            readable(readings, &[Endpoint::ChatService], changes)
        },
    },
    Probe {
        id: "readable/conversations",
        beliefs: &["B50"],
        question: "Can Conversations be read?",
        judge: |readings| {
            let endpoints = [Endpoint::ConversationService, Endpoint::Conversations];
            readable(readings, &endpoints, SWEEP_STOPS)
        },
    },
    Probe {
        id: "readable/proxy",
        beliefs: &["B50"],
        question: "Can Proxy services be read?",
        judge: |readings| readable(readings, &[Endpoint::ProxyServices], RECONCILE_STOPS),
    },
    Probe {
        id: "readable/event-streams",
        beliefs: &["B50"],
        question: "Can sinks, subscriptions and types of Event Streams be read?",
        judge: |readings| {
            let endpoints = [
                Endpoint::Sinks,
                Endpoint::Subscriptions,
                Endpoint::EventTypes,
            ];
            let changes =
                "`janitor connect` cannot subscribe; rules of the checkup are skipped and named";
            readable(readings, &endpoints, changes)
        },
    },
    Probe {
        id: "readable/set-up",
        beliefs: &["B50"],
        question: "Can the rest of the set-up be read?",
        judge: |readings| {
            let endpoints = [
                Endpoint::FlexFlows,
                Endpoint::ConversationDefaults,
                Endpoint::Addresses,
                Endpoint::StudioFlows,
                Endpoint::PhoneNumbers,
                Endpoint::MessagingServices,
            ];
            readable(readings, &endpoints, RULES_SKIPPED)
        },
    },
];

/// Judges whether these can be read. What gave no answer at all says nothing.
fn readable(readings: &Readings, endpoints: &[Endpoint], changes: &'static str) -> Judged {
    let mut things = Vec::new();
    for endpoint in endpoints {
        match readings.endpoints.get(endpoint) {
            Some(Ok(())) => things.push(true),
            Some(Err(
                TwilioError::Unauthorized { .. } | TwilioError::Gone | TwilioError::Refused { .. },
            )) => things.push(false),
            Some(Err(error)) => return Err(error.into()),
            None => {}
        }
    }
    let nothing = "the Flex configuration does not name the workspace or service";
    Ok(Answer::of(things, changes, nothing))
}
