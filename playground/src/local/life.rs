//! A contact centre at work in the simulated Twilio, so that there is something to watch.
//!
//! Customers come, some of them again; agents answer, transfer, close their tabs too early.
//! The customers follow the demo's scenarios, begun at any time.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context;
use domain::{Channel, ChannelSid, End as TaskEnd, Fact, FactKind, TaskFact, TaskState, Timestamp};
use futures::StreamExt;
use simulator::Simulator;
use simulator::state::State;
use simulator::state::sid::Sid;
use store::{ChannelEvents, ChannelTable};
use twilio::rest::setup::needed_events;

use super::saved::Saved;
use super::sender::EventSender;
use super::{End, Parts};
use crate::clock::Clock;
use crate::demo::customers::{Act, Customer, Scenario, hours, minutes};
use crate::transport;

/// Time between two turns of the world, by the machine's clock.
const TURN: Duration = Duration::from_millis(200);

/// The shortest mean time between two customers, by the clock that is run.
const BETWEEN_CUSTOMERS: Duration = minutes(3);

/// By the machine's clock, no more than about this many customers come in a second.
const CUSTOMERS_A_SECOND: u32 = 2;

/// Time before the start that is played at once, so that there is something to see.
const HISTORY: Duration = hours(2);

/// Number of addresses: fewer than customers, so that some come again.
const ADDRESSES: usize = 400;

/// Scenarios of the customers, and how many of a hundred follow each.
const SCENARIOS: [(Scenario, u8); 8] = [
    (Scenario::CleanedByBrowser, 40),
    (Scenario::TabClosed, 20),
    (Scenario::LongLived, 12),
    (Scenario::Returning, 8),
    (Scenario::TaskDeleted, 5),
    (Scenario::TimedOut, 5),
    (Scenario::ChannelDeleted, 2),
    (Scenario::BrokenAttributes, 1),
];

/// The rest come by Conversations.
const CONVERSATION: [(Duration, Talk); 4] = [
    (minutes(0), Talk::CustomerWrites),
    (minutes(2), Talk::AgentAccepts),
    (minutes(26), Talk::AgentWrapsUp),
    (minutes(28), Talk::NobodyCloses),
];

/// Time from an agent's acceptance to the agent's answer.
const ANSWERED_AFTER: Duration = minutes(4);

/// Time from the acceptance to the customer's reply, if there is one: long after the chat was parked.
const REPLIED_AFTER: Duration = minutes(20);

/// The world and who is in it.
struct Life {
    simulator: Simulator,
    rng: fastrand::Rng,
    agent: Sid,
    customers: Vec<Playing>,
    next_customer: Timestamp,
    between: Duration,
    /// Addresses whose last chat no browser cleaned up.
    left_open: HashSet<String>,
    saved: Saved,
}

/// A customer whose script is not over.
struct Playing {
    who: Who,
    /// Steps that are still to come, the last first.
    script: Vec<(Timestamp, Step)>,
}

enum Who {
    OnChat(Box<Customer>),
    OnConversations { address: String, task: Option<Sid> },
}

#[derive(Clone, Copy)]
enum Step {
    Act(Act),
    Talk(Talk),
    /// The agent says something, and it is the customer's turn.
    AgentWrites,
    /// The customer has found their glasses.
    CustomerReplies,
}

#[derive(Clone, Copy)]
enum Talk {
    CustomerWrites,
    AgentAccepts,
    AgentWrapsUp,
    NobodyCloses,
}

/// A world that was opened.
pub(super) struct Opened {
    pub(super) simulator: Simulator,
    /// The TaskChannels between which chats are parked.
    pub(super) park_task_channels: String,
    /// Messages that reached an agent on a channel that was left open before it was closed here.
    pub(super) saved: Saved,
}

/// Opens the world, subscribes the webhook and lets life begin.
pub(super) async fn start(
    webhook: &str,
    clock: Clock,
    table: &ChannelTable,
    end: &End,
    parts: &mut Parts,
) -> anyhow::Result<Opened> {
    let now = clock.now();
    let began = now.minus(HISTORY);
    // Another life than before: its SIDs must not be those of channels that are remembered.
    let seed = now.as_millis().unsigned_abs();
    let (simulator, project) = Simulator::with_flex(seed)
        .map_err(|error| anyhow::anyhow!("no Flex project: {error:?}"))?;
    let refused = |error| anyhow::anyhow!("no contact centre: {error:?}");
    let (agent, inactive) = {
        let mut state = simulator.state();
        set_time(&mut state, began)?;
        subscribe(&mut state, webhook)?;
        let inactive = state.create_task_channel(project.workspace, "Inactive", "inactive");
        let agent = state.hire_agent(project.workspace, "agent");
        (agent.map_err(refused)?, inactive.map_err(refused)?)
    };
    forget_the_life_before(table, now).await?;
    let saved = Saved::default();
    let life = Life {
        simulator: simulator.clone(),
        rng: fastrand::Rng::with_seed(seed),
        agent,
        customers: Vec::new(),
        next_customer: began,
        between: BETWEEN_CUSTOMERS.max(Duration::from_secs(1) * clock.speed() / CUSTOMERS_A_SECOND),
        left_open: HashSet::new(),
        saved: saved.clone(),
    };
    let sender = EventSender::new(simulator.clone(), transport()?);
    parts.spawn(goes_on(life, sender, clock, end.clone()));
    Ok(Opened {
        simulator,
        park_task_channels: format!("{}:{inactive}", project.chat_task_channel),
        saved,
    })
}

async fn goes_on(
    mut life: Life,
    mut sender: EventSender,
    clock: Clock,
    end: End,
) -> anyhow::Result<()> {
    while end.comes_not_within(TURN).await {
        let now = clock.now();
        life.turn(now)?;
        sender.go(now).await;
    }
    Ok(())
}

fn set_time(state: &mut State, now: Timestamp) -> anyhow::Result<()> {
    let now = jiff::Timestamp::from_millisecond(now.as_millis()).context("the clock is off")?;
    state.set_now(now);
    Ok(())
}

fn subscribe(state: &mut State, webhook: &str) -> anyhow::Result<()> {
    let refused = |error| anyhow::anyhow!("the webhook cannot be subscribed: {error:?}");
    let configuration =
        serde_json::json!({ "destination": webhook, "method": "POST", "batch_events": true });
    let sink = state
        .create_sink(crate::SINK_DESCRIPTION, "webhook", configuration)
        .map_err(refused)?;
    let types: Vec<_> = needed_events(true)
        .map(|(name, version)| (name.to_owned(), Some(u32::from(version))))
        .collect();
    state
        .subscribe(crate::SINK_DESCRIPTION, sink, &types)
        .map_err(refused)?;
    Ok(())
}

/// Ends the tasks that were open in the world before this one: no event about them will come.
async fn forget_the_life_before(table: &ChannelTable, now: Timestamp) -> anyhow::Result<()> {
    let mut channels = std::pin::pin!(table.all(ChannelSid::PREFIX));
    while let Some(channel) = channels.next().await {
        let channel: Channel = channel?;
        let over = channel.open_tasks().map(|(task, _)| Fact {
            channel: channel.sid(),
            platform: channel.platform(),
            at: now,
            kind: FactKind::Task(TaskFact {
                task,
                state: TaskState::Ended(TaskEnd::Vanished),
                opened_at: None,
                interaction: None,
            }),
        });
        for events in ChannelEvents::by_channel(over.collect()) {
            table.fold_events(&events).await?;
        }
    }
    Ok(())
}

impl Life {
    /// Moves the world to now.
    fn turn(&mut self, now: Timestamp) -> anyhow::Result<()> {
        while self.next_customer <= now {
            let at = self.next_customer;
            self.customer_comes(at);
            let wait = self.between.mul_f64(self.rng.f64() * 2.0);
            self.next_customer = at.plus(wait.max(Duration::from_millis(1)));
        }
        let simulator = self.simulator.clone();
        let mut state = simulator.state();
        // One step after the other, each at its time.
        while let Some((at, index)) = self.next_step(now) {
            advance(&mut state, at);
            let Some((_, step)) = self.customers[index].script.pop() else {
                break;
            };
            let playing = &mut self.customers[index];
            let went_on = playing.takes(step, &mut state, self.agent);
            if went_on && step.begins() && self.left_open.remove(playing.address()) {
                self.saved.one_more();
            }
            if went_on && playing.leaves_open(step) {
                self.left_open.insert(playing.address().to_owned());
            }
            if !went_on {
                // Something else happened to it meanwhile, such as a transfer or the janitor.
                self.customers[index].script.clear();
            }
        }
        self.customers.retain(|playing| !playing.script.is_empty());
        advance(&mut state, now);
        Ok(())
    }

    fn next_step(&self, now: Timestamp) -> Option<(Timestamp, usize)> {
        let next = |(index, playing): (usize, &Playing)| {
            let (at, _) = playing.script.last()?;
            Some((*at, index))
        };
        let first = self.customers.iter().enumerate().filter_map(next).min()?;
        (first.0 <= now).then_some(first)
    }

    fn customer_comes(&mut self, at: Timestamp) {
        let address = self.rng.usize(..ADDRESSES);
        let mut draw = self.rng.u8(..100);
        let scenario =
            SCENARIOS
                .into_iter()
                .find_map(|(scenario, often)| match draw.checked_sub(often) {
                    Some(rest) => {
                        draw = rest;
                        None
                    }
                    None => Some(scenario),
                });
        // Between half as long and one and a half times as long as in the script.
        let pace = 0.5 + self.rng.f64();
        let when = |after: Duration| at.plus(after.mul_f64(pace).min(hours(60)));
        let (who, steps) = match scenario {
            Some(scenario) => {
                let script = scenario.script().into_iter();
                let steps: Vec<_> = script.map(|(at, act)| (at, Step::Act(act))).collect();
                (
                    Who::OnChat(Box::new(Customer::new(scenario, address))),
                    steps,
                )
            }
            None => {
                let address = format!("+1556{address:07}");
                let steps = CONVERSATION.map(|(at, talk)| (at, Step::Talk(talk)));
                let task = None;
                (Who::OnConversations { address, task }, steps.to_vec())
            }
        };
        let replies = self.rng.bool();
        let mut script = Vec::new();
        for (after, step) in steps {
            script.push((when(after), step));
            if let Step::Act(Act::AgentAccepts) | Step::Talk(Talk::AgentAccepts) = step {
                script.push((when(after + ANSWERED_AFTER), Step::AgentWrites));
                if replies {
                    script.push((when(after + REPLIED_AFTER), Step::CustomerReplies));
                }
            }
        }
        // The next step is taken from the end.
        script.sort_by_key(|(at, _)| *at);
        script.reverse();
        self.customers.push(Playing { who, script });
    }
}

impl Playing {
    /// Lets it happen; false if it cannot.
    fn takes(&mut self, step: Step, state: &mut State, agent: Sid) -> bool {
        match (&mut self.who, step) {
            (Who::OnChat(customer), Step::Act(act)) => customer.act(act, state, agent).is_ok(),
            (Who::OnConversations { address, task }, Step::Talk(talk)) => {
                talk.happens(address, task, state, agent)
            }
            (Who::OnChat(_), Step::Talk(_)) | (Who::OnConversations { .. }, Step::Act(_)) => false,
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

    fn address(&self) -> &str {
        match &self.who {
            Who::OnChat(customer) => &customer.address,
            Who::OnConversations { address, .. } => address,
        }
    }

    /// Returns true if this step ended the task and no browser cleans the channel up.
    fn leaves_open(&self, step: Step) -> bool {
        self.script.is_empty()
            && matches!(
                step,
                Step::Act(Act::TabIsClosed | Act::TaskDeleted) | Step::Talk(Talk::NobodyCloses)
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
    const fn begins(self) -> bool {
        matches!(
            self,
            Self::Act(Act::CustomerWrites) | Self::Talk(Talk::CustomerWrites)
        )
    }
}

impl Talk {
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
            (Self::NobodyCloses, Some(task)) => state.task_completed_by_nobody(task).is_ok(),
            (Self::AgentAccepts | Self::AgentWrapsUp | Self::NobodyCloses, None) => false,
        }
    }
}

fn advance(state: &mut State, to: Timestamp) {
    let here = Timestamp::from_millis(state.now().as_millisecond());
    state.advance(to.since(here));
}
