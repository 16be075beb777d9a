//! Rescues: tasks that a sweep makes for customers whom no agent heard.

use std::collections::BTreeSet;

use domain::{Channel, RescueState, Timestamp};

use crate::report::{Law, Violation};

use super::{LawCheck, Oracle, Race};

/// A channel as it is just before a sweep makes a task on it.
pub(crate) struct Waiting {
    /// The tasks that are open on it.
    pub(crate) open: Vec<String>,
    /// The place of its newest message, from 0.
    pub(crate) newest: Option<usize>,
}

/// The tasks that sweeps made, as far as later ones depend on them.
#[derive(Default)]
pub(super) struct RescueHistory {
    /// The newest message of each channel on which a task was made.
    messages: BTreeSet<(String, Option<usize>)>,
    /// The announcements that a task was made by.
    announcements: BTreeSet<(String, Timestamp)>,
}

impl Oracle {
    /// S12: a sweep has made a task on a channel. A task of others that came after the sweep's
    /// last look is a race.
    pub(crate) fn gives_agent(
        &mut self,
        sweep: u32,
        now: Timestamp,
        channel: &str,
        waiting: &Waiting,
    ) -> Result<Vec<Race>, Violation> {
        let broken = |why: &str| {
            let what = format!("a task is made on {channel}: {why}");
            Err(Violation::of(Law::OneAgent, what))
        };
        let races = match self.live(sweep, now, channel, &waiting.open) {
            Ok(races) => races,
            Err(violation) => return broken(&violation.what),
        };
        let record = self.record_of(channel);
        let announced = record
            .and_then(Channel::rescue)
            .filter(|rescue| rescue.state == RescueState::Announced);
        let Some(announced) = announced else {
            return broken("its record does not announce it");
        };
        if waiting.newest < usize::try_from(announced.index).ok() {
            return broken("it is announced for a message that is not there");
        }
        let channel_of = channel.to_owned();
        let rescues = &mut self.rescues;
        let is_first = rescues
            .announcements
            .insert((channel_of.clone(), announced.announced_at));
        if !is_first {
            return broken("its announcement has made one before");
        }
        match rescues.messages.insert((channel_of, waiting.newest)) {
            true => Ok(races),
            false => broken("one was made for the same message before"),
        }
    }

    /// S11, for rescues: a task that a record newly says was made for a customer has its notice.
    pub(super) fn rescue_is_told(&self, before: Option<&Channel>, after: &Channel) -> LawCheck {
        let made = |record: &Channel| {
            let rescue = record.rescue()?;
            matches!(rescue.state, RescueState::Made(_)).then_some(rescue)
        };
        let Some(rescue) = made(after).filter(|_| before.and_then(made) != made(after)) else {
            return Ok(());
        };
        let since = rescue.unheard_since.as_millis();
        match self
            .told
            .contains(&format!("{}:{since}:rescued", after.sid()))
        {
            true => Ok(()),
            false => {
                let what = format!("{} is marked rescued without a notice", after.sid());
                Err(Violation::of(Law::NoNoticeNoMark, what))
            }
        }
    }

    /// Returns whether the customer of a channel who wrote at this time was told of.
    pub(crate) fn unheard_is_told(&self, channel: &str, since: Timestamp) -> bool {
        let id = format!("{channel}:{}:unheard", since.as_millis());
        self.told.contains(&id)
    }

    /// Returns whether a task was opened for a channel since, or is open.
    pub(crate) fn was_heard(&self, channel: &str, since: Timestamp) -> bool {
        let mut tasks = self.tasks.values().filter(|task| task.channel == channel);
        tasks.any(|task| task.ended.is_none_or(|(ended, _)| ended >= since))
    }

    pub(crate) fn record_of(&self, channel: &str) -> Option<&Channel> {
        self.channels.get(channel)?.record.as_ref()
    }
}
