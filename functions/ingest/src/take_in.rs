//! Events, folded into the channels' records; and a customer's message on a parked chat
//! published at once.

use domain::{Channel, ChannelSid, Timestamp};
use futures::stream::{self, StreamExt};
use runtime::{Notice, NoticeKind};
use serde_json::json;
use store::{ChannelEvents, Saved};

use crate::Ingest;
use crate::report::Report;

/// Channels that are read and written side by side.
const CHANNELS_AT_ONCE: usize = 64;

impl Ingest {
    /// Folds events into the table: channel by channel, one read and at most one write each,
    /// side by side. True if all are stored.
    pub(crate) async fn take_in(
        &self,
        channels: Vec<ChannelEvents>,
        report: &mut Report,
        now: Timestamp,
    ) -> bool {
        report.channels = channels.len();
        let table = &self.settings.table;
        let mut folded = stream::iter(channels)
            .map(|events| async move {
                let folded = table.fold_events(&events).await;
                (events, folded)
            })
            .buffer_unordered(CHANNELS_AT_ONCE);
        let mut all_stored = true;
        let mut replies = Vec::new();
        while let Some((events, result)) = folded.next().await {
            match result {
                Ok(folded) => {
                    match folded.saved {
                        Saved::Written => report.written += 1,
                        Saved::Unchanged | Saved::Conflict(_) => report.unchanged += 1,
                    }
                    let replied_at = events.newest_message().filter(|_| waits(&folded.channel));
                    replies.extend(replied_at.map(|at| reply(events.channel(), at, now)));
                }
                Err(error) => {
                    tracing::error!(%error, "not stored: the events are asked for again");
                    all_stored = false;
                }
            }
        }
        report.replies = replies.len();
        // It only makes things faster: what does not get there is found in the table.
        let published = self.settings.bus.publish(&replies).await;
        for (_, why) in &published.failed {
            tracing::warn!(
                why,
                "a reply could not be handed on: the next poll finds it"
            );
        }
        all_stored
    }
}

/// Returns true if the channel waits for its parked task to be moved back.
fn waits(channel: &Channel) -> bool {
    channel.has_waiting_customer()
}

fn reply(channel: ChannelSid, at: Timestamp, now: Timestamp) -> Notice {
    Notice {
        id: format!("{channel}:{}:replied", at.as_millis()),
        at: now,
        kind: NoticeKind::ReplyReceived,
        detail: json!({ "channel_sid": channel }),
    }
}
