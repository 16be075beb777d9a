//! The whole set-up of a contact centre as Twilio's guides have it, and the ways to break it.

pub(crate) mod documents;
pub mod flex;
pub mod flows;
pub mod messaging;
pub mod numbers;
pub mod studio;
pub(crate) mod tokens;

use crate::state::State;
use crate::state::conversations::conversation::Timer;
use crate::state::events::{Sink, Subscription};
use crate::state::proxy::ProxyService;
use crate::state::refusal::Refusal;
use crate::state::setup::numbers::{
    AddressConfiguration, CHAT_NUMBER, CONVERSATIONS_NUMBER, IncomingNumber,
};
use crate::state::setup::studio::StudioFlow;
use crate::state::sid::Sid;
use crate::state::taskrouter::Workspace;
use serde_json::{Map, Value, json};

/// The time for which a conversation may be silent before it is closed.
const CLOSED_TIMER: &str = "P90D";

/// Names what [`State::put_in_order`] made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The Studio flow that messages take.
    pub messaging_flow: Sid,
    /// The Studio flow that calls take.
    pub voice_flow: Sid,
    /// The sink that leads to the webhook.
    pub sink: Sid,
    /// The events that the sink is sent.
    pub subscription: Sid,
    /// The number of Chat.
    pub chat_number: Sid,
    /// The number of Conversations.
    pub conversations_number: Sid,
    /// The address configuration of the number of Conversations.
    pub address: Sid,
}

impl State {
    /// Completes a new project to what Twilio's guides have: Flex Flows that lead to Studio with
    /// the native janitor on, a flow for calls that both numbers lead to, a close timer, and a
    /// sink that leads to this webhook with these types, each in this version of its schema.
    ///
    /// # Errors
    ///
    /// Fails if there is no Flex project, or if a part of it is gone.
    pub fn put_in_order(&mut self, webhook: &str, types: &[(&str, u32)]) -> Result<Order, Refusal> {
        let project = self
            .project()
            .ok_or_else(|| Refusal::invalid("there is no Flex project"))?;
        let messaging_flow = self.studio.values().next().map(|flow| flow.sid);
        let messaging_flow =
            messaging_flow.ok_or_else(|| Refusal::invalid("there is no messaging flow"))?;
        let flows: Vec<Sid> = self.flex.flows.values().map(|flow| flow.sid).collect();
        for flow in flows {
            let stored = self.flex_flow_mut(flow)?;
            stored.janitor_enabled = true;
            stored.integration_type = Some("studio".to_owned());
            let integration = json!({ "flow_sid": messaging_flow, "retry_count": 3 });
            stored.integration = integration.as_object().cloned().unwrap_or_default();
        }
        let voice_flow = self.create_voice_flow()?;
        let url = self.studio_webhook(voice_flow);
        let number = |state: &Self, wanted: &str| {
            let mut owned = state.numbers.owned.values();
            let found = owned.find(|number| number.phone_number == wanted);
            found
                .map(|number| number.sid)
                .ok_or_else(|| Refusal::invalid("a number of the project is gone"))
        };
        let chat_number = number(self, CHAT_NUMBER)?;
        let conversations_number = number(self, CONVERSATIONS_NUMBER)?;
        for number in [chat_number, conversations_number] {
            let settings = [("voice_url".to_owned(), Value::from(url.clone()))];
            self.point_number(number, Map::from_iter(settings))?;
        }
        let address = self.numbers.addresses.values().next().map(|one| one.sid);
        let address = address.ok_or_else(|| Refusal::invalid("there is no address"))?;
        self.conversations.defaults.service = Some(project.chat_service);
        self.conversations.defaults.to_closed = Timer::to_closed(CLOSED_TIMER)?;
        let configuration =
            json!({ "destination": webhook, "method": "POST", "batch_events": true });
        let sink = self.create_sink("channel-janitor", "webhook", configuration)?;
        let types: Vec<(String, Option<u32>)> = types
            .iter()
            .map(|(name, version)| ((*name).to_owned(), Some(*version)))
            .collect();
        let subscription = self.subscribe("channel-janitor", sink, &types)?;
        Ok(Order {
            messaging_flow,
            voice_flow,
            sink,
            subscription,
            chat_number,
            conversations_number,
            address,
        })
    }

    /// Creates the flow that sends every call to Flex, as new projects have it.
    ///
    /// # Errors
    ///
    /// Fails if there is no Flex project.
    pub fn create_voice_flow(&mut self) -> Result<Sid, Refusal> {
        let project = self
            .project()
            .ok_or_else(|| Refusal::invalid("there is no Flex project"))?;
        let voice = self.find_task_channel(project.workspace, "voice");
        let voice = voice.map(|channel| channel.sid);
        let definition = json!({
            "description": "Sends every call to Flex",
            "initial_state": "Trigger",
            "flags": { "allow_concurrent_calls": true },
            "states": [
                {
                    "name": "Trigger",
                    "type": "trigger",
                    "properties": {},
                    "transitions": [
                        { "event": "incomingMessage" },
                        { "event": "incomingCall", "next": "Greeting" },
                        { "event": "incomingRequest" },
                    ],
                },
                {
                    "name": "Greeting",
                    "type": "say-play",
                    "properties": { "say": "Please hold the line." },
                    "transitions": [{ "event": "audioComplete", "next": "SendCallToFlex" }],
                },
                {
                    "name": "SendCallToFlex",
                    "type": "send-to-flex",
                    "properties": {
                        "workflow": project.workflow,
                        "channel": voice,
                        "attributes": "{\"type\": \"inbound\", \"name\": \"{{trigger.call.From}}\"}",
                    },
                    "transitions": [
                        { "event": "callComplete" },
                        { "event": "failedToEnqueue" },
                        { "event": "callFailure" },
                    ],
                },
            ],
        });
        self.create_studio_flow("Voice IVR", "published", definition)
    }

    /// Returns the URL at which a Studio flow takes calls and messages.
    pub fn studio_webhook(&self, flow: Sid) -> String {
        let account = self.account.sid;
        format!("https://webhooks.twilio.com/v1/Accounts/{account}/Flows/{flow}")
    }

    /// Lets a part of the set-up vanish, whatever still refers to it.
    ///
    /// # Errors
    ///
    /// Fails if there is no such part.
    pub fn lose(&mut self, sid: Sid) -> Result<(), Refusal> {
        let prefix = sid.as_str().get(..2).unwrap_or_default();
        let gone = match prefix {
            "DF" => self.streams.subscriptions.remove(sid).is_some(),
            "DG" => self.streams.sinks.remove(sid).is_some(),
            "FO" => self.flex.flows.remove(sid).is_some(),
            "FW" => self.studio.remove(sid).is_some(),
            "IG" => self.numbers.addresses.remove(sid).is_some(),
            "IS" => self.chat.services.remove(sid).is_some(),
            "KS" => self.proxy.services.remove(sid).is_some(),
            "PN" => self.numbers.owned.remove(sid).is_some(),
            "TC" => self.router.channels.remove(sid).is_some(),
            "WS" => self.router.workspaces.remove(sid).is_some(),
            "WW" => self.router.workflows.remove(sid).is_some(),
            _ => false,
        };
        gone.then_some(()).ok_or_else(|| Refusal::absent(sid))
    }

    /// Takes a number out of the pool of its Proxy service.
    ///
    /// # Errors
    ///
    /// Fails if the number is in no pool.
    pub fn take_from_pool(&mut self, number: Sid) -> Result<(), Refusal> {
        let gone = self.numbers.pool.remove(number);
        gone.map(drop).ok_or_else(|| Refusal::absent(number))
    }

    /// Sets a member of the Flex configuration.
    pub fn configure_flex(&mut self, member: &str, value: Value) {
        self.flex.configuration.insert(member.to_owned(), value);
    }

    /// Sets or clears the time after which a silent new conversation is closed.
    ///
    /// # Errors
    ///
    /// Fails if the text is not an ISO 8601 duration, or is shorter than ten minutes.
    pub fn set_closed_timer(&mut self, duration: &str) -> Result<(), Refusal> {
        self.conversations.defaults.to_closed = Timer::to_closed(duration)?;
        Ok(())
    }

    /// Sets the service that new conversations are made in.
    pub fn set_default_conversation_service(&mut self, service: Sid) {
        self.conversations.defaults.service = Some(service);
    }

    /// Sets the status of a type of event, `available` until then.
    pub fn set_type_status(&mut self, name: &str, status: &str) {
        let (name, status) = (name.to_owned(), status.to_owned());
        self.streams.statuses.insert(name, status);
    }

    /// Returns a Studio flow to be changed without a new revision.
    ///
    /// # Errors
    ///
    /// Fails if the flow does not exist.
    pub fn studio_flow_mut(&mut self, sid: Sid) -> Result<&mut StudioFlow, Refusal> {
        let found = self.studio.get_mut(sid);
        found.ok_or_else(|| Refusal::absent(sid))
    }

    /// Returns an address configuration to be changed.
    ///
    /// # Errors
    ///
    /// Fails if the address configuration does not exist.
    pub fn address_mut(&mut self, sid: Sid) -> Result<&mut AddressConfiguration, Refusal> {
        let found = self.numbers.addresses.get_mut(sid);
        found.ok_or_else(|| Refusal::absent(sid))
    }

    /// Returns a sink to be changed.
    ///
    /// # Errors
    ///
    /// Fails if the sink does not exist.
    pub fn sink_mut(&mut self, sid: Sid) -> Result<&mut Sink, Refusal> {
        let found = self.streams.sinks.get_mut(sid);
        found.ok_or_else(|| Refusal::absent(sid))
    }

    /// Returns a subscription to be changed.
    ///
    /// # Errors
    ///
    /// Fails if the subscription does not exist.
    pub fn subscription_mut(&mut self, sid: Sid) -> Result<&mut Subscription, Refusal> {
        let found = self.streams.subscriptions.get_mut(sid);
        found.ok_or_else(|| Refusal::absent(sid))
    }

    /// Returns a workspace to be changed.
    ///
    /// # Errors
    ///
    /// Fails if the workspace does not exist.
    pub fn workspace_mut(&mut self, sid: Sid) -> Result<&mut Workspace, Refusal> {
        let found = self.router.workspaces.get_mut(sid);
        found.ok_or_else(|| Refusal::absent(sid))
    }

    /// Returns a Proxy service to be changed.
    ///
    /// # Errors
    ///
    /// Fails if the service does not exist.
    pub fn proxy_service_mut(&mut self, sid: Sid) -> Result<&mut ProxyService, Refusal> {
        let found = self.proxy.services.get_mut(sid);
        found.ok_or_else(|| Refusal::absent(sid))
    }

    /// Iterates over the Flex Flows, oldest first.
    pub fn flex_flows(&self) -> impl Iterator<Item = &crate::state::setup::flows::FlexFlow> {
        self.flex.flows.values()
    }

    /// Iterates over the phone numbers, oldest first.
    pub fn phone_numbers(&self) -> impl Iterator<Item = &IncomingNumber> {
        self.numbers.owned.values()
    }
}
