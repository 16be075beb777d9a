//! A sweep before a large backlog, in virtual time: how much each run closes beside what the pace
//! allows, and how old its look is when it writes.

use std::cell::RefCell;
use std::time::Duration;

use domain::{Platform, Timestamp};
use simulator::Sid;
use store::{Saved, Versioned};
use world::{World, moment};

/// The longest that a request to Twilio takes here.
const REQUEST: Duration = Duration::from_millis(150);

/// The requests that an ordinary Chat channel takes: itself, its newest message, its webhooks and
/// the write.
const REQUESTS: u32 = 4;

/// A sweep begins no channel in the last seconds of its run, so that Twilio may be slow.
const RESERVE: Duration = Duration::from_secs(30);

/// The number of chats that fit into one delivery.
const DELIVERY: usize = 200;

/// The runs over a backlog.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drained {
    /// The runs that were played until everything was closed, or until `runs` of them were.
    pub runs: usize,
    /// The channels that they closed.
    pub closed: usize,
    /// The fewest that a run closed while enough were due.
    pub fewest: usize,
    /// The number that a run could close if no request ever waited and no question was asked.
    pub ideal: usize,
    /// The longest that a run took.
    pub longest: Duration,
}

impl Drained {
    /// Returns the number of runs that `due` channels take at the pace of the slowest run.
    pub fn runs_for(&self, due: usize) -> usize {
        due.div_ceil(self.fewest)
    }

    /// Returns the number of runs that `due` channels would take if no request ever waited.
    pub fn ideal_runs_for(&self, due: usize) -> usize {
        due.div_ceil(self.ideal)
    }
}

/// Sweeps a backlog of `due` channels with runs of this length and `at_once` channels side by
/// side, until it is closed, at most `runs` times. TaskRouter answers as many questions a second
/// as Twilio allows, and one chat is still with an agent. Reports each channel that it sets up.
///
/// Twilio knows as many channels at both ends of the backlog as the runs can reach; those between
/// them are records alone.
///
/// # Panics
/// If a run fails.
pub async fn drain(
    due: usize,
    at_once: usize,
    time: Duration,
    runs: usize,
    set_up: impl Fn(usize),
) -> Drained {
    let world = World::new().await;
    world.plan(|plan| {
        plan.concurrency = at_once;
        plan.max_closes = usize::MAX;
    });
    let ideal = ideal(at_once, time);
    let open = world.customer_writes("+15559999999");
    world.agent_accepts(open);
    let each_end = (ideal * runs).min(due / 2);
    leave_behind(&world, 0..each_end, &set_up).await;
    world.time_passes(Duration::from_secs(60)).await;
    records_alone(&world, each_end..due - each_end, &set_up).await;
    world.time_passes(Duration::from_secs(60)).await;
    leave_behind(&world, due - each_end..due, &set_up).await;
    world.everything_falls_due().await;
    let questions = simulator::EVALUATIONS_PER_SECOND;
    world.twilio.state().knobs.evaluations_per_second = Some(questions);
    world.twilio_takes(REQUEST);
    let mut drained = Drained {
        runs: 0,
        closed: 0,
        fewest: usize::MAX,
        ideal,
        longest: Duration::ZERO,
    };
    while drained.closed < due && drained.runs < runs {
        let began = moment();
        let summary = world.attempt_sweep(time).await;
        let summary = summary.expect("a run before a backlog ends well");
        drained.longest = drained.longest.max(began.elapsed());
        drained.runs += 1;
        drained.closed += summary.closed;
        // The last run has what the others left.
        if drained.closed < due || drained.runs == 1 {
            drained.fewest = drained.fewest.min(summary.closed);
        }
        world.notices();
    }
    drained
}

fn ideal(at_once: usize, time: Duration) -> usize {
    let rounds = time.saturating_sub(RESERVE).as_millis() / (REQUEST * REQUESTS).as_millis();
    usize::try_from(rounds).expect("a few thousand") * at_once
}

async fn leave_behind(world: &World, numbers: std::ops::Range<usize>, set_up: impl Fn(usize)) {
    for number in numbers {
        let chat = world.customer_writes(&format!("+1555{number:07}"));
        world.agent_accepts(chat);
        world.tab_is_closed(chat);
        if number.is_multiple_of(DELIVERY) {
            world.deliver().await;
        }
        set_up(number);
    }
    world.deliver().await;
}

async fn records_alone(world: &World, numbers: std::ops::Range<usize>, set_up: impl Fn(usize)) {
    let now = world.now();
    for number in numbers {
        let (channel, facts) = crate::tracked_channel(number, now);
        let unknown = Versioned::absent(channel, Platform::Chat);
        let mut record = unknown.channel.clone();
        facts.iter().for_each(|fact| record.absorb(fact));
        let saved = world.table.save(&unknown, record, None).await;
        assert!(matches!(saved, Ok(Saved::Written)), "{saved:?}");
        set_up(number);
    }
}

/// Customers who came back while a sweep was at work, with their events still on the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Returned {
    /// Their number.
    pub customers: usize,
    /// For each channel that was closed nevertheless: the time from the customer's task to our
    /// write, in order.
    pub closed: Vec<Duration>,
}

/// Lets customers of `due` long-lived channels come back one by one while a sweep resets them.
/// Their events are not told until the sweep is over: TaskRouter alone knows of their tasks.
///
/// # Panics
/// If the sweep fails.
pub async fn customers_return(due: usize, at_once: usize) -> Returned {
    let world = World::new().await;
    world.plan(|plan| plan.concurrency = at_once);
    let address = |number: usize| format!("whatsapp:+1555{number:07}");
    let mut chats = Vec::new();
    for number in 0..due {
        let chat = world.customer_writes(&address(number));
        world.agent_accepts(chat);
        world.tab_is_closed(chat);
        chats.push(chat);
        if number.is_multiple_of(DELIVERY) {
            world.deliver().await;
        }
    }
    world.deliver().await;
    world.everything_falls_due().await;
    world.sweep().await;
    world.time_passes(Duration::from_secs(2 * 86_400)).await;
    world.twilio_takes(REQUEST);
    let returned: RefCell<Vec<(Sid, Timestamp)>> = RefCell::default();
    let sweep = async {
        let summary = world.sweep().await;
        world.twilio_takes(Duration::ZERO);
        summary
    };
    let customers = async {
        // In an order that has nothing to do with the sweep's.
        for step in 0..due {
            world.time_passes_for_others(REQUEST / 3).await;
            let number = step * 7_919 % due;
            let channel = chats[number].channel;
            // After the reset, a customer gets a new channel.
            if world.customer_writes(&address(number)).channel == channel {
                returned.borrow_mut().push((channel, world.now()));
            }
        }
    };
    let (summary, ()) = tokio::join!(sweep, customers);
    assert!(summary.stopped.is_none(), "{summary:?}");
    let mut result = Returned::default();
    for (channel, at) in returned.into_inner() {
        result.customers += 1;
        if world.is_inactive(channel) {
            let state = world.twilio.state();
            let written = state.channel(channel).expect("it was written to").updated;
            let written = written.as_millisecond() - at.as_millis();
            let late = u64::try_from(written).expect("it was closed afterwards");
            result.closed.push(Duration::from_millis(late));
        }
    }
    result.closed.sort();
    result
}
