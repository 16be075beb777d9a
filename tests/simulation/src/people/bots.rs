//! Chats that are with a bot and that no agent has seen. The functions leave them alone.

use serde_json::json;
use simulator::state::chat::{ChannelChange, ChannelType};
use simulator::state::conversations::conversation::{ConversationChange, NewParticipant};
use simulator::state::proxy::NewSession;
use simulator::state::webhooks::WebhookTarget;
use simulator::{Project, Refusal, Sid, State, Webhooks};

use crate::functions::Deployment;
use crate::oracle::ADDRESSES;
use crate::people::People;

impl People {
    /// Customers who talk to a bot begin to: no task, a session or a customer's address, and a
    /// Studio flow that hears each message.
    pub(crate) fn bots(&mut self, deployment: &Deployment) {
        let project = deployment.shared.project;
        for number in 0..deployment.shared.script.bots {
            let address = format!("+{ADDRESSES}9{number:03}");
            let mut state = deployment.shared.twilio.state();
            let channel = match self.rng.bool() {
                true => bot_in_chat(&mut state, project, address),
                false => bot_in_conversation(&mut state, project, address),
            };
            drop(state);
            let (channel, now) = (channel.unwrap().to_string(), deployment.shared.now());
            let mut inner = deployment.shared.lock();
            inner.oracle.bot_begins(&channel, now);
            inner.trace(now, || format!("a customer talks to a bot in {channel}"));
        }
    }
}

fn bot_in_chat(state: &mut State, project: Project, address: String) -> Result<Sid, Refusal> {
    let channel = state.create_channel(
        project.chat_service,
        ChannelType::Private,
        ChannelChange::default(),
    )?;
    let session = NewSession {
        unique_name: Some(channel.to_string()),
        mode: Some("message-only".to_owned()),
        address: Some(address),
        ttl: None,
    };
    let session = state.open_session(project.proxy_service, session)?;
    let attributes = json!({ "status": "ACTIVE", "proxySession": session }).to_string();
    let change = ChannelChange {
        attributes: Some(attributes),
        ..ChannelChange::default()
    };
    state.update_channel(channel, Webhooks::Disabled, change)?;
    state.add_channel_webhook(channel, "studio", WebhookTarget::default())?;
    Ok(channel)
}

fn bot_in_conversation(
    state: &mut State,
    project: Project,
    address: String,
) -> Result<Sid, Refusal> {
    let conversation =
        state.create_conversation(project.chat_service, ConversationChange::default())?;
    let customer = NewParticipant {
        address: Some(address),
        proxy_address: Some("+15550100099".to_owned()),
        ..NewParticipant::default()
    };
    state.add_participant(conversation, customer)?;
    let flow = "FW00000000000000000000000000000009".parse().ok();
    state.set_conversation_flow(conversation, flow)?;
    Ok(conversation)
}
