//! Flex: the project's set-up, and what Flex's server does when it hears of a Chat channel.

use crate::state::State;
use crate::state::attributes;
use crate::state::chat::{Channel, Webhooks};
use crate::state::clock::Due;
use crate::state::refusal::Refusal;
use crate::state::setup::flows::{FlexFlow, Lifespan, Medium};
use crate::state::setup::numbers::CHAT_NUMBER;
use crate::state::shelf::Shelf;
use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Holds what Flex knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Flex {
    pub(crate) project: Option<Project>,
    pub(crate) flows: Shelf<FlexFlow>,
    pub(crate) configuration: Map<String, Value>,
    pub(crate) configured: Option<Timestamp>,
}

/// Names what a Flex project consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// The account.
    pub account: Sid,
    /// The Flex instance, GO….
    pub instance: Sid,
    /// The Chat service, which is the Conversations service too.
    pub chat_service: Sid,
    /// The Proxy service, bound to the Chat service.
    pub proxy_service: Sid,
    /// The workspace.
    pub workspace: Sid,
    /// The workflow that sends every task to everyone.
    pub workflow: Sid,
    /// The queue of that workflow.
    pub queue: Sid,
    /// The TaskChannel `chat`.
    pub chat_task_channel: Sid,
}

/// The media that a new project listens on, and the addresses that customers write to.
const CONTACTS: [(Medium, Option<&str>); 4] = [
    (Medium::Web, None),
    (Medium::Sms, Some(CHAT_NUMBER)),
    (Medium::Whatsapp, Some("whatsapp:+15550100001")),
    (Medium::Facebook, Some("messenger:104857600")),
];

impl State {
    /// Sets up a Flex project: Chat, Proxy, a workspace that routes to everyone and the TaskChannels chat, sms, voice.
    ///
    /// Flex Flows listen on the web, SMS, WhatsApp (long-lived) and Messenger.
    /// One number leads to Chat by Proxy, one to Conversations by an address configuration; a Studio flow sends both to Flex.
    /// A second call sets up a second project, to which Flex then belongs.
    ///
    /// # Errors
    ///
    /// Fails if a part of an earlier project already has a name or an address of the new one.
    pub fn set_up_flex(&mut self) -> Result<Project, Refusal> {
        let chat_service = self.create_chat_service("Flex Chat Service");
        let proxies = self.proxy.services.len();
        let name = if proxies == 0 {
            "Flex Proxy Service".to_owned()
        } else {
            format!("Flex Proxy Service {proxies}")
        };
        let proxy_service = self.create_proxy_service(&name, Some(chat_service))?;
        let workspace = self.create_workspace("Flex Task Assignment");
        let queue = self.create_task_queue(workspace, "Everyone")?;
        let rules = serde_json::json!({ "task_routing": { "default_filter": { "queue": queue } } });
        let workflow = self.create_workflow(workspace, "Assign to Anyone", &rules.to_string())?;
        let chat_task_channel = self.create_task_channel(workspace, "Programmable Chat", "chat")?;
        self.create_task_channel(workspace, "SMS", "sms")?;
        self.create_task_channel(workspace, "Voice", "voice")?;
        let instance = self.sid(b"GO");
        let project = Project {
            account: self.account.sid,
            instance,
            chat_service,
            proxy_service,
            workspace,
            workflow,
            queue,
            chat_task_channel,
        };
        self.flex.project = Some(project);
        self.flex.configured = Some(self.now);
        for (medium, number) in CONTACTS {
            self.create_flex_flow(medium, number, chat_service.as_str());
        }
        self.set_lifespan(Medium::Whatsapp, Lifespan::LongLived);
        if proxies == 0 {
            let flow = self.create_messaging_flow(project)?;
            self.connect_numbers(project, flow)?;
        }
        Ok(project)
    }

    /// Returns the Flex project, if one was set up.
    pub fn project(&self) -> Option<Project> {
        self.flex.project
    }

    pub(crate) fn channel_update_is_reported(&mut self, channel: Sid, was_inactive: bool) {
        let inactive = self.channel(channel).is_some_and(Channel::is_inactive);
        if !inactive || self.knobs.flex_deaf || (self.knobs.flex_needs_turn && was_inactive) {
            return;
        }
        if self.knobs.flex_delay.is_zero() {
            self.flex_hears(channel);
        } else {
            self.due_in(self.knobs.flex_delay, Due::FlexReacts(channel));
        }
    }

    pub(crate) fn flex_hears(&mut self, channel: Sid) {
        let done = self
            .channel(channel)
            .filter(|stored| stored.is_inactive() && !stored.is_long_lived())
            .cloned();
        if let Some(channel) = done {
            self.end_session_of(&channel);
        }
    }

    pub(crate) fn end_session_of(&mut self, channel: &Channel) {
        let named = attributes::text(&channel.attributes, "proxySession")
            .and_then(|text| text.parse().ok());
        let ours = named.and_then(|sid| self.session(sid)).filter(|session| {
            let proxy = self.proxy.services.get(session.service);
            proxy.is_some_and(|proxy| proxy.chat_instance == Some(channel.service))
        });
        if let Some(session) = ours.map(|session| session.sid) {
            self.delete_session(session).ok();
        }
    }

    /// Sets the Flex state of a channel the way Flex and its SDKs do: no other byte changes, webhooks fire.
    pub(crate) fn set_channel_status(&mut self, channel: Sid, status: &str) -> Result<(), Refusal> {
        let old = &self.channel_or_refuse(channel)?.attributes;
        let attributes = attributes::with(old, "status", &format!("\"{status}\""));
        let change = crate::state::chat::ChannelChange {
            attributes: Some(attributes),
            ..Default::default()
        };
        self.update_channel(channel, Webhooks::Enabled, change)
    }
}
