//! A scene of its own: customers write where no agent is any more, and `UNHEARD` says `rescue`.
//!
//! Some write a minute after their chat has ended, on both platforms: each is given an agent,
//! once. Others wrote days ago and no event said so: an agent should not answer them, a person
//! is told.

use std::time::Duration;

use anyhow::Context;
use simulator::{Contact, Sid, Task};
use sweep::Unheard;

use super::claims::{Claim, claim};
use super::customers::{hours, minutes};
use super::world::{World, refused};

/// Customers of each platform, of each age.
const EACH: usize = 3;

/// More than the day within which a customer is rescued.
const DAYS_AGO: Duration = hours(2 * 24);

/// A customer whom no agent sees.
struct Unseen {
    channel: Sid,
    /// The task of the agent who is gone.
    task: Task,
    is_old: bool,
}

/// Result of the scene.
#[derive(Debug)]
pub(crate) struct Scene {
    /// Customers who wrote on the same day.
    fresh: usize,
    /// Customers who wrote days ago.
    old: usize,
    /// Fresh customers with one new task where their last one was, and with its attributes.
    with_an_agent: usize,
    /// Old ones whose channel was closed, with a notice, and without a new task.
    told: usize,
    /// Tasks that were made for the fresh ones until their channels were closed, the first not
    /// counted.
    tasks_made: usize,
    /// Their channels that the sweep closed after the new agent had ended the chat.
    closed: usize,
    /// Rescues that the sweeps counted.
    rescued: usize,
}

impl Scene {
    /// The scene in words.
    pub(crate) fn in_words(&self) -> String {
        format!(
            "{} customers write a minute after their agents are gone. With UNHEARD=rescue, {} of them get a new\n\
             task in the queue of their last one. {} others wrote {} days ago: no task for them, but {} notices.",
            self.fresh,
            self.with_an_agent,
            self.old,
            DAYS_AGO.as_secs() / hours(24).as_secs(),
            self.told,
        )
    }

    /// Returns the claims of the scene.
    pub(crate) fn claims(&self) -> [Claim; 3] {
        [
            claim(
                "a customer who was not heard gets an agent",
                self.with_an_agent == self.fresh && self.rescued == self.fresh && self.fresh > 0,
                format!(
                    "{} of {} in the queue of their last task",
                    self.with_an_agent, self.fresh
                ),
            ),
            claim(
                "one agent for one message, and then the ordinary rules",
                self.tasks_made == self.fresh && self.closed == self.fresh,
                format!(
                    "{} tasks for {} customers, {} channels closed after them",
                    self.tasks_made, self.fresh, self.closed
                ),
            ),
            claim(
                "a message of days ago is told, not answered",
                self.told == self.old && self.old > 0,
                format!("{} of {} customers", self.told, self.old),
            ),
        ]
    }
}

/// Plays the scene.
pub(crate) async fn play(seed: u64) -> anyhow::Result<Scene> {
    let mut world = World::new(seed, 4 * EACH, Unheard::Rescue).await?;
    let agent = world.hire_agent()?;

    let mut unseen = write_to_nobody(&world, agent, true)?;
    // No event of these reached us: reconcile finds them.
    world.simulator.take_events();
    world.simulator.advance(DAYS_AGO);
    unseen.extend(write_to_nobody(&world, agent, false)?);
    world.deliver_all().await?;
    world.simulator.advance(minutes(20));
    world.reconcile().await?;
    let first = world.sweep().await?;
    world.simulator.advance(minutes(20));
    let second = world.sweep().await?;
    let with_an_agent = fresh(&unseen).filter(|it| has_one_like_it(&world, it));
    let with_an_agent = with_an_agent.count();

    // The new agents answer and end their chats. The same messages are done with.
    for customer in fresh(&unseen) {
        let mut state = world.simulator.state();
        let open: Vec<Sid> = state
            .open_tasks_on(customer.channel)
            .map(|task| task.sid)
            .collect();
        for task in open {
            state.agent_accepts(task, agent).map_err(refused)?;
            state
                .agent_writes(task, "I am with you now.")
                .map_err(refused)?;
            state.task_completed_by_nobody(task).map_err(refused)?;
        }
    }
    world.deliver_all().await?;
    for _ in 0..3 {
        world.simulator.advance(hours(12));
        world.sweep().await?;
    }

    Ok(Scene {
        fresh: fresh(&unseen).count(),
        old: unseen.iter().filter(|customer| customer.is_old).count(),
        with_an_agent,
        told: unseen
            .iter()
            .filter(|customer| customer.is_old)
            .filter(|customer| is_closed(&world, customer))
            .filter(|customer| is_told(&world, customer) && made(&world, customer) == 0)
            .count(),
        tasks_made: fresh(&unseen).map(|customer| made(&world, customer)).sum(),
        closed: fresh(&unseen)
            .filter(|customer| is_closed(&world, customer))
            .count(),
        rescued: first.rescued + second.rescued,
    })
}

fn fresh(unseen: &[Unseen]) -> impl Iterator<Item = &Unseen> {
    unseen.iter().filter(|customer| !customer.is_old)
}

/// Lets customers of both platforms write a minute after their agents are gone.
fn write_to_nobody(world: &World, agent: Sid, is_old: bool) -> anyhow::Result<Vec<Unseen>> {
    let mut chats = Vec::new();
    for number in 0..2 * EACH {
        let on_chat = number % 2 == 0;
        let address = format!("+1557{:07}", number + if is_old { 1000 } else { 0 });
        let mut state = world.simulator.state();
        let contact = if on_chat {
            state.customer_writes(&address, "Where is my parcel?")
        } else {
            state.customer_converses(&address, "Where is my parcel?")
        };
        let Contact::Started { channel, task } = contact else {
            anyhow::bail!("{address} reaches no agent: {contact:?}");
        };
        state.agent_accepts(task, agent).map_err(refused)?;
        let last = state.task(task).cloned();
        let last = last.with_context(|| format!("{task} is unknown"))?;
        if on_chat {
            state.task_completed_by_nobody(task).map_err(refused)?;
        } else {
            state.agent_removed(task).map_err(refused)?;
        }
        chats.push((address, on_chat, channel, last));
    }
    world.simulator.advance(minutes(1));
    chats
        .into_iter()
        .map(|(address, on_chat, channel, task)| {
            let mut state = world.simulator.state();
            let contact = if on_chat {
                state.customer_writes(&address, "And one more thing")
            } else {
                state.customer_converses(&address, "And one more thing")
            };
            anyhow::ensure!(
                matches!(contact, Contact::Lost { .. }),
                "an agent sees {address}: {contact:?}"
            );
            Ok(Unseen {
                channel,
                task,
                is_old,
            })
        })
        .collect()
}

/// Returns true if the channel has one open task, routed as the last one was, with its
/// attributes.
fn has_one_like_it(world: &World, customer: &Unseen) -> bool {
    let state = world.simulator.state();
    let open: Vec<&Task> = state.open_tasks_on(customer.channel).collect();
    let [task] = open[..] else {
        return false;
    };
    let last = &customer.task;
    let parse = |task: &Task| serde_json::from_str::<serde_json::Value>(&task.attributes).ok();
    let same = |name: &str| {
        let member = |task| parse(task)?.get(name).cloned();
        member(task) == member(last)
    };
    (task.workflow, task.queue, task.task_channel) == (last.workflow, last.queue, last.task_channel)
        && task.sid != last.sid
        && same("from")
        && same("channelSid")
}

fn is_told(world: &World, customer: &Unseen) -> bool {
    world.aws.bus.entries().iter().any(|notice| {
        notice.detail_type == "CustomerUnheard"
            && notice.detail["channel_sid"] == customer.channel.as_str()
    })
}

fn is_closed(world: &World, customer: &Unseen) -> bool {
    let state = world.simulator.state();
    let conversation = state.conversation(customer.channel);
    let channel = state.channel(customer.channel);
    conversation.is_some_and(|found| found.state == simulator::ConversationState::Closed)
        || channel.is_some_and(simulator::Channel::is_inactive)
}

/// Returns how many tasks TaskRouter's log knows of on this channel, besides the first.
fn made(world: &World, customer: &Unseen) -> usize {
    let state = world.simulator.state();
    let events = state.logged_events();
    events
        .filter(|event| event.kind.event_type() == "task.created")
        .filter(|event| event.task.channel == Some(customer.channel))
        .filter(|event| event.task.sid != customer.task.sid)
        .count()
}
