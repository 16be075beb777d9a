//! One contact centre with one chat, as a value: what Twilio holds, what the table holds, and
//! which events there were. Each thing that can happen leads from one such state to another. It
//! is played once, with the real simulator and the real table, and looked up after that.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use domain::{ChannelSid, Pairs, TaskSid, Timestamp};
use embedded::Embedded;
use park::Park;
use runtime::Aws;
use serde_json::Value;
use simulator::{Contact, Project, Sid, Simulator, State};
use store::ChannelTable;
use world::{Functions, TABLE};

use crate::actors::{Actors, Node, Role};
use crate::connectors::{Op, ToAws, ToTwilio};
use crate::mutation::Mutation;

mod states;

use states::put_item;

const NUMBER: &str = "+15550100123";

/// Where Twilio is: what it holds, and the events since the play began, oldest first.
struct Centre {
    state: Rc<State>,
    events: Rc<Vec<u32>>,
}

/// An event, as it is told.
struct Event {
    body: Value,
    /// The customer wrote.
    is_word: bool,
}

/// A state of the contact centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    record: u32,
    centre: u32,
}

/// The contact centre, and every state of it that was met.
pub(crate) struct Stage {
    twilio: Simulator,
    project: Project,
    inactive: Sid,
    channel: ChannelSid,
    task: TaskSid,
    table: ChannelTable,
    pairs: Pairs,
    park: Rc<Park>,
    pub(crate) actors: Actors,
    mutation: Option<Mutation>,
    /// The state in which each play begins.
    pub(crate) opening: World,
    records: Vec<Value>,
    record_ids: HashMap<String, u32>,
    centres: Vec<Centre>,
    centre_ids: HashMap<String, u32>,
    events: Vec<Event>,
    event_ids: HashMap<String, u32>,
    /// The record and the state of Twilio that are there just now.
    present: (Option<u32>, Option<u32>),
    performed: HashMap<(u32, u32, bool), (u32, u32)>,
    told: HashMap<(u32, u32), u32>,
    useful: HashMap<World, Rc<Vec<usize>>>,
    acted: HashMap<(u32, Role), u32>,
    quiet: HashMap<World, bool>,
}

impl Stage {
    /// A chat whose agent wrote last, long enough ago to be parked; or that is parked already.
    pub(crate) async fn new(is_parked: bool, mutation: Option<Mutation>) -> Self {
        let (twilio, project) = Simulator::with_flex(7).unwrap();
        let (agent, inactive) = {
            let mut state = twilio.state();
            let agent = state.hire_agent(project.workspace, "agent.smith@example.com");
            let workspace = project.workspace;
            let inactive = state.create_task_channel(workspace, "Inactive", "inactive_chat");
            let (agent, inactive) = (agent.unwrap(), inactive.unwrap());
            state
                .set_capacity(agent, project.chat_task_channel, 2)
                .unwrap();
            state.set_capacity(agent, inactive, 20).unwrap();
            (agent, inactive)
        };
        let aws = Embedded::memory().unwrap();
        let connector = ToAws(aws.http_client());
        let clients = Aws::with_http_client(
            aws_smithy_runtime_api::client::http::SharedHttpClient::new(connector),
        );
        store::create_table(&clients.dynamodb(), TABLE)
            .await
            .unwrap();
        let functions = Functions::new(twilio.clone(), project, clients, Some(inactive));
        let pair = functions.pair_with(inactive);
        let to_twilio = Arc::new(ToTwilio(twilio.clone()));
        let park = Rc::new(Park::new(functions.park(&pair, &[]), to_twilio));
        let contact = twilio.state().customer_converses(NUMBER, "Hello");
        let Contact::Started { channel, task } = contact else {
            panic!("{contact:?}");
        };
        twilio.state().agent_accepts(task, agent).unwrap();
        twilio.state().agent_writes(task, "One moment.").unwrap();
        let (channel, task) = (
            channel.as_str().parse().unwrap(),
            task.as_str().parse().unwrap(),
        );
        twilio.advance(Duration::from_secs(1200));
        let now = now_of(&twilio);
        let mut stage = Self {
            table: functions.table(),
            pairs: Pairs::new(vec![pair.parse().unwrap()]).unwrap(),
            actors: Actors::new(Rc::clone(&park), channel, task, now),
            twilio,
            project,
            inactive,
            channel,
            task,
            park,
            mutation,
            opening: World {
                record: 0,
                centre: 0,
            },
            records: Vec::new(),
            record_ids: HashMap::new(),
            centres: Vec::new(),
            centre_ids: HashMap::new(),
            events: Vec::new(),
            event_ids: HashMap::new(),
            present: (None, None),
            performed: HashMap::new(),
            told: HashMap::new(),
            useful: HashMap::new(),
            acted: HashMap::new(),
            quiet: HashMap::new(),
        };
        stage.park.check(now).await.unwrap();
        // All of these were told, and may be told again.
        let mut events = stage.twilio.take_events();
        stage.fold(&events).await;
        if is_parked {
            stage.park.reply(channel, now).await.unwrap();
            assert!(stage.is_parked());
            let parked = stage.twilio.take_events();
            stage.fold(&parked).await;
            events.extend(parked);
        }
        // A person asked before the customer writes.
        stage.twilio.advance(Duration::from_millis(1));
        let events = events.into_iter().map(|event| stage.event_id(event));
        let events = events.collect();
        stage.opening = World {
            record: stage.keep_record().await,
            centre: stage.keep_centre(events),
        };
        stage
    }

    /// Returns the events of a state: whether each is a word of the customer.
    pub(crate) fn events(&self, world: World) -> impl ExactSizeIterator<Item = bool> {
        let events = self.centres[world.centre as usize].events.iter();
        events.map(|event| self.events[*event as usize].is_word)
    }

    /// Returns how many states of the record and of Twilio were met.
    pub(crate) fn met(&self) -> (usize, usize) {
        (self.records.len(), self.centres.len())
    }

    /// Lets what an actor asks have its effect.
    pub(crate) async fn perform(&mut self, world: World, node: Node) -> (World, u32) {
        let asked = self.actors.asks(node).unwrap();
        let op = self.actors.asked[asked as usize].op();
        let changes = |mutation: Mutation| mutation.changes(&self.actors, node);
        let is_changed = self.mutation.is_some_and(changes);
        let is_record = matches!(op, Op::Get | Op::Put);
        let before = if is_record {
            world.record
        } else {
            world.centre
        };
        let key = (before, asked, is_changed);
        let (after, answer) = match self.performed.get(&key) {
            Some(known) => *known,
            None => {
                let after = match is_record {
                    true => self.ask_record(before, asked, is_changed).await,
                    false => self.ask_centre(before, asked, is_changed),
                };
                self.performed.insert(key, after);
                after
            }
        };
        let (record, centre) = match is_record {
            true => (after, world.centre),
            false => (world.record, after),
        };
        (World { record, centre }, answer)
    }

    /// Lets a request have its effect, whose actor does not wait for it any more.
    pub(crate) fn perform_late(&mut self, world: World, asked: u32) -> World {
        let (centre, _) = self.ask_centre(world.centre, asked, false);
        World { centre, ..world }
    }

    /// Tells an event of a state, as the webhook does.
    pub(crate) async fn tell(&mut self, world: World, event: usize) -> World {
        let event = self.centres[world.centre as usize].events[event];
        if let Some(record) = self.told.get(&(world.record, event)) {
            let record = *record;
            return World { record, ..world };
        }
        let mut told = self.events[event as usize].body.clone();
        match self.mutation {
            None => self.enter_record(world.record).await,
            Some(mutation) => {
                let mut item = self.records[world.record as usize].clone();
                let active = self.project.chat_task_channel;
                mutation.tell(&mut told, &mut item, active.as_str());
                self.present.0 = None;
                put_item(&item).await;
            }
        }
        self.fold(&[told]).await;
        let record = self.keep_record().await;
        self.told.insert((world.record, event), record);
        World { record, ..world }
    }

    /// Returns the events of a state that change its record if they are told now.
    pub(crate) async fn useful(&mut self, world: World) -> Rc<Vec<usize>> {
        if let Some(known) = self.useful.get(&world) {
            return Rc::clone(known);
        }
        let mut useful = Vec::new();
        let count = self.events(world).len();
        for event in 0..count {
            if self.tell(world, event).await != world {
                useful.push(event);
            }
        }
        let useful = Rc::new(useful);
        self.useful.insert(world, Rc::clone(&useful));
        useful
    }

    /// Lets someone act at Twilio who is none of ours: the customer or someone else.
    pub(crate) fn act(&mut self, world: World, role: Role) -> World {
        let key = (world.centre, role);
        if let Some(centre) = self.acted.get(&key) {
            let centre = *centre;
            return World { centre, ..world };
        }
        self.enter_centre(world.centre);
        match role {
            Role::Customer => {
                let _ = self.twilio.state().customer_converses(NUMBER, "And now?");
            }
            Role::Other => self.replace_attributes(),
            Role::Run | Role::Park | Role::Resume => panic!("{role:?} asks"),
        }
        let centre = self.leave_centre(world.centre);
        self.acted.insert(key, centre);
        World { centre, ..world }
    }

    /// Lets two minutes' ticks pass. Returns whether the chat is not parked after that.
    pub(crate) async fn comes_back(&mut self, world: World) -> bool {
        if let Some(known) = self.quiet.get(&world) {
            return *known;
        }
        self.enter_record(world.record).await;
        self.enter_centre(world.centre);
        self.present = (None, None);
        for _ in 0..2 {
            if !self.is_parked() {
                break;
            }
            // A tick polls every ten seconds, and a failed way back waits no longer.
            self.twilio.advance(Duration::from_secs(20));
            let now = now_of(&self.twilio);
            self.park.tick(now, Duration::ZERO).await.unwrap();
        }
        let is_back = !self.is_parked();
        self.quiet.insert(world, is_back);
        is_back
    }

    fn task_sid(&self) -> Sid {
        self.task.as_str().parse().unwrap()
    }

    fn is_parked(&self) -> bool {
        let state = self.twilio.state();
        let task = state.task(self.task_sid()).unwrap();
        assert!([self.inactive, self.project.chat_task_channel].contains(&task.task_channel));
        task.task_channel == self.inactive
    }
}

fn now_of(twilio: &Simulator) -> Timestamp {
    Timestamp::from_millis(twilio.now().as_millisecond())
}
