//! A task: which channel it works on, and how it stands.

use std::time::Duration;

use domain::{
    ChannelSid, End, Fact, FactKind, Interaction, InteractionChannelSid, InteractionSid, Pairs,
    Platform, Stage, TaskChannelSid, TaskFact, TaskSid, TaskState, Timestamp,
};
use serde_json::value::RawValue;

use crate::json;
use crate::when::moment;

/// A task that claims to be older than this was not created then. It may wait for 14 days
/// and be assigned for one (Twilio, TaskRouter limits); only its writing up has no limit.
const MAX_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The channel that a task works on, by its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The channel.
    pub channel: ChannelSid,
    /// Which messaging product it belongs to.
    pub platform: Platform,
    /// The interaction that the task belongs to, for Conversations.
    pub interaction: Option<Interaction>,
    /// Another channel that the attributes name as well, and that was not taken.
    pub other_channel: Option<ChannelSid>,
}

impl Link {
    /// Returns true if the attributes name two different channels.
    pub fn is_torn(&self) -> bool {
        self.other_channel.is_some()
    }

    /// Returns the fact that a task of this channel was in a state. Its creation is not told.
    pub fn fact(&self, task: TaskSid, state: TaskState, at: Timestamp) -> Fact {
        self.fact_since(task, state, at, None)
    }

    fn fact_since(
        &self,
        task: TaskSid,
        state: TaskState,
        at: Timestamp,
        opened_at: Option<Timestamp>,
    ) -> Fact {
        Fact {
            channel: self.channel,
            platform: self.platform,
            at,
            kind: FactKind::Task(TaskFact {
                task,
                state,
                opened_at,
                interaction: self.interaction,
            }),
        }
    }
}

/// Why a task works on no channel that we could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLink {
    /// Its attributes name none, or a placeholder.
    NoChannel,
    /// Its attributes are not a JSON object.
    Unreadable,
}

/// The status of a task: open, and how far it got, or ended, and in which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// It is open.
    Open(Stage),
    /// It has ended.
    Ended(End),
}

/// The channel that a task's attributes name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Nothing: the attributes were left out, as TaskRouter's lists may do.
    NotTold,
    /// It works on no channel that we could tell.
    NoChannel(NoLink),
    /// It works on this one.
    Channel(Link),
}

/// A task as TaskRouter's REST resource shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSeen {
    /// The task.
    pub sid: TaskSid,
    /// Its status.
    pub status: TaskStatus,
    /// Its channel.
    pub about: About,
    /// Its TaskChannel.
    pub task_channel: Option<TaskChannelSid>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it changed last.
    pub updated_at: Option<Timestamp>,
}

/// Something that should have been a task and is not an object with a task's SID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a task")]
pub struct UnreadableTask;

/// Reads a task as TaskRouter's REST resource shows it.
///
/// # Errors
///
/// Fails if the text is not an object with a task's SID.
pub fn read_task(json: &str) -> Result<TaskSeen, UnreadableTask> {
    let names = [
        "sid",
        "assignment_status",
        "attributes",
        "task_channel_sid",
        "date_created",
        "date_updated",
    ];
    let [sid, status, attributes, task_channel, created, updated] =
        json::members(json, names).map_err(|_| UnreadableTask)?;
    let updated_at = updated.and_then(moment);
    Ok(TaskSeen {
        sid: json::parsed(sid).ok_or(UnreadableTask)?,
        status: status_of(status.and_then(json::text).as_deref()),
        about: match attributes.map(|attributes| link(Some(attributes))) {
            None => About::NotTold,
            Some(Ok(link)) => About::Channel(link),
            Some(Err(reason)) => About::NoChannel(reason),
        },
        task_channel: json::parsed(task_channel),
        created_at: match updated_at {
            Some(updated_at) => opened_at(created, updated_at),
            None => created.and_then(moment),
        },
        updated_at,
    })
}

impl TaskSeen {
    /// Returns the facts that this look tells about the channel that its attributes name; none if
    /// they name none. `looked_at` is when TaskRouter was asked.
    pub fn facts(&self, pairs: &Pairs, looked_at: Timestamp) -> Vec<Fact> {
        match self.about {
            About::Channel(link) => self.facts_about(link, pairs, looked_at),
            About::NotTold | About::NoChannel(_) => Vec::new(),
        }
    }

    /// Returns the facts that this look tells about a channel that is known to be the task's, whether
    /// its attributes still name it or not.
    pub fn facts_about(&self, link: Link, pairs: &Pairs, looked_at: Timestamp) -> Vec<Fact> {
        let fact = |at, state| link.fact_since(self.sid, state, at, self.created_at);
        // What the task's own clock says, as far as it does not run ahead of our look.
        let changed_at = self.updated_at.map_or(looked_at, |at| at.min(looked_at));
        match self.status {
            TaskStatus::Open(stage) => {
                let open = [
                    fact(changed_at, TaskState::Open(stage)),
                    fact(looked_at, TaskState::SeenOpen),
                ];
                open.into_iter()
                    .chain(self.parked(link, pairs, looked_at))
                    .collect()
            }
            TaskStatus::Ended(how) => vec![fact(changed_at, TaskState::Ended(how))],
        }
    }

    /// Returns the fact that the task is parked, if it is: the events of a parked task may be lost,
    /// and a transfer makes another one. A task's body tells no version. With 0, any event and any
    /// move of ours counts for more.
    fn parked(&self, link: Link, pairs: &Pairs, looked_at: Timestamp) -> Option<Fact> {
        let placement = pairs.placement(self.task_channel?);
        placement.parked.then_some(Fact {
            channel: link.channel,
            platform: link.platform,
            at: looked_at,
            kind: FactKind::Placed {
                task: self.sid,
                version: 0,
                placement,
            },
        })
    }
}

/// Reads a task's status from its `assignment_status`. One that is not known counts as open: at
/// worst that delays a closing.
pub(super) fn status_of(status: Option<&str>) -> TaskStatus {
    match status {
        Some("assigned") => TaskStatus::Open(Stage::Assigned),
        Some("wrapping") => TaskStatus::Open(Stage::Wrapping),
        Some("completed") => TaskStatus::Ended(End::Completed),
        Some("canceled") => TaskStatus::Ended(End::Canceled),
        // `pending`, `reserved`, and whatever Twilio may think of.
        _ => TaskStatus::Open(Stage::Waiting),
    }
}

/// Returns when the task was created, unless that is after the event or absurdly long before.
pub(super) fn opened_at(created: Option<&RawValue>, at: Timestamp) -> Option<Timestamp> {
    moment(created?).filter(|created| *created <= at && at.since(*created) <= MAX_LIFE)
}

/// Finds the channel in a task's attributes, a JSON text that the customer's own set-up
/// writes. SIDs are told by their prefix: some set-ups put an interaction channel's where
/// the conversation's should be, and 32 zeros where the task must not control its channel.
pub(crate) fn link(attributes: Option<&RawValue>) -> Result<Link, NoLink> {
    let attributes = attributes.ok_or(NoLink::NoChannel)?;
    let text = json::object_text(attributes).ok_or(NoLink::Unreadable)?;
    let names = [
        "channelSid",
        "conversationSid",
        "flexInteractionSid",
        "flexInteractionChannelSid",
    ];
    let [chat, conversation, interaction, interaction_channel] =
        json::members(&text, names).map_err(|_| NoLink::Unreadable)?;
    let chat: Option<ChannelSid> = json::parsed(chat);
    let conversation: Option<ChannelSid> = json::parsed(conversation);
    let sid: Option<InteractionSid> = json::parsed(interaction);
    let interaction_channel: Option<InteractionChannelSid> = json::parsed(interaction_channel);

    let interaction = sid.zip(interaction_channel);
    Ok(Link {
        channel: conversation.or(chat).ok_or(NoLink::NoChannel)?,
        platform: match conversation {
            Some(_) => Platform::Conversations,
            None => Platform::Chat,
        },
        interaction: interaction.map(|(sid, channel)| Interaction { sid, channel }),
        other_channel: conversation
            .and(chat)
            .filter(|chat| Some(*chat) != conversation),
    })
}
