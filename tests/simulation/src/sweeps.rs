//! Sweeps: on schedule, two at once, with little time, dying at any moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{Channel, Platform, QueueEntry, SweepDecision, decide_sweep};
use fastrand::Rng;
use sweep::{Summary, SweepError};
use tokio::task::JoinSet;

use super::books::{SweepBook, Verdict};
use super::law::{Law, Violation};
use super::stage::Who;
use super::world::{Death, End, World, invoke};

/// The longest run of a sweep, as deployed.
const LIMIT: Duration = Duration::from_secs(840);

/// How many index partitions a look at what is due reads: five queues in four parts.
const QUEUES: u64 = 20;

/// How often a channel may be due in a row on good days before it must be clean.
const SWEEPS_TO_BE_CLEAN: usize = 2;

pub(super) struct Sweeps {
    rng: Rng,
    number: u32,
    pub(super) under_way: JoinSet<()>,
    /// How often in a row each channel was due for the same, on good days.
    waited: BTreeMap<String, (QueueEntry, usize)>,
}

impl Sweeps {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            rng,
            number: 0,
            under_way: JoinSet::new(),
            waited: BTreeMap::new(),
        }
    }

    /// What the schedule does: mostly one sweep, now and then two at once, and none where
    /// nobody could have anything to do (which would cost nothing but our time). Says whether
    /// there was something to do.
    pub(super) fn tick(&mut self, world: &Arc<World>) -> bool {
        while self.under_way.try_join_next().is_some() {}
        let skew = u64::try_from(world.stage.lock().weather.skew).unwrap_or_default();
        let idle = due(world, Duration::from_millis(skew)).is_empty();
        if idle && self.rng.u8(..100) >= 2 {
            return false;
        }
        let many = if self.rng.u8(..10) == 0 { 2 } else { 1 };
        for _ in 0..many {
            let crashes = world.stage.script.crashes * 2.0;
            let death = match self.rng.f64() < crashes {
                false => Death::Never,
                true if self.rng.bool() => Death::AtPoll(self.rng.u32(1..400)),
                true => Death::After(Duration::from_millis(self.rng.u64(0..30_000))),
            };
            let limit = match self.rng.u8(..10) {
                0 => Duration::from_secs(self.rng.u64(1..60)),
                _ => LIMIT,
            };
            let sweep = self.begin(world, death, limit);
            let head_start = Duration::from_millis(self.rng.u64(0..2_000));
            self.under_way.spawn(async move {
                tokio::time::sleep(head_start).await;
                sweep.await;
            });
        }
        !idle
    }

    /// A sweep on a good day, from beginning to end, which must succeed.
    pub(super) async fn sweep_in_peace(&mut self, world: &Arc<World>) {
        let before = due(world, Duration::ZERO);
        self.begin(world, Death::Never, LIMIT).await;
        let verdict = self.judge_waits(world, before);
        world.stage.judge(verdict);
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

    /// L1: nothing is due for the same for more than two sweeps in a row.
    fn judge_waits(&mut self, world: &World, before: BTreeMap<String, QueueEntry>) -> Verdict {
        let poisoned = world.stage.lock().weather.poisoned.clone();
        let due_at_once = before.len();
        let after = due(world, Duration::ZERO);
        // A sweep that may write to few channels leaves the others to the next.
        let held_up = due_at_once / world.stage.script.max_closes;
        let mut waited = BTreeMap::new();
        for (channel, waiting) in before {
            if poisoned.as_ref() == Some(&channel) || after.get(&channel) != Some(&waiting) {
                continue;
            }
            let times = match self.waited.get(&channel) {
                Some((same, times)) if *same == waiting => times + 1,
                Some(_) | None => 1,
            };
            if times >= SWEEPS_TO_BE_CLEAN + held_up {
                let law = match poisoned {
                    Some(_) => Law::NoPoison,
                    None => Law::EventuallyClean,
                };
                let what = format!("{channel} is still due after {times} sweeps: {waiting:?}");
                return Err(Violation::of(law, what));
            }
            waited.insert(channel, (waiting, times));
        }
        self.waited = waited;
        Ok(())
    }
}

/// What is due by the records, by a clock that may be so far ahead.
pub(super) fn due(world: &World, ahead: Duration) -> BTreeMap<String, QueueEntry> {
    let now = world.stage.now().plus(ahead);
    let inner = world.stage.lock();
    let books = inner.books.channels.iter();
    books
        .filter_map(|(channel, book)| {
            let record = book.record.as_ref()?;
            let due = match decide_sweep(record, &inner.books.policy, now) {
                SweepDecision::Nothing | SweepDecision::Wait(_) => None,
                SweepDecision::Look | SweepDecision::EndSession(_) | SweepDecision::Inspect(_) => {
                    record.queue_entry()
                }
            };
            Some((channel.clone(), due?))
        })
        .collect()
}

async fn one(world: &Arc<World>, number: u32, death: Death, limit: Duration) {
    let stage = &world.stage;
    let (now, calm) = {
        let now = stage.functions_clock();
        let mut inner = stage.lock();
        inner.totals.sweeps += 1;
        let skew = inner.weather.skew;
        inner.books.sweeps.insert(number, SweepBook::new(skew));
        inner.tell(stage.now(), || {
            format!("sweep {number} begins, clock {skew} ms ahead, {death:?}, {limit:?}")
        });
        (now, inner.weather.calm)
    };
    let function = Arc::clone(world);
    let work = async move { function.sweep.run(now, limit).await };
    let end = invoke(stage, Who::Sweep(number), death, limit, work).await;
    let verdict = judge(world, number, calm, &end);
    stage.tell(|| format!("sweep {number} ends: {end:?}"));
    stage.lock().books.sweeps.remove(&number);
    stage.judge(verdict);
}

fn judge(
    world: &World,
    number: u32,
    calm: bool,
    end: &End<Result<Summary, SweepError>>,
) -> Verdict {
    let mut inner = world.stage.lock();
    let poisoned = inner.weather.poisoned.is_some();
    let totals = &mut inner.totals;
    let summary = match end {
        End::Died => {
            totals.count("sweeps that died");
            return Ok(());
        }
        End::Killed => {
            totals.count("sweeps out of time");
            return Ok(());
        }
        End::Panicked => return Ok(()),
        End::Done(Err(error)) => {
            totals.count("sweeps that failed");
            if calm && !matches!(error, SweepError::Stopped(_)) {
                let what = format!("sweep {number} fails on a good day: {error}");
                return Err(Violation::of(Law::EventuallyClean, what));
            }
            return Ok(());
        }
        End::Done(Ok(summary)) => summary,
    };
    let text = serde_json::to_string(summary).unwrap_or_default();
    inner.books.personal.search("a summary", &text)?;
    let Some(book) = inner.books.sweeps.get(&number) else {
        return Ok(());
    };
    bounded(book, summary, calm && !poisoned)
}

/// L3. What a sweep asks Twilio and the table is bounded by what is due; on a good day
/// exactly so, else by the number of repetitions.
fn bounded(book: &SweepBook, summary: &Summary, quiet: bool) -> Verdict {
    let due = summary.due as u64;
    let beyond = |what: String| Err(Violation::of(Law::BoundedCalls, what));
    // A call is attempted three times at most, and a write is made up to three times, each
    // after a reading.
    let (attempts, rounds) = if quiet { (1, 1) } else { (3, 3) };
    for ((kind, which), calls) in &book.calls {
        let limit = match *kind {
            "lists" => attempts * (1 + due.div_ceil(40)),
            "tasks" | "sessions" => attempts,
            // Party by side, each channel that is gone may ask before the first one knows.
            "services" => attempts * due,
            "channels" => attempts * rounds * for_one(book.records.get(which)),
            _ => 0,
        };
        if *calls > limit * due.min(1) {
            let what = format!("{calls} {kind} {which} for {due} due channels, not {limit}");
            return beyond(what);
        }
    }
    let channels = book.calls.keys().filter(|(kind, _)| *kind == "channels");
    if channels.count() as u64 > due {
        return beyond(format!("more channels were asked for than the {due} due"));
    }
    let total: u64 = book.calls.values().sum();
    if total != summary.calls {
        return beyond(format!("{total} requests, {} told", summary.calls));
    }
    let table = |operation: &str| book.table.get(operation).copied().unwrap_or_default();
    if quiet && (table("GetItem") > due || table("Query") > QUEUES || table("Scan") > 0) {
        return beyond(format!("{:?} for {due} due channels", book.table));
    }
    Ok(())
}

/// The requests that a channel of this record may take.
fn for_one(record: Option<&Channel>) -> u64 {
    let Some(record) = record else { return 0 };
    let mut tasks = record.tasks().values();
    match record.platform() {
        Platform::Conversations if tasks.any(|task| task.interaction.is_some()) => 3,
        Platform::Conversations | Platform::Chat => 2,
    }
}
