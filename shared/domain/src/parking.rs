//! The parking of one task, as far as its record tells it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::activity::MessagePosition;
use crate::{TaskChannelSid, Timestamp, WorkerSid};

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
    pub(crate) placement: TaskPlacement,
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

/// A request and what was known when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RequestedAt {
    pub(crate) at: Timestamp,
    pub(crate) request: ManualRequest,
    /// The customer's last word until then. What is not known yet counts as a reply, so that
    /// no clock has to be compared with another one.
    pub(crate) heard: Option<MessagePosition>,
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
    pub(crate) accepted: Option<(Timestamp, Option<WorkerSid>)>,
    /// How it stood when last heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) placement: Option<PlacementAt>,
    /// What somebody last asked for by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) requested: Option<RequestedAt>,
    /// Since when we are parking it: the request may be under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parking: Option<Timestamp>,
    /// Tries in a row that failed, and when it was given up or is to be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<(Timestamp, u32)>,
}

impl TaskParking {
    /// The worker who accepted it last, if anybody said.
    pub fn worker(&self) -> Option<WorkerSid> {
        self.accepted.and_then(|(_, worker)| worker)
    }

    /// How it stands.
    pub fn placement(&self) -> Option<TaskPlacement> {
        self.placement.map(|known| known.placement)
    }

    /// Whether it is parked, as far as we know.
    pub fn is_parked(&self) -> bool {
        self.placement().is_some_and(|placement| placement.inactive)
    }

    /// Whether we are parking it: a request to Twilio may be under way.
    pub fn is_being_parked(&self) -> bool {
        self.parking.is_some()
    }

    pub(crate) fn accept(&mut self, at: Timestamp, worker: Option<WorkerSid>) {
        self.accepted = self.accepted.max(Some((at, worker)));
    }

    pub(crate) fn place(&mut self, placement: PlacementAt) {
        self.placement = self.placement.max(Some(placement));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.accepted = self.accepted.max(other.accepted);
        self.placement = self.placement.max(other.placement);
        self.requested = self.requested.max(other.requested);
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
        (self.accepted, self.placement())
    }

    pub(crate) fn requested(&self, request: ManualRequest) -> Option<RequestedAt> {
        self.requested
            .filter(|requested| requested.request == request)
    }

    pub(crate) fn failed_at(&self) -> Option<Timestamp> {
        self.failed.map(|(at, _)| at)
    }

    /// Says how it stands now, by our own doing or look: nothing that was heard before counts
    /// any more.
    pub(crate) fn found(&mut self, at: Timestamp, placement: TaskPlacement) {
        let (mut at, mut version) = (at, 0);
        if let Some(known) = self.placement {
            at = at.max(known.at);
            version = known.version;
            if at == known.at && placement < known.placement {
                version = version.saturating_add(1);
            }
        }
        self.place(PlacementAt {
            at,
            version,
            placement,
        });
        self.parking = None;
        self.failed = None;
    }
}
