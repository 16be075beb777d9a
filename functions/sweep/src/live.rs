//! The look at TaskRouter's open tasks, once per sweep and before anything is written.
//!
//! Two questions are asked of it:
//!
//! * **Is a task that we hold for open still open?** Its `completed` may be lost. The list
//!   of all open tasks answers that by SID; a task that is not on it is asked for by name
//!   before we believe that it is over, because it may be younger than the list.
//! * **Is a task open that we never heard of?** Its `created` may be lost, and then the
//!   record would have us close a chat under an agent. The list cannot answer that: Twilio
//!   leaves the attributes, where the channel's SID is, out of lists. Fetching each task that
//!   the channels in hand do not know would cost a request for every chat in the contact
//!   centre. So where attributes are missing, TaskRouter itself is asked which open tasks
//!   name one of the due channels, forty channels a request, and only what it finds is
//!   fetched.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Channel, ChannelSid, End, Fact, News, Queue, TaskSid, Timestamp, WorkspaceSid};
use store::Due;
use twilio::events::{About, Link, TaskSeen};
use twilio::rest::{Client, TwilioError};

/// What TaskRouter held open when we looked.
#[derive(Debug)]
pub(crate) struct Live {
    workspace: WorkspaceSid,
    looked_at: Timestamp,
    open: BTreeSet<TaskSid>,
    /// Whether there are open tasks of which the list did not tell the channel.
    some_untold: bool,
    /// Facts about open tasks, by the channel that they name.
    facts: BTreeMap<ChannelSid, Vec<Fact>>,
    /// The channels for which any open task would have been found.
    looked_for: BTreeSet<ChannelSid>,
}

impl Live {
    /// Looks on behalf of the channels that are due.
    pub(crate) async fn look(
        twilio: &Client,
        workspace: WorkspaceSid,
        due: &[Due],
        now: Timestamp,
    ) -> Result<Self, TwilioError> {
        let mut live = Self::list(twilio, workspace, now).await?;
        // A channel that is only to be inspected has an open task that we know of, and is not
        // closed in the same breath.
        let to_close = due.iter().filter(|due| due.queue != Queue::Inspect);
        live.look_for(twilio, to_close.map(|due| due.channel).collect())
            .await?;
        Ok(live)
    }

    /// Lists the open tasks. Whole or not at all: what is left out here may be closed.
    pub(crate) async fn list(
        twilio: &Client,
        workspace: WorkspaceSid,
        now: Timestamp,
    ) -> Result<Self, TwilioError> {
        let listed = twilio.open_tasks(workspace).await?;
        let mut live = Self {
            workspace,
            looked_at: now,
            open: listed.iter().map(|task| task.sid).collect(),
            some_untold: listed.iter().any(|task| task.about == About::NotTold),
            facts: BTreeMap::new(),
            looked_for: BTreeSet::new(),
        };
        for task in &listed {
            live.learn(task);
        }
        Ok(live)
    }

    /// Finds whatever open tasks name one of these channels, as the list did not tell.
    pub(crate) async fn look_for(
        &mut self,
        twilio: &Client,
        channels: BTreeSet<ChannelSid>,
    ) -> Result<(), TwilioError> {
        if self.some_untold && !channels.is_empty() {
            let asked: Vec<ChannelSid> = channels.iter().copied().collect();
            for found in twilio.open_tasks_on(self.workspace, &asked).await? {
                // Nothing: it ended in between.
                if let Some(task) = twilio.task(self.workspace, found.sid).await? {
                    self.open.insert(task.sid);
                    self.learn(&task);
                }
            }
        }
        self.looked_for.extend(channels);
        Ok(())
    }

    /// Lets go of what was found for the channels of an earlier question.
    pub(crate) fn forget_channels(&mut self) {
        self.facts.clear();
        self.looked_for.clear();
    }

    /// How many tasks are open, all channels together.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether any open task of this channel would have been found.
    pub(crate) fn looked_for(&self, channel: ChannelSid) -> bool {
        self.looked_for.contains(&channel)
    }

    /// Tells a channel's record what was seen. A task that the record holds open and the list
    /// does not is looked up: it may be over, or younger than the list.
    pub(crate) async fn tell(
        &self,
        twilio: &Client,
        channel: &mut Channel,
        now: Timestamp,
    ) -> Result<(), TwilioError> {
        for fact in self.facts.get(&channel.sid()).into_iter().flatten() {
            channel.absorb(fact);
        }
        let held: Vec<Link> = channel
            .open_tasks()
            .map(|(_, task)| Link {
                channel: channel.sid(),
                platform: channel.platform(),
                interaction: task.interaction,
                other_channel: None,
            })
            .collect();
        let tasks: Vec<TaskSid> = channel.open_tasks().map(|(sid, _)| sid).collect();
        let inspected = channel.queue_entry().is_some();
        for (task, link) in tasks.into_iter().zip(held) {
            let seen_open = self.open.contains(&task);
            if seen_open && inspected {
                channel.absorb(&fact(task, link, self.looked_at, News::SeenOpen));
            } else if !seen_open {
                match twilio.task(self.workspace, task).await? {
                    Some(seen) => {
                        for fact in seen.facts_about(link, now) {
                            channel.absorb(&fact);
                        }
                    }
                    // It is forgotten minutes after its end, and nobody says when that was:
                    // the patience counts from now.
                    None => channel.absorb(&fact(task, link, now, News::Ended(End::Vanished))),
                }
            }
        }
        Ok(())
    }

    fn learn(&mut self, task: &TaskSeen) {
        for fact in task.facts(self.looked_at) {
            self.facts.entry(fact.channel).or_default().push(fact);
        }
    }
}

fn fact(task: TaskSid, link: Link, at: Timestamp, news: News) -> Fact {
    Fact {
        channel: link.channel,
        platform: link.platform,
        at,
        task,
        opened_at: None,
        interaction: link.interaction,
        news,
    }
}
