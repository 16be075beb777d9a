//! An interaction.

use crate::state::sid::Sid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Is an interaction, KD….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Interaction {
    /// The interaction's SID.
    pub sid: Sid,
    /// Its one channel.
    pub channel: Sid,
    /// The customer's medium, e.g. `sms`.
    pub medium: String,
}

/// Status of an interaction channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ChannelStatus {
    /// Being set up.
    Setup,
    /// In use.
    Active,
    /// It could not be set up.
    Failed,
    /// Ended for good.
    Closed,
    /// The agents left; a reply makes a new task.
    Inactive,
    /// An agent paused it.
    Pause,
    /// On its way to another agent or queue.
    Transfer,
    /// A status that Twilio's documentation does not name.
    #[serde(skip)]
    Undocumented(&'static str),
}

impl ChannelStatus {
    /// Returns Twilio's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Active => "active",
            Self::Failed => "failed",
            Self::Closed => "closed",
            Self::Inactive => "inactive",
            Self::Pause => "pause",
            Self::Transfer => "transfer",
            Self::Undocumented(word) => word,
        }
    }
}

// By hand: a word that no documentation names is chosen by a test, and is in no other world.
impl<'de> Deserialize<'de> for ChannelStatus {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let documented = [
            Self::Setup,
            Self::Active,
            Self::Failed,
            Self::Closed,
            Self::Inactive,
            Self::Pause,
            Self::Transfer,
        ];
        let mut named = documented.into_iter();
        let found = named.find(|status| format!("{status:?}") == name);
        found.ok_or_else(|| serde::de::Error::custom("no status of an interaction channel"))
    }
}

/// Is an interaction channel, UO….
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InteractionChannel {
    /// The channel's SID.
    pub sid: Sid,
    /// The interaction it belongs to.
    pub interaction: Sid,
    /// The conversation in which it takes place.
    pub conversation: Option<Sid>,
    /// The customer's medium, e.g. `sms`.
    pub medium: String,
    /// Where it stands.
    pub status: ChannelStatus,
    /// The agents who were invited to it, in order.
    pub invites: Vec<Invite>,
    /// The participants.
    pub parties: Vec<Party>,
    /// When it was changed last; it vanishes half a year later.
    pub updated: Timestamp,
    /// The webhook of the program that parked it and invites again at a reply.
    pub parked_by: Option<Sid>,
    /// The worker who paused it, where the pause ended the task.
    pub paused_by: Option<Sid>,
}

/// Is an invitation to an interaction channel, KG….
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The invite's SID.
    pub sid: Sid,
    /// The task it made.
    pub task: Sid,
}

/// The role of a participant in an interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PartyKind {
    /// The customer.
    Customer,
    /// The agent.
    Agent,
}

impl PartyKind {
    /// Returns Twilio's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
        }
    }
}

/// Takes part in an interaction channel, UT….
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The participant's SID.
    pub sid: Sid,
    /// The kind of participant.
    pub kind: PartyKind,
    /// The task of an agent.
    pub task: Option<Sid>,
    /// The agent's worker.
    pub worker: Option<Sid>,
    /// The agent's reservation.
    pub reservation: Option<Sid>,
}

/// Says how a task is to be made.
#[derive(Debug, Clone)]
pub struct Routing {
    /// The workspace.
    pub workspace: Sid,
    /// The workflow that routes it.
    pub workflow: Option<Sid>,
    /// The queue it waits in.
    pub queue: Option<Sid>,
    /// The one worker it is meant for.
    pub worker: Option<Sid>,
    /// The unique name or the SID of its TaskChannel.
    pub task_channel: Option<String>,
    /// Its attributes, to which Flex adds its own.
    pub attributes: Option<String>,
}

/// Says what becomes of an agent's task when its interaction channel ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The agent still wraps up.
    WrapUp,
    /// It is completed at once.
    Complete,
}
