//! Reconciliations: on schedule, with little time, dying at any moment.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use sweep::{Order, Reconciled, SweepError};
use tokio::task::JoinSet;

use super::books::{SweepBook, Verdict};
use super::law::{Law, Violation};
use super::stage::Who;
use super::world::{Death, End, World, invoke};

/// The longest run, as deployed.
const LIMIT: Duration = Duration::from_secs(840);

/// Far from the numbers of the sweeps.
const FIRST_NUMBER: u32 = 1_000_000;

pub(super) struct Reconciliations {
    rng: Rng,
    number: u32,
    pub(super) under_way: JoinSet<()>,
}

impl Reconciliations {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            rng,
            number: FIRST_NUMBER,
            under_way: JoinSet::new(),
        }
    }

    /// What the schedule does.
    pub(super) fn tick(&mut self, world: &Arc<World>) {
        while self.under_way.try_join_next().is_some() {}
        let death = match self.rng.f64() < world.stage.script.crashes * 2.0 {
            false => Death::Never,
            true => Death::AtPoll(self.rng.u32(1..200)),
        };
        let limit = match self.rng.u8(..5) {
            0 => Duration::from_secs(self.rng.u64(1..30)),
            _ => LIMIT,
        };
        let run = self.begin(world, death, limit);
        self.under_way.spawn(run);
    }

    /// One on a good day, from beginning to end, which must succeed.
    pub(super) async fn in_peace(&mut self, world: &Arc<World>) {
        self.begin(world, Death::Never, LIMIT).await;
    }

    fn begin(
        &mut self,
        world: &Arc<World>,
        death: Death,
        limit: Duration,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.number += 1;
        let number = self.number;
        let world = Arc::clone(world);
        async move { one(&world, number, death, limit).await }
    }
}

async fn one(world: &Arc<World>, number: u32, death: Death, limit: Duration) {
    let stage = &world.stage;
    let now = stage.functions_clock();
    let calm = {
        let mut inner = stage.lock();
        inner.totals.reconciliations += 1;
        let skew = inner.weather.skew;
        inner.books.sweeps.insert(number, SweepBook::new(skew));
        inner.tell(stage.now(), || {
            format!("reconciliation {number} begins, clock {skew} ms ahead, {death:?}, {limit:?}")
        });
        inner.weather.calm
    };
    let function = Arc::clone(world);
    let work = async move {
        let order = Order::scheduled();
        function.sweep.reconcile(order, now, limit, &|_| {}).await
    };
    let end = invoke(stage, Who::Reconcile(number), death, limit, work).await;
    let verdict = judge(world, calm, &end);
    stage.tell(|| format!("reconciliation {number} ends: {end:?}"));
    stage.lock().books.sweeps.remove(&number);
    stage.judge(verdict);
}

fn judge(world: &World, calm: bool, end: &End<Result<Reconciled, SweepError>>) -> Verdict {
    let mut inner = world.stage.lock();
    match end {
        End::Died | End::Killed | End::Panicked => {
            inner.totals.count("reconciliations that died");
            Ok(())
        }
        End::Done(Ok(report)) if report.whole || !calm => {
            let text = serde_json::to_string(report).unwrap_or_default();
            inner.totals.orphans += report.orphans as u64;
            inner.totals.new_from_log += report.new_from_log as u64;
            inner.books.personal.search("a report", &text)
        }
        End::Done(failed) if calm => {
            let what = format!("a reconciliation on a good day is not whole: {failed:?}");
            Err(Violation::of(Law::EventuallyClean, what))
        }
        End::Done(_) => {
            inner.totals.count("reconciliations that failed");
            Ok(())
        }
    }
}
