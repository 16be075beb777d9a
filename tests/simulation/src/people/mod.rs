//! The acts of customers, agents and other software.

mod bots;
mod dialogue;
mod programs;
mod returning;

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::json;
use simulator::state::attributes;
use simulator::state::chat::ChannelChange;
use simulator::state::conversations::conversation::ConversationChange;
use simulator::state::interactions::interaction::{Ending, Routing};
use simulator::state::taskrouter::task::NewTask;
use simulator::{Contact, ConversationState, Refusal, Sid, State, TaskStatus, Transfer, Webhooks};

use crate::borders::twilio_transport::add_foreign_note;
use crate::functions::Deployment;
use crate::oracle::{ADDRESSES, WORDS};
use crate::schedule::Script;

/// The people of a schedule.
pub(crate) struct People {
    pub(crate) rng: Rng,
    addresses: Vec<(String, Number)>,
    /// The customer of each channel, by the place among the addresses.
    customers: BTreeMap<Sid, usize>,
}

/// The number that a customer writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Chat,
    Conversations,
}

impl People {
    pub(crate) fn new(mut rng: Rng, script: &Script) -> Self {
        let addresses = (0..script.customers).map(|number| {
            let medium = if rng.u8(..100) < script.long_lived {
                "whatsapp:"
            } else {
                ""
            };
            let writes_to = match rng.u8(..100) < script.conversing {
                true => Number::Conversations,
                false => Number::Chat,
            };
            (format!("{medium}+{ADDRESSES}{number:04}"), writes_to)
        });
        Self {
            addresses: addresses.collect(),
            customers: BTreeMap::new(),
            rng,
        }
    }

    /// Draws one act.
    pub(crate) fn act(&mut self, deployment: &Deployment) {
        deployment.shared.catch_up();
        if deployment.park.is_some() && self.rng.bool() {
            self.converse(deployment);
            return deployment.shared.catch_up();
        }
        if deployment.shared.script.rescue.is_some() && self.rng.u8(..8) == 0 {
            self.one_returns(deployment);
            return deployment.shared.catch_up();
        }
        match self.rng.u8(..100) {
            0..25 => self.customer_writes(deployment),
            25..32 => self.others_write(deployment),
            32..37 => self.others_harm(deployment),
            37..42 => self.others_open_a_task(deployment),
            42..47 => self.survey(deployment),
            _ => self.agent_acts(deployment),
        }
        deployment.shared.catch_up();
    }

    /// Ends the tasks that agents work on.
    pub(crate) fn end_of_day(&mut self, deployment: &Deployment) {
        deployment.shared.catch_up();
        {
            let mut state = deployment.shared.twilio.state();
            let open: Vec<Sid> = state
                .tasks()
                .filter(|task| task.status.is_open())
                .map(|task| task.sid)
                .collect();
            for task in open {
                let _ = match self.rng.bool() {
                    true => state.task_completed_by_nobody(task),
                    false => state.task_deleted_through_api(task),
                };
            }
        }
        deployment.shared.catch_up();
    }

    fn customer_writes(&mut self, deployment: &Deployment) {
        let customer = self.rng.usize(..self.addresses.len());
        self.write_as(deployment, customer);
    }

    fn write_as(&mut self, deployment: &Deployment, customer: usize) {
        let (address, number) = self.addresses[customer].clone();
        let words = format!("{WORDS} {}", self.rng.u32(..));
        let contact = {
            let mut state = deployment.shared.twilio.state();
            match number {
                Number::Chat => state.customer_writes(&address, &words),
                Number::Conversations => state.customer_converses(&address, &words),
            }
        };
        deployment.shared.catch_up();
        deployment
            .shared
            .trace(|| format!("a customer writes: {contact:?}"));
        if let Some(channel) = contact.channel() {
            self.customers.insert(channel, customer);
        }
        match contact {
            Contact::Started { channel, .. } if number == Number::Chat => mark(deployment, channel),
            Contact::Started { .. } => {}
            Contact::Lost { .. } => deployment.shared.lock().totals.lost_messages += 1,
            Contact::Delivered { .. }
            | Contact::Reopened { .. }
            | Contact::Kept { .. }
            | Contact::Unanswered => {}
        }
    }

    fn agent_acts(&mut self, deployment: &Deployment) {
        let mut state = deployment.shared.twilio.state();
        let open: Vec<(Sid, TaskStatus, Option<Sid>)> = state
            .tasks()
            .filter(|task| task.status.is_open())
            .map(|task| (task.sid, task.status, task.channel))
            .collect();
        let Some(&(task, status, channel)) = self.rng.choice(&open) else {
            drop(state);
            return self.customer_writes(deployment);
        };
        let agent = deployment.agents[self.rng.usize(..2)];
        let turn = self.rng.u8(..100);
        let converses = channel.is_some_and(|channel| state.conversation(channel).is_some());
        let (deed, result) = match status {
            TaskStatus::Pending | TaskStatus::Reserved => match turn {
                0..70 => ("accepts", state.agent_accepts(task, agent)),
                70..80 => ("cancels", state.task_canceled_by_supervisor(task)),
                80..85 => ("deletes", state.task_deleted_through_api(task)),
                _ => ("lets wait", Ok(())),
            },
            TaskStatus::Assigned if converses => match turn {
                0..15 => ("answers in", state.agent_writes(task, WORDS).map(drop)),
                15..30 => ("wraps up", state.agent_wraps_up(task)),
                30..40 => ("completes with the browser", state.agent_completes(task)),
                40..55 => ("closes the tab of", state.task_completed_by_nobody(task)),
                55..65 => ("leaves", state.agent_leaves(task)),
                65..75 => ("parks", state.program_parks(task)),
                75..80 => ("pauses", state.agent_pauses(task)),
                80..83 => ("resumes", state.agent_resumes(task).map(drop)),
                83..92 => (
                    "invites another one to",
                    invites(&mut state, deployment, task),
                ),
                92..95 => ("deletes", state.task_deleted_through_api(task)),
                95..98 => ("is taken out of", state.agent_removed(task)),
                _ => ("neglects", Ok(())),
            },
            TaskStatus::Assigned => match turn {
                0..15 => ("answers in", state.agent_writes(task, WORDS).map(drop)),
                15..35 => ("wraps up", state.agent_wraps_up(task)),
                35..45 => ("completes with the browser", state.agent_completes(task)),
                45..65 => ("closes the tab of", state.task_completed_by_nobody(task)),
                65..75 => ("begins to transfer", state.transfer_begins(task).map(drop)),
                75..85 => {
                    let others = channel.map_or(0, |channel| state.open_tasks_on(channel).count());
                    let way = [Transfer::KeepsChannel, Transfer::LosesChannel][self.rng.usize(..2)];
                    if others > 1 {
                        ("ends the transfer of", state.transfer_ends(task, way))
                    } else {
                        ("transfers", state.agent_transfers(task, way).map(drop))
                    }
                }
                85..88 => ("deletes", state.task_deleted_through_api(task)),
                _ => ("neglects", Ok(())),
            },
            TaskStatus::Wrapping => match turn {
                0..30 => ("completes with the browser", state.agent_completes(task)),
                30..80 => ("closes the tab of", state.task_completed_by_nobody(task)),
                _ => ("writes up", Ok(())),
            },
            TaskStatus::Completed | TaskStatus::Canceled => ("looks at", Ok(())),
        };
        drop(state);
        deployment
            .shared
            .trace(|| format!("an agent {deed} {task}: {result:?}"));
    }

    fn some_channel(&mut self, deployment: &Deployment) -> Option<Sid> {
        let state = deployment.shared.twilio.state();
        self.rng.choice(
            state
                .channels()
                .map(|channel| channel.sid)
                .collect::<Vec<_>>(),
        )
    }

    fn others_write(&mut self, deployment: &Deployment) {
        if let Some(channel) = self.some_channel(deployment) {
            add_foreign_note(&deployment.shared, channel, self.rng.u32(..));
        }
    }

    /// Lets other software close or delete a conversation, or harm a channel.
    fn others_harm(&mut self, deployment: &Deployment) {
        if self.rng.bool() {
            self.others_end_a_conversation(deployment);
        } else {
            self.others_harm_a_channel(deployment);
        }
    }

    fn others_end_a_conversation(&mut self, deployment: &Deployment) {
        let mut state = deployment.shared.twilio.state();
        let all: Vec<Sid> = state.conversations().map(|found| found.sid).collect();
        let Some(conversation) = self.rng.choice(all) else {
            return;
        };
        let closed = ConversationChange {
            state: Some(ConversationState::Closed),
            ..ConversationChange::default()
        };
        let (deed, result) = match self.rng.u8(..3) {
            0 => ("closes", state.update_conversation(conversation, closed)),
            1 => ("deletes", state.delete_conversation(conversation)),
            _ => (
                "closes the interaction of",
                ends_interaction(&mut state, conversation),
            ),
        };
        drop(state);
        let mut inner = deployment.shared.lock();
        inner.totals.count("conversations ended by others");
        inner.trace(deployment.shared.now(), || {
            format!("other software {deed} {conversation}: {result:?}")
        });
    }

    /// Lets other software delete a channel, or overwrite its attributes.
    fn others_harm_a_channel(&mut self, deployment: &Deployment) {
        let Some(channel) = self.some_channel(deployment) else {
            return;
        };
        let deletes = self.rng.bool();
        let mut state = deployment.shared.twilio.state();
        if deletes {
            let _ = state.delete_channel(channel, Webhooks::Enabled);
        } else {
            let change = ChannelChange {
                attributes: Some("[\"oops\"]".to_owned()),
                ..ChannelChange::default()
            };
            let _ = state.update_channel(channel, Webhooks::Disabled, change);
        }
        drop(state);
        let mut inner = deployment.shared.lock();
        if !deletes && let Some(history) = inner.oracle.channels.get_mut(channel.as_str()) {
            history.damaged = true;
        }
        let deed = if deletes { "deletes" } else { "damages" };
        inner.totals.count(if deletes {
            "channels deleted by others"
        } else {
            "channels damaged by others"
        });
        inner.trace(deployment.shared.now(), || {
            format!("other software {deed} {channel}")
        });
    }

    /// Lets other software open a task, on a channel or on none.
    fn others_open_a_task(&mut self, deployment: &Deployment) {
        let channel = self.some_channel(deployment);
        let conversation = {
            let state = deployment.shared.twilio.state();
            let all: Vec<Sid> = state.conversations().map(|found| found.sid).collect();
            self.rng.choice(all)
        };
        let project = deployment.shared.project;
        let (channel, attributes) = match (self.rng.u8(..4), channel, conversation) {
            (0, Some(channel), _) => (
                Some(channel),
                json!({ "channelSid": channel, "from": WORDS }),
            ),
            // Software that makes a task by itself does not know the interaction.
            (1, _, Some(conversation)) => (
                Some(conversation),
                json!({ "conversationSid": conversation, "from": WORDS }),
            ),
            _ => (
                None,
                json!({ "type": "voice", "from": format!("+{ADDRESSES}0000") }),
            ),
        };
        let task = NewTask {
            attributes: Some(attributes.to_string()),
            workflow: Some(project.workflow),
            queue: Some(project.queue),
            task_channel: Some(project.chat_task_channel),
            ..NewTask::default()
        };
        let created = deployment
            .shared
            .twilio
            .state()
            .create_task(project.workspace, task);
        deployment
            .shared
            .trace(|| format!("other software opens a task on {channel:?}: {created:?}"));
    }
}

/// Another agent is to take over, or to join: a second task on the same conversation.
fn invites(state: &mut State, deployment: &Deployment, task: Sid) -> Result<(), Refusal> {
    let Some(channel) = state.interaction_channel_of(task).map(|found| found.sid) else {
        return Ok(());
    };
    let project = deployment.shared.project;
    let routing = Routing {
        workspace: project.workspace,
        workflow: Some(project.workflow),
        queue: Some(project.queue),
        worker: None,
        task_channel: Some("chat".to_owned()),
        attributes: Some(json!({ "from": WORDS }).to_string()),
    };
    state.invite(channel, routing).map(drop)
}

fn ends_interaction(state: &mut State, conversation: Sid) -> Result<(), Refusal> {
    match state.interaction_channel_in(conversation).map(|it| it.sid) {
        Some(channel) => state.close_interaction_channel(channel, Ending::Complete),
        None => Ok(()),
    }
}

/// Puts something into a channel's attributes that must never be found elsewhere.
fn mark(deployment: &Deployment, channel: Sid) {
    let marker = {
        let inner = deployment.shared.lock();
        let history = inner.oracle.channels.get(channel.as_str());
        history.map(|history| history.marker.clone())
    };
    let mut state = deployment.shared.twilio.state();
    let text = state
        .channel(channel)
        .map(|channel| channel.attributes.clone());
    if let (Some(marker), Some(text)) = (marker, text) {
        let change = ChannelChange {
            attributes: Some(attributes::with(&text, "marker", &format!("\"{marker}\""))),
            ..ChannelChange::default()
        };
        let _ = state.update_channel(channel, Webhooks::Disabled, change);
    }
}
