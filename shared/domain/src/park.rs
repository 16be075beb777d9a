//! What frees an agent while a customer is silent: where a task stands, and when it moves.
//!
//! # One queue for each channel
//!
//! A channel waits for one thing at a time. Closing comes first by nature: a channel that is
//! to be closed has no open task, and so nothing to move. While a task is open, in this order:
//!
//! 1. **Unpark**: a customer is waiting.
//! 2. **Listen**: until a Chat channel's messages are heard, nobody knows who spoke last.
//! 3. **Park**: the task itself is looked up before it is moved, which tells us as much about
//!    it as an inspection would. So an inspection that has to wait for it loses nothing.
//! 4. **Inspect**, which is the sweep's.
//!
//! # Why a move is announced
//!
//! A task is moved at Twilio and the record is written afterwards. Were we to die in between,
//! and the task's own event lost, a parked chat would look like an active one, and no word of
//! its customer would bring it back. So the record says that a task is being parked *before*
//! it is: from then on a customer's word asks for the way back. The way back writes the task
//! even if it finds it active, so that a parker whose request is still under way fails on its
//! `If-Match` and looks again.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::channel::{Channel, Queue, QueueEntry};
use crate::cleanup::Cleanup;
use crate::fact::{Platform, Stage};
use crate::talk::{MessagePosition, rounded_up};
use crate::{TaskChannelSid, TaskSid, Timestamp, WorkerSid};

/// The longest wait before a way back that failed is tried again: a customer is waiting.
pub const MAX_UNPARK_WAIT: Duration = Duration::from_secs(10 * 60);

/// How a task stands: in which TaskChannel, and whether its attributes say that it is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskPlacement {
    /// Its TaskChannel.
    pub task_channel: TaskChannelSid,
    /// Whether its attribute `inactive` is 1.
    pub inactive: bool,
}

/// How a task stood at a time. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PlacementAt {
    pub(crate) at: Timestamp,
    pub(crate) version: u32,
    pub(crate) stand: TaskPlacement,
}

/// What somebody asked for by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManualRequest {
    /// To park the chat.
    Park,
    /// To take it up again.
    Resume,
}

/// A wish and what was known when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct RequestedAt {
    at: Timestamp,
    wish: ManualRequest,
    /// The customer's last word until then. What is not known yet counts as a reply, so that
    /// no clock has to be compared with another one.
    heard: Option<MessagePosition>,
}

/// What we did to hear a Chat channel's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageWebhook {
    /// The channel has no room for another webhook, or is gone: its chats are not parked.
    NoRoom,
    /// It has our webhook.
    Installed,
}

/// An open task, as far as its agent's capacity is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskParking {
    /// When it was accepted last, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<(Timestamp, Option<WorkerSid>)>,
    /// How it stood when last heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<PlacementAt>,
    /// What somebody last asked for by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wished: Option<RequestedAt>,
    /// Since when we are parking it: the request may be under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parking: Option<Timestamp>,
    /// Tries in a row that failed, and when it was given up or is to be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<(Timestamp, u32)>,
}

impl TaskParking {
    /// The worker who accepted it last, if anybody said.
    pub fn worker(&self) -> Option<WorkerSid> {
        self.accepted.and_then(|(_, worker)| worker)
    }

    /// How it stands.
    pub fn stands(&self) -> Option<TaskPlacement> {
        self.standing.map(|standing| standing.stand)
    }

    /// Whether it is parked, as far as we know.
    pub fn is_parked(&self) -> bool {
        self.stands().is_some_and(|stand| stand.inactive)
    }

    /// Whether we are parking it: a request to Twilio may be under way.
    pub fn is_being_parked(&self) -> bool {
        self.parking.is_some()
    }

    pub(crate) fn accept(&mut self, at: Timestamp, worker: Option<WorkerSid>) {
        self.accepted = self.accepted.max(Some((at, worker)));
    }

    pub(crate) fn stand(&mut self, standing: PlacementAt) {
        self.standing = self.standing.max(Some(standing));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.accepted = self.accepted.max(other.accepted);
        self.standing = self.standing.max(other.standing);
        self.wished = self.wished.max(other.wished);
        self.parking = self.parking.max(other.parking);
        self.failed = self.failed.max(other.failed);
    }

    /// What of it makes a difference: not when it was last said.
    pub(crate) fn outline(
        &self,
    ) -> (
        Option<(Timestamp, Option<WorkerSid>)>,
        Option<TaskPlacement>,
    ) {
        (self.accepted, self.stands())
    }

    fn wished(&self, wish: ManualRequest) -> Option<RequestedAt> {
        self.wished.filter(|wished| wished.wish == wish)
    }

    fn failed_at(&self) -> Option<Timestamp> {
        self.failed.map(|(at, _)| at)
    }

    /// Says how it stands now, by our own doing or look: nothing that was heard before counts
    /// any more.
    fn found(&mut self, at: Timestamp, stand: TaskPlacement) {
        let (mut at, mut version) = (at, 0);
        if let Some(known) = self.standing {
            at = at.max(known.at);
            version = known.version;
            if at == known.at && stand < known.stand {
                version = version.saturating_add(1);
            }
        }
        let standing = PlacementAt { at, version, stand };
        self.stand(standing);
        self.parking = None;
        self.failed = None;
    }
}

impl Channel {
    /// The open tasks that are parked, as far as we know.
    pub fn parked_tasks(&self) -> impl Iterator<Item = TaskSid> {
        let seated = |task: &TaskSid| self.talk.seat(*task).is_some_and(TaskParking::is_parked);
        self.open_tasks().map(|(task, _)| task).filter(seated)
    }

    /// The task that the channel waits to have moved.
    pub fn task_to_move(&self) -> Option<TaskSid> {
        let (task, waiting) = self.moves().max_by_key(|(_, waiting)| urgency(*waiting))?;
        (waiting.queue != Queue::InstallWebhook).then_some(task)
    }

    /// What the channel waits for while a task is open on it, apart from an inspection.
    pub(crate) fn waits_to_move(&self) -> Option<QueueEntry> {
        let waiting = self.moves().map(|(_, waiting)| waiting);
        waiting.max_by_key(|waiting| urgency(*waiting))
    }

    fn moves(&self) -> impl Iterator<Item = (TaskSid, QueueEntry)> {
        self.open_tasks().filter_map(|(task, known)| {
            let seat = self.talk.seat(task)?;
            let waiting = self.waits_for_way_back(seat);
            let waiting = waiting.or_else(|| self.waits_to_listen(seat));
            let waiting = waiting.or_else(|| self.waits_to_park(seat, known.stage));
            Some((task, waiting?))
        })
    }

    /// A parked task, or one that is being parked, whose customer wrote after the agent; or
    /// after it was parked by hand, which an agent may do without an answer.
    fn waits_for_way_back(&self, seat: &TaskParking) -> Option<QueueEntry> {
        if !seat.is_parked() && !seat.is_being_parked() {
            return None;
        }
        let customer = self.talk.customer_spoke()?;
        let agent = self.talk.agent_spoke();
        let manual = seat.wished(ManualRequest::Park);
        let news = manual.is_none_or(|wished| Some(customer) > wished.heard);
        let replied = Some(customer) > agent && news;
        let asked_at = agent.map(|spoken| spoken.at);
        let asked_at = asked_at.max(manual.map(|wished| wished.at));
        replied.then(|| QueueEntry {
            queue: Queue::Unpark,
            since: seat.failed_at().max(asked_at).unwrap_or(customer.at),
        })
    }

    fn waits_to_listen(&self, seat: &TaskParking) -> Option<QueueEntry> {
        let deaf = self.platform() == Platform::Chat && self.talk.ears.is_none();
        let (accepted_at, _) = seat.accepted.filter(|_| deaf)?;
        Some(QueueEntry {
            queue: Queue::InstallWebhook,
            since: accepted_at,
        })
    }

    /// An agent spoke last, and has the task. The patience starts anew whenever the task is
    /// accepted, taken up again by hand, or could not be parked.
    fn waits_to_park(&self, seat: &TaskParking, stage: Stage) -> Option<QueueEntry> {
        if seat.is_parked()
            || stage != Stage::Assigned
            || self.talk.ears == Some(MessageWebhook::NoRoom)
        {
            return None;
        }
        let agent = self.talk.agent_spoke()?;
        if self.talk.customer_spoke() >= Some(agent) {
            return None;
        }
        let accepted_at = seat.accepted.map(|(at, _)| at);
        let resumed_at = seat.wished(ManualRequest::Resume).map(|wished| wished.at);
        let others = [accepted_at, resumed_at, seat.failed_at()];
        let since = others.into_iter().flatten().fold(agent.at, Timestamp::max);
        Some(QueueEntry {
            queue: Queue::Park,
            since: rounded_up(since),
        })
    }

    /// Announces that a task is about to be parked.
    pub fn note_parking(&mut self, task: TaskSid, now: Timestamp) {
        self.talk.seats.entry(task).or_default().parking = Some(now);
        self.settle_talk();
    }

    /// Records how a task stands by our own doing or look.
    pub fn note_placement(&mut self, task: TaskSid, at: Timestamp, stand: TaskPlacement) {
        self.talk.seats.entry(task).or_default().found(at, stand);
        self.settle_talk();
    }

    /// Records that we parked a task, as we had announced. If the announcement is not there any
    /// more, somebody looked at the task after us, and knows better.
    pub fn note_parked(
        &mut self,
        task: TaskSid,
        announced: Timestamp,
        at: Timestamp,
        stand: TaskPlacement,
    ) {
        let seat = self.talk.seat(task);
        if seat.is_some_and(|seat| seat.parking == Some(announced)) {
            self.note_placement(task, at, stand);
        }
    }

    /// Records that somebody wants a task parked, or taken up again, by hand.
    pub fn note_manual_request(&mut self, task: TaskSid, wish: ManualRequest, now: Timestamp) {
        let heard = self.talk.customer_spoke();
        let seat = self.talk.seats.entry(task).or_default();
        let at = now;
        seat.wished = seat.wished.max(Some(RequestedAt { at, wish, heard }));
        self.settle_talk();
    }

    /// Records that a task could not be parked: its agent keeps it, and the patience starts
    /// anew.
    pub fn note_not_parked(&mut self, task: TaskSid, now: Timestamp) {
        if let Some(seat) = self.talk.seats.get_mut(&task) {
            seat.parking = None;
            seat.failed = Some((now, 0));
        }
    }

    /// Records that a task could not be moved back, and when to try again: later each time.
    pub fn note_not_moved_back(&mut self, task: TaskSid, now: Timestamp) {
        if let Some(seat) = self.talk.seats.get_mut(&task) {
            let failures = seat.failed.map_or(0, |(_, failures)| failures);
            let failures = failures.saturating_add(1);
            let wait = Cleanup::back_off(failures).min(MAX_UNPARK_WAIT);
            seat.failed = Some((now.plus(wait), failures));
        }
    }

    /// Records what we did to hear the channel's messages.
    pub fn note_message_webhook(&mut self, ears: MessageWebhook) {
        self.talk.ears = Some(ears);
    }

    /// Whether the channel's messages reach us: a Conversation's always do.
    pub fn is_heard(&self) -> bool {
        self.platform() == Platform::Conversations
            || self.talk.ears == Some(MessageWebhook::Installed)
    }
}

/// The greater, the more urgent: by what it is, then by how long it waits.
fn urgency(waiting: QueueEntry) -> (u8, std::cmp::Reverse<Timestamp>) {
    let rank = match waiting.queue {
        Queue::Unpark => 3,
        Queue::InstallWebhook => 2,
        Queue::Park => 1,
        Queue::Abandoned | Queue::Ended | Queue::LongLived | Queue::Inspect | Queue::Retry => 0,
    };
    (rank, std::cmp::Reverse(waiting.since))
}

/// Two TaskChannels between which tasks move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// Where an agent's capacity is taken.
    pub active: TaskChannelSid,
    /// Where a parked task stands.
    pub inactive: TaskChannelSid,
}

/// A pair that is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not two SIDs of TaskChannels with a colon in between, as TC…:TC…")]
pub struct InvalidPair;

impl FromStr for Pair {
    type Err = InvalidPair;

    fn from_str(text: &str) -> Result<Self, InvalidPair> {
        let (active, inactive) = text.split_once(':').ok_or(InvalidPair)?;
        let sid = |text: &str| text.trim().parse().map_err(|_| InvalidPair);
        Ok(Self {
            active: sid(active)?,
            inactive: sid(inactive)?,
        })
    }
}

/// All pairs. No TaskChannel stands in two of them, or a task would not know its way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(Vec<Pair>);

/// What is wrong with the pairs, by themselves or at Twilio.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum PairFault {
    /// A TaskChannel stands in two pairs, or twice in one.
    #[error(
        "TaskChannel {0} stands in the pairs twice, so that a task would not know its way back"
    )]
    Repeated(TaskChannelSid),
    /// The workspace has no such TaskChannel.
    #[error("the workspace has no TaskChannel {0}")]
    Unknown(TaskChannelSid),
    /// Its name holds a hyphen, which TaskRouter's expressions take for a minus.
    #[error(
        "the unique name of TaskChannel {0} holds a hyphen, which TaskRouter cannot read in an expression: make another one"
    )]
    Hyphen(TaskChannelSid),
    /// Tasks of this workspace have no TaskChannel.
    #[error("the workspace has multi-tasking switched off, and so no use for TaskChannels")]
    SingleTasking,
}

impl Pairs {
    /// These pairs.
    ///
    /// # Errors
    ///
    /// Fails with every TaskChannel that occurs more than once.
    pub fn new(pairs: Vec<Pair>) -> Result<Self, Vec<PairFault>> {
        let mut seen = BTreeSet::new();
        let named = pairs.iter().flat_map(|pair| [pair.active, pair.inactive]);
        let repeated: BTreeSet<_> = named.filter(|sid| !seen.insert(*sid)).collect();
        if repeated.is_empty() {
            return Ok(Self(pairs));
        }
        Err(repeated.into_iter().map(PairFault::Repeated).collect())
    }

    /// Whether there are none: nothing is parked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs, as they were given.
    pub fn iter(&self) -> impl Iterator<Item = Pair> {
        self.0.iter().copied()
    }

    /// The pair that this TaskChannel is the active one of.
    pub fn of_active(&self, task_channel: TaskChannelSid) -> Option<Pair> {
        self.0
            .iter()
            .copied()
            .find(|pair| pair.active == task_channel)
    }

    /// The pair that this TaskChannel is the inactive one of.
    pub fn of_inactive(&self, task_channel: TaskChannelSid) -> Option<Pair> {
        self.0
            .iter()
            .copied()
            .find(|pair| pair.inactive == task_channel)
    }

    /// What is wrong with the pairs in a workspace with these TaskChannels, by their unique
    /// names.
    pub fn faults(
        &self,
        multi_tasking: bool,
        task_channels: &BTreeMap<TaskChannelSid, String>,
    ) -> Vec<PairFault> {
        let named = self.0.iter().flat_map(|pair| [pair.active, pair.inactive]);
        let faulty = |sid| match task_channels.get(&sid) {
            None => Some(PairFault::Unknown(sid)),
            Some(name) if name.contains('-') => Some(PairFault::Hyphen(sid)),
            Some(_) => None,
        };
        let single = (!multi_tasking).then_some(PairFault::SingleTasking);
        single.into_iter().chain(named.filter_map(faulty)).collect()
    }
}
