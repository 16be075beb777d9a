//! One contact centre with one chat, and the actors who work on it at the same time.

use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use domain::{Channel, ChannelSid, ManualRequest, Pairs, TaskSid, Timestamp};
use embedded::Embedded;
use http::Request;
use park::Park;
use runtime::Aws;
use serde_json::Value;
use simulator::{Contact, Project, Sid, Simulator};
use store::{ChannelTable, StoreError};
use twilio::events::{Scope, read_recording};
use world::{Functions, TABLE};

use crate::gate::{self, Fate, Op, ToAws, ToTwilio};

const NUMBER: &str = "+15550100123";

/// A party that does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// A run of the parking function for the channel, by the schedule or for a reply.
    Run,
    /// A person parks the chat.
    Park,
    /// A person takes the chat up again.
    Resume,
    /// The customer writes, and it is told at once.
    Customer,
    /// Event Streams tells what happened to the task, one event at a time.
    Stream,
}

/// An actor, and the actor who has to be done before.
pub(crate) type Cast = [(Role, Option<usize>)];

/// A choice of the explorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This actor goes on until its next request; the one that waits has this fate.
    Step(usize, Fate),
    /// This actor's process ends where it is.
    Crash(usize),
    /// A late request has its effect.
    Late,
}

/// The fate of the events that are not told yet, in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Lost,
    Delivered,
    /// Backwards, and once more with all that was told before.
    Twice,
}

struct Actor {
    role: Role,
    after: Option<usize>,
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waits: Option<(Op, Waker)>,
    last: Option<Op>,
    seen: DefaultHasher,
    is_done: bool,
}

/// A play in progress.
pub(crate) struct Play {
    twilio: Simulator,
    project: Project,
    inactive: Sid,
    channel: ChannelSid,
    task: TaskSid,
    table: ChannelTable,
    pairs: Pairs,
    park: Rc<Park>,
    now: Timestamp,
    actors: Vec<Actor>,
    untold: Vec<Value>,
    told: Vec<Value>,
    late: Vec<Request<Bytes>>,
    to_twilio: Arc<ToTwilio>,
    faults: usize,
    writes: usize,
}

impl Play {
    /// A chat whose agent wrote last, long enough ago to be parked; or that is parked already.
    pub(crate) async fn begin(cast: &Cast, is_parked: bool) -> Self {
        gate::reset();
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
        let to_twilio = Arc::new(ToTwilio(twilio.clone()));
        let pair = functions.pair_with(inactive);
        let park = Park::new(functions.park(&pair, &[]), Arc::clone(&to_twilio) as _);
        let contact = twilio.state().customer_converses(NUMBER, "Hello");
        let Contact::Started { channel, task } = contact else {
            panic!("{contact:?}");
        };
        twilio.state().agent_accepts(task, agent).unwrap();
        twilio.state().agent_writes(task, "One moment.").unwrap();
        let mut play = Self {
            table: functions.table(),
            pairs: Pairs::new(vec![pair.parse().unwrap()]).unwrap(),
            now: Timestamp::from_millis(twilio.now().as_millisecond()),
            channel: channel.as_str().parse().unwrap(),
            task: task.as_str().parse().unwrap(),
            park: Rc::new(park),
            actors: Vec::new(),
            untold: Vec::new(),
            told: Vec::new(),
            late: Vec::new(),
            faults: 0,
            writes: 0,
            twilio,
            project,
            inactive,
            to_twilio,
        };
        play.park.check(play.now).await.unwrap();
        let events = play.twilio.take_events();
        play.tell(&events).await;
        play.time_passes(Duration::from_secs(1200));
        if is_parked {
            play.park.reply(play.channel, play.now).await.unwrap();
            assert!(play.is_parked());
            let events = play.twilio.take_events();
            play.tell(&events).await;
        }
        // A person asked before the customer writes.
        play.actors = cast.iter().map(|part| play.actor(*part)).collect();
        play.time_passes(Duration::from_millis(1));
        gate::close(true);
        // Nothing happens before an actor's first request.
        for number in 0..play.actors.len() {
            if play.actors[number].future.is_some() {
                play.advance(number, Fate::Answered).await;
            }
        }
        play
    }

    fn actor(&self, (role, after): (Role, Option<usize>)) -> Actor {
        let (park, channel, task, now) = (Rc::clone(&self.park), self.channel, self.task, self.now);
        let manual = |request| {
            let park = Rc::clone(&park);
            async move { drop(park.manual(task, request, now).await) }
        };
        let future: Option<Pin<Box<dyn Future<Output = ()>>>> = match role {
            Role::Run => {
                let park = Rc::clone(&park);
                Some(Box::pin(
                    async move { drop(park.reply(channel, now).await) },
                ))
            }
            Role::Park => Some(Box::pin(manual(ManualRequest::Park))),
            Role::Resume => Some(Box::pin(manual(ManualRequest::Resume))),
            Role::Customer | Role::Stream => None,
        };
        Actor {
            role,
            after,
            future,
            waits: None,
            last: None,
            seen: DefaultHasher::new(),
            is_done: false,
        }
    }

    fn time_passes(&mut self, by: Duration) {
        self.now = self.now.plus(by);
        let by = jiff::SignedDuration::try_from(by).unwrap();
        self.twilio.set_now(self.twilio.now() + by);
    }

    /// Folds events into the record, as the webhook does.
    async fn tell(&mut self, events: &[Value]) {
        let batch = read_recording(
            Value::from(events.to_vec()).to_string().as_bytes(),
            &Scope {
                pairs: self.pairs.clone(),
                ..Scope::default()
            },
        );
        let channel = self.channel;
        let take = |record: &mut Channel| record.absorb_useful(&batch.facts);
        let platform = domain::Platform::Conversations;
        let told: Result<_, StoreError> = self.table.fold(channel, platform, take).await;
        told.unwrap();
        self.told.extend_from_slice(events);
    }

    /// Tells events while all others wait.
    async fn tell_now(&mut self, events: &[Value]) {
        gate::close(false);
        self.tell(events).await;
        gate::seen();
        gate::close(true);
    }

    /// The choices that there are, with at most so many faults.
    pub(crate) fn choices(&self, max_faults: usize) -> Vec<Choice> {
        let mut choices = Vec::new();
        for (number, actor) in self.actors.iter().enumerate() {
            let waits = actor.after.is_some_and(|after| !self.actors[after].is_done);
            let idle = actor.role == Role::Stream && self.untold.is_empty();
            if actor.is_done || waits || idle {
                continue;
            }
            choices.push(Choice::Step(number, Fate::Answered));
            if self.faults >= max_faults {
                continue;
            }
            if matches!(actor.waits, Some((Op::Write, _))) {
                let fates = [Fate::AnswerLost, Fate::Lost, Fate::Late, Fate::Refused];
                choices.extend(fates.map(|fate| Choice::Step(number, fate)));
            }
            if actor.waits.is_some() {
                choices.push(Choice::Crash(number));
            }
        }
        if !self.late.is_empty() {
            choices.push(Choice::Late);
        }
        choices
    }

    pub(crate) async fn play(&mut self, choice: Choice) {
        match choice {
            Choice::Step(number, fate) => {
                self.faults += usize::from(fate != Fate::Answered);
                self.step(number, fate).await;
            }
            Choice::Crash(number) => {
                self.faults += 1;
                self.actors[number].future = None;
                self.actors[number].is_done = true;
            }
            Choice::Late => {
                let request = self.late.remove(0);
                drop(self.to_twilio.handle(request));
            }
        }
        self.late.extend(gate::late());
        self.untold.extend(self.twilio.take_events());
    }

    async fn step(&mut self, number: usize, fate: Fate) {
        match self.actors[number].role {
            Role::Customer => {
                let _ = self.twilio.state().customer_converses(NUMBER, "And now?");
                self.untold.extend(self.twilio.take_events());
                let is_message =
                    |event: &Value| event["type"].as_str().unwrap().contains("message");
                let all = std::mem::take(&mut self.untold);
                let (messages, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_message);
                self.untold = rest;
                self.tell_now(&messages).await;
                self.actors[number].is_done = true;
            }
            Role::Stream => {
                let event = self.untold.remove(0);
                self.tell_now(&[event]).await;
            }
            Role::Run | Role::Park | Role::Resume => self.advance(number, fate).await,
        }
    }

    /// Lets an actor go on until its next request.
    async fn advance(&mut self, number: usize, fate: Fate) {
        let actor = &mut self.actors[number];
        gate::give(fate);
        gate::last(actor.last);
        if let Some((op, waker)) = actor.waits.take() {
            self.writes += usize::from(op == Op::Write);
            waker.wake();
        }
        let future = actor.future.as_mut().unwrap();
        for _ in 0..20_000 {
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(()) = future.as_mut().poll(&mut context) {
                actor.is_done = true;
                actor.future = None;
                break;
            }
            actor.waits = gate::arrived();
            if actor.waits.is_some() {
                break;
            }
            // It waits before it tries again.
            tokio::time::advance(Duration::from_millis(5)).await;
        }
        assert!(actor.is_done || actor.waits.is_some(), "{:?}", actor.role);
        actor.last = gate::last(None);
        gate::seen().hash(&mut actor.seen);
    }

    /// Everything on which the rest of the play depends.
    pub(crate) async fn state(&self) -> u64 {
        gate::close(false);
        let record = self.table.get(self.channel).await.unwrap().unwrap();
        gate::seen();
        gate::close(true);
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(&record.channel)
            .unwrap()
            .hash(&mut hasher);
        {
            let state = self.twilio.state();
            let task = state.task(self.task_sid()).unwrap();
            (task.version, task.task_channel.to_string()).hash(&mut hasher);
        }
        for actor in &self.actors {
            let waits = actor.waits.as_ref().map(|(op, _)| *op);
            (actor.is_done, waits, actor.last, actor.seen.finish()).hash(&mut hasher);
        }
        (self.late.len(), self.untold.len(), self.faults).hash(&mut hasher);
        hasher.finish()
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

    /// Returns the number of writes of the task that were sent.
    pub(crate) fn writes(&self) -> usize {
        self.writes
    }

    /// Things are quiet, and one tick passes. Whether the customer is heard.
    pub(crate) async fn end(mut self, rest: Rest) -> bool {
        gate::close(false);
        for request in std::mem::take(&mut self.late) {
            drop(self.to_twilio.handle(request));
        }
        self.untold.extend(self.twilio.take_events());
        let mut untold = std::mem::take(&mut self.untold);
        match rest {
            Rest::Lost => {}
            Rest::Delivered => self.tell(&untold).await,
            Rest::Twice => {
                untold.reverse();
                self.tell(&untold).await;
                let told = self.told.clone();
                self.tell(&told).await;
            }
        }
        // A tick polls every ten seconds, and a failed way back waits no longer.
        for _ in 0..2 {
            self.time_passes(Duration::from_secs(20));
            self.park.tick(self.now, Duration::ZERO).await.unwrap();
        }
        !self.is_parked()
    }
}
