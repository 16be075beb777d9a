//! Scenes of a contact centre: customers write, agents answer, browsers are closed too early.

use crate::state::State;
use crate::state::attributes;
use crate::state::chat::tricky_attributes;
use crate::state::chat::{ACTIVE, ChannelChange, ChannelType, INACTIVE, Webhooks};
use crate::state::conversations::conversation::Source;
use crate::state::interactions::interaction::Ending;
use crate::state::proxy::NewSession;
use crate::state::refusal::Refusal;
use crate::state::setup::flex::Project;
use crate::state::setup::flows::Medium;
use crate::state::sid::Sid;
use crate::state::taskrouter::task::{Expect, NewTask, TaskChange, TaskStatus};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Says what became of a customer's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// An agent has it or will have it: the channel has an open task.
    Delivered {
        /// Where it was written.
        channel: Sid,
        /// The newest open task.
        task: Sid,
    },
    /// The channel was released and long-lived: Flex made it active again, with a new task.
    Reopened {
        /// Where it was written.
        channel: Sid,
        /// The new task.
        task: Sid,
    },
    /// A new channel was made, with a new task.
    Started {
        /// The new channel.
        channel: Sid,
        /// The new task.
        task: Sid,
    },
    /// A program answers it, or an agent paused the channel and will see it.
    Kept {
        /// Where it was written.
        channel: Sid,
    },
    /// No agent will ever see it: the session leads to a channel without a task.
    Lost {
        /// Where it was written.
        channel: Sid,
    },
    /// No Flex Flow listens on this medium.
    Unanswered,
}

impl Contact {
    /// Returns the channel in which the message is.
    pub fn channel(self) -> Option<Sid> {
        match self {
            Self::Delivered { channel, .. }
            | Self::Reopened { channel, .. }
            | Self::Started { channel, .. }
            | Self::Kept { channel }
            | Self::Lost { channel } => Some(channel),
            Self::Unanswered => None,
        }
    }

    /// Returns the task in which an agent will see the message.
    pub fn task(self) -> Option<Sid> {
        match self {
            Self::Delivered { task, .. }
            | Self::Reopened { task, .. }
            | Self::Started { task, .. } => Some(task),
            Self::Kept { .. } | Self::Lost { .. } | Self::Unanswered => None,
        }
    }
}

/// Is a message that no agent will ever see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostMessage {
    /// Where it was written.
    pub channel: Sid,
    /// When.
    pub at: Timestamp,
}

/// Says how a transfer treats the first task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// The first task names its channel to the end.
    KeepsChannel,
    /// The first task's attributes lose `channelSid` before it ends, as chat-transfer plugins do.
    LosesChannel,
}

/// Says whether an agent's browser is there to clean up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Browser {
    Open,
    Closed,
}

const FINISHED: &str = "All reservations were completed";

impl State {
    /// Lets a customer write; the address tells the medium: `+1555…`, `whatsapp:…`, `messenger:…`, else the web.
    pub fn customer_writes(&mut self, address: &str, text: &str) -> Contact {
        let Some(project) = self.project() else {
            return Contact::Unanswered;
        };
        let Some(session) = self.open_session_of(address).map(|session| session.sid) else {
            return self
                .contact_starts(project, address, text)
                .unwrap_or(Contact::Unanswered);
        };
        self.interaction_in(session);
        let named = self
            .session(session)
            .and_then(|session| session.unique_name.clone())
            .unwrap_or_default();
        // Names may carry a suffix: only the first 34 characters are the channel.
        let Some(channel) = named.get(..34).and_then(|name| name.parse::<Sid>().ok()) else {
            return Contact::Unanswered;
        };
        self.write_message(
            channel,
            address,
            text,
            "{}",
            Source::Customer,
            Webhooks::Enabled,
        )
        .ok();
        if let Some(task) = self.open_tasks_on(channel).next_back() {
            return Contact::Delivered {
                channel,
                task: task.sid,
            };
        }
        let waiting = self
            .channel(channel)
            .is_some_and(|stored| stored.is_inactive() && stored.is_long_lived());
        if waiting
            && self.set_channel_status(channel, ACTIVE).is_ok()
            && let Ok(task) = self.flex_makes_task(project, channel, address)
        {
            return Contact::Reopened { channel, task };
        }
        if self.a_program_answers(channel) {
            return Contact::Kept { channel };
        }
        self.lost.push(LostMessage {
            channel,
            at: self.now,
        });
        Contact::Lost { channel }
    }

    /// Iterates over the messages that no agent will ever see, oldest first.
    pub fn lost_messages(&self) -> impl Iterator<Item = &LostMessage> {
        self.lost.iter()
    }

    /// Lets an agent accept a task.
    ///
    /// # Errors
    ///
    /// Fails if the worker or the task does not exist, or if the task cannot be assigned any more.
    pub fn agent_accepts(&mut self, task: Sid, worker: Sid) -> Result<(), Refusal> {
        self.worker(worker).ok_or_else(|| Refusal::absent(worker))?;
        self.assign_to(task, Some(worker))
    }

    /// Lets the agent of a task write.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist, names no channel or has no agent, or if its channel takes
    /// no message.
    pub fn agent_writes(&mut self, task: Sid, text: &str) -> Result<Sid, Refusal> {
        let stored = self.task_or_refuse(task)?;
        let channel = stored
            .channel
            .ok_or_else(|| Refusal::invalid(format!("task {task} names no channel")))?;
        let author = stored.worker.and_then(|worker| self.agent_identity(worker));
        let author = author.ok_or_else(|| Refusal::invalid(format!("task {task} has no agent")))?;
        if let Some(conversation) = self.conversation(channel) {
            // A browser's SDK refuses an author who takes no part. The agent of a task without an
            // interaction takes none.
            if conversation.participant(&author).is_none() {
                let why = format!("{author} is no participant of {channel}");
                return Err(Refusal::invalid(why));
            }
            return self.say(channel, &author, text, "{}", Source::Sdk);
        }
        self.write_message(channel, &author, text, "{}", Source::Sdk, Webhooks::Enabled)
    }

    /// Lets the agent end the chat; what follows is up to [`State::agent_completes`], or nothing follows.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist or is not assigned.
    pub fn agent_wraps_up(&mut self, task: Sid) -> Result<(), Refusal> {
        self.update_task(
            task,
            Expect::Any,
            TaskChange {
                status: Some(TaskStatus::Wrapping),
                ..Default::default()
            },
        )
    }

    /// Lets the agent complete the task with the browser open: it sets the Chat channel INACTIVE and Flex
    /// ends the session, or it closes the interaction channel and with it the conversation.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist or has ended.
    pub fn agent_completes(&mut self, task: Sid) -> Result<(), Refusal> {
        self.end_task(task, Browser::Open)
    }

    /// Completes a task without a browser, as when its tab was closed: the channel stays as it is. This is the disease.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist or has ended.
    pub fn task_completed_by_nobody(&mut self, task: Sid) -> Result<(), Refusal> {
        self.end_task(task, Browser::Closed)
    }

    /// Cancels a task that no agent took; the channel stays as it is.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist, or if an agent has it.
    pub fn task_canceled_by_supervisor(&mut self, task: Sid) -> Result<(), Refusal> {
        let change = TaskChange {
            status: Some(TaskStatus::Canceled),
            reason: Some("canceled by supervisor".to_owned()),
            ..Default::default()
        };
        self.update_task(task, Expect::Any, change)
    }

    /// Deletes a task through the API; the channel stays as it is.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist.
    pub fn task_deleted_through_api(&mut self, task: Sid) -> Result<(), Refusal> {
        self.delete_task(task, Expect::Any)
    }

    /// Starts a transfer: a second task on the same channel, while the first is still open.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist.
    pub fn transfer_begins(&mut self, task: Sid) -> Result<Sid, Refusal> {
        let first = self.task_or_refuse(task)?.clone();
        let second = NewTask {
            attributes: Some(first.attributes.to_string()),
            workflow: first.workflow,
            queue: first.queue,
            task_channel: Some(first.task_channel),
            ..Default::default()
        };
        self.create_task(first.workspace, second)
    }

    /// Ends a transfer: the first task goes, the channel stays with the second.
    ///
    /// # Errors
    ///
    /// Fails if the first task does not exist or has ended.
    pub fn transfer_ends(&mut self, first: Sid, transfer: Transfer) -> Result<(), Refusal> {
        if transfer == Transfer::LosesChannel {
            let attributes =
                attributes::without(&self.task_or_refuse(first)?.attributes, "channelSid");
            self.update_task(
                first,
                Expect::Any,
                TaskChange {
                    attributes: Some(attributes),
                    ..Default::default()
                },
            )?;
        }
        if self.task_or_refuse(first)?.status == TaskStatus::Assigned {
            self.agent_wraps_up(first)?;
        }
        self.end_task(first, Browser::Closed)
    }

    /// Transfers a chat at once and returns the second task.
    ///
    /// # Errors
    ///
    /// Fails if the task does not exist or has ended.
    pub fn agent_transfers(&mut self, task: Sid, transfer: Transfer) -> Result<Sid, Refusal> {
        let second = self.transfer_begins(task)?;
        self.transfer_ends(task, transfer)?;
        Ok(second)
    }

    fn end_task(&mut self, task: Sid, browser: Browser) -> Result<(), Refusal> {
        let interaction = self.interaction_channel_of(task).map(|channel| channel.sid);
        if let Some(channel) = interaction.filter(|_| browser == Browser::Open) {
            return self.close_interaction_channel(channel, Ending::Complete);
        }
        let channel = self.task_or_refuse(task)?.channel;
        let change = TaskChange {
            status: Some(TaskStatus::Completed),
            reason: Some(FINISHED.to_owned()),
            ..Default::default()
        };
        self.update_task(task, Expect::Any, change)?;
        if let Some(channel) =
            channel.filter(|channel| browser == Browser::Open && self.channel(*channel).is_some())
        {
            self.set_channel_status(channel, INACTIVE)?;
            if let Some(stored) = self.chat.channels.get_mut(channel) {
                stored.members.clear();
            }
        }
        Ok(())
    }

    fn contact_starts(
        &mut self,
        project: Project,
        address: &str,
        text: &str,
    ) -> Result<Contact, Refusal> {
        let medium = Medium::of_address(address);
        let Some(flow) = self.flow_for(medium).cloned() else {
            return Ok(Contact::Unanswered);
        };
        let service = flow.chat_service.parse().unwrap_or(project.chat_service);
        let channel =
            self.create_channel(service, ChannelType::Private, ChannelChange::default())?;
        let session = NewSession {
            unique_name: Some(channel.to_string()),
            mode: Some("message-only".to_owned()),
            address: Some(address.to_owned()),
            ttl: None,
        };
        let session = self.open_session(project.proxy_service, session)?;
        let attributes =
            tricky_attributes::channel_attributes(&mut self.rng, &flow, address, session);
        let change = ChannelChange {
            attributes: Some(attributes),
            friendly_name: Some(address.to_owned()),
            ..Default::default()
        };
        self.update_channel(channel, Webhooks::Disabled, change)?;
        if let Some(stored) = self.chat.channels.get_mut(channel) {
            stored.members.push(address.to_owned());
        }
        self.interaction_in(session);
        self.write_message(
            channel,
            address,
            text,
            "{}",
            Source::Customer,
            Webhooks::Enabled,
        )?;
        let task = self.flex_makes_task(project, channel, address)?;
        Ok(Contact::Started { channel, task })
    }

    fn flex_makes_task(
        &mut self,
        project: Project,
        channel: Sid,
        address: &str,
    ) -> Result<Sid, Refusal> {
        let medium = Medium::of_address(address).as_str();
        let attributes =
            serde_json::json!({ "channelSid": channel, "channelType": medium, "name": address });
        let task = NewTask {
            attributes: Some(attributes.to_string()),
            workflow: Some(project.workflow),
            queue: Some(project.queue),
            task_channel: Some(project.chat_task_channel),
            ..Default::default()
        };
        self.create_task(project.workspace, task)
    }
}
