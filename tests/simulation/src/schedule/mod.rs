//! One schedule from its first act to its end.

mod ending;
mod parking_ending;
mod script;

use std::sync::Arc;
use std::time::Duration;

use domain::rescue::CLOCK_DIFFERENCE;
use tokio::time::{Instant, sleep};

use crate::borders::faults::Outage;
use crate::delivery::EventStreams;
use crate::functions::Deployment;
use crate::functions::parking::{self, Parking};
use crate::functions::reconciliations::Reconciliations;
use crate::functions::sweeps::Sweeps;
use crate::people::People;
use crate::report::{Mutation, ScheduleReport, logs};
use crate::shared::Trace;

pub(crate) use script::Script;
pub use script::Size;

/// The largest lead or lag of the functions' clocks where unheard customers are rescued, in
/// milliseconds: a rescue counts on no more.
const LARGEST_LEAD: i64 = CLOCK_DIFFERENCE.as_millis() as i64;

/// Runs a schedule and reports on it.
pub(crate) async fn run(
    script: Script,
    mutation: Option<Mutation>,
    trace: Trace,
) -> ScheduleReport {
    let mut rng = fastrand::Rng::with_seed(script.seed ^ 0x0dd5_0c1a);
    let deployment = Arc::new(Deployment::new(script, mutation, trace).await);
    let shared = Arc::clone(&deployment.shared);
    shared.trace(|| format!("{:#?}", shared.script));
    let mut people = People::new(rng.fork(), &shared.script);
    let mut streams = EventStreams::new(rng.fork());
    let mut sweeps = Sweeps::new(rng.fork());
    let mut reconciliations = Reconciliations::new(rng.fork());
    let mut parking = Parking::new(rng.fork());
    people.bots(&deployment);
    if let Some(backlog) = shared.script.backlog {
        before_the_installation(&deployment, &mut people, &mut rng, backlog).await;
    }
    let over = Instant::now() + shared.script.length;
    let mut next_act = Instant::now();
    let mut next_sweep = Instant::now() + shared.script.sweep_every;
    let reconcile_every = shared.script.reconcile_every;
    let mut next_reconciliation = reconcile_every.map(|every| Instant::now() + every);
    let parks = deployment.park.is_some();
    let mut next_tick = parks.then(|| Instant::now() + parking::EVERY);
    while Instant::now() < over && !shared.broken() {
        let next = next_act.min(next_sweep);
        let others = [next_reconciliation, next_tick];
        let next = others.into_iter().flatten().fold(next, Instant::min);
        pass(&deployment, &mut parking, next).await;
        if let Some(at) = &mut next_tick
            && Instant::now() >= *at
        {
            *at += parking::EVERY;
            parking.tick(&deployment);
            continue;
        }
        if let (Some(at), Some(every)) = (&mut next_reconciliation, reconcile_every)
            && Instant::now() >= *at
        {
            *at += every;
            reconciliations.tick(&deployment);
            continue;
        }
        if Instant::now() >= next_sweep {
            next_sweep += shared.script.sweep_every;
            if sweeps.tick(&deployment) && rng.u8(..10) < 3 {
                // An act while the sweep is under way.
                next_act = Instant::now() + Duration::from_millis(rng.u64(..3_000));
            }
            continue;
        }
        change_faults(&deployment, &mut rng);
        people.act(&deployment);
        if let Some((task, request)) = people.asks_for_move(&deployment) {
            parking.manual(&deployment, task, request);
        }
        streams.pump(&deployment);
        if rng.u8(..100) == 0 {
            streams.forge(&deployment);
        }
        if rng.u8(..20) == 0 {
            deployment.expire_records().await;
        }
        next_act = Instant::now() + pause(&mut rng).div_f64(shared.script.bustle());
        let checked = shared
            .lock()
            .oracle
            .personal
            .search("the logs", &logs::take());
        shared.check(checked);
    }
    if !shared.broken() {
        let mut runs = ending::Runs {
            streams: &mut streams,
            sweeps: &mut sweeps,
            reconciliations: &mut reconciliations,
            parking: &mut parking,
        };
        ending::end(&deployment, &mut people, &mut runs, &mut rng).await;
    }
    // What is still under way belongs to this deployment.
    streams.under_way.abort_all();
    sweeps.under_way.abort_all();
    reconciliations.under_way.abort_all();
    parking.under_way.abort_all();
    sleep(Duration::from_millis(1)).await;
    report(&deployment)
}

/// Lets time pass until a moment, while the bus hands on the notices of replies.
async fn pass(deployment: &Arc<Deployment>, parking: &mut Parking, until: Instant) {
    loop {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(until) => return,
            () = deployment.shared.replied.notified() => parking.hand_on_replies(deployment),
        }
    }
}

/// Lets people act before the webhook is connected: of what happens now only the log tells, as
/// far as it goes back, and what is still held open.
async fn before_the_installation(
    deployment: &Deployment,
    people: &mut People,
    rng: &mut fastrand::Rng,
    length: Duration,
) {
    let acts = rng.u32(5..25);
    for _ in 0..acts {
        people.act(deployment);
        sleep(length / acts).await;
    }
    deployment.shared.catch_up();
    let mut inner = deployment.shared.lock();
    let unheard = std::mem::take(&mut inner.outbox);
    for event in unheard {
        inner.oracle.sent(&event);
    }
    inner.totals.count("backlogs");
    inner.trace(deployment.shared.now(), || "the installation".to_owned());
}

/// Draws the time until the next act: people come in bursts.
fn pause(rng: &mut fastrand::Rng) -> Duration {
    Duration::from_millis(match rng.u8(..10) {
        0..3 => rng.u64(10..5_000),
        3..6 => rng.u64(5_000..120_000),
        6..8 => rng.u64(2 * 60_000..20 * 60_000),
        _ => rng.u64(20 * 60_000..5 * 3_600_000),
    })
}

fn change_faults(deployment: &Deployment, rng: &mut fastrand::Rng) {
    let shared = &deployment.shared;
    let mut inner = shared.lock();
    let faults = &mut inner.faults;
    let before = (faults.outage, faults.unauthorized, faults.skew);
    match faults.outage {
        Some(_) if rng.u8(..4) == 0 => faults.outage = None,
        None if shared.script.faults > 0.0 && rng.u8(..30) == 0 => {
            faults.outage = Some(Outage::ALL[rng.usize(..Outage::ALL.len())]);
        }
        _ => {}
    }
    faults.unauthorized = match faults.unauthorized {
        true => rng.bool(),
        false => shared.script.faults > 0.0 && rng.u8(..100) == 0,
    };
    if shared.script.faults > 0.0 && rng.u8(..20) == 0 {
        faults.skew = if rng.bool() {
            0
        } else {
            rng.i64(-600_000..=600_000)
        };
        if shared.script.rescue.is_some() {
            faults.skew = faults.skew.clamp(-LARGEST_LEAD, LARGEST_LEAD);
        }
    }
    let after = (faults.outage, faults.unauthorized, faults.skew);
    if before != after {
        inner.trace(shared.now(), || format!("faults: {after:?}"));
    }
}

fn report(deployment: &Deployment) -> ScheduleReport {
    let shared = &deployment.shared;
    let trace = shared.take_trace();
    let now = shared.now();
    let inner = shared.lock();
    let mut totals = inner.totals.clone();
    totals.schedules = 1;
    totals.channels = inner.oracle.channels.len() as u64;
    let ages = inner
        .oracle
        .channels
        .values()
        .map(|history| now.since(history.born));
    totals.channel_days = ages.map(|age| age.as_secs_f64() / 86_400.0).sum();
    ScheduleReport {
        totals,
        violation: inner.violation.clone(),
        trace,
    }
}
