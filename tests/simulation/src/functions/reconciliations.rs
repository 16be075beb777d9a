//! Reconciliations: on schedule, with little time, dying at any moment.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use sweep::{Order, Reconciled, SweepError};
use tokio::task::JoinSet;

use crate::functions::{Death, Deployment, End, invoke};
use crate::oracle::{LawCheck, RunHistory};
use crate::report::{Law, Violation};
use crate::shared::Caller;

/// The longest run, as deployed.
const LIMIT: Duration = Duration::from_secs(840);

/// Far from the numbers of the sweeps.
const FIRST_NUMBER: u32 = 1_000_000;

pub(crate) struct Reconciliations {
    rng: Rng,
    number: u32,
    pub(crate) under_way: JoinSet<()>,
}

impl Reconciliations {
    pub(crate) fn new(rng: Rng) -> Self {
        Self {
            rng,
            number: FIRST_NUMBER,
            under_way: JoinSet::new(),
        }
    }

    /// Reconciles as the schedule does.
    pub(crate) fn tick(&mut self, deployment: &Arc<Deployment>) {
        while self.under_way.try_join_next().is_some() {}
        let death = match self.rng.f64() < deployment.shared.script.crashes * 2.0 {
            false => Death::Never,
            true => Death::AtPoll(self.rng.u32(1..200)),
        };
        let limit = match self.rng.u8(..5) {
            0 => Duration::from_secs(self.rng.u64(1..30)),
            _ => LIMIT,
        };
        let run = self.begin(deployment, death, limit);
        self.under_way.spawn(run);
    }

    /// One on a good day, from beginning to end, which must succeed.
    pub(crate) async fn in_peace(&mut self, deployment: &Arc<Deployment>) {
        self.begin(deployment, Death::Never, LIMIT).await;
    }

    fn begin(
        &mut self,
        deployment: &Arc<Deployment>,
        death: Death,
        limit: Duration,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.number += 1;
        let number = self.number;
        let deployment = Arc::clone(deployment);
        async move { one(&deployment, number, death, limit).await }
    }
}

async fn one(deployment: &Arc<Deployment>, number: u32, death: Death, limit: Duration) {
    let shared = &deployment.shared;
    let now = shared.functions_clock();
    let faultless = {
        let mut inner = shared.lock();
        inner.totals.reconciliations += 1;
        let skew = inner.faults.skew;
        inner.oracle.runs.insert(number, RunHistory::new(skew));
        inner.trace(shared.now(), || {
            format!("reconciliation {number} begins, clock {skew} ms ahead, {death:?}, {limit:?}")
        });
        inner.faults.faultless
    };
    let function = Arc::clone(deployment);
    let work = async move {
        let order = Order::scheduled();
        function.sweep.reconcile(order, now, limit, &|_| {}).await
    };
    let end = invoke(shared, Caller::Reconcile(number), death, limit, work).await;
    let checked = check(deployment, faultless, &end);
    shared.trace(|| format!("reconciliation {number} ends: {end:?}"));
    shared.lock().oracle.runs.remove(&number);
    shared.check(checked);
}

fn check(
    deployment: &Deployment,
    faultless: bool,
    end: &End<Result<Reconciled, SweepError>>,
) -> LawCheck {
    let mut inner = deployment.shared.lock();
    match end {
        End::Died | End::Killed | End::Panicked => {
            inner.totals.count("reconciliations that died");
            Ok(())
        }
        // What changes while it is looked at is left to the next one.
        End::Done(Ok(report)) if report.stopped.is_none() || !faultless => {
            let text = serde_json::to_string(report).unwrap_or_default();
            inner.totals.orphans += report.orphans as u64;
            inner.totals.new_from_log += report.new_from_log as u64;
            inner.oracle.personal.search("a report", &text)
        }
        End::Done(failed) if faultless => {
            let what = format!("a reconciliation on a good day is not whole: {failed:?}");
            Err(Violation::of(Law::EventuallyClean, what))
        }
        End::Done(_) => {
            inner.totals.count("reconciliations that failed");
            Ok(())
        }
    }
}
