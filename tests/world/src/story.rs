//! The acts of customers and agents.

use std::time::Duration;

use simulator::state::chat::{ChannelChange, ChannelType};
use simulator::state::conversations::conversation::ConversationChange;
use simulator::state::taskrouter::task::NewTask;
use simulator::{Contact, ConversationState, Sid, Transfer, Webhooks};

use super::{WORDS, World};

/// A customer's channel, and the task in which an agent sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chat {
    /// The channel.
    pub channel: Sid,
    /// The task.
    pub task: Sid,
}

impl World {
    /// A customer writes, and an agent will see it.
    pub fn customer_writes(&self, address: &str) -> Chat {
        self.calls.keep_time();
        let contact = self.twilio.state().customer_writes(address, WORDS);
        match contact {
            Contact::Started { channel, task }
            | Contact::Delivered { channel, task }
            | Contact::Reopened { channel, task } => Chat { channel, task },
            Contact::Kept { .. } | Contact::Lost { .. } | Contact::Unanswered => {
                panic!("{contact:?}")
            }
        }
    }

    /// A customer writes, and no agent will ever see it.
    pub fn customer_writes_in_vain(&self, address: &str) {
        self.calls.keep_time();
        let contact = self.twilio.state().customer_writes(address, WORDS);
        assert!(matches!(contact, Contact::Lost { .. }), "{contact:?}");
    }

    /// A customer writes on Conversations, and no agent and no program will ever see it.
    pub fn customer_converses_in_vain(&self, address: &str) {
        self.calls.keep_time();
        let contact = self.twilio.state().customer_converses(address, WORDS);
        assert!(matches!(contact, Contact::Lost { .. }), "{contact:?}");
    }

    /// A Conversation on which the agent works; it is not told to us yet.
    pub fn conversation_with_agent(&self, address: &str) -> Chat {
        let chat = self.customer_converses(address);
        self.agent_accepts(chat);
        chat
    }

    /// The agent accepts the task.
    pub fn agent_accepts(&self, chat: Chat) {
        self.calls.keep_time();
        let accepted = self.twilio.state().agent_accepts(chat.task, self.agent);
        accepted.unwrap();
    }

    /// The agent completes the task with the browser open, which cleans up.
    pub fn agent_completes(&self, chat: Chat) {
        self.calls.keep_time();
        self.twilio.state().agent_completes(chat.task).unwrap();
    }

    /// The task is completed, and no browser cleans up.
    pub fn tab_is_closed(&self, chat: Chat) {
        self.calls.keep_time();
        let completed = self.twilio.state().task_completed_by_nobody(chat.task);
        completed.unwrap();
    }

    /// The agent hands the chat to another agent, who has a task of their own.
    pub fn agent_transfers(&self, chat: Chat, transfer: Transfer) -> Chat {
        self.calls.keep_time();
        let second = self.twilio.state().agent_transfers(chat.task, transfer);
        let second = Chat {
            task: second.unwrap(),
            ..chat
        };
        self.agent_accepts(second);
        second
    }

    /// A chat that was completed without anybody cleaning up, all told to us.
    pub async fn chat_left_behind(&self, address: &str) -> Chat {
        let chat = self.customer_writes(address);
        self.agent_accepts(chat);
        self.tab_is_closed(chat);
        self.deliver().await;
        chat
    }

    /// A Conversation whose only task was canceled and that is in this state now.
    pub fn conversation_without_task(&self, address: &str, to: ConversationState) -> Sid {
        let Chat { channel, task } = self.customer_converses(address);
        let change = ConversationChange {
            state: Some(to),
            ..ConversationChange::default()
        };
        let mut state = self.twilio.state();
        state.task_canceled_by_supervisor(task).unwrap();
        state.update_conversation(channel, change).unwrap();
        channel
    }

    /// Several of them, by text message.
    pub async fn chats_left_behind(&self, count: usize) -> Vec<Chat> {
        let mut chats = Vec::new();
        for number in 0..count {
            let chat = self.customer_writes(&format!("+1555{number:07}"));
            self.agent_accepts(chat);
            self.tab_is_closed(chat);
            chats.push(chat);
        }
        self.deliver().await;
        chats
    }

    /// The attributes of a channel, byte for byte.
    pub fn attributes(&self, channel: Sid) -> String {
        let state = self.twilio.state();
        state.channel(channel).unwrap().attributes.clone()
    }

    /// Other software writes other attributes.
    pub fn somebody_writes(&self, channel: Sid, attributes: &str) {
        self.calls.keep_time();
        let change = ChannelChange {
            attributes: Some(attributes.to_owned()),
            ..ChannelChange::default()
        };
        let written = self
            .twilio
            .state()
            .update_channel(channel, Webhooks::Disabled, change);
        written.unwrap();
    }

    /// Returns true if the channel is closed as Flex understands it.
    pub fn is_inactive(&self, channel: Sid) -> bool {
        self.twilio.state().channel(channel).unwrap().is_inactive()
    }

    /// Returns true if the Conversation is closed.
    pub fn is_closed(&self, conversation: Sid) -> bool {
        let state = self.twilio.state();
        state.conversation(conversation).unwrap().state == ConversationState::Closed
    }

    /// Expects that since the calls were last forgotten so many requests were made at most
    /// and none was refused. TaskRouter's do not count: one of them serves many channels.
    pub fn expect_requests(&self, most: u64) {
        let calls = self.twilio.calls();
        let made = calls.total() - calls.of_product("taskrouter");
        let log: Vec<&str> = calls.log().collect();
        assert!(made <= most, "{made} requests: {log:#?}");
        assert_eq!(calls.refused(), []);
    }

    /// Returns true if the channel is to outlive its tasks.
    pub fn is_long_lived(&self, channel: Sid) -> bool {
        self.twilio
            .state()
            .channel(channel)
            .unwrap()
            .is_long_lived()
    }

    /// Returns the number of writes to channels since the calls were last forgotten.
    pub fn channel_writes(&self) -> u64 {
        self.twilio.calls().count("chat", "POST", "Channels/{Sid}")
    }

    /// A customer's own software opens another task on a channel.
    pub fn another_task_on(&self, channel: Sid) -> Sid {
        self.calls.keep_time();
        let attributes = serde_json::json!({ "channelSid": channel }).to_string();
        let project = self.project;
        let task = NewTask {
            attributes: Some(attributes),
            workflow: Some(project.workflow),
            queue: Some(project.queue),
            task_channel: Some(project.chat_task_channel),
            ..NewTask::default()
        };
        let created = self.twilio.state().create_task(project.workspace, task);
        created.unwrap()
    }

    /// A channel on which only a bot works, so that no task ever names it.
    pub fn channel_without_a_task(&self) -> Sid {
        let service = self.project.chat_service;
        let mut state = self.twilio.state();
        state
            .create_channel(service, ChannelType::Private, ChannelChange::default())
            .unwrap()
    }

    /// A while that is longer than every cutoff of channels that are not long-lived.
    pub async fn everything_falls_due(&self) {
        self.time_passes(Duration::from_secs(16 * 60)).await;
    }
}
