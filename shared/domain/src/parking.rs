//! The parking of one task, as far as its record tells it.
//!
//! Every part only moves one way, so that two writers who know different things never undo each
//! other: placements are ordered by the task's version, which Twilio counts up at each change.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::activity::MessagePosition;
use crate::{TaskChannelSid, Timestamp, WorkerSid};

/// The longest wait before a failed move back to the active TaskChannel is tried again.
pub const MAX_UNPARK_WAIT: Duration = Duration::from_secs(10 * 60);

/// The wait after the first failed move back; each further wait doubles. A customer is waiting.
pub const MIN_UNPARK_WAIT: Duration = Duration::from_secs(10);

/// The longest time for which a task may be assigned, parked or not. TaskRouter deletes it then
/// (<https://www.twilio.com/docs/taskrouter/limits>).
pub const MAX_ASSIGNED: Duration = Duration::from_secs(24 * 60 * 60);

/// The time before [`MAX_ASSIGNED`] at which the end of a parked task is announced.
pub const EXPIRY_WARNING: Duration = Duration::from_secs(60 * 60);

/// The age of a message, at a request by hand, from which the agent has certainly read it even
/// if its event comes later. It allows for the difference between Twilio's clock and ours.
pub const READ_AFTER: Duration = Duration::from_secs(10);

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskPlacement {
    /// Its TaskChannel.
    pub task_channel: TaskChannelSid,
    /// True if that is the inactive one of a pair. The TaskChannel alone decides: attributes
    /// may be replaced as a whole by anyone.
    pub parked: bool,
}

/// Where one version of a task was. Later versions are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct VersionedPlacement {
    pub(crate) version: u32,
    pub(crate) placement: TaskPlacement,
}

/// A request that a person made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManualRequest {
    /// To park the chat.
    Park,
    /// To take it up again.
    Resume,
}

/// A person's request and what was known when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RequestedAt {
    pub(crate) at: Timestamp,
    pub(crate) request: ManualRequest,
    /// The customer's newest message that was known and older than the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) read_to: Option<MessagePosition>,
}

impl RequestedAt {
    /// Returns true if the person had read this message: it was known and older than the request, or it
    /// was so old that only its event can be late.
    pub(crate) fn has_read(&self, message: MessagePosition) -> bool {
        Some(message) <= self.read_to || message.at.plus(READ_AFTER) <= self.at
    }
}

/// The webhook that tells a Chat channel's messages, as it was found for one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageWebhook {
    /// The channel has no room for another webhook, or Twilio refused it: this task is not
    /// parked. It is looked at again for the channel's next task.
    NoRoom,
    /// The channel has our webhook.
    Installed,
}

/// The acceptances of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acceptance {
    /// The first one: the task has been assigned since then at most.
    first_at: Timestamp,
    /// The last one, after which the agent has the whole waiting time again.
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    worker: Option<WorkerSid>,
}

/// An open task, as far as its agent's capacity is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskParking {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<Acceptance>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    placement: Option<VersionedPlacement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested: Option<RequestedAt>,
    /// The version from which we are parking it: a request to Twilio may be under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    announced: Option<u32>,
    /// When it was last given up or is to be tried again, and how many tries in a row failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<(Timestamp, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_webhook: Option<MessageWebhook>,
    /// When its coming end was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expiry_told_at: Option<Timestamp>,
}

impl TaskParking {
    /// Returns the worker who accepted the task last, if an event told it.
    pub fn worker(&self) -> Option<WorkerSid> {
        self.accepted.and_then(|accepted| accepted.worker)
    }

    /// Returns when the task was accepted last.
    pub fn accepted_at(&self) -> Option<Timestamp> {
        self.accepted.map(|accepted| accepted.at)
    }

    /// Returns where the task is, as far as it is known.
    pub fn placement(&self) -> Option<TaskPlacement> {
        self.placement.map(|known| known.placement)
    }

    /// Returns the version of the task that its placement is known of.
    pub fn version(&self) -> Option<u32> {
        self.placement.map(|known| known.version)
    }

    /// Returns whether the task is parked, as far as it is known.
    pub fn is_parked(&self) -> bool {
        self.placement().is_some_and(|placement| placement.parked)
    }

    /// Returns whether a request that parks the task may be under way.
    pub fn is_being_parked(&self) -> bool {
        self.announced
            .is_some_and(|version| self.may_be_parked_from(version))
    }

    /// Returns whether a request that parks this version, or an earlier one, was announced: such
    /// a request fails only once the task has a later version.
    pub fn is_announced(&self, version: u32) -> bool {
        self.announced >= Some(version)
    }

    /// Returns what was found for this task about the webhook of its Chat channel.
    pub fn message_webhook(&self) -> Option<MessageWebhook> {
        self.message_webhook
    }

    /// Returns when TaskRouter deletes the task at the earliest, if it stays assigned.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.accepted
            .map(|accepted| accepted.first_at.plus(MAX_ASSIGNED))
    }

    /// Returns when the end of the parked task is to be announced, if it was not yet.
    pub(crate) fn expiry_warning_at(&self) -> Option<Timestamp> {
        let due = self.expires_at()?.minus(EXPIRY_WARNING);
        (self.is_parked() && self.expiry_told_at.is_none()).then_some(due)
    }

    pub(crate) fn accept(&mut self, at: Timestamp, worker: Option<WorkerSid>) {
        self.merge_acceptance(Some(Acceptance {
            first_at: at,
            at,
            worker,
        }));
    }

    pub(crate) fn place(&mut self, version: u32, placement: TaskPlacement) {
        self.placement = self
            .placement
            .max(Some(VersionedPlacement { version, placement }));
    }

    pub(crate) fn announce(&mut self, version: u32) {
        self.announced = self.announced.max(Some(version));
    }

    pub(crate) fn request(&mut self, request: RequestedAt) {
        self.requested = self.requested.max(Some(request));
    }

    pub(crate) fn requested(&self, request: ManualRequest) -> Option<RequestedAt> {
        self.requested
            .filter(|requested| requested.request == request)
    }

    pub(crate) fn failed_at(&self) -> Option<Timestamp> {
        self.failed.map(|(at, _)| at)
    }

    /// Returns how many tries in a row to move the task failed.
    pub fn failures(&self) -> u32 {
        self.failed.map_or(0, |(_, failures)| failures)
    }

    pub(crate) fn note_failure(&mut self, at: Timestamp, failures: u32) {
        self.failed = Some((at, failures));
    }

    pub(crate) fn note_success(&mut self) {
        self.failed = None;
    }

    pub(crate) fn note_message_webhook(&mut self, webhook: MessageWebhook) {
        self.message_webhook = Some(webhook);
    }

    pub(crate) fn note_expiry_told(&mut self, at: Timestamp) {
        self.expiry_told_at = self.expiry_told_at.max(Some(at));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.merge_acceptance(other.accepted);
        self.placement = self.placement.max(other.placement);
        self.requested = self.requested.max(other.requested);
        self.announced = self.announced.max(other.announced);
        self.failed = self.failed.max(other.failed);
        self.message_webhook = self.message_webhook.max(other.message_webhook);
        self.expiry_told_at = self.expiry_told_at.max(other.expiry_told_at);
    }

    /// Returns what an event may add that is worth a write. A new version of an active task is
    /// not: at worst a late event makes it look parked, which costs one look. A new version of a
    /// parked task is, or a late event could make it look active, and no message would bring it
    /// back.
    pub(crate) fn outline(&self) -> impl PartialEq + use<> {
        let version = self.version().filter(|_| self.is_parked());
        (self.accepted, self.placement(), version)
    }

    fn may_be_parked_from(&self, version: u32) -> bool {
        self.version().is_none_or(|known| known <= version)
    }

    fn merge_acceptance(&mut self, other: Option<Acceptance>) {
        let Some(other) = other else { return };
        let known = self.accepted.get_or_insert(other);
        known.first_at = known.first_at.min(other.first_at);
        (known.at, known.worker) = (known.at, known.worker).max((other.at, other.worker));
    }
}
