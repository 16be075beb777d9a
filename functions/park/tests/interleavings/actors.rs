//! The requests of the actors, by the answers that they got: a tree for each role, that grows as it is
//! explored. The real function runs once for each node, over the answers that lead to it.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use domain::{ChannelSid, ManualRequest, TaskSid, Timestamp};
use park::Park;

use crate::connectors::{Answer, Asked, Op, Paused};

/// The most actors that wait where they are, so that the next answer needs no new run.
const MAX_PAUSED: usize = 400;

/// The most of them that wait for Twilio. Each holds a call of the client, which has ten.
const MAX_CALLS: usize = 6;

/// An actor that asks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// A run of the parking function for the channel, by the schedule or for a reply.
    Run,
    /// A person parks the chat.
    Park,
    /// A person takes the chat up again.
    Resume,
    /// The customer writes.
    Customer,
    /// Someone else replaces the attributes of the task as a whole.
    Other,
}

impl Role {
    /// Returns whether this is someone at Twilio who asks us nothing.
    pub(crate) fn is_outside(self) -> bool {
        matches!(self, Self::Customer | Self::Other)
    }
}

/// A place in the tree of a role.
pub(crate) type Node = u32;

struct Place {
    role: Role,
    asks: Option<u32>,
    /// The answers that lead here, each with what was asked.
    path: Vec<(u32, u32)>,
    next: HashMap<u32, Node>,
}

/// The memory of an actor: its role, its round, its request, and the answers of this round. A
/// round looks at everything again.
type Known = (Role, usize, Option<u32>, Vec<(u32, u32)>);

/// All requests, answers and trees.
pub(crate) struct Actors {
    park: Rc<Park>,
    channel: ChannelSid,
    task: TaskSid,
    now: Timestamp,
    pub(crate) asked: Vec<Asked>,
    asked_ids: HashMap<String, u32>,
    pub(crate) answers: Vec<Answer>,
    answer_ids: HashMap<String, u32>,
    places: Vec<Place>,
    roots: HashMap<Role, Node>,
    /// The places by what is known there; not used where each past is a place of its own.
    known: Option<HashMap<Known, Node>>,
    paused: VecDeque<(Node, Paused)>,
    runs: usize,
}

impl Actors {
    pub(crate) fn new(park: Rc<Park>, channel: ChannelSid, task: TaskSid, now: Timestamp) -> Self {
        Self {
            park,
            channel,
            task,
            now,
            asked: Vec::new(),
            asked_ids: HashMap::new(),
            answers: Vec::new(),
            answer_ids: HashMap::new(),
            places: Vec::new(),
            roots: HashMap::new(),
            known: Some(HashMap::new()),
            paused: VecDeque::new(),
            runs: 0,
        }
    }

    /// Returns how many runs of the real function this took.
    pub(crate) fn runs(&self) -> usize {
        self.runs
    }

    /// Returns what an actor asks next; nothing once it has come to its end.
    pub(crate) fn asks(&self, node: Node) -> Option<u32> {
        self.places[node as usize].asks
    }

    /// Returns the kind of what an actor asks next.
    pub(crate) fn op(&self, node: Node) -> Op {
        self.asked[self.asks(node).unwrap() as usize].op()
    }

    pub(crate) fn role(&self, node: Node) -> Role {
        self.places[node as usize].role
    }

    /// Returns the kinds of the requests before this place, newest first.
    pub(crate) fn ops_before(&self, node: Node) -> impl Iterator<Item = Op> + Clone {
        let path = self.places[node as usize].path.iter().rev();
        path.map(|(asked, _)| self.asked[*asked as usize].op())
    }

    /// Returns whether the last request before this place had its effect.
    pub(crate) fn was_ok(&self, node: Node) -> bool {
        let path = &self.places[node as usize].path;
        path.last()
            .is_some_and(|(_, answer)| self.answers[*answer as usize].is_ok())
    }

    pub(crate) fn answer_id(&mut self, answer: Answer) -> u32 {
        let key = match &answer {
            Answer::Broken => String::new(),
            Answer::Twilio(answer) => format!(
                "{} {:?} {:?}",
                answer.status(),
                answer.headers().get("etag"),
                answer.body()
            ),
            Answer::Aws { status, body } => format!("{status} {}", canonical(body)),
        };
        let next = u32::try_from(self.answers.len()).unwrap();
        *self.answer_ids.entry(key).or_insert_with(|| {
            self.answers.push(answer);
            next
        })
    }

    fn asked_id(&mut self, asked: Asked) -> u32 {
        let key = match &asked {
            Asked::Twilio(request) => format!(
                "{} {} {:?} {:?}",
                request.method(),
                request.uri(),
                request.headers().get("if-match"),
                request.body()
            ),
            Asked::Aws { target, body } => format!("{target} {}", canonical(body)),
        };
        let next = u32::try_from(self.asked.len()).unwrap();
        *self.asked_ids.entry(key).or_insert_with(|| {
            self.asked.push(asked);
            next
        })
    }

    /// Returns the place at which an actor begins.
    pub(crate) async fn root(&mut self, role: Role) -> Node {
        if let Some(root) = self.roots.get(&role) {
            return *root;
        }
        let actor = self.begin(role);
        let root = self.grow(role, Vec::new(), actor.go_on([]).await);
        self.roots.insert(role, root);
        root
    }

    /// Returns the place to which an answer leads.
    pub(crate) async fn follow(&mut self, node: Node, answer: u32) -> Node {
        let place = &self.places[node as usize];
        if let Some(next) = place.next.get(&answer) {
            return *next;
        }
        let (role, asks) = (place.role, place.asks.unwrap());
        let path: Vec<_> = place.path.iter().copied().chain([(asks, answer)]).collect();
        let waits = self.paused.iter().position(|(place, _)| *place == node);
        let went_on = match waits.and_then(|waits| self.paused.remove(waits)) {
            Some((_, actor)) => {
                let answer = self.answers[answer as usize].clone();
                actor.go_on([answer]).await
            }
            None => {
                let answers = path.iter().map(|(_, answer)| *answer as usize);
                let answers: Vec<_> = answers.map(|answer| self.answers[answer].clone()).collect();
                self.begin(role).go_on(answers).await
            }
        };
        let next = self.grow(role, path, went_on);
        self.places[node as usize].next.insert(answer, next);
        next
    }

    fn begin(&mut self, role: Role) -> Paused {
        self.runs += 1;
        let park = Rc::clone(&self.park);
        let (channel, task, now) = (self.channel, self.task, self.now);
        Paused::new(async move {
            let manual = async |request| drop(park.manual(task, request, now).await);
            match role {
                Role::Run => drop(park.reply(channel, now).await),
                Role::Park => manual(ManualRequest::Park).await,
                Role::Resume => manual(ManualRequest::Resume).await,
                Role::Customer | Role::Other => {}
            }
        })
    }

    /// Makes each past a place of its own, however alike they are.
    pub(crate) fn tell_all_apart(&mut self) {
        self.known = None;
    }

    fn known_of(&self, role: Role, path: &[(u32, u32)], asks: Option<u32>) -> Known {
        let Some(asks) = asks else {
            return (role, 0, None, Vec::new());
        };
        let asked: Vec<u32> = path.iter().map(|(asked, _)| *asked).chain([asks]).collect();
        let begins = |at: &usize| {
            let asked = &self.asked[asked[*at] as usize];
            match role {
                // The record was read again, since a write of it or of the task had no effect.
                Role::Run => {
                    let (before, answer) = path[*at - 1];
                    let before = self.asked[before as usize].op();
                    let is_ok = self.answers[answer as usize].is_ok();
                    asked.op() == Op::Get && matches!(before, Op::Put | Op::Write) && !is_ok
                }
                Role::Park | Role::Resume => asked.is_of_task() && asked.op() == Op::Look,
                Role::Customer | Role::Other => false,
            }
        };
        let rounds: Vec<usize> = (1..asked.len()).filter(begins).collect();
        let since = rounds.last().copied().unwrap_or_default();
        (role, rounds.len(), Some(asks), path[since..].to_vec())
    }

    fn grow(
        &mut self,
        role: Role,
        path: Vec<(u32, u32)>,
        went_on: Option<(Paused, Asked)>,
    ) -> Node {
        let node = Node::try_from(self.places.len()).unwrap();
        let (actor, asks) = match went_on {
            Some((actor, asked)) => (Some(actor), Some(self.asked_id(asked))),
            None => (None, None),
        };
        let known = self.known_of(role, &path, asks);
        if let Some(places) = &mut self.known {
            let same = *places.entry(known).or_insert(node);
            if same != node {
                return same;
            }
        }
        self.paused.extend(actor.map(|actor| (node, actor)));
        if self.paused.len() > MAX_PAUSED {
            self.paused.pop_front();
        }
        let mut calls = Vec::new();
        for (at, (paused, _)) in self.paused.iter().enumerate() {
            let asked = if *paused == node {
                asks
            } else {
                self.asks(*paused)
            };
            if asked.is_some_and(|asked| self.asked[asked as usize].is_of_twilio()) {
                calls.push(at);
            }
        }
        if calls.len() > MAX_CALLS {
            self.paused.remove(calls[0]);
        }
        self.places.push(Place {
            role,
            asks,
            path,
            next: HashMap::new(),
        });
        node
    }
}

/// The order of an item's attributes says nothing.
fn canonical(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    value.to_string()
}
