//! What was told, folded into the channels' records; and a customer's word on a parked chat
//! handed on at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{Channel, ChannelSid, Fact, Heard, Queue, Timestamp, Word};
use futures::stream::{self, StreamExt};
use runtime::{Notice, NoticeKind};
use serde_json::json;
use store::{Saved, StoreError};

use crate::Ingest;
use crate::report::Report;
use crate::settings::Talk;

/// How many channels are read and written side by side.
const CHANNELS_AT_ONCE: usize = 64;

/// What was told of one channel.
#[derive(Default)]
struct News {
    facts: Vec<Fact>,
    words: Vec<Word>,
}

/// How one channel's news were taken in.
struct Taken {
    channel: ChannelSid,
    saved: Saved,
    /// When the customer of a parked chat last wrote, if that is among the news.
    replied_at: Option<Timestamp>,
}

impl Ingest {
    /// Folds facts and words into the table: channel by channel, one read and at most one
    /// write each, side by side. True if all are stored.
    pub(crate) async fn take_in(
        &self,
        facts: Vec<Fact>,
        words: Vec<Word>,
        report: &mut Report,
        now: Timestamp,
    ) -> bool {
        let mut channels: BTreeMap<ChannelSid, News> = BTreeMap::new();
        for fact in facts {
            let fact = match self.settings.talk {
                Talk::Heeded => fact,
                Talk::Ignored => fact.without_stage(),
            };
            channels.entry(fact.channel).or_default().facts.push(fact);
        }
        if self.settings.talk == Talk::Heeded {
            for word in words {
                channels.entry(word.channel).or_default().words.push(word);
            }
        }
        report.channels = channels.len();
        let mut folded = stream::iter(channels)
            .map(|(channel, news)| self.fold(channel, news))
            .buffer_unordered(CHANNELS_AT_ONCE);
        let mut all_stored = true;
        let mut replies = Vec::new();
        while let Some(result) = folded.next().await {
            match result {
                Ok(taken) => {
                    match taken.saved {
                        Saved::Written => report.written += 1,
                        Saved::Unchanged | Saved::Conflict(_) => report.unchanged += 1,
                    }
                    replies.extend(taken.replied_at.map(|at| reply(taken.channel, at, now)));
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

    async fn fold(&self, channel: ChannelSid, news: News) -> Result<Taken, StoreError> {
        let News { facts, words } = news;
        let platforms = facts.iter().map(|fact| fact.platform);
        let platforms = platforms.chain(words.iter().map(|word| word.platform));
        let Some(platform) = platforms.max() else {
            return Ok(Taken {
                channel,
                saved: Saved::Unchanged,
                replied_at: None,
            });
        };
        let waits = AtomicBool::new(false);
        let take = |channel: &mut Channel| {
            for fact in &facts {
                channel.absorb(fact);
            }
            channel.absorb_activity(&words);
            let waiting = channel.queue_entry();
            let replied = waiting.is_some_and(|waiting| waiting.queue == Queue::Unpark);
            waits.store(replied, Ordering::Relaxed);
        };
        let saved = self.settings.table.fold(channel, platform, take).await?;
        let messages = words.iter().filter(|word| match word.heard {
            Heard::Message { .. } => true,
            Heard::Accepted { .. } | Heard::Placed { .. } => false,
        });
        let newest = messages.map(|word| word.at).max();
        Ok(Taken {
            channel,
            saved,
            replied_at: newest.filter(|_| waits.load(Ordering::Relaxed)),
        })
    }
}

fn reply(channel: ChannelSid, at: Timestamp, now: Timestamp) -> Notice {
    Notice {
        id: format!("{channel}:{}:replied", at.as_millis()),
        at: now,
        kind: NoticeKind::ReplyReceived,
        detail: json!({ "channel_sid": channel }),
    }
}
