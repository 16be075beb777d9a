//! The guard of a run's writes: the fuse and a person's stop, as the table has them.
//!
//! A run reserves the channels of each portion in the fuse before it works on them. So a run
//! that dies has been counted, and runs that overlap see each other. The stop is read at the
//! same time: a run that is under way ends at its next portion.

use std::sync::Mutex;

use domain::{BlownFuse, Suspension, Timestamp, suspension};
use runtime::lock;
use store::{ChannelTable, StoreError};

use crate::settings::Mode;
use crate::summary::Stop;

/// Bounds what one run writes.
pub(crate) struct Guard<'a> {
    /// The table with the fuse; absent where a person names the channels.
    table: Option<&'a ChannelTable>,
    cap: usize,
    began: Timestamp,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
struct State {
    /// The name of the run in the fuse, once it has one: no other run has it.
    run: Option<Timestamp>,
    /// The number of channels that the run may write to, all in all.
    allowed: usize,
    writes: usize,
    /// Channels that were handed to the run and that it is not done with.
    in_hand: usize,
    /// True if the run wanted to write to one more.
    beyond: bool,
}

impl<'a> Guard<'a> {
    /// Returns the guard of a run that began then. An observing run writes nothing and
    /// leaves the fuse as it is, but it stops at the same number.
    pub(crate) fn new(table: &'a ChannelTable, mode: Mode, cap: usize, began: Timestamp) -> Self {
        Self {
            table: Some(table).filter(|_| mode == Mode::Act),
            ..Self::of_person(cap, began)
        }
    }

    /// Returns the guard of a run on channels that a person names: no fuse holds it back.
    pub(crate) fn of_person(cap: usize, began: Timestamp) -> Self {
        Self {
            table: None,
            cap,
            began,
            state: Mutex::new(State {
                run: None,
                allowed: cap,
                writes: 0,
                in_hand: 0,
                beyond: false,
            }),
        }
    }

    /// Takes one of the writes that the run may make; false if there is none left.
    pub(crate) fn may_write(&self) -> bool {
        let mut state = lock(&self.state);
        if state.writes >= state.allowed {
            state.beyond = true;
            return false;
        }
        state.writes += 1;
        true
    }

    /// Notes that the run is done with one of the channels that it reserved.
    pub(crate) fn is_done_with_one(&self) {
        let mut state = lock(&self.state);
        state.in_hand = state.in_hand.saturating_sub(1);
    }

    /// Reserves a portion in the fuse, before the run works on it. Returns why the run has to
    /// stop, if it has to.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be read. A fuse that cannot be written is logged: the run
    /// itself still counts.
    pub(crate) async fn reserve(
        &self,
        portion: usize,
        now: Timestamp,
    ) -> Result<Option<Stop>, StoreError> {
        let Some(table) = self.table else {
            return Ok(None);
        };
        let stopped = table.stopped_since().await?;
        let mut fuse = table.fuse().await?;
        match suspension(stopped, &fuse, now) {
            Some(Suspension::Stopped { .. }) => return Ok(Some(Stop::StoppedByPerson)),
            Some(Suspension::FuseBlown(_)) => return Ok(Some(Stop::TooManyCloses)),
            None => {}
        }
        let (run, reserved) = {
            let mut state = lock(&self.state);
            let run = *state.run.get_or_insert_with(|| fuse.new_run(self.began));
            state.allowed = fuse.allows(self.cap, run, now);
            state.in_hand += portion;
            let reserved = (state.writes + state.in_hand).min(state.allowed);
            (run, reserved)
        };
        fuse.note_run(run, reserved, now);
        if let Err(error) = table.set_fuse(&fuse).await {
            tracing::error!(%error, "the fuse could not be written: this run counts by itself");
        }
        Ok(None)
    }

    /// Notes what the run wrote in the end. Returns the fuse if the run has blown it.
    pub(crate) async fn settle(&self, now: Timestamp) -> Option<BlownFuse> {
        let table = self.table?;
        let State {
            run,
            writes,
            beyond,
            ..
        } = *lock(&self.state);
        let run = run?;
        let settled = async {
            let mut fuse = table.fuse().await?;
            fuse.note_run(run, writes, now);
            let blown = beyond.then(|| fuse.blow(now));
            table.set_fuse(&fuse).await?;
            Ok::<_, StoreError>(blown)
        };
        settled.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the fuse could not be written: it counts what was reserved");
            None
        })
    }
}
