//! Runs of the parking function: each minute, by the bus when a customer has replied, and when
//! a person asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::ManualRequest;
use domain::QueueEntry;
use fastrand::Rng;
use park::{ParkError, Summary};
use serde_json::{Value, json};
use simulator::Sid;
use tokio::task::JoinSet;

use crate::oracle::{LawCheck, RunHistory};
use crate::report::{Law, Violation};
use crate::shared::Caller;

use super::{Death, Deployment, End, due_in, invoke};

/// The longest run, as deployed.
const LIMIT: Duration = Duration::from_secs(90);

/// The interval of the schedule.
pub(crate) const EVERY: Duration = Duration::from_secs(60);

/// Far from the numbers of sweeps and reconciliations.
const FIRST_NUMBER: u32 = 2_000_000;

/// The longest time that the bus keeps a notice of a reply back.
const SLOWEST_BUS: u64 = 90_000;

pub(crate) struct Parking {
    rng: Rng,
    number: u32,
    pub(crate) under_way: JoinSet<()>,
    /// The entries that were due at the last run of the schedule.
    last_due: BTreeMap<String, QueueEntry>,
}

/// The reason of a run.
#[derive(Clone, Debug)]
enum Purpose {
    Tick,
    Reply(Value),
    Manual(Sid, ManualRequest),
}

impl Parking {
    pub(crate) fn new(rng: Rng) -> Self {
        Self {
            rng,
            number: FIRST_NUMBER,
            under_way: JoinSet::new(),
            last_due: BTreeMap::new(),
        }
    }

    /// Runs as the schedule does. Nothing runs where no channel could be due within the minute,
    /// which would cost only time.
    pub(crate) fn tick(&mut self, deployment: &Arc<Deployment>) {
        while self.under_way.try_join_next().is_some() {}
        let skew = u64::try_from(deployment.shared.lock().faults.skew).unwrap_or_default();
        let ahead = EVERY + Duration::from_millis(skew);
        let due = due_in(deployment, |queue| !queue.is_of_sweep(), ahead);
        // What one run could not do or see in a late index, the next one seldom can.
        let in_vain = due.is_empty() || due == self.last_due;
        if in_vain && self.rng.u16(..if due.is_empty() { 500 } else { 8 }) > 0 {
            return;
        }
        self.last_due = due;
        let (death, limit) = self.draw_end(deployment);
        let run = self.begin(deployment, Purpose::Tick, death, limit);
        self.under_way.spawn(run);
    }

    /// Runs because a person asks for a task to be parked or taken up again.
    pub(crate) fn manual(
        &mut self,
        deployment: &Arc<Deployment>,
        task: Sid,
        request: ManualRequest,
    ) {
        let (death, limit) = self.draw_end(deployment);
        let purpose = Purpose::Manual(task, request);
        let run = self.begin(deployment, purpose, death, limit);
        self.under_way.spawn(run);
    }

    /// Hands the notices of replies that the bus took to the function: late, twice or never.
    pub(crate) fn hand_on_replies(&mut self, deployment: &Arc<Deployment>) {
        let (replies, faultless) = {
            let mut inner = deployment.shared.lock();
            (std::mem::take(&mut inner.replies), inner.faults.faultless)
        };
        let script = deployment.shared.script.parking.as_ref();
        let chance = script.map_or(0.0, |script| script.lost_replies);
        for reply in replies {
            if !faultless && self.rng.f64() < chance {
                deployment.shared.lock().totals.count("replies lost");
                continue;
            }
            let twice = !faultless && self.rng.u8(..10) == 0;
            for _ in 0..=u8::from(twice) {
                let late = !faultless && self.rng.u8(..10) == 0;
                let millis = if late { 1_000..SLOWEST_BUS } else { 50..1_000 };
                let delay = Duration::from_millis(self.rng.u64(millis));
                let (death, limit) = self.draw_end(deployment);
                let purpose = Purpose::Reply(event_of(&reply));
                let run = self.begin(deployment, purpose, death, limit);
                self.under_way.spawn(async move {
                    tokio::time::sleep(delay).await;
                    run.await;
                });
            }
        }
    }

    /// A run of the schedule without faults, from beginning to end, which must succeed and
    /// leave nothing due.
    pub(crate) async fn tick_in_peace(&mut self, deployment: &Arc<Deployment>) {
        self.begin(deployment, Purpose::Tick, Death::Never, LIMIT)
            .await;
    }

    fn draw_end(&mut self, deployment: &Deployment) -> (Death, Duration) {
        let faultless = deployment.shared.lock().faults.faultless;
        let crashes = if faultless {
            0.0
        } else {
            deployment.shared.script.crashes * 2.0
        };
        let death = match self.rng.f64() < crashes {
            false => Death::Never,
            true if self.rng.bool() => Death::AtPoll(self.rng.u32(1..60)),
            true => Death::After(Duration::from_millis(self.rng.u64(0..5_000))),
        };
        let limit = match self.rng.u8(..10) {
            0 if !faultless => Duration::from_secs(self.rng.u64(1..60)),
            _ => LIMIT,
        };
        (death, limit)
    }

    fn begin(
        &mut self,
        deployment: &Arc<Deployment>,
        purpose: Purpose,
        death: Death,
        limit: Duration,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.number += 1;
        let number = self.number;
        let deployment = Arc::clone(deployment);
        async move { one(&deployment, number, purpose, death, limit).await }
    }
}

async fn one(
    deployment: &Arc<Deployment>,
    number: u32,
    purpose: Purpose,
    death: Death,
    limit: Duration,
) {
    let shared = &deployment.shared;
    let now = shared.functions_clock();
    let faultless = begins(deployment, number, &purpose);
    shared.trace(|| format!("parking run {number} begins for {purpose:?}, {death:?}, {limit:?}"));
    let function = Arc::clone(deployment);
    let work = async move {
        let park = function.park.as_ref().unwrap();
        match purpose {
            Purpose::Tick => Some(park.tick(now, limit).await),
            Purpose::Reply(event) => {
                let _ = park.handle(event, now, limit).await;
                None
            }
            Purpose::Manual(task, request) => {
                let task = task.as_str().parse().unwrap();
                let _ = park.manual(task, request, now).await;
                None
            }
        }
    };
    let end = invoke(shared, Caller::Park(number), death, limit, work).await;
    shared.trace(|| format!("parking run {number} ends: {end:?}"));
    let checked = check(deployment, faultless, &end);
    shared.lock().oracle.runs.remove(&number);
    shared.check(checked);
}

/// Takes down that a run begins. Returns whether nothing fails any more.
fn begins(deployment: &Deployment, number: u32, purpose: &Purpose) -> bool {
    let mut inner = deployment.shared.lock();
    inner.totals.parking_runs += 1;
    let mut history = RunHistory::new(inner.faults.skew);
    match purpose {
        Purpose::Tick => {}
        Purpose::Reply(_) => inner.totals.count("parking runs by the bus"),
        Purpose::Manual(task, request) => {
            inner.totals.count("parking runs by hand");
            if *request == ManualRequest::Park {
                history.manual = Some(task.to_string());
            }
        }
    }
    inner.oracle.runs.insert(number, history);
    inner.faults.faultless
}

/// Returns an entry of the bus as its rule hands it to a function.
fn event_of(entry: &Value) -> Value {
    let detail = entry["Detail"].as_str().unwrap_or_default();
    json!({
        "version": "0",
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "detail": serde_json::from_str::<Value>(detail).unwrap_or_default(),
    })
}

fn check(
    deployment: &Deployment,
    faultless: bool,
    end: &End<Option<Result<Summary, ParkError>>>,
) -> LawCheck {
    let mut inner = deployment.shared.lock();
    match end {
        End::Done(None) => Ok(()),
        End::Died | End::Killed | End::Panicked => {
            inner.totals.count("parking runs that died");
            Ok(())
        }
        End::Done(Some(Err(error))) => {
            inner.totals.count("parking runs that failed");
            let what = format!("a parking run without faults fails: {error}");
            match faultless {
                true => Err(Violation::of(Law::EventuallyClean, what)),
                false => Ok(()),
            }
        }
        End::Done(Some(Ok(summary))) => {
            if summary.due == 0 && summary.calls > 0 {
                let what = format!("a parking run with nothing due asks Twilio: {summary:?}");
                return Err(Violation::of(Law::BoundedCalls, what));
            }
            let text = serde_json::to_string(summary).unwrap_or_default();
            inner.oracle.personal.search("a summary", &text)
        }
    }
}

/// S9 once nothing fails any more: fails if a customer waits on a parked chat. Where every request
/// for a channel still fails, its chats cannot come back.
pub(crate) fn nobody_waits_parked(deployment: &Deployment) -> LawCheck {
    let parked = parked_tasks(deployment);
    let named = parked
        .iter()
        .map(|(task, channel)| (task.to_string(), channel.to_string()));
    let inner = deployment.shared.lock();
    let poisoned = inner.faults.poisoned.as_ref();
    let parked: Vec<(String, String)> = named
        .filter(|(_, channel)| poisoned != Some(channel))
        .collect();
    inner.oracle.nobody_waits_parked(&parked)
}

/// Returns the open tasks that are in the TaskChannel of parked ones, with their channels.
pub(crate) fn parked_tasks(deployment: &Deployment) -> Vec<(Sid, Sid)> {
    let state = deployment.shared.twilio.state();
    let inactive = deployment.shared.inactive;
    let open = state.tasks().filter(|task| task.status.is_open());
    let parked = open.filter(|task| Some(task.task_channel) == inactive);
    parked
        .filter_map(|task| Some((task.sid, task.channel?)))
        .collect()
}
