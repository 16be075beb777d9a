//! Conversations that an agent left, paused or was taken out of, and what Twilio does with them later.

use crate::state::State;
use crate::state::clock::{Due, later};
use crate::state::conversations::Cause;
use crate::state::conversations::conversation::ConversationState;
use crate::state::interactions::interaction::{ChannelStatus, Ending, Party, PartyKind};
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use crate::state::taskrouter::task::TaskStatus;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The time for which Twilio keeps a conversation that its agents left:
/// <https://www.twilio.com/docs/flex/admin-guide/setup/conversations/leave-and-pause-for-conversations>.
const LEFT_LIFE: Duration = DAY.saturating_mul(90);
/// The time for which a conversation stays paused before Twilio routes it again; the same page.
const PAUSE_LIFE: Duration = DAY.saturating_mul(14);

/// Reading of Twilio's page on Pause, which says both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PauseReading {
    /// The task stays assigned, in a paused state, and takes no capacity.
    KeepsTask,
    /// The task is completed; Resume makes a new one.
    EndsTask,
}

impl State {
    /// Ends the tasks of all agents of an interaction channel and sets it `inactive`; a reply makes a new task.
    ///
    /// Twilio closes the channel and its conversation after 90 days without a reply.
    ///
    /// # Errors
    ///
    /// Refuses a channel that is absent, closed or failed.
    pub fn leave_interaction_channel(&mut self, channel: Sid) -> Result<(), Refusal> {
        self.open_interaction_channel(channel)?;
        self.end_tasks_of(channel, Ending::Complete)?;
        self.remove_agents(channel);
        if let Some(stored) = self.touch_interaction_channel(channel) {
            stored.status = ChannelStatus::Inactive;
        }
        self.due_in(LEFT_LIFE, Due::LeftChannel(channel));
        let conversation = self.interaction_channel_or_refuse(channel)?.conversation;
        if let Some(conversation) = conversation.filter(|_| self.knobs.leave_closes) {
            self.set_conversation_state(conversation, ConversationState::Closed, Cause::Event);
        }
        Ok(())
    }

    /// Ends or wraps up the task of one agent; a task that ends takes the agent out of the conversation.
    ///
    /// Channel and conversation go on. Returns the participant as it was.
    ///
    /// # Errors
    ///
    /// Refuses a participant that is absent.
    pub fn dismiss_party(
        &mut self,
        channel: Sid,
        party: Sid,
        ending: Ending,
    ) -> Result<Party, Refusal> {
        let stored = self.interaction_channel_or_refuse(channel)?;
        let found = stored.parties.iter().find(|one| one.sid == party).copied();
        let found = found.ok_or_else(|| Refusal::absent(party))?;
        if let Some(task) = found.task {
            self.end_interaction_task(task, ending)?;
        }
        if ending == Ending::Complete {
            self.remove_party(channel, found);
        }
        self.touch_interaction_channel(channel);
        Ok(found)
    }

    /// Lets the agent of a task leave: the task ends, the channel becomes `inactive`, a reply makes a new task.
    ///
    /// # Errors
    ///
    /// Refuses a task that is not of an interaction, and a channel that is closed or failed.
    pub fn agent_leaves(&mut self, task: Sid) -> Result<(), Refusal> {
        let channel = self.channel_that_made(task)?;
        self.leave_interaction_channel(channel)
    }

    /// Takes the agent of a task out of its interaction: the task ends, the channel stays `active` without an agent
    /// but the customer, whose next message reaches no agent.
    ///
    /// # Errors
    ///
    /// Refuses a task that is not of an interaction or has no agent.
    pub fn agent_removed(&mut self, task: Sid) -> Result<(), Refusal> {
        let channel = self.channel_that_made(task)?;
        let stored = self.interaction_channel_or_refuse(channel)?;
        let mut parties = stored.parties.iter();
        let agent = parties.find(|one| one.kind == PartyKind::Agent && one.task == Some(task));
        let agent = agent.map(|one| one.sid);
        let agent = agent.ok_or_else(|| Refusal::invalid(format!("task {task} has no agent")))?;
        self.dismiss_party(channel, agent, Ending::Complete)
            .map(drop)
    }

    /// Lets the agent of a task pause its conversation; the knob `pause` says what becomes of the task.
    ///
    /// Twilio routes the conversation to the queue after 14 days, with a new task.
    ///
    /// # Errors
    ///
    /// Refuses a task that is not of an interaction or is not assigned.
    pub fn agent_pauses(&mut self, task: Sid) -> Result<(), Refusal> {
        let channel = self.channel_that_made(task)?;
        let worker = self.task_or_refuse(task)?.worker;
        let paused_by = match self.knobs.pause {
            PauseReading::KeepsTask => {
                self.put_aside(task, true)?;
                None
            }
            PauseReading::EndsTask => {
                self.agent_removed(task)?;
                worker
            }
        };
        if let Some(stored) = self.touch_interaction_channel(channel) {
            stored.status = ChannelStatus::Pause;
            stored.paused_by = paused_by;
        }
        self.due_in(PAUSE_LIFE, Due::PausedChannel(channel));
        Ok(())
    }

    /// Lets the agent who paused a conversation resume it; `task` is the one that was paused.
    ///
    /// Returns the task in which the agent works on: the same one, or a new one where the pause ended it.
    ///
    /// # Errors
    ///
    /// Refuses a conversation that is not paused.
    pub fn agent_resumes(&mut self, task: Sid) -> Result<Sid, Refusal> {
        let channel = self.channel_that_made(task)?;
        let stored = self.interaction_channel_or_refuse(channel)?;
        if stored.status != ChannelStatus::Pause {
            return Err(Refusal::invalid(format!("{channel} is not paused")));
        }
        let Some(worker) = stored.paused_by else {
            self.put_aside(task, false)?;
            if let Some(stored) = self.touch_interaction_channel(channel) {
                stored.status = ChannelStatus::Active;
            }
            return Ok(task);
        };
        let task = self.invite_again(channel)?;
        self.agent_accepts(task, worker)?;
        Ok(task)
    }

    /// Sets the status of an interaction channel, for those that no other method leads to.
    ///
    /// # Errors
    ///
    /// Refuses a channel that is absent.
    pub fn set_interaction_status(
        &mut self,
        channel: Sid,
        status: ChannelStatus,
    ) -> Result<(), Refusal> {
        let stored = self.touch_interaction_channel(channel);
        stored.ok_or_else(|| Refusal::absent(channel))?.status = status;
        Ok(())
    }

    /// Closes a channel that its agents left long ago.
    pub(crate) fn left_channel_ends(&mut self, channel: Sid) {
        if self.stands_since(channel, ChannelStatus::Inactive, LEFT_LIFE) {
            self.close_interaction_channel(channel, Ending::Complete)
                .ok();
        }
    }

    /// Routes a conversation again that was paused long ago.
    pub(crate) fn paused_channel_ends(&mut self, channel: Sid) {
        if self.stands_since(channel, ChannelStatus::Pause, PAUSE_LIFE) {
            self.end_tasks_of(channel, Ending::Complete).ok();
            self.remove_agents(channel);
            self.invite_again(channel).ok();
        }
    }

    pub(super) fn channel_that_made(&self, task: Sid) -> Result<Sid, Refusal> {
        let channel = self.interaction_channel_of(task).map(|channel| channel.sid);
        channel.ok_or_else(|| Refusal::invalid(format!("task {task} is not of an interaction")))
    }

    /// Routes the customer of an interaction channel to the queue, by a new task.
    fn invite_again(&mut self, channel: Sid) -> Result<Sid, Refusal> {
        let project = self.project();
        let project = project.ok_or_else(|| Refusal::absent("Configuration"))?;
        let conversation = self.interaction_channel_or_refuse(channel)?.conversation;
        let stored = conversation.and_then(|sid| self.conversation(sid));
        let customer = stored.and_then(|stored| stored.participants.first());
        let address = customer.and_then(crate::state::conversations::conversation::party);
        let address = address.unwrap_or_default().to_owned();
        self.flex_invites(project, channel, &address)
    }

    fn stands_since(&self, channel: Sid, status: ChannelStatus, life: Duration) -> bool {
        self.interaction_channel(channel).is_some_and(|stored| {
            stored.status == status && later(stored.updated, life) <= self.now
        })
    }

    fn remove_agents(&mut self, channel: Sid) {
        let stored = self.interaction_channel(channel);
        let parties = stored.map(|stored| stored.parties.clone());
        for party in parties.into_iter().flatten() {
            if party.kind == PartyKind::Agent {
                self.remove_party(channel, party);
            }
        }
    }

    fn remove_party(&mut self, channel: Sid, party: Party) {
        let Some(stored) = self.interactions.channels.get_mut(channel) else {
            return;
        };
        stored.parties.retain(|one| one.sid != party.sid);
        let (conversation, worker) = (stored.conversation, party.worker);
        let still_here = stored.parties.iter().any(|one| one.worker == worker);
        let identity = worker.and_then(|worker| self.agent_identity(worker));
        if let (Some(conversation), Some(identity), false) = (conversation, identity, still_here) {
            self.remove_participant(conversation, &identity);
        }
    }

    /// Ends one task of an interaction; one that is over or purged stays as it is.
    pub(super) fn end_interaction_task(
        &mut self,
        task: Sid,
        ending: Ending,
    ) -> Result<(), Refusal> {
        let Some(status) = self.task(task).map(|task| task.status) else {
            return Ok(());
        };
        let to = match (status, ending) {
            (TaskStatus::Pending | TaskStatus::Reserved, _) => TaskStatus::Canceled,
            (TaskStatus::Assigned, Ending::WrapUp) => TaskStatus::Wrapping,
            (TaskStatus::Assigned | TaskStatus::Wrapping, Ending::Complete) => {
                TaskStatus::Completed
            }
            (TaskStatus::Wrapping, Ending::WrapUp)
            | (TaskStatus::Completed | TaskStatus::Canceled, _) => return Ok(()),
        };
        self.set_task_status(task, to, "interaction channel ended")
    }
}
