//! The rescue of an unheard customer in a channel's record: see [`mod@crate::rescue`].

use super::Channel;
use crate::evidence::LastMessage;
use crate::rescue::{CLOCK_DIFFERENCE, Rescue, RescueState};
use crate::{TaskSid, Timestamp};

impl Channel {
    /// Returns the newest rescue that was announced, if one was.
    pub fn rescue(&self) -> Option<Rescue> {
        self.rescue
    }

    /// Announces that a task is about to be made for this message.
    pub fn announce_rescue(&mut self, message: LastMessage, now: Timestamp) {
        let announced = Rescue {
            index: message.index,
            announced_at: now,
            unheard_since: message.at,
            state: RescueState::Announced,
        };
        self.rescue = self.rescue.max(Some(announced));
    }

    /// Records that the announced rescue made this task.
    pub fn note_rescued(&mut self, task: TaskSid) {
        self.note_rescue(RescueState::Made(task));
    }

    /// Records that the announced rescue made no task, so that another one may.
    pub fn withdraw_rescue(&mut self) {
        self.note_rescue(RescueState::Withdrawn);
    }

    /// Returns the announced rescue of which nothing more is recorded, and the task that it
    /// made, if one is known on the channel that was opened since.
    pub fn rescue_to_tell(&self) -> Option<(TaskSid, Rescue)> {
        let rescue = self
            .rescue
            .filter(|one| one.state == RescueState::Announced)?;
        let since = rescue
            .announced_at
            .minus(CLOCK_DIFFERENCE)
            .max(rescue.unheard_since);
        let mut tasks = self.tasks().iter();
        let made = tasks.find(|(_, task)| task.opened_at >= since);
        made.map(|(task, _)| (*task, rescue))
    }

    /// Records that the announced rescue made no task and that none will be made for its message.
    pub fn note_not_rescued(&mut self) {
        self.note_rescue(RescueState::NotMade);
    }

    fn note_rescue(&mut self, state: RescueState) {
        if let Some(rescue) = &mut self.rescue {
            rescue.state = rescue.state.max(state);
        }
    }
}
