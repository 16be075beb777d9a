//! Flex Flows: what becomes of a message for which no channel is open.

use crate::state::State;
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Says how a customer reaches the contact centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Medium {
    /// A chat window on a web page.
    Web,
    /// Text messages.
    Sms,
    /// Facebook Messenger.
    Facebook,
    /// WhatsApp.
    Whatsapp,
    /// LINE.
    Line,
    /// Anything else.
    Custom,
}

impl Medium {
    /// Every medium.
    pub const ALL: [Self; 6] = [
        Self::Web,
        Self::Sms,
        Self::Facebook,
        Self::Whatsapp,
        Self::Line,
        Self::Custom,
    ];

    /// Returns Twilio's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Sms => "sms",
            Self::Facebook => "facebook",
            Self::Whatsapp => "whatsapp",
            Self::Line => "line",
            Self::Custom => "custom",
        }
    }

    /// Understands Twilio's word for it.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|medium| medium.as_str() == word)
    }

    /// Tells the medium from the form of a customer's address.
    pub fn of_address(address: &str) -> Self {
        match address.split_once(':') {
            Some(("whatsapp", _)) => Self::Whatsapp,
            Some(("messenger", _)) => Self::Facebook,
            Some(("line", _)) => Self::Line,
            Some(_) => Self::Custom,
            None if address.starts_with('+') => Self::Sms,
            None => Self::Web,
        }
    }
}

/// Is a Flex Flow, FO….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlexFlow {
    /// The flow's SID.
    pub sid: Sid,
    /// Its name.
    pub friendly_name: String,
    /// The Chat service in which it makes channels.
    pub chat_service: String,
    /// The medium by which customers reach it.
    pub medium: Medium,
    /// The address that customers write to; none for the web.
    pub contact_identity: Option<String>,
    /// True if it acts.
    pub enabled: bool,
    /// `studio`, `external` or `task`.
    pub integration_type: Option<String>,
    /// Where its tasks go, in Twilio's snake-case keys.
    pub integration: Map<String, Value>,
    /// True if its channels outlive their tasks.
    pub long_lived: bool,
    /// True if Twilio's own janitor is on; the API's default is off.
    pub janitor_enabled: bool,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

impl State {
    /// Creates an enabled Flex Flow that makes tasks of the project's workflow.
    pub fn create_flex_flow(
        &mut self,
        medium: Medium,
        contact_identity: Option<&str>,
        chat_service: &str,
    ) -> Sid {
        let (sid, now) = (self.sid(b"FO"), self.now);
        let mut integration = Map::new();
        if let Some(project) = self.project() {
            integration.insert("workspace_sid".to_owned(), project.workspace.into());
            integration.insert("workflow_sid".to_owned(), project.workflow.into());
            integration.insert("channel".to_owned(), project.chat_task_channel.into());
        }
        let flow = FlexFlow {
            sid,
            friendly_name: format!("Flex {} channel flow", medium.as_str()),
            chat_service: chat_service.to_owned(),
            medium,
            contact_identity: contact_identity.map(str::to_owned),
            enabled: true,
            integration_type: Some("task".to_owned()),
            integration,
            long_lived: false,
            janitor_enabled: false,
            created: now,
            updated: now,
        };
        self.flex.flows.insert(sid, flow);
        sid
    }

    /// Returns the enabled flow of a medium.
    pub fn flow_for(&self, medium: Medium) -> Option<&FlexFlow> {
        self.flex
            .flows
            .values()
            .find(|flow| flow.enabled && flow.medium == medium)
    }

    /// Returns a Flex Flow.
    pub fn flex_flow(&self, sid: Sid) -> Option<&FlexFlow> {
        self.flex.flows.get(sid)
    }

    /// Returns a Flex Flow to be changed.
    ///
    /// # Errors
    ///
    /// Fails if the flow does not exist.
    pub fn flex_flow_mut(&mut self, sid: Sid) -> Result<&mut FlexFlow, Refusal> {
        self.flex
            .flows
            .get_mut(sid)
            .ok_or_else(|| Refusal::absent(sid))
    }

    /// Makes the new channels of a medium long-lived or not.
    pub fn set_lifespan(&mut self, medium: Medium, lifespan: Lifespan) {
        let flow = self.flow_for(medium).map(|flow| flow.sid);
        if let Some(flow) = flow.and_then(|sid| self.flex.flows.get_mut(sid)) {
            flow.long_lived = lifespan == Lifespan::LongLived;
        }
    }
}

/// Says whether a channel outlives its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifespan {
    /// The channel and its Proxy session end with the task.
    OneTask,
    /// The next contact finds the same channel.
    LongLived,
}
