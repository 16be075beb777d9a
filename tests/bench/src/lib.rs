//! Figures that are counted, or taken on a clock that is a value: the tests hold some of them
//! to their promises, and the benchmark prints them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at the first surprise and say what it saw, and look at one thing only"
)]

mod audits;
mod backlog;

use std::time::Duration;

use domain::{ChannelSid, End, Fact, FactKind, Platform, Stage, TaskFact, TaskState, Timestamp};
use serde_json::Value;
use store::{Saved, Versioned};

use world::{Chat, World, moment};

pub use audits::{Audited, Size, audit_of, memory_of_audit};
pub use backlog::{Drained, Returned, customers_return, drain};

/// Between one word and the next.
const PAUSE: Duration = Duration::from_secs(30);

/// The requests to DynamoDB.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Asked {
    /// Items read one by one.
    pub gets: u64,
    /// Pages of the index.
    pub queries: u64,
    /// Read units of both.
    pub read_units: f64,
    /// Writes.
    pub puts: u64,
    /// Write units, those of the index included.
    pub write_units: f64,
}

impl Asked {
    /// Since calls were last forgotten.
    pub fn so_far(world: &World) -> Self {
        let (get, query, put) = (
            world.aws.tally("GetItem"),
            world.aws.tally("Query"),
            world.aws.tally("PutItem"),
        );
        Self {
            gets: get.requests,
            queries: query.requests,
            read_units: get.units + query.units,
            puts: put.requests,
            write_units: put.units,
        }
    }
}

/// Returns the requests of each step of a chat's life to DynamoDB: its events, by type, and the sweep at its
/// end.
pub type Life = Vec<(String, Asked)>;

/// A chat in which an agent accepts, wraps up and closes the tab.
///
/// # Panics
/// If the sweep does not close its channel.
pub async fn life_of_a_chat(world: &World) -> Life {
    let chat = world.customer_writes("+15550000001");
    world.agent_accepts(chat);
    wraps_up(world, chat);
    let mut life = told(world).await;
    life.push(swept(world).await);
    life
}

/// The events of a chat in which both sides write twice, where chats are parked.
pub async fn life_of_a_talk(world: &World) -> Life {
    let chat = world.customer_converses("+15550000001");
    let mut life = told(world).await;
    world.agent_accepts(chat);
    life.extend(told(world).await);
    for _ in 0..2 {
        world.agent_writes(chat);
        life.extend(told(world).await);
        world.time_passes(PAUSE).await;
        world.customer_converses("+15550000001");
        life.extend(told(world).await);
        world.time_passes(PAUSE).await;
    }
    wraps_up(world, chat);
    life.extend(told(world).await);
    life
}

fn wraps_up(world: &World, chat: Chat) {
    let wrapped = world.twilio.state().agent_wraps_up(chat.task);
    wrapped.expect("the agent has the task");
    world.tab_is_closed(chat);
}

async fn swept(world: &World) -> (String, Asked) {
    world.everything_falls_due().await;
    world.aws.forget_calls();
    let summary = world.sweep().await;
    assert_eq!(summary.closed, 1, "{summary:?}");
    ("the sweep".to_owned(), Asked::so_far(world))
}

async fn told(world: &World) -> Life {
    let events = world.take_events();
    one_by_one(world, &events).await
}

/// Delivers events in a request each, which is the dearest way, and says what each asks by its
/// type.
pub async fn one_by_one(world: &World, events: &[Value]) -> Life {
    let mut life = Vec::new();
    for event in events {
        world.aws.forget_calls();
        world.deliver_these(std::slice::from_ref(event)).await;
        let kind = event["type"].as_str().unwrap_or_default();
        let kind = kind.trim_start_matches("com.twilio.");
        let kind = kind.trim_start_matches("taskrouter.");
        life.push((kind.to_owned(), Asked::so_far(world)));
    }
    life
}

/// The write units of a life.
pub fn write_units(life: &Life) -> f64 {
    life.iter().map(|(_, asked)| asked.write_units).sum()
}

/// The figures of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swept {
    /// Its requests to DynamoDB.
    pub asked: Asked,
    /// Its requests to Twilio.
    pub calls: u64,
}

/// Sweeps `due` channels that are due, with `tracked` in the table. Of the others, nine in ten
/// wait for a turn that has not come and one has an agent. Tells how many are in the table
/// while it fills it.
///
/// # Panics
/// If a channel that is due is not closed.
pub async fn sweep_among(tracked: usize, due: usize, tell: impl Fn(usize)) -> Swept {
    let world = World::new().await;
    world.plan(|plan| plan.max_closes = due);
    world.chats_left_behind(due).await;
    world.everything_falls_due().await;
    let now = world.now();
    for number in due..tracked {
        let (channel, facts) = tracked_channel(number, now);
        let unknown = Versioned::absent(channel, Platform::Chat);
        let mut record = unknown.channel.clone();
        facts.iter().for_each(|fact| record.absorb(fact));
        let saved = world.table.save(&unknown, record, None).await;
        assert!(matches!(saved, Ok(Saved::Written)), "{saved:?}");
        tell(number);
    }
    world.aws.forget_calls();
    world.twilio.reset_calls();
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed), (due, due), "{summary:?}");
    Swept {
        asked: Asked::so_far(&world),
        calls: world.twilio.calls().total(),
    }
}

fn tracked_channel(number: usize, now: Timestamp) -> (ChannelSid, Vec<Fact>) {
    let sid = |prefix: &str| format!("{prefix}{number:032x}");
    let channel = sid("CH").parse().expect("a channel SID");
    let fact = |state| Fact {
        channel,
        platform: Platform::Chat,
        at: now,
        kind: FactKind::Task(TaskFact {
            task: sid("WT").parse().expect("a task SID"),
            state,
            opened_at: Some(now),
            interaction: None,
        }),
    };
    let mut facts = vec![fact(TaskState::Open(Stage::Waiting))];
    if !number.is_multiple_of(10) {
        facts.push(fact(TaskState::Ended(End::Completed)));
    }
    (channel, facts)
}

/// Returns the time that a sweep of `due` channels takes where each request to Twilio takes `request` and
/// `at_once` may be under way, beside how long it would take if none ever waited: one read and
/// one write for each channel.
///
/// # Panics
/// If a channel is not closed.
pub async fn pace(due: usize, at_once: usize, request: Duration) -> (Duration, Duration) {
    let world = World::new().await;
    world.plan(|plan| {
        plan.concurrency = at_once;
        plan.max_closes = due;
    });
    let chats = world.chats_left_behind(due).await;
    let live = world.customer_writes("+15559999999");
    world.agent_accepts(live);
    world.everything_falls_due().await;
    world.twilio_takes(request);
    let began = moment();
    let summary = world.sweep().await;
    let took = began.elapsed();
    assert_eq!(summary.closed, due, "{summary:?}");
    assert!(chats.iter().all(|chat| world.is_inactive(chat.channel)));
    // The channel, its newest message, its webhooks and the write.
    let rounds = u32::try_from(4 * due / at_once).expect("a few thousand at most");
    (took, request * rounds)
}
