//! The end of a schedule: nothing fails any more, time passes, and everything must be clean.

use std::sync::Arc;
use std::time::Duration;

use domain::{Channel, Progress};
use simulator::{ChannelStatus, ConversationState};
use tokio::time::{Instant, sleep};

use super::books::{Book, Books};
use super::delivery::EventStreams;
use super::law::{Law, Violation};
use super::life::People;
use super::logs;
use super::sweeps::{Sweeps, due};
use super::world::World;

const MINUTE: Duration = Duration::from_secs(60);

/// How long Twilio may still be busy with what happened, and until the last task that nobody
/// ends has ended by itself.
const AFTERMATH: Duration = Duration::from_secs(26 * 3600);

/// Lets everything come to rest and checks that it is clean.
pub(super) async fn end(
    world: &Arc<World>,
    people: &mut People,
    streams: &mut EventStreams,
    sweeps: &mut Sweeps,
    rng: &mut fastrand::Rng,
) {
    let stage = &world.stage;
    stage.tell(|| "nothing fails any more".to_owned());
    stage.lock().weather.calms_down();
    world.aws.dynamo.set_index_lag(embedded::Lag::Writes(0));
    if rng.bool() {
        people.end_of_day(world);
    }
    if rng.u8(..4) == 0 {
        poison_one(world, rng);
    }
    while sweeps.under_way.join_next().await.is_some() {}
    // Long enough for a reset after the last end, too.
    let patience = AFTERMATH + stage.script.policy.long_lived_cutoff + 2 * MINUTE;
    let began = Instant::now();
    while began.elapsed() < patience && !stage.broken() {
        streams.pump(world);
        // A task that nobody ends is inspected until it ends by itself.
        let first_hours = began.elapsed() < 180 * MINUTE;
        sleep(if first_hours { 10 } else { 60 } * MINUTE).await;
        if !due(world, Duration::ZERO).is_empty() {
            sweeps.sweep_in_peace(world).await;
        }
    }
    streams.pump(world);
    while streams.under_way.join_next().await.is_some() {}
    for _ in 0..2 {
        sweeps.sweep_in_peace(world).await;
    }
    if stage.broken() {
        return;
    }
    let inner = stage.lock();
    let poisoned = inner.weather.poisoned.clone();
    let mut verdict = inner.books.personal.search("the logs", &logs::take());
    for (channel, book) in &inner.books.channels {
        if verdict.is_ok() && poisoned.as_ref() != Some(channel) {
            verdict = clean(world, &inner.books, channel, book);
        }
    }
    let verdict = verdict.and_then(|()| inner.books.fold_afresh());
    drop(inner);
    stage.judge(verdict);
}

/// From now on, every request for one channel fails.
fn poison_one(world: &World, rng: &mut fastrand::Rng) {
    let waiting: Vec<String> = {
        let inner = world.stage.lock();
        let books = inner.books.channels.iter();
        let waits = |book: &&Book| book.record.as_ref().is_some_and(|r| r.waiting().is_some());
        books
            .filter(|(_, book)| waits(book))
            .map(|(sid, _)| sid.clone())
            .collect()
    };
    if let Some(channel) = rng.choice(waiting) {
        world
            .stage
            .tell(|| format!("every request for {channel} fails"));
        world.stage.lock().totals.count("channels poisoned");
        world.stage.lock().weather.poisoned = Some(channel);
    }
}

/// L1, by what Twilio holds: the channel is as its last task's end wants it, unless what we
/// would have to know was lost for ever.
fn clean(world: &World, books: &Books, channel: &str, book: &Book) -> Result<(), Violation> {
    let dirty = |why: &str| {
        let what = format!("{channel} is not clean: {why}\n  record {:?}", book.record);
        Err(Violation::of(Law::EventuallyClean, what))
    };
    let state = world.stage.twilio.state();
    let Ok(sid) = channel.parse() else {
        return Ok(());
    };
    let open = state.open_tasks_on(sid).count() > 0;
    let Some(record) = &book.record else {
        // Nothing was ever heard of it, or its record has expired since it was closed.
        return Ok(());
    };
    if open
        || record
            .open_tasks()
            .any(|(task, _)| !may_be_unheard_of(books, record, task.as_str()))
    {
        if !open {
            return dirty("a task is held open that ended while another one ended after it began");
        }
        return Ok(());
    }
    if record.open_tasks().next().is_some() {
        return Ok(());
    }
    if book.damaged {
        // Somebody wrote over the whole of it, be it before or after it was closed.
        return Ok(());
    }
    if let Some(Progress::Failed { .. }) = record.cleanup().map(|cleanup| &cleanup.progress) {
        return Ok(());
    }
    if let Some(conversation) = state.conversation(sid) {
        if conversation.state != ConversationState::Closed {
            return dirty("it is not closed");
        }
        let knows = record
            .tasks()
            .values()
            .any(|task| task.interaction.is_some());
        let interaction = state.interaction_channel_in(sid).filter(|_| knows);
        if interaction.is_some_and(|channel| channel.status != ChannelStatus::Closed) {
            return dirty("its interaction is still open");
        }
        return Ok(());
    }
    let Some(found) = state.channel(sid) else {
        return Ok(());
    };
    if !found.is_inactive() {
        return dirty("it is not INACTIVE");
    }
    if found.is_long_lived() {
        return dirty("it is still long-lived");
    }
    let session = state.sessions().any(|session| {
        session.is_open()
            && session
                .unique_name
                .as_deref()
                .is_some_and(|name| name.starts_with(channel))
    });
    if session && (world.stage.script.ends_sessions || !world.stage.script.flex_deaf) {
        return dirty("its session is still open");
    }
    Ok(())
}

/// Whether a record may hold a task open that has ended: its end was lost, and no other task
/// of the channel ended since it began, so that nothing tells us to ask.
fn may_be_unheard_of(books: &Books, record: &Channel, task: &str) -> bool {
    let Some(this) = books.tasks.get(task) else {
        return false;
    };
    let others = record
        .tasks()
        .iter()
        .filter(|(sid, _)| sid.as_str() != task);
    let mut ends = others.filter_map(|(_, task)| task.ended);
    this.ended.is_some() && !ends.any(|ended| ended.at >= this.created)
}
