//! What events say, folded into the channels' records: the one way for the webhook, for
//! TaskRouter's log and for a person's recording, so that the same events make the same items.

use std::collections::BTreeMap;

use domain::{Channel, ChannelSid, Fact, Heard, Pairs, Platform, Timestamp, Word};

use crate::error::StoreError;
use crate::table::{ChannelTable, Saved, Versioned};

/// The events of one channel.
#[derive(Clone, Debug)]
pub struct ChannelEvents {
    channel: ChannelSid,
    platform: Platform,
    facts: Vec<Fact>,
    words: Vec<Word>,
    pairs: Pairs,
}

/// The result of folding one channel's events.
#[derive(Debug)]
pub struct Folded {
    /// The result of the write.
    pub saved: Saved,
    /// The channel after it.
    pub channel: Channel,
}

impl ChannelEvents {
    /// Groups facts and words by their channel. Without pairs of TaskChannels nothing is parked,
    /// and words and the stages of tasks are left out: they would cost writes for nothing.
    pub fn by_channel(facts: Vec<Fact>, words: Vec<Word>, pairs: &Pairs) -> Vec<Self> {
        let mut channels = BTreeMap::new();
        for fact in facts {
            let fact = match pairs.is_empty() {
                false => fact,
                true => fact.without_stage(),
            };
            let events = Self::of(&mut channels, fact.channel, fact.platform, pairs);
            events.facts.push(fact);
        }
        let words = words.into_iter().filter(|_| !pairs.is_empty());
        for word in words {
            let events = Self::of(&mut channels, word.channel, word.platform, pairs);
            events.words.push(word);
        }
        channels.into_values().collect()
    }

    fn of<'a>(
        channels: &'a mut BTreeMap<ChannelSid, Self>,
        channel: ChannelSid,
        platform: Platform,
        pairs: &Pairs,
    ) -> &'a mut Self {
        let events = channels.entry(channel).or_insert_with(|| Self {
            channel,
            platform,
            facts: Vec::new(),
            words: Vec::new(),
            pairs: pairs.clone(),
        });
        events.platform = events.platform.max(platform);
        events
    }

    /// Returns the channel.
    pub const fn channel(&self) -> ChannelSid {
        self.channel
    }

    /// Returns when the newest message among the events was written, if there is one.
    pub fn newest_message(&self) -> Option<Timestamp> {
        let messages = self.words.iter().filter(|word| match word.heard {
            Heard::Message { .. } => true,
            Heard::Accepted { .. } | Heard::Placed { .. } => false,
        });
        messages.map(|word| word.at).max()
    }

    /// Takes the events into a record.
    fn apply(&self, channel: &mut Channel) {
        for fact in &self.facts {
            channel.absorb(fact);
        }
        channel.absorb_activity(&self.words, &self.pairs);
    }
}

impl ChannelTable {
    /// Folds events into their channel's record: one read, and one write if they say anything
    /// new.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be read or written, or if other writers were faster in every
    /// round.
    pub async fn fold_events(&self, events: &ChannelEvents) -> Result<Folded, StoreError> {
        let change = |channel: &mut Channel| {
            events.apply(channel);
            channel.clone()
        };
        let folded = self.fold(events.channel, events.platform, change).await;
        folded.map(|(saved, channel)| Folded { saved, channel })
    }

    /// Returns true if the events would change their channel's record. Writes nothing.
    ///
    /// # Errors
    ///
    /// Fails if the record cannot be read.
    pub async fn would_change(&self, events: &ChannelEvents) -> Result<bool, StoreError> {
        let known = self.get(events.channel).await?;
        let absent = || Versioned::absent(events.channel, events.platform);
        let before = known.unwrap_or_else(absent).channel;
        let mut after = before.clone();
        events.apply(&mut after);
        Ok(after != before)
    }
}
