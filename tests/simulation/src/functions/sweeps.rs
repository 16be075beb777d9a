//! Sweeps: on schedule, two at once, with little time, dying at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{Channel, Platform, Progress, Queue, QueueEntry};
use fastrand::Rng;
use simulator::{ChannelStatus, ConversationState, Sid};
use store::PARTITIONS_OF_A_QUEUE;
use sweep::{Summary, SweepError};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::functions::rescues::{SWEEPS_TO_BE_HEARD, UnheardMessages, is_under_way};
use crate::functions::{Death, Deployment, End, due_in, invoke};
use crate::oracle::{LawCheck, RunHistory};
use crate::report::{Law, Violation};
use crate::shared::Caller;

/// A fuse that an ordinary day blows.
const SMALL_FUSE: usize = 1_000;

/// The longest run of a sweep, as deployed.
const LIMIT: Duration = Duration::from_secs(840);

/// The index partitions that a look at what is due reads.
fn index_partitions() -> u64 {
    Queue::of_sweep().count() as u64 * u64::from(PARTITIONS_OF_A_QUEUE)
}

/// The readings of the stop and the fuse: at the beginning of a sweep, of each portion, and of
/// the fuse at its end.
const fn notes(portions: u64) -> u64 {
    2 + 2 * portions + 1
}

/// The sweeps without faults for which a channel may be due in a row before it must be clean.
const SWEEPS_TO_BE_CLEAN: usize = 2;

pub(crate) struct Sweeps {
    rng: Rng,
    number: u32,
    pub(crate) under_way: JoinSet<()>,
    /// The number of sweeps without faults for which each channel was due for the same, and the
    /// most sweeps for which others kept it waiting.
    waited: BTreeMap<String, (QueueEntry, usize, usize)>,
    /// The entries that were due at the newest sweep, and when that was.
    newest: Option<(Instant, BTreeMap<String, Queue>)>,
    unheard: UnheardMessages,
}

/// The time after which the same channels are swept again: a task whose end was lost is inspected
/// for days, and each time with the same result.
const AGAIN: Duration = Duration::from_secs(8 * 3600);

impl Sweeps {
    pub(crate) fn new(rng: Rng) -> Self {
        Self {
            rng,
            number: 0,
            under_way: JoinSet::new(),
            waited: BTreeMap::new(),
            newest: None,
            unheard: UnheardMessages::default(),
        }
    }

    /// Returns whether the newest sweep found the same channels due, not long ago. A rescue whose
    /// result is not known yet is looked at again in any case.
    pub(crate) fn repeats(&self, deployment: &Deployment) -> bool {
        let due = queues(due(deployment, Duration::ZERO));
        if due.keys().any(|channel| is_under_way(deployment, channel)) {
            return false;
        }
        let newest = self.newest.as_ref();
        newest.is_some_and(|(at, before)| *before == due && at.elapsed() < AGAIN)
    }

    /// Sweeps as the schedule does: mostly one sweep, now and then two at once, and none where
    /// nothing could be due, which would cost only time. Returns whether
    /// there was something to do.
    pub(crate) fn tick(&mut self, deployment: &Arc<Deployment>) -> bool {
        while self.under_way.try_join_next().is_some() {}
        let skew = u64::try_from(deployment.shared.lock().faults.skew).unwrap_or_default();
        let idle = due(deployment, Duration::from_millis(skew)).is_empty();
        if idle && self.rng.u8(..100) >= 2 || self.repeats(deployment) && self.rng.u8(..8) > 0 {
            return false;
        }
        let many = if self.rng.u8(..10) == 0 { 2 } else { 1 };
        for _ in 0..many {
            let crashes = deployment.shared.script.crashes * 2.0;
            let death = match self.rng.f64() < crashes {
                false => Death::Never,
                true if self.rng.bool() => Death::AtPoll(self.rng.u32(1..400)),
                true => Death::After(Duration::from_millis(self.rng.u64(0..30_000))),
            };
            let limit = match self.rng.u8(..10) {
                0 => Duration::from_secs(self.rng.u64(1..60)),
                _ => LIMIT,
            };
            let sweep = self.begin(deployment, death, limit);
            let head_start = Duration::from_millis(self.rng.u64(0..2_000));
            self.under_way.spawn(async move {
                tokio::time::sleep(head_start).await;
                sweep.await;
            });
        }
        !idle
    }

    /// A sweep on a good day, from beginning to end, which must succeed.
    pub(crate) async fn sweep_in_peace(&mut self, deployment: &Arc<Deployment>) {
        let before = due(deployment, Duration::ZERO);
        let rescued = before.keys().filter(|sid| is_under_way(deployment, sid));
        let rescued: BTreeSet<String> = rescued.cloned().collect();
        self.begin(deployment, Death::Never, LIMIT).await;
        let checked = self.unheard.check(deployment, &before);
        let checked = checked.and_then(|()| self.check_waits(deployment, before, &rescued));
        deployment.shared.check(checked);
    }

    fn begin(
        &mut self,
        deployment: &Arc<Deployment>,
        death: Death,
        limit: Duration,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.number += 1;
        let number = self.number;
        self.newest = Some((Instant::now(), queues(due(deployment, Duration::ZERO))));
        let deployment = Arc::clone(deployment);
        async move { one(&deployment, number, death, limit).await }
    }

    /// L1: nothing is due for the same for more than two sweeps in a row. A channel whose rescue
    /// was interrupted takes a sweep more, which finds out what came of it.
    fn check_waits(
        &mut self,
        deployment: &Deployment,
        before: BTreeMap<String, QueueEntry>,
        rescued: &BTreeSet<String>,
    ) -> LawCheck {
        let poisoned = deployment.shared.lock().faults.poisoned.clone();
        let due_at_once = before.len();
        let after = due(deployment, Duration::ZERO);
        // A sweep that may write to few channels leaves the others to the next.
        let script = &deployment.shared.script;
        let rescues = script
            .rescue
            .as_ref()
            .map_or(usize::MAX, |rescue| rescue.max);
        let held_up = due_at_once / script.max_closes.min(rescues);
        let mut waited = BTreeMap::new();
        for (channel, waiting) in before {
            if poisoned.as_ref() == Some(&channel) {
                continue;
            }
            let is_rescued = rescued.contains(&channel) || is_under_way(deployment, &channel);
            let may_wait = held_up > 0 || poisoned.is_some() || is_rescued;
            if !may_wait && swallows_messages(deployment, &channel) {
                let what = format!("{channel} was due, has no agent, and is not closed");
                return Err(Violation::of(Law::EventuallyClean, what));
            }
            if after.get(&channel) != Some(&waiting) {
                continue;
            }
            let (times, held_up) = match self.waited.get(&channel) {
                Some((same, times, before)) if *same == waiting => {
                    (times + 1, held_up.max(*before))
                }
                Some(_) | None => (1, held_up),
            };
            let patience = if is_rescued {
                SWEEPS_TO_BE_HEARD
            } else {
                SWEEPS_TO_BE_CLEAN
            };
            if times >= patience + held_up {
                let law = match poisoned {
                    Some(_) => Law::NoPoison,
                    None => Law::EventuallyClean,
                };
                let what = format!("{channel} is still due after {times} sweeps: {waiting:?}");
                return Err(Violation::of(law, what));
            }
            waited.insert(channel, (waiting, times, held_up));
        }
        self.waited = waited;
        Ok(())
    }
}

/// Returns whether a Conversation is open in which neither an agent nor a program hears the
/// customer, although its record knows since when, and that is long enough ago.
fn swallows_messages(deployment: &Deployment, channel: &str) -> bool {
    let shared = &deployment.shared;
    let Ok(sid) = channel.parse::<Sid>() else {
        return false;
    };
    let (record, policy) = {
        let inner = shared.lock();
        let history = inner.oracle.channels.get(channel);
        let record = history.and_then(|history| history.record.clone());
        (record, inner.oracle.policy.clone())
    };
    let is_known = record.is_some_and(|record| {
        let failed = record
            .cleanup()
            .is_some_and(|cleanup| matches!(cleanup.progress, Progress::Failed { .. }));
        let cutoff = policy.ended_cutoff.max(policy.abandoned_cutoff);
        let idle = record.idle().filter(|idle| idle.how().is_some());
        let waited = idle.is_some_and(|idle| shared.now().since(idle.since) > cutoff);
        record.interaction().is_some() && waited && !failed
    });
    let state = shared.twilio.state();
    let interaction = state.interaction_channel_in(sid);
    let is_active = interaction.is_some_and(|it| it.status == ChannelStatus::Active);
    let is_alone = state.conversation(sid).is_some_and(|it| {
        it.state != ConversationState::Closed
            && it.participants.iter().all(|one| one.identity.is_none())
            && it.webhooks.iter().all(|one| one.kind == "studio")
    });
    is_known && is_active && is_alone && state.open_tasks_on(sid).next().is_none()
}

/// Returns what the sweep's queues hold that is due, by a clock that may be so far ahead.
pub(crate) fn due(deployment: &Deployment, ahead: Duration) -> BTreeMap<String, QueueEntry> {
    due_in(deployment, Queue::is_of_sweep, ahead)
}

fn queues(due: BTreeMap<String, QueueEntry>) -> BTreeMap<String, Queue> {
    let named = due.into_iter().map(|(sid, entry)| (sid, entry.queue));
    named.collect()
}

async fn one(deployment: &Arc<Deployment>, number: u32, death: Death, limit: Duration) {
    let shared = &deployment.shared;
    if shared.script.max_closes < SMALL_FUSE {
        // A person looks and resumes: each sweep has a new fuse.
        deployment.records.resume().await.unwrap();
    }
    let (now, faultless) = {
        let now = shared.functions_clock();
        let mut inner = shared.lock();
        inner.totals.sweeps += 1;
        let skew = inner.faults.skew;
        inner.oracle.runs.insert(number, RunHistory::new(skew));
        inner.trace(shared.now(), || {
            format!("sweep {number} begins, clock {skew} ms ahead, {death:?}, {limit:?}")
        });
        (now, inner.faults.faultless)
    };
    let function = Arc::clone(deployment);
    let work = async move { function.sweep.run_scheduled(now, limit).await };
    let end = invoke(shared, Caller::Sweep(number), death, limit, work).await;
    let checked = check(deployment, number, faultless, &end);
    shared.trace(|| format!("sweep {number} ends: {end:?}"));
    shared.lock().oracle.runs.remove(&number);
    shared.check(checked);
}

fn check(
    deployment: &Deployment,
    number: u32,
    faultless: bool,
    end: &End<Result<Summary, SweepError>>,
) -> LawCheck {
    let mut inner = deployment.shared.lock();
    let poisoned = inner.faults.poisoned.is_some();
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
            if faultless && !matches!(error, SweepError::Stopped(_)) {
                let what = format!("sweep {number} fails on a good day: {error}");
                return Err(Violation::of(Law::EventuallyClean, what));
            }
            return Ok(());
        }
        End::Done(Ok(summary)) => summary,
    };
    let text = serde_json::to_string(summary).unwrap_or_default();
    inner.oracle.personal.search("a summary", &text)?;
    let Some(history) = inner.oracle.runs.get(&number) else {
        return Ok(());
    };
    let rescues = deployment.shared.script.rescue.is_some();
    bounded(history, summary, faultless && !poisoned, u64::from(rescues))
}

/// L3. What a sweep asks Twilio and the table is bounded by what is due; on a good day
/// exactly so, else by the number of repetitions. `rescues` is 1 where unheard customers are
/// rescued: then a channel may take one more look, two questions to the log, and a task to make.
fn bounded(history: &RunHistory, summary: &Summary, quiet: bool, rescues: u64) -> LawCheck {
    let due = summary.due as u64;
    let beyond = |what: String| Err(Violation::of(Law::BoundedCalls, what));
    // A call is attempted three times at most, and a write is made up to three times, each
    // after a reading.
    let (attempts, rounds) = if quiet { (1, 1) } else { (3, 3) };
    // A look that took long is taken again, and reads its tasks again.
    let looks = if quiet { 1 } else { 2 };
    // Where another run closes a channel first, Twilio refuses the write and is asked why: for the
    // Conversation and for its interaction.
    let faster = 2 * u64::from(summary.already_clean > 0);
    for ((kind, which), calls) in &history.calls {
        let limit = match *kind {
            // One for each portion, another one for each channel whose look has grown old; and
            // TaskRouter takes few of them a second.
            "lists" => 3 * (2 + (2 + rescues) * due),
            "tasks" => attempts * (looks + rescues),
            "sessions" => attempts,
            "logs" => attempts * 2 * due * rescues,
            // It is never repeated.
            "new tasks" => rescues,
            // Party by side, each channel that is gone may ask before the first one knows.
            "services" => attempts * due,
            "channels" => attempts * rounds * for_one(history.records.get(which)) + faster,
            _ => 0,
        };
        if *calls > limit * due.min(1) {
            let what = format!("{calls} {kind} {which} for {due} due channels, not {limit}");
            return beyond(what);
        }
    }
    let channels = history.calls.keys().filter(|(kind, _)| *kind == "channels");
    if channels.count() as u64 > due {
        return beyond(format!("more channels were asked for than the {due} due"));
    }
    let total: u64 = history.calls.values().sum();
    if total != summary.calls {
        return beyond(format!("{total} requests, {} told", summary.calls));
    }
    let table = |operation: &str| history.table.get(operation).copied().unwrap_or_default();
    // A portion holds one channel at least.
    if quiet
        && (table("GetItem") > due * (1 + rescues) + notes(due)
            || table("Query") > index_partitions()
            || table("Scan") > 0)
    {
        return beyond(format!("{:?} for {due} due channels", history.table));
    }
    Ok(())
}

/// The requests that a channel of this record may take.
fn for_one(record: Option<&Channel>) -> u64 {
    let Some(record) = record else { return 0 };
    match record.platform() {
        Platform::Conversations => 5,
        Platform::Chat => 4,
    }
}
