//! One channel: what its record says is to be done, done, and recorded.
//!
//! The record is read, decided upon, and written again for each step, by conditional writes,
//! so that runs may overlap: the minute's, a reply's and an agent's own. There are no leases.
//! Why a task that is to be parked is announced first is told in `domain::channel`.

use domain::MessageWebhook;
use domain::{
    Channel, ChannelSid, ChatServiceSid, End, Fact, News, ParkDecision, TaskSid, Timestamp,
    decide_park,
};
use runtime::FlexIds;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Saved, StoreError, Versioned};
use tokio::time::Instant;
use twilio::events::{Link, TaskSeen};
use twilio::rest::{Client, Listener, TwilioError};

use crate::mover::{Look, Moved, Plan, Refusal, Trouble, Way, Writing, look, moved_at};
use crate::settings::{Settings, WebhookUrl};
use crate::summary::Came;

/// How often a task is looked at again because others changed it, or its record, meanwhile.
const ROUNDS: usize = 5;

/// After so many calls in a row that Twilio did not take, it is left alone until the next poll.
const BUSY_AFTER: usize = 5;

/// The time of a run: the moment that it was given at its start, and what passed since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    started: Timestamp,
    began: Instant,
}

impl Watch {
    pub(crate) fn new(started: Timestamp) -> Self {
        Self {
            started,
            began: Instant::now(),
        }
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.started.plus(self.began.elapsed())
    }
}

/// Why a run stops before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The table could not be used for this channel.
    Store(StoreError),
    /// Twilio does not accept our credentials.
    Unauthorized(TwilioError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Who looks after channels, for one run.
pub(crate) struct Tender<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) twilio: Client,
    pub(crate) place: FlexIds,
    pub(crate) watch: Watch,
    /// Calls in a row that Twilio did not take.
    busy: AtomicUsize,
}

impl<'a> Tender<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        twilio: Client,
        place: FlexIds,
        watch: Watch,
    ) -> Self {
        Self {
            settings,
            twilio,
            place,
            watch,
            busy: AtomicUsize::new(0),
        }
    }

    /// Does what a channel's record asks for, if it still does.
    pub(crate) async fn tend(&self, channel: ChannelSid) -> Result<Came, Stop> {
        for _ in 0..ROUNDS {
            if self.busy.load(Ordering::Relaxed) >= BUSY_AFTER {
                return Ok(Came::Deferred);
            }
            let Some(before) = self.settings.table.get(channel).await? else {
                return Ok(Came::NotDue);
            };
            let policy = &self.settings.policy;
            let came = match decide_park(&before.channel, policy, self.watch.now()) {
                ParkDecision::InstallWebhook => Some(self.listen(&before.channel).await?),
                ParkDecision::Park(task) => self.park(before, task).await?,
                ParkDecision::Unpark(task) => self.unpark(&before.channel, task).await?,
                ParkDecision::Nothing | ParkDecision::Wait(_) => Some(Came::NotDue),
            };
            if let Some(came) = came {
                return Ok(came);
            }
        }
        Ok(Came::Deferred)
    }

    /// Parks a task; nothing if it has to be looked at again.
    async fn park(&self, before: Versioned, task: TaskSid) -> Result<Option<Came>, Stop> {
        let announced = self.watch.now();
        let mut after = before.channel.clone();
        after.note_parking(task, announced);
        match self.settings.table.save(&before, after, None).await? {
            Saved::Written | Saved::Unchanged => {}
            Saved::Conflict(_) => return Ok(None),
        }
        let channel = &before.channel;
        let plan = match self.look(task, Way::There, Writing::IfNeeded).await? {
            Ok(Look::Plan(plan)) => plan,
            Ok(Look::Over(version)) => {
                return self
                    .leave(channel, task, Some(&version.seen))
                    .await
                    .map(Some);
            }
            Ok(Look::Gone) => return self.leave(channel, task, None).await.map(Some),
            Ok(Look::Refused(why)) => return self.refuse(channel, task, &why).await.map(Some),
            Err(came) => return Ok(Some(came)),
        };
        self.carry_out(channel, task, &plan, announced).await
    }

    /// Carries out a plan to park.
    pub(crate) async fn carry_out(
        &self,
        channel: &Channel,
        task: TaskSid,
        plan: &Plan,
        announced: Timestamp,
    ) -> Result<Option<Came>, Stop> {
        let (stand, changed, came) = match self.act(task, plan).await? {
            Ok(Moved::There(stand, changed)) => (stand, changed, Came::Parked),
            Ok(Moved::Already(stand, changed)) => (stand, changed, Came::Already),
            Ok(Moved::LookAgain) => return Ok(None),
            Ok(Moved::Gone) => return self.leave(channel, task, None).await.map(Some),
            Ok(Moved::Refused(why)) => return self.refuse(channel, task, &why).await.map(Some),
            Err(came) => return Ok(Some(came)),
        };
        let at = moved_at(self.watch.now(), changed);
        self.note(channel, |channel| {
            channel.note_parked(task, announced, at, stand);
        })
        .await?;
        tracing::info!(channel = %channel.sid(), %task, ?came, "parked");
        Ok(Some(came))
    }

    /// Moves a task back; nothing if it has to be looked at again.
    pub(crate) async fn unpark(
        &self,
        channel: &Channel,
        task: TaskSid,
    ) -> Result<Option<Came>, Stop> {
        let seat = channel.parking(task);
        let writing = if seat.is_some_and(domain::TaskParking::is_being_parked) {
            Writing::Always
        } else {
            Writing::IfNeeded
        };
        let plan = match self.look(task, Way::Back, writing).await? {
            Ok(Look::Plan(plan)) => plan,
            Ok(Look::Over(version)) => {
                return self
                    .leave(channel, task, Some(&version.seen))
                    .await
                    .map(Some);
            }
            Ok(Look::Gone) => return self.leave(channel, task, None).await.map(Some),
            Ok(Look::Refused(why)) => return self.stay(channel, task, &why).await.map(Some),
            Err(came) => return Ok(Some(came)),
        };
        let (stand, changed, came) = match self.act(task, &plan).await? {
            Ok(Moved::There(stand, changed)) => (stand, changed, Came::Returned),
            Ok(Moved::Already(stand, changed)) => (stand, changed, Came::Already),
            Ok(Moved::LookAgain) => return Ok(None),
            Ok(Moved::Gone) => return self.leave(channel, task, None).await.map(Some),
            Ok(Moved::Refused(why)) => return self.stay(channel, task, &why).await.map(Some),
            Err(came) => return Ok(Some(came)),
        };
        let at = moved_at(self.watch.now(), changed);
        self.note(channel, |channel| channel.note_placement(task, at, stand))
            .await?;
        tracing::info!(channel = %channel.sid(), %task, ?came, "taken up again");
        Ok(Some(came))
    }

    /// Makes sure that a Chat channel's messages are told to us.
    pub(crate) async fn listen(&self, channel: &Channel) -> Result<Came, Stop> {
        let sid = channel.sid();
        let Some((url, service)) = self.ear() else {
            tracing::error!(channel = %sid, "without WEBHOOK_URL and a chat service, no Chat channel's task is parked");
            return self.hear(channel, MessageWebhook::NoRoom, Came::Deaf).await;
        };
        let answer = self.twilio.listen_to_channel(service, sid, url.expose());
        match self.absorb_activity(answer.await)? {
            Ok(Listener::Found | Listener::Added) => {
                self.hear(channel, MessageWebhook::Installed, Came::Listening)
                    .await
            }
            Ok(Listener::NoRoom) => {
                tracing::warn!(channel = %sid, "no room for another webhook: its chats are not parked");
                self.hear(channel, MessageWebhook::NoRoom, Came::Deaf).await
            }
            Ok(Listener::NoChannel) => {
                self.hear(channel, MessageWebhook::NoRoom, Came::LeftAlone)
                    .await
            }
            Err(TwilioError::Refused { status, code }) => {
                tracing::error!(channel = %sid, status, ?code, "the webhook was refused: its chats are not parked");
                self.hear(channel, MessageWebhook::NoRoom, Came::Refused)
                    .await
            }
            Err(_) => Ok(Came::Deferred),
        }
    }

    /// Where a Chat channel's messages are to be told, and the service that it is in; nothing
    /// where neither the settings nor Flex say so.
    pub(crate) fn ear(&self) -> Option<(&WebhookUrl, ChatServiceSid)> {
        self.settings.webhook.as_ref().zip(self.place.chat_service)
    }

    async fn hear(
        &self,
        channel: &Channel,
        ears: MessageWebhook,
        came: Came,
    ) -> Result<Came, Stop> {
        self.note(channel, |channel| channel.note_message_webhook(ears))
            .await?;
        Ok(came)
    }

    async fn look(
        &self,
        task: TaskSid,
        way: Way,
        writing: Writing,
    ) -> Result<Result<Look, Came>, Stop> {
        let pairs = &self.settings.pairs;
        let looked = look(&self.twilio, self.place, pairs, task, way, writing);
        self.judge(task, looked.await)
    }

    async fn act(&self, task: TaskSid, plan: &Plan) -> Result<Result<Moved, Came>, Stop> {
        let moved = plan.carry_out(&self.twilio, self.place).await;
        self.judge(task, moved)
    }

    /// Counts what Twilio took and what it did not.
    fn judge<T>(&self, task: TaskSid, answer: Result<T, Trouble>) -> Result<Result<T, Came>, Stop> {
        match answer {
            Ok(answer) => {
                self.busy.store(0, Ordering::Relaxed);
                Ok(Ok(answer))
            }
            Err(Trouble::Passing(error)) => {
                tracing::warn!(%task, %error, "not now: the next poll tries again");
                self.busy.fetch_add(1, Ordering::Relaxed);
                Ok(Err(Came::Deferred))
            }
            Err(Trouble::Unauthorized(error)) => Err(Stop::Unauthorized(error)),
        }
    }

    fn absorb_activity<T>(
        &self,
        answer: Result<T, TwilioError>,
    ) -> Result<Result<T, TwilioError>, Stop> {
        match answer {
            Err(error @ TwilioError::Unauthorized { .. }) => Err(Stop::Unauthorized(error)),
            Err(error) if error.may_pass() => {
                self.busy.fetch_add(1, Ordering::Relaxed);
                Ok(Err(error))
            }
            answer => Ok(answer),
        }
    }

    /// A task that has ended or whose agent is done: what was seen of it is remembered.
    async fn leave(
        &self,
        channel: &Channel,
        task: TaskSid,
        seen: Option<&TaskSeen>,
    ) -> Result<Came, Stop> {
        let now = self.watch.now();
        let facts = self.facts(channel, task, seen);
        self.note(channel, |channel| {
            facts.iter().for_each(|fact| channel.absorb(fact));
            // If it is open after all, there is no hurry to look at it again.
            channel.note_not_parked(task, now);
        })
        .await?;
        tracing::info!(channel = %channel.sid(), %task, "left alone: it has ended, or nobody talks");
        Ok(Came::LeftAlone)
    }

    /// What a look told about a task of this channel.
    pub(crate) fn facts(
        &self,
        channel: &Channel,
        task: TaskSid,
        seen: Option<&TaskSeen>,
    ) -> Vec<Fact> {
        let now = self.watch.now();
        let interaction = channel.tasks().get(&task).and_then(|task| task.interaction);
        let link = Link {
            channel: channel.sid(),
            platform: channel.platform(),
            interaction,
            other_channel: None,
        };
        match seen {
            Some(seen) => seen.facts_about(link, now),
            None => vec![Fact {
                channel: link.channel,
                platform: link.platform,
                at: now,
                task,
                opened_at: None,
                interaction,
                news: News::Ended(End::Vanished),
            }],
        }
    }

    /// A task that cannot be parked: its agent keeps it.
    async fn refuse(&self, channel: &Channel, task: TaskSid, why: &Refusal) -> Result<Came, Stop> {
        tracing::error!(channel = %channel.sid(), %task, %why, "cannot be parked");
        let now = self.watch.now();
        self.note(channel, |channel| channel.note_not_parked(task, now))
            .await?;
        Ok(Came::Refused)
    }

    /// A task that cannot be moved back, though its customer waits.
    async fn stay(&self, channel: &Channel, task: TaskSid, why: &Refusal) -> Result<Came, Stop> {
        tracing::error!(channel = %channel.sid(), %task, %why, "a customer waits, and the task cannot be moved back");
        let now = self.watch.now();
        self.note(channel, |channel| channel.note_not_moved_back(task, now))
            .await?;
        Ok(Came::Refused)
    }

    /// Records something, on top of whatever others recorded meanwhile.
    pub(crate) async fn note(
        &self,
        channel: &Channel,
        change: impl Fn(&mut Channel),
    ) -> Result<(), StoreError> {
        let table = &self.settings.table;
        let (sid, platform) = (channel.sid(), channel.platform());
        table.fold(sid, platform, change).await.map(|_| ())
    }

    /// Whether the agent who has a task has more than they can take. TaskRouter moves a task
    /// whether there is room or not; it only asks for room when it offers one.
    pub(crate) async fn is_over_capacity(&self, channel: ChannelSid) -> bool {
        let record = self.settings.table.get(channel).await.ok().flatten();
        let Some(record) = record else { return false };

        for (task, _) in record.channel.open_tasks() {
            let seat = record
                .channel
                .parking(task)
                .filter(|seat| !seat.is_parked());
            let Some((worker, stand)) = seat.and_then(|seat| seat.worker().zip(seat.placement()))
            else {
                continue;
            };
            let workspace = self.place.workspace;
            let load = self.twilio.load(workspace, worker, stand.task_channel);
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
