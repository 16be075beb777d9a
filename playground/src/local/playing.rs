//! A customer of the contact centre at work, and what is still to come in that chat.

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use simulator::state::State;
use simulator::state::sid::Sid;

use crate::demo::customers::{Act, Customer};

/// A customer whose script is not over.
#[derive(Serialize, Deserialize)]
pub(super) struct Playing {
    pub(super) who: Who,
    /// Steps that are still to come, the last first.
    pub(super) script: Vec<(Timestamp, Step)>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Who {
    OnChat(Box<Customer>),
    OnConversations { address: String, task: Option<Sid> },
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Step {
    Act(Act),
    Dialogue(Dialogue),
    /// The agent says something, and it is the customer's turn.
    AgentWrites,
    /// The customer has found their glasses.
    CustomerReplies,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Dialogue {
    CustomerWrites,
    AgentAccepts,
    AgentWrapsUp,
    BrowserIsClosed,
}

impl Playing {
    /// Lets it happen; false if it cannot.
    pub(super) fn takes(&mut self, step: Step, state: &mut State, agent: Sid) -> bool {
        match (&mut self.who, step) {
            (Who::OnChat(customer), Step::Act(act)) => customer.act(act, state, agent).is_ok(),
            (Who::OnConversations { address, task }, Step::Dialogue(talk)) => {
                talk.happens(address, task, state, agent)
            }
            (Who::OnChat(_), Step::Dialogue(_)) | (Who::OnConversations { .. }, Step::Act(_)) => {
                false
            }
            (_, Step::AgentWrites) => self.task().is_some_and(|task| {
                // Another agent may have the chat now.
                state.agent_writes(task, "Let me see.").ok();
                true
            }),
            (Who::OnChat(customer), Step::CustomerReplies) => {
                state.customer_writes(&customer.address, "Here is the number.");
                true
            }
            (Who::OnConversations { address, .. }, Step::CustomerReplies) => {
                state.customer_converses(address, "Here is the number.");
                true
            }
        }
    }

    pub(super) fn address(&self) -> &str {
        match &self.who {
            Who::OnChat(customer) => &customer.address,
            Who::OnConversations { address, .. } => address,
        }
    }

    /// Returns true if this step ended the task and no browser cleans the channel up.
    pub(super) fn leaves_open(&self, step: Step) -> bool {
        self.script.is_empty()
            && matches!(
                step,
                Step::Act(Act::TabIsClosed | Act::TaskDeleted)
                    | Step::Dialogue(Dialogue::BrowserIsClosed)
            )
    }

    fn task(&self) -> Option<Sid> {
        match &self.who {
            Who::OnChat(customer) => customer.task,
            Who::OnConversations { task, .. } => *task,
        }
    }
}

impl Step {
    /// Returns true if a customer writes for the first time.
    pub(super) const fn begins(self) -> bool {
        matches!(
            self,
            Self::Act(Act::CustomerWrites) | Self::Dialogue(Dialogue::CustomerWrites)
        )
    }
}

impl Dialogue {
    fn happens(self, address: &str, task: &mut Option<Sid>, state: &mut State, agent: Sid) -> bool {
        match (self, *task) {
            (Self::CustomerWrites, _) => {
                *task = state
                    .customer_converses(address, "Where is my parcel?")
                    .task();
                task.is_some()
            }
            (Self::AgentAccepts, Some(task)) => state.agent_accepts(task, agent).is_ok(),
            (Self::AgentWrapsUp, Some(task)) => state.agent_wraps_up(task).is_ok(),
            (Self::BrowserIsClosed, Some(task)) => state.task_completed_by_nobody(task).is_ok(),
            (Self::AgentAccepts | Self::AgentWrapsUp | Self::BrowserIsClosed, None) => false,
        }
    }
}
