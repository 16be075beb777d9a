//! Taking in what is told of a channel's messages and of where its tasks are.

use super::Channel;
use crate::activity::Activity;
use crate::fact::{Heard, Word};
use crate::parking::PlacementAt;

impl Channel {
    /// Returns who wrote last on the channel, as far as it is remembered.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Takes in one word. Like [`Channel::absorb`] it is commutative, associative and
    /// idempotent.
    ///
    /// Words about other channels are not taken in, nor those from before what is forgotten.
    pub fn hear(&mut self, word: &Word) {
        if word.channel != self.sid() || self.is_forgotten(word) {
            return;
        }
        let at = word.at;
        match word.heard {
            Heard::Message { author, index } => self.activity.absorb_message(at, author, index),
            Heard::Accepted {
                task,
                worker,
                identities,
            } => {
                for identity in identities.into_iter().flatten() {
                    self.activity.absorb_agent(at, identity);
                }
                self.parking.entry(task).or_default().accept(at, worker);
            }
            Heard::Placed {
                task,
                version,
                placement,
            } => {
                let placement = PlacementAt {
                    at,
                    version,
                    placement,
                };
                self.parking.entry(task).or_default().place(placement);
            }
        }
        self.settle_activity();
    }

    /// Takes in the words that are worth a write, all of them or none: those that change who
    /// spoke last, what the channel waits for or since when, or where a task stands. While no
    /// task is open, none is.
    ///
    /// What is left out would make no difference, but for the order that the module's header
    /// accepts.
    pub fn absorb_activity(&mut self, words: &[Word]) {
        if words.is_empty() || self.open_tasks().next().is_none() {
            return;
        }
        let mut after = self.clone();
        for word in words {
            after.hear(word);
        }
        if after.differs_usefully(self) {
            *self = after;
        }
    }

    fn differs_usefully(&self, before: &Self) -> bool {
        let (now, then) = (&self.activity, &before.activity);
        let placements = |channel: &Self| -> Vec<_> {
            let parking = channel.parking.iter();
            parking
                .map(|(task, parking)| (*task, parking.outline()))
                .collect::<Vec<_>>()
        };
        !now.only_follows(then)
            || self.queue_entry() != before.queue_entry()
            || now.agents().ne(then.agents())
            || now.last_message().map(|(side, _)| side) != then.last_message().map(|(side, _)| side)
            || placements(self) != placements(before)
    }

    /// Joins what two places heard of one channel.
    pub(crate) fn merge_activity(&mut self, other: &Self) {
        self.activity.merge(&other.activity);
        for (task, parking) in &other.parking {
            self.parking.entry(*task).or_default().merge(parking);
        }
        self.message_webhook = self.message_webhook.max(other.message_webhook);
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

    fn is_forgotten(&self, word: &Word) -> bool {
        let old = self.forgotten_to.is_some_and(|to| word.at <= to);
        match word.heard {
            Heard::Message { .. } => old,
            Heard::Accepted { task, .. } | Heard::Placed { task, .. } => {
                old && !self.tasks.contains_key(&task)
            }
        }
    }
}
