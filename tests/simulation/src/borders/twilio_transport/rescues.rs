//! Tasks that a sweep makes for unheard customers, held against the oracle.

use simulator::Sid;

use crate::oracle::Waiting;
use crate::shared::{Caller, caller};

use super::TwilioTransport;
use super::request::Subject;

impl TwilioTransport {
    /// Returns whether the caller may make a task.
    pub(super) fn may_rescue(&self) -> bool {
        matches!(caller(), Caller::Sweep(_)) && self.shared.script.rescue.is_some()
    }

    /// Returns how a channel is before a task is made on it, if the request is to make one.
    pub(super) fn waiting_now(&self, subject: &Subject) -> Option<Waiting> {
        let Subject::NewTask(channel) = subject else {
            return None;
        };
        let sid: Sid = channel.parse().ok()?;
        let messages = {
            let state = self.shared.twilio.state();
            let of_chat = state.channel(sid).map(|found| found.messages.len());
            of_chat.or_else(|| Some(state.conversation(sid)?.messages.len()))
        };
        Some(Waiting {
            open: self.open_tasks_on(sid),
            newest: messages?.checked_sub(1),
        })
    }

    /// Checks a task that was made.
    pub(super) fn rescued(&self, run: u32, channel: &str, waiting: &Waiting) {
        let now = self.shared.now();
        let checked = self
            .shared
            .lock()
            .oracle
            .gives_agent(run, now, channel, waiting);
        self.check_races(checked);
        let mut inner = self.shared.lock();
        inner.totals.count("tasks for unheard customers");
        inner.trace(now, || format!("run {run} makes a task on {channel}"));
    }
}
