//! The laws: what must never happen, and what must happen in the end.

use std::fmt;

/// A promise of the system. The numbers are those of the design; what carries none is a
/// promise that only code makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// S1: a record is a function of the set of facts that it was told.
    OrderFree,
    /// S2: no channel is written to on which a task is open that was open at the last look.
    NeverCloseLive,
    /// S3: nothing is written before its cutoff.
    NotEarly,
    /// S4: of the attributes as they were read only `status` and `long_lived` change.
    AttributesIntact,
    /// S5: what is acknowledged is in the table, and what is authentic is not turned away.
    AckMeansStored,
    /// S6: nothing that Twilio did not sign has any effect.
    NoWriteUnsigned,
    /// S7: nothing of one channel reaches another.
    NoCrossChannel,
    /// S8: no customer's address or words and no secret is in the table, on the bus or in the
    /// logs.
    NoPersonalData,
    /// S9: a task that is parked and brought back has its TaskChannel and every byte of its
    /// other attributes again, and a customer's word always brings it back.
    ParkRestores,
    /// S10: a channel that an agent left or paused, or that a program has, is not written to.
    PutAside,
    /// S11: no step is marked before its notice is on the bus, so that none is lost.
    NoNoticeNoMark,
    /// S12: no customer is given two agents for one message.
    OneAgent,
    /// Flex hears of each write, by the webhooks of Chat.
    FlexHears,
    /// No run asks Twilio again before the time that it asked for is over.
    Patient,
    /// A race with a new task stays within the time that one channel takes.
    RacesAreNarrow,
    /// L1: every due channel is clean within two sweeps once nothing fails any more.
    EventuallyClean,
    /// L2: a channel that cannot be cleaned delays no other.
    NoPoison,
    /// L3: the requests of a sweep are bounded by what is due.
    BoundedCalls,
    /// L4: with rescue on, no customer waits unheard on a channel that is due once nothing fails
    /// any more: there is a task, or the customer was told of.
    NoOneUnheard,
    /// Nothing panics.
    NoPanic,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OrderFree => "S1 order-free",
            Self::NeverCloseLive => "S2 never-close-live",
            Self::NotEarly => "S3 not-early",
            Self::AttributesIntact => "S4 attributes-intact",
            Self::AckMeansStored => "S5 ack-means-stored",
            Self::NoWriteUnsigned => "S6 no-write-unsigned",
            Self::NoCrossChannel => "S7 no-cross-channel",
            Self::NoPersonalData => "S8 no-personal-data",
            Self::ParkRestores => "S9 park-and-back-restores",
            Self::PutAside => "S10 put-aside",
            Self::NoNoticeNoMark => "S11 no-notice-no-mark",
            Self::OneAgent => "S12 one-agent",
            Self::FlexHears => "flex-hears",
            Self::Patient => "patient",
            Self::RacesAreNarrow => "races-are-narrow",
            Self::EventuallyClean => "L1 eventually-clean",
            Self::NoPoison => "L2 no-poison",
            Self::BoundedCalls => "L3 bounded-calls",
            Self::NoOneUnheard => "L4 no-one-unheard",
            Self::NoPanic => "no-panic",
        })
    }
}

/// A law that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// The observation that breaks it.
    pub what: String,
}

impl Violation {
    pub(crate) fn of(law: Law, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { law, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.what)
    }
}
