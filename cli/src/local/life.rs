//! A contact centre at work in the simulated Twilio, so that there is something to watch.
//!
//! Customers come, some of them again; agents answer, transfer, close their tabs too early.
//! Who comes and what becomes of them are the demo's own scripts, begun at any time.

use std::time::Duration;

use anyhow::Context;
use domain::{Channel, ChannelSid, End as TaskEnd, Fact, News, Timestamp};
use futures::StreamExt;
use simulator::Simulator;
use simulator::state::State;
use simulator::state::sid::Sid;
use store::{ChannelEvents, ChannelTable, Parking};
use twilio::rest::setup::needed_events;

use super::post::Postman;
use super::{End, Parts};
use crate::demo::cast::{Act, Fate, Player, hours, minutes};
use crate::office::clock::Clock;
use crate::office::transport;

/// How often the world moves, by the machine's clock.
const TURN: Duration = Duration::from_millis(200);

/// The shortest mean time between two customers, by the clock that is run.
const BETWEEN_CUSTOMERS: Duration = minutes(3);

/// By the machine's clock, no more than about this many customers come in a second.
const CUSTOMERS_A_SECOND: u32 = 2;

/// How many addresses there are: fewer than customers, so that some come again.
const ADDRESSES: usize = 400;

/// What becomes of customers, and how often out of a hundred.
const FATES: [(Fate, u8); 8] = [
    (Fate::CleanedByBrowser, 40),
    (Fate::TabClosed, 20),
    (Fate::LongLived, 12),
    (Fate::Returning, 8),
    (Fate::TaskDeleted, 5),
    (Fate::TimedOut, 5),
    (Fate::ChannelDeleted, 2),
    (Fate::BrokenAttributes, 1),
];

/// The rest come by Conversations.
const CONVERSATION: [(Duration, Talk); 4] = [
    (minutes(0), Talk::CustomerWrites),
    (minutes(2), Talk::AgentAccepts),
    (minutes(26), Talk::AgentWrapsUp),
    (minutes(28), Talk::NobodyCloses),
];

/// How long after they took a chat an agent answers.
const ANSWERED_AFTER: Duration = minutes(4);

/// How long after that moment customers reply, if they do: long after they were parked.
const REPLIED_AFTER: Duration = minutes(20);

/// The world and who is in it.
struct Life {
    simulator: Simulator,
    rng: fastrand::Rng,
    agent: Sid,
    players: Vec<Playing>,
    next_customer: Timestamp,
    between: Duration,
    came: usize,
}

/// Somebody whose script is not over.
struct Playing {
    who: Who,
    /// What is to happen yet, the last first.
    script: Vec<(Timestamp, Step)>,
}

enum Who {
    OnChat(Box<Player>),
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
    // Another life than before: its SIDs must not be those of channels that are remembered.
    let seed = now.as_millis().unsigned_abs();
    let (simulator, project) = Simulator::with_flex(seed)
        .map_err(|error| anyhow::anyhow!("no Flex project: {error:?}"))?;
    let refused = |error| anyhow::anyhow!("no contact centre: {error:?}");
    let (agent, inactive) = {
        let mut state = simulator.state();
        set_time(&mut state, now)?;
        subscribe(&mut state, webhook)?;
        let inactive = state.create_task_channel(project.workspace, "Inactive", "inactive");
        let agent = state.hire_agent(project.workspace, "agent");
        (agent.map_err(refused)?, inactive.map_err(refused)?)
    };
    forget_the_life_before(table, now).await?;
    let life = Life {
        simulator: simulator.clone(),
        rng: fastrand::Rng::with_seed(seed),
        agent,
        players: Vec::new(),
        next_customer: now,
        between: BETWEEN_CUSTOMERS.max(Duration::from_secs(1) * clock.speed() / CUSTOMERS_A_SECOND),
        came: 0,
    };
    let postman = Postman::new(simulator.clone(), transport()?);
    parts.spawn(goes_on(life, postman, clock, end.clone()));
    Ok(Opened {
        simulator,
        park_task_channels: format!("{}:{inactive}", project.chat_task_channel),
    })
}

async fn goes_on(
    mut life: Life,
    mut postman: Postman,
    clock: Clock,
    end: End,
) -> anyhow::Result<()> {
    while end.comes_not_within(TURN).await {
        let now = clock.now();
        life.turn(now)?;
        postman.go(now).await;
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
        .create_sink(crate::connect::DESCRIPTION, "webhook", configuration)
        .map_err(refused)?;
    let types: Vec<_> = needed_events(true)
        .map(|(name, version)| (name.to_owned(), Some(u32::from(version))))
        .collect();
    state
        .subscribe(crate::connect::DESCRIPTION, sink, &types)
        .map_err(refused)?;
    Ok(())
}

/// What was open when the world before this one ended will never be heard of again.
async fn forget_the_life_before(table: &ChannelTable, now: Timestamp) -> anyhow::Result<()> {
    let mut channels = std::pin::pin!(table.all(ChannelSid::PREFIX));
    while let Some(channel) = channels.next().await {
        let channel: Channel = channel?;
        let over = channel.open_tasks().map(|(task, _)| Fact {
            channel: channel.sid(),
            platform: channel.platform(),
            at: now,
            task,
            opened_at: None,
            interaction: None,
            news: News::Ended(TaskEnd::Vanished),
        });
        for events in ChannelEvents::by_channel(over.collect(), Vec::new(), Parking::On) {
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
        // One thing after the other, each at its time, whoever it happens to.
        while let Some((at, index)) = self.next_step(now) {
            advance(&mut state, at);
            let Some((_, step)) = self.players[index].script.pop() else {
                break;
            };
            if !self.players[index].takes(step, &mut state, self.agent) {
                // Something else happened to it meanwhile, such as a transfer or the janitor.
                self.players[index].script.clear();
            }
        }
        self.players.retain(|playing| !playing.script.is_empty());
        advance(&mut state, now);
        Ok(())
    }

    fn next_step(&self, now: Timestamp) -> Option<(Timestamp, usize)> {
        let next = |(index, playing): (usize, &Playing)| {
            let (at, _) = playing.script.last()?;
            Some((*at, index))
        };
        let first = self.players.iter().enumerate().filter_map(next).min()?;
        (first.0 <= now).then_some(first)
    }

    fn customer_comes(&mut self, at: Timestamp) {
        self.came += 1;
        let address = self.rng.usize(..ADDRESSES);
        let mut draw = self.rng.u8(..100);
        let fate = FATES
            .into_iter()
            .find_map(|(fate, often)| match draw.checked_sub(often) {
                Some(rest) => {
                    draw = rest;
                    None
                }
                None => Some(fate),
            });
        // Between half as long and one and a half times as long as in the script.
        let pace = 0.5 + self.rng.f64();
        let when = |after: Duration| at.plus(after.mul_f64(pace).min(hours(60)));
        let (who, steps) = match fate {
            Some(fate) => {
                let script = fate.script().into_iter();
                let steps: Vec<_> = script.map(|(at, act)| (at, Step::Act(act))).collect();
                (Who::OnChat(Box::new(Player::new(fate, address))), steps)
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
        self.players.push(Playing { who, script });
    }
}

impl Playing {
    /// Lets it happen; false if it cannot.
    fn takes(&mut self, step: Step, state: &mut State, agent: Sid) -> bool {
        match (&mut self.who, step) {
            (Who::OnChat(player), Step::Act(act)) => player.act(act, state, agent).is_ok(),
            (Who::OnConversations { address, task }, Step::Talk(talk)) => {
                talk.happens(address, task, state, agent)
            }
            (Who::OnChat(_), Step::Talk(_)) | (Who::OnConversations { .. }, Step::Act(_)) => false,
            (_, Step::AgentWrites) => self.task().is_some_and(|task| {
                // Somebody may have taken the chat over, who says nothing.
                state.agent_writes(task, "Let me see.").ok();
                true
            }),
            (Who::OnChat(player), Step::CustomerReplies) => {
                state.customer_writes(&player.address, "Here is the number.");
                true
            }
            (Who::OnConversations { address, .. }, Step::CustomerReplies) => {
                state.customer_converses(address, "Here is the number.");
                true
            }
        }
    }

    fn task(&self) -> Option<Sid> {
        match &self.who {
            Who::OnChat(player) => player.task,
            Who::OnConversations { task, .. } => *task,
        }
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
