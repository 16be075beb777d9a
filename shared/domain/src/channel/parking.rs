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

use super::{Channel, Queue, QueueEntry};
use crate::activity::rounded_up;
use crate::cleanup::Cleanup;
use crate::fact::{Platform, Stage};
use crate::parking::{
    MAX_UNPARK_WAIT, ManualRequest, MessageWebhook, RequestedAt, TaskParking, TaskPlacement,
};
use crate::{TaskSid, Timestamp};

impl Channel {
    /// Returns what is known of the parking of an open task.
    pub fn parking(&self, task: TaskSid) -> Option<&TaskParking> {
        self.parking.get(&task)
    }

    /// The open tasks that are parked, as far as we know.
    pub fn parked_tasks(&self) -> impl Iterator<Item = TaskSid> {
        let is_parked = |task: &TaskSid| self.parking(*task).is_some_and(TaskParking::is_parked);
        self.open_tasks().map(|(task, _)| task).filter(is_parked)
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
            let parking = self.parking(task)?;
            let waiting = self.waits_for_way_back(parking);
            let waiting = waiting.or_else(|| self.waits_to_listen(parking));
            let waiting = waiting.or_else(|| self.waits_to_park(parking, known.stage));
            Some((task, waiting?))
        })
    }

    /// A parked task, or one that is being parked, whose customer wrote after the agent; or
    /// after it was parked by hand, which an agent may do without an answer.
    fn waits_for_way_back(&self, parking: &TaskParking) -> Option<QueueEntry> {
        if !parking.is_parked() && !parking.is_being_parked() {
            return None;
        }
        let customer = self.activity.last_customer_message()?;
        let agent = self.activity.last_agent_message();
        let manual = parking.requested(ManualRequest::Park);
        let news = manual.is_none_or(|requested| Some(customer) > requested.heard);
        let replied = Some(customer) > agent && news;
        let asked_at = agent.map(|spoken| spoken.at);
        let asked_at = asked_at.max(manual.map(|requested| requested.at));
        replied.then(|| QueueEntry {
            queue: Queue::Unpark,
            since: parking.failed_at().max(asked_at).unwrap_or(customer.at),
        })
    }

    fn waits_to_listen(&self, parking: &TaskParking) -> Option<QueueEntry> {
        let deaf = self.platform() == Platform::Chat && self.message_webhook.is_none();
        let (accepted_at, _) = parking.accepted.filter(|_| deaf)?;
        Some(QueueEntry {
            queue: Queue::InstallWebhook,
            since: accepted_at,
        })
    }

    /// An agent spoke last, and has the task. The patience starts anew whenever the task is
    /// accepted, taken up again by hand, or could not be parked.
    fn waits_to_park(&self, parking: &TaskParking, stage: Stage) -> Option<QueueEntry> {
        if parking.is_parked()
            || stage != Stage::Assigned
            || self.message_webhook == Some(MessageWebhook::NoRoom)
        {
            return None;
        }
        let agent = self.activity.last_agent_message()?;
        if self.activity.last_customer_message() >= Some(agent) {
            return None;
        }
        let accepted_at = parking.accepted.map(|(at, _)| at);
        let resumed_at = parking
            .requested(ManualRequest::Resume)
            .map(|requested| requested.at);
        let others = [accepted_at, resumed_at, parking.failed_at()];
        let since = others.into_iter().flatten().fold(agent.at, Timestamp::max);
        Some(QueueEntry {
            queue: Queue::Park,
            since: rounded_up(since),
        })
    }

    /// Announces that a task is about to be parked.
    pub fn note_parking(&mut self, task: TaskSid, now: Timestamp) {
        self.parking.entry(task).or_default().parking = Some(now);
        self.settle_activity();
    }

    /// Records how a task stands by our own doing or look.
    pub fn note_placement(&mut self, task: TaskSid, at: Timestamp, placement: TaskPlacement) {
        self.parking.entry(task).or_default().found(at, placement);
        self.settle_activity();
    }

    /// Records that we parked a task, as we had announced. If the announcement is not there any
    /// more, somebody looked at the task after us, and knows better.
    pub fn note_parked(
        &mut self,
        task: TaskSid,
        announced: Timestamp,
        at: Timestamp,
        placement: TaskPlacement,
    ) {
        let parking = self.parking(task);
        if parking.is_some_and(|parking| parking.parking == Some(announced)) {
            self.note_placement(task, at, placement);
        }
    }

    /// Records that somebody wants a task parked, or taken up again, by hand.
    pub fn note_manual_request(&mut self, task: TaskSid, request: ManualRequest, now: Timestamp) {
        let heard = self.activity.last_customer_message();
        let parking = self.parking.entry(task).or_default();
        let at = now;
        parking.requested = parking
            .requested
            .max(Some(RequestedAt { at, request, heard }));
        self.settle_activity();
    }

    /// Records that a task could not be parked: its agent keeps it, and the patience starts
    /// anew.
    pub fn note_not_parked(&mut self, task: TaskSid, now: Timestamp) {
        if let Some(parking) = self.parking.get_mut(&task) {
            parking.parking = None;
            parking.failed = Some((now, 0));
        }
    }

    /// Records that a task could not be moved back, and when to try again: later each time.
    pub fn note_not_moved_back(&mut self, task: TaskSid, now: Timestamp) {
        if let Some(parking) = self.parking.get_mut(&task) {
            let failures = parking.failed.map_or(0, |(_, failures)| failures);
            let failures = failures.saturating_add(1);
            let wait = Cleanup::back_off(failures).min(MAX_UNPARK_WAIT);
            parking.failed = Some((now.plus(wait), failures));
        }
    }

    /// Records what we did to hear the channel's messages.
    pub fn note_message_webhook(&mut self, message_webhook: MessageWebhook) {
        self.message_webhook = Some(message_webhook);
    }

    /// Whether the channel's messages reach us: a Conversation's always do.
    pub fn is_heard(&self) -> bool {
        self.platform() == Platform::Conversations
            || self.message_webhook == Some(MessageWebhook::Installed)
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
