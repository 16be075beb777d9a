//! Random days of a contact centre whose silent chats are parked: customers, agents, other
//! people's software, events late and twice and in any order, a bus that loses, storms at
//! Twilio, deaths at any step, two runs at a time. Then nothing fails any more.
//!
//! Whatever happened, after each step every task stands where it was, or in its pair with
//! `inactive` at 1, and no other byte of its attributes is changed (S9). In the end every chat
//! whose customer spoke last is with its agent, and every silent one is parked.
//!
//! Mistakes that somebody could make are made at the border, to show that the days would tell.

use std::time::Duration;

use bytes::Bytes;
use domain::Policy;
use fastrand::Rng;
use futures::FutureExt as _;
use http::{Method, Request, header};
use serde_json::Value;
use simulator::state::taskrouter::task::{Expect, TaskChange};
use simulator::{At, Fault, FaultKind};
use std::panic::AssertUnwindSafe;
use world::{Chat, Crash, Mistake, POLL, World};

/// Who spoke last, as it really was.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Last {
    Customer,
    Agent,
}

struct Line {
    chat: Chat,
    address: String,
    on_chat: bool,
    last: Last,
    /// What other people's software last wrote, apart from our value.
    attributes: String,
}

struct Day {
    world: World,
    rng: Rng,
    lines: Vec<Line>,
    /// What happened and is not delivered yet.
    late: Vec<Value>,
    parked: usize,
    returned: usize,
    crashes: usize,
}

/// Attributes without our value: as they were, or with `,"inactive":…` at their end.
fn without_ours(attributes: &str) -> String {
    attributes
        .replace(",\"inactive\":1}", "}")
        .replace(",\"inactive\":0}", "}")
}

impl Day {
    async fn begin(seed: u64, mistake: Option<Mistake>) -> Self {
        let world = World::that_parks().await;
        world.park().check(world.now()).await.unwrap();
        if let Some(mistake) = mistake {
            world.tamper(mistake);
        }
        Self {
            world,
            rng: Rng::with_seed(seed),
            lines: Vec::new(),
            late: Vec::new(),
            parked: 0,
            returned: 0,
            crashes: 0,
        }
    }

    async fn step(&mut self) {
        match self.rng.u8(..100) {
            0..12 => self.contact().await,
            12..34 => self.customer_writes(),
            34..50 => self.agent_writes(),
            50..56 => self.somebody_writes(),
            56..72 => self.deliver().await,
            72..80 => self.bus().await,
            80..92 => self.run().await,
            _ => self.weather(),
        }
        let most = if self.rng.u8(..10) == 0 { 900 } else { 60 };
        let pause = Duration::from_millis(self.rng.u64(..most * 1_000));
        self.world.time_passes(pause).await;
        self.check();
    }

    /// S9: what may be seen of a task at any time.
    fn check(&self) {
        let home = self.world.project.chat_task_channel;
        for line in &self.lines {
            let state = self.world.twilio.state();
            let task = state.task(line.chat.task).unwrap();
            let text = task.attributes.to_string();
            let inactive = text.ends_with(",\"inactive\":1}");
            let there = task.task_channel == self.world.inactive();
            assert!(there || task.task_channel == home);
            assert_eq!(there, inactive, "half parked: {text}");
            assert_eq!(
                without_ours(&text),
                line.attributes,
                "another byte is changed"
            );
        }
    }

    async fn contact(&mut self) {
        if self.lines.len() >= 4 {
            return;
        }
        let address = format!("+155501{:05}", self.rng.u32(..100_000));
        if self.lines.iter().any(|line| line.address == address) {
            return;
        }
        let on_chat = self.rng.bool();
        let chat = if on_chat {
            self.world.customer_writes(&address)
        } else {
            self.world.customer_converses(&address)
        };
        self.world.agent_accepts(chat);
        let attributes = self.attributes(chat);
        self.lines.push(Line {
            chat,
            address,
            on_chat,
            last: Last::Customer,
            attributes,
        });
        // Who the agent is gets told before long, and a Chat channel is listened to.
        self.world.deliver_all().await;
        self.world.twilio.clear_faults();
        self.world.parking_poll().await;
    }

    fn attributes(&self, chat: Chat) -> String {
        let state = self.world.twilio.state();
        state.task(chat.task).unwrap().attributes.to_string()
    }

    fn pick(&mut self) -> Option<usize> {
        (!self.lines.is_empty()).then(|| self.rng.usize(..self.lines.len()))
    }

    fn customer_writes(&mut self) {
        let Some(at) = self.pick() else { return };
        let line = &mut self.lines[at];
        if line.on_chat {
            self.world.customer_writes(&line.address);
        } else {
            self.world.customer_converses(&line.address);
        }
        line.last = Last::Customer;
    }

    fn agent_writes(&mut self) {
        let Some(at) = self.pick() else { return };
        self.world.agent_writes(self.lines[at].chat);
        self.lines[at].last = Last::Agent;
    }

    /// Other software changes the task's attributes.
    fn somebody_writes(&mut self) {
        let Some(at) = self.pick() else { return };
        let mark = self.rng.u32(..);
        let chat = self.lines[at].chat;
        let add = |text: &str| text.replacen('{', &format!("{{\"n{mark}\":1e400,"), 1);
        let change = TaskChange {
            attributes: Some(add(&self.attributes(chat))),
            ..TaskChange::default()
        };
        let mut state = self.world.twilio.state();
        state.update_task(chat.task, Expect::Any, change).unwrap();
        drop(state);
        self.lines[at].attributes = add(&self.lines[at].attributes);
    }

    /// Some of what happened arrives, in any order and some of it twice; the rest stays late.
    async fn deliver(&mut self) {
        self.late.extend(self.world.take_events());
        self.rng.shuffle(&mut self.late);
        let count = self.rng.usize(..=self.late.len());
        let mut batch: Vec<Value> = self.late.drain(..count).collect();
        if let Some(first) = batch.first().cloned() {
            batch.push(first);
        }
        self.world.deliver_these(&batch).await;
        self.world.deliver_all().await;
    }

    async fn bus(&mut self) {
        if self.rng.u8(..3) == 0 {
            self.world.bus_loses();
        } else {
            self.world.twilio.clear_faults();
            self.world.bus_wakes_park().await;
        }
    }

    async fn run(&mut self) {
        match self.rng.u8(..4) {
            0 => {
                let at = self.rng.usize(..12);
                let crash = if self.rng.bool() {
                    Crash::Before(at)
                } else {
                    Crash::After(at)
                };
                self.crashes += usize::from(self.world.park_and_die(crash).await);
            }
            1 => {
                let (one, other) =
                    tokio::join!(self.world.parking_poll(), self.world.parking_poll());
                self.parked += one.parked + other.parked;
                self.returned += one.returned + other.returned;
            }
            _ => {
                let summary = self.world.parking_poll().await;
                self.parked += summary.parked;
                self.returned += summary.returned;
            }
        }
    }

    fn weather(&mut self) {
        if self.rng.bool() {
            self.world.twilio.clear_faults();
            return;
        }
        let kinds = [
            FaultKind::TooManyRequests { retry_after: None },
            FaultKind::Status(503),
            FaultKind::HangAfter,
            FaultKind::HangBefore,
            FaultKind::DropAfter,
            FaultKind::DropBefore,
        ];
        let kind = kinds[self.rng.usize(..kinds.len())].clone();
        let times = Some(self.rng.u32(1..8));
        let at = At::default();
        self.world.twilio.fail(Fault { at, kind, times });
    }

    /// Nothing fails any more.
    async fn end(mut self) -> (usize, usize, usize) {
        self.world.twilio.clear_faults();
        self.late.extend(self.world.take_events());
        let late = std::mem::take(&mut self.late);
        self.world.deliver_these(&late).await;
        self.world.deliver_all().await;
        self.world.bus_loses();
        // Within a poll, once all is told and the longest back-off is over.
        self.world.time_passes(Duration::from_secs(600)).await;
        self.parking_runs().await;
        for line in &self.lines {
            let heard = line.last == Last::Customer;
            assert!(
                !heard || !self.world.is_parked(line.chat),
                "a customer waits: {}",
                line.chat.channel
            );
        }
        // And whoever writes now is heard, by the bus alone.
        self.world
            .time_passes(Policy::default().park_after + POLL)
            .await;
        self.parking_runs().await;
        for at in 0..self.lines.len() {
            let line = &mut self.lines[at];
            if line.on_chat {
                self.world.customer_writes(&line.address);
            } else {
                self.world.customer_converses(&line.address);
            }
            line.last = Last::Customer;
        }
        self.world.deliver_all().await;
        self.world.bus_wakes_park().await;
        for line in &self.lines {
            assert!(
                !self.world.is_parked(line.chat),
                "not heard: {}",
                line.chat.channel
            );
        }
        self.check();
        self.world.deliver_all().await;
        self.world.bus_loses();
        self.world.finish().await;
        (self.parked, self.returned, self.crashes)
    }

    async fn parking_runs(&mut self) {
        for _ in 0..2 {
            let summary = self.world.parking_minute().await;
            self.parked += summary.parked;
            self.returned += summary.returned;
            self.world.deliver_all().await;
        }
        self.check();
    }
}

async fn day(seed: u64, mistake: Option<Mistake>) -> (usize, usize, usize) {
    let mut day = Day::begin(seed, mistake).await;
    for _ in 0..120 {
        day.step().await;
    }
    day.end().await
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_a_customer_is_heard_and_nothing_is_lost() {
    let mut sums = (0, 0, 0);
    for seed in 0..20 {
        let (parked, returned, crashes) = day(seed, None).await;
        sums = (sums.0 + parked, sums.1 + returned, sums.2 + crashes);
    }
    let (parked, returned, crashes) = sums;
    println!("20 days: {parked} parked, {returned} returned, {crashes} crashes");
    assert!(parked > 40 && returned > 15 && crashes > 40, "{sums:?}");
}

/// Whether any of some days shows a mistake.
async fn is_noticed(mistake: Mistake) -> bool {
    for seed in 0..40 {
        let played = AssertUnwindSafe(day(seed, Some(mistake))).catch_unwind();
        if played.await.is_err() {
            return true;
        }
    }
    false
}

fn is_move(request: &Request<Bytes>) -> bool {
    request.method() == Method::POST && request.uri().path().contains("/Tasks/")
}

#[tokio::test(start_paused = true)]
async fn a_move_that_says_nothing_of_inactive_is_noticed() {
    let forgets = |request: &mut Request<Bytes>| {
        if is_move(request) {
            let body = String::from_utf8_lossy(request.body()).into_owned();
            let body = body.replace("%22inactive%22%3A1", "%22inactive%22%3A0");
            *request.body_mut() = Bytes::from(body);
        }
    };
    assert!(is_noticed(forgets).await);
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_goes_nowhere_is_noticed() {
    let forgets = |request: &mut Request<Bytes>| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        if is_move(request) && body.contains("%22inactive%22%3A0") {
            request
                .headers_mut()
                .insert(header::IF_MATCH, "\"0\"".parse().unwrap());
        }
    };
    assert!(is_noticed(forgets).await);
}
