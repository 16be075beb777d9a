//! L4: with rescue on, no customer waits unheard once nothing fails any more.

use std::collections::BTreeMap;

use domain::{Channel, Progress, QueueEntry, RescueState, Timestamp};
use simulator::{Sid, State};
use world::WEBHOOK;

use crate::functions::Deployment;
use crate::oracle::LawCheck;
use crate::report::{Law, Violation};

/// The sweeps without faults after which a customer of a due channel has a task or was told of: a
/// rescue that was interrupted is left alone for ten minutes, by clocks that differ, and then
/// TaskRouter's log is asked.
pub(crate) const SWEEPS_TO_BE_HEARD: usize = 4;

/// The number of sweeps without faults for which each unheard message waited.
#[derive(Default)]
pub(crate) struct UnheardMessages(BTreeMap<(String, Timestamp), usize>);

impl UnheardMessages {
    /// Checks what was due before a sweep without faults, after it. A sweep that may make few
    /// tasks leaves so many sweeps' worth of the others to the next ones.
    pub(crate) fn check(
        &mut self,
        deployment: &Deployment,
        before: &BTreeMap<String, QueueEntry>,
    ) -> LawCheck {
        let Some(rescue) = &deployment.shared.script.rescue else {
            return Ok(());
        };
        let held_up = before.len() / deployment.shared.script.max_closes.min(rescue.max);
        let poisoned = deployment.shared.lock().faults.poisoned.clone();
        for channel in before.keys() {
            let is_poisoned = poisoned.as_ref() == Some(channel);
            let Some(at) = unheard(deployment, channel).filter(|_| !is_poisoned) else {
                continue;
            };
            let sweeps = self.0.entry((channel.clone(), at)).or_default();
            *sweeps += 1;
            if *sweeps >= SWEEPS_TO_BE_HEARD + held_up {
                let record = deployment.shared.lock().oracle.record_of(channel).cloned();
                let what = format!(
                    "{channel} has a message of {} that no agent will see, after {sweeps} sweeps:\n  {record:?}",
                    at.as_millis()
                );
                return Err(Violation::of(Law::NoOneUnheard, what));
            }
        }
        Ok(())
    }
}

/// Returns whether a rescue was announced on a channel of which nothing more is known.
pub(crate) fn is_under_way(deployment: &Deployment, channel: &str) -> bool {
    let inner = deployment.shared.lock();
    let rescue = inner.oracle.record_of(channel).and_then(Channel::rescue);
    rescue.is_some_and(|rescue| rescue.state == RescueState::Announced)
}

/// Returns when the message was written that no agent and no program will see, that is young
/// enough, and of which the bus was told nothing.
fn unheard(deployment: &Deployment, channel: &str) -> Option<Timestamp> {
    let shared = &deployment.shared;
    let rescue = shared.script.rescue.as_ref()?;
    let sid: Sid = channel.parse().ok()?;
    let at = lost(&shared.twilio.state(), sid)?;
    let inner = shared.lock();
    let oracle = &inner.oracle;
    let is_damaged = oracle.channels.get(channel)?.damaged;
    let record = oracle.record_of(channel)?;
    let cleanup = record.cleanup().map(|cleanup| &cleanup.progress);
    let is_given_up = matches!(cleanup, Some(Progress::Failed { .. }));
    let is_known = record.idle().is_some_and(|idle| idle.how().is_some());
    let is_young = shared.now().since(at) <= rescue.within;
    let is_settled = oracle.was_heard(channel, at) || oracle.unheard_is_told(channel, at);
    (is_known && is_young && !is_settled && !is_damaged && !is_given_up).then_some(at)
}

/// Returns when the newest message of a channel was written, if no agent and no program will
/// see it.
fn lost(state: &State, channel: Sid) -> Option<Timestamp> {
    let of_chat = || state.channel(channel)?.messages.last().map(|it| it.created);
    let of_conversation = || {
        let found = state.conversation(channel)?;
        found.messages.last().map(|line| line.created)
    };
    let newest = of_chat().or_else(of_conversation)?;
    let mut lost = state.lost_messages();
    let is_lost = lost.any(|message| message.channel == channel && message.at == newest);
    let webhooks = state.webhooks_of(channel).unwrap_or_default();
    let has_program = webhooks
        .iter()
        .any(|webhook| webhook.kind != "studio" && webhook.target.url.as_deref() != Some(WEBHOOK));
    (is_lost && !has_program).then(|| Timestamp::from_millis(newest.as_millisecond()))
}
