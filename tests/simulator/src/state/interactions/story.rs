//! Scenes of a contact centre on Flex Conversations.

use crate::state::State;
use crate::state::chat::story::{Contact, LostMessage};
use crate::state::conversations::conversation::{ConversationChange, NewParticipant, Source};
use crate::state::interactions::interaction::{ChannelStatus, Routing};
use crate::state::refusal::Refusal;
use crate::state::setup::flex::Project;
use crate::state::setup::flows::Medium;
use crate::state::setup::numbers::CONVERSATIONS_NUMBER;
use crate::state::sid::Sid;

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
    /// A visitor of a web page has an identity, everybody else an address pair.
    ///
    /// A reply finds the conversation that is not closed. With an open task it is delivered. If the agents left or a
    /// program parked it, a new task is made. If it is paused or a program answers in it, it is kept. Else it is lost.
    pub fn customer_converses(&mut self, address: &str, text: &str) -> Contact {
        let Some(project) = self.project() else {
            return Contact::Unanswered;
        };
        let ours = our_address(address);
        let open = match Medium::of_address(address) {
            Medium::Web => self.open_conversation_of(address),
            Medium::Sms | Medium::Whatsapp | Medium::Facebook | Medium::Line | Medium::Custom => {
                self.conversation_between(address, &ours)
            }
        };
        let Some(conversation) = open.map(|stored| stored.sid) else {
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
        let status = self.interaction_channel_in(conversation).map(|stored| {
            let parked = stored.parked_by.filter(|one| self.programs.contains(one));
            (stored.sid, stored.status, parked.is_some())
        });
        match status {
            Some((channel, ChannelStatus::Inactive, _) | (channel, _, true)) => {
                if let Ok(task) = self.flex_invites(project, channel, address) {
                    return Contact::Reopened {
                        channel: conversation,
                        task,
                    };
                }
            }
            Some((_, ChannelStatus::Pause, false)) => {
                return Contact::Kept {
                    channel: conversation,
                };
            }
            Some(_) | None => {}
        }
        if self.a_program_answers(conversation) {
            return Contact::Kept {
                channel: conversation,
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
        let customer = match Medium::of_address(address) {
            Medium::Web => NewParticipant {
                identity: Some(address.to_owned()),
                ..Default::default()
            },
            Medium::Sms | Medium::Whatsapp | Medium::Facebook | Medium::Line | Medium::Custom => {
                NewParticipant {
                    address: Some(address.to_owned()),
                    proxy_address: Some(ours.to_owned()),
                    ..Default::default()
                }
            }
        };
        self.add_participant(conversation, customer)?;
        self.say(conversation, address, text, "{}", Source::Customer)?;
        let channel = self.start_interaction(medium_word(address), conversation);
        let task = self.flex_invites(project, channel, address)?;
        Ok(Contact::Started {
            channel: conversation,
            task,
        })
    }

    pub(super) fn flex_invites(
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
