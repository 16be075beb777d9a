//! The end of a schedule: nothing fails any more, time passes, and everything must be clean.

use std::sync::Arc;
use std::time::Duration;

use domain::{Channel, Progress};
use simulator::{ChannelStatus, ConversationState};
use tokio::time::Instant;

use crate::delivery::EventStreams;
use crate::functions::parking::{Parking, nobody_waits_parked};
use crate::functions::reconciliations::Reconciliations;
use crate::functions::sweeps::{Sweeps, due};
use crate::functions::{Deployment, due_in};
use crate::oracle::{ChannelHistory, Oracle};
use crate::people::People;
use crate::report::{Law, Violation, logs};

use super::{parking_ending, pass};

const MINUTE: Duration = Duration::from_secs(60);

/// The time for which Twilio may still be busy with what happened, and until the last task that
/// no agent ends has ended by itself.
const AFTERMATH: Duration = Duration::from_secs(26 * 3600);

/// The interval of reconciliations until everything is at rest.
const RECONCILED_EVERY: Duration = Duration::from_secs(48 * 3600);

/// The runs that go on when people have stopped.
pub(crate) struct Runs<'a> {
    pub(crate) streams: &'a mut EventStreams,
    pub(crate) sweeps: &'a mut Sweeps,
    pub(crate) reconciliations: &'a mut Reconciliations,
    pub(crate) parking: &'a mut Parking,
}

/// Lets everything come to rest and checks that it is clean.
pub(crate) async fn end(
    deployment: &Arc<Deployment>,
    people: &mut People,
    runs: &mut Runs<'_>,
    rng: &mut fastrand::Rng,
) {
    let shared = &deployment.shared;
    shared.trace(|| "nothing fails any more".to_owned());
    shared.lock().faults.end();
    deployment
        .aws
        .dynamo
        .set_index_lag(embedded::Lag::Writes(0));
    if rng.bool() {
        people.end_of_day(deployment);
    }
    if shared.script.rescue.is_some() {
        pass(deployment, runs.parking, Instant::now() + MINUTE).await;
        people.all_return(deployment);
    }
    if rng.u8(..4) == 0 {
        poison_one(deployment, rng);
    }
    while runs.sweeps.under_way.join_next().await.is_some() {}
    while runs.reconciliations.under_way.join_next().await.is_some() {}
    let parks = deployment.park.is_some();
    if parks {
        parking_ending::settle(deployment, people, runs).await;
    }
    let Runs {
        streams,
        sweeps,
        reconciliations,
        parking,
    } = runs;
    // Long enough for a reset after the last end, too.
    let policy = &shared.script.policy;
    let reconciles = shared.script.reconcile_every.is_some();
    if reconciles {
        // The first one may only finish what was interrupted.
        for _ in 0..2 {
            reconciliations.in_peace(deployment).await;
        }
        let checked = shared.lock().oracle.know_the_log(shared.now());
        shared.check(checked);
    }
    let patience = match reconciles {
        true => AFTERMATH + policy.orphan_grace + 2 * RECONCILED_EVERY,
        false => AFTERMATH,
    };
    let patience = patience + policy.long_lived_cutoff + policy.quiet_cutoff + 12 * 60 * MINUTE;
    let began = Instant::now();
    let mut reconciled = began;
    while began.elapsed() < patience && !shared.broken() {
        streams.pump(deployment);
        // A task that no agent ends is inspected until it ends by itself.
        let first_hours = began.elapsed() < 180 * MINUTE;
        let step = if first_hours { 20 } else { 480 } * MINUTE;
        pass(deployment, parking, Instant::now() + step).await;
        if parks && !due_in(deployment, |queue| !queue.is_of_sweep(), Duration::ZERO).is_empty() {
            parking.tick_in_peace(deployment).await;
        }
        if reconciles && reconciled.elapsed() >= RECONCILED_EVERY {
            reconciled = Instant::now();
            reconciliations.in_peace(deployment).await;
        }
        if !due(deployment, Duration::ZERO).is_empty() && !sweeps.repeats(deployment) {
            sweeps.sweep_in_peace(deployment).await;
        }
    }
    streams.pump(deployment);
    while streams.under_way.join_next().await.is_some() {}
    for _ in 0..2 {
        sweeps.sweep_in_peace(deployment).await;
    }
    if shared.broken() {
        return;
    }
    let inner = shared.lock();
    let poisoned = inner.faults.poisoned.clone();
    let mut checked = inner.oracle.personal.search("the logs", &logs::take());
    for (channel, history) in &inner.oracle.channels {
        if checked.is_ok() && poisoned.as_ref() != Some(channel) {
            checked = clean(deployment, &inner.oracle, channel, history);
        }
    }
    let checked = checked.and_then(|()| inner.oracle.fold_afresh());
    drop(inner);
    shared.check(checked);
    shared.check(nobody_waits_parked(deployment));
}

/// From now on, every request for one channel fails.
fn poison_one(deployment: &Deployment, rng: &mut fastrand::Rng) {
    let waiting: Vec<String> = {
        let inner = deployment.shared.lock();
        let oracle = inner.oracle.channels.iter();
        let waits = |history: &&ChannelHistory| {
            history
                .record
                .as_ref()
                .is_some_and(|r| r.queue_entry().is_some())
        };
        oracle
            .filter(|(_, history)| waits(history))
            .map(|(sid, _)| sid.clone())
            .collect()
    };
    if let Some(channel) = rng.choice(waiting) {
        deployment
            .shared
            .trace(|| format!("every request for {channel} fails"));
        deployment.shared.lock().totals.count("channels poisoned");
        deployment.shared.lock().faults.poisoned = Some(channel);
    }
}

/// Checks L1 by what Twilio holds: the channel is as its last task's end wants it. Without
/// reconciliations, that is so unless an event that is needed was lost for ever; else it is so
/// for all that is still held open.
fn clean(
    deployment: &Deployment,
    oracle: &Oracle,
    channel: &str,
    history: &ChannelHistory,
) -> Result<(), Violation> {
    let dirty = |why: &str| {
        let what = format!(
            "{channel} is not clean: {why}\n  record {:?}",
            history.record
        );
        Err(Violation::of(Law::EventuallyClean, what))
    };
    let state = deployment.shared.twilio.state();
    let Ok(sid) = channel.parse() else {
        return Ok(());
    };
    if state.open_tasks_on(sid).next().is_some() || oracle.is_with_bot(channel) {
        return Ok(());
    }
    let reconciles = deployment.shared.script.reconcile_every.is_some();
    let held_open = match state.conversation(sid) {
        Some(conversation) => conversation.state != ConversationState::Closed,
        None => state.sessions().any(|session| {
            let name = session.unique_name.as_deref();
            session.is_open() && name.is_some_and(|name| name.starts_with(channel))
        }),
    };
    // A record of early messages alone knows no more than none.
    let knows = |record: &&Channel| !record.tasks().is_empty() || record.idle().is_some();
    let Some(record) = history.record.as_ref().filter(knows) else {
        let gone = state.conversation(sid).is_none() && state.channel(sid).is_none();
        let done = state.channel(sid).is_some_and(|found| found.is_inactive());
        // Else nothing was ever heard of it, or its record has expired since it was closed.
        // A Conversation of which no task is known is only closed after months.
        let orphan = state.conversation(sid).is_some();
        let is_left_alone = orphan || gone || done || history.damaged || history.has_flow;
        return match reconciles && held_open && !is_left_alone {
            true => dirty("it is held open and has no record"),
            false => Ok(()),
        };
    };
    if record.open_tasks().next().is_some() {
        let mut open = record.open_tasks();
        if open.any(|(task, _)| !may_be_unheard_of(oracle, record, task.as_str())) {
            return dirty("a task is held open that ended while another one ended after it began");
        }
        return match reconciles && held_open {
            true => dirty("a task is held open that has ended"),
            false => Ok(()),
        };
    }
    if history.damaged {
        // Its attributes were overwritten as a whole, before or after it was closed.
        return Ok(());
    }
    if let Some(Progress::Failed { .. }) = record.cleanup().map(|cleanup| &cleanup.progress) {
        return Ok(());
    }
    if let Some(conversation) = state.conversation(sid) {
        if conversation.state != ConversationState::Closed {
            return match is_put_aside(&state, deployment, sid, record) {
                true => Ok(()),
                false => dirty("it is not closed"),
            };
        }
        // That of another task may have been heard of after the conversation was closed.
        let last = record
            .idle()
            .and_then(|idle| record.tasks().get(&idle.task()?));
        let knows = last.is_some_and(|task| task.interaction.is_some());
        let interaction = state.interaction_channel_in(sid).filter(|_| knows);
        // Another party closed the Conversation of an interaction that an agent left, or that a
        // program parked: the rule looks at the interaction first, and leaves it.
        let is_open = interaction.is_some_and(|channel| channel.status != ChannelStatus::Closed);
        if is_open && !is_put_aside(&state, deployment, sid, record) {
            return dirty("its interaction is still open");
        }
        return Ok(());
    }
    let Some(found) = state.channel(sid) else {
        return Ok(());
    };
    if may_be_with_program(&state, deployment, sid, record) {
        return Ok(());
    }
    if !found.is_inactive() {
        return dirty("it is not INACTIVE");
    }
    if found.is_long_lived() {
        return dirty("it is still long-lived");
    }
    if held_open && (deployment.shared.script.ends_sessions || !deployment.shared.script.flex_deaf)
    {
        return dirty("its session is still open");
    }
    Ok(())
}

/// Returns whether an agent or a program still has a conversation, or may have.
fn is_put_aside(
    state: &simulator::State,
    deployment: &Deployment,
    conversation: simulator::Sid,
    record: &Channel,
) -> bool {
    let interaction = state.interaction_channel_in(conversation);
    let left = interaction
        .is_some_and(|it| matches!(it.status, ChannelStatus::Inactive | ChannelStatus::Pause));
    let webhooks = state.webhooks_of(conversation).unwrap_or_default();
    // A Studio flow that stayed says nothing after a task. Where no task is known, it may be at work.
    let program = webhooks
        .iter()
        .any(|webhook| webhook.kind != "studio" || is_orphan(record));
    left || program || is_orphan_for_months(deployment, record)
}

/// Returns whether a program may still have a Chat channel of which no task is known.
fn may_be_with_program(
    state: &simulator::State,
    deployment: &Deployment,
    channel: simulator::Sid,
    record: &Channel,
) -> bool {
    let webhooks = state.webhooks_of(channel).unwrap_or_default();
    !webhooks.is_empty() && is_orphan_for_months(deployment, record)
}

fn is_orphan(record: &Channel) -> bool {
    record.idle().is_some_and(|idle| idle.holder().is_some())
}

fn is_orphan_for_months(deployment: &Deployment, record: &Channel) -> bool {
    let cutoff = deployment.shared.script.policy.orphan_cutoff;
    is_orphan(record) && cutoff.is_none_or(|cutoff| cutoff > AFTERMATH)
}

/// Returns whether a record may hold a task open that has ended: its end was lost, and no other
/// task of the channel ended since it began, so that nothing makes the sweep ask.
fn may_be_unheard_of(oracle: &Oracle, record: &Channel, task: &str) -> bool {
    let Some(this) = oracle.tasks.get(task) else {
        return false;
    };
    let others = record
        .tasks()
        .iter()
        .filter(|(sid, _)| sid.as_str() != task);
    let mut ends = others.filter_map(|(_, task)| task.ended);
    this.ended.is_some() && !ends.any(|ended| ended.at >= this.created)
}
