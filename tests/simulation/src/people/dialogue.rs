//! Agents and customers who write to each other, and silences in which a chat may be parked.

use domain::ManualRequest;
use simulator::state::taskrouter::task::{Expect, TaskChange};
use simulator::{Sid, TaskStatus};

use crate::borders::twilio_transport::add_to_task;
use crate::functions::Deployment;
use crate::functions::parking::parked_tasks;
use crate::oracle::WORDS;
use crate::shared::Shared;

use super::People;

impl People {
    /// An agent or a customer writes in a chat that an agent has, or other software writes to
    /// its task.
    pub(super) fn converse(&mut self, deployment: &Deployment) {
        let Some((task, channel)) = self.assigned_chat(deployment) else {
            return self.agent_acts(deployment);
        };
        match self.rng.u8(..100) {
            0..45 => agent_answers(&deployment.shared, task),
            45..84 => match self.customers.get(&channel) {
                Some(customer) => self.write_as(deployment, *customer),
                None => self.customer_writes(deployment),
            },
            84..88 => bot_writes(&deployment.shared, channel),
            88..91 => self.others_change_webhooks(deployment, channel),
            91..96 => forget_inactive(&deployment.shared, task),
            _ => {
                let number = self.rng.u32(..);
                add_to_task(&deployment.shared, task, number);
            }
        }
    }

    fn assigned_chat(&mut self, deployment: &Deployment) -> Option<(Sid, Sid)> {
        let state = deployment.shared.twilio.state();
        let assigned = state
            .tasks()
            .filter(|task| task.status == TaskStatus::Assigned);
        let chats: Vec<(Sid, Sid)> = assigned
            .filter_map(|task| Some((task.sid, task.channel?)))
            .collect();
        drop(state);
        self.rng.choice(chats)
    }

    /// Draws a move that a person asks for.
    pub(crate) fn asks_for_move(
        &mut self,
        deployment: &Deployment,
    ) -> Option<(Sid, ManualRequest)> {
        if deployment.park.is_none() || self.rng.u8(..100) >= 4 {
            return None;
        }
        let parked = parked_tasks(deployment);
        match self.rng.bool() {
            true => {
                let (task, _) = self.rng.choice(parked)?;
                Some((task, ManualRequest::Resume))
            }
            false => {
                let (task, _) = self.assigned_chat(deployment)?;
                Some((task, ManualRequest::Park))
            }
        }
    }

    /// Lets the customer of each parked chat write, now and then after other software has
    /// replaced the attributes of its task: the TaskChannel alone says that it is parked.
    pub(crate) fn customers_reply(&mut self, deployment: &Deployment) {
        deployment.shared.catch_up();
        if self.rng.bool() {
            for (task, _) in parked_tasks(deployment) {
                let is_known = deployment.shared.lock().oracle.has_parked(task.as_str());
                if is_known {
                    forget_inactive(&deployment.shared, task);
                }
            }
            deployment.shared.catch_up();
        }
        for (_, channel) in parked_tasks(deployment) {
            if let Some(customer) = self.customers.get(&channel) {
                self.write_as(deployment, *customer);
            }
        }
        deployment.shared.catch_up();
    }
}

fn agent_answers(shared: &Shared, task: Sid) {
    let result = shared.twilio.state().agent_writes(task, WORDS).map(drop);
    shared.trace(|| format!("the agent answers in {task}: {result:?}"));
}

/// Lets a program write by REST, as no participant: the stream of events has no `Source`.
fn bot_writes(shared: &Shared, channel: Sid) {
    let mut state = shared.twilio.state();
    let result = state.program_writes(channel, "lex-bot", WORDS).map(drop);
    drop(state);
    shared.trace(|| format!("a program writes in {channel}: {result:?}"));
}

/// Lets other software write a task's attributes as it knew them before the task was parked.
fn forget_inactive(shared: &Shared, task: Sid) {
    let mut state = shared.twilio.state();
    let Some(found) = state.task(task) else {
        return;
    };
    let change = TaskChange {
        attributes: Some(found.attributes.replace(",\"inactive\":1", "")),
        ..TaskChange::default()
    };
    let written = state.update_task(task, Expect::Any, change);
    drop(state);
    shared.trace(|| format!("other software replaces the attributes of {task}: {written:?}"));
}
