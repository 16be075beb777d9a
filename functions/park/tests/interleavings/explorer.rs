//! Every order in which the steps of several actors can come, depth first. A state that was met
//! is not followed twice; the orders that lead on from it are counted again.

use std::collections::HashMap;
use std::fmt;

use crate::actors::{Node, Role};
use crate::connectors::{Answer, Op};
use crate::stage::{Mutation, Stage, WorldId};

/// An actor, and the actor who has to be done before. After a customer, the word must be told,
/// too: that is what wakes a run.
pub(crate) type Cast = [(Role, Option<usize>)];

/// The circumstances of a play.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Play {
    /// The chat is parked at the beginning.
    pub(crate) is_parked: bool,
    /// The events of the task are told, each at any time, and any number of times.
    pub(crate) has_stream: bool,
    /// The most faults.
    pub(crate) faults: u8,
    pub(crate) mutation: Option<Mutation>,
}

/// The fate of a write of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has its effect, and its answer arrives.
    Answered,
    /// It has its effect, and its answer is lost.
    AnswerLost,
    /// It is lost.
    Lost,
    /// Its answer is lost, and its effect comes at any later time.
    Late,
    /// It is answered 412, without an effect.
    Refused,
}

/// A choice of the explorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The request of this actor has this fate, and the actor goes on until it asks again.
    Step(usize, Fate),
    /// This actor's process ends where it is.
    Crash(usize),
    /// A late write has its effect.
    Late(usize),
    /// An event is told.
    Tell(usize),
}

/// The fate of the events that are not told yet, in the end. A customer's word is always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Lost,
    Delivered,
    /// Backwards, and once more with all that was told before.
    Twice,
}

/// Everything on which the rest of a play depends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Position {
    world: WorldId,
    /// Where each actor is; nothing once it is done.
    actors: Vec<Option<Node>>,
    told: u64,
    late: Vec<u32>,
    faults: u8,
}

/// The extent of an exploration.
#[derive(Debug, Default)]
pub(crate) struct Explored {
    /// Orders of all steps.
    pub(crate) orders: u128,
    /// States that were met.
    pub(crate) states: usize,
    /// The steps of the longest order.
    pub(crate) longest: usize,
    /// Runs of the real function, and states of Twilio and the table.
    pub(crate) runs: usize,
    pub(crate) worlds: usize,
}

/// An order after which a customer waits.
pub(crate) struct Unheard {
    path: Vec<Choice>,
    rest: Rest,
}

impl fmt::Debug for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the rest of the events {:?}, after {:?}",
            self.rest, self.path
        )
    }
}

struct Frame {
    position: usize,
    open: Vec<Choice>,
    choice: Option<Choice>,
    orders: u128,
}

struct Explorer<'a> {
    cast: &'a Cast,
    play: Play,
    stage: Stage,
    ids: HashMap<Position, usize>,
    positions: Vec<Position>,
    /// The orders that lead on from each state; nothing while it is being explored.
    orders: Vec<Option<u128>>,
}

/// Explores every order.
///
/// # Errors
///
/// Fails with the first order after which a customer waits.
pub(crate) async fn explore(cast: &Cast, play: Play) -> Result<Explored, Unheard> {
    let stage = Stage::new(play.is_parked, play.mutation).await;
    let mut explorer = Explorer {
        cast,
        play,
        stage,
        ids: HashMap::new(),
        positions: Vec::new(),
        orders: Vec::new(),
    };
    explorer.explore().await
}

impl Explorer<'_> {
    async fn explore(&mut self) -> Result<Explored, Unheard> {
        let mut explored = Explored::default();
        let first = self.first().await;
        let frame = self.frame(first, None);
        let mut frames = vec![frame];
        self.check(&frames).await?;
        while let Some(frame) = frames.last_mut() {
            let Some(choice) = frame.open.pop() else {
                // What leads nowhere further is an order.
                let orders = frame.orders.max(1);
                self.orders[frame.position] = Some(orders);
                frames.pop();
                match frames.last_mut() {
                    Some(before) => before.orders = before.orders.saturating_add(orders),
                    None => explored.orders = orders,
                }
                continue;
            };
            let position = self.positions[frame.position].clone();
            let Some(next) = self.after(&position, choice).await else {
                continue;
            };
            match self.ids.get(&next).map(|known| self.orders[*known]) {
                Some(known) => frame.orders = frame.orders.saturating_add(known.unwrap_or(0)),
                None => {
                    let frame = self.frame(next, Some(choice));
                    frames.push(frame);
                    explored.longest = explored.longest.max(frames.len() - 1);
                    self.check(&frames).await?;
                }
            }
        }
        explored.states = self.positions.len();
        explored.runs = self.stage.actors.runs();
        explored.worlds = self.stage.met();
        Ok(explored)
    }

    async fn first(&mut self) -> Position {
        let world = self.stage.opening().await;
        let mut actors = Vec::new();
        for (role, _) in self.cast {
            actors.push(Some(self.stage.actors.root(*role).await));
        }
        Position {
            world,
            actors,
            told: 0,
            late: Vec::new(),
            faults: 0,
        }
    }

    fn frame(&mut self, position: Position, choice: Option<Choice>) -> Frame {
        let open = self.choices(&position);
        let id = self.positions.len();
        self.ids.insert(position.clone(), id);
        self.positions.push(position);
        self.orders.push(None);
        Frame {
            position: id,
            open,
            choice,
            orders: 0,
        }
    }

    fn choices(&self, position: &Position) -> Vec<Choice> {
        let mut choices = Vec::new();
        let may_fail = position.faults < self.play.faults;
        let events = self.stage.events(position.world);
        let is_told = |event: usize| position.told & (1 << event) != 0;
        let words_are_told = (0..events.len()).all(|event| !events[event] || is_told(event));
        for (number, node) in position.actors.iter().enumerate() {
            let Some(node) = node else { continue };
            let (role, after) = self.cast[number];
            if let Some(after) = after {
                let is_word = self.cast[after].0 == Role::Customer;
                if position.actors[after].is_some() || (is_word && !words_are_told) {
                    continue;
                }
            }
            choices.push(Choice::Step(number, Fate::Answered));
            if may_fail && role != Role::Customer {
                choices.push(Choice::Crash(number));
                let asks = self.stage.actors.asks(*node).unwrap();
                if self.stage.actors.asked[asks as usize].op() == Op::Write {
                    let fates = [Fate::AnswerLost, Fate::Lost, Fate::Late, Fate::Refused];
                    choices.extend(fates.map(|fate| Choice::Step(number, fate)));
                }
            }
        }
        choices.extend((0..position.late.len()).map(Choice::Late));
        let tellable = |event: &usize| events[*event] || self.play.has_stream;
        choices.extend((0..events.len()).filter(tellable).map(Choice::Tell));
        choices
    }

    /// Returns the state after a choice. Nothing if it changes nothing.
    async fn after(&mut self, before: &Position, choice: Choice) -> Option<Position> {
        let mut after = before.clone();
        match choice {
            Choice::Crash(actor) => {
                after.faults += 1;
                after.actors[actor] = None;
            }
            Choice::Late(late) => {
                let asked = after.late.remove(late);
                after.world = self.stage.perform_late(after.world, asked).await;
            }
            Choice::Tell(event) => {
                after.told |= 1 << event;
                after.world = self.stage.tell(after.world, event).await;
            }
            Choice::Step(actor, _) if self.cast[actor].0 == Role::Customer => {
                after.world = self.stage.customer_writes(after.world).await;
                after.actors[actor] = None;
            }
            Choice::Step(actor, fate) => {
                after.faults += u8::from(fate != Fate::Answered);
                self.step(&mut after, actor, fate).await;
            }
        }
        (after != *before).then_some(after)
    }

    async fn step(&mut self, position: &mut Position, actor: usize, fate: Fate) {
        let mut node = position.actors[actor].unwrap();
        loop {
            let asks = self.stage.actors.asks(node).unwrap();
            let op = self.stage.actors.asked[asks as usize].op();
            let answer = match fate {
                Fate::Answered | Fate::AnswerLost => {
                    let (world, answer) = self.stage.perform(position.world, node).await;
                    position.world = world;
                    (fate == Fate::Answered).then_some(answer)
                }
                Fate::Late => {
                    position.late.push(asks);
                    None
                }
                Fate::Lost => None,
                Fate::Refused => Some(self.stage.actors.answer_id(Answer::refused())),
            };
            let answer = match answer {
                Some(answer) => answer,
                None => self.stage.actors.answer_id(Answer::Broken),
            };
            node = self.stage.actors.follow(node, answer).await;
            let next = self.stage.actors.asks(node);
            position.actors[actor] = next.map(|_| node);
            // A conditional write that follows a read at once passes with it: it has an effect
            // only if nothing came between.
            let next_op = next.map(|asks| self.stage.actors.asked[asks as usize].op());
            if (op, next_op) != (Op::Get, Some(Op::Put)) {
                return;
            }
        }
    }

    /// Ends a play in each way, if all its actors are done.
    async fn check(&mut self, frames: &[Frame]) -> Result<(), Unheard> {
        let Some(last) = frames.last() else {
            return Ok(());
        };
        let position = self.positions[last.position].clone();
        if position.actors.iter().any(Option::is_some) {
            return Ok(());
        }
        let mut world = position.world;
        for late in position.late {
            world = self.stage.perform_late(world, late).await;
        }
        let events = self.stage.events(world);
        let count = events.len();
        let untold = |event: &usize| position.told & (1 << event) == 0;
        let words = |event: &usize| events[*event];
        for rest in [Rest::Lost, Rest::Delivered, Rest::Twice] {
            let order: Vec<usize> = match rest {
                Rest::Lost => (0..count).filter(untold).filter(words).collect(),
                Rest::Delivered => (0..count).filter(untold).collect(),
                Rest::Twice => {
                    let backwards = (0..count).rev().filter(untold);
                    backwards.chain(0..count).collect()
                }
            };
            let mut end = world;
            for event in order {
                end = self.stage.tell(end, event).await;
            }
            if !self.stage.comes_back(end).await {
                let path = frames.iter().filter_map(|frame| frame.choice).collect();
                return Err(Unheard { path, rest });
            }
        }
        Ok(())
    }
}
