//! The work on one channel: what its record asks for, or a person, done and recorded.
//!
//! The record is read, decided upon, and written again for each step, by conditional writes,
//! so that runs may overlap: the minute's, a reply's and an agent's own. There are no leases.
//!
//! One function moves a task, [`ChannelWorker::attempt`], for the record and for a person alike:
//! it looks, announces, writes the version that it saw, and records where the task is then. The
//! reasons for this order are told in `domain::channel`, in the file `parking`.

use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{
    Channel, ChannelSid, End, Fact, ManualRequest, ParkDecision, Platform, TaskParking, TaskSid,
    TaskState, Timestamp, decide_park,
};
use runtime::access::FlexIds;
use runtime::clock::Watch;
use store::StoreError;
use twilio::events::Link;
use twilio::rest::{Client, TwilioError};

use crate::moves::{Announced, Attempt, Intent, MoveResult, Stop};
use crate::plan::{Direction, Refusal, is_over, plan};
use crate::settings::Settings;
use crate::summary::ChannelResult;

/// The most times that a task is looked at again because others changed it, or its record.
const MAX_ROUNDS: usize = 5;

/// After so many calls in a row that Twilio did not take, it is left alone until the next poll.
const MAX_FAILED_CALLS: usize = 5;

/// Works on channels, for one run.
pub(crate) struct ChannelWorker<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) twilio: Client,
    pub(crate) ids: FlexIds,
    pub(crate) watch: Watch,
    /// Calls in a row that Twilio did not take.
    failed_calls: AtomicUsize,
}

impl<'a> ChannelWorker<'a> {
    pub(crate) fn new(settings: &'a Settings, twilio: Client, ids: FlexIds, watch: Watch) -> Self {
        Self {
            settings,
            twilio,
            ids,
            watch,
            failed_calls: AtomicUsize::new(0),
        }
    }

    /// Does what a channel's record asks for, if it still does.
    pub(crate) async fn process(&self, channel: ChannelSid) -> Result<ChannelResult, Stop> {
        for _ in 0..MAX_ROUNDS {
            if self.failed_calls.load(Ordering::Relaxed) >= MAX_FAILED_CALLS {
                return Ok(ChannelResult::Deferred);
            }
            let Some(before) = self.settings.table.get(channel).await? else {
                return Ok(ChannelResult::NotDue);
            };
            let policy = &self.settings.policy;
            let (task, direction) = match decide_park(&before.channel, policy, self.watch.now()) {
                ParkDecision::Nothing | ParkDecision::Wait(_) => return Ok(ChannelResult::NotDue),
                ParkDecision::InstallWebhook(task) => {
                    return self.install_webhook(&before.channel, task).await;
                }
                ParkDecision::TellExpiry(task) => {
                    return self.tell_expiry(&before.channel, task).await;
                }
                ParkDecision::Park(task) => (task, Direction::Park),
                ParkDecision::Unpark(task) => (task, Direction::Resume),
            };
            match self
                .attempt(task, Intent::Record(&before, direction))
                .await?
            {
                Attempt::Done(result) => {
                    return self.settle(&before.channel, task, direction, result).await;
                }
                Attempt::Again => {}
            }
        }
        Ok(ChannelResult::Deferred)
    }

    /// Moves a task because a person asks for it. Nothing if others kept changing it.
    pub(crate) async fn process_manual(
        &self,
        task: TaskSid,
        request: ManualRequest,
    ) -> Result<Option<MoveResult>, Stop> {
        for _ in 0..MAX_ROUNDS {
            match self.attempt(task, Intent::Manual(request)).await? {
                Attempt::Done(result) => return Ok(Some(result)),
                Attempt::Again => {}
            }
        }
        Ok(None)
    }

    /// Looks at a task, announces the move, writes it, and records where the task is.
    async fn attempt(&self, task: TaskSid, intent: Intent<'_>) -> Result<Attempt, Stop> {
        let direction = intent.direction();
        let workspace = self.ids.workspace;
        let version = match self.twilio.task_version(workspace, task).await {
            Ok(Some(version)) => version,
            Ok(None) => return Ok(Attempt::Done(MoveResult::Gone)),
            Err(error) => return self.not_taken(task, error).map(Attempt::from),
        };
        self.failed_calls.store(0, Ordering::Relaxed);
        if is_over(&version, direction) {
            let seen = Box::new(version.seen);
            return Ok(Attempt::Done(MoveResult::Over(seen)));
        }
        let plan = match plan(&version, &self.settings.pairs, direction) {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Attempt::Done(MoveResult::Refused(refusal))),
        };
        let announced = match self.announce(task, &version, intent).await? {
            Announced::To(announced) => announced,
            Announced::Conflict => return Ok(Attempt::Again),
            Announced::Impossible(result) => return Ok(Attempt::Done(result)),
        };
        let number = announced.number(&version);
        let is_there = version.task_channel == plan.target;
        // A write that was announced and may still be under way has to fail.
        let must_fail = direction == Direction::Resume && announced.parking.is_announced(number);
        let change = plan.change();
        let (number, result) = if is_there && !must_fail {
            (number, MoveResult::Already)
        } else {
            match self.twilio.move_task(workspace, &version, change).await {
                Ok(after) if after.task_channel == plan.target => {
                    let next = number.saturating_add(1);
                    let moved = match is_there {
                        true => MoveResult::Already,
                        false => MoveResult::Moved(announced.channel),
                    };
                    (after.number.unwrap_or(next), moved)
                }
                Ok(_) | Err(TwilioError::Conflict) => return Ok(Attempt::Again),
                Err(error @ TwilioError::Unreachable { .. }) => {
                    tracing::warn!(%task, %error, "it is not known if the task was moved");
                    return Ok(Attempt::Again);
                }
                Err(TwilioError::Gone) => return Ok(Attempt::Done(MoveResult::Gone)),
                Err(error) => return self.not_taken(task, error).map(Attempt::from),
            }
        };
        let placement = self.settings.pairs.placement(plan.target);
        self.note(announced.channel, announced.platform, |channel| {
            channel.note_placement(task, number, placement);
        })
        .await?;
        tracing::info!(channel = %announced.channel, %task, ?direction, "moved, or there already");
        Ok(Attempt::Done(result))
    }

    /// Records what became of a move that the record asked for.
    async fn settle(
        &self,
        channel: &Channel,
        task: TaskSid,
        direction: Direction,
        result: MoveResult,
    ) -> Result<ChannelResult, Stop> {
        let now = self.watch.now();
        let (sid, platform) = (channel.sid(), channel.platform());
        let failures = channel.parking(task).map_or(0, TaskParking::failures);
        let (facts, result) = match result {
            MoveResult::Moved(_) if direction == Direction::Park => {
                return Ok(ChannelResult::Parked);
            }
            MoveResult::Moved(_) => return Ok(ChannelResult::Returned),
            MoveResult::Already => return Ok(ChannelResult::Already),
            MoveResult::Busy => return Ok(ChannelResult::Deferred),
            MoveResult::NoWebhookUrl => return Ok(ChannelResult::NoRoom),
            MoveResult::NoWebhook(result) => return Ok(result),
            MoveResult::Over(seen) => {
                let facts = seen.facts_about(link(channel, task), &self.settings.pairs, now);
                (facts, ChannelResult::LeftAlone)
            }
            // Only the second time in a row is it believed: an end is final.
            MoveResult::Gone if failures > 0 => {
                (vec![vanished(channel, task, now)], ChannelResult::LeftAlone)
            }
            MoveResult::Gone => (Vec::new(), ChannelResult::Gone),
            MoveResult::Refused(why) => {
                tracing::error!(channel = %sid, %task, %why, ?direction, "the task cannot be moved");
                (Vec::new(), ChannelResult::Refused)
            }
        };
        let is_refused_back = direction == Direction::Resume && result == ChannelResult::Refused;
        let is_tried_again = is_refused_back || result == ChannelResult::Gone;
        self.note(sid, platform, |channel| {
            facts.iter().for_each(|fact| channel.absorb(fact));
            if is_tried_again {
                channel.note_not_moved_back(task, now);
            } else {
                channel.note_not_parked(task, now);
            }
        })
        .await?;
        tracing::info!(channel = %sid, %task, ?direction, ?result, "not moved");
        Ok(result)
    }

    /// Sorts a call that Twilio did not take.
    pub(crate) fn not_taken(&self, task: TaskSid, error: TwilioError) -> Result<NotTaken, Stop> {
        match error {
            TwilioError::Unauthorized { .. } => Err(Stop::Unauthorized(error)),
            TwilioError::Throttled { .. } | TwilioError::Unreachable { .. } => {
                tracing::warn!(%task, %error, "Twilio is busy: the next poll tries again");
                self.failed_calls.fetch_add(1, Ordering::Relaxed);
                Ok(NotTaken::Busy)
            }
            TwilioError::Refused { .. } | TwilioError::Gone | TwilioError::Conflict => {
                Ok(NotTaken::Refused(Refusal::Twilio(error)))
            }
        }
    }

    /// Records something, on top of whatever others recorded meanwhile.
    pub(crate) async fn note(
        &self,
        channel: ChannelSid,
        platform: Platform,
        change: impl Fn(&mut Channel),
    ) -> Result<(), StoreError> {
        let saved = self.settings.table.fold(channel, platform, change).await;
        saved.map(drop)
    }

    /// Returns whether the agent who has a task has more than they can take. TaskRouter moves a
    /// task whether there is room or not; it only asks for room when it offers one.
    pub(crate) async fn is_over_capacity(&self, channel: ChannelSid) -> bool {
        let record = self.settings.table.get(channel).await.ok().flatten();
        let Some(record) = record else { return false };
        for (task, _) in record.channel.open_tasks() {
            let parking = record.channel.parking(task);
            let parking = parking.filter(|parking| !parking.is_parked());
            let Some((worker, placement)) =
                parking.and_then(|parking| parking.worker().zip(parking.placement()))
            else {
                continue;
            };
            let workspace = self.ids.workspace;
            let load = self.twilio.load(workspace, worker, placement.task_channel);
            match load.await {
                Ok(load) if load.assigned > load.capacity => {
                    tracing::warn!(%channel, %task, %worker, capacity = load.capacity, assigned = load.assigned,
                        "a chat came back to an agent who has more than they can take");
                    return true;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::info!(%channel, %worker, %error, "the agent's load is not known");
                }
            }
        }
        false
    }
}

/// A call that Twilio did not take.
pub(crate) enum NotTaken {
    /// Twilio is busy or does not answer.
    Busy,
    /// Twilio refuses it.
    Refused(Refusal),
}

impl From<NotTaken> for Attempt {
    fn from(error: NotTaken) -> Self {
        Self::Done(match error {
            NotTaken::Busy => MoveResult::Busy,
            NotTaken::Refused(why) => MoveResult::Refused(why),
        })
    }
}

/// The channel's link to a task of its own.
fn link(channel: &Channel, task: TaskSid) -> Link {
    Link {
        channel: channel.sid(),
        platform: channel.platform(),
        interaction: channel.tasks().get(&task).and_then(|task| task.interaction),
        other_channel: None,
    }
}

fn vanished(channel: &Channel, task: TaskSid, at: Timestamp) -> Fact {
    link(channel, task).fact(task, TaskState::Ended(End::Vanished), at)
}
