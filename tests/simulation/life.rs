//! What customers, agents and other people's software do.

use fastrand::Rng;
use serde_json::json;
use simulator::state::attributes;
use simulator::state::chat::ChannelChange;
use simulator::state::taskrouter::task::NewTask;
use simulator::{Contact, Sid, TaskStatus, Transfer, Webhooks};

use super::books::{ADDRESSES, WORDS};
use super::line::somebody_writes;
use super::script::Script;
use super::world::World;

/// The people of a schedule.
pub(super) struct People {
    rng: Rng,
    addresses: Vec<String>,
}

impl People {
    pub(super) fn new(mut rng: Rng, script: &Script) -> Self {
        let addresses = (0..script.customers).map(|number| {
            let medium = if rng.u8(..100) < script.long_lived {
                "whatsapp:"
            } else {
                ""
            };
            format!("{medium}+{ADDRESSES}{number:04}")
        });
        Self {
            addresses: addresses.collect(),
            rng,
        }
    }

    /// Somebody does something.
    pub(super) fn act(&mut self, world: &World) {
        world.stage.catch_up();
        match self.rng.u8(..100) {
            0..25 => self.customer_writes(world),
            25..34 => self.others_write(world),
            34..36 => self.others_harm(world),
            36..38 => self.others_open_a_task(world),
            _ => self.agent_acts(world),
        }
        world.stage.catch_up();
    }

    /// Somebody ends what agents work on.
    pub(super) fn end_of_day(&mut self, world: &World) {
        world.stage.catch_up();
        {
            let mut state = world.stage.twilio.state();
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
        world.stage.catch_up();
    }

    fn customer_writes(&mut self, world: &World) {
        let address = self.addresses[self.rng.usize(..self.addresses.len())].clone();
        let words = format!("{WORDS} {}", self.rng.u32(..));
        let contact = world.stage.twilio.state().customer_writes(&address, &words);
        world.stage.catch_up();
        world
            .stage
            .tell(|| format!("a customer writes: {contact:?}"));
        match contact {
            Contact::Started { channel, .. } => mark(world, channel),
            Contact::Lost { .. } => world.stage.lock().totals.lost_messages += 1,
            Contact::Delivered { .. } | Contact::Reopened { .. } | Contact::Unanswered => {}
        }
    }

    fn agent_acts(&mut self, world: &World) {
        let mut state = world.stage.twilio.state();
        let open: Vec<(Sid, TaskStatus, Option<Sid>)> = state
            .tasks()
            .filter(|task| task.status.is_open())
            .map(|task| (task.sid, task.status, task.channel))
            .collect();
        let Some(&(task, status, channel)) = self.rng.choice(&open) else {
            drop(state);
            return self.customer_writes(world);
        };
        let agent = world.agents[self.rng.usize(..2)];
        let turn = self.rng.u8(..100);
        let (deed, result) = match status {
            TaskStatus::Pending | TaskStatus::Reserved => match turn {
                0..70 => ("accepts", state.agent_accepts(task, agent)),
                70..80 => ("cancels", state.task_canceled_by_supervisor(task)),
                80..85 => ("deletes", state.task_deleted_through_api(task)),
                _ => ("lets wait", Ok(())),
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
        world
            .stage
            .tell(|| format!("an agent {deed} {task}: {result:?}"));
    }

    fn some_channel(&mut self, world: &World) -> Option<Sid> {
        let state = world.stage.twilio.state();
        self.rng.choice(
            state
                .channels()
                .map(|channel| channel.sid)
                .collect::<Vec<_>>(),
        )
    }

    fn others_write(&mut self, world: &World) {
        if let Some(channel) = self.some_channel(world) {
            somebody_writes(&world.stage, channel, self.rng.u32(..));
        }
    }

    /// Somebody deletes a channel, or makes something else than an object of its attributes.
    fn others_harm(&mut self, world: &World) {
        let Some(channel) = self.some_channel(world) else {
            return;
        };
        let deletes = self.rng.bool();
        let mut state = world.stage.twilio.state();
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
        let mut inner = world.stage.lock();
        if !deletes && let Some(book) = inner.books.channels.get_mut(channel.as_str()) {
            book.damaged = true;
        }
        let deed = if deletes { "deletes" } else { "damages" };
        inner.totals.count(if deletes {
            "channels deleted by others"
        } else {
            "channels damaged by others"
        });
        inner.tell(world.stage.now(), || format!("somebody {deed} {channel}"));
    }

    /// Somebody's own software opens a task, on a channel or on none.
    fn others_open_a_task(&mut self, world: &World) {
        let channel = self.some_channel(world).filter(|_| self.rng.bool());
        let project = world.stage.project;
        let attributes = match channel {
            Some(channel) => json!({ "channelSid": channel, "from": WORDS }),
            None => json!({ "type": "voice", "from": format!("+{ADDRESSES}0000") }),
        };
        let task = NewTask {
            attributes: Some(attributes.to_string()),
            workflow: Some(project.workflow),
            queue: Some(project.queue),
            task_channel: Some(project.chat_task_channel),
            ..NewTask::default()
        };
        let created = world
            .stage
            .twilio
            .state()
            .create_task(project.workspace, task);
        world
            .stage
            .tell(|| format!("somebody opens a task on {channel:?}: {created:?}"));
    }
}

/// Puts something into a channel's attributes that must never be found elsewhere.
fn mark(world: &World, channel: Sid) {
    let marker = {
        let inner = world.stage.lock();
        let book = inner.books.channels.get(channel.as_str());
        book.map(|book| book.marker.clone())
    };
    let mut state = world.stage.twilio.state();
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
