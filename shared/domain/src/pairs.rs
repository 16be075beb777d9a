//! Pairs of TaskChannels between which tasks are moved.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::TaskChannelSid;
use crate::parking::TaskPlacement;

/// Two TaskChannels between which tasks move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// Where an agent's capacity is taken.
    pub active: TaskChannelSid,
    /// Where a parked task is.
    pub inactive: TaskChannelSid,
}

/// A pair that is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not two SIDs of TaskChannels with a colon in between, as TC…:TC…")]
pub struct InvalidPair;

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.active, self.inactive)
    }
}

impl FromStr for Pair {
    type Err = InvalidPair;

    fn from_str(text: &str) -> Result<Self, InvalidPair> {
        let (active, inactive) = text.split_once(':').ok_or(InvalidPair)?;
        let sid = |text: &str| text.trim().parse().map_err(|_| InvalidPair);
        Ok(Self {
            active: sid(active)?,
            inactive: sid(inactive)?,
        })
    }
}

/// All pairs. No TaskChannel is in two of them, or a task would not know its way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(Vec<Pair>);

/// Faults of the pairs, by themselves or at Twilio.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum PairFault {
    /// A TaskChannel is in two pairs, or twice in one.
    #[error("TaskChannel {0} is in the pairs twice, so that a task would not know its way back")]
    Repeated(TaskChannelSid),
    /// The workspace has no such TaskChannel.
    #[error("the workspace has no TaskChannel {0}")]
    Unknown(TaskChannelSid),
    /// Its name holds a hyphen, which TaskRouter's expressions take for a minus.
    #[error(
        "the unique name of TaskChannel {0} holds a hyphen, which TaskRouter cannot read in an expression: make another one"
    )]
    Hyphen(TaskChannelSid),
    /// Tasks of this workspace have no TaskChannel.
    #[error("the workspace has multi-tasking switched off, and so no use for TaskChannels")]
    SingleTasking,
}

impl fmt::Display for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&pairs.join(","))
    }
}

impl Pairs {
    /// Takes these pairs.
    ///
    /// # Errors
    ///
    /// Fails with every TaskChannel that occurs more than once.
    pub fn new(pairs: Vec<Pair>) -> Result<Self, Vec<PairFault>> {
        let mut seen = BTreeSet::new();
        let named = pairs.iter().flat_map(|pair| [pair.active, pair.inactive]);
        let repeated: BTreeSet<_> = named.filter(|sid| !seen.insert(*sid)).collect();
        if repeated.is_empty() {
            return Ok(Self(pairs));
        }
        Err(repeated.into_iter().map(PairFault::Repeated).collect())
    }

    /// Returns whether there are none: nothing is parked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the pairs, as they were given.
    pub fn iter(&self) -> impl Iterator<Item = Pair> {
        self.0.iter().copied()
    }

    /// Returns the pair that this TaskChannel is the active one of.
    pub fn of_active(&self, task_channel: TaskChannelSid) -> Option<Pair> {
        self.0
            .iter()
            .copied()
            .find(|pair| pair.active == task_channel)
    }

    /// Returns the pair that this TaskChannel is the inactive one of.
    pub fn of_inactive(&self, task_channel: TaskChannelSid) -> Option<Pair> {
        self.0
            .iter()
            .copied()
            .find(|pair| pair.inactive == task_channel)
    }

    /// Returns the placement of a task in this TaskChannel.
    pub fn placement(&self, task_channel: TaskChannelSid) -> TaskPlacement {
        TaskPlacement {
            task_channel,
            parked: self.of_inactive(task_channel).is_some(),
        }
    }

    /// Returns what is wrong with the pairs in a workspace with these TaskChannels, by their unique
    /// names.
    pub fn faults(
        &self,
        multi_tasking: bool,
        task_channels: &BTreeMap<TaskChannelSid, String>,
    ) -> Vec<PairFault> {
        let named = self.0.iter().flat_map(|pair| [pair.active, pair.inactive]);
        let faulty = |sid| match task_channels.get(&sid) {
            None => Some(PairFault::Unknown(sid)),
            Some(name) if name.contains('-') => Some(PairFault::Hyphen(sid)),
            Some(_) => None,
        };
        let single = (!multi_tasking).then_some(PairFault::SingleTasking);
        single.into_iter().chain(named.filter_map(faulty)).collect()
    }
}
