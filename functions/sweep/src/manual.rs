//! What a person may ask of the sweep: one look, or a sweep of the channels that they name.

use std::time::Duration;

use domain::{Channel, ChannelSid, Queue, Timestamp};
use store::Due;

use crate::live::Live;
use crate::run::Watch;
use crate::{Summary, Sweep, SweepError};

impl Sweep {
    /// Looks at the open tasks for one channel, as a sweep would before it writes, and returns
    /// the record with what was seen; nothing where there is no record. Nothing is written.
    ///
    /// # Errors
    ///
    /// Fails when the table or TaskRouter cannot be read.
    pub async fn look(
        &self,
        channel: ChannelSid,
        now: Timestamp,
    ) -> Result<Option<Channel>, SweepError> {
        let Some(stored) = self.settings.table.get(channel).await? else {
            return Ok(None);
        };
        let twilio = self.client(now).await?;
        let (workspace, _) = self.places(&twilio).await?;
        let live = Live::look(&twilio, workspace, &[named(channel, now)], now)
            .await
            .map_err(SweepError::Blind)?;
        let mut seen = stored.channel;
        live.tell(&twilio, &mut seen, now)
            .await
            .map_err(SweepError::Blind)?;
        Ok(Some(seen))
    }

    /// Sweeps these channels and no others, whether the index lists them or not. What is done
    /// is decided as ever, by the record, the policy and a look at the open tasks.
    ///
    /// # Errors
    ///
    /// Fails as [`Sweep::run`] does.
    pub async fn run_on(
        &self,
        channels: &[ChannelSid],
        now: Timestamp,
        time_left: Duration,
    ) -> Result<Summary, SweepError> {
        let due = channels.iter().map(|channel| named(*channel, now));
        let watch = Watch::new(now, time_left);
        let summary = self.sweep(watch, due.collect()).await?;
        self.ends(summary, now)
    }
}

fn named(channel: ChannelSid, now: Timestamp) -> Due {
    Due {
        channel,
        queue: Queue::Retry,
        since: now,
    }
}
