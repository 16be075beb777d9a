//! The requests of the actors, by the answers that they got: a tree for each role, that grows as it is
//! explored. The real function runs once for each node, over the answers that lead to it.

use std::collections::HashMap;
use std::rc::Rc;

use domain::{ChannelSid, ManualRequest, TaskSid, Timestamp};
use park::Park;

use crate::connectors::{self, Answer, Asked, Op};

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
        }
    }

    /// Returns how many runs of the real function this took.
    pub(crate) fn runs(&self) -> usize {
        self.places.len()
    }

    /// Returns what an actor asks next; nothing once it has come to its end.
    pub(crate) fn asks(&self, node: Node) -> Option<u32> {
        self.places[node as usize].asks
    }

    pub(crate) fn role(&self, node: Node) -> Role {
        self.places[node as usize].role
    }

    /// Returns the kinds of the requests before this place, newest first.
    pub(crate) fn ops_before(&self, node: Node) -> impl Iterator<Item = Op> {
        let path = self.places[node as usize].path.iter().rev();
        path.map(|(asked, _)| self.asked[*asked as usize].op())
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
        let root = self.grow(role, Vec::new()).await;
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
        let path = place.path.iter().copied().chain([(asks, answer)]);
        let next = self.grow(role, path.collect()).await;
        self.places[node as usize].next.insert(answer, next);
        next
    }

    async fn grow(&mut self, role: Role, path: Vec<(u32, u32)>) -> Node {
        let answers: Vec<_> = path
            .iter()
            .map(|(_, answer)| self.answers[*answer as usize].clone())
            .collect();
        let (park, now) = (Rc::clone(&self.park), self.now);
        let manual = async |request| drop(park.manual(self.task, request, now).await);
        let actor = async {
            match role {
                Role::Run => drop(park.reply(self.channel, now).await),
                Role::Park => manual(ManualRequest::Park).await,
                Role::Resume => manual(ManualRequest::Resume).await,
                Role::Customer => {}
            }
        };
        let asked = connectors::play(actor, answers).await;
        let asks = asked.map(|asked| self.asked_id(asked));
        self.places.push(Place {
            role,
            asks,
            path,
            next: HashMap::new(),
        });
        Node::try_from(self.places.len() - 1).unwrap()
    }
}

/// The order of an item's attributes says nothing.
fn canonical(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    value.to_string()
}
