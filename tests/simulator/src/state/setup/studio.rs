//! Studio: flows, of which only the definition matters here.

use crate::state::State;
use crate::state::refusal::Refusal;
use crate::state::setup::flex::Project;
use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Is a Studio flow, FW….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StudioFlow {
    /// The flow's SID.
    pub sid: Sid,
    /// Its name.
    pub friendly_name: String,
    /// Its states and widgets.
    pub definition: Value,
    /// `draft` or `published`.
    pub status: String,
    /// Counts its revisions from 1.
    pub revision: u64,
    /// True if Studio finds it valid.
    pub valid: bool,
    /// Why the revision was made.
    pub commit_message: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// Lists what a revision of a flow is given.
#[derive(Debug, Clone)]
pub struct Revision {
    /// `draft` or `published`.
    pub status: String,
    /// A new name.
    pub friendly_name: Option<String>,
    /// A new definition.
    pub definition: Option<Value>,
    /// Why.
    pub commit_message: Option<String>,
}

impl State {
    /// Creates a Studio flow.
    ///
    /// # Errors
    ///
    /// Fails if the definition is not that of a flow.
    pub fn create_studio_flow(
        &mut self,
        friendly_name: &str,
        status: &str,
        definition: Value,
    ) -> Result<Sid, Refusal> {
        check_definition(&definition)?;
        let (sid, now) = (self.sid(b"FW"), self.now);
        let flow = StudioFlow {
            sid,
            friendly_name: friendly_name.to_owned(),
            definition,
            status: status.to_owned(),
            revision: 1,
            valid: true,
            commit_message: None,
            created: now,
            updated: now,
        };
        self.studio.insert(sid, flow);
        Ok(sid)
    }

    /// Makes a new revision of a Studio flow; a published one is live at once.
    ///
    /// # Errors
    ///
    /// Fails if the flow does not exist, or if the definition is not that of a flow.
    pub fn revise_studio_flow(&mut self, flow: Sid, given: Revision) -> Result<(), Refusal> {
        given.definition.as_ref().map_or(Ok(()), check_definition)?;
        let now = self.now;
        let stored = self
            .studio
            .get_mut(flow)
            .ok_or_else(|| Refusal::absent(flow))?;
        stored.status = given.status;
        stored.friendly_name = given
            .friendly_name
            .unwrap_or(std::mem::take(&mut stored.friendly_name));
        stored.valid = true;
        stored.definition = given.definition.unwrap_or(stored.definition.take());
        stored.commit_message = given.commit_message;
        stored.revision += 1;
        stored.updated = now;
        Ok(())
    }

    /// Returns a Studio flow.
    pub fn studio_flow(&self, sid: Sid) -> Option<&StudioFlow> {
        self.studio.get(sid)
    }

    /// Creates the flow that sends every message to Flex, as new projects have it.
    pub(crate) fn create_messaging_flow(&mut self, project: Project) -> Result<Sid, Refusal> {
        // A template, not JSON: Studio fills in what stands between braces.
        let attributes = "{\"name\": \"{{trigger.message.ChannelAttributes.from}}\", \
            \"channelType\": \"{{trigger.message.ChannelAttributes.channel_type}}\", \
            \"channelSid\": \"{{trigger.message.ChannelSid}}\"}";
        let definition = json!({
            "description": "Sends every message to Flex",
            "initial_state": "Trigger",
            "flags": { "allow_concurrent_calls": true },
            "states": [
                {
                    "name": "Trigger",
                    "type": "trigger",
                    "properties": {},
                    "transitions": [
                        { "event": "incomingMessage", "next": "SendToFlex" },
                        { "event": "incomingConversationMessage", "next": "SendToFlex" },
                    ],
                },
                {
                    "name": "SendToFlex",
                    "type": "send-to-flex",
                    "properties": { "workflow": project.workflow, "channel": project.chat_task_channel, "attributes": attributes },
                    "transitions": [{ "event": "callComplete" }, { "event": "failedToEnqueue" }, { "event": "callFailure" }],
                },
            ],
        });
        self.create_studio_flow("Messaging Flow", "published", definition)
    }
}

/// Says why a definition is no flow.
pub(crate) fn check_definition(definition: &Value) -> Result<(), Refusal> {
    if definition["initial_state"].is_string() && definition["states"].is_array() {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "Definition needs initial_state and states",
        ))
    }
}
