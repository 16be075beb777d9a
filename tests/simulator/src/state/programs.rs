//! Programs that listen in a channel and answer: bots, surveys and what parks a conversation.

use crate::state::State;
use crate::state::chat::Webhooks;
use crate::state::conversations::conversation::Source;
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use crate::state::webhooks::WebhookTarget;

/// Where the park of Twilio's Flex project template would listen.
const PARK_URL: &str = "https://flex.example.com/features/park-interaction/unpark";

impl State {
    /// Adds a webhook of type `webhook` to a Chat channel or conversation, behind which a program answers from now on.
    ///
    /// The program is part of this world: its calls are not among [`State::take_webhook_calls`].
    ///
    /// # Errors
    ///
    /// Refuses a channel that is absent, closed or has five webhooks.
    pub fn program_joins(&mut self, channel: Sid, url: &str) -> Result<Sid, Refusal> {
        let event = if self.conversation(channel).is_some() {
            "onMessageAdded"
        } else {
            "onMessageSent"
        };
        let target = WebhookTarget {
            url: Some(url.to_owned()),
            method: Some("POST".to_owned()),
            filters: vec![event.to_owned()],
            ..Default::default()
        };
        let webhook = self.add_channel_webhook(channel, "webhook", target)?;
        self.programs.insert(webhook);
        Ok(webhook)
    }

    /// Takes a program's webhook from its channel.
    ///
    /// # Errors
    ///
    /// Refuses a webhook that is absent.
    pub fn program_leaves(&mut self, channel: Sid, webhook: Sid) -> Result<(), Refusal> {
        self.remove_channel_webhook(channel, webhook)
    }

    /// Lets a program write by REST under its own name, as no participant.
    ///
    /// # Errors
    ///
    /// Refuses a channel that is absent or closed.
    pub fn program_writes(&mut self, channel: Sid, name: &str, text: &str) -> Result<Sid, Refusal> {
        if self.conversation(channel).is_some() {
            self.say(channel, name, text, "{}", Source::Api)
        } else {
            self.write_message(channel, name, text, "{}", Source::Api, Webhooks::Enabled)
        }
    }

    /// Lets a program park the conversation of a task, as Flex's park plugins do: it adds its webhook and takes the
    /// agent out. The task ends, the interaction channel stays `active`, and a reply makes a new task.
    ///
    /// # Errors
    ///
    /// Refuses a task that is not of an interaction or has no agent.
    pub fn program_parks(&mut self, task: Sid) -> Result<(), Refusal> {
        let stored = self.interaction_channel_of(task);
        let found = stored.and_then(|stored| Some((stored.sid, stored.conversation?)));
        let (channel, conversation) = found
            .ok_or_else(|| Refusal::invalid(format!("task {task} is not of an interaction")))?;
        let webhook = self.program_joins(conversation, PARK_URL)?;
        if let Err(refusal) = self.agent_removed(task) {
            self.program_leaves(conversation, webhook)?;
            return Err(refusal);
        }
        if let Some(stored) = self.interactions.channels.get_mut(channel) {
            stored.parked_by = Some(webhook);
        }
        Ok(())
    }

    /// Says whether a program answers in a channel: one that joined, or a Studio flow that has made no task yet.
    pub(crate) fn a_program_answers(&self, channel: Sid) -> bool {
        let webhooks = self.webhooks_of(channel).unwrap_or_default();
        let handed_over = self.router.channels_with_tasks.contains(&channel);
        webhooks.iter().any(|webhook| {
            self.programs.contains(&webhook.sid) || (webhook.kind == "studio" && !handed_over)
        })
    }
}
