//! Strangers who flood the function's URL, under a stand-in for Lambda that enforces what the
//! template reserves.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use domain::Policy;
use futures::stream::{FuturesUnordered, StreamExt as _};
use http::StatusCode;
use park::Park;
use serde_json::{Value, json};
use simulator::Sid;
use tokio::time::{Instant, sleep_until};
use world::{Chat, PARK_TIME, POLL, World, moment};

use crate::api::{FLEX, url_event};

/// The requests with made-up tokens, in a second.
const JUNK_PER_SECOND: u32 = 200;

/// The time that Twilio takes for one answer.
const REQUEST: Duration = Duration::from_millis(150);

/// The requests of a second that a function's URL takes for each reserved execution.
const URL_REQUESTS_PER_EXECUTION: usize = 10;

/// Returns the concurrency that the template reserves for a function.
fn reserved(function: &str) -> usize {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let template = std::fs::read_to_string(path).unwrap();
    let (_, section) = template.split_once(&format!("\n  {function}:\n")).unwrap();
    let (_, number) = section
        .split_once("ReservedConcurrentExecutions: !If [Reserves, ")
        .unwrap();
    number.split_once(',').unwrap().0.parse().unwrap()
}

/// A function in Lambda: a process for each execution that is reserved for it.
struct Lambda {
    processes: Vec<Park>,
    free: RefCell<Vec<usize>>,
    second: Cell<(u64, usize)>,
    began: Instant,
    throttled: Cell<usize>,
}

impl Lambda {
    fn new(world: &World, executions: usize) -> Self {
        let pairs = format!("{}:{}", world.project.chat_task_channel, world.inactive());
        let process = |_| world.parking_function(&pairs, &[]);
        Self {
            processes: (0..executions).map(process).collect(),
            free: RefCell::new((0..executions).collect()),
            second: Cell::default(),
            began: Instant::now(),
            throttled: Cell::default(),
        }
    }

    /// Runs one event. Nothing if no execution is free.
    async fn invoke(&self, world: &World, event: Value) -> Option<Value> {
        let Some(process) = self.free.borrow_mut().pop() else {
            self.throttled.set(self.throttled.get() + 1);
            return None;
        };
        let now = world.now();
        let handled = self.processes[process].handle(event, now, PARK_TIME).await;
        self.free.borrow_mut().push(process);
        Some(handled.unwrap())
    }

    /// Answers a request to the function's URL: AWS answers 429 above its rate.
    async fn ask(&self, world: &World, event: Value) -> u64 {
        let second = self.began.elapsed().as_secs();
        let (counted, requests) = self.second.get();
        let requests = if counted == second { requests } else { 0 };
        let answer = if requests < URL_REQUESTS_PER_EXECUTION * self.processes.len() {
            self.second.set((second, requests + 1));
            self.invoke(world, event).await
        } else {
            self.throttled.set(self.throttled.get() + 1);
            None
        };
        let status = answer.map(|answer| answer["statusCode"].as_u64().unwrap());
        status.unwrap_or_else(|| StatusCode::TOO_MANY_REQUESTS.as_u16().into())
    }
}

fn asks_to_park(world: &World, chat: Chat, token: &str) -> Value {
    let active: Sid = world.project.chat_task_channel;
    let body = format!(
        "taskSid={}&taskChannelSid={active}&Token={token}",
        chat.task
    );
    let headers = json!({ "content-type": "application/x-www-form-urlencoded", "origin": FLEX });
    url_event("POST", "/set-chat-to-inactive", headers, &body)
}

fn made_up(number: u32) -> String {
    format!("eyJ6aXAiOiJERUYi.{number:032x}")
}

/// The results of a minute in which strangers flood a URL and a customer replies.
struct Minute {
    tick: Option<Value>,
    reply_took: Option<Duration>,
    questions: u64,
}

/// Plays a minute: the schedule's run, the flood, and a reply in the middle of it.
async fn minute(world: &World, parked: Chat, work: &Lambda, url: &Lambda) -> Minute {
    let began = Instant::now();
    let end = began + Duration::from_secs(60);
    world.twilio_takes(REQUEST);
    world.twilio.reset_calls();
    let flood = async {
        let mut asked = FuturesUnordered::new();
        let gap = Duration::from_secs(1) / JUNK_PER_SECOND;
        for number in 0..JUNK_PER_SECOND * 60 {
            let event = asks_to_park(world, parked, &made_up(number));
            asked.push(url.ask(world, event));
            let next = began + gap * (number + 1);
            while tokio::select! {
                biased;
                Some(status) = asked.next() => {
                    assert!([401, 429].contains(&status), "{status}");
                    true
                }
                () = sleep_until(next) => false,
            } {}
        }
        while asked.next().await.is_some() {}
    };
    let tick = async {
        // The flood is there first.
        world.time_passes_for_others(Duration::from_secs(1)).await;
        work.invoke(world, json!({})).await
    };
    let reply = async {
        world.time_passes_for_others(Duration::from_secs(25)).await;
        world.customer_converses("+15550100123");
        world.deliver_all().await;
        let wrote = moment();
        let entries = world.aws.bus.take_entries();
        let [entry] = &entries[..] else {
            panic!("{entries:?}");
        };
        let event = json!({ "detail-type": entry.detail_type, "detail": entry.detail });
        let summary = work.invoke(world, event).await?;
        assert_eq!(summary["returned"], 1, "{summary}");
        Some(wrote.elapsed())
    };
    let ((), tick, reply_took) = tokio::join!(flood, tick, reply);
    assert!(Instant::now() >= end);
    Minute {
        tick,
        reply_took,
        questions: world.twilio.calls().of_product("iam"),
    }
}

/// A parked chat, and another whose patience ends half a minute later.
async fn two_chats(world: &World) -> (Chat, Chat) {
    let patience = Policy::default().park_after;
    let parked = world.answered_conversation("+15550100123").await;
    world.time_passes(POLL * 3).await;
    let silent = world.answered_conversation("+15550100124").await;
    world.time_passes(patience - POLL * 2).await;
    assert_eq!(world.parking_poll().await.parked, 1);
    assert!(world.is_parked(parked) && !world.is_parked(silent));
    world.deliver_all().await;
    (parked, silent)
}

#[tokio::test(start_paused = true)]
async fn under_a_flood_of_the_url_ticks_and_replies_keep_their_pace() {
    let world = World::that_parks().await;
    let (parked, silent) = two_chats(&world).await;
    let (work, url) = (
        Lambda::new(&world, reserved("Park")),
        Lambda::new(&world, reserved("ParkApi")),
    );
    let minute = minute(&world, parked, &work, &url).await;
    let tick = minute.tick.unwrap();
    println!(
        "{JUNK_PER_SECOND} junk requests a second: {} polls, {} parked, back in {:?}, {} questions",
        tick["polls"], tick["parked"], minute.reply_took, minute.questions
    );
    assert_eq!(work.throttled.get(), 0);
    assert!(tick["polls"].as_u64() >= Some(6), "{tick}");
    assert_eq!(tick["parked"], 1, "{tick}");
    assert!(world.is_parked(silent));
    assert!(minute.reply_took.unwrap() <= Duration::from_secs(1));
    assert!((1..=60).contains(&minute.questions), "{}", minute.questions);
    world.deliver_all().await;
    world.finish().await;
}

/// The same flood on a URL that shares the executions of ticks and replies: what the own
/// function is for.
#[tokio::test(start_paused = true)]
async fn one_function_for_all_would_be_kept_from_its_work() {
    let world = World::that_parks().await;
    let (parked, _) = two_chats(&world).await;
    // Each request is under way for as long as its question takes.
    let shared = Lambda::new(&world, 2);
    let minute = minute(&world, parked, &shared, &shared).await;
    assert!(minute.tick.is_none() || minute.reply_took.is_none());
    world.bus_loses();
    world.deliver_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_proven_token_goes_on_in_every_process_while_others_are_turned_away() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    let url = Lambda::new(&world, 2);
    let issue = || {
        let agent = Some(world.agent);
        world
            .twilio
            .state()
            .issue_token("somebody", &["agent"], agent)
    };
    let (proven, unproven) = (issue(), issue());
    let ask = async |process: usize, token: &str| {
        let event = asks_to_park(&world, chat, token);
        let handled = url.processes[process].handle(event, world.now(), PARK_TIME);
        handled.await.unwrap()
    };
    assert_eq!(ask(0, &proven).await["statusCode"], 200);
    world.twilio.reset_calls();
    let mut turned_away = 0;
    for number in 0..100 {
        let answer = ask(number % 2, &made_up(number.try_into().unwrap())).await;
        if answer["statusCode"] == 429 {
            assert_eq!(answer["headers"]["retry-after"], "10");
            turned_away += 1;
        } else {
            assert_eq!(answer["statusCode"], 401);
        }
    }
    let questions = || world.twilio.calls().of_product("iam");
    assert_eq!((questions(), turned_away), (8, 92));
    for process in [0, 1] {
        assert_eq!(ask(process, &proven).await["statusCode"], 200);
        assert_eq!(ask(process, &unproven).await["statusCode"], 429);
        // What was refused a moment ago is refused without a question.
        assert_eq!(ask(process, "made-up").await["statusCode"], 401);
    }
    assert_eq!(questions(), 8);
    // The next span has a quota of its own; good tokens leave it as it was.
    world.time_passes(POLL).await;
    for _ in 0..10 {
        assert_eq!(ask(1, &issue()).await["statusCode"], 200);
    }
    assert_eq!(ask(1, &unproven).await["statusCode"], 200);
    assert_eq!(questions(), 19);
    // A proof is over after five minutes: the token has expired meanwhile.
    world.time_passes(Duration::from_secs(13 * 3600)).await;
    assert_eq!(ask(0, &proven).await["statusCode"], 401);
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_text_that_cannot_be_a_token_and_a_wrong_task_channel_cost_no_question() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    world.twilio.reset_calls();
    let handle = async |event| {
        let handled = world.park().handle(event, world.now(), PARK_TIME).await;
        handled.unwrap()["statusCode"].as_u64().unwrap()
    };
    for token in [
        "made-up",
        "eyJ6aXAiOiJERUYi",
        "x.00000000000000000000000000000000",
    ] {
        assert_eq!(handle(asks_to_park(&world, chat, token)).await, 401);
    }
    let body = format!(
        "taskSid={}&taskChannelSid=TC{}&Token={}",
        chat.task,
        "9".repeat(32),
        made_up(1)
    );
    let event = url_event("POST", "/set-chat-to-inactive", json!({}), &body);
    assert_eq!(handle(event).await, 400);
    assert_eq!(world.twilio.calls().total(), 0);
    world.finish().await;
}
