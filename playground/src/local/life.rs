//! A contact centre at work in the simulated Twilio, so that there is something to watch.
//!
//! Customers come, some of them again; agents answer, transfer, close their tabs too early.
//! The customers follow the demo's scenarios, begun at any time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use domain::{
    Channel, ChannelSid, End as TaskEnd, Fact, FactKind, TaskFact, TaskSid, TaskState, Timestamp,
};
use futures::StreamExt;
use runtime::lock;
use serde::{Deserialize, Serialize};
use simulator::Simulator;
use simulator::state::State;
use simulator::state::sid::Sid;
use store::{ChannelEvents, ChannelTable};
use twilio::rest::setup::needed_events;

use super::playing::{Dialogue, Playing, Step, Who};
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
const CONVERSATION: [(Duration, Dialogue); 4] = [
    (minutes(0), Dialogue::CustomerWrites),
    (minutes(2), Dialogue::AgentAccepts),
    (minutes(26), Dialogue::AgentWrapsUp),
    (minutes(28), Dialogue::BrowserIsClosed),
];

/// Time from an agent's acceptance to the agent's answer.
const ANSWERED_AFTER: Duration = minutes(4);

/// Time from the acceptance to the customer's reply, if there is one: long after the chat was parked.
const REPLIED_AFTER: Duration = minutes(20);

/// The contact centre as it is: all of it that outlives a run.
#[derive(Serialize, Deserialize)]
pub(super) struct Life {
    agent: Sid,
    /// The TaskChannels between which chats are parked.
    pub(super) park_task_channels: String,
    customers: Vec<Playing>,
    next_customer: Timestamp,
    /// Addresses whose last chat no browser cleaned up.
    left_open: HashSet<String>,
}

/// The world and who moves it.
struct Mover {
    opened: Opened,
    rng: fastrand::Rng,
    between: Duration,
}

/// A world that was opened.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) simulator: Simulator,
    pub(super) life: Arc<Mutex<Life>>,
    /// Messages that reached an agent on a channel that was left open before it was closed here.
    pub(super) saved: Saved,
}

/// Opens the world, or goes on with the one of before, and lets life begin.
pub(super) async fn start(
    webhook: &str,
    clock: Clock,
    table: &ChannelTable,
    before: Option<Opened>,
    end: &End,
    parts: &mut Parts,
) -> anyhow::Result<Opened> {
    let now = clock.now();
    let seed = seed(now);
    let opened = match before {
        Some(before) => before,
        None => open(webhook, now.minus(HISTORY), seed)?,
    };
    forget_lost_tasks(table, &opened.simulator, now).await?;
    let mover = Mover {
        opened: opened.clone(),
        rng: fastrand::Rng::with_seed(seed),
        between: BETWEEN_CUSTOMERS.max(Duration::from_secs(1) * clock.speed() / CUSTOMERS_A_SECOND),
    };
    let sender = EventSender::new(opened.simulator.clone(), transport()?);
    parts.spawn(goes_on(mover, sender, clock, end.clone()));
    Ok(opened)
}

/// Returns the seed of a world that goes on at `now`. The SIDs to come must not be those of channels
/// that are remembered.
pub(super) fn seed(now: Timestamp) -> u64 {
    now.as_millis().unsigned_abs()
}

/// Opens an empty world and subscribes the webhook.
fn open(webhook: &str, began: Timestamp, seed: u64) -> anyhow::Result<Opened> {
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
    let life = Life {
        agent,
        park_task_channels: format!("{}:{inactive}", project.chat_task_channel),
        customers: Vec::new(),
        next_customer: began,
        left_open: HashSet::new(),
    };
    Ok(Opened {
        simulator,
        life: Arc::new(Mutex::new(life)),
        saved: Saved::default(),
    })
}

async fn goes_on(
    mut mover: Mover,
    mut sender: EventSender,
    clock: Clock,
    end: End,
) -> anyhow::Result<()> {
    while end.comes_not_within(TURN).await {
        let now = clock.now();
        mover.turn(now);
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

/// Ends the tasks that the simulated Twilio does not know: no event about them will come.
async fn forget_lost_tasks(
    table: &ChannelTable,
    simulator: &Simulator,
    now: Timestamp,
) -> anyhow::Result<()> {
    let mut channels = std::pin::pin!(table.all(ChannelSid::PREFIX));
    while let Some(channel) = channels.next().await {
        let channel: Channel = channel?;
        let is_lost = |task: &TaskSid| {
            let sid = task.as_str().parse().ok();
            sid.is_none_or(|sid| simulator.state().task(sid).is_none())
        };
        let open = channel.open_tasks().map(|(task, _)| task);
        let over = open.filter(is_lost).map(|task| Fact {
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

impl Mover {
    /// Moves the world to now.
    fn turn(&mut self, now: Timestamp) {
        let opened = self.opened.clone();
        let mut life = lock(&opened.life);
        while life.next_customer <= now {
            let at = life.next_customer;
            let customer = self.customer_comes(at);
            life.customers.push(customer);
            let wait = self.between.mul_f64(self.rng.f64() * 2.0);
            life.next_customer = at.plus(wait.max(Duration::from_millis(1)));
        }
        life.take_steps(&mut opened.simulator.state(), &opened.saved, now);
    }
}

impl Life {
    /// Skips the customers of the time in which nothing ran, but for its last hours.
    pub(super) fn skip_to(&mut self, now: Timestamp) {
        self.next_customer = self.next_customer.max(now.minus(HISTORY));
    }

    /// Takes one step after the other, each at its time.
    fn take_steps(&mut self, state: &mut State, saved: &Saved, now: Timestamp) {
        while let Some((at, index)) = self.next_step(now) {
            advance(state, at);
            let Some((_, step)) = self.customers[index].script.pop() else {
                break;
            };
            let playing = &mut self.customers[index];
            let went_on = playing.takes(step, state, self.agent);
            if went_on && step.begins() && self.left_open.remove(playing.address()) {
                saved.one_more();
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
        advance(state, now);
    }

    fn next_step(&self, now: Timestamp) -> Option<(Timestamp, usize)> {
        let next = |(index, playing): (usize, &Playing)| {
            let (at, _) = playing.script.last()?;
            Some((*at, index))
        };
        let first = self.customers.iter().enumerate().filter_map(next).min()?;
        (first.0 <= now).then_some(first)
    }
}

impl Mover {
    /// Draws a customer who writes at this time.
    fn customer_comes(&mut self, at: Timestamp) -> Playing {
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
                let steps = CONVERSATION.map(|(at, talk)| (at, Step::Dialogue(talk)));
                let task = None;
                (Who::OnConversations { address, task }, steps.to_vec())
            }
        };
        let replies = self.rng.bool();
        let mut script = Vec::new();
        for (after, step) in steps {
            script.push((when(after), step));
            if let Step::Act(Act::AgentAccepts) | Step::Dialogue(Dialogue::AgentAccepts) = step {
                script.push((when(after + ANSWERED_AFTER), Step::AgentWrites));
                if replies {
                    script.push((when(after + REPLIED_AFTER), Step::CustomerReplies));
                }
            }
        }
        // The next step is taken from the end.
        script.sort_by_key(|(at, _)| *at);
        script.reverse();
        Playing { who, script }
    }
}

fn advance(state: &mut State, to: Timestamp) {
    let here = Timestamp::from_millis(state.now().as_millisecond());
    state.advance(to.since(here));
}
