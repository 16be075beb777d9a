//! The fold of events into the channels' records: the one way for the webhook, for
//! TaskRouter's log and for a person's recording, so that the same events make the same items.

use std::collections::BTreeMap;

use domain::{Channel, ChannelSid, Fact, FactKind, Platform, Timestamp};

use crate::error::StoreError;
use crate::table::{ChannelTable, Saved, Versioned};

/// The events of one channel.
#[derive(Clone, Debug)]
pub struct ChannelEvents {
    channel: ChannelSid,
    platform: Platform,
    facts: Vec<Fact>,
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
    /// Groups facts by their channel.
    pub fn by_channel(facts: Vec<Fact>) -> Vec<Self> {
        let mut channels = BTreeMap::new();
        for fact in facts {
            let events = channels.entry(fact.channel).or_insert_with(|| Self {
                channel: fact.channel,
                platform: fact.platform,
                facts: Vec::new(),
            });
            events.platform = events.platform.max(fact.platform);
            events.facts.push(fact);
        }
        channels.into_values().collect()
    }

    /// Returns the channel.
    pub const fn channel(&self) -> ChannelSid {
        self.channel
    }

    /// Returns when the newest of the events happened.
    pub fn newest(&self) -> Option<Timestamp> {
        self.facts.iter().map(|fact| fact.at).max()
    }

    /// Returns when the newest message among the events was written, if there is one.
    pub fn newest_message(&self) -> Option<Timestamp> {
        let is_message = |fact: &&Fact| matches!(fact.kind, FactKind::Message { .. });
        let messages = self.facts.iter().filter(is_message);
        messages.map(|fact| fact.at).max()
    }

    /// Returns the platform of the channel, as far as the events say.
    pub const fn platform(&self) -> Platform {
        self.platform
    }

    /// Takes the events into their channel's record.
    pub fn apply(&self, channel: &mut Channel) {
        channel.absorb_useful(&self.facts);
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
