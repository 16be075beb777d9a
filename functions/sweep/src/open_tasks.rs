//! The look at TaskRouter's open tasks, before anything is written.
//!
//! Two questions are asked of it:
//!
//! * **Is a task that we hold for open still open?** Its `completed` may be lost. The list of
//!   all open tasks, read once per run, answers that by SID; a task that is not on it is asked
//!   for by name before we believe that it is over, because it may be younger than the list.
//! * **Is a task open that we never heard of?** Its `created` may be lost, and then the record
//!   would have us close a chat under an agent. The list cannot answer that: Twilio leaves the
//!   attributes, where the channel's SID is, out of lists. So TaskRouter is asked which open
//!   tasks name one of the channels in hand, portion by portion, just before they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{
    Channel, ChannelSid, End, Fact, Pairs, Policy, Stage, TaskSid, TaskState, Timestamp,
    WorkspaceSid,
};
use twilio::events::{Link, TaskSeen, TaskStatus};
use twilio::rest::{Client, RefusedOperators, TwilioError};

/// The most stuck wrap-ups that one run names in its log.
const MAX_NAMED: usize = 10;

/// The open tasks of a workspace, as TaskRouter listed them.
#[derive(Debug)]
pub struct OpenTasks {
    workspace: WorkspaceSid,
    pairs: Pairs,
    refused: Arc<RefusedOperators>,
    looked_at: Timestamp,
    open: BTreeSet<TaskSid>,
    /// The facts that the list itself told of channels.
    facts: BTreeMap<ChannelSid, Vec<Fact>>,
    wrapping: Vec<WrappingTask>,
    assigned: BTreeSet<TaskSid>,
}

/// A task in wrap-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrappingTask {
    /// The task.
    pub task: TaskSid,
    /// The time since which nothing has changed about it.
    pub since: Timestamp,
}

/// The open tasks that name one of a portion's channels.
#[derive(Debug)]
pub struct PortionLook {
    /// When TaskRouter was asked.
    pub(crate) looked_at: Timestamp,
    channels: BTreeSet<ChannelSid>,
    open: BTreeSet<TaskSid>,
    facts: BTreeMap<ChannelSid, Vec<Fact>>,
}

impl OpenTasks {
    /// Lists the open tasks, a thousand a request. Whole or not at all: what is left out here
    /// may be closed. [`Self::look_for`] asks without the operators that TaskRouter refused.
    ///
    /// # Errors
    ///
    /// Fails if the list cannot be read as a whole.
    pub async fn list(
        twilio: &Client,
        workspace: WorkspaceSid,
        pairs: &Pairs,
        refused: &Arc<RefusedOperators>,
        now: Timestamp,
    ) -> Result<Self, TwilioError> {
        let listed = twilio.open_tasks(workspace).await?;
        let wrapping = listed
            .iter()
            .filter(|task| task.status == TaskStatus::Open(Stage::Wrapping))
            .filter_map(|task| {
                Some(WrappingTask {
                    task: task.sid,
                    since: task.updated_at?,
                })
            })
            .collect();
        let assigned = listed
            .iter()
            .filter(|task| task.status == TaskStatus::Open(Stage::Assigned))
            .map(|task| task.sid)
            .collect();
        let mut facts = BTreeMap::new();
        for task in &listed {
            learn(&mut facts, task, pairs, now);
        }
        Ok(Self {
            workspace,
            pairs: pairs.clone(),
            refused: Arc::clone(refused),
            looked_at: now,
            open: listed.iter().map(|task| task.sid).collect(),
            facts,
            wrapping,
            assigned,
        })
    }

    /// Finds the open tasks that name one of these channels. TaskRouter answers three such
    /// questions a second; one names 40 channels at most, and each task that is found costs a
    /// request more.
    ///
    /// # Errors
    ///
    /// Fails if TaskRouter does not answer, or refuses the question.
    pub async fn look_for(
        &self,
        twilio: &Client,
        channels: BTreeSet<ChannelSid>,
        now: Timestamp,
    ) -> Result<PortionLook, TwilioError> {
        let mut look = PortionLook {
            looked_at: now,
            channels,
            open: BTreeSet::new(),
            facts: BTreeMap::new(),
        };
        if look.channels.is_empty() {
            return Ok(look);
        }
        let asked: Vec<ChannelSid> = look.channels.iter().copied().collect();
        let found = twilio.open_tasks_on(self.workspace, &asked, &self.refused);
        for found in found.await? {
            // Nothing: it ended in between.
            if let Some(task) = twilio.task(self.workspace, found.sid).await? {
                look.open.insert(task.sid);
                learn(&mut look.facts, &task, &self.pairs, now);
            }
        }
        Ok(look)
    }

    /// Returns the workspace whose tasks they are.
    pub(crate) fn workspace(&self) -> WorkspaceSid {
        self.workspace
    }

    /// Returns how many tasks are open, all channels together.
    pub fn count(&self) -> usize {
        self.open.len()
    }

    /// Returns the tasks that an agent has.
    pub fn assigned(&self) -> impl Iterator<Item = TaskSid> {
        self.assigned.iter().copied()
    }

    /// Returns the tasks that have been in wrap-up for longer than the limit.
    pub fn stuck_wrap_ups(&self, policy: &Policy, now: Timestamp) -> Vec<WrappingTask> {
        let wrapping = self.wrapping.iter().copied();
        wrapping
            .filter(|one| now.since(one.since) > policy.wrap_up_limit)
            .collect()
    }

    /// Logs the first tasks that have been in wrap-up for longer than the limit, and returns how
    /// many there are.
    pub(crate) fn report_stuck_wrap_ups(&self, policy: &Policy, now: Timestamp) -> usize {
        let stuck = self.stuck_wrap_ups(policy, now);
        for WrappingTask { task, .. } in stuck.iter().take(MAX_NAMED) {
            tracing::warn!(%task, "in wrap-up for longer than WRAP_UP_LIMIT: janitor complete ends it");
        }
        stuck.len()
    }

    /// Lets a channel's record absorb what was seen. A task that the record holds open and the
    /// list does not is looked up, a request each: it may be over, or younger than the list.
    ///
    /// # Errors
    ///
    /// Fails if TaskRouter does not show such a task.
    pub async fn refresh(
        &self,
        twilio: &Client,
        look: Option<&PortionLook>,
        channel: &mut Channel,
        now: Timestamp,
    ) -> Result<(), TwilioError> {
        let sid = channel.sid();
        let of_portion = look.and_then(|look| look.facts.get(&sid));
        let facts = self.facts.get(&sid).into_iter().chain(of_portion).flatten();
        for fact in facts {
            channel.absorb(fact);
        }
        let held: Vec<(TaskSid, Link)> = channel
            .open_tasks()
            .map(|(task, known)| {
                let link = Link {
                    channel: sid,
                    platform: channel.platform(),
                    interaction: known.interaction,
                    other_channel: None,
                };
                (task, link)
            })
            .collect();
        let is_waited_for = channel.queue_entry().is_some();
        for (task, link) in held {
            let in_portion = look.is_some_and(|look| look.open.contains(&task));
            let seen_open = self.open.contains(&task) || in_portion;
            if seen_open && is_waited_for {
                channel.absorb(&link.fact(task, TaskState::SeenOpen, self.looked_at));
            } else if !seen_open {
                match twilio.task(self.workspace, task).await? {
                    Some(seen) => {
                        for fact in seen.facts_about(link, &self.pairs, now) {
                            channel.absorb(&fact);
                        }
                    }
                    // TaskRouter forgets a task minutes after its end, and its end was not
                    // told: the patience counts from now.
                    None => {
                        let vanished = TaskState::Ended(End::Vanished);
                        channel.absorb(&link.fact(task, vanished, now));
                    }
                }
            }
        }
        Ok(())
    }
}

impl PortionLook {
    /// Returns whether any open task of this channel would have been found.
    pub(crate) fn covers(&self, channel: ChannelSid) -> bool {
        self.channels.contains(&channel)
    }
}

fn learn(
    facts: &mut BTreeMap<ChannelSid, Vec<Fact>>,
    task: &TaskSeen,
    pairs: &Pairs,
    looked_at: Timestamp,
) {
    for fact in task.facts(pairs, looked_at) {
        facts.entry(fact.channel).or_default().push(fact);
    }
}
