//! Taking in what is told of a channel's messages and of where its tasks are.

use super::Channel;
use super::ECHO_WINDOW;
use crate::Timestamp;
use crate::activity::Activity;
use crate::fact::{Fact, Stage, TaskState};

impl Channel {
    /// Returns who wrote last on the channel, as far as it is remembered.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Takes in facts as [`Channel::absorb`] does, but leaves out what is not worth a write: it takes
    /// the states of tasks, and of the rest everything or nothing. The rest counts if it changes who
    /// wrote last, what the channel waits for or since when, or where a task is.
    ///
    /// A wrap-up on which nothing waits is left out. At worst a message that is told late makes the
    /// task look fit to be parked. The look before the move finds out.
    ///
    /// What is left out makes no difference, in whatever order and however often facts come: see
    /// [`crate::activity`].
    pub fn absorb_useful(&mut self, facts: &[Fact]) {
        let (states, others): (Vec<_>, Vec<_>) =
            facts.iter().partition(|fact| fact.state().is_some());
        let (wrapping, states): (Vec<_>, Vec<_>) = states
            .into_iter()
            .partition(|fact| fact.state() == Some(TaskState::Open(Stage::Wrapping)));
        let before = self.clone();
        states.into_iter().for_each(|fact| self.absorb(fact));
        let mut wrapped = self.clone();
        wrapping.into_iter().for_each(|fact| wrapped.absorb(fact));
        let mut after = wrapped.clone();
        others.into_iter().for_each(|fact| after.absorb(fact));
        if after.differs_usefully(&wrapped) {
            *self = after;
        } else if *self != before || !wrapped.differs_by_stage_alone(self) {
            // What is written anyway holds the wrap-up, too: the order of a batch makes no
            // difference.
            *self = wrapped;
        }
    }

    /// Returns when a record that holds nothing but messages is of no use any more: their tasks'
    /// first events do not come later than this.
    pub fn expires_without_task(&self) -> Option<Timestamp> {
        let bare = Self {
            activity: Activity::default(),
            ..self.clone()
        };
        let newest = self.activity.newest()?;
        (bare == Self::new(self.sid(), self.platform())).then(|| newest.plus(ECHO_WINDOW))
    }

    /// Returns whether nothing changed but how far tasks got, and the channel waits for the same.
    fn differs_by_stage_alone(&self, before: &Self) -> bool {
        let mut unmoved = self.clone();
        for (sid, task) in &mut unmoved.tasks {
            let known = before.tasks.get(sid);
            task.stage = known.map_or(task.stage, |known| known.stage);
        }
        unmoved == *before && self.queue_entry() == before.queue_entry()
    }

    fn differs_usefully(&self, before: &Self) -> bool {
        let (now, then) = (&self.activity, &before.activity);
        let outlines = |channel: &Self| -> Vec<_> {
            let parking = channel.parking.iter();
            parking
                .map(|(task, parking)| (*task, parking.outline()))
                .collect()
        };
        !now.only_follows(then)
            || self.queue_entry() != before.queue_entry()
            || now.agents().ne(then.agents())
            || now.last_message().map(|(party, _)| party)
                != then.last_message().map(|(party, _)| party)
            || outlines(self) != outlines(before)
    }

    /// Joins what two places know of one channel's messages and parking.
    pub(crate) fn merge_activity(&mut self, other: &Self) {
        self.activity.merge(&other.activity);
        for (task, parking) in &other.parking {
            self.parking.entry(*task).or_default().merge(parking);
        }
        self.settle_activity();
    }

    /// Keeps to what is remembered: the parking of open tasks, and no message from before what
    /// is forgotten.
    pub(crate) fn settle_activity(&mut self) {
        let tasks = &self.tasks;
        self.parking
            .retain(|task, _| tasks.get(task).is_none_or(|task| task.ended.is_none()));
        self.activity.settle(self.forgotten_to);
    }
}
