//! The moves of a channel's open tasks between the active and the inactive TaskChannel.
//!
//! # One queue for each channel
//!
//! A channel waits for one thing at a time. Closing comes first by nature: a channel that is
//! to be closed has no open task, and so nothing to move. While a task is open, in this order:
//!
//! 1. **Unpark**: a customer is waiting, or the time of a parked task is nearly over.
//! 2. **Install the webhook**: without it a Chat channel's messages are not told, so it is not
//!    known who wrote last. It is looked at again for each new task.
//! 3. **Park**: the task itself is looked up before it is moved, which tells us as much about
//!    it as an inspection would. So an inspection that has to wait for it loses nothing.
//! 4. **Inspect**, which is the sweep's.
//!
//! # Why a move is announced
//!
//! A task is moved at Twilio and the record is written afterwards. If the run ends in between,
//! and the task's own event is lost, a parked chat would look like an active one, and no message
//! of its customer would bring it back. So each round of a move to the inactive TaskChannel
//! **looks** at the task, **announces** in the record the version that it saw, and only then
//! **writes** that version. A customer's message before the announcement makes the announcement
//! fail; one after it asks for the way back. The way back writes the task, even if it finds it
//! active, as long as it still has a version that was announced: the announced write then names
//! an old version and fails. An announcement is over once the task has a later version.
//!
//! # What is accepted
//!
//! * An agent who accepts a task, by a transfer too, or takes a chat up again by hand, has the
//!   whole waiting time again.
//! * A person who parks a chat has read what the customer wrote before.

use super::Channel;
use crate::activity::rounded_up;
use crate::fact::{Platform, Stage};
use crate::parking::{
    MAX_UNPARK_WAIT, MIN_UNPARK_WAIT, ManualRequest, MessageWebhook, RequestedAt, TaskParking,
    TaskPlacement,
};
use crate::queue::{Queue, QueueEntry};
use crate::{TaskSid, Timestamp};

/// The need of one open task. Greater ones are more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    Park,
    InstallWebhook,
    Unpark,
}

impl Need {
    pub(crate) fn queue(self) -> Queue {
        match self {
            Self::Unpark => Queue::Unpark,
            Self::InstallWebhook => Queue::InstallWebhook,
            Self::Park => Queue::Park,
        }
    }
}

impl Channel {
    /// Returns what is known of the parking of an open task.
    pub fn parking(&self, task: TaskSid) -> Option<&TaskParking> {
        self.parking.get(&task)
    }

    /// Returns the open tasks that are parked, as far as it is known.
    pub fn parked_tasks(&self) -> impl Iterator<Item = TaskSid> {
        let is_parked = |task: &TaskSid| self.parking(*task).is_some_and(TaskParking::is_parked);
        self.open_tasks().map(|(task, _)| task).filter(is_parked)
    }

    /// Returns whether a customer waits on a chat that is parked or being parked.
    pub fn has_waiting_customer(&self) -> bool {
        self.needs().any(|(_, need, _)| need == Need::Unpark)
    }

    /// Returns what the channel waits for while a task is open on it, apart from an inspection
    /// and the end of a parked task.
    pub(crate) fn waits_to_move(&self) -> Option<QueueEntry> {
        self.most_urgent_move().map(|(_, need, since)| QueueEntry {
            queue: need.queue(),
            since,
        })
    }

    /// Returns when the coming end of a parked task is to be announced.
    pub(crate) fn waits_for_expiry(&self) -> Option<QueueEntry> {
        self.first_expiry().map(|(_, since)| QueueEntry {
            queue: Queue::Unpark,
            since,
        })
    }

    /// Returns the most urgent need: by what it is, then by how long it waits.
    pub(crate) fn most_urgent_move(&self) -> Option<(TaskSid, Need, Timestamp)> {
        self.needs()
            .max_by_key(|(_, need, since)| (*need, std::cmp::Reverse(*since)))
    }

    /// Returns the parked task whose coming end is to be announced first, and when.
    pub(crate) fn first_expiry(&self) -> Option<(TaskSid, Timestamp)> {
        let parking = |task| Some((task, self.parking(task)?.expiry_warning_at()?));
        let expiries = self.open_tasks().filter_map(|(task, _)| parking(task));
        expiries.min_by_key(|(_, since)| *since)
    }

    fn needs(&self) -> impl Iterator<Item = (TaskSid, Need, Timestamp)> {
        self.open_tasks().filter_map(|(task, known)| {
            let parking = self.parking(task)?;
            let back = self.waits_for_way_back(parking);
            let back = back.map(|since| (Need::Unpark, since));
            let webhook = || Some((Need::InstallWebhook, self.waits_for_webhook(parking)?));
            let park = || Some((Need::Park, self.waits_to_park(parking, known.stage)?));
            let (need, since) = back.or_else(webhook).or_else(park)?;
            Some((task, need, since))
        })
    }

    /// A parked task, or one that is being parked, whose customer wrote after the agent; or
    /// after it was parked by hand, which an agent may do without an answer.
    fn waits_for_way_back(&self, parking: &TaskParking) -> Option<Timestamp> {
        if !parking.is_parked() && !parking.is_being_parked() {
            return None;
        }
        let customer = self.activity.last_customer_message()?;
        let agent = self.activity.last_agent_message();
        let manual = parking.requested(ManualRequest::Park);
        let unread = manual.is_none_or(|requested| !requested.has_read(customer));
        let asked_at = agent.map(|message| message.at);
        let asked_at = asked_at.max(manual.map(|requested| requested.at));
        let since = parking.failed_at().max(asked_at).unwrap_or(customer.at);
        (Some(customer) > agent && unread).then_some(since)
    }

    fn waits_for_webhook(&self, parking: &TaskParking) -> Option<Timestamp> {
        let wanted = self.platform() == Platform::Chat && parking.message_webhook().is_none();
        parking.accepted_at().filter(|_| wanted)
    }

    /// An agent wrote last, and has the task. The waiting time starts anew whenever the task is
    /// accepted, taken up again by hand, or could not be parked.
    fn waits_to_park(&self, parking: &TaskParking, stage: Stage) -> Option<Timestamp> {
        if parking.is_parked()
            || stage != Stage::Assigned
            || parking.message_webhook() == Some(MessageWebhook::NoRoom)
        {
            return None;
        }
        let agent = self.activity.last_agent_message()?;
        if self.activity.last_customer_message() >= Some(agent) {
            return None;
        }
        let resumed_at = parking
            .requested(ManualRequest::Resume)
            .map(|requested| requested.at);
        let others = [parking.accepted_at(), resumed_at, parking.failed_at()];
        let since = others.into_iter().flatten().fold(agent.at, Timestamp::max);
        Some(rounded_up(since))
    }

    /// Announces that a version of a task is about to be parked.
    pub fn announce_parking(&mut self, task: TaskSid, version: u32) {
        self.change_parking(task, |parking| parking.announce(version));
    }

    /// Records where a version of a task is, by a move or a look of ours.
    pub fn note_placement(&mut self, task: TaskSid, version: u32, placement: TaskPlacement) {
        self.change_parking(task, |parking| {
            parking.place(version, placement);
            parking.note_success();
        });
    }

    /// Records that a person asked, at this time, to have a task parked or taken up again.
    pub fn note_manual_request(&mut self, task: TaskSid, request: ManualRequest, at: Timestamp) {
        let known = self.activity.last_customer_message();
        let read_to = known.filter(|message| message.at < at);
        self.change_parking(task, |parking| {
            parking.request(RequestedAt {
                at,
                request,
                read_to,
            });
        });
    }

    /// Records that a task could not be parked: its agent keeps it, and the waiting time starts
    /// anew.
    pub fn note_not_parked(&mut self, task: TaskSid, now: Timestamp) {
        self.change_parking(task, |parking| parking.note_failure(now, 0));
    }

    /// Records that a task could not be moved back, and when to try again: later each time.
    pub fn note_not_moved_back(&mut self, task: TaskSid, now: Timestamp) {
        self.change_parking(task, |parking| {
            let failures = parking.failures();
            let wait = MIN_UNPARK_WAIT.saturating_mul(1 << failures.min(16));
            parking.note_failure(
                now.plus(wait.min(MAX_UNPARK_WAIT)),
                failures.saturating_add(1),
            );
        });
    }

    /// Records what was found about the webhook of a Chat channel, for one of its tasks.
    pub fn note_message_webhook(&mut self, task: TaskSid, webhook: MessageWebhook) {
        self.change_parking(task, |parking| parking.note_message_webhook(webhook));
    }

    /// Records that the coming end of a parked task was announced.
    pub fn note_expiry_told(&mut self, task: TaskSid, at: Timestamp) {
        self.change_parking(task, |parking| parking.note_expiry_told(at));
    }

    /// Returns whether the customer's messages are told to us: a Conversation's always are.
    pub fn hears_messages(&self, task: TaskSid) -> bool {
        let webhook = self.parking(task).and_then(TaskParking::message_webhook);
        self.platform() == Platform::Conversations || webhook == Some(MessageWebhook::Installed)
    }

    fn change_parking(&mut self, task: TaskSid, change: impl FnOnce(&mut TaskParking)) {
        change(self.parking.entry(task).or_default());
        self.settle_activity();
    }
}
