//! What happens in a contact centre on Flex Conversations.

use super::super::State;
use super::super::conversations::conversation::{ConversationChange, NewParticipant, Source};
use super::super::flex::Project;
use super::super::flows::Medium;
use super::super::numbers::CONVERSATIONS_NUMBER;
use super::super::refusal::Refusal;
use super::super::sid::Sid;
use super::super::story::{Contact, LostMessage};
use super::interaction::{ChannelStatus, Ending, NewInteraction, PartyKind, Routing};

/// Returns our address to which a customer on Conversations writes.
fn our_address(customer: &str) -> String {
    match Medium::of_address(customer) {
        Medium::Whatsapp => format!("whatsapp:{CONVERSATIONS_NUMBER}"),
        Medium::Facebook => "messenger:104857602".to_owned(),
        Medium::Web | Medium::Sms | Medium::Line | Medium::Custom => {
            CONVERSATIONS_NUMBER.to_owned()
        }
    }
}

fn medium_word(customer: &str) -> &'static str {
    match Medium::of_address(customer) {
        Medium::Whatsapp => "whatsapp",
        Medium::Facebook => "messenger",
        Medium::Sms => "sms",
        Medium::Web => "web",
        Medium::Line | Medium::Custom => "chat",
    }
}

impl State {
    /// Lets a customer write to a number of Conversations; addresses are as in [`State::customer_writes`].
    ///
    /// A reply finds the conversation that is not closed: with an open task it is delivered; if the agents left
    /// or parked it, a new task is made; else nobody will see it.
    pub fn customer_converses(&mut self, address: &str, text: &str) -> Contact {
        let Some(project) = self.project() else {
            return Contact::Unanswered;
        };
        let ours = our_address(address);
        let Some(conversation) = self
            .conversation_between(address, &ours)
            .map(|stored| stored.sid)
        else {
            return self
                .conversation_starts(project, address, &ours, text)
                .unwrap_or(Contact::Unanswered);
        };
        self.say(conversation, address, text, "{}", Source::Customer)
            .ok();
        if let Some(task) = self.open_tasks_on(conversation).next_back() {
            return Contact::Delivered {
                channel: conversation,
                task: task.sid,
            };
        }
        let waiting = self
            .interactions
            .by_conversation
            .get(&conversation)
            .copied()
            .filter(|channel| {
                let stored = self.interaction_channel(*channel);
                stored
                    .is_some_and(|stored| stored.status == ChannelStatus::Inactive || stored.parked)
            });
        if let Some(channel) = waiting
            && let Ok(task) = self.flex_invites(project, channel, address)
        {
            return Contact::Reopened {
                channel: conversation,
                task,
            };
        }
        self.lost.push(LostMessage {
            channel: conversation,
            at: self.now,
        });
        Contact::Lost {
            channel: conversation,
        }
    }

    /// Lets the agent leave a conversation: the task ends, the channel becomes inactive, a reply makes a new task.
    pub fn agent_leaves(&mut self, task: Sid) -> Result<(), Refusal> {
        let channel = self.channel_that_made(task)?;
        self.leave_interaction_channel(channel)
    }

    /// Lets the agent park a conversation with a plugin: only the agent goes, and a reply makes a new task.
    pub fn agent_parks(&mut self, task: Sid) -> Result<(), Refusal> {
        let channel = self.channel_that_made(task)?;
        let stored = self.interaction_channel_or_refuse(channel)?;
        let agent = stored
            .parties
            .iter()
            .find(|party| party.kind == PartyKind::Agent && party.task == Some(task));
        let agent = agent
            .ok_or_else(|| Refusal::invalid(format!("task {task} has no agent")))?
            .sid;
        self.dismiss_party(channel, agent, Ending::Complete)?;
        if let Some(stored) = self.interactions.channels.get_mut(channel) {
            stored.parked = true;
        }
        Ok(())
    }

    /// Lets the agent put a conversation aside: the task stays assigned and takes no capacity.
    pub fn agent_pauses(&mut self, task: Sid) -> Result<(), Refusal> {
        self.set_pause(task, ChannelStatus::Pause)
    }

    /// Lets the agent take a conversation up again that was put aside.
    pub fn agent_resumes(&mut self, task: Sid) -> Result<(), Refusal> {
        self.set_pause(task, ChannelStatus::Active)
    }

    fn set_pause(&mut self, task: Sid, status: ChannelStatus) -> Result<(), Refusal> {
        let channel = self.channel_that_made(task)?;
        self.put_aside(task, status == ChannelStatus::Pause)?;
        if let Some(stored) = self.touch_interaction_channel(channel) {
            stored.status = status;
        }
        Ok(())
    }

    fn channel_that_made(&self, task: Sid) -> Result<Sid, Refusal> {
        let channel = self.interaction_channel_of(task).map(|channel| channel.sid);
        channel.ok_or_else(|| Refusal::invalid(format!("task {task} is not of an interaction")))
    }

    fn conversation_starts(
        &mut self,
        project: Project,
        address: &str,
        ours: &str,
        text: &str,
    ) -> Result<Contact, Refusal> {
        let service = self
            .default_conversation_service()
            .unwrap_or(project.chat_service);
        let change = ConversationChange {
            friendly_name: Some(address.to_owned()),
            ..Default::default()
        };
        let conversation = self.create_conversation(service, change)?;
        let customer = NewParticipant {
            address: Some(address.to_owned()),
            proxy_address: Some(ours.to_owned()),
            ..Default::default()
        };
        self.add_participant(conversation, customer)?;
        self.say(conversation, address, text, "{}", Source::Customer)?;
        let interaction = self.start_interaction(NewInteraction {
            medium: medium_word(address).to_owned(),
            conversation: Some(conversation),
            routing: None,
            context: None,
            webhook: None,
        })?;
        let channel = self
            .interaction(interaction)
            .ok_or_else(|| Refusal::absent(interaction))?
            .channel;
        let task = self.flex_invites(project, channel, address)?;
        Ok(Contact::Started {
            channel: conversation,
            task,
        })
    }

    fn flex_invites(
        &mut self,
        project: Project,
        channel: Sid,
        address: &str,
    ) -> Result<Sid, Refusal> {
        let attributes = serde_json::json!({
            "customerAddress": address,
            "customerName": address,
            "from": address,
            "conversations": { "communication_channel": "Chat" },
        });
        let routing = Routing {
            workspace: project.workspace,
            workflow: Some(project.workflow),
            queue: Some(project.queue),
            worker: None,
            task_channel: Some("chat".to_owned()),
            attributes: Some(attributes.to_string()),
        };
        let invite = self.invite(channel, routing)?;
        let stored = self.interaction_channel_or_refuse(channel)?;
        let task = stored
            .invites
            .iter()
            .find(|one| one.sid == invite)
            .map(|one| one.task);
        task.ok_or_else(|| Refusal::absent(invite))
    }
}
