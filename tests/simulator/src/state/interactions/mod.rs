//! Flex Interactions: how a conversation comes to agents, and how it leaves them.

mod aside;
pub mod interaction;
mod story;

use crate::state::State;
use crate::state::attributes;
use crate::state::clock::{Due, later};
use crate::state::conversations::Cause;
use crate::state::conversations::conversation::{ConversationState, NewParticipant};
use crate::state::refusal::Refusal;
use crate::state::shelf::Shelf;
use crate::state::sid::Sid;
use crate::state::taskrouter::task::NewTask;
pub use aside::PauseReading;
use interaction::{
    ChannelStatus, Ending, Interaction, InteractionChannel, Invite, Party, PartyKind, Routing,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// The time for which an interaction channel lives without an update: <https://www.twilio.com/docs/flex/developer/conversations/park-an-interaction>.
const FORGOTTEN: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// Holds what Flex knows of interactions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Interactions {
    pub(crate) shelf: Shelf<Interaction>,
    pub(crate) channels: Shelf<InteractionChannel>,
    by_task: HashMap<Sid, Sid>,
    by_conversation: HashMap<Sid, Sid>,
}

impl State {
    /// Starts an interaction with its one channel, in which the customer of a conversation takes part.
    pub(crate) fn start_interaction(&mut self, medium: &str, conversation: Sid) -> Sid {
        let (sid, channel, now) = (self.sid(b"KD"), self.sid(b"UO"), self.now);
        let customer = Party {
            sid: self.sid(b"UT"),
            kind: PartyKind::Customer,
            task: None,
            worker: None,
            reservation: None,
        };
        let stored = InteractionChannel {
            sid: channel,
            interaction: sid,
            conversation: Some(conversation),
            medium: medium.to_owned(),
            status: ChannelStatus::Active,
            invites: Vec::new(),
            parties: vec![customer],
            updated: now,
            parked_by: None,
            paused_by: None,
        };
        self.interactions.channels.insert(channel, stored);
        let interaction = Interaction {
            sid,
            channel,
            medium: medium.to_owned(),
        };
        self.interactions.shelf.insert(sid, interaction);
        self.interactions
            .by_conversation
            .insert(conversation, channel);
        self.watch_interaction_channel(channel);
        channel
    }

    /// Invites agents to an interaction channel: makes a task, which inherits nothing from earlier ones.
    ///
    /// # Errors
    ///
    /// Fails if the interaction channel does not exist or has ended, or if TaskRouter does not take
    /// the task.
    pub fn invite(&mut self, channel: Sid, routing: Routing) -> Result<Sid, Refusal> {
        let stored = self.interaction_channel_or_refuse(channel)?;
        if matches!(stored.status, ChannelStatus::Closed | ChannelStatus::Failed) {
            return Err(Refusal::invalid(format!(
                "Interaction channel {channel} is {}",
                stored.status.as_str()
            )));
        }
        let (interaction, conversation, medium) = (
            stored.interaction,
            stored.conversation,
            stored.medium.clone(),
        );
        let invite = self.sid(b"KG");
        let mut text = routing.attributes.unwrap_or_else(|| "{}".to_owned());
        let quoted = |value: &str| serde_json::Value::from(value).to_string();
        text = attributes::with(&text, "channelType", &quoted(&medium));
        text = attributes::with(&text, "flexInteractionSid", &quoted(interaction.as_str()));
        text = attributes::with(
            &text,
            "flexInteractionChannelSid",
            &quoted(channel.as_str()),
        );
        text = attributes::with(&text, "flexChannelInviteSid", &quoted(invite.as_str()));
        if let Some(conversation) = conversation {
            text = attributes::with(&text, "conversationSid", &quoted(conversation.as_str()));
        }
        let named = routing.task_channel.as_deref();
        let task_channel = named.map(|name| {
            let found = self
                .find_task_channel(routing.workspace, name)
                .map(|found| found.sid);
            found.ok_or_else(|| Refusal::invalid(format!("TaskChannel {name} does not exist")))
        });
        let task = NewTask {
            attributes: Some(text),
            workflow: routing.workflow,
            queue: routing.queue,
            task_channel: task_channel.transpose()?,
            routing_target: routing.worker.map(|worker| worker.to_string()),
            ..Default::default()
        };
        let task = self.create_task(routing.workspace, task)?;
        self.interactions.by_task.insert(task, channel);
        if let Some(stored) = self.touch_interaction_channel(channel) {
            stored.invites.push(Invite { sid: invite, task });
            stored.status = ChannelStatus::Active;
            stored.paused_by = None;
            let parked_by = stored.parked_by.take();
            if let (Some(webhook), Some(conversation)) = (parked_by, conversation) {
                self.remove_channel_webhook(conversation, webhook).ok();
            }
        }
        Ok(invite)
    }

    /// Ends an interaction channel for good.
    ///
    /// Its tasks end with it or wait for their agents to wrap up; its conversation closes.
    ///
    /// # Errors
    ///
    /// Fails if the interaction channel does not exist or has ended.
    pub fn close_interaction_channel(
        &mut self,
        channel: Sid,
        ending: Ending,
    ) -> Result<(), Refusal> {
        let conversation = self.open_interaction_channel(channel)?.conversation;
        self.end_tasks_of(channel, ending)?;
        if let Some(stored) = self.touch_interaction_channel(channel) {
            stored.status = ChannelStatus::Closed;
        }
        let talking = |state: &Self, sid| {
            state
                .conversation(sid)
                .is_some_and(|stored| stored.state != ConversationState::Closed)
        };
        let closes = self.knobs.interactions_close_conversations;
        if let Some(conversation) = conversation.filter(|sid| closes && talking(self, *sid)) {
            self.set_conversation_state(conversation, ConversationState::Closed, Cause::Event);
        }
        Ok(())
    }

    /// Returns an interaction channel.
    pub fn interaction_channel(&self, sid: Sid) -> Option<&InteractionChannel> {
        self.interactions.channels.get(sid)
    }

    /// Returns the interaction channel that made a task.
    pub fn interaction_channel_of(&self, task: Sid) -> Option<&InteractionChannel> {
        self.interaction_channel(*self.interactions.by_task.get(&task)?)
    }

    /// Returns the interaction channel in which a conversation takes place.
    pub fn interaction_channel_in(&self, conversation: Sid) -> Option<&InteractionChannel> {
        self.interaction_channel(*self.interactions.by_conversation.get(&conversation)?)
    }

    pub(crate) fn interaction_channel_or_refuse(
        &self,
        sid: Sid,
    ) -> Result<&InteractionChannel, Refusal> {
        self.interaction_channel(sid)
            .ok_or_else(|| Refusal::absent(sid))
    }

    /// Lets the worker of a task into what the task is about: a Chat channel or an interaction.
    pub(crate) fn agent_joins(&mut self, task: Sid) {
        let Some(stored) = self.task(task) else {
            return;
        };
        let (about, worker, reservation) = (stored.channel, stored.worker, stored.reservation);
        let name = worker.and_then(|worker| self.agent_identity(worker));
        let Some(name) = name else { return };
        let Some(channel) = self.interactions.by_task.get(&task).copied() else {
            if let Some(channel) = about.and_then(|channel| self.chat.channels.get_mut(channel)) {
                channel.members.push(name);
            }
            return;
        };
        let sid = self.sid(b"UT");
        let Some(stored) = self.interactions.channels.get_mut(channel) else {
            return;
        };
        stored.parties.push(Party {
            sid,
            kind: PartyKind::Agent,
            task: Some(task),
            worker,
            reservation,
        });
        let conversation = stored.conversation.and_then(|sid| self.conversation(sid));
        let absent = conversation.filter(|stored| {
            stored
                .participants
                .iter()
                .all(|one| one.identity.as_deref() != Some(&name))
        });
        if let Some(conversation) = absent.map(|stored| stored.sid) {
            self.add_participant(
                conversation,
                NewParticipant {
                    identity: Some(name),
                    ..Default::default()
                },
            )
            .ok();
        }
    }

    pub(crate) fn interaction_channel_expires(&mut self, channel: Sid) {
        let now = self.now;
        if self
            .interaction_channel(channel)
            .is_some_and(|stored| later(stored.updated, FORGOTTEN) <= now)
        {
            self.interactions.channels.remove(channel);
        }
    }

    fn open_interaction_channel(&self, channel: Sid) -> Result<&InteractionChannel, Refusal> {
        let stored = self.interaction_channel_or_refuse(channel)?;
        if matches!(stored.status, ChannelStatus::Closed | ChannelStatus::Failed) {
            return Err(Refusal::invalid(format!(
                "Interaction channel {channel} is already {}",
                stored.status.as_str()
            )));
        }
        Ok(stored)
    }

    fn end_tasks_of(&mut self, channel: Sid, ending: Ending) -> Result<(), Refusal> {
        let tasks: Vec<Sid> = self
            .interaction_channel_or_refuse(channel)?
            .invites
            .iter()
            .map(|invite| invite.task)
            .collect();
        for task in tasks {
            self.end_interaction_task(task, ending)?;
        }
        Ok(())
    }

    fn touch_interaction_channel(&mut self, channel: Sid) -> Option<&mut InteractionChannel> {
        self.watch_interaction_channel(channel);
        let now = self.now;
        let stored = self.interactions.channels.get_mut(channel)?;
        stored.updated = now;
        Some(stored)
    }

    fn watch_interaction_channel(&mut self, channel: Sid) {
        self.due_in(FORGOTTEN, Due::InteractionChannelExpiry(channel));
    }
}
