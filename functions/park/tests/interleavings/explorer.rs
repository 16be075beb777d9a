//! Every order in which the steps of several actors can come, depth first. A state that was met
//! is not followed twice; the orders that lead on from it are counted again.

use std::collections::HashMap;

use crate::actors::{Node, Role};
use crate::connectors::{Answer, Op};
use crate::orders::{Choice, Explored, Fate, Orders, Rest, Unheard};
use crate::stage::{Stage, World};

/// An actor, and the actor who has to be done before. After a customer, the word must be told,
/// too: that is what wakes a run.
pub(crate) type Cast = [(Role, Option<usize>)];

/// The most actors of a cast.
const MAX_ACTORS: usize = 6;

/// The place of an actor that is done.
const DONE: Node = Node::MAX;

/// The circumstances of a play.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Play {
    /// The most faults: one or none.
    pub(crate) faults: u8,
    /// The most times that an actor is kept waiting while another goes on; no limit if there is
    /// none.
    pub(crate) switches: Option<u8>,
}

/// Everything on which the rest of a play depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Position {
    world: World,
    /// Where each actor is.
    actors: [Node; MAX_ACTORS],
    /// The words that were told. All else that was told shows in the record, or was of no use.
    words: u32,
    /// The request of a late write.
    late: Option<u32>,
    faults: u8,
    /// The actor that went on last, and how often another one was kept waiting.
    running: (u8, u8),
}

struct Frame {
    position: usize,
    open: Vec<Choice>,
    /// The choice that led here.
    choice: Option<Choice>,
    orders: Orders,
}

struct Explorer<'a> {
    cast: &'a Cast,
    play: Play,
    stage: &'a mut Stage,
    ids: HashMap<Position, usize>,
    positions: Vec<Position>,
    /// The orders that lead on from each state.
    orders: Vec<Orders>,
}

/// Explores every order. What was played on a stage before is not played again.
///
/// # Errors
///
/// Fails with the first order after which a customer waits.
pub(crate) async fn explore(
    stage: &mut Stage,
    cast: &Cast,
    play: Play,
) -> Result<Explored, Unheard> {
    assert!(cast.len() <= MAX_ACTORS && play.faults <= 1);
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
        let mut frames = vec![self.frame(first, None).await];
        while let Some(frame) = frames.last_mut() {
            let Some(choice) = frame.open.pop() else {
                if frame.orders.all == 0 {
                    // What leads nowhere further is an order.
                    frame.orders = Orders::ONE;
                }
                let (orders, choice) = (frame.orders, frame.choice);
                self.orders[frame.position] = orders;
                frames.pop();
                match frames.last_mut().zip(choice) {
                    Some((before, choice)) => before.orders.add(choice, &orders),
                    None => explored.orders = orders,
                }
                continue;
            };
            let position = self.positions[frame.position];
            let Some(next) = self.after(position, choice).await else {
                continue;
            };
            match self.ids.get(&next) {
                Some(known) => frame.orders.add(choice, &self.orders[*known]),
                None => {
                    let frame = self.frame(next, Some(choice)).await;
                    frames.push(frame);
                    explored.longest = explored.longest.max(frames.len() - 1);
                    self.check(&next, &frames).await?;
                }
            }
        }
        explored.states = self.positions.len();
        explored.runs = self.stage.actors.runs();
        explored.met = self.stage.met();
        Ok(explored)
    }

    async fn first(&mut self) -> Position {
        let world = self.stage.opening;
        let mut actors = [DONE; MAX_ACTORS];
        for (actor, (role, _)) in actors.iter_mut().zip(self.cast) {
            *actor = self.stage.actors.root(*role).await;
        }
        // The words before the play were told.
        let events = self.stage.events(world).enumerate();
        let words = events
            .map(|(event, is_word)| u32::from(is_word) << event)
            .sum();
        Position {
            world,
            actors,
            words,
            late: None,
            faults: 0,
            running: (0, 0),
        }
    }

    async fn frame(&mut self, position: Position, choice: Option<Choice>) -> Frame {
        let id = self.positions.len();
        self.ids.insert(position, id);
        self.positions.push(position);
        self.orders.push(Orders::default());
        Frame {
            position: id,
            open: self.choices(&position).await,
            choice,
            orders: Orders::default(),
        }
    }

    async fn choices(&mut self, position: &Position) -> Vec<Choice> {
        let mut choices = Vec::new();
        let may_fail = position.faults < self.play.faults;
        let is_told = |event: usize| position.words & (1 << event) != 0;
        let events: Vec<bool> = self.stage.events(position.world).collect();
        let words_are_told = (0..events.len()).all(|event| !events[event] || is_told(event));
        for (number, (role, after)) in self.cast.iter().enumerate() {
            let node = position.actors[number];
            if node == DONE || !self.may_run(position, number) {
                continue;
            }
            if let Some(after) = *after {
                let is_word = self.cast[after].0 == Role::Customer;
                if position.actors[after] != DONE || (is_word && !words_are_told) {
                    continue;
                }
            }
            choices.push(Choice::Step(number, Fate::Answered));
            if may_fail && !role.is_outside() {
                choices.push(Choice::Crash(number));
                if self.stage.actors.op(node) == Op::Write {
                    let fates = [Fate::AnswerLost, Fate::Lost, Fate::Late, Fate::Refused];
                    choices.extend(fates.map(|fate| Choice::Step(number, fate)));
                }
            }
        }
        choices.extend(position.late.map(|_| Choice::Late));
        let useful = self.stage.useful(position.world).await;
        for (event, is_word) in events.into_iter().enumerate() {
            let matters = (is_word && !is_told(event)) || useful.contains(&event);
            if matters {
                choices.push(match is_word {
                    true => Choice::TellWord(event),
                    false => Choice::Tell(event),
                });
            }
        }
        choices
    }

    /// Returns whether an actor may go on: it did so last, or another one may still be kept
    /// waiting, or none is.
    fn may_run(&self, position: &Position, actor: usize) -> bool {
        self.switches(position, actor)
            .is_none_or(|switches| self.play.switches >= Some(switches))
    }

    /// Returns how often an actor was kept waiting, once this one goes on; nothing if it does not
    /// matter.
    fn switches(&self, position: &Position, actor: usize) -> Option<u8> {
        let (running, switches) = position.running;
        let is_kept_waiting = usize::from(running) != actor + 1
            && running != 0
            && position.actors[usize::from(running) - 1] != DONE
            && !self.cast[actor].0.is_outside();
        self.play.switches?;
        Some(switches + u8::from(is_kept_waiting))
    }

    /// Returns the state after a choice. Nothing if it changes nothing.
    async fn after(&mut self, before: Position, choice: Choice) -> Option<Position> {
        let mut after = before;
        match choice {
            Choice::Crash(actor) => {
                after.faults += 1;
                after.actors[actor] = DONE;
            }
            Choice::Late => {
                let asked = after.late.take()?;
                after.world = self.stage.perform_late(after.world, asked);
            }
            Choice::TellWord(event) => {
                after.words |= 1 << event;
                after.world = self.stage.tell(after.world, event).await;
            }
            Choice::Tell(event) => {
                after.world = self.stage.tell(after.world, event).await;
            }
            Choice::Step(actor, fate) => {
                let role = self.cast[actor].0;
                if role.is_outside() {
                    after.world = self.stage.act(after.world, role);
                    after.actors[actor] = DONE;
                } else {
                    if let Some(switches) = self.switches(&before, actor) {
                        after.running = (u8::try_from(actor).unwrap() + 1, switches);
                    }
                    after.faults += u8::from(fate != Fate::Answered);
                    self.step(&mut after, actor, fate).await;
                    if self.play.switches.is_some() && after.actors[actor] == DONE {
                        after.running.0 = 0;
                    }
                }
            }
        }
        self.sort_alike(&mut after);
        (after != before).then_some(after)
    }

    /// Neighbours who are alike, and for whom no other waits, may change places.
    fn sort_alike(&self, position: &mut Position) {
        for number in 1..self.cast.len() {
            let others = self.cast[number..].iter();
            let is_waited_for = others
                .clone()
                .any(|(_, after)| *after == Some(number) || *after == Some(number - 1));
            if self.cast[number - 1] == self.cast[number]
                && !is_waited_for
                && position.actors[number - 1] > position.actors[number]
            {
                position.actors.swap(number - 1, number);
                let running = usize::from(position.running.0);
                if running == number {
                    position.running.0 += 1;
                } else if running == number + 1 {
                    position.running.0 -= 1;
                }
            }
        }
    }

    async fn step(&mut self, position: &mut Position, actor: usize, fate: Fate) {
        let mut node = position.actors[actor];
        loop {
            let op = self.stage.actors.op(node);
            let answer = match fate {
                Fate::Answered | Fate::AnswerLost => {
                    let (world, answer) = self.stage.perform(position.world, node).await;
                    position.world = world;
                    (fate == Fate::Answered).then_some(answer)
                }
                Fate::Late => {
                    position.late = self.stage.actors.asks(node);
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
            if self.stage.actors.asks(node).is_none() {
                position.actors[actor] = DONE;
                return;
            }
            position.actors[actor] = node;
            // A conditional write that follows a read at once passes with it: it has an effect
            // only if nothing came between.
            if (op, self.stage.actors.op(node)) != (Op::Get, Op::Put) {
                return;
            }
        }
    }

    /// Ends a play in each way, if all its actors are done.
    async fn check(&mut self, position: &Position, frames: &[Frame]) -> Result<(), Unheard> {
        if position.actors.iter().any(|node| *node != DONE) {
            return Ok(());
        }
        let mut world = position.world;
        if let Some(late) = position.late {
            world = self.stage.perform_late(world, late);
        }
        let events: Vec<bool> = self.stage.events(world).collect();
        let count = events.len();
        let is_untold = |event: &usize| position.words & (1 << event) == 0;
        for rest in [Rest::Lost, Rest::Delivered, Rest::Twice] {
            let order: Vec<usize> = match rest {
                Rest::Lost => (0..count)
                    .filter(|event| events[*event])
                    .filter(is_untold)
                    .collect(),
                Rest::Delivered => (0..count).filter(is_untold).collect(),
                Rest::Twice => (0..count).rev().chain(0..count).collect(),
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
