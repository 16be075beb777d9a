//! The customer who wrote last and whom neither an agent nor a program heard.

use super::Verdict;
use crate::activity::Party;
use crate::channel::Channel;
use crate::evidence::{Evidence, LastMessage, ProgramWebhooks};
use crate::fact::End;
use crate::queue::{Cause, Idle};

/// Returns when the customer wrote who waits unheard, if one does: the newest message is the
/// customer's and later than the last task's end, and neither a task nor a program answers it.
pub fn unheard(channel: &Channel, evidence: &Evidence, verdict: &Verdict) -> Option<LastMessage> {
    let idle = channel.idle()?;
    if verdict.row().is_answered() || evidence.has_program(idle) {
        return None;
    }
    evidence.customers_last_word(channel, idle)
}

impl Evidence {
    pub(super) fn has_program(&self, idle: Idle) -> bool {
        self.webhooks
            .is_some_and(|ProgramWebhooks { program, studio }| {
                program || (studio && idle.holder().is_some())
            })
    }

    /// The newest message, if it is the customer's and no task can have brought it to an agent.
    pub(super) fn customers_last_word(&self, channel: &Channel, idle: Idle) -> Option<LastMessage> {
        let message = self.last_message.flatten()?;
        let heard_until = match idle.cause {
            Cause::Ended {
                task,
                how: End::Vanished,
            } => {
                // The end itself was never told, and `since` is the time at which it was
                // noticed. What was written since the task was last seen may be unheard.
                let task = channel.tasks().get(&task)?;
                Some(task.seen_open_at.unwrap_or(task.opened_at))
            }
            Cause::Ended { .. } => Some(idle.since),
            Cause::Orphaned(_) => None,
        };
        (message.author == Party::Customer && Some(message.at) > heard_until).then_some(message)
    }
}
