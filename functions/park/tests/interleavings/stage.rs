//! One contact centre with one chat, as a value: what Twilio holds, what the table holds, and
//! which events there were. Each thing that can happen leads from one such state to another. It
//! is played once, with the real simulator and the real table, and looked up after that.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use domain::{Channel, ChannelSid, Pairs, Platform, TaskSid, Timestamp};
use embedded::Embedded;
use http::{HeaderValue, header};
use park::Park;
use runtime::Aws;
use serde_json::{Value, json};
use simulator::{Contact, Project, Sid, Simulator, State};
use store::ChannelTable;
use twilio::events::{Scope, read_recording};
use world::{Functions, TABLE};

use crate::actors::{Actors, Node, Role};
use crate::connectors::{Answer, Asked, Op, ToAws, ToTwilio, ask_aws, ask_twilio};

const NUMBER: &str = "+15550100123";

/// A deliberate mistake. Each one is a way in which customers were once left unheard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// The task is written by the version that it has then, not by the one that was announced.
    WritesTheNewestVersion,
    /// A run announces nothing.
    AnnouncesNothing,
    /// A person's move announces its first round alone.
    AnnouncesOnce,
}

/// A state of the contact centre.
struct World {
    twilio: Rc<State>,
    item: Value,
    /// The events since the play began, oldest first.
    events: Rc<Vec<Value>>,
}

/// A place among the states.
pub(crate) type WorldId = u32;

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
    worlds: Vec<World>,
    world_ids: HashMap<String, WorldId>,
    present: Option<WorldId>,
    performed: HashMap<(WorldId, u32, bool), (WorldId, u32)>,
    told: HashMap<(WorldId, usize), WorldId>,
    customers: HashMap<WorldId, WorldId>,
    quiet: HashMap<WorldId, bool>,
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
        let stage = Self {
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
            worlds: Vec::new(),
            world_ids: HashMap::new(),
            present: None,
            performed: HashMap::new(),
            told: HashMap::new(),
            customers: HashMap::new(),
            quiet: HashMap::new(),
        };
        stage.park.check(now).await.unwrap();
        let events = stage.twilio.take_events();
        stage.fold(&events).await;
        if is_parked {
            stage.park.reply(channel, now).await.unwrap();
            assert!(stage.is_parked());
            let events = stage.twilio.take_events();
            stage.fold(&events).await;
        }
        // A person asked before the customer writes.
        stage.twilio.advance(Duration::from_millis(1));
        stage
    }

    /// The state in which the play begins.
    pub(crate) async fn opening(&mut self) -> WorldId {
        self.keep(Vec::new()).await
    }

    /// Returns the events of a state: whether each is a message.
    pub(crate) fn events(&self, world: WorldId) -> Vec<bool> {
        let events = self.worlds[world as usize].events.iter();
        let is_message = |event: &Value| event["type"].as_str().unwrap().contains("message");
        events.map(is_message).collect()
    }

    pub(crate) fn met(&self) -> usize {
        self.worlds.len()
    }

    /// Lets what an actor asks have its effect.
    pub(crate) async fn perform(&mut self, world: WorldId, node: Node) -> (WorldId, u32) {
        let asked = self.actors.asks(node).unwrap();
        let is_changed = self.is_changed(node);
        if let Some(known) = self.performed.get(&(world, asked, is_changed)) {
            return *known;
        }
        let after = self.perform_anew(world, node, is_changed).await;
        self.performed.insert((world, asked, is_changed), after);
        after
    }

    /// Lets a request have its effect, whose actor does not wait for it any more.
    pub(crate) async fn perform_late(&mut self, world: WorldId, asked: u32) -> WorldId {
        self.enter(world).await;
        let Asked::Twilio(request) = self.actors.asked[asked as usize].clone() else {
            panic!("only writes of the task are late");
        };
        drop(ask_twilio(&self.twilio, *request));
        self.leave(world).await
    }

    /// Tells an event of a state, as the webhook does.
    pub(crate) async fn tell(&mut self, world: WorldId, event: usize) -> WorldId {
        if let Some(known) = self.told.get(&(world, event)) {
            return *known;
        }
        self.enter(world).await;
        let event_told = self.worlds[world as usize].events[event].clone();
        self.fold(&[event_told]).await;
        let after = self.leave(world).await;
        self.told.insert((world, event), after);
        after
    }

    /// Lets the customer write.
    pub(crate) async fn customer_writes(&mut self, world: WorldId) -> WorldId {
        if let Some(known) = self.customers.get(&world) {
            return *known;
        }
        self.enter(world).await;
        let _ = self.twilio.state().customer_converses(NUMBER, "And now?");
        let after = self.leave(world).await;
        self.customers.insert(world, after);
        after
    }

    /// Lets two minutes' ticks pass. Returns whether the chat is not parked after that.
    pub(crate) async fn comes_back(&mut self, world: WorldId) -> bool {
        if let Some(known) = self.quiet.get(&world) {
            return *known;
        }
        self.enter(world).await;
        self.present = None;
        for _ in 0..2 {
            // A tick polls every ten seconds, and a failed way back waits no longer.
            self.twilio.advance(Duration::from_secs(20));
            let now = now_of(&self.twilio);
            self.park.tick(now, Duration::ZERO).await.unwrap();
        }
        let is_back = !self.is_parked();
        self.quiet.insert(world, is_back);
        is_back
    }

    /// Returns whether the mutation changes the request of this actor here.
    fn is_changed(&self, node: Node) -> bool {
        let Some(mutation) = self.mutation else {
            return false;
        };
        let op = self.actors.asked[self.actors.asks(node).unwrap() as usize].op();
        let mut before = self.actors.ops_before(node);
        match mutation {
            Mutation::WritesTheNewestVersion => op == Op::Write,
            Mutation::AnnouncesNothing => op == Op::Put && before.next() == Some(Op::Look),
            Mutation::AnnouncesOnce => {
                let is_announced = |op: &Op| *op == Op::Look;
                let looks = self.actors.ops_before(node).filter(is_announced).count();
                let last = before.find(|op| matches!(op, Op::Look | Op::Write));
                self.actors.role(node) == Role::Park
                    && op == Op::Put
                    && last == Some(Op::Look)
                    && looks > 1
            }
        }
    }

    async fn perform_anew(
        &mut self,
        world: WorldId,
        node: Node,
        is_changed: bool,
    ) -> (WorldId, u32) {
        self.enter(world).await;
        let asked = self.actors.asks(node).unwrap();
        let mut asked = self.actors.asked[asked as usize].clone();
        let op = asked.op();
        if let Asked::Twilio(request) = &mut asked
            && is_changed
        {
            let version = self.twilio.state().task(self.task_sid()).unwrap().version;
            let version = HeaderValue::from_str(&version.to_string()).unwrap();
            request.headers_mut().insert(header::IF_MATCH, version);
        }
        let answer = match asked {
            Asked::Twilio(request) => Answer::Twilio(ask_twilio(&self.twilio, *request)),
            Asked::Aws { .. } if is_changed => Answer::Aws {
                status: 200,
                body: "{}".to_owned(),
            },
            Asked::Aws { target, body } => {
                let (status, body) = ask_aws(&target, &body).await;
                Answer::Aws { status, body }
            }
        };
        let answer = self.actors.answer_id(answer);
        let after = match op {
            Op::Get | Op::Look => world,
            Op::Put | Op::Write => self.leave(world).await,
        };
        (after, answer)
    }

    /// Folds events into the record.
    async fn fold(&self, events: &[Value]) {
        let scope = Scope {
            pairs: self.pairs.clone(),
            ..Scope::default()
        };
        let body = Value::from(events.to_vec()).to_string();
        let batch = read_recording(body.as_bytes(), &scope);
        let take = |record: &mut Channel| record.absorb_useful(&batch.facts);
        let platform = Platform::Conversations;
        let folded = self.table.fold(self.channel, platform, take).await;
        drop(folded.unwrap());
    }

    /// Makes a state the present one.
    async fn enter(&mut self, world: WorldId) {
        if self.present == Some(world) {
            return;
        }
        let World { twilio, item, .. } = &self.worlds[world as usize];
        *self.twilio.state() = State::clone(twilio);
        let put = json!({ "TableName": TABLE, "Item": item });
        let (status, body) = ask_aws("DynamoDB_20120810.PutItem", &put.to_string()).await;
        assert_eq!(status, 200, "{body}");
        self.present = Some(world);
    }

    /// Keeps what became of a state.
    async fn leave(&mut self, before: WorldId) -> WorldId {
        let events = Rc::clone(&self.worlds[before as usize].events);
        self.keep(events.to_vec()).await
    }

    async fn keep(&mut self, mut events: Vec<Value>) -> WorldId {
        events.extend(self.twilio.take_events());
        let get = json!({
            "TableName": TABLE,
            "Key": { "channel_sid": { "S": self.channel.as_str() } },
            "ConsistentRead": true,
        });
        let (_, body) = ask_aws("DynamoDB_20120810.GetItem", &get.to_string()).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let item = body["Item"].clone();
        let state = self.twilio.state().clone();
        let task = state.task(self.task_sid()).unwrap();
        // All the rest of Twilio stays as it is.
        let told: Vec<_> = events.iter().map(sort_of).collect();
        let key = format!(
            "{item} {} {} {} {told:?}",
            task.version, task.task_channel, task.attributes
        );
        let next = WorldId::try_from(self.worlds.len()).unwrap();
        let world = *self.world_ids.entry(key).or_insert_with(|| {
            self.worlds.push(World {
                twilio: Rc::new(state),
                item,
                events: Rc::new(events),
            });
            next
        });
        self.present = Some(world);
        world
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

/// Returns the content of an event, as far as events of one play differ.
fn sort_of(event: &Value) -> String {
    let mut data = event["data"].clone();
    // Drawn at random for each event.
    for name in ["sid", "event_sid"] {
        if let Some(data) = data.as_object_mut() {
            data.remove(name);
        }
        if let Some(payload) = data["payload"].as_object_mut() {
            payload.remove(name);
        }
    }
    format!("{} {data}", event["type"])
}

fn now_of(twilio: &Simulator) -> Timestamp {
    Timestamp::from_millis(twilio.now().as_millisecond())
}
